/**
 * The types of the columns to write: what a value asks for, what two types have in common, and how a part of the output
 * that was written with a narrower type becomes one of the wider type.
 */
import { types as kinds } from 'node:util'
import { CalendarDate } from '../../core/calendar-date.ts'
import { PreciseDate } from '../../core/precise-date.ts'
import { quoteIdentifier, quoteText } from '../../duckdb/names.ts'

/** The type of a column, or of what is nested in one. */
export type WriteType =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean' }
  /** INT64; `exact` if there are values that a double does not hold. */
  | { readonly kind: 'integer'; readonly exact: boolean }
  /** Integers of up to 38 digits. */
  | { readonly kind: 'hugeint' }
  | { readonly kind: 'number' }
  /** Digits before and behind the point. */
  | { readonly kind: 'decimal'; readonly whole: number; readonly scale: number }
  | { readonly kind: 'date' }
  /** Microseconds; `far` if there are values that nanoseconds do not reach, `zoned` if the file is to say instants. */
  | { readonly kind: 'timestamp'; readonly far: boolean; readonly zoned: boolean }
  | { readonly kind: 'nanoseconds' }
  | { readonly kind: 'text' }
  | { readonly kind: 'binary' }
  /** Any value, as JSON text. */
  | { readonly kind: 'json' }
  | { readonly kind: 'list'; readonly items: WriteType }
  | { readonly kind: 'struct'; readonly fields: ReadonlyMap<string, WriteType> }
  /** A narrower form of `base` that a file had before, for values that it holds. */
  | {
      readonly kind: 'stored'
      readonly sql: string
      readonly base: WriteType
      readonly accepts: (value: unknown) => boolean
    }

export const NULL: WriteType = { kind: 'null' }
export const BOOLEAN: WriteType = { kind: 'boolean' }
export const INTEGER: WriteType = { kind: 'integer', exact: false }
export const BIGINT: WriteType = { kind: 'integer', exact: true }
export const HUGEINT: WriteType = { kind: 'hugeint' }
export const NUMBER: WriteType = { kind: 'number' }
export const DATE: WriteType = { kind: 'date' }
export const TIMESTAMP: WriteType = { kind: 'timestamp', far: false, zoned: false }
export const FAR_TIMESTAMP: WriteType = { kind: 'timestamp', far: true, zoned: false }
export const NANOSECONDS: WriteType = { kind: 'nanoseconds' }
export const TEXT: WriteType = { kind: 'text' }
export const BINARY: WriteType = { kind: 'binary' }
export const JSON_TEXT: WriteType = { kind: 'json' }

export const MAX_DIGITS = 38
const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
const MAX_HUGE = 10n ** 38n
/** What is nested deeper, or has more fields than this, is written as JSON. */
const MAX_DEPTH = 32
const MAX_FIELDS = 1000
const DAY_MS = 86_400_000

/** A value that no column can hold. */
export class UnwritableCell extends Error {
  readonly found: string
  constructor(found: string) {
    super(`${found} cannot be written`)
    this.found = found
  }
}

/** The type that holds a value and nothing more. Throws UnwritableCell. */
export function typeOfValue(value: unknown, depth = 0): WriteType {
  switch (typeof value) {
    case 'undefined':
      return NULL
    case 'string':
      if (!value.isWellFormed()) throw new UnwritableCell('half of a surrogate pair, which UTF-8 does not have,')
      return TEXT
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? INTEGER : NUMBER
    case 'boolean':
      return BOOLEAN
    case 'bigint':
      if (value >= MIN_INT64 && value <= MAX_INT64) {
        return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? INTEGER : BIGINT
      }
      return value < MAX_HUGE && value > -MAX_HUGE ? HUGEINT : JSON_TEXT
    case 'object':
      return value === null ? NULL : typeOfObject(value, depth)
    default:
      throw new UnwritableCell(`a ${typeof value}`)
  }
}

function typeOfObject(value: object, depth: number): WriteType {
  if (kinds.isDate(value)) {
    if (Number.isNaN(value.getTime())) throw new UnwritableCell('an invalid Date')
    if (value instanceof CalendarDate && value.getTime() % DAY_MS === 0) return DATE
    if (isFar(value.getTime())) return FAR_TIMESTAMP
    return value instanceof PreciseDate && value.nanoseconds % 1000 !== 0 ? NANOSECONDS : TIMESTAMP
  }
  if (isBytes(value)) return BINARY
  if (depth >= MAX_DEPTH) return JSON_TEXT
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    let items: WriteType = NULL
    for (const item of value as unknown as Iterable<unknown>) items = commonType(items, typeOfValue(item, depth + 1))
    return { kind: 'list', items }
  }
  const converted = plainOf(value)
  if (converted !== value) return typeOfValue(converted, depth + 1)
  const fields = new Map<string, WriteType>()
  for (const [name, field] of Object.entries(value)) fields.set(name, typeOfValue(field, depth + 1))
  return isStruct(fields) ? { kind: 'struct', fields } : JSON_TEXT
}

