/** What `convert` can be told. */
import type { DeadLetter, ErrorPolicy } from '../bad-records.ts'
import { is, type OptionEntry } from '../core/options.ts'
import { ROW_SELECTION_OPTIONS, type RowSelection } from '../core/row-selection.ts'
import type { Row } from '../core/types.ts'
import type { ReadOptions, WriteOptions, WriteTarget } from '../open.ts'
import type { Writer } from '../writer.ts'

/** How far a conversion is. */
export interface ConvertProgress {
  /** What messages call the source; without credentials. */
  readonly from: string
  /** What messages call the target; without credentials. */
  readonly to: string
  /** Records met in the source so far, good or bad. */
  readonly rowsIn: number
  /** Rows written so far. */
  readonly rowsOut: number
  /** Bytes taken from the source, as they are stored: compressed ones where it is. */
  readonly bytesRead: number
  /** Bytes of the source in all, where that is known. */
  readonly bytesTotal: number | undefined
  /** From 0 to 1, by bytes; undefined where the total is not known. */
  readonly fraction: number | undefined
  /** Milliseconds since the call. */
  readonly elapsedMs: number
  /** Rows in, for each second since the call. */
  readonly rowsPerSecond: number
  /** Bytes read, for each second since the call. */
  readonly bytesPerSecond: number
  /** Milliseconds that are left at this rate; undefined where the total is not known. */
  readonly remainingMs: number | undefined
}

/** What a function that works on rows is told beside the row. */
export interface RowInfo {
  /** Number of the row in the source, from 1; records that could not be read are not counted. */
  readonly row: number
  /** Aborted when the conversion is. */
  readonly signal: AbortSignal
}

/** One step of a conversion on each row; may be async. */
export type RowMap = (row: Row, info: RowInfo) => object | PromiseLike<object>
/** Whether a row is kept: anything that JavaScript takes for true, or a promise of it. */
export type RowPredicate = (row: Row, info: RowInfo) => unknown
/** Any number of rows for each row; may be async. */
export type RowFlatMap = (row: Row, info: RowInfo) => Iterable<object> | PromiseLike<Iterable<object>>

/** Options of `convert`. The steps on rows are taken in the order in which they are listed here. */
export interface ConvertOptions {
  /** Options of reading, as `openIterable` has them: format, codecs, dialect, types, …. Default: none. */
  readonly read?: Omit<ReadOptions, 'mode' | 'signal' | 'onError' | 'maxErrors' | 'deadLetters'> | undefined
  /** Options of writing, as `openIterable` has them. Default: none. */
  readonly write?: Omit<WriteOptions, 'mode' | 'signal' | 'onError' | 'maxErrors' | 'deadLetters'> | undefined
  /** Which of the two writes: `'w'` anew (default), `'a'` appends. */
  readonly mode?: 'w' | 'a' | undefined
  /**
   * Which rows of the source are wanted: `{ delay: { gt: 60 } }`; given to the source where it can choose by itself, as
   * Parquet and Postgres can. Conditions in SQL are for these only. Default: all.
   */
  readonly where?: RowSelection['where']
  /** The order of the rows; DuckDB sorts what the source does not. Default: that of the source. */
  readonly orderBy?: RowSelection['orderBy']
  /** Rows to pass over first, of those wanted. Default 0. */
  readonly offset?: number | undefined
  /**
   * Whether nested objects become columns named by their path, `a.b`; or the separator to use in place of `.`. Default:
   * `false`.
   */
  readonly flatten?: boolean | string | undefined
  /**
   * The mirror of `flatten`: columns with a `.` in their name (or this separator) become nested objects. Default:
   * `false`.
   */
  readonly unflatten?: boolean | string | undefined
  /** Whether a row is kept; a promise is waited for. Default: all are. */
  readonly filter?: RowPredicate | undefined
  /** Makes a row of each row; a promise is waited for. Default: none. */
  readonly map?: RowMap | undefined
  /** Makes any number of rows of each row; a promise is waited for. Default: none. */
  readonly flatMap?: RowFlatMap | undefined
  /** The columns of the output, in this order; a row that lacks one has null there. Default: all. */
  readonly columns?: readonly string[] | undefined
  /** New names of columns, by the old ones. Default: none. */
  readonly rename?: Readonly<Record<string, string>> | undefined
  /** Most rows to write. Default: all. */
  readonly limit?: number | undefined
  /** How many rows may be in `filter`, `map` and `flatMap` at once, where these are async. Default 16. */
  readonly rowConcurrency?: number | undefined
  /** Whether rows keep their order where `rowConcurrency` lets several be under way. Default `true`. */
  readonly ordered?: boolean | undefined
  /**
   * Which engine converts: `'rows'`, our readers and writers; `'duckdb'`, one query of DuckDB, CONVERT_ENGINE_UNFIT where
   * that would not give the same; `'auto'`, the default, takes DuckDB where it gives the same. See `planConversion`.
   */
  readonly engine?: 'auto' | 'rows' | 'duckdb' | undefined
  /**
   * What becomes of a record that cannot be read, a row on which a step throws, and a row that cannot be written, as in
   * `openIterable`; `maxErrors` is for all of them together. Default: `'raise'`, or `'quarantine'` where `deadLetters`
   * is given.
   */
  readonly onError?: ErrorPolicy | undefined
  /** Most bad records and rows that may be left out; one more is TOO_MANY_ERRORS. Default: any number. */
  readonly maxErrors?: number | undefined
  /**
   * Where bad records and rows are put aside: a target, or a writer of your own, which stays open. Default: nowhere.
   */
  readonly deadLetters?: WriteTarget | Writer<DeadLetter> | undefined
  /**
   * Told how far it is, at most every `progressIntervalMs`, and once at the end; while it waits it is not called again.
   * Default: none.
   */
  readonly onProgress?: ((progress: ConvertProgress) => unknown) | undefined
  /** Default 200 (milliseconds). */
  readonly progressIntervalMs?: number | undefined
  /** Aborts the conversion; nothing is published. Default: none. */
  readonly signal?: AbortSignal | undefined
}

