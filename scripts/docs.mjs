// Fills the tables of README.md and docs/ from the declarations in the code: `node scripts/docs.mjs`.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withInner } from './bundle.mjs'

const ROOT = new URL('../', import.meta.url)
const FILES = ['README.md', 'docs/options.md', 'docs/errors.md', 'docs/cli.md']

/** The files as they must be: path → text. */
export async function renderDocs() {
  const sections = await withInner(
    [
      'core/error-codes',
      'registry',
      'resolve',
      'convert/options',
      'convert/bulk-options',
      'pipeline/options',
      'sources/s3/options',
      'sources/s3/sink-options',
      'query/options',
      'query/diff-options',
      'query/validate',
      'profile/options',
      'report/options',
      'cli/verbs',
      'cli/flags',
      'cli/parse',
    ],
    sectionsOf,
  )
  const seen = new Set()
  const rendered = FILES.map(path => {
    const text = readFileSync(new URL(path, ROOT), 'utf8')
    const filled = text.replace(/<!-- begin:([a-z0-9-]+) -->[\s\S]*?<!-- end:\1 -->/g, (_, name) => {
      if (sections[name] === undefined) throw new Error(`${path} has a section ${name} that nothing fills`)
      seen.add(name)
      return `<!-- begin:${name} -->\n${sections[name]}\n<!-- end:${name} -->`
    })
    return [path, filled]
  })
  const missing = Object.keys(sections).filter(name => !seen.has(name))
  if (missing.length > 0) throw new Error(`the docs lack the sections ${missing.join(', ')}`)
  return Object.fromEntries(rendered)
}

async function sectionsOf([
  { ERRORS },
  { listCodecs, listFormats, listSources },
  { COMMON_READ_OPTIONS, COMMON_WRITE_OPTIONS },
  { CONVERT_OPTIONS },
  { BULK_OPTIONS },
  { PIPELINE_OPTIONS },
  { S3_READ_SETTINGS },
  { S3_WRITE_SETTINGS },
  { SQL_OPTIONS },
  { DIFF_OPTIONS },
  { VALIDATE_OPTIONS },
  { PROFILE_OPTIONS },
  { REPORT_OPTIONS, TABLE_OPTIONS },
  { VERBS },
  { READ_FLAGS, ROW_FLAGS, WRITE_FLAGS },
  { COMMON_FLAGS },
]) {
  const sections = {
    formats: await formats(listFormats(), listCodecs()),
    common: options({ ...COMMON_READ_OPTIONS, ...COMMON_WRITE_OPTIONS }),
    errors: errors(ERRORS),
    convert: options(CONVERT_OPTIONS),
    bulk: options(BULK_OPTIONS),
    pipeline: options(PIPELINE_OPTIONS),
    profile: options(PROFILE_OPTIONS),
    report: options(REPORT_OPTIONS),
    table: options(TABLE_OPTIONS),
    's3-read-settings': options(S3_READ_SETTINGS),
    's3-write-settings': options(S3_WRITE_SETTINGS),
    sql: options(SQL_OPTIONS),
    diff: options(DIFF_OPTIONS),
    validate: options(VALIDATE_OPTIONS),
    verbs: VERBS.map(verb => verbSection(verb, { READ_FLAGS, ROW_FLAGS, WRITE_FLAGS })).join('\n\n'),
    'flags-common': flags(COMMON_FLAGS),
    'flags-read': flags(READ_FLAGS),
    'flags-rows': flags(ROW_FLAGS),
    'flags-write': flags(WRITE_FLAGS),
  }
  for (const entry of listFormats()) {
    const format = await entry.load()
    sections[`${entry.id}-read`] = options(format.readOptions)
    if (entry.writes) sections[`${entry.id}-write`] = options(format.writeOptions)
  }
  for (const entry of listSources()) {
    const place = await entry.load()
    if (place.readOptions !== undefined) sections[`${entry.id}-read`] = options(place.readOptions)
    if (place.writeOptions !== undefined) sections[`${entry.id}-write`] = options(place.writeOptions)
  }
  return sections
}

const cell = text => String(text).replaceAll('|', '\\|').replaceAll('\n', '\\n')
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.map(cell).join(' | ')} |`).join('\n')
const yes = flag => (flag ? 'yes' : 'no')

/** Options by which a reader gives less, and reads less for it. */
const SELECTING = ['columns', 'where', 'orderBy', 'limit', 'offset']

const formats = async (formats, codecs) => {
  const names = extensions => extensions.map(extension => `\`.${extension}\``).join(' ')
  const rows = formats.map(async format => {
    const { readOptions } = await format.load()
    const pushed = SELECTING.filter(name => Object.hasOwn(readOptions, name)).map(name => `\`${name}\``)
    return [
      format.title,
      names(Object.keys(format.extensions)),
      yes(format.reads),
      yes(format.writes),
      pushed.join(', '),
    ]
  })
  return table(
    ['', 'extensions', 'reads', 'writes', 'pushdown'],
    [
      ...(await Promise.all(rows)),
      ...codecs.map(codec => [codec.title, names(codec.extensions), yes(codec.reads), yes(codec.writes), '']),
    ],
  )
}

const options = entries =>
  table(
    ['option', 'type', 'default', ''],
    Object.entries(entries).map(([name, entry]) => [`\`${name}\``, entry.type, entry.default, entry.means]),
  )

const flags = list =>
  table(
    ['option', ''],
    list.map(({ name, short, kind, value = kind, choices, means }) => {
      const written =
        kind === 'switch' ? `--${name}` : kind === 'optional' ? `--${name}[=<${value}>]` : `--${name} <${value}>`
      const few = choices === undefined ? '' : ` One of ${choices.map(choice => `\`${choice}\``).join(', ')}.`
      return [short === undefined ? `\`${written}\`` : `\`-${short}\`, \`${written}\``, means + few]
    }),
  )

/** What a verb is and takes; flags that several verbs share are said by the name of their table. */
function verbSection({ name, means, arguments: words, flags: own, examples }, shared) {
  const titles = {
    READ_FLAGS: '[reading](#options-of-reading)',
    ROW_FLAGS: '[rows](#options-of-rows)',
    WRITE_FLAGS: '[writing](#options-of-writing)',
  }
  const taken = Object.keys(titles).filter(key => shared[key].every(flag => own.includes(flag)))
  const left = own.filter(flag => !taken.some(key => shared[key].includes(flag)))
  const usage = words.map(({ name, many, optional }) => {
    const text = `<${name}>${many ? '…' : ''}`
    return optional ? `[${text}]` : text
  })
  return [
    `### ${name}`,
    means,
    `\`\`\`sh\n${['open-iterable', name, '[options]', ...usage].join(' ')}\n\`\`\``,
    ...(words.length === 0 ? [] : [words.map(({ name, means }) => `- \`<${name}>\`: ${means}`).join('\n')]),
    ...(left.length === 0 ? [] : [flags(left)]),
    ...(taken.length === 0 ? [] : [`And the options of ${taken.map(key => titles[key]).join(', ')}.`]),
    `\`\`\`sh\n${examples.map(([command, does]) => `# ${does}\nopen-iterable ${command}`).join('\n\n')}\n\`\`\``,
  ].join('\n\n')
}

const errors = entries =>
  table(
    ['code', 'means'],
    Object.entries(entries).map(([code, entry]) => [`\`${code}\``, entry.means]),
  )

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(await renderDocs())) writeFileSync(new URL(path, ROOT), text)
}
