/** Many conversions, several at once: one that fails does not hold up the others. */
import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import type { DeadLetter } from '../bad-records.ts'
import { createError } from '../core/errors.ts'
import { checkOptions, invalidOption } from '../core/options.ts'
import type { FormatOptions, Row } from '../core/types.ts'
import { openIterable } from '../open.ts'
import {
  BULK_OPTIONS,
  type BulkConversion,
  type BulkConvertOptions,
  type BulkItem,
  type BulkSources,
  type BulkSummary,
  type BulkTarget,
} from './bulk-options.ts'
import { BulkReport } from './bulk-report.ts'
import { type BulkJob, listJobs } from './bulk-sources.ts'
import { isWriter } from './error-budget.ts'
import { digestOptions, identifyFile, isSameSource, Manifest, type OutputIdentity } from './manifest.ts'
import { CONVERT_OPTIONS, type ConvertOptions } from './options.ts'
import type { ConvertResult } from './result.ts'
import { plan, runConversion } from './run.ts'
import { WorkerPool } from './worker-pool.ts'

const DEFAULT_CONCURRENCY = 4
/** So much in all is worth the start of threads. */
const MIN_BYTES_FOR_WORKERS = 32 * 1024 * 1024
/** Results that may wait to be taken before more is converted. */
const MAX_WAITING_ITEMS = 100

export class BulkRun implements BulkConversion {
  readonly #sources: BulkSources
  readonly #target: BulkTarget
  readonly #options: BulkConvertOptions
  readonly #controller = new AbortController()
  #summary: Promise<BulkSummary> | undefined

