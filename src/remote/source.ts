/** Remote objects as sources: streams that survive what networks do, and ranged reads. */
import { setMaxListeners } from 'node:events'
import { abortable, whenAborted } from '../core/abort.ts'
import { ChunkIterator } from '../core/chunk-iterator.ts'
import { linkedController } from '../core/chunks.ts'
import { createError } from '../core/errors.ts'
import type { Abortable, ByteRange, ByteSource, RandomAccess } from '../core/types.ts'
import { type Clock, systemClock } from '../resilience/clock.ts'
import { Semaphore } from '../resilience/semaphore.ts'
import type { RemoteBody, RemoteChecksum, RemoteCounters, RemoteObject } from './object.ts'
import { AUTOMATIC_CONCURRENCY, type Beginning, ObjectFeed } from './object-feed.ts'
import { DEFAULT_TIMEOUT_MS, type RemoteOptions, retryPolicyOf } from './options.ts'
import { type ObjectVersion, RangeReader, type ReadingContext } from './range-reader.ts'
import { planRanges } from './ranges.ts'

export interface RemoteSourceOptions extends RemoteOptions, Abortable {
  /** As in `PlaceOptions`. */
  readonly access?: 'stream' | 'random' | undefined
  /** Bytes of each of the ranges that are fetched side by side. Default: 8 MiB. */
  readonly partBytes?: number | undefined
  /** How many ranges are fetched side by side. Default: one, and 4 where the network is what is waited for. */
  readonly concurrency?: number | undefined
  /** Whether a body may end by a connection that is closed. Default: false. */
  readonly allowUnknownEnd?: boolean | undefined
  readonly clock?: Clock | undefined
  /** Told of each attempt that failed and is followed by another one. */
  readonly onRetry?: (() => void) | undefined
  /** Called once when the source is disposed, or when it cannot be opened. */
  readonly onClose?: (() => void) | undefined
}

/** What is asked for first of an object of which only parts are wanted: enough to see what it is. */
const LOOK_BYTES = 64 * 1024
export const DEFAULT_PART_BYTES = 8 * 1024 * 1024

/** A source over a network, and what it took to read it so far. */
export interface RemoteByteSource extends ByteSource {
  readonly counters: Readonly<RemoteCounters>
  stream(options?: Abortable): AsyncIterableIterator<Uint8Array>
}

/**
 * Asks for the object, and gives it as a source once it has answered: its bytes are at hand then, or with
 * `access: 'random'` only the first. Rejects with the error of the object, or with `signal.reason`.
 */
export async function openRemoteSource(
  object: RemoteObject,
  options: RemoteSourceOptions = {},
): Promise<RemoteByteSource> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, retry, allowUnknownEnd = false, access, signal, onClose } = options
  const { clock = systemClock, onRetry } = options
  const counters: RemoteCounters = { requests: 0, retries: 0, receivedBytes: 0, open: 0 }
  let reader: RangeReader | undefined
  try {
    signal?.throwIfAborted()
    const policy = retryPolicyOf(retry)
    const context: ReadingContext = { object, policy, timeoutMs, allowUnknownEnd, counters, clock, onRetry }
    reader = new RangeReader(context, 0, access === 'random' ? 1 : undefined)
    const body = await abortable(reader.open(), signal)
    if (access === 'random' && body.ranges) {
      // One byte, which is there: reading it leaves the connection free for what is wanted.
      while ((await abortable(reader.pull(), signal)) !== null);
      await reader.stop()
    } else if (access === 'random') reader.limit(undefined)
    return new RemoteSource(context, body, body.ranges && access === 'random' ? undefined : reader, options)
  } catch (error) {
    await reader?.stop()
    onClose?.()
    throw error
  }
}

class RemoteSource implements RemoteByteSource {
  readonly label: string
  readonly replayable = true
  readonly random?: RandomAccess
  readonly size?: number
  readonly fileName?: string
  readonly mediaType?: string
  readonly #context: ReadingContext
  readonly #options: RemoteSourceOptions
  readonly #version: ObjectVersion
  readonly #checksum: RemoteChecksum | undefined
  /** The answer to the request that opened the source, or what was read of it, until somebody reads on. */
  #beginning: Beginning | undefined
  readonly #streams = new Set<ChunkIterator>()
  readonly #closing = new AbortController()
  #disposing: Promise<void> | undefined

  constructor(context: ReadingContext, body: RemoteBody, first: RangeReader | undefined, options: RemoteSourceOptions) {
    const { etag, total, ranges, fileName, mediaType } = body
    this.label = context.object.label
    this.#context = context
    this.#options = options
    this.#version = { etag, total }
    this.#checksum = body.checksum
    this.#beginning = first === undefined ? undefined : { chunks: [], reader: first }
    if (total !== undefined) this.size = total
    if (fileName !== undefined) this.fileName = fileName
    if (mediaType !== undefined) this.mediaType = mediaType
    if (ranges && etag !== undefined && total !== undefined) this.random = this.#createRandom(total)
  }

