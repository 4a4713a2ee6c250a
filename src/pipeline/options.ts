/** What `pipeline` can be told. */
import type { DeadLetter, ErrorPolicy } from '../bad-records.ts'
import { is, type OptionEntry } from '../core/options.ts'
import type { Abortable } from '../core/types.ts'
import type { ReadOptions, WriteOptions, WriteTarget } from '../open.ts'
import type { Clocked } from '../resilience/clock.ts'
import type { Writer } from '../writer.ts'

/** How far a pipeline is. */
export interface PipelineProgress {
  /** Rows that the source gave. */
  readonly rowsIn: number
  /** Rows that the destination took. */
  readonly rowsOut: number
  /** Bytes taken from the source, as they are stored. */
  readonly bytesRead: number
  /** Bytes of the source, before decompression, where that is known. */
  readonly bytesTotal: number | undefined
  /** Bytes given to the destination, as they are stored. */
  readonly bytesWritten: number
  /** Milliseconds since the call. */
  readonly elapsedMs: number
  /** Rows of the source. */
  readonly rowsPerSecond: number
}

/** What a stage did. */
export interface StageCounts {
  /** What the stage is called: its option `name`, or its kind. */
  readonly name: string
  /** Rows that the stage took. */
  readonly rowsIn: number
  /** Rows that it gave. */
  readonly rowsOut: number
  /** Rows that it threw on. */
  readonly rowsFailed: number
}

/** What a pipeline did. Where every stage gives one row for each, in = out + left out + skipped + failed. */
export interface PipelineResult<S = undefined> extends PipelineProgress {
  /** Rows that stages left out on purpose: `filter`, `drop`, `take`. */
  readonly rowsLeftOut: number
  /** Bad records and rows that were left out, of source, stages and destination. */
  readonly rowsSkipped: number
  /** Bad records and rows that were put aside or raised an error, of source, stages and destination. */
  readonly rowsFailed: number
  /** What each stage did, in order. */
  readonly stages: readonly StageCounts[]
  /** The state of this run, as stages, triggers and `onEnd` left it. */
  readonly state: S
  /** What the pipeline failed with, for `onEnd`. */
  readonly error?: unknown
}

/** Something to do each so many rows. */
export interface Trigger<S = undefined> {
  /** Rows that the destination took, from one call to the next. */
  readonly everyRows: number
  /** Awaited before more rows are written. What it throws ends the pipeline. */
  readonly call: (progress: PipelineProgress, state: S) => unknown
}