/** Whether 64 bits of nanoseconds do not reach an instant: they end in 2262. */
export function isFar(ms: number): boolean {
  return ms > 9_223_372_036_000 || ms < -9_223_372_036_000
}

/** An object with fields of its own, after its `toJSON` if it has one. Throws UnwritableCell for others. */
export function plainOf(value: object): unknown {
  if ('toJSON' in value && typeof value.toJSON === 'function') return value.toJSON() ?? null
  if (kinds.isMap(value) || kinds.isSet(value) || kinds.isRegExp(value) || kinds.isNativeError(value)) {
    throw new UnwritableCell(`a ${Object.prototype.toString.call(value).slice(8, -1)}`)
  }
  return kinds.isBoxedPrimitive(value) ? value.valueOf() : value
}

/** Whether a value is bytes; arrays of wider numbers are lists. */
export function isBytes(value: object): value is Uint8Array | ArrayBuffer | DataView {
  return value instanceof Uint8Array || value instanceof ArrayBuffer || value instanceof DataView
}

/** DuckDB has no struct without fields, no field without a name, and no two whose names differ in nothing but case. */
function isStruct(fields: ReadonlyMap<string, WriteType>): boolean {
  if (fields.size === 0 || fields.size > MAX_FIELDS || fields.has('')) return false
  return new Set([...fields.keys()].map(name => name.toLowerCase())).size === fields.size
}

/** The narrowest type that holds all values of both, as they are. */
export function commonType(a: WriteType, b: WriteType): WriteType {
  if (a === b || b.kind === 'null') return a
  if (a.kind === 'null') return b
  if (a.kind === 'stored' || b.kind === 'stored') return commonStored(a, b)
  if (a.kind === b.kind) return commonOfKind(a, b)
  return commonScalar(a, b) ?? commonScalar(b, a) ?? JSON_TEXT
}

function commonStored(a: WriteType, b: WriteType): WriteType {
  if (a.kind === 'stored' && b.kind === 'stored' && a.sql === b.sql) return a
  return commonType(a.kind === 'stored' ? a.base : a, b.kind === 'stored' ? b.base : b)
}

function commonOfKind(a: WriteType, b: WriteType): WriteType {
  if (a.kind === 'integer' && b.kind === 'integer') return a.exact ? a : b
  if (a.kind === 'decimal' && b.kind === 'decimal') return commonDecimal(a, b)
  if (a.kind === 'timestamp' && b.kind === 'timestamp') {
    return { kind: 'timestamp', far: a.far || b.far, zoned: a.zoned || b.zoned }
  }
  if (a.kind === 'list' && b.kind === 'list') return { kind: 'list', items: commonType(a.items, b.items) }
  if (a.kind !== 'struct' || b.kind !== 'struct') return a
  const fields = new Map(a.fields)
  for (const [name, type] of b.fields) fields.set(name, commonType(fields.get(name) ?? NULL, type))
  return isStruct(fields) ? { kind: 'struct', fields } : JSON_TEXT
}

function commonDecimal(
  a: Extract<WriteType, { kind: 'decimal' }>,
  b: Extract<WriteType, { kind: 'decimal' }>,
): WriteType {
  const whole = Math.max(a.whole, b.whole)
  const scale = Math.max(a.scale, b.scale)
  return whole + scale > MAX_DIGITS ? TEXT : { kind: 'decimal', whole, scale }
}

function commonScalar(narrow: WriteType, wide: WriteType): WriteType | undefined {
  if (narrow.kind === 'integer' && wide.kind === 'number') return narrow.exact ? undefined : NUMBER
  if (narrow.kind === 'integer' && wide.kind === 'hugeint') return HUGEINT
  if (narrow.kind === 'timestamp' && wide.kind === 'nanoseconds') return narrow.far ? undefined : NANOSECONDS
  if (wide.kind === 'decimal' && (narrow.kind === 'integer' || narrow.kind === 'hugeint')) {
    return commonDecimal({ kind: 'decimal', whole: narrow.kind === 'integer' ? 19 : MAX_DIGITS, scale: 0 }, wide)
  }
  return undefined
}

export function isSameType(a: WriteType, b: WriteType): boolean {
  if (a === b) return true
  if (a.kind !== b.kind) return false
  if (a.kind === 'stored' && b.kind === 'stored') return a.sql === b.sql
  if (a.kind === 'integer' && b.kind === 'integer') return a.exact === b.exact
  if (a.kind === 'timestamp' && b.kind === 'timestamp') return a.far === b.far && a.zoned === b.zoned
  if (a.kind === 'decimal' && b.kind === 'decimal') return a.whole === b.whole && a.scale === b.scale
  if (a.kind === 'list' && b.kind === 'list') return isSameType(a.items, b.items)
  if (a.kind !== 'struct' || b.kind !== 'struct') return true
  if (a.fields.size !== b.fields.size) return false
  for (const [name, type] of a.fields) {
    const other = b.fields.get(name)
    if (other === undefined || !isSameType(type, other)) return false
  }
  return true
}

