/**
 * zstd (RFC 8878): by node:zlib where Node has it (from 22.15 and 23.8 on), else by fzstd (to read) and the WebAssembly
 * build of the original (to write). The frames are walked here for both, so that what follows a frame, a cut, and a
 * window that is too large are told the same way.
 */
import { type Decode, DecodedSource } from '../core/decoded-source.ts'
import { type EncodedInput, hexBytes } from '../core/encoded-input.ts'
import { EncodedSink, type EncodeStage } from '../core/encoded-sink.ts'
import { invalidOption } from '../core/options.ts'
import type { Codec } from '../core/types.ts'
import { Frame, frameKind, headerLength, MAX_WINDOW_BYTES, parseFrameHeader } from './zstd-frame.ts'
import { nativeEngine } from './zstd-native.ts'
import { portableEngine } from './zstd-portable.ts'

/** What does the work inside of a frame. */
export interface ZstdEngine {
  /** The content of a frame, of which only the header was taken from `input`; checked by its checksum. */
  decode(input: EncodedInput, frame: Frame): AsyncGenerator<Uint8Array, void, undefined>
  /** Writes one frame with a checksum. */
  encode(level: number): EncodeStage
}

const DEFAULT_LEVEL = 3

/**
 * `decode` takes any number of frames, skippable ones among them; a frame that needs a window of more than 128 MiB (as
 * the command writes with `--long=28` and more) is CODEC_LIMIT_EXCEEDED. `encode` writes one frame with a checksum.
 * `level` is -7 to 22, by default 3.
 */
export const zstdCodec = (engine: ZstdEngine): Codec => ({
  decode: (source, options) => new DecodedSource(source, options, decodeBy(engine)),
  encode: (sink, { level = DEFAULT_LEVEL }) => {
    if (!Number.isInteger(level) || level < -7 || level > 22) {
      throw invalidOption('level', 'a whole number from -7 to 22', level)
    }
    return new EncodedSink(sink, engine.encode(level))
  },
})

export const codec: Codec = zstdCodec(nativeEngine ?? portableEngine)

const decodeBy = (engine: ZstdEngine): Decode =>
  async function* (input) {
    for (let number = 1; ; number++) {
      const kind = await readMagic(input, number)
      if (kind === undefined) return
      if (kind === 'skippable') {
        const size = (await input.take(4)) ?? truncated(input, number)
        if (!(await input.skip(size.readUInt32LE(0)))) truncated(input, number)
        continue
      }
      const frame = await readHeader(input, number)
      const before = input.decoded
      yield* engine.decode(input, frame)
      if (!frame.done) truncated(input, number)
      const { contentBytes } = frame.header
      if (contentBytes !== undefined && contentBytes !== input.decoded - before) {
        throw input.error('CODEC_CORRUPT', `the length of frame ${number} is wrong`, {
          expected: `${contentBytes} bytes, which the frame says`,
          found: `${input.decoded - before} bytes decoded`,
          hint: 'the rows already read may be wrong too: fetch or copy the file again',
        })
      }
    }
  }

async function readMagic(input: EncodedInput, number: number): Promise<'zstd' | 'skippable' | undefined> {
  const start = input.offset
  const bytes: number[] = []
  while (bytes.length < 4) {
    const byte = await input.byte()
    if (byte === undefined) {
      if (bytes.length > 0) truncated(input, number)
      if (number > 1) return undefined
      throw input.error('CODEC_TRUNCATED', 'the input is empty', { expected: 'a zstd frame', found: '0 bytes' })
    }
    bytes.push(byte)
    if (frameKind(bytes) !== undefined) continue
    const found = hexBytes(bytes)
    if (number === 1) {
      throw input.error('CODEC_CORRUPT', 'this is not zstd data', {
        expected: '28 b5 2f fd at its beginning',
        found,
        hint: 'if the file is not compressed, read it with { codecs: [] }',
      })
    }
    throw input.error('CODEC_TRAILING_DATA', `other data follows the last frame, at compressed byte ${start}`, {
      expected: 'the end of the input, or another frame (28 b5 2f fd)',
      found,
      hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
    })
  }
  return frameKind(bytes)
}

async function readHeader(input: EncodedInput, number: number): Promise<Frame> {
  const start = input.offset - 4
  const descriptor = (await input.byte()) ?? truncated(input, number)
  const rest = (await input.take(headerLength(descriptor) - 1)) ?? truncated(input, number)
  const bytes = Buffer.concat([Buffer.of(descriptor), rest])
  const header = parseFrameHeader(bytes)
  const place = `frame ${number}, at compressed byte ${start},`
  if (!header.valid) {
    throw input.error('CODEC_CORRUPT', `${place} is damaged: a reserved bit of its header is set`, {
      found: hexBytes(bytes),
    })
  }
  if (header.dictionary) {
    throw input.error('CODEC_UNSUPPORTED', `${place} needs a dictionary`, { expected: 'a frame without one' })
  }
  if (header.windowBytes > MAX_WINDOW_BYTES) {
    throw input.error('CODEC_LIMIT_EXCEEDED', `${place} needs a window of ${header.windowBytes} bytes of memory`, {
      expected: `at most ${MAX_WINDOW_BYTES} bytes`,
      found: `${header.windowBytes} bytes`,
      hint: 'compress it again without --long, or with --long=27 at most',
    })
  }
  return new Frame(number, bytes, header)
}

function truncated(input: EncodedInput, number: number): never {
  throw input.error('CODEC_TRUNCATED', `the input ends in frame ${number}, at compressed byte ${input.offset}`, {
    expected: 'the rest of the frame',
    found: 'the end of the input',
  })
}
