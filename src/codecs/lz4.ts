/**
 * LZ4 frames (lz4_Frame_format.md 1.6.4). The packages for it drop all frames after the first, or want the whole input
 * in memory; the format itself is small.
 */
import { DecodedSource } from '../core/decoded-source.ts'
import { type SyncEncoder, SyncEncodeStage } from '../core/encode-stage.ts'
import { type EncodedInput, hex, hexBytes } from '../core/encoded-input.ts'
import { EncodedSink } from '../core/encoded-sink.ts'
import { invalidOption } from '../core/options.ts'
import type { Codec } from '../core/types.ts'
import { compressBlock, decompressBlock, HISTORY_BYTES, maxCompressedBytes } from './lz4-block.ts'
import { FrameChecksum, xxh32 } from './lz4-checksum.ts'

const MAGIC = [0x04, 0x22, 0x4d, 0x18]
/** The lower half of its first byte may be anything. */
const SKIPPABLE_MAGIC = [0x50, 0x2a, 0x4d, 0x18]
const OLD_MAGIC = [0x02, 0x21, 0x4c, 0x18]
/** Of a block's size: it is not compressed. */
const RAW = 0x80000000

const BLOCK_SIZE_4_MIB = 7
/** Blocks are lent on in pieces, as they are large. */
const PIECE_BYTES = 256 * 1024
/** What is written: blocks of 256 KiB, by its code. */
const WRITTEN_BLOCK_BYTES = 256 * 1024
const WRITTEN_BLOCK_CODE = 5

/**
 * `decode` takes any number of frames, skippable ones among them, with blocks that are linked or not; what has a
 * checksum is checked by it. The old format (`lz4 -l`) is CODEC_UNSUPPORTED. `encode` writes one frame of blocks that
 * are not linked, with a checksum of the content. It has one level, 1.
 */
export const codec: Codec = {
  decode: (source, options) => new DecodedSource(source, options, decode),
  encode: (sink, { level = 1 }) => {
    if (level !== 1) throw invalidOption('level', '1, the only one', level)
    return new EncodedSink(sink, new SyncEncodeStage(new FrameEncoder()))
  },
}

interface FrameHeader {
  readonly linked: boolean
  readonly blockChecksums: boolean
  readonly contentChecksum: boolean
  readonly contentBytes: number | undefined
  readonly maxBlockBytes: number
}

async function* decode(input: EncodedInput): AsyncGenerator<Uint8Array, void, undefined> {
  for (let number = 1; ; number++) {
    const kind = await readMagic(input, number)
    if (kind === undefined) return
    if (kind === 'frame') yield* decodeFrame(input, number, await readHeader(input, number))
    else {
      const size = (await take(input, 4, number)).readUInt32LE(0)
      if (!(await input.skip(size))) throw truncated(input, number)
    }
  }
}

async function* decodeFrame(
  input: EncodedInput,
  number: number,
  header: FrameHeader,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { maxBlockBytes } = header
  const checksum = new FrameChecksum()
  // Blocks stand behind what they may refer to.
  const output = Buffer.allocUnsafeSlow(HISTORY_BYTES + Math.min(maxBlockBytes, header.contentBytes ?? maxBlockBytes))
  let history = 0
  let total = 0
  const fail = (found: string): Error =>
    input.error('CODEC_CORRUPT', `frame ${number} is damaged before compressed byte ${input.offset}`, {
      expected: 'LZ4 data',
      found,
      hint: 'fetch or copy the file again',
    })
  for (;;) {
    const word = (await take(input, 4, number)).readUInt32LE(0)
    if (word === 0) break
    const size = word % RAW
    if (size > maxBlockBytes) throw fail(`a block of ${size} bytes where ${maxBlockBytes} are the most`)
    const block = await take(input, size, number)
    if (header.blockChecksums) {
      const said = (await take(input, 4, number)).readUInt32LE(0)
      if (said !== xxh32(block)) throw fail('a block with a wrong checksum')
    }
    let end: number
    if (word >= RAW) {
      if (history + size > output.length) throw fail('a block that is too long')
      output.set(block, history)
      end = history + size
    } else {
      end = decompressBlock(block, output, history, header.linked ? 0 : history)
      if (end < 0) throw fail('a block that cannot be decoded')
    }
    if (header.contentChecksum) checksum.update(output.subarray(history, end))
    total += end - history
    for (let at = history; at < end; at += PIECE_BYTES) {
      await input.turns.pause()
      yield output.subarray(at, Math.min(at + PIECE_BYTES, end))
    }
    if (header.linked) {
      const kept = Math.min(end, HISTORY_BYTES)
      output.copyWithin(0, end - kept, end)
      history = kept
    }
  }
  if (header.contentBytes !== undefined && header.contentBytes !== total) {
    throw wrong(input, number, 'length', String(header.contentBytes), String(total))
  }
  if (!header.contentChecksum) return
  const said = (await take(input, 4, number)).readUInt32LE(0)
  const found = checksum.digest()
  if (said !== found) throw wrong(input, number, 'checksum', hex(said), hex(found))
}

