/** `doctor`: what is installed, and what holds. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, freemem, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { capabilities } from '../../capabilities.ts'
import { instanceOptions } from '../../duckdb/settings.ts'
import type { Call } from '../declare.ts'
import { bytes } from '../progress.ts'
import { showRows } from '../show.ts'

/** Packages that come with this one or may be installed beside it, and what needs them. */
const PACKAGES = {
  '@duckdb/node-api': 'Parquet, SQL, fast conversions',
  '@aws-sdk/client-s3': 's3: targets',
  pg: 'postgres: targets',
  hyparquet: 'Parquet without DuckDB',
  'hyparquet-compressors': 'Parquet without DuckDB, all compressions',
  'apache-arrow': 'Arrow',
  'iconv-lite': 'writing in rare encodings',
  ajv: 'validating against a JSON Schema',
  'ajv-formats': 'JSON Schemas with formats',
} as const

export async function run({ terminal }: Call): Promise<void> {
  const require = createRequire(import.meta.url)
  const { memory_limit, threads, max_temp_directory_size } = instanceOptions()
  const rows = [
    { what: 'node', found: process.versions.node, for: 'at least 20.19' },
    { what: 'platform', found: `${process.platform} ${process.arch}`, for: '' },
    { what: 'cores', found: String(availableParallelism()), for: 'worker threads of bulk conversions' },
    { what: 'memory', found: `${bytes(freemem())} free of ${bytes(totalmem())}`, for: '' },
    { what: 'temp folder', found: tmpdir(), for: 'what has to be spooled' },
    { what: 'zstd', found: 'createZstdDecompress' in zlib ? 'by node:zlib' : 'by WebAssembly', for: '.zst files' },
    { what: 'codecs', found: codecs(), for: '* written as well' },
    { what: 'DuckDB memory', found: memory_limit!, for: `on ${threads} threads; what is beyond goes to temp files` },
    { what: 'DuckDB temp files', found: max_temp_directory_size!, for: 'at most' },
    ...Object.entries(PACKAGES).map(([name, use]) => ({
      what: name,
      found: versionOf(require, name) ?? `missing: npm install ${name}`,
      for: use,
    })),
  ]
  await showRows(rows, { columns: ['what', 'found', 'for'] }, terminal)
}

const codecs = () =>
  capabilities()
    .codecs.map(({ id, writes }) => (writes ? `${id}*` : id))
    .join(' ')

/** Of an installed package, wherever it is found from here. */
function versionOf(require: NodeJS.Require, name: string): string | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as { version: string }).version
    } catch {
      // not in this folder
    }
  }
  return undefined
}
