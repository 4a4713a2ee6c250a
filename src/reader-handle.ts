/** The reader at work: rows one by one, in bulk or by batches, over a target that is opened on first use. */
import { Readable } from 'node:stream'
import { BadRecords, type DeadLetter } from './bad-records.ts'
import { abortable, whenAborted } from './core/abort.ts'
import { HandleEvents } from './core/diagnostics.ts'
import { createError } from './core/errors.ts'
import { invalidOption } from './core/options.ts'
import type { Schema } from './core/schema.ts'
import type { Abortable, Batch, FormatOptions, ReadContext } from './core/types.ts'
import { type OpenedReader, openReading } from './opening.ts'
import { Chainable } from './pipeline/chain.ts'
import { NOW, type RowIterator, WAIT } from './pipeline/pull.ts'
import { BATCHES, type Batches, type Reader } from './reader.ts'
import { type Resolution, resolveTarget } from './resolve.ts'
import type { Spooled } from './spool.ts'
import { WriterHandle } from './writer-handle.ts'

const DEFAULT_BULK_ROWS = 1000
const NOTHING: readonly never[] = []

/** The reader behind every handle. Opens on first use; has no `then`, so that it can be the result of an `await`. */
export class ReaderHandle<R> extends Chainable<R> implements Reader<R> {
  readonly #target: unknown
  readonly #options: FormatOptions
  #resolution: Resolution | undefined

  /** Rows read from the source and not yet delivered: `#rows[#index]` is the next. */
  #rows: R[] | readonly never[] = NOTHING
  #index = 0
  /** Rows delivered before those of `#rows`. */
  #delivered = 0
  /** The last operation that has not settled; the next one waits for it. */
  #tail: Promise<unknown> | undefined
  /** Rejects what the operation under way waits for. */
  #giveUp: ((error: unknown) => void) | undefined

  #controller = new AbortController()
  #opening: Promise<OpenedReader> | undefined
  #opened: OpenedReader | undefined
  /** Settles when an opening that was given up has let go of what arrived late. */
  #late: Promise<void> | undefined
  #releasing: Promise<void> | undefined
  #unlisten: (() => void) | undefined
  /** The source has given all its rows. */
  #exhausted = false
  /** Why no more rows come, once they do not; `final`: not even after a reset. */
  #over: { readonly error: unknown; readonly final: boolean } | undefined
  /** The loop that is under way. */
  #loop: object | undefined
  /** A loop has had the last row. */
  #looped = false

