/**
 * deflate, named as the Web's CompressionStream names it: `deflate` is zlib's format (RFC 1950), which has a header and a
 * checksum; `deflate-raw` is the compressed data alone (RFC 1951), which has neither.
 */
import { constants, createDeflate, createDeflateRaw, createInflateRaw } from 'node:zlib'
import { DecodedSource } from '../core/decoded-source.ts'
import { type EncodedInput, hex, hexBytes } from '../core/encoded-input.ts'
import { EncodedSink } from '../core/encoded-sink.ts'
import { invalidOption } from '../core/options.ts'
import type { Codec, CodecOptions } from '../core/types.ts'
import {
  decodeByZlib,
  ENCODED_CHUNK_BYTES,
  MAX_DECODED_CHUNK_BYTES,
  stageOptions,
  ZlibStage,
} from '../core/zlib-stage.ts'
import { adler32 } from './deflate-checksum.ts'

/** Method 8 in the lower half of the first byte; the upper half is the window's size, 7 (32 KiB) at most. */
const isHeader = (first: number, second: number): boolean =>
  (first & 0x0f) === 8 && first >> 4 <= 7 && (first * 256 + second) % 31 === 0
const PRESET_DICTIONARY = 0x20

/**
 * `deflate`: `decode` takes any number of streams, one after the other, as pieces that were appended one by one are;
 * `encode` writes one. `level` is 0 to 9, or -1 (the default: zlib's own, which is 6).
 */
export const codec: Codec = {
  decode: (source, options) => new DecodedSource(source, options, decode),
  encode: (sink, options) =>
    new EncodedSink(
      sink,
      new ZlibStage(createDeflate({ ...stageOptions(ENCODED_CHUNK_BYTES), level: level(options) })),
    ),
}

/**
 * `deflate-raw`: one stream, of which damage is only seen where it cannot be decoded. `level` as for `deflate`.
 */
export const rawCodec: Codec = {
  decode: (source, options) => new DecodedSource(source, options, decodeRaw),
  encode: (sink, options) =>
    new EncodedSink(
      sink,
      new ZlibStage(createDeflateRaw({ ...stageOptions(ENCODED_CHUNK_BYTES), level: level(options) })),
    ),
}

function level({ level = -1 }: CodecOptions): number {
  if (Number.isInteger(level) && level >= -1 && level <= 9) return level
  throw invalidOption('level', 'a whole number from 0 to 9, or -1 for the default', level)
}

async function* decode(input: EncodedInput): AsyncGenerator<Uint8Array, void, undefined> {
  for (let number = 1; await readHeader(input, number); number++) {
    let checksum = 1
    const stream = createInflateRaw({
      ...stageOptions(MAX_DECODED_CHUNK_BYTES),
      finishFlush: constants.Z_SYNC_FLUSH,
    })
    for await (const chunk of decodeByZlib(input, stream, { damaged: cause => damaged(input, cause) })) {
      checksum = adler32(chunk, checksum)
      yield chunk
    }
    const trailer = await input.take(4)
    if (trailer === undefined) throw truncated(input)
    const expected = trailer.readUInt32BE(0)
    if (expected === checksum) continue
    throw input.error('CODEC_CORRUPT', 'the checksum of the deflate stream is wrong', {
      expected: `${hex(expected)}, which the stream says`,
      found: `${hex(checksum)}, of the data decoded`,
      hint: 'the rows already read may be wrong too: fetch or copy the file again',
    })
  }
}

/** Reads the two bytes of a header; false where the input ends in place of them. */
async function readHeader(input: EncodedInput, number: number): Promise<boolean> {
  const start = input.offset
  const first = await input.byte()
  if (first === undefined) {
    if (number > 1) return false
    throw input.error('CODEC_TRUNCATED', 'the input is empty', { expected: 'a deflate stream', found: '0 bytes' })
  }
  const second = (first & 0x0f) === 8 && first >> 4 <= 7 ? await input.byte() : undefined
  if (second === undefined && (first & 0x0f) === 8 && first >> 4 <= 7) throw truncated(input)
  if (second === undefined || !isHeader(first, second)) {
    const found = hexBytes(second === undefined ? [first] : [first, second])
    if (number > 1) {
      throw input.error('CODEC_TRAILING_DATA', `other data follows the deflate stream, at compressed byte ${start}`, {
        expected: 'the end of the input',
        found,
        hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
      })
    }
    throw input.error('CODEC_CORRUPT', 'this is not deflate data in a zlib frame', {
      expected: 'a zlib header, such as 78 9c',
      found,
      hint: "deflate data without a frame is read with { codecs: ['deflate-raw'] }",
    })
  }
  if ((second & PRESET_DICTIONARY) === 0) return true
  throw input.error('CODEC_UNSUPPORTED', 'the deflate stream needs a preset dictionary', {
    expected: 'a stream without one',
    found: hexBytes([first, second]),
  })
}

async function* decodeRaw(input: EncodedInput): AsyncGenerator<Uint8Array, void, undefined> {
  if (!(await input.more())) {
    throw input.error('CODEC_TRUNCATED', 'the input is empty', { expected: 'a deflate stream', found: '0 bytes' })
  }
  const stream = createInflateRaw(stageOptions(MAX_DECODED_CHUNK_BYTES))
  yield* decodeByZlib(input, stream, {
    damaged: cause => ((cause as { code?: unknown }).code === 'Z_BUF_ERROR' ? truncated(input) : damaged(input, cause)),
  })
  if (!(await input.more())) return
  throw input.error(
    'CODEC_TRAILING_DATA',
    `other data follows the deflate stream, at compressed byte ${input.offset}`,
    {
      expected: 'the end of the input',
      found: hexBytes(input.rest.subarray(0, 4)),
      hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
    },
  )
}

function truncated(input: EncodedInput): Error {
  return input.error('CODEC_TRUNCATED', `the deflate stream is cut off at compressed byte ${input.offset}`, {
    expected: 'the rest of its data',
    found: 'the end of the input',
  })
}

function damaged(input: EncodedInput, cause: unknown): Error {
  return input.error('CODEC_CORRUPT', `the deflate stream is damaged after compressed byte ${input.offset}`, {
    expected: 'deflate data',
    found: cause instanceof Error ? cause.message : String(cause),
    hint: 'fetch or copy the file again',
    cause,
  })
}
