/**
 * gzip (RFC 1952). The frame of each member is read here and only its compressed data is given to node:zlib: Node's own
 * gunzip passes over what follows zero bytes after a member, and loses the last good bytes before trailing garbage.
 */
import { constants, crc32, createGzip, createInflateRaw } from 'node:zlib'
import { DecodedSource } from '../core/decoded-source.ts'
import { type EncodedInput, hex, hexBytes } from '../core/encoded-input.ts'
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
import { MAGIC_1, MAGIC_2, parseHeader, TRAILER_BYTES } from './gzip-member.ts'

const MIN_DECODED_CHUNK_BYTES = 4 * 1024

/**
 * `decode` takes any number of members, one after the other. Zero bytes after the last one, up to the end of the input,
 * are padding and are accepted, as gzip(1) does; anything else there is CODEC_TRAILING_DATA. An empty input is
 * CODEC_TRUNCATED. Everything decoded before the end of a truncated input, or before trailing data, is delivered before
 * the error; of a member that is CODEC_CORRUPT what was decoded up to 256 KiB before the damage was seen, and it was not
 * yet checked by the member's checksum. `byte` of an error counts decoded bytes, its message also compressed ones.
 *
 * `encode` writes one member without name or time, so that the same input gives the same bytes. `level` is 0 to 9, or -1
 * (the default: zlib's own, which is 6).
 */
export const codec: Codec = {
  decode: (source, options) => new DecodedSource(source, options, decode),
  encode: (sink, { level = -1 }) => {
    if (!Number.isInteger(level) || level < -1 || level > 9) {
      throw invalidOption('level', 'a whole number from 0 to 9, or -1 for the default', level)
    }
    return new EncodedSink(sink, new ZlibStage(createGzip({ ...stageOptions(ENCODED_CHUNK_BYTES), level })))
  },
}

async function* decode(input: EncodedInput): AsyncGenerator<Uint8Array, void, undefined> {
  let chunkBytes = MAX_DECODED_CHUNK_BYTES
  for (let member = 1; await readHeader(input, member); member++) {
    let checksum = 0
    /** Modulo 2^32. */
    let size = 0
    const stream = createInflateRaw({ ...stageOptions(chunkBytes), finishFlush: constants.Z_SYNC_FLUSH })
    for await (const chunk of decodeByZlib(input, stream, { damaged: cause => damaged(input, member, cause) })) {
      checksum = crc32(chunk, checksum)
      size = (size + chunk.length) >>> 0
      yield chunk
    }
    await readTrailer(input, member, checksum, size)
    // Many small members follow one another: a large buffer for each would be memory for nothing.
    chunkBytes = Math.min(Math.max(size, MIN_DECODED_CHUNK_BYTES), MAX_DECODED_CHUNK_BYTES)
  }
}

/** Reads the header of a member, from 1; false where the input ends in place of one. */
async function readHeader(input: EncodedInput, member: number): Promise<boolean> {
  const start = input.offset
  const first = await input.byte()
  if (first === undefined) {
    if (member > 1) return false
    throw input.error('CODEC_TRUNCATED', 'the input is empty', { expected: 'a gzip member', found: '0 bytes' })
  }
  if (first === 0 && member > 1) {
    await readPadding(input)
    return false
  }
  if (first !== MAGIC_1) throw notAMember(input, member, start, [first])
  const second = await byteOf(input, member, 'header')
  if (second !== MAGIC_2) throw notAMember(input, member, start, [first, second])
  const parser = parseHeader((what, expected, found) =>
    input.error('CODEC_CORRUPT', `member ${member}, at compressed byte ${start}, is damaged: ${what}`, {
      expected,
      found,
    }),
  )
  parser.next(0) // runs to where the first byte is taken
  while (parser.next(await byteOf(input, member, 'header')).done !== true);
  return true
}

async function readTrailer(input: EncodedInput, member: number, checksum: number, size: number): Promise<void> {
  const bytes = (await input.take(TRAILER_BYTES)) ?? truncated(input, member, 'trailer')
  const saidChecksum = bytes.readUInt32LE(0)
  const saidSize = bytes.readUInt32LE(4)
  if (saidChecksum === checksum && saidSize === size) return
  const [what, expected, found] =
    saidChecksum === checksum
      ? ['length', String(saidSize), String(size)]
      : ['checksum', hex(saidChecksum), hex(checksum)]
  throw input.error('CODEC_CORRUPT', `the ${what} of member ${member} is wrong`, {
    expected: `${expected}, which the member says`,
    found: `${found}, of the data decoded`,
    hint: 'the rows already read may be wrong too: fetch or copy the file again',
  })
}

/** Zero bytes up to the end of the input, the first of which was read. */
async function readPadding(input: EncodedInput): Promise<void> {
  while (await input.more()) {
    const other = input.rest.findIndex(byte => byte !== 0)
    if (other >= 0) throw notAMember(input, 2, input.offset + other, input.rest.subarray(other, other + 2))
    input.advance(input.rest.length)
  }
}

async function byteOf(input: EncodedInput, member: number, part: 'header' | 'trailer'): Promise<number> {
  return (await input.byte()) ?? truncated(input, member, part)
}

function truncated(input: EncodedInput, member: number, part: 'header' | 'trailer'): never {
  throw input.error('CODEC_TRUNCATED', `the input ends in member ${member}, at compressed byte ${input.offset}`, {
    expected: part === 'header' ? 'the rest of its header' : 'the rest of its data and trailer',
    found: 'the end of the input',
  })
}

function damaged(input: EncodedInput, member: number, cause: unknown): Error {
  return input.error('CODEC_CORRUPT', `member ${member} is damaged after compressed byte ${input.offset}`, {
    expected: 'deflate data',
    found: cause instanceof Error ? cause.message : String(cause),
    hint: 'fetch or copy the file again',
    cause,
  })
}

function notAMember(input: EncodedInput, member: number, start: number, bytes: Iterable<number>): Error {
  const found = hexBytes(bytes)
  if (member === 1) {
    return input.error('CODEC_CORRUPT', 'this is not gzip data', {
      expected: '1f 8b at its beginning',
      found,
      hint: 'if the file is not compressed, read it with { codecs: [] }',
    })
  }
  return input.error('CODEC_TRAILING_DATA', `other data follows the last member, at compressed byte ${start}`, {
    expected: 'the end of the input, another member (1f 8b), or zero bytes up to the end',
    found,
    hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
  })
}
