/** What the tests of typed reading share: reading with the schema, and a slow reading by the same rules to hold it against. */
import type { OpenIterableError } from '../../src/core/errors.ts'
import type { ColumnSchema } from '../../src/core/schema.ts'
import type { ColumnType } from '../../src/core/values.ts'
import type { CsvReadOptions } from '../../src/formats/csv/read-options.ts'
import { openCsvReader } from '../../src/formats/csv/reader.ts'
import { type Bad, badOf, lendingSource } from './csv-reading.ts'

export const ENGINES = ['native', 'csv-parse'] as const

export interface Typed {
  readonly columns: readonly string[] | undefined
  readonly rows: unknown[]
  /** What was known once it was open. */
  readonly opened: readonly ColumnSchema[] | undefined
  /** What is known at the end. */
  readonly schema: readonly ColumnSchema[] | undefined
  readonly error: (OpenIterableError & Error) | undefined
  readonly bad: Bad[]
}

/** Reads to the end or the first error; with `skip`, bad records are passed over. */
export async function readTyped(
  text: string,
  options: CsvReadOptions,
  { chunkBytes = Infinity as number | readonly number[], skip = false } = {},
): Promise<Typed> {
  const bad: Bad[] = []
  const rows: unknown[] = []
  let error: Typed['error']
  let opened: Typed['opened']
  const reader = await openCsvReader(lendingSource(Buffer.from(text), chunkBytes), options, {
    label: 'test.csv',
    signal: new AbortController().signal,
    onBadRecord(problem, raw) {
      if (!skip) throw problem
      bad.push(badOf(problem as OpenIterableError, raw))
    },
  })
  try {
    await reader.ready?.()
    opened = reader.schema?.columns
    for (let batch = await reader.read(); batch !== null; batch = await reader.read()) rows.push(...batch)
  } catch (thrown) {
    error = thrown as Typed['error']
  } finally {
    await reader[Symbol.asyncDispose]()
  }
  return { columns: reader.columns, rows, opened, schema: reader.schema?.columns, error, bad }
}

/** `name:type?` of each column. */
export const typesOf = (columns: readonly ColumnSchema[] | undefined) =>
  columns?.map(({ name, type, nullable }) => `${name}:${type}${nullable ? '?' : ''}`).join(' ')

/** The rule of inference, once more and without any thought of speed: patterns, `Number`, `BigInt` and `Date` alone. */
const READINGS: readonly (readonly [type: ColumnType, read: (text: string) => unknown])[] = [
  [
    'boolean',
    text => (/^(true|TRUE|True)$/.test(text) ? true : /^(false|FALSE|False)$/.test(text) ? false : undefined),
  ],
  ['integer', text => (String(Number(text)) === text && Number.isSafeInteger(Number(text)) ? Number(text) : undefined)],
  ['bigint', text => (/^(0|-?[1-9]\d*)$/.test(text) ? BigInt(text) : undefined)],
  ['number', exactDecimal],
  ['date', text => (/^(?!0000)\d{4}-\d\d-\d\d$/.test(text) ? dateOf(`${text}T00:00:00Z`, text) : undefined)],
  ['timestamp', instant],
]

function exactDecimal(text: string): number | undefined {
  if (!/^-?((0|[1-9]\d*)(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i.test(text) || /^-?\d+e\d/i.test(text)) return undefined
  const value = Number(text)
  if (!Number.isFinite(value)) return undefined
  // Both as digits × 10^n, compared as integers.
  const parts = (decimal: string) => {
    const [, sign, whole, part = '', exponent = '0'] = /^(-?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(decimal)!
    return [BigInt(`${sign}${whole}${part}`), Number(exponent) - part.length] as const
  }
  const [a, m] = parts(text)
  const [b, n] = parts(String(value))
  if (a === 0n || b === 0n) return a === b ? value : undefined
  if (Math.abs(m - n) > 1000) return undefined
  return (m >= n ? a * 10n ** BigInt(m - n) === b : b * 10n ** BigInt(n - m) === a) ? value : undefined
}

function dateOf(iso: string, begin: string): Date | undefined {
  const date = new Date(iso)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(begin) ? date : undefined
}

function instant(text: string): Date | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(\.\d+)?(?:Z|\+00(?::?00)?)$/.exec(text)
  if (parts === null || (parts[4] !== undefined && parts[3] === undefined) || /^\.\d{3}0*[1-9]/.test(parts[4] ?? ''))
    return undefined
  const [, day, minutes, seconds = ':00', part = '.000'] = parts
  return day!.startsWith('0000')
    ? undefined
    : dateOf(`${day}T${minutes}${seconds}${part.slice(0, 4)}Z`, `${day}T${minutes}${seconds}`)
}

export function oracleType(texts: readonly string[]): ColumnType {
  if (texts.length === 0) return 'text'
  return READINGS.find(([, read]) => texts.every(text => read(text) !== undefined))?.[0] ?? 'text'
}

const readAs = (type: ColumnType, text: string) =>
  type === 'text' ? text : READINGS.find(([name]) => name === type)![1](text)

export interface OracleColumn {
  readonly type: ColumnType
  readonly values: unknown[]
  readonly widenedFrom?: ColumnType
  readonly widenedAt?: number
}

/** A column of texts (null: no value), of which the first `sample` decide. */
export function oracleColumn(texts: readonly (string | null)[], sample: number): OracleColumn {
  const first = oracleType(texts.slice(0, sample).filter(text => text !== null))
  let type = first
  let widened: Pick<OracleColumn, 'widenedFrom' | 'widenedAt'> = {}
  const types = [first]
  const values = texts.map((text, i) => {
    if (text === null) return null
    const known = types.find(candidate => readAs(candidate, text) !== undefined)
    if (known !== undefined) return readAs(known, text)
    const wider: ColumnType[] = type === 'integer' ? ['bigint', 'number', 'text'] : ['text']
    const next = wider.find(candidate => readAs(candidate, text) !== undefined)!
    widened = { widenedFrom: type, widenedAt: i + 1 }
    type = next
    types.push(next)
    return readAs(next, text)
  })
  return { type, values, ...widened }
}
