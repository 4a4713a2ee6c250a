/** A range that is fetched into memory before its turn comes. */
import { type ObjectVersion, RangeReader, type ReadingContext } from './range-reader.ts'

/** Holds at most the bytes of its range. */
export class PrefetchedRange {
  readonly version: ObjectVersion
  readonly #context: ReadingContext
  readonly #end: number
  #reader: RangeReader
  readonly #chunks: Uint8Array[] = []
  #state: 'fetching' | 'whole' | 'failed' | 'direct' = 'fetching'
  /** Wakes up whoever waits for a chunk. */
  #wake: (() => void) | undefined

  constructor(context: ReadingContext, start: number, end: number, version: ObjectVersion) {
    this.#context = context
    this.#end = end
    this.version = version
    this.#reader = new RangeReader(context, start, end, version)
    void this.#fetch()
  }

  /** A chunk that is there already; undefined where one has to be waited for, by `pull()`. */
  take(): Uint8Array | undefined {
    return this.#chunks.shift()
  }

  async pull(): Promise<Uint8Array | null> {
    while (this.#chunks.length === 0 && this.#state === 'fetching') {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    const chunk = this.#chunks.shift()
    if (chunk !== undefined) return chunk
    if (this.#state === 'whole') return null
    if (this.#state === 'failed') {
      // Nobody waited when it failed, perhaps for want of a free connection: now it is tried in earnest.
      this.#reader = new RangeReader(this.#context, this.#reader.position, this.#end, this.version)
      this.#state = 'direct'
    }
    return this.#reader.pull()
  }

  async stop(): Promise<void> {
    await this.#reader.stop()
    this.#chunks.length = 0
  }

  async #fetch(): Promise<void> {
    try {
      for (;;) {
        const chunk = await this.#reader.pull()
        if (chunk === null) break
        this.#chunks.push(chunk)
        this.#wake?.()
      }
      this.#state = 'whole'
    } catch {
      this.#state = 'failed'
    }
    this.#wake?.()
  }
}
