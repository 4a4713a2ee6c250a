/**
 * Which rows are wanted, as data: a condition that an engine can be given (SQL, row group statistics) and that can be
 * applied to rows as well, with the same answer. A comparison is either true or false, also with null.
 */
import { createError, excerpt, nearest } from './errors.ts'
import { invalidOption } from './options.ts'
import { PreciseDate } from './precise-date.ts'
import type { SchemaType } from './schema.ts'

/** What values are compared with. */
export type FilterValue = string | number | bigint | boolean | Date | Uint8Array | null

/** Conditions on the values of one column; all of them must hold. Texts are compared by code point. */
export interface Comparison {
  /** Equal; `null` is equal to null alone. */
  readonly eq?: FilterValue | undefined
  /** Not equal: also true of null, unless it is `null` itself that is excluded. */
  readonly ne?: FilterValue | undefined
  /** Less, at most, greater, at least. Never true of null. */
  readonly lt?: Exclude<FilterValue, null> | undefined
  /** At most this. Never true of null. */
  readonly lte?: Exclude<FilterValue, null> | undefined
  /** Greater than this. Never true of null. */
  readonly gt?: Exclude<FilterValue, null> | undefined
  /** At least this. Never true of null. */
  readonly gte?: Exclude<FilterValue, null> | undefined
  /** Equal to one of the values. */
  readonly in?: readonly FilterValue[] | undefined
  /** Equal to none of the values. */
  readonly notIn?: readonly FilterValue[] | undefined
  /** Text that begins with this. */
  readonly startsWith?: string | undefined
}

/**
 * A condition on rows: by column a value that is meant, or comparisons; all must hold.
 * `{ origin: 'SEA', delay: { gt: 60 } }`. Conditions are combined by `any`, `all` and `none`, whose values are arrays:
 * `{ any: [{ origin: 'SEA' }, { destination: 'SEA' }] }`.
 */
export interface Filter {
  readonly [column: string]: FilterValue | Comparison | readonly Filter[] | undefined
}

/** A column as a filter sees it. */
export interface FilterColumn {
  readonly name: string
  readonly type: SchemaType
}

/** A filter, taken apart. */
export type Condition =
  | { readonly kind: 'all' | 'any' | 'none'; readonly of: readonly Condition[] }
  | { readonly kind: 'in' | 'notIn'; readonly column: string; readonly values: readonly FilterValue[] }
  | {
      readonly kind: 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte' | 'startsWith'
      readonly column: string
      readonly value: FilterValue
    }

const COMPARISONS = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'notIn', 'startsWith'] as const
const COMBINATIONS = ['all', 'any', 'none'] as const

/** Takes a filter apart. Throws OPTION_INVALID for what is none, whatever the columns are. */
export function parseFilter(filter: Filter): Condition {
  if (!isPlain(filter)) throw invalidOption('where', 'an object of columns and conditions', filter)
  const of: Condition[] = []
  for (const [name, given] of Object.entries(filter)) {
    if (given === undefined) continue
    const combination = COMBINATIONS.find(word => word === name)
    if (combination !== undefined && Array.isArray(given)) {
      of.push({ kind: combination, of: (given as readonly Filter[]).map(parseFilter) })
    } else if (isValue(given)) of.push({ kind: 'eq', column: name, value: given })
    else if (isPlain(given)) of.push(...comparisons(name, given as Comparison))
    else throw invalidOption(`where.${name}`, 'a value or comparisons', given)
  }
  return of.length === 1 ? of[0]! : { kind: 'all', of }
}

function comparisons(column: string, given: Comparison): Condition[] {
  return Object.entries(given).flatMap(([word, value]): Condition[] => {
    const kind = COMPARISONS.find(known => known === word)
    const place = `where.${column}.${word}`
    if (kind === undefined) {
      const near = nearest(word, COMPARISONS)
      throw createError('OPTION_UNKNOWN', `option where has no comparison ${excerpt(word)}`, {
        found: word,
        hint: near === undefined ? `comparisons are: ${COMPARISONS.join(', ')}` : `did you mean ${near}?`,
      })
    }
    if (value === undefined) return []
    if (kind === 'in' || kind === 'notIn') {
      if (!Array.isArray(value) || !value.every(isValue)) throw invalidOption(place, 'an array of values', value)
      return [{ kind, column, values: value }]
    }
    if (!isValue(value)) throw invalidOption(place, 'a value', value)
    if (kind === 'startsWith' && typeof value !== 'string') throw invalidOption(place, 'a text', value)
    if (value === null && kind !== 'eq' && kind !== 'ne') throw invalidOption(place, 'a value, not null', value)
    return [{ kind, column, value }]
  })
}

/** The columns that a condition looks at. */
export function columnsOf(condition: Condition): Set<string> {
  if ('column' in condition) return new Set([condition.column])
  return new Set(condition.of.flatMap(one => [...columnsOf(one)]))
}

