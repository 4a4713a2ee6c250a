/** Iterables and async iterables: of chunks (bytes or text), which a format then reads, or of rows, which need none. */
import { iteratorOf, type Pullable, pull, toBytes } from '../core/chunks.ts'
import { createError, excerpt } from '../core/errors.ts'
import type { Abortable, Batch, ByteSource, Place, ReadContext, Row, RowReader, RowSource } from '../core/types.ts'

const LABEL = '<iterable>'
/** Rows per batch where they are at hand. */
const BATCH_ROWS = 256

export const place: Place = {
  async openSource(target, { signal }) {
    if (isRowSource(target)) return target
    const items = new Items(target)
    const first = await items.peek(signal)
    if (first === undefined || isRow(first.value)) return new IterableRows(items)
    return new IterableChunks(items)
  },
}

const isRowSource = (target: unknown): target is RowSource =>
  typeof (target as Partial<RowSource> | null)?.openReader === 'function'

const isRow = (item: unknown) =>
  typeof item === 'object' && item !== null && !ArrayBuffer.isView(item) && !(item instanceof ArrayBuffer)

/** An iterable of which the first item was looked at. */
class Items {
  /** Whether the iterable gives its items anew each time; an iterator that gives itself does not. */
  readonly replayable: boolean
  readonly #target: unknown
  #iterator: Pullable<unknown> | undefined
  #first: { readonly value: unknown } | undefined
  #started = false

  constructor(target: unknown) {
    this.#target = target
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

  /** Whether the items are at hand, without waiting. */
  get synchronous(): boolean {
    return !(Symbol.asyncIterator in (this.#target as object))
  }

  /** All items from the first on: of a replayable iterable again and again, of any other once. */
  iterator(): Pullable<unknown> {
    if (this.#started && !this.replayable) {
      throw createError('NOT_REPLAYABLE', 'an iterable of this kind can be read only once', { label: LABEL })
    }
    const inner = this.#started ? iteratorOf(this.#target)! : this.#iterator!
    let first = this.#started ? undefined : this.#first
    this.#started = true
    this.#iterator = this.#first = undefined
    return {
      next() {
        if (first === undefined) return inner.next()
        const { value } = first
        first = undefined
        return { value, done: false }
      },
      return: () => inner.return?.(),
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
    for await (const item of pull(this.#items.iterator(), options.signal)) {
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
  #iterator: Pullable<unknown> | undefined
  #pulled: AsyncGenerator<unknown, void, undefined> | undefined
  #record = 0
  #failure: { readonly error: unknown } | undefined

  constructor(items: Items, context: ReadContext) {
    this.#items = items
    this.#context = context
  }

  async read(): Promise<Batch | null> {
    this.#iterator ??= this.#items.iterator()
    const batch: Batch = []
    try {
      if (this.#failure === undefined) {
        if (this.#items.synchronous) this.#take(this.#iterator as Iterator<unknown>, batch)
        else await this.#await(this.#iterator, batch)
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
    if (this.#pulled !== undefined) await this.#pulled.return()
    else await this.#iterator?.return?.()
    await this.#items.dispose()
  }

  #take(iterator: Iterator<unknown>, batch: Batch): void {
    this.#context.signal.throwIfAborted()
    while (batch.length < BATCH_ROWS) {
      const step = iterator.next()
      if (step.done === true) return
      this.#put(step.value, batch)
    }
  }

  /** One row: a row that has come must not wait for the next. */
  async #await(iterator: Pullable<unknown>, batch: Batch): Promise<void> {
    this.#pulled ??= pull(iterator, this.#context.signal)
    while (batch.length === 0) {
      const step = await this.#pulled.next()
      if (step.done === true) return
      this.#put(step.value, batch)
    }
  }

  #put(item: unknown, batch: Batch): void {
    this.#record++
    if (isRow(item)) batch.push(item as Row)
    else this.#context.onBadRecord(this.#notARow(item))
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