  constructor(sources: BulkSources, target: BulkTarget, options: BulkConvertOptions) {
    this.#sources = sources
    this.#target = target
    this.#options = options
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaitable is the point
  then<A = BulkSummary, B = never>(
    onDone?: ((summary: BulkSummary) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#summary ??= this.#run(() => undefined)
    return this.#summary.then(onDone, onError)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<BulkItem, void, undefined> {
    if (this.#summary !== undefined) {
      throw createError('HANDLE_CONSUMED', 'the bulk conversion is already under way', {
        hint: 'iterate over it first; it can be awaited, too, for its summary',
      })
    }
    const waiting: BulkItem[] = []
    let wake = () => {}
    let makeRoom = () => {}
    let ended = false
    this.#summary = this.#run(item => {
      waiting.push(item)
      wake()
      if (waiting.length < MAX_WAITING_ITEMS) return undefined
      return new Promise<void>(resolve => {
        makeRoom = resolve
      })
    })
    const summary = this.#summary.finally(() => {
      ended = true
      wake()
    })
    summary.catch(() => {}) // told below, or to whoever awaits it
    try {
      for (;;) {
        const item = waiting.shift()
        if (item !== undefined) {
          makeRoom()
          yield item
        } else if (ended) {
          await summary
          return
        } else {
          await new Promise<void>(resolve => {
            wake = resolve
          })
        }
      }
    } finally {
      makeRoom()
      this.#controller.abort(createError('HANDLE_CLOSED', 'the loop over the results was left'))
      await summary.catch(() => {})
    }
  }

  async #run(onItem: (item: BulkItem) => Promise<void> | undefined): Promise<BulkSummary> {
    const { concurrency, workers, stopOnError, resume, dryRun, onProgress, ...each } = this.#options
    checkOptions(this.#options as FormatOptions, [CONVERT_OPTIONS, BULK_OPTIONS], 'bulkConvert')
    const own = AbortSignal.any([this.#controller.signal, ...(each.signal === undefined ? [] : [each.signal])])
    own.throwIfAborted()
    const letters = each.deadLetters
    const jobs = await listJobs(this.#sources, this.#target, { ...each, signal: own })
    const report = new BulkReport(jobs, this.#options)
    const manifest = resume === undefined || resume === false ? undefined : await this.#openManifest(resume)
    const threads = dryRun === true ? 0 : threadsFor(jobs, this.#options)
    const shared =
      letters === undefined || isWriter(letters) ? letters : openIterable<DeadLetter & Row>(letters, { mode: 'w' })
    const options: ConvertOptions = { ...each, deadLetters: shared, signal: own }
    await using pool = threads === 0 ? undefined : new WorkerPool()
    const digest = digestOptions({ ...each, signal: undefined, deadLetters: undefined })
    const one = (job: BulkJob): Promise<BulkItem> => {
      const run: Runner = (onOne, given) =>
        pool === undefined
          ? runConversion(job.from, job.to, { ...given, onProgress: onOne })
          : // Beside other threads: DuckDB would bring as many of its own into each.
            pool.run(String(job.from), String(job.to), {
              engine: given.orderBy === undefined ? 'rows' : 'auto',
              ...given,
              onProgress: onOne,
            })
      if (dryRun === true) return planned(job, options)
      return converted(job, options, run, report, manifest, digest)
    }
    const stop = () => this.#controller.abort(createError('HANDLE_CLOSED', 'another conversion has failed'))
    const pending = jobs[Symbol.iterator]()
    const lane = async () => {
      for (const job of pending) {
        const names = { from: job.fromLabel, to: job.toLabel }
        const cut = this.#controller.signal.aborted
        let item: BulkItem
        try {
          item = cut ? { ...names, status: 'cancelled' } : await one(job)
        } catch (error) {
          each.signal?.throwIfAborted()
          item = this.#controller.signal.aborted
            ? { ...names, status: 'cancelled' }
            : { ...names, status: 'failed', error }
        }
        report.add(job, item)
        if (item.status === 'failed' && stopOnError === true) stop()
        await onItem(item)
      }
    }
    const lanes = Math.min(jobs.length, concurrency ?? (threads > 0 ? threads : DEFAULT_CONCURRENCY))
    try {
      const settled = await Promise.allSettled(Array.from({ length: lanes }, lane))
      const broken = settled.find(result => result.status === 'rejected')
      if (broken !== undefined) throw broken.reason
    } finally {
      if (shared !== letters) await shared?.close()
    }
    return report.end(threads)
  }

  async #openManifest(resume: string | true): Promise<Manifest> {
    if (typeof resume === 'string') return Manifest.open(resume)
    if (typeof this.#target !== 'string' || /^[a-z][a-z0-9+.-]+:/i.test(this.#target)) {
      throw invalidOption('resume', 'the path of a local manifest', resume, "as in { resume: 'manifest.jsonl' }")
    }
    const fixed = this.#target.slice(0, this.#target.indexOf('{'))
    return Manifest.open(join(dirname(`${fixed}x`), '.open-iterable-manifest.jsonl'))
  }
}

type Runner = (onProgress: NonNullable<ConvertOptions['onProgress']>, options: ConvertOptions) => Promise<ConvertResult>

async function planned({ from, to, fromLabel, toLabel }: BulkJob, options: ConvertOptions): Promise<BulkItem> {
  return { from: fromLabel, to: toLabel, status: 'planned', plan: await plan(from, to, options) }
}

async function converted(
  job: BulkJob,
  options: ConvertOptions,
  run: Runner,
  report: BulkReport,
  manifest: Manifest | undefined,
  digest: string,
): Promise<BulkItem> {
  const names = { from: job.fromLabel, to: job.toLabel }
  const { signal } = options
  signal?.throwIfAborted()
  if (manifest !== undefined && (await isDone(job, manifest, digest, signal))) return { ...names, status: 'unchanged' }
  if (job.toPath !== undefined) await mkdir(dirname(job.toPath), { recursive: true })
  const result = await run(progress => report.tell(job, progress), options)
  if (manifest !== undefined) {
    const output = (await identifyOutput(job, signal)) ?? { bytes: result.bytesWritten }
    const { rowsIn, rowsOut } = result
    await manifest.add({ version: 1, ...names, source: job.identity, options: digest, output, rowsIn, rowsOut })
  }
  return { ...names, status: 'converted', result }
}

async function isDone(
  job: BulkJob,
  manifest: Manifest,
  digest: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const entry = manifest.find(job.toLabel)
  if (entry === undefined || entry.from !== job.fromLabel || entry.options !== digest) return false
  if (!isSameSource(entry.source, job.identity)) return false
  const output = await identifyOutput(job, signal)
  return output !== undefined && output.bytes === entry.output.bytes && output.sha256 === entry.output.sha256
}

/** Of a local file all of it; of another place what it says of the size. Undefined where there is no output. */
async function identifyOutput(
  { to, toPath }: BulkJob,
  signal: AbortSignal | undefined,
): Promise<OutputIdentity | undefined> {
  if (toPath !== undefined) return identifyFile(toPath, { signal })
  const { resolveTarget } = await import('../resolve.ts')
  try {
    const place = await resolveTarget(to, {}, 'read').entry.load()
    const source = await place.openSource!(to, { signal: signal ?? new AbortController().signal, options: {} })
    try {
      return 'size' in source && source.size !== undefined ? { bytes: source.size } : undefined
    } finally {
      await source[Symbol.asyncDispose]()
    }
  } catch (error) {
    signal?.throwIfAborted()
    if ((error as { code?: unknown }).code === 'SOURCE_NOT_FOUND') return undefined
    throw error
  }
}

/** How many threads convert; 0: this one. */
function threadsFor(jobs: readonly BulkJob[], options: BulkConvertOptions): number {
  const { workers = 'auto', concurrency, onProgress, signal, ...rest } = options
  if (workers === 0 || jobs.length === 0) return 0
  const reason = handOverProblem(jobs, rest)
  if (workers !== 'auto') {
    if (reason !== undefined) throw invalidOption('workers', '0', workers, reason)
    return Math.min(workers, jobs.length, concurrency ?? workers)
  }
  const bytes = jobs.reduce((sum, job) => sum + (job.identity.size ?? 0), 0)
  // What DuckDB converts has its threads already.
  const local = jobs.every(job => job.isLocal && job.toPath !== undefined && !job.byDuckDb)
  if (reason !== undefined || !local || bytes < MIN_BYTES_FOR_WORKERS || jobs.length === 1) return 0
  const cores = availableParallelism()
  return cores < 2 ? 0 : Math.min(cores, jobs.length, concurrency ?? cores)
}

/** Why the work cannot be handed over to a thread. */
function handOverProblem(jobs: readonly BulkJob[], options: object): string | undefined {
  const isText = (target: unknown) => typeof target === 'string' || target instanceof URL
  if (!jobs.every(({ from, to }) => isText(from) && isText(to))) return 'only paths and URLs go to another thread'
  if ('deadLetters' in options && options.deadLetters !== undefined)
    return 'dead letters of all files go to one place, from this thread'
  try {
    structuredClone(options)
    return undefined
  } catch {
    return 'functions among the options cannot go to another thread'
  }
}

/** All or an error: for who does not look at the summary. */
export async function convertAll(
  sources: BulkSources,
  target: BulkTarget,
  options: BulkConvertOptions,
): Promise<BulkSummary> {
  const summary = await new BulkRun(sources, target, options)
  const { failed, succeeded, cancelled } = summary
  if (failed.length === 0) return summary
  const count = failed.length + succeeded.length + cancelled.length
  const error = createError('BULK_FAILED', `${failed.length} of ${count} conversions failed`, {
    label: failed[0]!.from,
    cause: failed[0]!.error,
    hint: 'the error has a `summary`; with { resume: true } a second run does what is left',
  })
  throw Object.assign(error, { summary })
}
