/**
 * bzip2, to read. The packages for it hold up the process for a whole block, give the runs of a block as one array (46 MB
 * of them can be in 900 kB), or drop all streams after the first.
 */

import { DecodedSource } from '../core/decoded-source.ts'
import { type EncodedInput, hex, hexBytes } from '../core/encoded-input.ts'
import { createError } from '../core/errors.ts'
import type { Codec } from '../core/types.ts'
import { BitReader, type Block, BlockText, linkText, readBlock } from './bzip2-block.ts'
import { addToChecksum } from './bzip2-checksum.ts'

const MAGIC = [0x42, 0x5a, 0x68] // BZh
const BLOCK_MAGIC_HIGH = 0x314159
const BLOCK_MAGIC_LOW = 0x265359
const END_MAGIC_HIGH = 0x177245
const END_MAGIC_LOW = 0x385090
/** Encoded bytes that are tried for the first block. */
const FIRST_TRY_BYTES = 8 * 1024
/** The most that a block can take: 900,000 symbols of 20 bits, and its tables. */
const MAX_BLOCK_BYTES = 2_400_000
const PIECE_BYTES = 64 * 1024

/** Reads any number of streams, one after the other; blocks and streams are checked by their checksums. */
export const codec: Codec = {
  decode: (source, options) => new DecodedSource(source, options, decode),
  encode: sink => {
    throw createError('FORMAT_UNSUPPORTED', 'bzip2 cannot be written', {
      label: sink.label,
      hint: 'gzip and zstd can: they are faster, and zstd is as small',
    })
  },
}

async function* decode(input: EncodedInput): AsyncGenerator<Uint8Array, void, undefined> {
  const window = new BitWindow(input)
  for (let number = 1; ; number++) {
    const blockBytes = await readStart(window, number)
    if (blockBytes === undefined) return
    yield* decodeStream(window, number, new Uint32Array(blockBytes))
  }
}

async function* decodeStream(
  window: BitWindow,
  number: number,
  text: Uint32Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { input } = window
  const buffers = [Buffer.allocUnsafeSlow(PIECE_BYTES), Buffer.allocUnsafeSlow(PIECE_BYTES)]
  let combined = 0
  for (let blockNumber = 1; ; blockNumber++) {
    const place = `block ${blockNumber} of stream ${number}`
    const block = await readNext(window, text, number, place)
    if ('end' in block) {
      if (block.end === combined >>> 0) return
      throw wrong(input, `stream ${number}`, block.end, combined)
    }
    await input.turns.pause()
    linkText(text, block.length)
    const source = new BlockText(text, block)
    let checksum = -1
    for (let turn = 0; ; turn ^= 1) {
      await input.turns.pause()
      const buffer = buffers[turn]!
      const length = source.fill(buffer)
      if (length === 0) break
      const piece = buffer.subarray(0, length)
      checksum = addToChecksum(checksum, piece)
      yield piece
    }
    if (~checksum >>> 0 !== block.checksum) throw wrong(input, place, block.checksum, ~checksum)
    combined = ((combined << 1) | (combined >>> 31)) ^ block.checksum
  }
}

/** The next block, or the checksum at the end of the stream. */
async function readNext(
  window: BitWindow,
  text: Uint32Array,
  number: number,
  place: string,
): Promise<Block | { readonly end: number }> {
  return window.read(bits => {
    const high = bits.take(24)
    const low = bits.take(24)
    if (high === END_MAGIC_HIGH && low === END_MAGIC_LOW) {
      const end = bits.word()
      // A stream ends with a whole byte.
      bits.position = (bits.position + 7) & ~7
      return bits.exhausted ? undefined : { end }
    }
    if (bits.exhausted) return undefined
    if (high !== BLOCK_MAGIC_HIGH || low !== BLOCK_MAGIC_LOW) {
      throw damaged(window.input, place, 'neither a block nor the end of the stream')
    }
    const block = readBlock(bits, text)
    if (block === 'incomplete') return undefined
    if (block === 'randomised') {
      throw window.input.error('CODEC_UNSUPPORTED', `${place} is randomised, as bzip2 0.9.0 did`, {
        hint: 'compress it again with a bzip2 of this century',
      })
    }
    if (typeof block === 'string') throw damaged(window.input, place, block)
    return block
  }, `stream ${number}`)
}

