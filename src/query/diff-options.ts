/** What `diff` gives and can be told. */
import { is, type OptionEntry } from '../core/options.ts'
import type { Row } from '../core/types.ts'
import { STORED_VALUE_OPTIONS, type StoredValueOptions } from '../core/value-options.ts'
import { TABLE_OPTIONS, type TableSourceOptions } from './options.ts'

/** One row that is not the same on both sides. */
export interface RowChange<R extends object = Row> {
  /** What became of the row from the first side to the second. */
  readonly change: 'added' | 'removed' | 'changed'
  /** The values of the key's columns; undefined where whole rows are compared. */
  readonly key: Row | undefined
  /** The row on the first side; undefined where it was added. */
  readonly before: R | undefined
  /** The row on the second side; undefined where it was removed. */
  readonly after: R | undefined
  /** The columns whose values differ; empty where the row is on one side only. */
  readonly columns: readonly string[]
}

/** What all the changes come to. */
export interface DiffSummary {
  /** Whether there is no difference: neither a row nor a column. */
  readonly equal: boolean
  /** Rows of the first side. */
  readonly rowsBefore: number
  /** Rows of the second side. */
  readonly rowsAfter: number
  /** Rows of the second side alone. */
  readonly added: number
  /** Rows of the first side alone. */
  readonly removed: number
  /** Rows on both sides, by their key, of which some value differs. */
  readonly changed: number
  /** Rows that are the same on both sides. */
  readonly unchanged: number
  /** Columns of the second side alone; they are not compared. */
  readonly columnsAdded: readonly string[]
  /** Columns of the first side alone; they are not compared. */
  readonly columnsRemoved: readonly string[]
}

/** The changes, one by one; awaited, what they come to. */
export interface Diff<R extends object = Row> extends AsyncIterable<RowChange<R>>, PromiseLike<DiffSummary> {}

/** Options of `diff`. */
export interface DiffOptions extends TableSourceOptions, StoredValueOptions {
  /**
   * The columns that tell which rows belong together; each combination of values at most once on a side. Default: whole
   * rows are compared.
   */
  readonly key?: string | readonly string[] | undefined
  /** The columns to compare, beside the key. Default: all that both sides have. */
  readonly columns?: readonly string[] | undefined
}

const isNames = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && is.arrayOf(is.string)(value) && new Set(value).size === value.length

export const DIFF_OPTIONS = {
  key: {
    type: 'a column name, or an array of them',
    default: 'whole rows are compared',
    means: 'The columns that tell which rows belong together.',
    accepts: is.any(is.string, isNames),
  },
  columns: {
    type: 'an array of column names, not empty',
    default: 'all that both sides have',
    means: 'The columns to compare, beside the key.',
    accepts: isNames,
  },
  ...TABLE_OPTIONS,
  ...STORED_VALUE_OPTIONS,
} satisfies Record<keyof DiffOptions, OptionEntry>
