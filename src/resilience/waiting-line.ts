/** Those who wait for something, in the order they came. Leaving the line costs the same wherever one stands. */
import { whenAborted } from '../core/abort.ts'

interface Waiter<T, A> {
  readonly asks: A
  readonly settle: (value: T) => void
  readonly reject: (reason: unknown) => void
}

/** A fair line. `T` is what those who wait get, `A` what they ask for. */
export class WaitingLine<T, A = undefined> {
  // A Set keeps the order of insertion and forgets in constant time.
  readonly #waiters = new Set<Waiter<T, A>>()

  get length(): number {
    return this.#waiters.size
  }

  /** Whose turn is next. */
  get first(): { readonly asks: A } | undefined {
    for (const waiter of this.#waiters) return waiter
    return undefined
  }

  /** Waits for `serve`. An abort leaves the line, rejects with `signal.reason`, and then calls `onLeave`. */
  join(asks: A, signal?: AbortSignal, onLeave?: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const waiter: Waiter<T, A> = {
        asks,
        settle: value => {
          unlisten()
          resolve(value)
        },
        reject: reason => {
          unlisten()
          reject(reason)
        },
      }
      this.#waiters.add(waiter)
      const unlisten = whenAborted(signal, reason => {
        this.#waiters.delete(waiter)
        reject(reason)
        // Who stood behind may ask for less, and have their turn now.
        onLeave?.()
      })
    })
  }

  /** Gives the first in the line what it waits for. */
  serve(value: T): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter)
      waiter.settle(value)
      return
    }
  }

  /** Sends everyone away. */
  rejectAll(reason: unknown): void {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const waiter of waiters) waiter.reject(reason)
  }
}