  #bad: BadRecords | undefined
  #bytesRead = 0
  #retries = 0
  readonly #events: HandleEvents = new HandleEvents(this, 'read', () => ({
    format: this.format,
    codecs: this.codecs,
    rows: this.#events.rows,
    rowsSkipped: this.rowsSkipped,
    rowsFailed: this.rowsFailed,
    bytes: this.#bytesRead,
  }))

  constructor(target: unknown, options: FormatOptions) {
    super()
    this.#target = target
    this.#options = options
  }

  get label(): string {
    return this.#resolve().label
  }
  get format(): string | undefined {
    return this.#opened === undefined ? this.#resolve().format?.id : this.#opened.format
  }
  get codecs(): readonly string[] {
    return this.#opened === undefined ? this.#resolve().codecs.map(codec => codec.id) : this.#opened.codecs
  }
  get columns(): readonly string[] | undefined {
    return this.#opened?.reader.columns
  }
  get schema(): Schema | undefined {
    return this.#opened?.reader.schema
  }
  get engine(): string | undefined {
    return this.#opened?.reader.engine
  }
  get spooled(): Spooled | undefined {
    return this.#opened?.spooled
  }
  get closed(): boolean {
    return this.#over !== undefined || (this.#exhausted && this.#available === 0)
  }
  get rowsRead(): number {
    return this.#delivered + this.#index
  }
  get rowsSkipped(): number {
    return this.#bad === undefined ? 0 : this.#bad.skipped + this.#bad.passedOver
  }
  get rowsFailed(): number {
    return this.#bad?.failed ?? 0
  }
  get retries(): number {
    return this.#retries
  }
  get bytesTotal(): number | undefined {
    return this.#opened?.bytesTotal
  }
  get bytesRead(): number {
    return this.#bytesRead
  }

  [Symbol.asyncIterator](): RowIterator<R> {
    // The common case: a row is at hand and nobody waits before us.
    const atHand = (loop: object) => this.#tail === undefined && this.#loop === loop && this.#index < this.#rows.length
    const next = (loop: object): Promise<IteratorResult<R>> => {
      if (atHand(loop)) return Promise.resolve({ value: this.#deal(), done: false })
      return this.#step(
        loop,
        () => this.#fill(1),
        () => this.#deal(),
      )
    }
    const { iterator, loop } = this.#startLoop(next)
    return Object.assign(iterator, { [NOW]: () => (atHand(loop) ? this.#deal() : WAIT) })
  }

  read(options: Abortable = {}): Promise<R | null> {
    return this.#call(
      options,
      () => this.#fill(1),
      () => (this.#available > 0 ? this.#deal() : null),
    )
  }

  readBulk(count: number = DEFAULT_BULK_ROWS, options: Abortable = {}): Promise<R[]> {
    const invalid = checkCount('count', count)
    if (invalid !== undefined) return Promise.reject(invalid)
    return this.#call(
      options,
      () => this.#fill(count),
      () => this.#take(count),
    )
  }

  batches(size?: number, options: Abortable = {}): Batches<R> {
    const invalid = size === undefined ? undefined : checkCount('size', size)
    if (invalid !== undefined) throw invalid
    const next = (loop: object): Promise<IteratorResult<R[]>> =>
      abortable(
        this.#step(
          loop,
          () => this.#fill(size ?? 1),
          () => this.#take(size ?? Number.POSITIVE_INFINITY),
          options.signal,
        ),
        options.signal,
      )
    return Object.assign(this.#startLoop(next).iterator, { [BATCHES]: true as const }) as Batches<R>
  }

  reset(options: Abortable = {}): Promise<void> {
    return this.#call(
      options,
      async () => {
        if (this.#over?.final === true) throw this.#over.error
        if (this.#loop !== undefined) {
          throw createError('HANDLE_BUSY', 'reset inside a loop over the rows', {
            label: this.label,
            hint: 'leave the loop first',
          })
        }
        if (this.#opened?.replayable === false) {
          throw createError('NOT_REPLAYABLE', 'the source can be read only once', { label: this.label })
        }
        await this.#release()
      },
      () => {
        this.#rows = NOTHING
        this.#index = this.#delivered = this.#bytesRead = this.#retries = 0
        this.#bad = undefined
        this.#controller = new AbortController()
        this.#opening = this.#opened = this.#releasing = this.#over = undefined
        this.#exhausted = this.#looped = false
      },
    )
  }

  async close(): Promise<void> {
    this.#stop(createError('HANDLE_CLOSED', 'the reader was closed', { label: this.#safeLabel() }), true)
    await this.#release()
  }

  async abort(reason?: unknown): Promise<void> {
    this.#stop(AbortSignal.abort(reason).reason, true)
    await this.#release()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  toReadable(): Readable {
    const batches = this.batches()
    return new Readable({
      objectMode: true,
      read() {
        batches.next().then(
          step => {
            if (step.done === true) this.push(null)
            else for (const row of step.value) this.push(row)
          },
          error => this.destroy(error),
        )
      },
      destroy(error, callback) {
        batches.return!().then(() => callback(error), callback)
      },
    })
  }

  toWeb(): ReadableStream<R> {
    const batches = this.batches()
    return new ReadableStream<R>({
      async pull(controller) {
        const step = await batches.next()
        if (step.done === true) controller.close()
        else for (const row of step.value) controller.enqueue(row)
      },
      async cancel() {
        await batches.return!()
      },
    })
  }

  /** Opens the target, once. */
  open(): Promise<OpenedReader> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  // Below: one operation at a time

  /** A step of a loop; `done` once the loop is over, whether it came to the end of the rows or was left. */
  #step<T>(
    loop: object,
    prepare: () => Promise<void>,
    take: () => T,
    signal?: AbortSignal | undefined,
  ): Promise<IteratorResult<T>> {
    return this.#enqueue(async () => {
      if (this.#loop !== loop) return { value: undefined, done: true }
      try {
        await prepare()
      } catch (error) {
        if (this.#loop !== loop) return { value: undefined, done: true }
        throw error
      }
      signal?.throwIfAborted()
      if (this.#available > 0) return { value: take(), done: false }
      this.#loop = undefined
      this.#looped = true
      return { value: undefined, done: true }
    })
  }

  /**
   * A call that may be aborted by itself. Its rows are taken only when nothing can fail any more, so that an aborted
   * call leaves them to the next one.
   */
  #call<T>({ signal }: Abortable, prepare: () => Promise<void>, take: () => T): Promise<T> {
    const result = this.#enqueue(async () => {
      signal?.throwIfAborted()
      await prepare()
      signal?.throwIfAborted()
      return take()
    })
    return abortable(result, signal)
  }

  #enqueue<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#tail === undefined ? operation() : this.#tail.then(operation, operation)
    const settle = () => {
      if (this.#tail === result) this.#tail = undefined
    }
    this.#tail = result
    result.then(settle, settle)
    return result
  }

  get #available(): number {
    return this.#rows.length - this.#index
  }

  /** Reads until `count` rows are at hand or no more come. Throws only where none is: good rows go before an error. */
  async #fill(count: number): Promise<void> {
    while (this.#available < count && !this.#exhausted) {
      if (this.#over !== undefined) {
        if (this.#available > 0) return
        throw this.#over.error
      }
      try {
        await this.#readMore()
      } catch (error) {
        if (this.#available === 0) throw error
      }
    }
    if (this.#over !== undefined && this.#available === 0) throw this.#over.error
  }

  async #readMore(): Promise<void> {
    const { reader } = this.#opened ?? (await this.open())
    let batch: Batch<unknown> | null
    try {
      batch = await this.#wait(reader.read())
      if (this.#bad?.full) await this.#wait(this.#bad.settle())
      if (batch === null) {
        this.#exhausted = true
        await this.#release()
      }
    } catch (error) {
      throw await this.#fail(error)
    }
    if (batch === null) return
    if (this.#over !== undefined) throw this.#over.error
    this.#events.batch(batch.length)
    const rows = batch as R[]
    if (this.#available === 0) {
      this.#delivered += this.#index
      this.#rows = rows
    } else {
      const kept = this.#index === 0 ? (this.#rows as R[]) : this.#rows.slice(this.#index)
      this.#delivered += this.#index
      for (const row of rows) kept.push(row)
      this.#rows = kept
    }
    this.#index = 0
  }

  /** The next row at hand. Its place lets go of it, so that it can die before the rest of its batch does. */
  #deal(): R {
    const rows = this.#rows as (R | undefined)[]
    const row = rows[this.#index] as R
    rows[this.#index++] = undefined
    return row
  }

  /** Takes up to `count` of the rows at hand. */
  #take(count: number): R[] {
    if (this.#index === 0 && this.#rows.length <= count) {
      const all = this.#rows as R[]
      this.#delivered += all.length
      this.#rows = NOTHING
      return all.length === 0 ? [] : all
    }
    const some = this.#rows.slice(this.#index, this.#index + count)
    this.#index += some.length
    return some
  }

  /** Waits for `promise`, but no longer than until the handle is stopped. */
  #wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject
      promise.then(resolve, reject)
    })
  }

  // Below: opening, ending, releasing

  #resolve(): Resolution {
    this.#resolution ??= resolveTarget(this.#target, this.#options, 'read')
    return this.#resolution
  }

  #safeLabel(): string | undefined {
    try {
      return this.label
    } catch {
      return undefined // what is wrong with the target is told by whoever opens it
    }
  }

  async #open(): Promise<OpenedReader> {
    if (this.#over !== undefined) throw this.#over.error
    try {
      const resolution = this.#resolve()
      this.#events.opening(resolution.label)
      this.#unlisten = whenAborted(this.#options.signal as AbortSignal | undefined, reason => {
        this.#stop(reason, true)
        this.#release().catch(() => {}) // told to whoever reads
      })
      this.#controller.signal.throwIfAborted()
      const bad = new BadRecords(this.#options, target => new WriterHandle<DeadLetter>(target, { mode: 'w' }))
      this.#bad = bad
      const opening = openReading(resolution, this.#context(resolution.label, bad), count => {
        this.#bytesRead += count
        this.#events.moved()
      })
      this.#late = opening.then(
        async opened => {
          if (this.#over !== undefined) await opened.reader[Symbol.asyncDispose]()
        },
        () => {}, // told by what waits below
      )
      this.#opened = await this.#wait(opening)
      return this.#opened
    } catch (error) {
      throw await this.#fail(error)
    }
  }

  #context(label: string, bad: BadRecords): ReadContext {
    return {
      label,
      signal: this.#controller.signal,
      onBadRecord: (error, raw) => bad.take(error, raw),
      onSkippedRecord: () => {
        bad.passedOver++
      },
      onRetry: () => {
        this.#retries++
      },
      settle: () => (bad.full ? bad.settle() : undefined),
    }
  }

  /** Ends the reading by an error of the source; gives back what to throw. Rows at hand stay, to be delivered first. */
  async #fail(error: unknown): Promise<unknown> {
    // Stopped from outside: whoever did that waits for the release, which may take long; this call must not.
    if (this.#over !== undefined) return this.#over.error
    this.#over = { error, final: false }
    this.#events.failed(error)
    await this.#release().catch(() => {}) // the first failure is the one to tell
    return error
  }

  /** Ends the reading at once: rows at hand are dropped, what waits is rejected. */
  #stop(error: unknown, final: boolean): void {
    if (this.#over === undefined || (final && !this.#over.final)) this.#over = { error, final }
    this.#delivered += this.#index
    this.#index = 0
    this.#rows = NOTHING
    this.#controller.abort(error)
    this.#giveUp?.(error)
  }

  #release(): Promise<void> {
    this.#releasing ??= this.#dispose()
    return this.#releasing
  }

  async #dispose(): Promise<void> {
    this.#unlisten?.()
    await this.#late
    try {
      await this.#opened?.reader[Symbol.asyncDispose]()
    } finally {
      // Whatever ended the reading: what was put aside is there to be looked at.
      this.#events.closed()
      if (this.#opened !== undefined) await this.#bad?.close()
    }
  }

  // Below: loops

  #startLoop<T>(next: (loop: object) => Promise<IteratorResult<T>>): {
    iterator: AsyncIterableIterator<T>
    loop: object
  } {
    if (this.#over !== undefined) throw this.#over.error
    if (this.#loop !== undefined) {
      throw createError('HANDLE_BUSY', 'a second loop over the same reader', { label: this.#safeLabel() })
    }
    if (this.#looped) throw createError('HANDLE_CONSUMED', 'the rows were all read', { label: this.#safeLabel() })
    const loop = {}
    this.#loop = loop
    const leave = async () => {
      if (this.#loop !== loop) return
      this.#loop = undefined
      if (this.#exhausted && this.#available === 0) this.#looped = true
      else {
        this.#stop(createError('HANDLE_CLOSED', 'the loop over the rows was left', { label: this.#safeLabel() }), false)
        await this.#release()
      }
    }
    const iterator: AsyncIterableIterator<T> = {
      [Symbol.asyncIterator]() {
        return this
      },
      next: () => next(loop),
      async return(value?: unknown) {
        await leave()
        return { value, done: true }
      },
      async throw(error?: unknown) {
        await leave()
        throw error
      },
    }
    return { iterator, loop }
  }
}

function checkCount(name: string, count: number): Error | undefined {
  return Number.isInteger(count) && count >= 1 ? undefined : invalidOption(name, 'a whole number from 1', count)
}
