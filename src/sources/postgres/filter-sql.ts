/** A filter object → a condition of SQL, with its values as parameters. */
import type { Condition, FilterValue } from '../../core/filter.ts'
import { quoteIdentifier } from './sql-names.ts'
import type { TextOrder, TextOrders } from './text-order.ts'

const OPERATORS = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const
const MAX_INT8 = 2n ** 63n

/** The condition in SQL. `parameter` takes a value and gives what stands for it; `orders` says how texts are compared. */
export function filterSql(
  condition: Condition,
  parameter: (value: unknown) => string,
  orders: TextOrders = new Map(),
): string {
  if (!('column' in condition)) {
    const parts = condition.of.map(one => filterSql(one, parameter, orders))
    if (condition.kind === 'all') return parts.length === 0 ? 'TRUE' : `(${parts.join(' AND ')})`
    const any = parts.length === 0 ? 'FALSE' : `(${parts.join(' OR ')})`
    // A comparison with null is neither true nor false in SQL; in a filter it is false.
    return condition.kind === 'any' ? any : `(${any} IS NOT TRUE)`
  }
  const column = quoteIdentifier(condition.column)
  const literal = (value: FilterValue) => `${parameter(value)}${castOf(value)}`
  const order = orders.get(condition.column)
  const asText = textColumn(column, order)
  // An equality of its own finds by the index what the other looks at.
  const isExact = order === 'exact'
  if ('values' in condition) {
    const values = condition.values.filter(value => value !== null)
    const among = (what: string) => `${what} IN (${values.map(literal).join(', ')})`
    const some = isExact ? `(${among(column)} AND ${among(asText)})` : among(column)
    const equal = values.length === 0 ? 'FALSE' : some
    const withNull = condition.values.includes(null) ? `(${equal} OR ${column} IS NULL)` : equal
    return condition.kind === 'in' ? withNull : `((${withNull}) IS NOT TRUE)`
  }
  const { kind, value } = condition
  switch (kind) {
    case 'eq':
      if (value === null) return `${column} IS NULL`
      return isExact
        ? `(${column} = ${literal(value)} AND ${asText} = ${literal(value)})`
        : `${column} = ${literal(value)}`
    case 'ne':
      return value === null
        ? `${column} IS NOT NULL`
        : `${isExact ? asText : column} IS DISTINCT FROM ${literal(value)}`
    case 'startsWith':
      return `${isExact ? asText : column} LIKE ${parameter(`${String(value).replace(/[\\%_]/g, '\\$&')}%`)}`
    default:
      return `${typeof value === 'string' ? asText : column} ${OPERATORS[kind]} ${literal(value)}`
  }
}

/** A column whose texts are compared by code point. */
export function textColumn(column: string, order: TextOrder | undefined): string {
  if (order === undefined) return column
  return `${column}${order === 'collate' ? '' : '::text'} COLLATE "C"`
}

/** A number is compared as it is, whatever the type of the column: 1.5 with integers, 70,000 with those of 16 bits. */
function castOf(value: FilterValue): string {
  if (typeof value === 'bigint') return value < MAX_INT8 && value >= -MAX_INT8 ? '::int8' : '::numeric'
  if (typeof value !== 'number') return ''
  if (Number.isSafeInteger(value)) return '::int8'
  return Number.isFinite(value) ? '::numeric' : '::float8'
}
