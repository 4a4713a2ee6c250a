/** The writer at work: rows one by one or in bulk, into a target that is opened on first use and published by close(). */
import { Writable } from 'node:stream'
import { BadRecords, type DeadLetter } from './bad-records.ts'
import { abortable, whenAborted } from './core/abort.ts'
import { iteratorOf, pull } from './core/chunks.ts'
import { HandleEvents } from './core/diagnostics.ts'
import { createError, excerpt } from './core/errors.ts'
import type { Abortable, Batch, FormatOptions, RowWriter } from './core/types.ts'
import { BATCHES, type Reader } from './reader.ts'
import { type Resolution, resolveTarget } from './resolve.ts'
import type { RowsToWrite, Writer } from './writer.ts'

/** Rows that go to the encoder together. */
const BATCH_ROWS = 256

/** The writer behind every handle. Opens on first use; has no `then`, so that it can be the result of an `await`. */
export class WriterHandle<R> implements Writer<R> {
  readonly #target: unknown
  readonly #options: FormatOptions
  #resolution: Resolution | undefined

  #tail: Promise<unknown> = Promise.resolve()
  #giveUp: ((error: unknown) => void) | undefined
  readonly #controller = new AbortController()
  #opening: Promise<RowWriter> | undefined
  #opened: RowWriter | undefined
  /** Settles when an opening that was given up has let go of what arrived late. */
  #late: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #releasing: Promise<void> | undefined
  #unlisten: (() => void) | undefined
  /** Why no more rows are taken, once they are not. `given up`: by an abort, so later calls get its reason. */
  #over: { readonly error: unknown; readonly kind: 'closed' | 'failed' | 'given up' } | undefined

