/** What `bulkConvert` can be told, and what it tells. */
import { is, type OptionEntry } from '../core/options.ts'
import type { ReadTarget, WriteTarget } from '../open.ts'
import type { ConvertOptions, ConvertProgress } from './options.ts'
import type { ConversionPlan } from './plan.ts'
import type { ConvertResult } from './result.ts'

/** One of many sources: a target, or one with what is known of it. */
export type BulkSource = ReadTarget | NamedSource

/** A target, its name for the template, and what tells whether it has changed. */
export interface NamedSource {
  /** What is converted. */
  readonly target: ReadTarget
  /** File name for `{stem}`, `{name}` and `{ext}`. Default: from the target. */
  readonly name?: string | undefined
  /** For `{dir}`. Default: none. */
  readonly dir?: string | undefined
  /** Bytes. */
  readonly size?: number | undefined
  /** When it was last changed. */
  readonly mtime?: Date | undefined
  /** Tells versions apart for `resume`, where there is such a tag. */
  readonly etag?: string | undefined
}

/** How far a bulk conversion is. */
export interface BulkProgress {
  /** Undefined while the sources are still being listed. */
  readonly filesTotal: number
  /** Files that are done: converted, unchanged, or failed. */
  readonly filesDone: number
  /** Those of them that failed. */
  readonly filesFailed: number
  /** Records met in all sources so far, good or bad. */
  readonly rowsIn: number
  /** Rows in all outputs so far. */
  readonly rowsOut: number
  /** Bytes taken from all sources so far, as they are stored. */
  readonly bytesRead: number
  /** Of all sources; undefined where that of one is not known. */
  readonly bytesTotal: number | undefined
  /** Milliseconds since the call. */
  readonly elapsedMs: number
  /** Milliseconds that are left at this rate, by bytes. */
  readonly remainingMs: number | undefined
  /** The files that are being converted now. */
  readonly underWay: readonly ConvertProgress[]
}

/** Options of `bulkConvert`: those of `convert` for each file, and these. */
export interface BulkConvertOptions extends Omit<ConvertOptions, 'onProgress'> {
  /** How many files at once. Default: 4, or as many as there are workers. */
  readonly concurrency?: number | undefined
  /**
   * Worker threads that convert; 0: none, all on this thread. Default: `'auto'`: one for each core where the work is for
   * the processor (local files, more than 32 MiB in all) and the options can be handed over, that is, hold no functions.
   */
  readonly workers?: number | 'auto' | undefined
  /** Whether the first failure ends it all; what is under way is given up. Default `false`. */
  readonly stopOnError?: boolean | undefined
  /**
   * Whether a manifest is kept, so that a second run converts only what is missing, changed or failed: true, or its path.
   * By default it is `.open-iterable-manifest.jsonl` in the folder that the template's fields begin in. Default `false`.
   */
  readonly resume?: boolean | string | undefined
  /** Whether everything is only planned, and nothing written. Default `false`. */
  readonly dryRun?: boolean | undefined
  /** Told how far it is, at most every `progressIntervalMs`, and once at the end. Default: none. */
  readonly onProgress?: ((progress: BulkProgress) => unknown) | undefined
}

/** What became of one source. */
export interface BulkItem {
  /** What messages call the source; without credentials. */
  readonly from: string
  /** What messages call the output; without credentials. */
  readonly to: string
  /** `unchanged`: a run before has done it; `planned`: a dry run; `cancelled`: another failure or an abort came first. */
  readonly status: 'converted' | 'unchanged' | 'planned' | 'failed' | 'cancelled'
  /** What `convert` gave, where it was converted. */
  readonly result?: ConvertResult
  /** What would be done, of a dry run. */
  readonly plan?: ConversionPlan
  /** Why it failed. */
  readonly error?: unknown
}

/** What a bulk conversion did. */
export interface BulkSummary {
  /** Converted, unchanged or planned, in the order of the sources. */
  readonly succeeded: readonly BulkItem[]
  /** Those that failed, each with its `error`. */
  readonly failed: readonly BulkItem[]
  /** Those that were not done, as another failure (`stopOnError`) or an abort came first. */
  readonly cancelled: readonly BulkItem[]
  /** Records met in all sources, good or bad. */
  readonly rowsIn: number
  /** Rows in all outputs. */
  readonly rowsOut: number
  /** Bad records and rows left out under `onError: 'skip'`. */
  readonly rowsSkipped: number
  /** Bad records and rows put aside under `onError: 'quarantine'`. */
  readonly rowsFailed: number
  /** Bytes taken from all sources, as they are stored. */
  readonly bytesRead: number
  /** Bytes given to all places, as they are stored. */
  readonly bytesWritten: number
  /** Milliseconds that all of it took. */
  readonly elapsedMs: number
  /** Worker threads that were used. */
  readonly workers: number
}

/** A bulk conversion under way: iterate over it for each result as it comes, or await it for the summary. */
export interface BulkConversion extends AsyncIterable<BulkItem>, PromiseLike<BulkSummary> {}

/** What is converted, and where to. */
export type BulkSources = string | URL | Iterable<BulkSource> | AsyncIterable<BulkSource>
/**
 * Where outputs go: a template with `{dir}`, `{name}`, `{stem}`, `{ext}` and `{index}`, or a function that gives the
 * target of a source.
 */
export type BulkTarget =
  | string
  | ((source: {
      readonly dir: string
      readonly name: string
      readonly stem: string
      readonly index: number
    }) => WriteTarget)

/** The options of `bulkConvert` beside those of `convert`, declared for checks and docs. */
export const BULK_OPTIONS = {
  concurrency: {
    type: 'integer from 1',
    default: '4, or as many as workers',
    means: 'How many files at once.',
    accepts: is.integer(1),
  },
  workers: {
    type: "integer from 0, or 'auto'",
    default: "'auto'",
    means: 'Worker threads that convert.',
    accepts: is.any(is.integer(0, 256), is.oneOf('auto')),
  },
  stopOnError: {
    type: 'boolean',
    default: 'false',
    means: 'Whether the first failure ends it all.',
    accepts: is.boolean,
  },
  resume: {
    type: 'boolean or a path',
    default: 'false',
    means: 'Whether a manifest is kept, so that a second run does only what is missing, changed or failed.',
    accepts: is.any(is.boolean, value => typeof value === 'string' && value !== ''),
  },
  dryRun: { type: 'boolean', default: 'false', means: 'Whether it is only planned.', accepts: is.boolean },
} satisfies Record<Exclude<keyof BulkConvertOptions, keyof ConvertOptions>, OptionEntry>
