/** Ends of a codec that a test can look into: a source that lends its chunks, and a sink that keeps what it gets. */
import type { Abortable, ByteSink, ByteSource } from '../core/types.ts'

interface ChunkedOptions {
  readonly replayable?: boolean
  /** Bytes after which the source fails with `failure`. */
  readonly failAfter?: number
  readonly failure?: unknown
  /** Bytes after which no chunk comes any more, until it is aborted. */
  readonly blockAfter?: number
}

/** Bytes in chunks of a size, lent: each is overwritten when the next is asked for. */
export class ChunkedSource implements ByteSource {
  readonly label = 'chunks'
  readonly replayable: boolean
  /** Streams that were begun and not ended. */
  live = 0
  disposals = 0
  /** Bytes given out. */
  given = 0
  /** Settles when the source has stopped giving chunks. */
  readonly blocked: Promise<void>
  readonly #bytes: Uint8Array
  readonly #chunkBytes: number
  readonly #options: ChunkedOptions
  #onBlocked: () => void = () => {}
  #used = false

  constructor(bytes: Uint8Array, chunkBytes: number, options: ChunkedOptions = {}) {
    this.#bytes = bytes
    this.#chunkBytes = chunkBytes
    this.#options = options
    this.replayable = options.replayable ?? true
    this.blocked = new Promise(resolve => {
      this.#onBlocked = resolve
    })
  }

  async *stream({ signal }: Abortable = {}): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#used && !this.replayable) throw Object.assign(new Error('only once'), { code: 'NOT_REPLAYABLE' })
    this.#used = true
    const { failAfter, failure, blockAfter } = this.#options
    const chunk = Buffer.alloc(this.#chunkBytes)
    this.live++
    try {
      for (let at = 0; at < this.#bytes.length; at += this.#chunkBytes) {
        signal?.throwIfAborted()
        if (failAfter !== undefined && at >= failAfter) throw failure
        if (blockAfter !== undefined && at >= blockAfter) {
          this.#onBlocked()
          await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
        }
        const length = Math.min(this.#chunkBytes, this.#bytes.length - at)
        chunk.set(this.#bytes.subarray(at, at + length))
        this.given += length
        yield chunk.subarray(0, length)
        chunk.fill(0xee)
      }
    } finally {
      this.live--
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposals++
  }
}

interface CollectingOptions {
  readonly failAfter?: number
  readonly failure?: unknown
  /** Bytes after which a write does not settle until the sink is aborted. */
  readonly blockAfter?: number
}

/** Keeps what is written, and notes how it was ended. */
export class CollectingSink implements ByteSink {
  readonly label = 'collected'
  readonly events: string[] = []
  abortReason: unknown
  readonly blocked: Promise<void>
  readonly #parts: Buffer[] = []
  readonly #options: CollectingOptions
  #bytes = 0
  #onBlocked: () => void = () => {}
  #release: (reason: unknown) => void = () => {}

  constructor(options: CollectingOptions = {}) {
    this.#options = options
    this.blocked = new Promise(resolve => {
      this.#onBlocked = resolve
    })
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { failAfter, failure, blockAfter } = this.#options
    if (failAfter !== undefined && this.#bytes >= failAfter) throw failure
    if (blockAfter !== undefined && this.#bytes >= blockAfter) {
      this.#onBlocked()
      await new Promise((_, reject) => {
        this.#release = reject
      })
    }
    this.#parts.push(Buffer.from(chunk))
    this.#bytes += chunk.length
  }

  async close(): Promise<void> {
    this.events.push('close')
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.events.length > 0) return
    this.events.push('abort')
    this.abortReason = reason
    this.#release(reason ?? new Error('aborted'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }
}
