/** Snappy in its framing format (framing_format.txt). Raw snappy blocks, as in Hadoop's files, are none of it. */
import { DecodedSource } from '../core/decoded-source.ts'
import { type SyncEncoder, SyncEncodeStage } from '../core/encode-stage.ts'
import { type EncodedInput, hex, hexBytes } from '../core/encoded-input.ts'
import { EncodedSink } from '../core/encoded-sink.ts'
import { invalidOption } from '../core/options.ts'
import type { Codec } from '../core/types.ts'
import { compressBlock, decodedBytes, decompressBlock, maxCompressedBytes } from './snappy-block.ts'
import { maskedCrc32c } from './snappy-checksum.ts'

const IDENTIFIER = Buffer.from('\xff\x06\x00\x00sNaPpY', 'latin1')
const COMPRESSED = 0x00
const RAW = 0x01
/** Types up to this one, and from 2 on, mean something to those who know them, and may not be passed over. */
const LAST_UNSKIPPABLE = 0x7f
const PADDING = 0xfe
const STREAM = 0xff
/** Decoded bytes that a chunk may have. */
const MAX_BLOCK_BYTES = 65_536

/**
 * `decode` takes any number of streams, one after the other; each chunk is checked by its CRC-32C. The format has no
 * end: an input that is cut exactly between two chunks looks whole. `encode` writes one stream, by one level, 1.
 */
export const codec: Codec = {
  decode: (source, options) => new DecodedSource(source, options, decode),
  encode: (sink, { level = 1 }) => {
    if (level !== 1) throw invalidOption('level', '1, the only one', level)
    return new EncodedSink(sink, new SyncEncodeStage(new StreamEncoder()))
  },
}

async function* decode(input: EncodedInput): AsyncGenerator<Uint8Array, void, undefined> {
  await readIdentifier(input)
  // Two in turn: one is lent while the other is filled.
  let output = Buffer.allocUnsafeSlow(MAX_BLOCK_BYTES)
  let other = Buffer.allocUnsafeSlow(MAX_BLOCK_BYTES)
  for (;;) {
    const start = input.offset
    const type = await input.byte()
    if (type === undefined) return
    const corrupt = (found: string, expected: string): Error =>
      input.error('CODEC_CORRUPT', `the chunk at compressed byte ${start} is damaged`, {
        expected,
        found,
        hint: 'fetch or copy the file again',
      })
    if (type > RAW && type <= LAST_UNSKIPPABLE) {
      throw input.error('CODEC_TRAILING_DATA', `other data follows the last chunk, at compressed byte ${start}`, {
        expected: 'the end of the input, or another chunk',
        found: hexBytes([type]),
        hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
      })
    }
    const length = (await take(input, 3)).readUIntLE(0, 3)
    if (type > RAW) {
      if (type === STREAM) {
        if (length !== 6 || !(await take(input, 6)).equals(IDENTIFIER.subarray(4))) {
          throw corrupt('another one', 'the beginning of another stream')
        }
      } else if (type !== PADDING) {
        // The format says to pass over what one does not know; a flipped bit would then drop a chunk in silence.
        throw input.error('CODEC_UNSUPPORTED', `the chunk at compressed byte ${start} is of an unknown type`, {
          expected: 'data, padding (fe), or the beginning of a stream (ff)',
          found: hexBytes([type]),
        })
      } else if (!(await input.skip(length))) throw truncated(input)
      continue
    }
    if (length < 4 || length > 4 + maxCompressedBytes(MAX_BLOCK_BYTES)) {
      throw corrupt(`${length} bytes`, `a chunk of at most ${MAX_BLOCK_BYTES} bytes decoded`)
    }
    const chunk = await take(input, length)
    const block = chunk.subarray(4)
    let data: Uint8Array = block
    if (type === COMPRESSED) {
      const size = decodedBytes(block)
      if (size > MAX_BLOCK_BYTES) throw corrupt(`${size} bytes`, `at most ${MAX_BLOCK_BYTES} bytes decoded`)
      data = output.subarray(0, size)
      if (!decompressBlock(block, data)) throw corrupt('something else', 'a snappy block')
      ;[output, other] = [other, output]
    } else if (block.length > MAX_BLOCK_BYTES) throw corrupt(`${block.length} bytes`, `at most ${MAX_BLOCK_BYTES}`)
    const said = chunk.readUInt32LE(0)
    const found = maskedCrc32c(data)
    if (said !== found) throw corrupt(`${hex(found)}, of the data decoded`, `the checksum ${hex(said)}`)
    await input.turns.pause()
    if (data.length > 0) yield data
  }
}

async function readIdentifier(input: EncodedInput): Promise<void> {
  const bytes: number[] = []
  for (const expected of IDENTIFIER) {
    const byte = await input.byte()
    if (byte === undefined) throw truncated(input)
    bytes.push(byte)
    if (byte === expected) continue
    throw input.error('CODEC_CORRUPT', 'this is not data in the framing format of snappy', {
      expected: `${hexBytes(IDENTIFIER)} at its beginning`,
      found: hexBytes(bytes),
      hint: 'if the file is not compressed, read it with { codecs: [] }',
    })
  }
}

async function take(input: EncodedInput, count: number): Promise<Buffer> {
  const bytes = await input.take(count)
  if (bytes === undefined) throw truncated(input)
  return bytes
}

const truncated = (input: EncodedInput): Error =>
  input.error('CODEC_TRUNCATED', `the snappy stream is cut off at compressed byte ${input.offset}`, {
    expected: input.offset < IDENTIFIER.length ? 'the beginning of a stream' : 'the rest of a chunk',
    found: 'the end of the input',
  })

class StreamEncoder implements SyncEncoder {
  readonly #block = Buffer.allocUnsafeSlow(MAX_BLOCK_BYTES)
  readonly #output = Buffer.allocUnsafeSlow(8 + maxCompressedBytes(MAX_BLOCK_BYTES))
  #held = 0
  #begun = false;

  *encode(chunk: Uint8Array): Iterable<Uint8Array> {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + MAX_BLOCK_BYTES - this.#held)
      this.#block.set(part, this.#held)
      this.#held += part.length
      at += part.length
      if (this.#held === MAX_BLOCK_BYTES) yield* this.flush()
    }
  }

  *flush(): Iterable<Uint8Array> {
    if (!this.#begun) {
      this.#begun = true
      yield IDENTIFIER
    }
    if (this.#held === 0) return
    const block = this.#block.subarray(0, this.#held)
    this.#held = 0
    const output = this.#output
    let end = compressBlock(block, output, 8)
    let type = COMPRESSED
    if (end - 8 >= block.length) {
      type = RAW
      output.set(block, 8)
      end = 8 + block.length
    }
    output[0] = type
    output.writeUIntLE(end - 4, 1, 3)
    output.writeUInt32LE(maskedCrc32c(block), 4)
    yield output.subarray(0, end)
  }
}
