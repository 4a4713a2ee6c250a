/** Iterables and async iterables: of chunks (bytes or text), which a format then reads, or of rows, which need none. */
import { iteratorOf, type Pullable, pull, toBytes } from '../core/chunks.ts'
import { createError, excerpt } from '../core/errors.ts'
import type { Abortable, Batch, ByteSource, Place, ReadContext, Row, RowReader, RowSource } from '../core/types.ts'

const LABEL = '<iterable>'
/** Rows per batch where they are at hand. */
const BATCH_ROWS = 256

export const place: Place = {
  async openSource(target, { signal }) {
    const items = new Items(target)
    const first = await items.peek(signal)
    if (first === undefined || isRow(first.value)) return new IterableRows(items)
    return new IterableChunks(items)
  },
}

const isRow = (item: unknown) =>
  typeof item === 'object' && item !== null && !ArrayBuffer.isView(item) && !(item instanceof ArrayBuffer)

/** An iterable of which the first item was looked at. An iterator that gives itself can be read only once. */
class Items {
  readonly replayable: boolean
  /** One row at a time where each has to be waited for: a row that has come must not wait for the next. */
  readonly batchRows: number
  readonly #target: unknown
  #iterator: Pullable<unknown> | undefined
  #first: { readonly value: unknown } | undefined
  #opened = false

  constructor(target: unknown) {
    this.#target = target
    this.batchRows = Symbol.asyncIterator in (target as object) ? 1 : BATCH_ROWS
    this.replayable = Array.isArray(target) || target instanceof Set || target instanceof Map
  }

  /** The first item, or undefined where there is none. */
  async peek(signal: AbortSignal): Promise<{ readonly value: unknown } | undefined> {
    this.#iterator = iteratorOf(this.#target)!
    for await (const value of pull({ next: () => this.#iterator!.next() }, signal)) {
      this.#first = { value }
      break
    }
    return this.#first
  }

  async *all(signal: AbortSignal | undefined): AsyncGenerator<unknown, void, undefined> {
    if (this.#opened) {
      if (!this.replayable)
        throw createError('NOT_REPLAYABLE', 'an iterable of this kind can be read only once', { label: LABEL })
      this.#iterator = iteratorOf(this.#target)!
      this.#first = undefined
    }
    this.#opened = true
    const iterator = this.#iterator!
    this.#iterator = undefined
    const first = this.#first
    this.#first = undefined
    let started = false
    try {
      signal?.throwIfAborted()
      if (first !== undefined) yield first.value
      started = true
      yield* pull(iterator, signal)
    } finally {
      if (!started) await iterator.return?.()
    }
  }

  async dispose(): Promise<void> {
    await this.#iterator?.return?.()
    this.#iterator = undefined
  }
}

class IterableChunks implements ByteSource {
  readonly label = LABEL
  readonly replayable: boolean
  readonly #items: Items

  constructor(items: Items) {
    this.#items = items
    this.replayable = items.replayable
  }

  async *stream(options: Abortable = {}): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const item of this.#items.all(options.signal)) {
      const bytes = toBytes(item, LABEL)
      if (bytes.length > 0) yield bytes
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#items.dispose()
  }
}

class IterableRows implements RowSource {
  readonly label = LABEL
  readonly replayable: boolean
  readonly #items: Items

  constructor(items: Items) {
    this.#items = items
    this.replayable = items.replayable
  }

  async openReader(context: ReadContext): Promise<RowReader> {
    return new IterableReader(this.#items, context)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#items.dispose()
  }
}

class IterableReader implements RowReader {
  readonly #items: Items
  readonly #context: ReadContext
  #rows: AsyncGenerator<unknown, void, undefined> | undefined
  #record = 0
  #failure: { readonly error: unknown } | undefined

  constructor(items: Items, context: ReadContext) {
    this.#items = items
    this.#context = context
  }

  async read(): Promise<Batch | null> {
    this.#rows ??= this.#items.all(this.#context.signal)
    const batch: Batch = []
    try {
      while (this.#failure === undefined && batch.length < this.#items.batchRows) {
        const step = await this.#rows.next()
        if (step.done === true) break
        this.#record++
        if (isRow(step.value)) batch.push(step.value as Row)
        else this.#context.onBadRecord(this.#notARow(step.value))
      }
    } catch (error) {
      // The rows before the failure are good; they go first.
      this.#failure = { error }
    }
    if (batch.length > 0) return batch
    if (this.#failure !== undefined) throw this.#failure.error
    return null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rows?.return()
    await this.#items.dispose()
  }

  #notARow(item: unknown): Error {
    return createError('ROW_INVALID', `item ${this.#record} is not a row`, {
      label: LABEL,
      record: this.#record,
      expected: 'an object or an array',
      found: excerpt(item),
    })
  }
}
