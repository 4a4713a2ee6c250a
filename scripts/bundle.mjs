/**
 * Bundles src/ for those who load it: few files instead of many, without comments, short inside but with the names that
 * a stack trace shows. What is imported dynamically stays a file of its own; packages stay imports.
 */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { dirname, join, posix, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { minifySync, parseSync, Visitor } from 'rolldown/utils'

const root = fileURLToPath(new URL('..', import.meta.url))
const src = join(root, 'src')
const inSource = id => relative(src, id).replaceAll('\\', '/')

/**
 * Files that are started, not imported: `src/<name>.ts` becomes `dist/<name>.js`. The code names its worker as
 * `new URL('../../dist/duckdb/copy-worker.js', import.meta.url)`, which is right where it stands in src/, so that tests
 * start the built worker, and which is put right here for where it stands in dist/.
 */
export const WORKERS = ['duckdb/copy-worker', 'convert/worker']

/** Files that are imported: each is a line of `exports` or `bin` in package.json. */
export const ENTRIES = [
  'index',
  'cli/main',
  'plugin',
  'resilience/index',
  'core/telemetry',
  'testing/index',
  ...WORKERS,
]

/**
 * Modules that each of `all` needs at once are one file, whoever else needs one of them: what everyone loads, what readers
 * of text share, and so on. A module goes to the first line that takes it; `of`: only those under this path.
 */
const SHARED = [
  { name: 'main', all: ['index.ts'] },
  { name: 'text-reading', all: ['formats/csv/reader.ts', 'formats/jsonl/reader.ts'] },
  { name: 'json-reading', all: ['formats/json/reader.ts', 'formats/jsonl/reader.ts'] },
  { name: 'csv-options', all: ['formats/csv/index.ts'], of: 'formats/csv/' },
  { name: 'csv-reading', all: ['formats/csv/reader.ts'], of: 'formats/csv/' },
]

const MANGLE = { toplevel: true, keepNames: { function: true, class: true } }
const MIN_LINE_LENGTH = 60
const COMPRESS = { target: 'es2022', keepNames: { function: true, class: true }, sequences: false }

/**
 * The files of dist/, from `src/<entry>.ts` for each entry: what is in them, and of which modules of src/ they are made.
 * @param {readonly string[]} [entries]
 * @param {{ meanings?: boolean }} [options] `meanings`: with what each error means, which is for the docs only
 * @returns {Promise<{ fileName: string, code: string, modules: string[] }[]>}
 */
export async function bundle(entries = ENTRIES, { meanings = false } = {}) {
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(entries.map(entry => [entry, join(src, `${entry}.ts`)])),
    platform: 'node',
    // Packages; and what is not there, so that the compiler tells of it, as of all that is wrong with types.
    external: (id, importer) =>
      // The bundler's own parts, for syntax that the target lacks, come with the bundle.
      !id.startsWith('@oxc-project/runtime') &&
      (!/^[./]/.test(id) || !existsSync(resolve(dirname(importer ?? ''), id))),
    tsconfig: false,
    transform: { target: 'es2022' },
    plugins: meanings ? [] : [{ name: 'without-meanings', transform: withoutMeanings }],
    onLog(level, log, print) {
      // A module that is needed at once by one and late by another.
      if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') print(level, log)
    },
  })
  const { output } = await build.generate({
    format: 'esm',
    comments: false,
    minifyInternalExports: false,
    entryFileNames: '[name].js',
    chunkFileNames: ({ name, facadeModuleId: id }) => `chunks/${id === null ? name : chunkName(inSource(id))}.js`,
    codeSplitting: { groups: SHARED.map(shared => ({ debugName: shared.name, name: nameOf(shared) })) },
  })
  await build.close()
  for (const { fileName, imports, dynamicImports } of output) {
    // Also those that the bundler adds for syntax that its target lacks: nobody would have them installed.
    const unknown = [...imports, ...dynamicImports].find(id => !isOurs(id))
    if (unknown !== undefined) throw new Error(`${fileName} imports ${unknown}, which is no dependency`)
  }
  return output.map(({ fileName, code, moduleIds }) => ({
    fileName,
    code: shorten(fileName, withWorkers(fileName, code, entries)),
    modules: moduleIds.map(inSource),
  }))
}

const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json')))
const packages = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })

/** A file of the bundle, a part of Node, or a package that is installed with this one. */
const isOurs = id =>
  !/^[@a-z][^:]*$/i.test(id) ||
  isBuiltin(id) ||
  existsSync(join(src, id.replace(/\.js$/, '.ts'))) ||
  id.startsWith('chunks/') ||
  packages.some(name => id === name || id.startsWith(`${name}/`))

/** Writes a bundle to a folder. */
export async function writeBundle(folder, files) {
  for (const { fileName, code } of files) {
    const path = join(folder, fileName)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, code)
  }
}