/** Throws OPTION_INVALID for a column that is not there, and for a value that those of the column cannot be compared with. */
export function checkCondition(condition: Condition, columns: readonly FilterColumn[], label: string): void {
  if (!('column' in condition)) {
    for (const one of condition.of) checkCondition(one, columns, label)
    return
  }
  const column = columns.find(({ name }) => name === condition.column)
  if (column === undefined) {
    const near = nearest(
      condition.column,
      columns.map(({ name }) => name),
    )
    throw createError('OPTION_INVALID', `option where names ${excerpt(condition.column)}, which is not a column`, {
      label,
      found: condition.column,
      expected: `one of ${excerpt(columns.map(({ name }) => name).join(', '), 300)}`,
      hint: near === undefined ? undefined : `did you mean ${excerpt(near)}?`,
    })
  }
  const values = 'values' in condition ? condition.values : [condition.value]
  const wrong = values.find(value => !isComparable(column.type, value, condition.kind))
  if (wrong === undefined) return
  throw createError('OPTION_INVALID', `option where compares column ${excerpt(column.name)} with ${excerpt(wrong)}`, {
    label,
    expected: `a value like those of the column, which are of type ${column.type}`,
    found: excerpt(wrong),
  })
}

function isComparable(type: SchemaType, value: FilterValue, kind: string): boolean {
  if (value === null) return true
  const ordered = kind !== 'eq' && kind !== 'ne' && kind !== 'in' && kind !== 'notIn'
  switch (type) {
    case 'integer':
    case 'bigint':
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint'
    case 'decimal':
      return (
        typeof value === 'number' ||
        typeof value === 'bigint' ||
        (typeof value === 'string' && kind !== 'startsWith' && DECIMAL.test(value))
      )
    case 'boolean':
      return typeof value === 'boolean'
    case 'date':
    case 'timestamp':
      return value instanceof Date && !Number.isNaN(value.getTime())
    case 'binary':
      return value instanceof Uint8Array && !ordered
    case 'text':
      return typeof value === 'string'
    case 'null':
    case 'json':
      return true
    default:
      return false
  }
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/

/** Whether rows are meant. `types` has those of the columns whose values are text and mean something else: decimals. */
export function rowPredicate(
  condition: Condition,
  types: ReadonlyMap<string, SchemaType> = new Map(),
): (row: Readonly<Record<string, unknown>>) => boolean {
  if (!('column' in condition)) {
    const parts = condition.of.map(one => rowPredicate(one, types))
    if (condition.kind === 'all') return row => parts.every(part => part(row))
    if (condition.kind === 'any') return row => parts.some(part => part(row))
    return row => !parts.some(part => part(row))
  }
  const { column } = condition
  const decimal = types.get(column) === 'decimal'
  const order = (value: unknown, other: FilterValue) => compareValues(value, other, decimal)
  if ('values' in condition) {
    const { kind, values } = condition
    return row => values.some(value => order(row[column] ?? null, value) === 0) === (kind === 'in')
  }
  const { kind, value } = condition
  if (kind === 'startsWith') {
    return row => {
      const text = row[column]
      return typeof text === 'string' && text.startsWith(value as string)
    }
  }
  const holds = HOLDS[kind]
  return row => holds(order(row[column] ?? null, value))
}

const HOLDS: Record<'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte', (order: number) => boolean> = {
  eq: order => order === 0,
  // NaN stands for what cannot be compared, so for what is not equal.
  ne: order => order !== 0,
  lt: order => order < 0,
  lte: order => order <= 0,
  gt: order => order > 0,
  gte: order => order >= 0,
}

/** Negative, 0 or positive; NaN where the two have no order. NaN, the number, is equal to itself and above all others. */
function compareValues(value: unknown, other: FilterValue, decimal: boolean): number {
  if (value === null || other === null) return value === other ? 0 : Number.NaN
  if (decimal) return compareDecimals(String(value), String(other))
  if (typeof value === 'number' || typeof value === 'bigint') {
    if (typeof other !== 'number' && typeof other !== 'bigint') return Number.NaN
    if (Number.isNaN(value) || Number.isNaN(other)) return Number(Number.isNaN(value)) - Number(Number.isNaN(other))
    return value < other ? -1 : value > other ? 1 : 0
  }
  if (value instanceof Date) {
    if (!(other instanceof Date)) return Number.NaN
    return value.getTime() - other.getTime() || nanosecondsOf(value) - nanosecondsOf(other)
  }
  if (typeof value === 'string') return typeof other === 'string' ? compareTexts(value, other) : Number.NaN
  if (typeof value === 'boolean') return typeof other === 'boolean' ? Number(value) - Number(other) : Number.NaN
  if (value instanceof Uint8Array) return other instanceof Uint8Array ? Buffer.compare(value, other) : Number.NaN
  return Number.NaN
}

const nanosecondsOf = (date: Date): number => (date instanceof PreciseDate ? date.nanoseconds : 0)

/** By code point, as UTF-8 is ordered; UTF-16 puts surrogates before U+E000. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const surrogates = Number((x & 0xf800) === 0xd800) - Number((y & 0xf800) === 0xd800)
    return surrogates || x - y
  }
  return a.length - b.length
}

function compareDecimals(a: string, b: string): number {
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) {
    const x = Number(a)
    const y = Number(b)
    return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN
  }
  const scale = Math.max(scaleOf(a), scaleOf(b))
  const x = unscaled(a, scale)
  const y = unscaled(b, scale)
  return x < y ? -1 : x > y ? 1 : 0
}

const scaleOf = (text: string): number => (text.includes('.') ? text.length - text.indexOf('.') - 1 : 0)
const unscaled = (text: string, scale: number): bigint =>
  BigInt(text.replace('.', '') + '0'.repeat(scale - scaleOf(text)))

function isValue(value: unknown): value is FilterValue {
  return (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    typeof value === 'boolean' ||
    value instanceof Date ||
    value instanceof Uint8Array
  )
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
