/** Makes a table for rows: the types of its columns from what is declared, from the reader's schema, or from the rows. */
import { types as kinds } from 'node:util'
import { CalendarDate } from '../../core/calendar-date.ts'
import type { ColumnSchema, SchemaType } from '../../core/schema.ts'
import type { Row } from '../../core/types.ts'
import { quoteIdentifier, quoteTable } from './sql-names.ts'

/** The widest type of its kind, as no more is known. */
const BY_TYPE: Readonly<Record<SchemaType, string>> = {
  integer: 'int8',
  bigint: 'int8',
  number: 'float8',
  decimal: 'numeric',
  boolean: 'bool',
  date: 'date',
  timestamp: 'timestamptz',
  json: 'jsonb',
  object: 'jsonb',
  array: 'jsonb',
  text: 'text',
  binary: 'bytea',
  null: 'text',
}

/** Names of types that are declared by a source, and mean the same here. */
const POSTGRES_TYPE =
  /^(?:bool|int[248]|float[48]|numeric(?:\(\d+,-?\d+\))?|varchar(?:\(\d+\))?|char\(\d+\)|text|bytea|date|time|timetz|timestamp|timestamptz|interval|uuid|jsonb?|inet|cidr|macaddr8?|money|oid|xml|bit|varbit|point|lseg|path|box|polygon|line|circle|tsvector|tsquery|jsonpath|(?:int4|int8|num|ts|tstz|date)(?:multi)?range)(?:\[\])*$/
/** Types of DuckDB, and so of Parquet, under other names. */
const OF_DUCKDB: Readonly<Record<string, string>> = {
  BOOLEAN: 'bool',
  TINYINT: 'int2',
  UTINYINT: 'int2',
  SMALLINT: 'int2',
  USMALLINT: 'int4',
  INTEGER: 'int4',
  UINTEGER: 'int8',
  BIGINT: 'int8',
  UBIGINT: 'numeric(20,0)',
  HUGEINT: 'numeric(39,0)',
  UHUGEINT: 'numeric(39,0)',
  BIGNUM: 'numeric',
  FLOAT: 'float4',
  DOUBLE: 'float8',
  VARCHAR: 'text',
  BLOB: 'bytea',
  DATE: 'date',
  TIME: 'time',
  'TIME WITH TIME ZONE': 'timetz',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_S: 'timestamp',
  TIMESTAMP_MS: 'timestamp',
  TIMESTAMP_NS: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamptz',
  INTERVAL: 'interval',
  UUID: 'uuid',
  JSON: 'jsonb',
}

/** The type of SQL for a column that a reader describes; undefined where it tells nothing. */
export function sqlTypeOf({ type, format, items }: Omit<ColumnSchema, 'name' | 'source'>): string | undefined {
  if (type === 'null') return undefined
  if (format !== undefined) {
    if (POSTGRES_TYPE.test(format)) return format
    const decimal = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(format)
    if (decimal !== null) return `numeric(${decimal[1]},${decimal[2]})`
    if (Object.hasOwn(OF_DUCKDB, format)) return OF_DUCKDB[format]
  }
  if (type !== 'array') return BY_TYPE[type]
  const item = items === undefined ? undefined : sqlTypeOf(items)
  // Lists of lists may have any lengths, and objects in them any form: only JSON has that.
  return item === undefined || item.endsWith('[]') || item === 'jsonb' ? 'jsonb' : `${item}[]`
}

/** The type for values that nothing is known of. */
export function inferSqlType(rows: readonly Row[], name: string): string {
  let found: string | undefined
  for (const row of rows) {
    const value = Object.hasOwn(row, name) ? row[name] : undefined
    if (value === null || value === undefined) continue
    const type = typeOfValue(value)
    if (found === undefined || found === type) found = type
    else found = commonType(found, type)
  }
  return found ?? 'text'
}

function typeOfValue(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? 'int8' : 'float8'
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? 'int8' : 'numeric'
    case 'boolean':
      return 'bool'
    case 'object':
      if (value instanceof CalendarDate) return 'date'
      if (kinds.isDate(value)) return 'timestamptz'
      return value instanceof Uint8Array || kinds.isAnyArrayBuffer(value) ? 'bytea' : 'jsonb'
    default:
      return 'text'
  }
}

const NUMBERS = ['int8', 'float8', 'numeric']

function commonType(one: string, other: string): string {
  if (NUMBERS.includes(one) && NUMBERS.includes(other)) {
    // Not every int8 is a float8; every safe integer is, and bigger ones came as bigint.
    return one === 'numeric' || other === 'numeric' ? 'numeric' : 'float8'
  }
  return one === 'jsonb' || other === 'jsonb' ? 'jsonb' : 'text'
}

export interface NewColumn {
  readonly name: string
  readonly type: string
  /** The type that the column has at its source, where that is another one. */
  readonly native?: string | undefined
  readonly required?: boolean | undefined
}

/** Makes the table: by the types that the columns have at their source, or by those that any server has. */
export function createTableStatement(
  table: string,
  columns: readonly NewColumn[],
  key: readonly string[],
  by: 'native' | 'common' = 'common',
): string {
  const parts = columns.map(({ name, type, native, required }) => {
    const sql = by === 'native' ? (native ?? type) : type
    return `${quoteIdentifier(name)} ${sql}${required === true ? ' NOT NULL' : ''}`
  })
  if (key.length > 0) parts.push(`PRIMARY KEY (${key.map(quoteIdentifier).join(', ')})`)
  return `CREATE TABLE ${quoteTable(table)} (${parts.join(', ')})`
}
