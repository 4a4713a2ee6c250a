/** The streams that a source has given out: what disposing it ends. */
import { type ChunkFeed, ChunkIterator } from './chunk-iterator.ts'
import { createError } from './errors.ts'

/**
 * What `stream()` of a `ByteSource` gives, and the end of it: streams stop at once when they are given up, aborted, or their
 * source is disposed.
 */
export class SourceStreams {
  readonly #label: string
  readonly #release: () => PromiseLike<void>
  readonly #open = new Set<ChunkIterator>()
  #disposing: Promise<void> | undefined

  /** `release` frees what all streams stand on; it is called once, when none of them is in use any more. */
  constructor(label: string, release: () => PromiseLike<void>) {
    this.#label = label
    this.#release = release
  }

  /** Whether the source was disposed, or is being so. */
  get disposed(): boolean {
    return this.#disposing !== undefined
  }

  /** Throws HANDLE_CLOSED once the source is disposed. */
  check(): void {
    if (this.disposed) {
      throw createError('HANDLE_CLOSED', 'the source was disposed', { label: this.#label })
    }
  }

  /** A stream over what `createFeed` makes. Throws HANDLE_CLOSED once the source is disposed. */
  add(createFeed: () => ChunkFeed, signal: AbortSignal | undefined): ChunkIterator {
    this.check()
    const feed = createFeed()
    const stream: ChunkIterator = new ChunkIterator(
      { pull: () => feed.pull(), stop: () => feed.stop().finally(() => this.#open.delete(stream)) },
      this.#label,
      signal,
    )
    this.#open.add(stream)
    return stream
  }

  /** Ends every stream that is still read, then releases. */
  dispose(): Promise<void> {
    this.#disposing ??= this.#dispose()
    return this.#disposing
  }

  async #dispose(): Promise<void> {
    const closed = createError('HANDLE_CLOSED', 'the source was disposed while it was read', { label: this.#label })
    await Promise.all([...this.#open].map(stream => stream.cancel(closed)))
    await this.#release()
  }
}
