/** An async function called for each row of anything, several at once. */
import { RowChain } from './chain.ts'
import { NOW, type RowIterator, WAIT } from './pull.ts'
import type { ConcurrentOptions, StageFunction } from './stages.ts'

/** Calls that are under way at once, where nothing else is said. */
const DEFAULT_CONCURRENCY = 8
const BATCH_ROWS = 256

/**
 * Calls `call` for each row, with at most `concurrency` calls under way (default: 8), and gives what they give: in the
 * order of the rows, or with `ordered: false` as they come. Rows are taken only as they are needed.
 *
 * ```ts
 * for await (const place of mapConcurrent(addresses, address => geocode(address), { concurrency: 4 })) console.log(place)
 * ```
 */
export function mapConcurrent<T, O>(
  rows: AsyncIterable<T> | Iterable<T>,
  call: StageFunction<T, O>,
  options: ConcurrentOptions = {},
): RowChain<O> {
  const source: AsyncIterable<T> =
    Symbol.asyncIterator in rows ? rows : { [Symbol.asyncIterator]: () => new SyncRows<T>(rows) }
  return new RowChain<T>(source, []).map(call, { concurrency: DEFAULT_CONCURRENCY, ...options })
}

/** The rows of an iterable that has them at hand, as if they came in batches, so that others get their turn in between. */
class SyncRows<T> implements RowIterator<T> {
  readonly #iterator: Iterator<T>
  #given = 0

  constructor(iterable: Iterable<T>) {
    this.#iterator = iterable[Symbol.iterator]()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<T>> {
    return this.#iterator.next()
  }

  [NOW](): T | typeof WAIT {
    if (++this.#given % BATCH_ROWS === 0) return WAIT
    const step = this.#iterator.next()
    // The end is for `next` to tell, which is asked then.
    return step.done === true ? WAIT : step.value
  }

  async return(value?: unknown): Promise<IteratorResult<T>> {
    this.#iterator.return?.()
    return { value, done: true }
  }
}
