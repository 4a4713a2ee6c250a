/** The house: imports go strictly down, siblings stay apart, folders and registry agree, heavy things load late. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { bundle } from '../scripts/bundle.mjs'
import { listCodecs, listFormats, listSources } from '../src/registry.ts'

const SRC = resolve(import.meta.dirname, '../src')
const DIST = resolve(import.meta.dirname, '../dist')
/** Every package may be imported only here: the parts that load late, and core Node modules anywhere. */
const PACKAGES: Record<string, RegExp> = {
  vitest: /^testing\//,
  'csv-parse': /^formats\/csv\//,
  'csv-stringify': /^formats\/csv\//,
  'iconv-lite': /^core\/encoding-peer\.ts$/,
  fzstd: /^codecs\/zstd/,
  '@hpcc-js/wasm-zstd': /^codecs\/zstd/,
  '@duckdb/node-api': /^duckdb\//,
  hyparquet: /^formats\/parquet\//,
  'hyparquet-compressors': /^formats\/parquet\//,
  'apache-arrow': /^formats\/(parquet|arrow)\/|^arrow\.ts$/,
  '@aws-sdk/client-s3': /^sources\/s3\//,
  pg: /^sources\/postgres\//,
  ajv: /^query\//,
  'ajv-formats': /^query\//,
}

interface Import {
  readonly from: string
  readonly to: string
  readonly dynamic: boolean
  readonly typeOnly: boolean
}

const files = walk(SRC).filter(file => file.endsWith('.ts'))
const imports = files.flatMap(importsOf)

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? walk(path) : [path]
  })
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8')
  const from = relative(SRC, file)
  const to = (spec: string) => (spec.startsWith('.') ? relative(SRC, resolve(dirname(file), spec)) : spec)
  const fixed = [...text.matchAll(/^(?:import|export)\s+(type\s)?[^'"]*?from\s+'([^']+)'/gms)].map(match => ({
    from,
    to: to(match[2]!),
    dynamic: false,
    typeOnly: match[1] !== undefined,
  }))
  const dynamic = [...text.matchAll(/import\('([^']+)'\)/g)].map(match => ({
    from,
    to: to(match[1]!),
    dynamic: true,
    typeOnly: false,
  }))
  return [...fixed, ...dynamic]
}

