/** Columns whose types are declared: what a declaration means, and values read by it. */
import { types as kinds } from 'node:util'
import { CalendarDate } from '../../core/calendar-date.ts'
import {
  anyBigint,
  anyInteger,
  anyNumber,
  anyTimestamp,
  COLUMN_TYPES,
  type ColumnType,
  calendarDate,
  type ValueParser,
} from '../../core/values.ts'
import {
  BIGINT,
  BINARY,
  BOOLEAN,
  DATE,
  INTEGER,
  isBytes,
  JSON_TEXT,
  MAX_DIGITS,
  NUMBER,
  plainOf,
  TEXT,
  TIMESTAMP,
  typeOfValue,
  type WriteType,
} from './write-types.ts'
import { decimalOf } from './writer-decimals.ts'

/** As in `ColumnType`; bytes; and a decimal of which it is known how many digits it has, `'decimal(18,2)'`. */
export type ParquetColumnType = ColumnType | 'binary' | `decimal(${number},${number})`

const DECIMAL_TYPE = /^decimal\((\d{1,2}),\s*(\d{1,2})\)$/

export function isParquetColumnType(type: unknown): type is ParquetColumnType {
  if (typeof type !== 'string') return false
  if (type === 'binary' || COLUMN_TYPES.includes(type as ColumnType)) return true
  const [, precision, scale] = DECIMAL_TYPE.exec(type) ?? []
  return (
    precision !== undefined &&
    Number(precision) >= 1 &&
    Number(precision) <= MAX_DIGITS &&
    Number(scale) <= Number(precision)
  )
}

const TYPES: Readonly<Record<Exclude<ColumnType, 'decimal'> | 'binary', WriteType>> = {
  integer: INTEGER,
  bigint: BIGINT,
  number: NUMBER,
  boolean: BOOLEAN,
  date: DATE,
  timestamp: TIMESTAMP,
  text: TEXT,
  binary: BINARY,
  json: JSON_TEXT,
}

/** The type that a column has from the start. Of a decimal without digits only the values tell how many there are. */
export function declaredType(type: ParquetColumnType): WriteType {
  if (type === 'decimal') return { kind: 'decimal', whole: 0, scale: 0 }
  const [, precision, scale] = DECIMAL_TYPE.exec(type) ?? []
  if (precision !== undefined) {
    return { kind: 'decimal', whole: Number(precision) - Number(scale), scale: Number(scale) }
  }
  return TYPES[type as keyof typeof TYPES]
}

/** The type that a value needs in a column of which only `decimal` is said; undefined where no decimal holds it. */
export function decimalTypeOf(value: unknown): WriteType | undefined {
  const decimal = decimalOf(value)
  if (decimal === undefined) return undefined
  const { digits, scale } = decimal
  const count = String(digits < 0n ? -digits : digits).length
  if (Math.max(count, scale) > MAX_DIGITS) return undefined
  return { kind: 'decimal', whole: Math.max(0, count - scale), scale }
}

/** `value` as one of the declared type, by the rules of reading; undefined where it is none. Never for null. */
export function valueOfType(type: ParquetColumnType, value: unknown): unknown {
  switch (type) {
    case 'integer':
      return parsed(value, anyInteger)
    case 'bigint':
      return parsed(value, anyBigint)
    case 'number':
      return typeof value === 'number' ? value : parsed(value, anyNumber)
    case 'boolean':
      return typeof value === 'boolean' ? value : value === 'true' ? true : value === 'false' ? false : undefined
    case 'date':
      return dayOf(value)
    case 'timestamp':
      if (kinds.isDate(value)) return Number.isNaN(value.getTime()) ? undefined : new Date(value.getTime())
      return typeof value === 'string' ? anyTimestamp(value, 0, value.length) : undefined
    case 'text':
      return textOf(value)
    case 'binary':
      return typeof value === 'object' && value !== null && isBytes(value) ? value : undefined
    case 'json':
      return value
    default:
      return decimalOf(value) === undefined ? undefined : value
  }
}

function parsed(value: unknown, parser: ValueParser): unknown {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return undefined
  const text = String(value)
  return parser(text, 0, text.length)
}

function dayOf(value: unknown): unknown {
  if (typeof value === 'string') return calendarDate(value, 0, value.length)
  if (!kinds.isDate(value)) return undefined
  // A time of the day would be lost.
  return value.getTime() % 86_400_000 === 0 ? new CalendarDate(value.getTime()) : undefined
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? value : undefined
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (kinds.isDate(value)) return Number.isNaN(value.getTime()) ? undefined : value.toJSON()
  return undefined
}

/** A value without objects that stand for others by their `toJSON`. Throws UnwritableCell. */
export function plainValue(value: unknown, depth = 0): unknown {
  if (
    typeof value !== 'object' ||
    value === null ||
    kinds.isDate(value) ||
    ArrayBuffer.isView(value) ||
    isBytes(value)
  ) {
    typeOfValue(value)
    return value
  }
  if (depth > 64) return value
  if (Array.isArray(value)) return value.map(item => plainValue(item, depth + 1))
  const plain = plainOf(value)
  if (plain !== value) return plainValue(plain, depth + 1)
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plainValue(field, depth + 1)]))
}
