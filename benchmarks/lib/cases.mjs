/** The cases: the modules in `cases/`, in the order of the book. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A module that is not named here comes last. */
const ORDER = [
  'csv',
  'typed',
  'csv-write',
  'jsonl',
  'jsonl-write',
  'json',
  'gzip',
  'codecs',
  'parquet',
  'parquet-write',
  'convert',
  'memory',
  'curves',
  'iterator',
  'pipeline',
  'concurrency',
  'retention',
  's3',
  'http',
  'postgres',
  'postgres-write',
  'nocodegen',
  'startup',
]

const modules = readdirSync(fileURLToPath(new URL('../cases', import.meta.url)))
  .filter(name => name.endsWith('.mjs'))
  .map(name => name.slice(0, -'.mjs'.length))

export const CASES = [
  ...ORDER.filter(name => modules.includes(name)),
  ...modules.filter(name => !ORDER.includes(name)).sort(),
]