async function readMagic(input: EncodedInput, number: number): Promise<'frame' | 'skippable' | undefined> {
  const start = input.offset
  const bytes: number[] = []
  while (bytes.length < 4) {
    const byte = await input.byte()
    if (byte === undefined) {
      if (bytes.length > 0) throw truncated(input, number)
      if (number > 1) return undefined
      throw input.error('CODEC_TRUNCATED', 'the input is empty', { expected: 'an LZ4 frame', found: '0 bytes' })
    }
    bytes.push(byte)
    if (frameKind(bytes) !== undefined) continue
    if (number === 1) {
      throw input.error('CODEC_CORRUPT', 'this is not LZ4 data', {
        expected: '04 22 4d 18 at its beginning',
        found: hexBytes(bytes),
        hint: 'if the file is not compressed, read it with { codecs: [] }',
      })
    }
    throw input.error('CODEC_TRAILING_DATA', `other data follows the last frame, at compressed byte ${start}`, {
      expected: 'the end of the input, or another frame (04 22 4d 18)',
      found: hexBytes(bytes),
      hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
    })
  }
  const kind = frameKind(bytes)
  if (kind !== 'old') return kind
  throw input.error('CODEC_UNSUPPORTED', `frame ${number} is in the old format of LZ4`, {
    expected: 'LZ4 frames (04 22 4d 18)',
    found: hexBytes(bytes),
    hint: 'compress it again, without lz4 -l',
  })
}

/** What the first bytes of a frame, four at most, may be the beginning of. */
function frameKind(bytes: readonly number[]): 'frame' | 'skippable' | 'old' | undefined {
  const begins = (magic: readonly number[]) => bytes.every((byte, i) => byte === magic[i])
  if (begins(MAGIC)) return 'frame'
  if (begins(OLD_MAGIC)) return 'old'
  return bytes.every((byte, i) => (i === 0 ? (byte & 0xf0) === 0x50 : byte === SKIPPABLE_MAGIC[i]))
    ? 'skippable'
    : undefined
}

async function readHeader(input: EncodedInput, number: number): Promise<FrameHeader> {
  const fail = (what: string, expected: string, found: string): Error =>
    input.error('CODEC_CORRUPT', `frame ${number} is damaged: ${what}`, { expected, found })
  const start = await take(input, 2, number)
  const [flags, sizes] = [start[0]!, start[1]!]
  const withSize = (flags & 0x08) !== 0
  const withDictionary = (flags & 0x01) !== 0
  const rest = await take(input, (withSize ? 8 : 0) + (withDictionary ? 4 : 0) + 1, number)
  const said = rest[rest.length - 1]!
  const found = (xxh32(Buffer.concat([start, rest.subarray(0, -1)])) >>> 8) & 0xff
  if (said !== found) throw fail('the checksum of its header is wrong', hex(said), hex(found))
  if (flags >> 6 !== 1 || (flags & 0x02) !== 0) throw fail('its version is unknown', 'version 1', hex(flags))
  const code = (sizes >> 4) & 7
  if (code < 4 || (sizes & 0x8f) !== 0) throw fail('its largest block has no size', '4 to 7', hex(sizes))
  if (withDictionary) {
    throw input.error('CODEC_UNSUPPORTED', `frame ${number} needs a dictionary`, { expected: 'a frame without one' })
  }
  return {
    linked: (flags & 0x20) === 0,
    blockChecksums: (flags & 0x10) !== 0,
    contentChecksum: (flags & 0x04) !== 0,
    contentBytes: withSize ? Number(rest.readBigUInt64LE(0)) : undefined,
    maxBlockBytes: 4 * 1024 * 1024 * 4 ** (code - BLOCK_SIZE_4_MIB),
  }
}

async function take(input: EncodedInput, count: number, number: number): Promise<Buffer> {
  const bytes = await input.take(count)
  if (bytes === undefined) throw truncated(input, number)
  return bytes
}

function truncated(input: EncodedInput, number: number): Error {
  return input.error('CODEC_TRUNCATED', `the input ends in frame ${number}, at compressed byte ${input.offset}`, {
    expected: 'the rest of the frame',
    found: 'the end of the input',
  })
}

function wrong(input: EncodedInput, number: number, what: string, said: string, found: string): Error {
  return input.error('CODEC_CORRUPT', `the ${what} of frame ${number} is wrong`, {
    expected: `${said}, which the frame says`,
    found: `${found}, of the data decoded`,
    hint: 'the rows already read may be wrong too: fetch or copy the file again',
  })
}

class FrameEncoder implements SyncEncoder {
  readonly #checksum = new FrameChecksum()
  readonly #block = Buffer.allocUnsafeSlow(WRITTEN_BLOCK_BYTES)
  readonly #output = Buffer.allocUnsafeSlow(4 + maxCompressedBytes(WRITTEN_BLOCK_BYTES))
  #held = 0
  #begun = false;

  *encode(chunk: Uint8Array): Iterable<Uint8Array> {
    this.#checksum.update(chunk)
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + WRITTEN_BLOCK_BYTES - this.#held)
      this.#block.set(part, this.#held)
      this.#held += part.length
      at += part.length
      if (this.#held === WRITTEN_BLOCK_BYTES) yield* this.#endBlock()
    }
  }

  *flush(): Iterable<Uint8Array> {
    yield* this.#endBlock()
    const end = Buffer.alloc(8)
    end.writeUInt32LE(this.#checksum.digest(), 4)
    yield end
  }

  *#endBlock(): Iterable<Uint8Array> {
    if (!this.#begun) {
      this.#begun = true
      // Version 1, blocks that are not linked, a checksum of the content.
      const fields = Buffer.of(0x64, WRITTEN_BLOCK_CODE << 4)
      yield Buffer.concat([Buffer.from(MAGIC), fields, Buffer.of((xxh32(fields) >>> 8) & 0xff)])
    }
    if (this.#held === 0) return
    const block = this.#block.subarray(0, this.#held)
    this.#held = 0
    const end = compressBlock(block, this.#output, 4)
    if (end - 4 < block.length) {
      this.#output.writeUInt32LE(end - 4, 0)
      yield this.#output.subarray(0, end)
      return
    }
    this.#output.writeUInt32LE(RAW + block.length, 0)
    this.#output.set(block, 4)
    yield this.#output.subarray(0, 4 + block.length)
  }
}