/** The floor of a file, and the plug-in that it belongs to. */
function floor(file: string): number {
  if (file.startsWith('testing/')) return 6
  if (file.startsWith('core/')) return 0
  if (file.startsWith('resilience/')) return 0.25
  if (/^(remote|duckdb)\//.test(file)) return 0.5
  if (/^(sources|codecs|formats)\//.test(file)) return 1
  if (file === 'registry.ts' || file === 'built-in.ts') return 2
  if (file.startsWith('sniff/')) return 2.5
  if (
    /^(resolve|file-sequence|source-column|list|opening|opening-write|opening-parts|spool|bad-records|standard-schema|detect|capabilities|members|row-sequence|member-sequence|sampled-schema)\.ts$/.test(
      file,
    )
  )
    return 3
  if (
    /^(open|lazy-handles|reader|writer|reader-handle|writer-handle|infer-schema|infer-schema-run)\.ts$|^(convert|pipeline|profile|report)\//.test(
      file,
    )
  )
    return 4
  return 5
}

/** `formats/csv/decoder.ts` → `formats/csv`; `sources/file-sink.ts` → `sources/file`. */
const plugin = (file: string) =>
  file
    .split('/')
    .slice(0, 2)
    .join('/')
    .replace(/(-[a-z]+)*\.ts$/, '')

describe('the house', () => {
  it('has every import go down, or stay in its plug-in or on its floor above the plug-ins', () => {
    const wrong = imports.filter(({ from, to, typeOnly }) => {
      if (!to.endsWith('.ts')) return false
      if (floor(to) < floor(from)) return false
      if (floor(to) > floor(from)) return !typeOnly
      return floor(from) === 1 && plugin(from) !== plugin(to)
    })
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })

  it('has no cycle of imports', () => {
    const edges = new Map<string, string[]>()
    for (const { from, to, typeOnly, dynamic } of imports) {
      if (!typeOnly && !dynamic && to.endsWith('.ts')) edges.set(from, [...(edges.get(from) ?? []), to])
    }
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`)
      if (done.has(file)) return
      for (const next of edges.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(relative(SRC, file), [])
  })

  it('has the plug-ins loaded by nobody but the registry, and by it only when they are needed', () => {
    // MemoryTarget is the one part of a plug-in that users hold in their hands.
    const eager = imports.filter(
      ({ from, to, typeOnly, dynamic }) =>
        floor(to) === 1 && to.endsWith('.ts') && floor(from) > 1 && floor(from) < 6 && !typeOnly && !dynamic,
    )
    expect(eager.map(({ from, to }) => `${from} → ${to}`)).toEqual(['index.ts → sources/memory.ts'])
  })

  it('has npm packages imported only where they belong, and late', () => {
    const packages = imports.filter(({ to }) => !to.endsWith('.ts') && !to.startsWith('node:'))
    for (const { from, to, dynamic, typeOnly } of packages) {
      const name = to.startsWith('@') ? to.split('/').slice(0, 2).join('/') : to.split('/')[0]!
      expect(PACKAGES[name], `${from} imports ${to}`).toBeDefined()
      expect(from, `${from} imports ${to}`).toMatch(PACKAGES[name]!)
      // At once is late enough in a file that is itself imported late.
      const late = floor(from) === 6 || imports.every(other => other.to !== from || other.dynamic || other.typeOnly)
      expect(dynamic || typeOnly || late, `${from} imports ${to} at once`).toBe(true)
    }
  })

  it('has one registry line for each plug-in', () => {
    const names = (folder: string) =>
      [...new Set(readdirSync(join(SRC, folder)).map(name => plugin(`${folder}/${name}`).split('/')[1]))].sort()
    expect(names('formats')).toEqual(
      listFormats()
        .map(({ id }) => id)
        .sort(),
    )
    // A variant of a codec (deflate-raw) lives beside it.
    expect(names('codecs')).toEqual([...new Set(listCodecs().map(({ id }) => id.split('-')[0]!))].sort())
    // Standard input and output are streams.
    expect(names('sources')).toEqual(
      listSources()
        .map(({ id }) => id)
        .filter(id => id !== 'stdio')
        .sort(),
    )
  })

  it('loads nothing heavy to read a CSV', async () => {
    const script = `
      import { openIterable } from ${JSON.stringify(join(DIST, 'index.js'))}
      for await (const row of openIterable({ text: 'a\\n1\\n', name: 'x.csv' })) if (row.a !== '1') throw new Error()
      await new Promise(setImmediate)`
    const recorder = join(import.meta.dirname, 'support/record-loads.mjs')
    const output = execFileSync(process.execPath, ['--import', recorder, '--input-type=module', '-e', script], {
      encoding: 'utf8',
    })
    const loaded = (JSON.parse(output) as string[]).map(url => relative(DIST, fileURLToPath(url)))
    const bundled = new Map((await bundle()).map(({ fileName, modules }) => [fileName, modules]))
    // Of no package; and dist/ is built from src/ as it is now.
    expect(loaded.filter(file => !bundled.has(file))).toEqual([])
    const modules = loaded.flatMap(file => bundled.get(file)!)
    expect(modules.filter(module => module === 'formats/csv/index.ts')).toHaveLength(1)
    expect(
      modules.filter(module => /^(codecs|duckdb|remote|formats)\//.test(module) && !module.startsWith('formats/csv/')),
    ).toEqual([])
    const bytes = loaded.reduce((sum, file) => sum + statSync(join(DIST, file)).size, 0)
    expect(bytes).toBeLessThan(150_000)
  })
})
