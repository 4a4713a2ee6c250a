/** Chunks from what users hand in: streams and iterables of bytes or text. */
import { whenAborted } from './abort.ts'
import { createError, excerpt } from './errors.ts'

/** One item as bytes: text becomes UTF-8, any view or buffer is read as its bytes. */
export function toBytes(item: unknown, label: string): Uint8Array {
  if (item instanceof Uint8Array) return item
  if (typeof item === 'string') return Buffer.from(item)
  if (item instanceof ArrayBuffer) return new Uint8Array(item)
  if (ArrayBuffer.isView(item)) return new Uint8Array(item.buffer, item.byteOffset, item.byteLength)
  throw createError('SOURCE_FAILED', `a chunk is neither bytes nor text but ${excerpt(item)}`, {
    label,
    expected: 'Uint8Array or string',
    found: excerpt(item),
    hint: 'an iterable gives either chunks or rows, not both',
  })
}

/**
 * Items of `iterator` until its end, or until `signal` aborts: then at once, even while an item is awaited. The
 * iterator is returned on every way out; it is not waited for where an item is still under way, as that may never come.
 */
export async function* pull<T>(
  iterator: Pullable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  let pending = false
  let finished = false
  // One listener for the whole iteration: one for each item would cost more than the item.
  let giveUp: ((reason: unknown) => void) | undefined
  const unlisten = whenAborted(signal, reason => giveUp?.(reason))
  try {
    for (;;) {
      signal?.throwIfAborted()
      pending = true
      const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
        giveUp = reject
        Promise.resolve(iterator.next()).then(resolve, reject)
      })
      pending = false
      if (step.done === true) {
        finished = true
        return
      }
      yield step.value
    }
  } catch (error) {
    // A `next()` that threw has ended the iterator; there is nothing to return.
    if (pending && signal?.aborted !== true) finished = true
    throw error
  } finally {
    unlisten()
    if (!finished) {
      const returned = Promise.resolve(iterator.return?.())
      if (pending) returned.catch(() => {})
      else await returned
    }
  }
}

/** What `pull` needs of an iterator, synchronous or not. */
export interface Pullable<T> {
  next(): IteratorResult<T> | PromiseLike<IteratorResult<T>>
  return?(): unknown
}

/** The iterator of anything iterable; undefined for what is not. */
export function iteratorOf(target: unknown): Pullable<unknown> | undefined {
  const iterable = target as Partial<AsyncIterable<unknown> & Iterable<unknown>>
  return iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.()
}

/** A signal of one's own that follows another; `stop()` ends the following. */
export function linkedController(parent: AbortSignal | undefined): { controller: AbortController; stop: () => void } {
  const controller = new AbortController()
  const stop = whenAborted(parent, reason => controller.abort(reason))
  return { controller, stop }
}
