// Fills the tables of README.md from the declarations in the code: `node scripts/docs.mjs` after a build.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const README = fileURLToPath(new URL('../README.md', import.meta.url))

/** README.md as it must be. Imports the compiled code, so that it needs a build but no compiler. */
export async function renderReadme(text = readFileSync(README, 'utf8')) {
  const { ERRORS } = await import('../dist/core/errors.js')
  const { listCodecs, listFormats } = await import('../dist/registry.js')
  const { COMMON_READ_OPTIONS, COMMON_WRITE_OPTIONS } = await import('../dist/resolve.js')
  const sections = {
    formats: formats(listFormats(), listCodecs()),
    common: options({ ...COMMON_READ_OPTIONS, ...COMMON_WRITE_OPTIONS }),
    errors: errors(ERRORS),
  }
  for (const entry of listFormats()) {
    const format = await entry.load()
    sections[`${entry.id}-read`] = options(format.readOptions)
    sections[`${entry.id}-write`] = options(format.writeOptions)
  }
  const seen = new Set()
  const filled = text.replace(/<!-- begin:([a-z-]+) -->[\s\S]*?<!-- end:\1 -->/g, (_, name) => {
    if (sections[name] === undefined) throw new Error(`README.md has a section ${name} that nothing fills`)
    seen.add(name)
    return `<!-- begin:${name} -->\n${sections[name]}\n<!-- end:${name} -->`
  })
  const missing = Object.keys(sections).filter(name => !seen.has(name))
  if (missing.length > 0) throw new Error(`README.md lacks the sections ${missing.join(', ')}`)
  return filled
}

const cell = text => String(text).replaceAll('|', '\\|').replaceAll('\n', '\\n')
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.map(cell).join(' | ')} |`).join('\n')
const yes = flag => (flag ? 'yes' : 'no')

const formats = (formats, codecs) =>
  table(
    ['', 'extensions', 'reads', 'writes'],
    [
      ...formats.map(f => [
        f.title,
        Object.keys(f.extensions)
          .map(e => `\`.${e}\``)
          .join(' '),
        yes(f.reads),
        yes(f.writes),
      ]),
      ...codecs.map(c => [c.title, c.extensions.map(e => `\`.${e}\``).join(' '), yes(c.reads), yes(c.writes)]),
    ],
  )

const options = entries =>
  table(
    ['option', 'type', 'default', ''],
    Object.entries(entries).map(([name, entry]) => [`\`${name}\``, entry.type, entry.default, entry.means]),
  )

const errors = entries =>
  table(
    ['code', 'means'],
    Object.entries(entries).map(([code, entry]) => [`\`${code}\``, entry.means]),
  )

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(README, await renderReadme())
