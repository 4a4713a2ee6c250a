/** Drives the synchronous state machines: a decoder over a source's chunks, an encoder into a sink. */
import type { Schema } from './schema.ts'
import type { Batch, ByteSink, ByteSource, Decoder, Encoder, ReadContext, RowReader, RowWriter } from './types.ts'

/** Rows of `source` by `decoder`. Disposing the reader disposes the source. */
export function decodeStream<R>(
  source: ByteSource,
  decoder: Decoder<R>,
  context: Pick<ReadContext, 'signal' | 'settle'>,
  engine?: string,
): RowReader<R> {
  return new DecodingReader(source, decoder, context, engine)
}

class DecodingReader<R> implements RowReader<R> {
  readonly engine: string | undefined
  readonly #source: ByteSource
  readonly #decoder: Decoder<R>
  readonly #context: Pick<ReadContext, 'signal' | 'settle'>
  #chunks: AsyncIterator<Uint8Array> | undefined
  /** Batches of the chunk in hand; the decoder is asked for more of them only as they are read. */
  #batches: Iterator<Batch<R>> | undefined
  /** A batch that `ready()` met while it looked for the columns. */
  #ahead: Batch<R> | null = null
  #ended = false
  /** How the source failed, while the rows before that are delivered. */
  #failure: { readonly error: unknown } | undefined

  constructor(
    source: ByteSource,
    decoder: Decoder<R>,
    context: Pick<ReadContext, 'signal' | 'settle'>,
    engine: string | undefined,
  ) {
    this.engine = engine
    this.#source = source
    this.#decoder = decoder
    this.#context = context
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

  async read(): Promise<Batch<R> | null> {
    const ahead = this.#ahead
    if (ahead !== null) {
      this.#ahead = null
      return ahead
    }
    return this.#next(false)
  }

  /** The next batch; with `untilColumns`, null as soon as the columns are known. */
  async #next(untilColumns: boolean): Promise<Batch<R> | null> {
    for (;;) {
      if (this.#batches !== undefined) {
        const step = this.#batches.next()
        if (step.done !== true) return step.value
        this.#batches = undefined
      }
      await this.#context.settle?.()
      if (this.#failure !== undefined) throw this.#failure.error
      if (this.#ended || (untilColumns && this.#decoder.columns !== null)) return null
      this.#chunks ??= this.#source.stream({ signal: this.#context.signal })[Symbol.asyncIterator]()
      let chunk: IteratorResult<Uint8Array>
      try {
        chunk = await this.#chunks.next()
      } catch (error) {
        this.#failure = { error }
        this.#batches = this.#decoder.release?.()[Symbol.iterator]()
        continue
      }
      if (chunk.done === true) this.#ended = true
      const batches = chunk.done === true ? this.#decoder.flush() : this.#decoder.decode(chunk.value)
      this.#batches = batches[Symbol.iterator]()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    this.#batches = undefined
    this.#ahead = null
    const chunks = this.#chunks
    this.#chunks = undefined
    try {
      await chunks?.return?.()
    } finally {
      await this.#source[Symbol.asyncDispose]()
    }
  }
}

/** A writer of rows into `sink` by `encoder`; one write is in flight while the next chunk is filled. */
export function encodeStream<R>(sink: ByteSink, encoder: Encoder<R>, engine?: string): RowWriter<R> {
  return new EncodingWriter(sink, encoder, engine)
}

class EncodingWriter<R> implements RowWriter<R> {
  readonly engine: string | undefined
  readonly #sink: ByteSink
  readonly #encoder: Encoder<R>
  #inFlight: Promise<void> | undefined

  constructor(sink: ByteSink, encoder: Encoder<R>, engine: string | undefined) {
    this.engine = engine
    this.#sink = sink
    this.#encoder = encoder
  }

  get columns(): readonly string[] | undefined {
    return this.#encoder.columns
  }

  suggestColumns(columns: readonly string[]): void {
    this.#encoder.suggestColumns?.(columns)
  }

  async write(batch: Batch<R>): Promise<void> {
    for (const chunk of this.#encoder.encode(batch)) await this.#send(chunk)
  }

  async close(): Promise<void> {
    for (const chunk of this.#encoder.flush()) await this.#send(chunk)
    await this.#inFlight
    await this.#sink.close()
  }

  async abort(reason?: unknown): Promise<void> {
    await this.#sink.abort(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sink[Symbol.asyncDispose]()
  }

  async #send(chunk: Uint8Array): Promise<void> {
    await this.#inFlight
    this.#inFlight = this.#sink.write(chunk)
    // Awaited by the next call; until then a failure must not count as unhandled.
    this.#inFlight.catch(() => {})
  }
}
