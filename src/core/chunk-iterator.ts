/** The iterator of `ByteSource.stream()`: stops at once when it is given up or aborted, also while a chunk is awaited. */
import { whenAborted } from './abort.ts'
import { createError } from './errors.ts'

/** Where a `ChunkIterator` gets its chunks. */
export interface ChunkFeed {
  /** The next chunk, never empty, or null at the end. Not called twice at once, nor after `stop()`. */
  pull(): Promise<Uint8Array | null>
  /**
   * Ends the reading: called exactly once, whichever way the iteration ends. A `pull()` may be under way; its outcome is
   * then nobody's. Settles, never with a rejection, when nothing is in use any more.
   */
  stop(): Promise<void>
}

type Step = IteratorResult<Uint8Array, undefined>
const DONE: Step = { done: true, value: undefined }

/**
 * Deals the chunks of a feed. Concurrent `next()` calls are answered in order. A failure, an abort included, is told by
 * every later `next()` too: data that was cut short must not look as if it had ended. For the same reason a `next()`
 * that waits while `return()` is called is rejected.
 */
export class ChunkIterator implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #feed: ChunkFeed
  readonly #label: string
  readonly #unlisten: () => void
  #failure: { readonly reason: unknown } | undefined
  #ended = false
  #stopping: Promise<void> | undefined
  /** Rejects the `next()` that waits. */
  #giveUp: ((reason: unknown) => void) | undefined
  #tail: Promise<unknown> = Promise.resolve()

  constructor(feed: ChunkFeed, label: string, signal: AbortSignal | undefined) {
    this.#feed = feed
    this.#label = label
    this.#unlisten = whenAborted(signal, reason => void this.cancel(reason))
  }

  next(): Promise<Step> {
    const step = this.#tail.then(() => this.#step())
    this.#tail = step.catch(() => {})
    return step
  }

  async return(): Promise<Step> {
    this.#ended = true
    this.#failure = undefined
    this.#giveUp?.(createError('HANDLE_CLOSED', 'the reading was given up', { label: this.#label }))
    await this.#stop()
    return DONE
  }

  async throw(error: unknown): Promise<Step> {
    await this.return()
    throw error
  }

  /** Makes the `next()` that waits, and every later one, reject with `reason`. Settles when the feed has stopped. */
  cancel(reason: unknown): Promise<void> {
    if (!this.#ended && this.#failure === undefined) {
      this.#failure = { reason }
      this.#giveUp?.(reason)
    }
    return this.#stop()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #step(): Promise<Step> {
    if (this.#failure !== undefined) throw this.#failure.reason
    if (this.#ended) return DONE
    let chunk: Uint8Array | null
    try {
      chunk = await new Promise<Uint8Array | null>((resolve, reject) => {
        this.#giveUp = reject
        this.#feed.pull().then(resolve, reject)
      })
    } catch (error) {
      // The feed's own failure; where it was given up from outside, whoever did so waits for the feed to stop.
      if (this.#stopping === undefined) await this.cancel(error)
      throw error
    } finally {
      this.#giveUp = undefined
    }
    if (chunk !== null) return { done: false, value: chunk }
    this.#ended = true
    await this.#stop()
    return DONE
  }

  #stop(): Promise<void> {
    this.#unlisten?.()
    this.#stopping ??= this.#feed.stop()
    return this.#stopping
  }
}
