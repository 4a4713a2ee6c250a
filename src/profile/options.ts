/** What `profile` can be told. */
import { is, type OptionEntry } from '../core/options.ts'
import type { ReadOptions } from '../open.ts'

/** How far a profile is. */
export interface ProfileProgress {
  /** What messages call the source; without credentials. */
  readonly label: string
  /** Rows looked at so far. */
  readonly rows: number
  /** Bytes taken from the source, as they are stored. */
  readonly bytesRead: number
  /** Bytes of the source in all; undefined where that is not known. */
  readonly bytesTotal: number | undefined
  /** From 0 to 1, by bytes; undefined where the total is not known. */
  readonly fraction: number | undefined
  /** Milliseconds since the call. */
  readonly elapsedMs: number
  /** Rows for each second since the call. */
  readonly rowsPerSecond: number
  /** Bytes read, for each second since the call. */
  readonly bytesPerSecond: number
  /** Milliseconds that are left at this rate. */
  readonly remainingMs: number | undefined
}

/** Options of `profile`. */
export interface ProfileOptions {
  /**
   * Options of reading, as `openIterable` has them. Types are found by `profile` itself, over all values. Default:
   * none.
   */
  readonly read?: Omit<ReadOptions, 'mode' | 'signal' | 'cast' | 'scan' | 'onWiden' | 'columns'> | undefined
  /** The columns to look at, in this order. Default: all. */
  readonly columns?: readonly string[] | undefined
  /** How many rows are read, from the first on. Default `'all'`. */
  readonly rows?: number | 'all' | undefined
  /** How many of the most frequent values are told, up to 100. Default 10. */
  readonly topValues?: number | undefined
  /** Most columns; memory grows with them. Default 2000. */
  readonly maxColumns?: number | undefined
  /** What is "now": later dates are in the future. Default: when it is called. */
  readonly now?: Date | undefined
  /** Told how far it is, at most every `progressIntervalMs`, and once at the end. Default: none. */
  readonly onProgress?: ((progress: ProfileProgress) => unknown) | undefined
  /** Default 200 (milliseconds). */
  readonly progressIntervalMs?: number | undefined
  /** Calls it off: `profile` rejects with `signal.reason`. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/** The options of `profile`, declared for checks and docs. */
export const PROFILE_OPTIONS = {
  read: {
    type: 'read options',
    default: 'none',
    means: 'Options of reading, as openIterable has them.',
    accepts: value => typeof value === 'object' && value !== null && !Array.isArray(value),
  },
  columns: {
    type: 'an array of column names, not empty',
    default: 'all',
    means: 'The columns to look at, in this order.',
    accepts: value => is.arrayOf(is.string)(value) && new Set(value as string[]).size > 0,
  },
  rows: {
    type: "integer from 1, or 'all'",
    default: "'all'",
    means: 'How many rows are read, from the first on.',
    accepts: is.any(is.integer(1), is.oneOf('all')),
  },
  topValues: {
    type: 'integer from 1 to 100',
    default: '10',
    means: 'How many of the most frequent values are told.',
    accepts: is.integer(1, 100),
  },
  maxColumns: {
    type: 'integer from 1 to 100000',
    default: '2000',
    means: 'Most columns; memory grows with them.',
    accepts: is.integer(1, 100_000),
  },
  now: {
    type: 'Date',
    default: 'the time of the call',
    means: 'Later dates are in the future.',
    accepts: value => value instanceof Date && !Number.isNaN(value.getTime()),
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
    means: 'Gives the profile up.',
    accepts: is.signal,
  },
} satisfies Record<keyof ProfileOptions, OptionEntry>
