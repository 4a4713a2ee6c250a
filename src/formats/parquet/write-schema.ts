/** What a source says of its columns → the types to begin with. */
import type { ColumnSchema } from '../../core/schema.ts'
import {
  BIGINT,
  BINARY,
  BOOLEAN,
  DATE,
  FAR_TIMESTAMP,
  HUGEINT,
  INTEGER,
  JSON_TEXT,
  NANOSECONDS,
  NULL,
  NUMBER,
  TEXT,
  TIMESTAMP,
  type WriteType,
} from './write-types.ts'
import { declaredType, isParquetColumnType } from './writer-declared.ts'

/** The digits that some number of 32 bits is written with. */
const FLOAT4_DIGITS = [6, 7, 8, 9]

/** Whether a number is one of 32 bits, or what the shortest text of one says: 0.1. */
function isFloat4(value: unknown): boolean {
  if (typeof value !== 'number') return false
  const float = Math.fround(value)
  if (Object.is(float, value)) return true
  return Number.isFinite(float) && FLOAT4_DIGITS.some(digits => Number(float.toPrecision(digits)) === value)
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?$/

const stored = (sql: string, base: WriteType, accepts: (value: unknown) => boolean): WriteType => ({
  kind: 'stored',
  sql,
  base,
  accepts,
})
const integers = (sql: string, min: number, max: number) =>
  stored(sql, INTEGER, value => typeof value === 'number' && value >= min && value <= max)

/** What DuckDB calls types that are more special than those of our schema. */
const STORED: Readonly<Record<string, WriteType>> = {
  TINYINT: integers('TINYINT', -128, 127),
  SMALLINT: integers('SMALLINT', -32_768, 32_767),
  INTEGER: integers('INTEGER', -(2 ** 31), 2 ** 31 - 1),
  UTINYINT: integers('UTINYINT', 0, 255),
  USMALLINT: integers('USMALLINT', 0, 65_535),
  UINTEGER: integers('UINTEGER', 0, 2 ** 32 - 1),
  UBIGINT: stored('UBIGINT', HUGEINT, value =>
    typeof value === 'bigint'
      ? value >= 0n && value < 2n ** 64n
      : Number.isSafeInteger(value) && (value as number) >= 0,
  ),
  FLOAT: stored('FLOAT', NUMBER, value => typeof value === 'number' && Object.is(Math.fround(value), value)),
  // Of Postgres, whose texts are the shortest.
  float4: stored('FLOAT', NUMBER, isFloat4),
  'TIMESTAMP WITH TIME ZONE': { kind: 'timestamp', far: true, zoned: true },
  TIMESTAMP_NS: NANOSECONDS,
  TIMESTAMP: FAR_TIMESTAMP,
  UUID: stored('UUID', TEXT, value => typeof value === 'string' && UUID.test(value)),
  TIME: stored('TIME', TEXT, value => typeof value === 'string' && TIME.test(value)),
}

/** The type of a column that a schema describes. */
export function suggestedType({ type, format, fields, items }: Omit<ColumnSchema, 'name' | 'source'>): WriteType {
  const stored = format === undefined ? undefined : STORED[format]
  if (stored !== undefined) return stored
  switch (type) {
    case 'integer':
      return INTEGER
    case 'bigint':
      return BIGINT
    case 'number':
      return NUMBER
    case 'boolean':
      return BOOLEAN
    case 'date':
      return DATE
    case 'timestamp':
      return TIMESTAMP
    case 'text':
      return TEXT
    case 'binary':
      return BINARY
    case 'json':
      return JSON_TEXT
    case 'null':
      return NULL
    case 'decimal': {
      const digits = format?.toLowerCase()
      return declaredType(isParquetColumnType(digits) ? digits : 'decimal')
    }
    case 'array':
      return { kind: 'list', items: items === undefined ? NULL : suggestedType(items) }
    case 'object': {
      if (fields === undefined || fields.length === 0) return NULL
      return { kind: 'struct', fields: new Map(fields.map(field => [field.name, suggestedType(field)])) }
    }
  }
}
