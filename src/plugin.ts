/**
 * What formats, codecs and places of your own are built of, so that none of it has to be written anew. The ports that they
 * implement are types of `open-iterable`, the suites that they must pass are in `open-iterable/testing`.
 *
 * ```ts
 * import { BlockSplitter, decodeStream, encodeStream, recordError } from 'open-iterable/plugin'
 * ```
 */
import { DecodedSource } from './core/decoded-source.ts'
import { type SyncEncoder, SyncEncodeStage } from './core/encode-stage.ts'
import type { EncodedInput } from './core/encoded-input.ts'
import { EncodedSink } from './core/encoded-sink.ts'
import { createError, type DataError, type ErrorDetails } from './core/errors.ts'
import type { Codec, CodecOptions } from './core/types.ts'

export { type Block, type BlockOptions, BlockSplitter } from './core/blocks.ts'
export { CHUNK_BYTES, OutputBuffer } from './core/bytes.ts'
export type { ChunkFeed } from './core/chunk-iterator.ts'
export type { SyncEncoder } from './core/encode-stage.ts'
export { createError, excerpt } from './core/errors.ts'
export { invalidOption, is } from './core/options.ts'
export { SourceStreams } from './core/source-streams.ts'
export { decodeStream, encodeStream } from './core/stream.ts'

/** What a codec decodes, taken in the pieces that its format has. `rest` is the part of the chunk in hand that is not taken yet. */
export interface CodecInput
  extends Pick<
    EncodedInput,
    'label' | 'rest' | 'offset' | 'ended' | 'more' | 'advance' | 'byte' | 'take' | 'skip' | 'turns' | 'signal' | 'error'
  > {}

/** The two halves of a codec, of which either may be missing. */
export interface CodecParts {
  /**
   * Decodes an input from its beginning to its end. Chunks are lent and not empty; free what is held in `finally`, as
   * the generator is returned where the reading is given up. `maxDecodedBytes` and `maxRatio` are looked after.
   * Default: none, it cannot read.
   */
  readonly decode?: (input: CodecInput, options: CodecOptions) => AsyncGenerator<Uint8Array, void, undefined>
  /**
   * Makes what encodes one output. Throw `invalidOption` for a `level` that there is not. Default: none, it cannot
   * write.
   */
  readonly createEncoder?: (options: CodecOptions) => SyncEncoder | Promise<SyncEncoder>
}

/**
 * A codec of two functions; streaming, backpressure, limits, order of calls and release are looked after.
 *
 * @throws CodecError CODEC_UNSUPPORTED, from a half that is missing: say `reads` or `writes: false` in its entry.
 */
export function createCodec({ decode, createEncoder }: CodecParts): Codec {
  return {
    decode(source, options) {
      if (decode === undefined) throw missingHalf('read', source.label)
      return new DecodedSource(source, options, input => decode(input, options))
    },
    encode(sink, options) {
      if (createEncoder === undefined) throw missingHalf('write', sink.label)
      return new EncodedSink(sink, new SyncEncodeStage(createEncoder(options)))
    },
  }
}

const missingHalf = (verb: string, label: string): Error =>
  createError('CODEC_UNSUPPORTED', `the codec cannot ${verb}`, { label })

/**
 * The error of a record that is not what your format asks for, RECORD_INVALID. Hand it to `context.onBadRecord`, which
 * throws it or returns as the user's policy says; other errors than those of this library are never left out.
 */
export function recordError(summary: string, details?: ErrorDetails): DataError {
  return createError('RECORD_INVALID', summary, details)
}
