/** What `sql` and `diff` can be told. */
import type { ConvertProgress } from '../convert/options.ts'
import { is, type OptionEntry } from '../core/options.ts'
import type { Abortable } from '../core/types.ts'
import { STORED_VALUE_OPTIONS, type StoredValueOptions } from '../core/value-options.ts'
import { DUCKDB_OPTION, type DuckDbSettings } from '../duckdb/settings.ts'
import type { ReadOptions, ReadTarget } from '../open.ts'

/** Options of reading, as `openIterable` has them, without those that a table has no use for. */
export type TableReadOptions = Omit<ReadOptions, 'mode' | 'signal' | 'schema'>

/** A target as a table: with options of its own, where those for all do not suit it. */
export type TableTarget = ReadTarget | { readonly target: ReadTarget; readonly read?: TableReadOptions | undefined }

/** How a table came into the database. */
export interface OpenedTable {
  /** What SQL calls the table. */
  readonly name: string
  /** What messages call its target; without credentials. */
  readonly label: string
  /** `'file'`: DuckDB reads the file itself; `'copy'`: our reader's rows were put into a temp file first. */
  readonly by: 'file' | 'copy'
  /** Rows in it. */
  readonly rows: number
  /** Bytes of the temp file; 0 where there is none. */
  readonly tempBytes: number
  /** What the copy could not keep as it was. */
  readonly warnings: readonly string[]
}

/** Options of everything that works on tables. */
export interface TableSourceOptions extends Abortable {
  /** Options of reading for all tables that have none of their own. Default: none. */
  readonly read?: TableReadOptions | undefined
  /** What DuckDB may use. Default: 1 GiB of memory (at most half of the machine's), 4 threads, 16 GiB of temp files. */
  readonly duckdb?: DuckDbSettings | undefined
  /** Told of each table when it is there. Default: none. */
  readonly onTable?: ((table: OpenedTable) => void) | undefined
  /** Told how far the copy of a table is. Default: none. */
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined
}

/** What can be bound to `$1`, `$2`, … of a query. */
export type SqlParameter = string | number | bigint | boolean | null | Date | Uint8Array

/** Options of `sql`. */
export interface SqlOptions extends TableSourceOptions, StoredValueOptions {
  /** The values of `$1`, `$2`, … in the query. Default: none. */
  readonly parameters?: readonly SqlParameter[] | undefined
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isParameter = (value: unknown) =>
  value === null ||
  ['string', 'number', 'bigint', 'boolean'].includes(typeof value) ||
  value instanceof Date ||
  value instanceof Uint8Array

export const TABLE_OPTIONS = {
  read: {
    type: 'read options',
    default: 'none',
    means: 'Options of reading, as openIterable has them, for all tables that have none of their own.',
    accepts: isObject,
  },
  duckdb: DUCKDB_OPTION,
  onTable: {
    type: 'function',
    default: 'none',
    means: 'Told of each table when it is there, and whether it had to be copied to a temp file.',
    accepts: is.function,
  },
  onProgress: {
    type: 'function',
    default: 'none',
    means: 'Told how far the copy of a table is.',
    accepts: is.function,
  },
  signal: {
    type: 'AbortSignal',
    default: 'none',
    means: 'Interrupts the query.',
    accepts: is.signal,
  },
} satisfies Record<keyof TableSourceOptions, OptionEntry>

export const SQL_OPTIONS = {
  parameters: {
    type: 'an array of texts, numbers, bigints, booleans, nulls, Dates and bytes',
    default: 'none',
    means: 'The values of $1, $2, … in the query.',
    accepts: is.arrayOf(isParameter),
  },
  ...TABLE_OPTIONS,
  ...STORED_VALUE_OPTIONS,
} satisfies Record<keyof SqlOptions, OptionEntry>