/** The type in the file, or the one that DuckDB's vectors have before a cast: JSON is text there. */
export function sqlType(type: WriteType, where: 'file' | 'vector' = 'file'): string {
  switch (type.kind) {
    case 'null':
      return 'VARCHAR'
    case 'boolean':
      return 'BOOLEAN'
    case 'integer':
      return 'BIGINT'
    case 'hugeint':
      return `DECIMAL(${MAX_DIGITS},0)`
    case 'number':
      return 'DOUBLE'
    case 'decimal':
      return `DECIMAL(${Math.max(1, type.whole + type.scale)},${type.scale})`
    case 'date':
      return 'DATE'
    case 'timestamp':
      return type.zoned ? 'TIMESTAMPTZ' : 'TIMESTAMP'
    case 'nanoseconds':
      return 'TIMESTAMP_NS'
    case 'stored':
      return where === 'file' ? type.sql : sqlType(type.base, where)
    case 'text':
      return 'VARCHAR'
    case 'binary':
      return 'BLOB'
    case 'json':
      return where === 'file' ? 'JSON' : 'VARCHAR'
    case 'list':
      return `${sqlType(type.items, where)}[]`
    case 'struct':
      return `STRUCT(${[...type.fields].map(([name, field]) => `${quoteIdentifier(name)} ${sqlType(field, where)}`).join(', ')})`
  }
}

/** Whether some part of a value is written as the text of a value of another type. */
function becomesJson(from: WriteType, to: WriteType): boolean {
  if (from.kind === 'null') return false
  if (from.kind === 'stored') return becomesJson(from.base, to)
  if (to.kind === 'json') return from.kind !== 'json'
  if (from.kind === 'list' && to.kind === 'list') return becomesJson(from.items, to.items)
  if (from.kind !== 'struct' || to.kind !== 'struct') return false
  return [...from.fields].some(([name, field]) => becomesJson(field, to.fields.get(name)!))
}

/** The SQL of a value of a narrower type, as one of a wider type that `commonType` has found. */
export function widened(value: string, from: WriteType, to: WriteType): string {
  if (from.kind === 'null') return `NULL::${sqlType(to)}`
  if (from.kind === 'stored') {
    return to.kind === 'stored' ? value : widened(`(${value})::${sqlType(from.base)}`, from.base, to)
  }
  if (to.kind === 'json') return from.kind === 'json' ? value : jsonOf(value, from)
  if (from.kind === 'list' && to.kind === 'list' && needsRewriting(from, to)) {
    return `list_transform(${value}, lambda x: ${widened('x', from.items, to.items)})`
  }
  if (from.kind === 'struct' && to.kind === 'struct') {
    const fields = [...to.fields].map(([name, field]) => {
      const own = from.fields.get(name)
      const inner =
        own === undefined ? `NULL::${sqlType(field)}` : widened(`(${value})[${quoteText(name)}]`, own, field)
      return `${quoteIdentifier(name)} := ${inner}`
    })
    return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`
  }
  return `(${value})::${sqlType(to)}`
}

function needsRewriting(from: WriteType, to: WriteType): boolean {
  return becomesJson(from, to) || !isSameType(from, to)
}

/** The JSON text of a value, as our own writers write it. */
function jsonOf(value: string, type: WriteType): string {
  const text = (sql: string) => `to_json(${sql})`
  switch (type.kind) {
    case 'null':
      return 'NULL::JSON'
    case 'number':
      return `CASE WHEN isfinite(${value}) THEN ${text(value)} ELSE ${text(
        `CASE WHEN isnan(${value}) THEN 'NaN' WHEN ${value} > 0 THEN 'Infinity' ELSE '-Infinity' END`,
      )} END`
    case 'hugeint':
    case 'decimal':
      return `(${value})::VARCHAR::JSON`
    case 'date':
      return text(`strftime(${value}, '%Y-%m-%d')`)
    case 'timestamp':
      return text(`strftime((${value})::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%gZ')`)
    case 'nanoseconds':
      return text(`strftime(${value}, '%Y-%m-%dT%H:%M:%S.%nZ')`)
    case 'stored':
      return jsonOf(`(${value})::${sqlType(type.base)}`, type.base)
    case 'binary':
      return text(`to_base64(${value})`)
    case 'list':
      return `CASE WHEN ${value} IS NULL THEN NULL ELSE to_json(list_transform(${value}, lambda x: ${jsonOf('x', type.items)})) END`
    case 'struct': {
      const fields = [...type.fields].map(
        ([name, field]) => `${quoteText(name)}, ${jsonOf(`(${value})[${quoteText(name)}]`, field)}`,
      )
      return `CASE WHEN ${value} IS NULL THEN NULL ELSE json_object(${fields.join(', ')}) END`
    }
    default:
      return text(value)
  }
}