/**
 * Imports modules of src/ that dist/ does not export, compiled, for as long as `use` runs:
 * `withInner(['registry'], async ([registry]) => …)`.
 * @param {readonly string[]} entries
 * @param {(modules: any[]) => Promise<any>} use
 */
export async function withInner(entries, use) {
  // Where packages are found from.
  const folder = await mkdtemp(join(root, 'node_modules', '.open-iterable-'))
  try {
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    await writeBundle(folder, await bundle([...entries, ...WORKERS], { meanings: true }))
    return await use(await Promise.all(entries.map(entry => import(pathToFileURL(join(folder, `${entry}.js`)).href))))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** `formats/csv/index.ts` → `formats-csv`. */
function chunkName(path) {
  return path
    .replace(/\.ts$/, '')
    .replace(/\/index$/, '')
    .replaceAll('/', '-')
}

/** Gives the file's name for a module that belongs in it. */
function nameOf({ name, all, of = '' }) {
  let closures
  return (id, context) => {
    closures ??= all.map(path => closure(join(src, path), context))
    return inSource(id).startsWith(of) && closures.every(modules => modules.has(id)) ? name : null
  }
}

function closure(id, context, found = new Set()) {
  if (found.has(id)) return found
  const info = context.getModuleInfo(id)
  if (info === null) return found
  found.add(id)
  for (const next of info.importedIds) closure(next, context, found)
  return found
}

/** Leaves out of the tables of errors and options what only the docs show: some 10 kB that everyone would load. */
function withoutMeanings(code, id) {
  const path = inSource(id)
  // The command line shows what its options mean.
  if (!path.endsWith('.ts') || path.startsWith('cli/') || !/\bmeans:\s*['"`]/.test(code)) return null
  const lean = code.replace(/\bmeans:\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`),?/g, '')
  if (/\bmeans:\s*['"`]/.test(lean)) throw new Error(`the tables of ${path} do not look as expected`)
  return { code: lean, map: null }
}

function withWorkers(fileName, code, entries) {
  return code.replace(/new URL\((["'])(?:\.\.\/)+dist\/([^"']+)\.js\1, import\.meta\.url\)/g, (_, _quote, worker) => {
    if (!entries.includes(worker)) throw new Error(`${fileName} starts ${worker}, which WORKERS does not list`)
    const path = posix.relative(posix.dirname(fileName), `${worker}.js`)
    return `new URL(${JSON.stringify(path.startsWith('.') ? path : `./${path}`)}, import.meta.url)`
  })
}

/**
 * Code with short names for what is local, which a stack trace does not show, and with lines of a few statements, so
 * that the place it does show, and the line that Node prints of it, are of use without a source map.
 */
function shorten(fileName, code) {
  const minify = mangle => {
    const options = { module: true, compress: COMPRESS, mangle, codegen: { removeWhitespace: true } }
    const { code: short, errors } = minifySync(fileName, code, options)
    if (errors.length > 0) throw new Error(`${fileName}: ${errors[0].message}`)
    return short
  }
  return withLines(fileName, withPrivateNames(fileName, minify(MANGLE), minify(false)))
}

/** Gives private methods and fields their names back, from the same code with all its names. */
function withPrivateNames(fileName, short, long) {
  const find = code => {
    const places = []
    visit(fileName, code, { PrivateIdentifier: node => places.push(node) })
    return places
  }
  const names = find(long)
  const places = find(short)
  if (names.length !== places.length) throw new Error(`${fileName}: private names of the two forms differ`)
  return replaceAt(
    short,
    places.map(({ start, end }, i) => ({ start, end, text: `#${names[i].name}` })),
  )
}

/** Starts lines at statements and members of classes, where a line feed changes nothing; a line has 60 characters or more. */
function withLines(fileName, code) {
  const starts = new Set()
  const add = nodes => {
    for (const { start } of nodes) if (/[;{}]/.test(code[start - 1] ?? '')) starts.add(start)
  }
  const body = ({ body }) => add(body)
  visit(fileName, code, {
    Program: body,
    BlockStatement: body,
    StaticBlock: body,
    ClassBody: body,
    SwitchCase: ({ consequent }) => add(consequent),
  })
  const edits = []
  let line = 0
  for (const start of [...starts].sort((a, b) => a - b)) {
    if (start - line < MIN_LINE_LENGTH) continue
    edits.push({ start, end: start, text: '\n' })
    line = start
  }
  return replaceAt(code, edits)
}

function visit(fileName, code, visitor) {
  const { program, errors } = parseSync(fileName, code)
  if (errors.length > 0) throw new Error(`${fileName}: ${errors[0].message}`)
  new Visitor(visitor).visit(program)
}

function replaceAt(text, edits) {
  let result = ''
  let done = 0
  for (const { start, end, text: instead } of edits.sort((a, b) => a.start - b.start)) {
    result += text.slice(done, start) + instead
    done = end
  }
  return result + text.slice(done)
}
