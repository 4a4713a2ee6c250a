/** The options of writing Parquet. */

import { is, type OptionEntry } from '../../core/options.ts'
import { ROW_SELECTION_OPTIONS, type RowSelection } from '../../core/row-selection.ts'
import { COLUMN_TYPES } from '../../core/values.ts'
import { DUCKDB_OPTION, type DuckDbSettings } from '../../duckdb/settings.ts'
import { isParquetColumnType, type ParquetColumnType } from './writer-declared.ts'

/** Options of writing Parquet. */
export interface ParquetWriteOptions {
  /** The columns, in order. Default: all that rows have, in the order in which they come. */
  readonly columns?: readonly string[] | undefined
  /** What becomes of a row with a column that is not among `columns`: a bad row, or written without it. Default `'error'`. */
  readonly extraColumns?: 'error' | 'drop' | undefined
  /**
   * The types of columns, by name; a row with a value that is not of its column's type is a bad one,
   * VALUE_TYPE_MISMATCH. Values that stand for one of the type (`'007'` for an integer) are read as on reading CSV.
   * Columns without a type get the narrowest one that holds all of their values as they are, however late a value comes
   * that needs a wider one; what has nothing else in common is written as JSON. Default: none.
   */
  readonly types?: Readonly<Record<string, ParquetColumnType>> | undefined
  /** Default `'zstd'`. */
  readonly compression?: 'zstd' | 'snappy' | 'gzip' | 'lz4' | 'brotli' | 'none' | undefined
  /** Level of zstd, from 1 (quick) to 22 (small). Default 1. */
  readonly level?: number | undefined
  /** Rows of a row group. Default 122,880. */
  readonly rowGroupSize?: number | undefined
  /**
   * By what rows are sorted: names, or `{ column, descending, nulls }`; equal rows stay in their order. All rows are held back
   * for it, in temp files beyond DuckDB's memory limit. Default: as they come.
   */
  readonly orderBy?: RowSelection['orderBy']
  /** Texts that are kept beside the data, by key. Default: none. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /**
   * The columns whose values part the rows into files: `year=2024/data_0.parquet` in a folder, which is the target. The
   * folder must not be there yet or be empty, and is published whole. Default: one file.
   */
  readonly partitionBy?: string | readonly string[] | undefined
  /** What DuckDB may use. Default: 1 GiB of memory (at most half of the machine's), 4 threads, 16 GiB of temp files. */
  readonly duckdb?: DuckDbSettings | undefined
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isName = (value: unknown) => typeof value === 'string' && value !== ''
const isNames = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every(isName) && new Set(value).size === value.length

export const PARQUET_WRITE_OPTIONS = {
  columns: {
    type: 'an array of different names',
    default: 'all that rows have',
    means: 'The columns, in order.',
    accepts: isNames,
  },
  extraColumns: {
    type: "'error' | 'drop'",
    default: "'error'",
    means: 'What becomes of a row with a column that is not among `columns`: a bad row, or written without it.',
    accepts: is.oneOf('error', 'drop'),
  },
  types: {
    type: `an object: column name → ${COLUMN_TYPES.map(type => `'${type}'`).join(', ')}, 'binary', 'decimal(18,2)'`,
    default: 'by the values',
    means: 'The types of columns; a value that is not of its type makes the row a bad one.',
    accepts: value => isObject(value) && Object.values(value).every(isParquetColumnType),
  },
  compression: {
    type: "'zstd' | 'snappy' | 'gzip' | 'lz4' | 'brotli' | 'none'",
    default: "'zstd'",
    means: 'How pages are compressed.',
    accepts: is.oneOf('zstd', 'snappy', 'gzip', 'lz4', 'brotli', 'none'),
  },
  level: {
    type: 'integer from 1 to 22',
    default: '1',
    means: 'The level of zstd: from quick to small.',
    accepts: is.integer(1, 22),
  },
  rowGroupSize: {
    type: 'integer from 1',
    default: '122880',
    means: 'Rows of a row group.',
    accepts: is.integer(1),
  },
  orderBy: {
    ...ROW_SELECTION_OPTIONS.orderBy,
    default: 'as rows come',
    means: 'By what rows are sorted; equal rows stay in their order.',
  },
  metadata: {
    type: 'an object of texts',
    default: 'none',
    means: 'Texts that are kept beside the data, by key.',
    accepts: value => isObject(value) && Object.values(value).every(is.string),
  },
  partitionBy: {
    type: 'a column or an array of columns',
    default: 'one file',
    means: 'The columns whose values part the rows into files of a folder.',
    accepts: is.any(isName, isNames),
  },
  duckdb: DUCKDB_OPTION,
} satisfies Record<keyof ParquetWriteOptions, OptionEntry>
