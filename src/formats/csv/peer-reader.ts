/** The engine for what the native one does not do: csv-parse reads the records. */
import type { Batch, ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import { PeerDecoder } from './peer-decoder.ts'
import type { ReadDialect } from './read-options.ts'

/** csv-parse takes this much at a time: what it makes of it is the largest batch. */
const PIECE_BYTES = 65_536

export function openPeerReader(source: ByteSource, dialect: ReadDialect, context: ReadContext): RowReader {
  return new PeerReader(source, dialect, context)
}

class PeerReader implements RowReader {
  readonly engine = 'csv-parse'
  readonly #source: ByteSource
  readonly #signal: AbortSignal
  readonly #decoder: PeerDecoder
  #chunks: AsyncIterator<Uint8Array> | undefined
  /** What is left of the chunk in hand. */
  #rest: Uint8Array = new Uint8Array(0)
  /** A batch that `ready()` met while it looked for the columns. */
  #ahead: Batch | null = null
  #ended = false

  constructor(source: ByteSource, dialect: ReadDialect, context: ReadContext) {
    this.#source = source
    this.#signal = context.signal
    this.#decoder = new PeerDecoder(dialect, context)
  }

  get columns(): readonly string[] | undefined {
    return this.#decoder.columns ?? undefined
  }

  async ready(): Promise<void> {
    if (this.#decoder.columns === null && this.#ahead === null) this.#ahead = await this.#next(true)
  }

  async read(): Promise<Batch | null> {
    const ahead = this.#ahead
    if (ahead === null) return this.#next(false)
    this.#ahead = null
    return ahead
  }

  async #next(untilColumns: boolean): Promise<Batch | null> {
    for (;;) {
      const rows = this.#decoder.take()
      if (rows !== null) return rows
      if (this.#ended || (untilColumns && this.#decoder.columns !== null)) return null
      if (this.#rest.length === 0) {
        this.#chunks ??= this.#source.stream({ signal: this.#signal })[Symbol.asyncIterator]()
        const chunk = await this.#chunks.next()
        if (chunk.done === true) {
          this.#ended = true
          await this.#decoder.flush()
          continue
        }
        this.#rest = chunk.value
      }
      const piece = this.#rest.subarray(0, PIECE_BYTES)
      this.#rest = this.#rest.subarray(PIECE_BYTES)
      await this.#decoder.decode(piece)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    this.#ahead = null
    this.#rest = new Uint8Array(0)
    this.#decoder.dispose()
    const chunks = this.#chunks
    this.#chunks = undefined
    try {
      await chunks?.return?.()
    } finally {
      await this.#source[Symbol.asyncDispose]()
    }
  }
}