const isNames = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && is.arrayOf(is.string)(value) && new Set(value).size === value.length
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
const separator: OptionEntry['accepts'] = is.any(is.boolean, value => typeof value === 'string' && value !== '')

/** The options of `convert`, declared for checks and docs. */
export const CONVERT_OPTIONS = {
  read: {
    type: 'read options',
    default: 'none',
    means: 'Options of reading, as openIterable has them.',
    accepts: isObject,
  },
  write: {
    type: 'write options',
    default: 'none',
    means: 'Options of writing, as openIterable has them.',
    accepts: isObject,
  },
  mode: { type: "'w' or 'a'", default: "'w'", means: 'Writes anew, or appends.', accepts: is.oneOf('w', 'a') },
  where: ROW_SELECTION_OPTIONS.where,
  orderBy: ROW_SELECTION_OPTIONS.orderBy,
  offset: {
    type: 'integer from 0',
    default: '0',
    means: 'Rows of the source to pass over first.',
    accepts: is.integer(0),
  },
  flatten: {
    type: 'boolean or a separator',
    default: 'false',
    means: 'Nested objects become columns named by their path.',
    accepts: separator,
  },
  unflatten: {
    type: 'boolean or a separator',
    default: 'false',
    means: 'Columns named by a path become nested objects.',
    accepts: separator,
  },
  filter: { type: 'function', default: 'none', means: 'Whether a row is kept.', accepts: is.function },
  map: { type: 'function', default: 'none', means: 'Makes a row of each row.', accepts: is.function },
  flatMap: { type: 'function', default: 'none', means: 'Makes any number of rows of each row.', accepts: is.function },
  columns: {
    type: 'an array of column names, not empty',
    default: 'all',
    means: 'The columns of the output, in this order.',
    accepts: isNames,
  },
  rename: {
    type: 'an object: old name → new name',
    default: 'none',
    means: 'New names of columns.',
    accepts: value => isObject(value) && Object.values(value as object).every(is.string),
  },
  limit: { type: 'integer from 0', default: 'all', means: 'Most rows to write.', accepts: is.integer(0) },
  rowConcurrency: {
    type: 'integer from 1',
    default: '16',
    means: 'How many rows may be in async steps at once.',
    accepts: is.integer(1),
  },
  ordered: { type: 'boolean', default: 'true', means: 'Whether async steps keep the order.', accepts: is.boolean },
  engine: {
    type: "'auto', 'rows' or 'duckdb'",
    default: "'auto'",
    means: 'Which engine converts.',
    accepts: is.oneOf('auto', 'rows', 'duckdb'),
  },
  onError: {
    type: "'raise' | 'skip' | 'quarantine' | function",
    default: "'raise'; 'quarantine' with `deadLetters`",
    means: 'What becomes of a bad record or row, on reading, in a step, or on writing.',
    accepts: is.any(is.oneOf('raise', 'skip', 'quarantine'), is.function),
  },
  maxErrors: {
    type: 'integer from 0',
    default: 'any number',
    means: 'How many bad records and rows may be left out in all.',
    accepts: is.integer(0),
  },
  deadLetters: {
    type: 'target or writer',
    default: 'none',
    means: 'Where quarantined records go.',
    accepts: () => true,
  },
  onProgress: { type: 'function', default: 'none', means: 'Told how far it is.', accepts: is.function },
  progressIntervalMs: {
    type: 'integer from 0',
    default: '200',
    means: 'Milliseconds between two calls of onProgress.',
    accepts: is.integer(0),
  },
  signal: {
    type: 'AbortSignal',
    default: 'none',
    means: 'Aborts the conversion; nothing is published.',
    accepts: is.signal,
  },
} satisfies Record<keyof ConvertOptions, OptionEntry>