  #rowsTaken = 0
  #bad: BadRecords | undefined
  #bytesWritten = 0
  #retries = 0
  readonly #events: HandleEvents = new HandleEvents(this, 'write', () => ({
    format: this.format,
    codecs: this.codecs,
    rows: this.rowsWritten,
    rowsSkipped: this.rowsSkipped,
    rowsFailed: this.rowsFailed,
    bytes: this.#bytesWritten,
  }))

  constructor(target: unknown, options: FormatOptions) {
    this.#target = target
    this.#options = options
  }

  get label(): string {
    return this.#resolve().label
  }
  get format(): string | undefined {
    return this.#resolve().format?.id
  }
  get codecs(): readonly string[] {
    return this.#resolve().codecs.map(codec => codec.id)
  }
  get columns(): readonly string[] | undefined {
    return this.#opened?.columns
  }
  get engine(): string | undefined {
    return this.#opened?.engine
  }
  get closed(): boolean {
    return this.#over !== undefined
  }
  get rowsWritten(): number {
    return this.#rowsTaken - this.#leftOut
  }
  get rowsSkipped(): number {
    return this.#bad?.skipped ?? 0
  }
  get rowsFailed(): number {
    return this.#bad?.failed ?? 0
  }
  get retries(): number {
    return this.#retries
  }
  get bytesWritten(): number {
    return this.#bytesWritten
  }

  write(row: R, options: Abortable = {}): Promise<void> {
    return this.#call(options, async () => this.#put(await this.open(), [row]))
  }

  writeBulk(rows: RowsToWrite<R>, options: Abortable = {}): Promise<number> {
    return this.#call(options, async signal => {
      const before = this.#rowsTaken
      if (typeof rows !== 'object' || rows === null) throw notRows(rows)
      const writer = await this.open()
      if (Array.isArray(rows)) await this.#putArray(writer, rows)
      else if (isReader(rows)) {
        // A lazy one, or that of a chain, opens here, so that its columns are known before its first batch.
        await ('source' in rows ? rows.source : rows)
        if (rows.columns !== undefined) writer.suggestColumns?.(rows.columns)
        if (rows.schema !== undefined) writer.suggestSchema?.(rows.schema)
        for await (const batch of pull(rows.batches(), signal)) await this.#put(writer, batch)
      } else await this.#putItems(writer, rows, signal)
      return this.#rowsTaken - before
    })
  }

  close(options: Abortable = {}): Promise<void> {
    this.#closing ??= this.#enqueue(async () => {
      if (this.#over?.kind === 'given up') throw this.#over.error
      if (this.#over !== undefined) {
        throw createError('WRITER_FAILED', 'nothing is published, as an earlier call failed', {
          label: this.#safeLabel(),
          cause: this.#over.error,
        })
      }
      try {
        const writer = await this.open()
        await this.#bad?.settle()
        await this.#wait(writer.close())
        await this.#bad?.close()
      } catch (error) {
        throw await this.#fail(error)
      }
      this.#over = {
        error: createError('HANDLE_CLOSED', 'the writer was closed', {
          label: this.label,
          hint: 'open the target again',
        }),
        kind: 'closed',
      }
      this.#events.closed(true)
      this.#unlisten?.()
    })
    return this.#abortableCall(this.#closing, options.signal)
  }

  async abort(reason?: unknown): Promise<void> {
    await this.#stop(AbortSignal.abort(reason).reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A close() that is under way decides by itself.
    await this.#closing?.catch(() => {})
    if (this.#over !== undefined) return this.#releasing
    const { rowsWritten } = this
    await this.#stop(createError('HANDLE_CLOSED', 'the writer was disposed', { label: this.#safeLabel() }))
    if (rowsWritten > 0) {
      process.emitWarning(
        `${this.#safeLabel()}: ${rowsWritten} rows were discarded, as the writer was disposed without close()`,
        { type: 'OpenIterableWarning', code: 'OUTPUT_DISCARDED' },
      )
    }
  }

  toWritable(): Writable {
    return new Writable({
      objectMode: true,
      write: (row: R, _encoding, callback) => {
        this.write(row).then(() => callback(), callback)
      },
      writev: (items, callback) => {
        const rows = items.map(item => item.chunk as R)
        this.writeBulk(rows).then(() => callback(), callback)
      },
      final: callback => {
        this.close().then(() => callback(), callback)
      },
      destroy: (error, callback) => {
        // After close() there is nothing to give up.
        const given = this.#over === undefined ? this.abort(error ?? undefined) : Promise.resolve()
        given.then(() => callback(error), callback)
      },
    })
  }

  toWeb(): WritableStream<R> {
    return new WritableStream<R>({
      write: row => this.write(row),
      close: () => this.close(),
      abort: reason => this.abort(reason),
    })
  }

  /** Opens the target, once. */
  open(): Promise<RowWriter> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  /** Rows taken that are not in the output. A row that raised its error was not taken. */
  get #leftOut(): number {
    return this.#bad === undefined ? 0 : this.#bad.skipped + this.#bad.quarantined
  }

  // Below: putting rows

  async #put(writer: RowWriter, batch: Batch<R>): Promise<void> {
    await this.#wait(writer.write(batch as Batch))
    this.#rowsTaken += batch.length
    this.#events.batch(batch.length)
    if (this.#bad?.full) await this.#wait(this.#bad.settle())
  }

  async #putArray(writer: RowWriter, rows: readonly R[]): Promise<void> {
    for (let start = 0; start < rows.length; start += BATCH_ROWS) {
      await this.#put(writer, rows.slice(start, start + BATCH_ROWS))
    }
  }

  async #putItems(writer: RowWriter, rows: Exclude<RowsToWrite<R>, Reader<R>>, signal: AbortSignal): Promise<void> {
    const iterator = iteratorOf(rows)
    if (iterator === undefined) throw notRows(rows)
    const items = pull(iterator, signal)
    if (BATCHES in rows) {
      for await (const batch of items) await this.#put(writer, batch as Batch<R>)
      return
    }
    // Rows that have to be waited for are encoded as they come; the others in batches.
    const batchRows = Symbol.asyncIterator in rows ? 1 : BATCH_ROWS
    let batch: Batch<R> = []
    for await (const row of items) {
      batch.push(row as R)
      if (batch.length < batchRows) continue
      await this.#put(writer, batch)
      batch = []
    }
    if (batch.length > 0) await this.#put(writer, batch)
  }

  // Below: one operation at a time

  /** A call that takes rows. Any failure in it, an abort included, ends the writer: half of its rows may be encoded. */
  #call<T>({ signal }: Abortable, operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const result = this.#enqueue(async () => {
      if (this.#over !== undefined) throw this.#over.error
      try {
        signal?.throwIfAborted()
        return await operation(this.#controller.signal)
      } catch (error) {
        throw await this.#fail(error)
      }
    })
    return this.#abortableCall(result, signal)
  }

  #abortableCall<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    if (signal === undefined) return result
    const unlisten = whenAborted(signal, reason => {
      this.#stop(reason).catch(() => {}) // told by the call itself
    })
    return abortable(result, signal).finally(unlisten)
  }

  #enqueue<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(operation)
    this.#tail = result.catch(() => {})
    return result
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
    this.#resolution ??= resolveTarget(this.#target, this.#options, 'write')
    return this.#resolution
  }

  #safeLabel(): string | undefined {
    try {
      return this.label
    } catch {
      return undefined // what is wrong with the target is told by whoever opens it
    }
  }

  async #open(): Promise<RowWriter> {
    if (this.#over !== undefined) throw this.#over.error
    try {
      const resolution = this.#resolve()
      this.#events.opening(resolution.label)
      this.#unlisten = whenAborted(this.#options.signal as AbortSignal | undefined, reason => {
        this.#stop(reason).catch(() => {}) // told to whoever writes
      })
      this.#controller.signal.throwIfAborted()
      const bad = new BadRecords(this.#options, target => new WriterHandle<DeadLetter>(target, { mode: 'w' }))
      this.#bad = bad
      const { openWriting } = await import('./opening-write.ts')
      this.#controller.signal.throwIfAborted()
      const opening = openWriting(
        resolution,
        {
          label: resolution.label,
          signal: this.#controller.signal,
          mayLeaveOut: bad.mayLeaveOut,
          onBadRecord: (error, row) => bad.take(error, undefined, row),
          onRetry: () => {
            this.#retries++
          },
        },
        this.#options.mode === 'a',
        count => {
          this.#bytesWritten += count
          this.#events.moved()
        },
      )
      this.#late = opening.then(
        async writer => {
          if (this.#over !== undefined) await writer.abort(this.#over.error)
        },
        () => {}, // told by what waits below
      )
      this.#opened = await this.#wait(opening)
      return this.#opened
    } catch (error) {
      throw await this.#fail(error)
    }
  }

  /** Ends the writer by a failure; gives back what to throw. */
  async #fail(error: unknown): Promise<unknown> {
    // Given up from outside: whoever did that waits for the release, which may take long; this call must not.
    if (this.#over !== undefined) return this.#over.error
    this.#over = { error, kind: 'failed' }
    this.#events.failed(error)
    await this.#release(error).catch(() => {}) // the first failure is the one to tell
    return error
  }

  /** Gives up at once: what waits is rejected, and nothing is published. */
  #stop(reason: unknown): Promise<void> {
    if (this.#over?.kind === 'closed') return Promise.resolve()
    this.#over ??= { error: reason, kind: 'given up' }
    this.#controller.abort(reason)
    this.#giveUp?.(reason)
    return this.#release(reason)
  }

  #release(reason: unknown): Promise<void> {
    this.#releasing ??= this.#discard(reason)
    return this.#releasing
  }

  async #discard(reason: unknown): Promise<void> {
    this.#unlisten?.()
    await this.#late
    try {
      await this.#opened?.abort(reason)
    } finally {
      this.#events.closed()
      // Whatever ended the writing: what was put aside is there to be looked at.
      if (this.#opened !== undefined) await this.#bad?.close()
    }
  }
}

function isReader<R>(rows: RowsToWrite<R>): rows is Reader<R> {
  return 'batches' in rows && typeof rows.batches === 'function'
}

function notRows(found: unknown): Error {
  return createError('ROW_INVALID', 'writeBulk takes a sequence of rows', {
    expected: 'an array, an iterable, an async iterable or a reader',
    found: excerpt(found),
    hint: 'for one row there is write()',
  })
}
