/** Conversions: what users call. The work is loaded when it is called. */
import type { ReadTarget, WriteTarget } from '../open.ts'
import type {
  BulkConversion,
  BulkConvertOptions,
  BulkItem,
  BulkSources,
  BulkSummary,
  BulkTarget,
} from './bulk-options.ts'
import type { ConvertOptions } from './options.ts'
import type { ConversionPlan } from './plan.ts'
import type { ConvertResult } from './result.ts'

/**
 * Reads a target and writes its rows to another, in whatever formats, codecs and places both are:
 *
 * ```ts
 * await convert('people.csv.gz', 'people.jsonl')
 * await convert('events.jsonl', 'events.csv', { flatten: true, columns: ['id', 'user.name'] })
 * ```
 *
 * The output is published whole, or not at all. Memory does not grow with the input.
 *
 * With a template as target it is `bulkConvert`, and rejects where one of the conversions fails:
 *
 * ```ts
 * await convert('logs/*.jsonl', 'out/{stem}.csv.gz', { concurrency: 4 })
 * ```
 *
 * @throws What reading and writing throw; STAGE_FAILED for a row on which a step throws, TOO_MANY_ERRORS, and
 * `signal.reason` after an abort; BULK_FAILED, with the `summary` of all, where some of many failed.
 */
export function convert(
  from: BulkSources,
  to: `${string}{${'dir' | 'stem' | 'name' | 'ext' | 'index'}}${string}`,
  options?: BulkConvertOptions,
): Promise<BulkSummary>
export function convert(from: ReadTarget, to: WriteTarget, options?: ConvertOptions): Promise<ConvertResult>
export async function convert(
  from: ReadTarget | BulkSources,
  to: WriteTarget,
  options: ConvertOptions | BulkConvertOptions = {},
): Promise<ConvertResult | BulkSummary> {
  const { isTemplate } = await import('./template.ts')
  if (isTemplate(to)) {
    const { convertAll } = await import('./bulk.ts')
    return convertAll(from as BulkSources, to, options as BulkConvertOptions)
  }
  const { runConversion } = await import('./run.ts')
  return runConversion(from as ReadTarget, to, options as ConvertOptions)
}

/**
 * Converts many targets, several at once. One that fails does not stop the others.
 *
 * ```ts
 * const { succeeded, failed } = await bulkConvert('logs/**\/*.jsonl', 'out/{dir}/{stem}.parquet', { resume: true })
 *
 * for await (const { from, status, error } of bulkConvert(files, 'out/{stem}.csv')) console.log(from, status, error)
 * ```
 *
 * @param from A glob (local, or `s3://`), a folder (all files in it and below), or an iterable of targets.
 * @param to A template: `{dir}` the folders below the glob's base, `{stem}` the file's name without extensions, `{name}`,
 * `{ext}`, `{index}`; or a function that gives the target. Folders are created.
 * @returns Lazy: await it for the summary, or iterate over it for each result as it comes. It rejects for wrong options,
 * what cannot be listed, OUTPUT_COLLISION (before the first byte is written), and an abort; a conversion that fails is
 * told in its result. Leaving the loop gives up what is under way.
 */
export function bulkConvert(from: BulkSources, to: BulkTarget, options: BulkConvertOptions = {}): BulkConversion {
  return new LazyBulk(from, to, options)
}

/** A bulk conversion whose code is loaded when it is started. */
class LazyBulk implements BulkConversion {
  readonly #arguments: [BulkSources, BulkTarget, BulkConvertOptions]
  #run: Promise<{ readonly run: BulkConversion }> | undefined

  constructor(...given: [BulkSources, BulkTarget, BulkConvertOptions]) {
    this.#arguments = given
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaitable is the point
  then<A = BulkSummary, B = never>(
    onDone?: ((summary: BulkSummary) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#load()
      .then(({ run }) => run.then())
      .then(onDone as (summary: unknown) => A, onError)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<BulkItem, void, undefined> {
    const { run } = await this.#load()
    yield* run
  }

  #load(): Promise<{ readonly run: BulkConversion }> {
    this.#run ??= import('./bulk.ts').then(({ BulkRun }) => ({ run: new BulkRun(...this.#arguments) }))
    return this.#run
  }
}

/**
 * What `convert` would do with the same arguments, and why. It looks at the first rows of a source that can be read
 * again, and changes nothing.
 *
 * @throws What `convert` throws before its first row.
 */
export async function planConversion(
  from: ReadTarget,
  to: WriteTarget,
  options: ConvertOptions = {},
): Promise<ConversionPlan> {
  const { plan } = await import('./run.ts')
  return plan(from, to, options)
}