  get counters(): Readonly<RemoteCounters> {
    return this.#context.counters
  }

  stream(options: Abortable = {}): AsyncIterableIterator<Uint8Array> {
    this.#checkOpen()
    const beginning = this.#beginning ?? { chunks: [], reader: this.#begin() }
    this.#beginning = undefined
    const { partBytes = DEFAULT_PART_BYTES, concurrency } = this.#options
    const feed = new ObjectFeed(this.#context, { partBytes, concurrency }, beginning, this.#checksum)
    const stop = async () => {
      const over = this.#closing.signal.aborted || options.signal?.aborted === true
      const back = over || this.#beginning !== undefined ? undefined : feed.takeBack()
      if (back === undefined) await feed.stop()
      else this.#beginning = back
      // Not before the constructor, which may call this, has given the stream.
      await undefined
      this.#streams.delete(stream)
    }
    const stream: ChunkIterator = new ChunkIterator({ pull: () => feed.pull(), stop }, this.label, options.signal)
    this.#streams.add(stream)
    return stream
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose()
    return this.#disposing
  }

  /** Where parts are what is wanted, a look at the beginning does not ask for all. */
  #begin(): RangeReader {
    const { size = 0 } = this
    const partly = this.#options.access === 'random' && this.random !== undefined && size > LOOK_BYTES
    return new RangeReader(this.#context, 0, partly ? LOOK_BYTES : undefined, this.#pinned)
  }

  /** What every later answer must be of: nothing where only a length is known, as another version may have it too. */
  get #pinned(): ObjectVersion | undefined {
    return this.#version.etag === undefined ? undefined : this.#version
  }

  async #dispose(): Promise<void> {
    const closed = this.#closed()
    this.#closing.abort(closed)
    await Promise.all([this.#giveUpBeginning(), ...[...this.#streams].map(stream => stream.cancel(closed))])
    this.#options.onClose?.()
  }

  async #giveUpBeginning(): Promise<void> {
    const { reader } = this.#beginning ?? {}
    this.#beginning = undefined
    await reader?.stop()
  }

  #closed(): Error {
    return createError('HANDLE_CLOSED', 'the source was disposed', { label: this.label })
  }

  #checkOpen(): void {
    if (this.#disposing !== undefined) throw this.#closed()
  }

  #createRandom(total: number): RandomAccess {
    const { partBytes = DEFAULT_PART_BYTES, concurrency = AUTOMATIC_CONCURRENCY } = this.#options
    const semaphore = new Semaphore(concurrency)
    return {
      size: async options => {
        this.#checkOpen()
        options?.signal?.throwIfAborted()
        return total
      },
      readRanges: async (ranges, options) => {
        this.#checkOpen()
        options?.signal?.throwIfAborted()
        // Who reads parts does not want the rest that the first answer brings.
        await this.#giveUpBeginning()
        return this.#readRanges(ranges, total, partBytes, semaphore, options?.signal)
      },
    }
  }

  async #readRanges(
    ranges: readonly ByteRange[],
    total: number,
    partBytes: number,
    semaphore: Semaphore,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array[]> {
    const planned = planRanges(ranges, total, partBytes, this.label)
    const results = ranges.map(({ start, end }) => new Uint8Array(end - start))
    // The first failure ends them all.
    const { controller, stop } = linkedController(signal)
    const unlisten = whenAborted(this.#closing.signal, reason => controller.abort(reason))
    const all = controller.signal
    // One for each request that waits for its turn.
    setMaxListeners(0, all)
    const fetching = planned.map(({ start, end, parts }) =>
      semaphore.run(
        () =>
          this.#fetch(start, end, all, (chunk, at) => {
            for (const part of parts) {
              const from = Math.max(part.start, at)
              const to = Math.min(part.end, at + chunk.length)
              if (from >= to) continue
              results[part.index]!.set(chunk.subarray(from - at, to - at), from - ranges[part.index]!.start)
            }
          }),
        { signal: all },
      ),
    )
    try {
      await Promise.all(fetching)
    } catch (error) {
      controller.abort(error)
      await Promise.allSettled(fetching)
      throw error
    } finally {
      stop()
      unlisten()
    }
    return results
  }

  async #fetch(
    start: number,
    end: number,
    signal: AbortSignal,
    take: (chunk: Uint8Array, at: number) => void,
  ): Promise<void> {
    const reader = new RangeReader(this.#context, start, end, this.#version)
    try {
      for (;;) {
        const at = reader.position
        const chunk = await abortable(reader.pull(), signal)
        if (chunk === null) return
        take(chunk, at)
      }
    } finally {
      await reader.stop()
    }
  }
}
