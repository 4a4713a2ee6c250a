/** What the Parquet reader can be told. */
import { invalidOption, is, type OptionEntry } from '../../core/options.ts'
import { ROW_SELECTION_OPTIONS, type RowSelection } from '../../core/row-selection.ts'
import { STORED_VALUE_OPTIONS, type StoredValueOptions } from '../../core/value-options.ts'
import { DUCKDB_OPTION, type DuckDbSettings } from '../../duckdb/settings.ts'

/**
 * How Parquet is read. Only what is wanted is read and decoded: row groups, columns, and rows as far as they are asked for.
 * Values are plain JavaScript and lose nothing: see `StoredValueOptions` for 64-bit integers, decimals, timestamps and
 * maps. Dates are `CalendarDate`; times, intervals (ISO 8601) and UUIDs are text; bytes are `Uint8Array`; lists are arrays
 * and structs objects. Where DuckDB is not installed, or does not know a feature of the file, hyparquet reads it, to the
 * same rows; the reader's `engine` says which.
 */
export interface ParquetReadOptions extends RowSelection, StoredValueOptions {
  /**
   * `'auto'` (default): DuckDB, or hyparquet where DuckDB is not there or does not know how to read the file. Conditions in
   * SQL and `orderBy` need DuckDB.
   */
  readonly engine?: 'auto' | 'duckdb' | 'hyparquet' | undefined
  /**
   * What DuckDB may use; shared by all that have the same settings. Default: 1 GiB of memory (at most half of the
   * machine's), 4 threads, 16 GiB of temp files.
   */
  readonly duckdb?: DuckDbSettings | undefined
}

export const PARQUET_READ_OPTIONS = {
  ...ROW_SELECTION_OPTIONS,
  ...STORED_VALUE_OPTIONS,
  engine: {
    type: "'auto', 'duckdb' or 'hyparquet'",
    default: "'auto'",
    means: 'Which package reads: hyparquet (auto) only where DuckDB is not installed or does not know a feature.',
    accepts: is.oneOf('auto', 'duckdb', 'hyparquet'),
  },
  duckdb: DUCKDB_OPTION,
} as const satisfies Record<keyof ParquetReadOptions, OptionEntry>

/** Why only DuckDB can do what the options ask for; undefined where hyparquet can as well. */
export function onlyDuckDb({ where, orderBy }: ParquetReadOptions): string | undefined {
  if (typeof where === 'string' || Array.isArray(where)) return 'a condition in SQL'
  return orderBy === undefined || orderBy.length === 0 ? undefined : 'orderBy'
}

/** Throws OPTION_INVALID for options that contradict each other. */
export function checkParquetOptions(options: ParquetReadOptions): void {
  const { columns, engine } = options
  const twice = columns?.find((name, i) => columns.indexOf(name) !== i)
  if (twice !== undefined) throw invalidOption('columns', 'each name once', columns)
  if (columns?.length === 0) throw invalidOption('columns', 'at least one name', columns)
  const needed = onlyDuckDb(options)
  if (engine === 'hyparquet' && needed !== undefined) {
    throw invalidOption('engine', "'auto' or 'duckdb'", engine, `hyparquet does not do ${needed}`)
  }
}
