/** What our schema says of a column → types of Arrow, and whether a value is of one. */
import { types as kinds } from 'node:util'
import type { DataType } from 'apache-arrow'
import { CalendarDate } from '../../core/calendar-date.ts'
import type { ColumnSchema } from '../../core/schema.ts'

/** A type to write, and the values that it holds. */
export type ArrowType =
  | { readonly kind: 'boolean' | 'integer' | 'number' | 'text' | 'json' | 'binary' | 'date' | 'timestamp' }
  | { readonly kind: 'list'; readonly items: ArrowType }
  | { readonly kind: 'struct'; readonly fields: readonly (readonly [name: string, type: ArrowType])[] }

/** The type for a column that is described. A column without any value is text. */
export function arrowType({ type, fields, items }: Omit<ColumnSchema, 'name' | 'source'>): ArrowType {
  switch (type) {
    case 'integer':
    case 'bigint':
      return { kind: 'integer' }
    case 'number':
    case 'boolean':
    case 'date':
    case 'timestamp':
    case 'binary':
    case 'json':
      return { kind: type }
    case 'array':
      return { kind: 'list', items: items === undefined ? { kind: 'text' } : arrowType(items) }
    case 'object':
      if (fields === undefined || fields.length === 0) return { kind: 'json' }
      return { kind: 'struct', fields: fields.map(field => [field.name, arrowType(field)]) }
    default:
      return { kind: 'text' }
  }
}

export function dataTypeOf(arrow: typeof import('apache-arrow'), type: ArrowType): DataType {
  switch (type.kind) {
    case 'boolean':
      return new arrow.Bool()
    case 'integer':
      return new arrow.Int64()
    case 'number':
      return new arrow.Float64()
    case 'text':
    case 'json':
      return new arrow.Utf8()
    case 'binary':
      return new arrow.Binary()
    case 'date':
      return new arrow.DateDay()
    case 'timestamp':
      return new arrow.TimestampMicrosecond()
    case 'list':
      return new arrow.List(new arrow.Field('item', dataTypeOf(arrow, type.items), true))
    case 'struct':
      return new arrow.Struct(type.fields.map(([name, field]) => new arrow.Field(name, dataTypeOf(arrow, field), true)))
  }
}

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n

/** Whether a column of the type holds a value as it is. */
export function fits(type: ArrowType, value: unknown): boolean {
  if (value === null || value === undefined) return true
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
      if (typeof value === 'bigint') return value >= MIN_INT64 && value <= MAX_INT64
      return Number.isSafeInteger(value) && !Object.is(value, -0)
    case 'number':
      return typeof value === 'number'
    case 'text':
      return typeof value === 'string' && value.isWellFormed()
    case 'json':
      return typeof value !== 'function' && typeof value !== 'symbol'
    case 'binary':
      return value instanceof Uint8Array
    case 'date':
      return value instanceof CalendarDate && value.getTime() % 86_400_000 === 0
    case 'timestamp':
      return kinds.isDate(value) && !Number.isNaN(value.getTime()) && nanosecondsOf(value) % 1000 === 0
    case 'list':
      return Array.isArray(value) && value.every(item => fits(type.items, item))
    case 'struct': {
      if (typeof value !== 'object' || Array.isArray(value) || kinds.isDate(value)) return false
      const names = new Set(type.fields.map(([name]) => name))
      return (
        Object.keys(value).every(name => names.has(name)) &&
        type.fields.every(([name, field]) => fits(field, (value as Record<string, unknown>)[name]))
      )
    }
  }
}

/** Nanoseconds within the millisecond, of dates that know them. */
export function nanosecondsOf(date: Date): number {
  return 'nanoseconds' in date && typeof date.nanoseconds === 'number' ? date.nanoseconds : 0
}