/** Reads the beginning of a stream; gives the most bytes of its blocks, undefined where the input ends instead. */
async function readStart(window: BitWindow, number: number): Promise<number | undefined> {
  const { input } = window
  const bytes: number[] = []
  while (bytes.length < 4) {
    const byte = await window.byte()
    if (byte === undefined) {
      if (bytes.length > 0) throw truncated(input, `stream ${number}`)
      if (number > 1) return undefined
      throw input.error('CODEC_TRUNCATED', 'the input is empty', { expected: 'a bzip2 stream', found: '0 bytes' })
    }
    bytes.push(byte)
    if (bytes.length < 4 ? byte === MAGIC[bytes.length - 1] : byte >= 0x31 && byte <= 0x39) continue
    if (number === 1) {
      throw input.error('CODEC_CORRUPT', 'this is not bzip2 data', {
        expected: '42 5a 68 (BZh) at its beginning',
        found: hexBytes(bytes),
        hint: 'if the file is not compressed, read it with { codecs: [] }',
      })
    }
    throw input.error('CODEC_TRAILING_DATA', `other data follows stream ${number - 1}`, {
      expected: 'the end of the input, or another stream (BZh)',
      found: hexBytes(bytes),
      hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
    })
  }
  return (bytes[3]! - 0x30) * 100_000
}

/**
 * The input as bits. A block says nothing about its length: it is tried with so many bytes as the last one took, and
 * with twice as many as long as it is not whole, so that reading it waits for nothing in the middle.
 */
class BitWindow {
  readonly input: EncodedInput
  #bytes = Buffer.alloc(FIRST_TRY_BYTES + 4)
  #length = 0
  /** Of the first bit that was not read. */
  #position = 0
  /** Bytes that the next try begins with. */
  #guess = FIRST_TRY_BYTES

  constructor(input: EncodedInput) {
    this.input = input
  }

  /** The next byte, which begins at a whole one; undefined at the end. */
  async byte(): Promise<number | undefined> {
    if (this.#position >>> 3 >= this.#length && !(await this.#fill(1))) return undefined
    const byte = this.#bytes[this.#position >>> 3]!
    this.#position += 8
    return byte
  }

  /** What `attempt` gives, once there is enough for it not to give undefined. */
  async read<T>(attempt: (bits: BitReader) => T | undefined, what: string): Promise<T> {
    for (let wanted = this.#guess; ; wanted *= 2) {
      await this.#fill(Math.min(wanted, MAX_BLOCK_BYTES))
      const bits = new BitReader(this.#bytes, this.#length)
      bits.position = this.#position
      let value: T | undefined
      try {
        value = attempt(bits)
      } catch (error) {
        // What was seen behind the end is no damage.
        if (!bits.exhausted) throw error
      }
      if (value !== undefined) {
        this.#guess = Math.max(1024, Math.ceil(((bits.position - this.#position) / 8) * 1.2))
        this.#position = bits.position
        return value
      }
      if (wanted >= MAX_BLOCK_BYTES) throw damaged(this.input, what, 'a block that does not end')
      if (this.input.ended && this.input.rest.length === 0) throw truncated(this.input, what)
    }
  }

  /** Sees to it that `count` bytes from the position on are there, or all there are; false where there is none. */
  async #fill(count: number): Promise<boolean> {
    const start = this.#position >>> 3
    if (start > 0) {
      this.#bytes.copyWithin(0, start, this.#length)
      this.#length -= start
      this.#position &= 7
    }
    if (this.#bytes.length < count + 4) {
      const larger = Buffer.alloc(count + 4)
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    while (this.#length < count && (await this.input.more())) {
      const part = this.input.rest.subarray(0, count - this.#length)
      this.#bytes.set(part, this.#length)
      this.#length += part.length
      this.input.advance(part.length)
    }
    this.#bytes.fill(0, this.#length, this.#length + 4)
    return this.#length > this.#position >>> 3
  }
}

const damaged = (input: EncodedInput, place: string, found: string): Error =>
  input.error('CODEC_CORRUPT', `${place} is damaged before compressed byte ${input.offset}`, {
    expected: 'bzip2 data',
    found,
    hint: 'fetch or copy the file again',
  })

const truncated = (input: EncodedInput, what: string): Error =>
  input.error('CODEC_TRUNCATED', `the input ends in ${what}, at compressed byte ${input.offset}`, {
    expected: 'the rest of the stream',
    found: 'the end of the input',
  })

const wrong = (input: EncodedInput, place: string, said: number, found: number): Error =>
  input.error('CODEC_CORRUPT', `the checksum of ${place} is wrong`, {
    expected: `${hex(said)}, which it says`,
    found: `${hex(found)}, of the data decoded`,
    hint: 'the rows already read may be wrong too: fetch or copy the file again',
  })
