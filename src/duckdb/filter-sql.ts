/** Conditions → SQL with parameters, of the same answer as `rowPredicate`. */
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api'
import type { Condition, FilterValue } from '../core/filter.ts'
import { PreciseDate } from '../core/precise-date.ts'
import type { LoadedDuckDb } from './binding.ts'
import { quoteIdentifier } from './names.ts'

/** A piece of SQL and what is bound to its parameters, in their order. */
export interface SqlPart {
  readonly sql: string
  readonly parameters: readonly DuckDBValue[]
  readonly types: readonly DuckDBType[]
}

/** The columns that a condition is about. */
export interface FilteredColumns {
  typeOf(name: string): DuckDBType | undefined
  /** What DuckDB calls it. */
  nameOf(name: string): string
}

/** Most values of DuckDB's 64 bit integers. */
const INT64_MAX = 2n ** 63n - 1n

/** The SQL of a condition. Parameters are numbered from `$first` on. The condition has been checked. */
export function conditionSql(duckdb: LoadedDuckDb, condition: Condition, columns: FilteredColumns, first = 1): SqlPart {
  const parameters: DuckDBValue[] = []
  const types: DuckDBType[] = []
  const { api } = duckdb

  const bound = (value: FilterValue, column: string): string => {
    if (value === null) return 'NULL'
    const [made, type] = parameter(duckdb, value, columns.typeOf(column))
    parameters.push(made)
    types.push(type)
    const place = `$${first + parameters.length - 1}`
    const wanted = columns.typeOf(column)?.typeId
    // Compared as what the column holds, not as text: texts of one value may differ.
    const isText = wanted === api.DuckDBTypeId.VARCHAR || wanted === api.DuckDBTypeId.DECIMAL || wanted === undefined
    return typeof value === 'string' && !isText ? `CAST(${place} AS ${String(columns.typeOf(column))})` : place
  }
  const sqlOf = (one: Condition): string => {
    if (!('column' in one)) {
      const parts = one.of.map(part => `(${sqlOf(part)})`)
      if (one.kind === 'all') return parts.length === 0 ? 'true' : parts.join(' AND ')
      const any = parts.length === 0 ? 'false' : parts.join(' OR ')
      return one.kind === 'any' ? any : `NOT coalesce(${any}, false)`
    }
    const name = quoteIdentifier(columns.nameOf(one.column))
    if ('values' in one) {
      const values = one.values.filter(value => value !== null).map(value => bound(value, one.column))
      const nulls = one.values.includes(null) ? ` OR ${name} IS NULL` : ''
      const among = `coalesce(${values.length === 0 ? 'false' : `${name} IN (${values.join(', ')})`}, false)${nulls}`
      return one.kind === 'in' ? among : `NOT (${among})`
    }
    const { kind, value } = one
    if (value === null) return `${name} IS ${kind === 'ne' ? 'NOT ' : ''}NULL`
    if (kind === 'ne') return `${name} IS DISTINCT FROM ${bound(value, one.column)}`
    if (kind === 'startsWith') {
      const isText = columns.typeOf(one.column)?.typeId === api.DuckDBTypeId.VARCHAR
      parameters.push(value as string)
      types.push(api.VARCHAR)
      return `starts_with(${isText ? name : `CAST(${name} AS VARCHAR)`}, $${first + parameters.length - 1})`
    }
    return `${name} ${OPERATORS[kind]} ${bound(value, one.column)}`
  }
  const sql = sqlOf(condition)
  return { sql, parameters, types }
}

const OPERATORS = { eq: '=', lt: '<', lte: '<=', gt: '>', gte: '>=' } as const

/** A value as DuckDB takes it, and its type there; `column` is what it is compared with. */
export function parameter(
  { api }: LoadedDuckDb,
  value: Exclude<FilterValue, null>,
  column?: DuckDBType | undefined,
): [value: DuckDBValue, type: DuckDBType] {
  switch (typeof value) {
    case 'string':
      if (column?.typeId === api.DuckDBTypeId.DECIMAL) {
        const scale = value.includes('.') ? value.length - value.indexOf('.') - 1 : 0
        const digits = BigInt(value.replace('.', ''))
        return [new api.DuckDBDecimalValue(digits, 38, scale), api.DECIMAL(38, scale)]
      }
      return [value, api.VARCHAR]
    case 'boolean':
      return [value, api.BOOLEAN]
    case 'number':
      return Number.isSafeInteger(value) ? [BigInt(value), api.BIGINT] : [value, api.DOUBLE]
    case 'bigint':
      return value <= INT64_MAX && value >= -INT64_MAX ? [value, api.BIGINT] : [value, api.HUGEINT]
  }
  if (value instanceof Date) {
    const nanoseconds = value instanceof PreciseDate ? value.nanoseconds : 0
    const micros = BigInt(value.getTime()) * 1000n
    if (column?.typeId === api.DuckDBTypeId.TIMESTAMP_TZ) {
      return [new api.DuckDBTimestampTZValue(micros + BigInt(Math.floor(nanoseconds / 1000))), api.TIMESTAMPTZ]
    }
    if (nanoseconds % 1000 !== 0) {
      return [new api.DuckDBTimestampNanosecondsValue(micros * 1000n + BigInt(nanoseconds)), api.TIMESTAMP_NS]
    }
    return [new api.DuckDBTimestampValue(micros + BigInt(nanoseconds / 1000)), api.TIMESTAMP]
  }
  return [new api.DuckDBBlobValue(value), api.BLOB]
}
