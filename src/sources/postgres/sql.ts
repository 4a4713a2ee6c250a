/** Options → one statement of SQL. Every name that comes from outside is quoted. */
import { createError } from '../../core/errors.ts'
import { type Filter, parseFilter } from '../../core/filter.ts'
import { orderColumns, type RowSelection, type SqlCondition } from '../../core/row-selection.ts'
import { filterSql, textColumn } from './filter-sql.ts'
import type { PostgresReadOptions } from './options.ts'
import { quoteIdentifier, quoteTable } from './sql-names.ts'
import type { TextOrders } from './text-order.ts'

/** A statement and the values of its parameters. */
export interface Statement {
  readonly sql: string
  readonly params: readonly unknown[]
  /** What all statements of the same columns have in common: what is learnt of one holds for the others. */
  readonly shape: string
}

/** What the rows of a table are narrowed down to, beside what the options say: a range of its pages. */
export interface PageRange {
  readonly start: number
  /** Exclusive; undefined: to the end of the table. */
  readonly end: number | undefined
}

const TABLE_ONLY = ['columns', 'where', 'orderBy', 'limit', 'offset', 'parallel'] as const

/** What is known beside the options. */
export interface StatementParts {
  readonly pages?: PageRange | undefined
  /** How texts of columns are compared. */
  readonly orders?: TextOrders | undefined
}

/** The statement that the options mean. Throws OPTION_INVALID for options that contradict each other. */
export function statementOf(options: PostgresReadOptions, { pages, orders }: StatementParts = {}): Statement {
  const { query, table, params = [] } = options
  if ((query === undefined) === (table === undefined)) {
    throw createError('OPTION_INVALID', `${query === undefined ? 'neither' : 'both'} query and table are given`, {
      expected: 'one of them',
      hint: "say what to read: { query: 'SELECT …' }, { table: 'people' }, or ?table=people in the URL",
    })
  }
  if (query !== undefined) {
    const wrong = TABLE_ONLY.find(name => options[name] !== undefined)
    if (wrong !== undefined) {
      throw createError('OPTION_INVALID', `option ${wrong} goes with table, not with query`, {
        hint: 'say it in the query',
      })
    }
    return { sql: query, params, shape: query }
  }
  return selectOf(table!, options, { pages, orders })
}

function selectOf(table: string, options: PostgresReadOptions, { pages, orders }: StatementParts): Statement {
  const { columns, where, orderBy, limit, offset } = options
  const params = [...(options.params ?? [])]
  const parameter = (value: unknown) => `$${params.push(value)}`
  const clauses = [`SELECT ${columns?.map(quoteIdentifier).join(', ') ?? '*'} FROM ${quoteTable(table)}`]
  const conditions: string[] = []
  if (typeof where === 'string') conditions.push(`(${where}\n)`)
  else if (Array.isArray(where)) {
    const [sql, ...values] = where as SqlCondition
    if (params.length > 0)
      throw createError('OPTION_INVALID', 'where brings parameters of its own, and params has more')
    params.push(...values)
    conditions.push(`(${sql}\n)`)
  } else if (where !== undefined) conditions.push(filterSql(parseFilter(where as Filter), parameter, orders))
  if (pages !== undefined) {
    conditions.push(`ctid >= '(${pages.start},0)'::tid`)
    if (pages.end !== undefined) conditions.push(`ctid < '(${pages.end},0)'::tid`)
  }
  if (conditions.length > 0) clauses.push(`WHERE ${conditions.join(' AND ')}`)
  if (orderColumns(orderBy).length > 0) clauses.push(`ORDER BY ${orderList(orderBy, orders)}`)
  if (limit !== undefined) clauses.push(`LIMIT ${limit}`)
  if (offset !== undefined && offset > 0) clauses.push(`OFFSET ${offset}`)
  return { sql: clauses.join(' '), params, shape: clauses[0]! }
}

function orderList(orderBy: RowSelection['orderBy'], orders: TextOrders | undefined): string {
  return orderColumns(orderBy)
    .map(({ column, descending, nulls }) => {
      // Without saying so, Postgres takes nulls for the greatest: only what differs is said, so that indexes serve.
      const order = nulls === (descending ? 'first' : 'last') ? '' : ` NULLS ${nulls!.toUpperCase()}`
      const by = textColumn(quoteIdentifier(column), orders?.get(column))
      return `${by}${descending ? ' DESC' : ''}${order}`
    })
    .join(', ')
}
