/** Which rows and columns are wanted, in which order: what a source or engine that can do it itself is given to do. */
import type { Filter } from './filter.ts'
import { is, type OptionEntry } from './options.ts'

/** A column to sort by. */
export interface OrderColumn {
  /** The name of the column. */
  readonly column: string
  /** From the greatest to the least. Default `false`. */
  readonly descending?: boolean | undefined
  /** Where rows without a value go. Default `'last'`. */
  readonly nulls?: 'first' | 'last' | undefined
}

/** A condition in SQL, with the values of its parameters: `['delay > $1 AND origin = $2', 60, 'SEA']`. */
export type SqlCondition = readonly [sql: string, ...parameters: (string | number | bigint | boolean | null | Date)[]]

/** What can be given to the engine to do, so that what is not wanted is not read. */
export interface RowSelection {
  /** The columns that rows are to have, in this order. Default: all, in the order of the file. */
  readonly columns?: readonly string[] | undefined
  /**
   * The rows that are wanted: a filter (`{ origin: 'SEA', delay: { gt: 60 } }`), or a condition in SQL with `$1`, `$2` for
   * its parameters (`['delay > $1', 60]`). SQL is run as it is: what others have typed belongs into the parameters.
   * Default: all.
   */
  readonly where?: Filter | SqlCondition | string | undefined
  /** By what rows are sorted: names, or `{ column, descending, nulls }`. Default: the order of the file. */
  readonly orderBy?: string | readonly (string | OrderColumn)[] | undefined
  /** Most rows. Default: all. */
  readonly limit?: number | undefined
  /** Rows to leave out first, of those that are meant, in their order. Default 0. */
  readonly offset?: number | undefined
}

function isOrder(value: unknown): boolean {
  if (typeof value === 'string') return true
  if (!Array.isArray(value)) return false
  return value.every(one => {
    if (typeof one === 'string') return true
    if (typeof one !== 'object' || one === null) return false
    const { column, descending = false, nulls = 'last', ...rest } = one as OrderColumn
    const known = typeof column === 'string' && typeof descending === 'boolean'
    return known && (nulls === 'first' || nulls === 'last') && Object.keys(rest).length === 0
  })
}

/** The columns to sort by, with their defaults. */
export function orderColumns(orderBy: RowSelection['orderBy']): Required<OrderColumn>[] {
  const given = orderBy === undefined ? [] : typeof orderBy === 'string' ? [orderBy] : orderBy
  return given.map(one => {
    const { column, descending = false, nulls = 'last' } = typeof one === 'string' ? { column: one } : one
    return { column, descending, nulls } as Required<OrderColumn>
  })
}

export const ROW_SELECTION_OPTIONS = {
  columns: {
    type: 'string[]',
    default: 'all',
    means: 'The columns that rows are to have, in this order.',
    accepts: is.arrayOf(is.string),
  },
  where: {
    type: 'a filter, SQL, or [SQL, ...parameters]',
    default: 'all rows',
    means: "The rows that are wanted: { delay: { gt: 60 } }, or ['delay > $1', 60].",
    accepts: value => (typeof value === 'string' && value !== '') || (typeof value === 'object' && value !== null),
  },
  orderBy: {
    type: 'names, or { column, descending?, nulls? }, in an array',
    default: 'the order of the file',
    means: 'By what rows are sorted.',
    accepts: isOrder,
  },
  limit: { type: 'integer from 0', default: 'all', means: 'Most rows.', accepts: is.integer(0) },
  offset: { type: 'integer from 0', default: '0', means: 'Rows to leave out first.', accepts: is.integer(0) },
} as const satisfies Record<keyof RowSelection, OptionEntry>
