/** The options of Arrow. */
import { is, type OptionEntry } from '../../core/options.ts'
import { STORED_VALUE_OPTIONS, type StoredValueOptions } from '../../core/value-options.ts'
import { COLUMN_TYPES, type ColumnType } from '../../core/values.ts'

/** Options of reading Arrow IPC, in the form of a file (Feather) or of a stream. */
export interface ArrowReadOptions extends StoredValueOptions {
  /** What the bytes are; they tell it themselves. Default `'auto'`. */
  readonly container?: 'auto' | 'file' | 'stream' | undefined
}

/** Options of writing Arrow IPC. */
export interface ArrowWriteOptions {
  /** A file, which ends in a list of its record batches, or a stream. Default `'file'`; `'stream'` for `.arrows`. */
  readonly container?: 'file' | 'stream' | undefined
  /** The columns, in order. Default: those of the first rows. */
  readonly columns?: readonly string[] | undefined
  /**
   * The types of columns. Default: what the first 10,000 rows show. A later value that is not of its column's type makes
   * the row a bad one, VALUE_TYPE_MISMATCH, as the schema stands before the first row.
   */
  readonly types?: Readonly<Record<string, ColumnType>> | undefined
  /** Rows of a record batch. Default 65,536. */
  readonly recordBatchSize?: number | undefined
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const ARROW_READ_OPTIONS = {
  ...STORED_VALUE_OPTIONS,
  container: {
    type: "'auto', 'file' or 'stream'",
    default: "'auto'",
    means: 'What the bytes are; they tell it themselves.',
    accepts: is.oneOf('auto', 'file', 'stream'),
  },
} satisfies Record<keyof ArrowReadOptions, OptionEntry>

export const ARROW_WRITE_OPTIONS = {
  container: {
    type: "'file' or 'stream'",
    default: "'file'; 'stream' for .arrows",
    means: 'A file, which ends in a list of its record batches, or a stream.',
    accepts: is.oneOf('file', 'stream'),
  },
  columns: {
    type: 'an array of names',
    default: 'those of the first rows',
    means: 'The columns, in order.',
    accepts: value => Array.isArray(value) && value.length > 0 && value.every(is.string),
  },
  types: {
    type: `an object: column name → ${COLUMN_TYPES.map(type => `'${type}'`).join(', ')}`,
    default: 'what the first 10,000 rows show',
    means: 'The types of columns; a value that is not of its type makes the row a bad one.',
    accepts: value => isObject(value) && Object.values(value).every(type => COLUMN_TYPES.includes(type as ColumnType)),
  },
  recordBatchSize: {
    type: 'integer from 1',
    default: '65536',
    means: 'Rows of a record batch.',
    accepts: is.integer(1),
  },
} satisfies Record<keyof ArrowWriteOptions, OptionEntry>
