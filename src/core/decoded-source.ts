/** The decoding half of a codec: a source whose bytes a generator decodes, held to the limits that all codecs share. */
import type { ChunkFeed } from './chunk-iterator.ts'
import { EncodedInput } from './encoded-input.ts'
import { SourceStreams } from './source-streams.ts'
import type { Abortable, ByteSource, CodecOptions } from './types.ts'

/**
 * Decoded bytes for each encoded one above which input is taken for a bomb. Real tables stay below a few hundred; zero
 * bytes reach 1,030 by deflate and 30,000 and more by zstd and brotli.
 */
export const DEFAULT_MAX_RATIO = 1000
/** Decoded bytes from which `maxRatio` holds: small constant files have any ratio, and do no harm. */
export const RATIO_FREE_BYTES = 16 * 1024 * 1024

/**
 * Decodes an input from its beginning to its end. Chunks are lent and not empty; whatever the generator holds is freed
 * in its `finally`. It is returned while a chunk is out, or after `input.stop()`.
 */
export type Decode = (input: EncodedInput) => AsyncGenerator<Uint8Array, void, undefined>

export class DecodedSource implements ByteSource {
  readonly label: string
  readonly replayable: boolean
  readonly #source: ByteSource
  readonly #options: CodecOptions
  readonly #decode: Decode
  readonly #streams: SourceStreams

  constructor(source: ByteSource, options: CodecOptions, decode: Decode) {
    this.label = source.label
    this.replayable = source.replayable
    this.#source = source
    this.#options = options
    this.#decode = decode
    this.#streams = new SourceStreams(source.label, () => source[Symbol.asyncDispose]())
  }

  stream({ signal }: Abortable = {}): AsyncIterableIterator<Uint8Array> {
    return this.#streams.add(() => new DecodeFeed(this.#source, this.#options, this.#decode), signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#streams.dispose()
  }
}

class DecodeFeed implements ChunkFeed {
  readonly #input: EncodedInput
  readonly #chunks: AsyncGenerator<Uint8Array, void, undefined>
  readonly #maxDecodedBytes: number
  readonly #maxRatio: number

  constructor(source: ByteSource, options: CodecOptions, decode: Decode) {
    this.#input = new EncodedInput(source)
    this.#chunks = decode(this.#input)
    this.#maxDecodedBytes = options.maxDecodedBytes ?? Number.POSITIVE_INFINITY
    this.#maxRatio = options.maxRatio ?? DEFAULT_MAX_RATIO
  }

  async pull(): Promise<Uint8Array | null> {
    const step = await this.#chunks.next()
    if (step.done === true) return null
    this.#input.decoded += step.value.length
    this.#checkLimits()
    return step.value
  }

  async stop(): Promise<void> {
    this.#input.stop()
    await this.#chunks.return().catch(() => {})
    await this.#input.release()
  }

  #checkLimits(): void {
    const { decoded, offset } = this.#input
    if (decoded > this.#maxDecodedBytes) {
      throw this.#input.error(
        'CODEC_LIMIT_EXCEEDED',
        `more than ${this.#maxDecodedBytes} bytes come out of the input`,
        {
          expected: `at most ${this.#maxDecodedBytes} bytes (maxDecodedBytes)`,
          found: `${decoded} bytes, out of ${offset} compressed ones`,
          hint: 'raise maxDecodedBytes if the input is meant to be this large',
        },
      )
    }
    if (decoded > RATIO_FREE_BYTES && decoded > offset * this.#maxRatio) {
      throw this.#input.error('CODEC_LIMIT_EXCEEDED', 'the input looks like a decompression bomb', {
        expected: `at most ${this.#maxRatio} bytes for each compressed one (maxRatio)`,
        found: `${decoded} bytes out of ${offset} compressed ones`,
        hint: 'if you trust the input, read it with { maxRatio: Infinity }',
      })
    }
  }
}
