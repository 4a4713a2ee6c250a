/** A pipeline at work: opens its ends, moves the rows, counts them, and publishes or gives up. */
import { BadRecords, type DeadLetter } from '../bad-records.ts'
import { abortable } from '../core/abort.ts'
import { createError, excerpt } from '../core/errors.ts'
import { checkOptions } from '../core/options.ts'
import type { FormatOptions } from '../core/types.ts'
import { openIterable, type ReadTarget, type WriteTarget } from '../open.ts'
import { BATCHES, type Batches, type LazyReader, type Reader } from '../reader.ts'
import { systemClock } from '../resilience/clock.ts'
import type { Writer } from '../writer.ts'
import { Chainable, RowChain } from './chain.ts'
import {
  PIPELINE_OPTIONS,
  type PipelineOptions,
  type PipelineProgress,
  type PipelineResult,
  type StageCounts,
} from './options.ts'
import { NOW, WAIT } from './pull.ts'
import { Run } from './run.ts'
import { passesRows, type Stage } from './stages.ts'

type AnyStage = Stage<never, unknown, never>
type Options = PipelineOptions<unknown>
type BatchFunction = (rows: unknown[], context: object) => unknown

const BATCH_ROWS = 256
const PROGRESS_INTERVAL_MS = 200

export async function execute(
  source: unknown,
  stages: readonly AnyStage[],
  destination: unknown,
  options: Options,
): Promise<PipelineResult<unknown>> {
  checkOptions(options as FormatOptions, [PIPELINE_OPTIONS], 'pipeline')
  options.signal?.throwIfAborted()
  const { state } = options
  const pipe = new Pipe(source, stages, options, typeof state === 'function' ? state() : state)
  try {
    await pipe.move(destination)
  } catch (error) {
    await pipe.giveUp(error)
    // The first failure is the one to tell.
    await Promise.resolve(options.onEnd?.({ ...pipe.result(), error })).catch(() => {})
    throw error
  }
  const result = pipe.result()
  await options.onEnd?.(result)
  return result
}

class Pipe {
  readonly #options: Options
  readonly #state: unknown
  readonly #stages: readonly AnyStage[]
  /** Where the rows come from: a reader, or rows of another kind. */
  readonly #source: AsyncIterable<unknown>
  readonly #bad: BadRecords
  readonly #failed: number[]
  readonly #clock
  readonly #startedAt: number
  #toldAt: number
  #run: Run<unknown> | undefined
  #writer: Writer<unknown> | undefined
  #rowsWrittenBefore = 0
  #bytesWrittenBefore = 0
  /** Rows that the destination was given, and has taken. */
  #given = 0
  #taken = 0
  /** What the source or a stage failed with, where what was written before is to be published. */
  #failure: { readonly error: unknown } | undefined

