/** brotli (RFC 7932), by node:zlib. The format has neither magic bytes nor a checksum. */
import { constants, createBrotliCompress, createBrotliDecompress } from 'node:zlib'
import { DecodedSource } from '../core/decoded-source.ts'
import { type EncodedInput, hexBytes } from '../core/encoded-input.ts'
import { EncodedSink } from '../core/encoded-sink.ts'
import { invalidOption } from '../core/options.ts'
import type { Codec } from '../core/types.ts'
import {
  decodeByZlib,
  ENCODED_CHUNK_BYTES,
  MAX_DECODED_CHUNK_BYTES,
  stageOptions,
  ZlibStage,
} from '../core/zlib-stage.ts'

/** brotli's own default, 11, is made for files that are packed once and fetched often: it takes 100 times as long. */
const DEFAULT_LEVEL = 5

/**
 * `decode` takes one stream: nothing tells where another would begin, so whatever follows is CODEC_TRAILING_DATA. Damage
 * is seen only where it cannot be decoded. `level` (brotli's quality) is 0 to 11, by default 5.
 */
export const codec: Codec = {
  decode: (source, options) => new DecodedSource(source, options, decode),
  encode: (sink, { level = DEFAULT_LEVEL }) => {
    if (!Number.isInteger(level) || level < 0 || level > 11) {
      throw invalidOption('level', 'a whole number from 0 to 11', level)
    }
    const params = { [constants.BROTLI_PARAM_QUALITY]: level }
    return new EncodedSink(sink, new ZlibStage(createBrotliCompress({ ...stageOptions(ENCODED_CHUNK_BYTES), params })))
  },
}

async function* decode(input: EncodedInput): AsyncGenerator<Uint8Array, void, undefined> {
  if (!(await input.more())) {
    throw input.error('CODEC_TRUNCATED', 'the input is empty', { expected: 'a brotli stream', found: '0 bytes' })
  }
  const damaged = (cause: unknown): Error => {
    if ((cause as { code?: unknown }).code === 'Z_BUF_ERROR') {
      return input.error('CODEC_TRUNCATED', `the brotli stream is cut off at compressed byte ${input.offset}`, {
        expected: 'the rest of its data',
        found: 'the end of the input',
      })
    }
    return input.error('CODEC_CORRUPT', `the brotli stream is damaged after compressed byte ${input.offset}`, {
      expected: 'brotli data',
      found: cause instanceof Error ? cause.message : String(cause),
      hint: 'fetch or copy the file again; if it is not compressed, read it with { codecs: [] }',
      cause,
    })
  }
  yield* decodeByZlib(input, createBrotliDecompress(stageOptions(MAX_DECODED_CHUNK_BYTES)), { damaged })
  if (!(await input.more())) return
  throw input.error('CODEC_TRAILING_DATA', `other data follows the brotli stream, at compressed byte ${input.offset}`, {
    expected: 'the end of the input',
    found: hexBytes(input.rest.subarray(0, 4)),
    hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
  })
}
