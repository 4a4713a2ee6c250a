/**
 * Values of DuckDB → values that `COPY` writes as our own writers write what our readers give. A value of which that cannot
 * be said ends the query.
 */
import type { DuckDBType, LoadedDuckDb } from '../../duckdb/binding.ts'
import { quoteIdentifier, quoteText } from '../../duckdb/names.ts'

/** What the target makes of values. */
export type ValueTarget = 'csv' | 'json'

/** The SQL of a value for a target; undefined where DuckDB would write it otherwise than we do. */
export function valueSql(
  duckdb: LoadedDuckDb,
  value: string,
  type: DuckDBType,
  target: ValueTarget,
): string | undefined {
  const T = duckdb.api.DuckDBTypeId
  switch (type.typeId) {
    case T.BOOLEAN:
    case T.TINYINT:
    case T.SMALLINT:
    case T.INTEGER:
    case T.BIGINT:
    case T.UTINYINT:
    case T.USMALLINT:
    case T.UINTEGER:
    case T.UBIGINT:
      return value
    case T.VARCHAR:
      // JSON is text to us, and would be put into JSON as what it stands for.
      return textSql(type.alias === undefined ? value : `${value}::VARCHAR`, target)
    case T.ENUM:
    case T.UUID:
    case T.DECIMAL:
      return `${value}::VARCHAR`
    case T.FLOAT:
      // Our rows have doubles: 0.1 of four bytes is 0.10000000149011612 there.
      return numberSql(`${value}::DOUBLE`, target)
    case T.DOUBLE:
      return numberSql(value, target)
    case T.DATE:
      return checked(value, `${value} BETWEEN DATE '1000-01-01' AND DATE '9999-12-31'`, `${value}::VARCHAR`)
    case T.TIMESTAMP:
      return instantSql(value)
    case T.TIMESTAMP_S:
    case T.TIMESTAMP_MS:
    case T.TIMESTAMP_TZ:
      return instantSql(`${value}::TIMESTAMP`)
    case T.BLOB:
      return textSql(`to_base64(${value})`, target)
    case T.LIST:
    case T.ARRAY:
    case T.STRUCT:
      return target === 'json' ? nestedSql(duckdb, value, type) : undefined
    default:
      return undefined
  }
}

/** In CSV an empty text and null are written alike, as nothing. */
function textSql(value: string, target: ValueTarget): string {
  return target === 'csv' ? `nullif(${value}, '')` : value
}

function checked(value: string, good: string, sql: string): string {
  return `CASE WHEN ${value} IS NULL THEN NULL WHEN ${good} THEN ${sql} ELSE error('a value that is written otherwise') END`
}

/** In JSON any form of a number is the same number, and what is none is null. */
function numberSql(value: string, target: ValueTarget): string {
  if (target === 'json') return `CASE WHEN isfinite(${value}) THEN ${value} END`
  const whole = `CASE WHEN ${value} = trunc(${value}) THEN ${value}::BIGINT::VARCHAR ELSE ${value}::VARCHAR END`
  // JavaScript and DuckDB begin to use exponents at different sizes.
  return checked(
    value,
    `isfinite(${value}) AND abs(${value}) < 1e15 AND (abs(${value}) >= 1e-4 OR ${value} = 0)`,
    whole,
  )
}

/** ISO 8601 as `Date` has it, with microseconds where there are some. */
function instantSql(value: string): string {
  const ms = `strftime(${value}, '%Y-%m-%dT%H:%M:%S.%gZ')`
  const us = `strftime(${value}, '%Y-%m-%dT%H:%M:%S.%fZ')`
  const text = `CASE WHEN epoch_us(${value}) % 1000 = 0 THEN ${ms} ELSE ${us} END`
  return checked(value, `${value} BETWEEN TIMESTAMP '1000-01-01' AND TIMESTAMP '9999-12-31'`, text)
}

function nestedSql(duckdb: LoadedDuckDb, value: string, type: DuckDBType): string | undefined {
  const T = duckdb.api.DuckDBTypeId
  if (type.typeId === T.LIST || type.typeId === T.ARRAY) {
    const item = valueSql(duckdb, 'x', type.valueType, 'json')
    if (item === 'x' || item === undefined) return item === undefined ? undefined : value
    return `list_transform(${value}, lambda x: ${item})`
  }
  if (type.typeId !== T.STRUCT) return undefined
  const fields = type.entryNames.map((name, i) => {
    const own = `(${value})[${quoteText(name)}]`
    const sql = valueSql(duckdb, own, type.entryTypes[i]!, 'json')
    return { name, sql, same: sql === own }
  })
  if (fields.some(({ sql }) => sql === undefined)) return undefined
  if (fields.every(({ same }) => same)) return value
  const packed = fields.map(({ name, sql }) => `${quoteIdentifier(name)} := ${sql}`).join(', ')
  return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${packed}) END`
}
