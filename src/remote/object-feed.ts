/** All bytes of a remote object in order, by one request or by ranges that are fetched side by side. */
import type { ChunkFeed } from '../core/chunk-iterator.ts'
import { createError } from '../core/errors.ts'
import { type RunningChecksum, startChecksum } from './checksum.ts'
import type { RemoteChecksum } from './object.ts'
import { PrefetchedRange } from './prefetched-range.ts'
import { RangeReader, type ReadingContext } from './range-reader.ts'

export interface ParallelOptions {
  /** Bytes of each range. */
  readonly partBytes: number
  /** How many at once; undefined: one until the network is what is waited for, then `AUTOMATIC_CONCURRENCY`. */
  readonly concurrency: number | undefined
}

/** How many ranges are fetched side by side where nobody says it. */
export const AUTOMATIC_CONCURRENCY = 4
/** What one connection gives to a host nearby; more connections then only cost. Bytes each second. */
const QUICK_BYTES_PER_SECOND = 32 * 1024 * 1024

/**
 * Whether more connections would help a reader that has got `bytes` in `elapsedMs`, of which it waited `waitedMs` for the
 * network: it waits for most of the time, and gets little for it.
 */
export function isHeldUpByNetwork(bytes: number, waitedMs: number, elapsedMs: number): boolean {
  return waitedMs > elapsedMs / 2 && bytes < (QUICK_BYTES_PER_SECOND * waitedMs) / 1000
}

/** What a stream begins with. */
export interface Beginning {
  /** Bytes that an earlier stream has read already. */
  readonly chunks: readonly Uint8Array[]
  /** Goes on behind them. */
  readonly reader: RangeReader
}

/**
 * A stream that is given up within its first bytes leaves them to the next one, with the answer that they are of: looking
 * at the beginning of a file does not cost a request.
 */
export const BEGINNING_BYTES = 256 * 1024

/**
 * Begins with one request for all, so that a small object takes no more. Once a part was consumed, and so the first rows
 * of many are not all that is wanted, the request is cut short and what follows is fetched in ranges, in advance.
 */
export class ObjectFeed implements ChunkFeed {
  readonly #context: ReadingContext
  readonly #options: ParallelOptions
  /** What gives the bytes that are next. */
  #head: RangeReader | PrefetchedRange
  readonly #ahead: PrefetchedRange[] = []
  /** Chunks to give before those of `#head`. */
  readonly #before: Uint8Array[]
  /** Chunks given so far, as long as they are few. */
  #given: Uint8Array[] | undefined = []
  #pulling = false
  /** The beginning of the first byte that nobody fetches yet; undefined while one request fetches all. */
  #next: number | undefined
  readonly #checksum: RemoteChecksum | undefined
  readonly #running: RunningChecksum | undefined
  #position = 0
  #decideAt: number
  readonly #startedAt: number
  #waitedMs = 0

  constructor(
    context: ReadingContext,
    options: ParallelOptions,
    { chunks, reader }: Beginning,
    checksum?: RemoteChecksum,
  ) {
    this.#context = context
    this.#options = options
    this.#before = [...chunks]
    this.#head = reader
    this.#checksum = checksum
    this.#running = checksum === undefined ? undefined : startChecksum(checksum.algorithm)
    this.#decideAt = options.partBytes
    this.#startedAt = context.clock.now()
  }

  async pull(): Promise<Uint8Array | null> {
    this.#pulling = true
    if (this.#position >= this.#decideAt && this.#next === undefined) this.#decide()
    const chunk = this.#before.shift() ?? this.#head.take() ?? (await this.#pull())
    // What fails on the way leaves it set: nothing can be made of the rest then.
    this.#pulling = false
    if (chunk === null) {
      this.#given = undefined
      this.#checkWhole()
      return null
    }
    this.#position += chunk.length
    this.#running?.update(chunk)
    if (this.#position <= BEGINNING_BYTES) this.#given?.push(chunk)
    else this.#given = undefined
    return chunk
  }

  /** What was read, to begin another stream with; undefined where it was too much, or is under way. To be asked for once. */
  takeBack(): Beginning | undefined {
    const chunks = this.#given
    const reader = this.#head
    if (chunks === undefined || this.#pulling || !(reader instanceof RangeReader)) return undefined
    this.#given = undefined
    return { chunks: [...chunks, ...this.#before.splice(0)], reader }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#head, ...this.#ahead.splice(0)].map(reader => reader.stop()))
  }

  async #pull(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk = await this.#waitFor(this.#head)
      if (chunk !== null) return chunk
      const following = this.#ahead.shift()
      if (following !== undefined) {
        this.#head = following
        this.#fetchAhead()
      } else if (this.#head.version.etag !== undefined && this.#position < (this.#head.version.total ?? 0)) {
        this.#head = new RangeReader(this.#context, this.#position, undefined, this.#head.version)
      } else return null
    }
  }

  async #waitFor(reader: RangeReader | PrefetchedRange): Promise<Uint8Array | null> {
    const { clock } = this.#context
    const from = clock.now()
    const chunk = await reader.pull()
    this.#waitedMs += clock.now() - from
    return chunk
  }

  #decide(): void {
    const { partBytes, concurrency } = this.#options
    const { clock } = this.#context
    const head = this.#head
    if (!(head instanceof RangeReader)) return
    const { etag, total } = head.version
    this.#decideAt = this.#position + partBytes
    if (etag === undefined || total === undefined || total - this.#position < 2 * partBytes) return
    const elapsedMs = clock.now() - this.#startedAt
    if (concurrency === 1) return
    if (concurrency === undefined && !isHeldUpByNetwork(this.#position, this.#waitedMs, elapsedMs)) return
    this.#next = this.#position + partBytes
    head.limit(this.#next)
    this.#fetchAhead()
  }

  #fetchAhead(): void {
    const { partBytes, concurrency = AUTOMATIC_CONCURRENCY } = this.#options
    const { total } = this.#version
    while (this.#next! < total! && this.#ahead.length + 1 < concurrency) {
      const start = this.#next!
      const end = Math.min(start + partBytes, total!)
      this.#next = end
      this.#ahead.push(new PrefetchedRange(this.#context, start, end, this.#version))
    }
  }

  get #version() {
    return this.#head.version
  }

  #checkWhole(): void {
    if (this.#checksum === undefined) return
    const { algorithm, value } = this.#checksum
    const found = this.#running!.digest()
    if (found === value) return
    throw createError('SOURCE_CORRUPT', `the ${algorithm} of the object is wrong`, {
      label: this.#context.object.label,
      expected: `${value}, which the object was stored with`,
      found: `${found}, of the bytes that arrived`,
    })
  }
}
