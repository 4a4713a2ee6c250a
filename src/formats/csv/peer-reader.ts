/** The engine for what the native one does not do: csv-parse reads the records. */
import type { Schema } from '../../core/schema.ts'
import type { Batch, ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import type { Decided } from '../../core/typing.ts'
import { PeerDecoder } from './peer-decoder.ts'
import type { ReadDialect } from './read-dialect.ts'

/** csv-parse takes this much at a time: what it makes of it is the largest batch. */
const PIECE_BYTES = 65_536

export function openPeerReader(source: ByteSource, dialect: ReadDialect, context: ReadContext): RowReader {
  return new PeerReader(source, dialect, context)
}

/** Reads everything to see of what types the columns are, as far as it goes. */
export async function scanByPeer(
  source: ByteSource,
  dialect: ReadDialect,
  context: ReadContext,
): Promise<Decided | undefined> {
  const decoder = new PeerDecoder(dialect, context)
  try {
    for await (const chunk of source.stream({ signal: context.signal })) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        await decoder.decode(chunk.subarray(at, at + PIECE_BYTES))
        decoder.take()
      }
    }
    await decoder.flush()
  } catch {
    // told by the second reading
  } finally {
    decoder.release()
    decoder.dispose()
  }
  return decoder.decided
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
  /** How the source failed, while the rows before that are delivered. */
  #failure: { readonly error: unknown } | undefined

  constructor(source: ByteSource, dialect: ReadDialect, context: ReadContext) {
    this.#source = source
    this.#signal = context.signal
    this.#decoder = new PeerDecoder(dialect, context)
  }

  get columns(): readonly string[] | undefined {
    return this.#decoder.columns ?? undefined
  }
  get schema(): Schema | undefined {
    return this.#decoder.schema
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
        if (this.#failure !== undefined) throw this.#failure.error
        this.#chunks ??= this.#source.stream({ signal: this.#signal })[Symbol.asyncIterator]()
        let chunk: IteratorResult<Uint8Array>
        try {
          chunk = await this.#chunks.next()
        } catch (error) {
          this.#failure = { error }
          this.#decoder.release()
          continue
        }
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