  constructor(source: unknown, stages: readonly AnyStage[], options: Options, state: unknown) {
    const { read, signal, clock = systemClock } = options
    this.#options = options
    this.#state = state
    const rows =
      source instanceof Chainable
        ? source
        : (openIterable(source as ReadTarget, { signal, ...read }) as unknown as Chainable<unknown>)
    this.#source = rows instanceof RowChain ? rows.source : rows
    this.#stages = rows instanceof RowChain ? [...rows.stages, ...stages] : stages
    this.#failed = this.#stages.map(() => 0)
    this.#bad = new BadRecords(options as unknown as FormatOptions, target =>
      openIterable<DeadLetter>(target as WriteTarget, { mode: 'w' }),
    )
    this.#clock = clock
    this.#startedAt = this.#toldAt = clock.now()
  }

  /** Moves all rows, and publishes them. */
  async move(destination: unknown): Promise<void> {
    const { end = true, signal, onProgress } = this.#options
    const reader = this.#reader
    // A lazy one opens here, so that its columns are known before its first row.
    if (reader !== undefined) await abortable(Promise.resolve(reader), signal)
    this.#run = new Run(this.#source[Symbol.asyncIterator](), this.#stages, {
      signal,
      state: this.#state,
      onFailure: (error, row, record, stage) => this.#refuse(error, row, record, stage),
      settle: () => (this.#bad.full ? this.#bad.settle() : undefined),
    })
    if (typeof destination === 'function') await this.#call(destination as BatchFunction)
    else await this.#write(this.#openWriter(destination))
    await this.#bad.settle()
    if (end || !isWriter(destination)) await this.#writer?.close({ signal })
    await this.#bad.close()
    if (this.#failure !== undefined) throw this.#failure.error
    await onProgress?.(this.#progress())
  }

  /** Lets go of both ends. What is published by then stays, and nothing more is. */
  async giveUp(error: unknown): Promise<void> {
    const { end = true } = this.#options
    const ends = [
      this.#run === undefined ? this.#reader?.close() : this.#run.return(),
      // What others go on with is not ended by a failure that is not its own.
      end || this.#failure === undefined ? this.#writer?.abort(error) : undefined,
      this.#bad.close(),
    ]
    await Promise.allSettled(ends) // the first failure is the one to tell
  }

  result(): PipelineResult<unknown> {
    const { rowsSkipped = 0, rowsFailed = 0 } = this.#reader ?? {}
    const stages = this.#counts()
    const leftOut = stages.filter((_, i) => passesRows(this.#stages[i]!))
    return {
      ...this.#progress(),
      rowsLeftOut: leftOut.reduce((sum, stage) => sum + stage.rowsIn - stage.rowsOut - stage.rowsFailed, 0),
      rowsSkipped: rowsSkipped + this.#bad.skipped + (this.#writer?.rowsSkipped ?? 0),
      rowsFailed: rowsFailed + this.#bad.failed + (this.#writer?.rowsFailed ?? 0),
      stages,
      state: this.#state,
    }
  }

  /** The source, if it is a reader. */
  get #reader(): LazyReader<unknown> | Reader<unknown> | undefined {
    return this.#source instanceof Chainable ? (this.#source as unknown as Reader<unknown>) : undefined
  }

  #openWriter(destination: unknown): Writer<unknown> {
    const { signal, write } = this.#options
    this.#writer = isWriter(destination)
      ? destination
      : (openIterable(destination as WriteTarget, {
          signal,
          ...write,
          mode: write?.mode ?? 'w',
        }) as unknown as Writer<unknown>)
    this.#rowsWrittenBefore = this.#writer.rowsWritten
    this.#bytesWrittenBefore = this.#writer.bytesWritten
    return this.#writer
  }

  async #write(writer: Writer<unknown>): Promise<void> {
    const { signal } = this.#options
    const batches = Object.assign(this.#batches(BATCH_ROWS), { [BATCHES]: true as const })
    // Where rows stay as they are, so does the order of their columns.
    const columns = this.#stages.every(passesRows) ? this.#reader?.columns : undefined
    await writer.writeBulk({ columns, batches: () => batches } as unknown as Batches<unknown>, { signal })
  }

  async #call(destination: BatchFunction): Promise<void> {
    const { batchSize = BATCH_ROWS, signal } = this.#options
    const controller = new AbortController()
    const context = { signal: signal ?? controller.signal, state: this.#state }
    for await (const batch of this.#batches(batchSize)) {
      await abortable(Promise.resolve(destination(batch, context)), signal)
    }
  }

  /** The rows for the destination, which has taken a batch when it asks for the next. */
  async *#batches(size: number): AsyncGenerator<unknown[], void, undefined> {
    const { atomic = true, end = true } = this.#options
    for (;;) {
      let batch: unknown[]
      try {
        batch = await this.#next(size)
      } catch (error) {
        if ((atomic && end) || this.#options.signal?.aborted) throw error
        // What is written so far is to be published, or is for others to go on with.
        this.#failure = { error }
        return
      }
      if (batch.length === 0) return
      this.#given += batch.length
      yield batch
      this.#taken += batch.length
      await this.#tell()
    }
  }

  /** As many rows as are at hand, but no more than up to the next trigger. */
  async #next(size: number): Promise<unknown[]> {
    const run = this.#run!
    const step = await run.next()
    if (step.done === true) return []
    const batch = [step.value]
    const { triggers = [] } = this.#options
    const most = Math.min(size, ...triggers.map(({ everyRows }) => everyRows - (this.#taken % everyRows)))
    while (batch.length < most) {
      const row = run[NOW]()
      if (row === WAIT) break
      batch.push(row)
    }
    return batch
  }

  async #tell(): Promise<void> {
    const { triggers = [], onProgress, progressIntervalMs = PROGRESS_INTERVAL_MS } = this.#options
    for (const { everyRows, call } of triggers) {
      if (this.#taken % everyRows === 0) await call(this.#progress(), this.#state)
    }
    if (onProgress === undefined) return
    const now = this.#clock.now()
    if (now - this.#toldAt < progressIntervalMs) return
    this.#toldAt = now
    await onProgress(this.#progress())
  }

  #progress(): PipelineProgress {
    const reader = this.#reader
    const rowsIn =
      reader === undefined ? (this.#run?.taken[0] ?? 0) : reader.rowsRead + reader.rowsSkipped + reader.rowsFailed
    const elapsedMs = this.#clock.now() - this.#startedAt
    return {
      rowsIn,
      rowsOut: this.#writer === undefined ? this.#taken : this.#writer.rowsWritten - this.#rowsWrittenBefore,
      bytesRead: reader?.bytesRead ?? 0,
      bytesTotal: reader?.bytesTotal,
      bytesWritten: (this.#writer?.bytesWritten ?? 0) - this.#bytesWrittenBefore,
      elapsedMs,
      rowsPerSecond: elapsedMs === 0 ? 0 : (rowsIn * 1000) / elapsedMs,
    }
  }

  #counts(): StageCounts[] {
    const taken = this.#run?.taken ?? []
    return this.#stages.map((stage, i) => ({
      name: stage.name,
      rowsIn: taken[i + 1] ?? 0,
      rowsOut: i + 1 < this.#stages.length ? (taken[i + 2] ?? 0) : this.#given,
      rowsFailed: this.#failed[i]!,
    }))
  }

  /** A stage threw on a row. */
  #refuse(error: unknown, row: unknown, record: number, stage: number): void {
    // Called off, not failed.
    if (this.#options.signal?.aborted) throw error
    this.#failed[stage]!++
    const { name } = this.#stages[stage]!
    const reason = error instanceof Error ? error.message : excerpt(error)
    const label = this.#reader?.label
    this.#bad.take(
      createError('STAGE_FAILED', `stage ${stage + 1} (${name}) failed on its row ${record}: ${reason}`, {
        label,
        record,
        cause: error,
      }),
      undefined,
      row,
    )
  }
}

function isWriter(destination: unknown): destination is Writer<unknown> {
  return typeof (destination as Partial<Writer> | null)?.writeBulk === 'function'
}