/** Options of `pipeline`. */
export interface PipelineOptions<S = undefined> extends Abortable, Clocked {
  /** What stages, triggers and `onEnd` share: a value, or a function that makes it for this run. Default: none. */
  readonly state?: S | (() => S) | undefined
  /** Functions that are called each so many rows. Default: none. */
  readonly triggers?: readonly Trigger<S>[] | undefined
  /**
   * Called once, when everything is published, or with `error` when the pipeline has failed. Awaited. What it throws
   * rejects the pipeline, unless that has failed before. Default: none.
   */
  readonly onEnd?: ((result: PipelineResult<S>) => unknown) | undefined
  /** Called while rows move, at most every `progressIntervalMs`, and at the end. Awaited. Default: none. */
  readonly onProgress?: ((progress: PipelineProgress) => unknown) | undefined
  /** Milliseconds. Default: 200. */
  readonly progressIntervalMs?: number | undefined
  /**
   * `true`, the default, publishes everything or nothing. `false` publishes the rows before a failure of the source or of
   * a stage, and then fails with it.
   */
  readonly atomic?: boolean | undefined
  /**
   * Whether the destination is closed at the end (or aborted by a failure), where it is a writer. Default: `true`; a
   * destination that is a target always is.
   */
  readonly end?: boolean | undefined
  /** Rows that a function, as the destination, gets at once, at most. Default: 256. */
  readonly batchSize?: number | undefined
  /**
   * What becomes of a row that a stage throws on: `'raise'` ends the pipeline with STAGE_FAILED; `'skip'` leaves it out
   * and counts it in `rowsSkipped`; `'quarantine'` leaves it out, counts it in `rowsFailed`, and writes it to
   * `deadLetters`; a function is asked for each. Default: `'raise'`, or `'quarantine'` where `deadLetters` is given.
   */
  readonly onError?: ErrorPolicy | undefined
  /** How many rows may be left out before TOO_MANY_ERRORS is raised. Default: any number. */
  readonly maxErrors?: number | undefined
  /** Where quarantined rows go: a target, or a writer of your own, which stays open. Default: nowhere. */
  readonly deadLetters?: WriteTarget | Writer<DeadLetter> | undefined
  /** How to open a source that is a target. Default: none. */
  readonly read?: ReadOptions | undefined
  /** How to open a destination that is a target. Default: `{ mode: 'w' }`. */
  readonly write?: (Omit<WriteOptions, 'mode'> & { readonly mode?: 'w' | 'a' | undefined }) | undefined
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null

export const PIPELINE_OPTIONS = {
  signal: {
    type: 'AbortSignal',
    default: 'none',
    means: 'Aborts everything; nothing is published.',
    accepts: is.signal,
  },
  clock: { type: 'Clock', default: 'the system’s', means: 'Tells the time.', accepts: isObject },
  state: {
    type: 'any value, or a function that makes one',
    default: 'undefined',
    means: 'What stages, triggers and `onEnd` share.',
    accepts: () => true,
  },
  triggers: {
    type: '{ everyRows, call }[]',
    default: '[]',
    means: 'What to do each so many rows.',
    accepts: is.arrayOf(
      value =>
        isObject(value) && is.integer(1)((value as Trigger).everyRows) && typeof (value as Trigger).call === 'function',
    ),
  },
  onEnd: { type: 'function', default: 'none', means: 'Called once at the end, whatever it is.', accepts: is.function },
  onProgress: { type: 'function', default: 'none', means: 'Called while rows move.', accepts: is.function },
  progressIntervalMs: {
    type: 'a number from 0',
    default: '200',
    means: 'How often `onProgress` is called at most, milliseconds.',
    accepts: value => typeof value === 'number' && value >= 0,
  },
  atomic: {
    type: 'boolean',
    default: 'true',
    means: 'Whether to publish everything or nothing, or also what was written before a failure.',
    accepts: is.boolean,
  },
  end: {
    type: 'boolean',
    default: 'true',
    means: 'Whether to close a writer that is the destination.',
    accepts: is.boolean,
  },
  batchSize: {
    type: 'a whole number from 1',
    default: '256',
    means: 'Rows that a function, as the destination, gets at once, at most.',
    accepts: is.integer(1),
  },
  onError: {
    type: "'raise' | 'skip' | 'quarantine' | function",
    default: "'raise', or 'quarantine' with deadLetters",
    means: 'What becomes of a row that a stage throws on.',
    accepts: is.any(is.oneOf('raise', 'skip', 'quarantine'), is.function),
  },
  maxErrors: {
    type: 'a whole number from 0',
    default: 'any number',
    means: 'How many rows may be left out before TOO_MANY_ERRORS is raised.',
    accepts: is.any(is.integer(0), is.oneOf(Number.POSITIVE_INFINITY)),
  },
  deadLetters: {
    type: 'a target or a writer',
    default: 'none',
    means: 'Where quarantined rows go.',
    accepts: value => isObject(value) || typeof value === 'string',
  },
  read: { type: 'ReadOptions', default: '{}', means: 'How to open a source that is a target.', accepts: isObject },
  write: {
    type: 'WriteOptions',
    default: "{ mode: 'w' }",
    means: 'How to open a destination that is a target.',
    accepts: isObject,
  },
} as const satisfies Record<keyof PipelineOptions, OptionEntry>
