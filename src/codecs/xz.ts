/**
 * xz (xz-file-format.txt 1.2.1), to read. The package for it lets one reader of a process work at a time: two files that
 * are read side by side would wait for each other for ever.
 */
import { crc32 } from 'node:zlib'
import { DecodedSource } from '../core/decoded-source.ts'
import { type EncodedInput, hex, hexBytes } from '../core/encoded-input.ts'
import { createError } from '../core/errors.ts'
import type { Codec } from '../core/types.ts'
import { type BlockErrors, decodeLzma2, dictionaryBytes, MAX_DICTIONARY_BYTES } from './xz-block.ts'
import { createCheck } from './xz-checksum.ts'

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] as const
const FOOTER_MAGIC = 0x5a59
const LZMA2 = 0x21
/** Of what a block's header says beside its filters. */
const WITH_ENCODED_BYTES = 0x40
const WITH_BYTES = 0x80
const RESERVED_FLAGS = 0x3c

/**
 * Reads any number of streams, one after the other, with padding between them; blocks are checked by what they have
 * (CRC-32, CRC-64, SHA-256 or nothing). Filters for programs (x86, ARM, delta) are CODEC_UNSUPPORTED; a dictionary of
 * more than 128 MiB is CODEC_LIMIT_EXCEEDED (`xz -9` has 64).
 */
export const codec: Codec = {
  decode: (source, options) => new DecodedSource(source, options, decode),
  encode: sink => {
    throw createError('FORMAT_UNSUPPORTED', 'xz cannot be written', {
      label: sink.label,
      hint: 'zstd can: by level 19 it is about as small, and much faster to read',
    })
  },
}

async function* decode(input: EncodedInput): AsyncGenerator<Uint8Array, void, undefined> {
  for (let number = 1; await findStart(input, number); number++) {
    const stream = new Stream(input, number)
    const checkType = await stream.readHeader()
    const records: BlockRecord[] = []
    for (;;) {
      const size = (await stream.take(1))[0]!
      if (size === 0) break
      records.push(yield* decodeBlock(stream, records.length + 1, size, checkType))
    }
    await stream.readIndex(records, checkType)
  }
}

interface BlockRecord {
  /** Header, data and check, without padding. */
  readonly encodedBytes: number
  readonly bytes: number
}

/** One stream of an input, and what is said where it is wrong. */
class Stream {
  readonly input: EncodedInput
  readonly number: number

  constructor(input: EncodedInput, number: number) {
    this.input = input
    this.number = number
  }

  async take(count: number): Promise<Buffer> {
    const bytes = await this.input.take(count)
    if (bytes === undefined) throw this.truncated()
    return bytes
  }

  truncated(): Error {
    return this.input.error(
      'CODEC_TRUNCATED',
      `the input ends in stream ${this.number}, at compressed byte ${this.input.offset}`,
      { expected: 'the rest of the stream', found: 'the end of the input' },
    )
  }

  damaged(where: string, expected: string, found: string): Error {
    return this.input.error(
      'CODEC_CORRUPT',
      `${where} of stream ${this.number} is damaged, before compressed byte ${this.input.offset}`,
      { expected, found, hint: 'fetch or copy the file again' },
    )
  }

  /** Throws where the last four bytes are not the CRC-32 of those before them. */
  checkCrc(bytes: Buffer, where: string): void {
    const said = bytes.readUInt32LE(bytes.length - 4)
    const found = crc32(bytes.subarray(0, -4))
    if (said !== found) throw this.damaged(where, `the checksum ${hex(said)}`, hex(found))
  }

  /** The header behind the magic; gives the number of the check. */
  async readHeader(): Promise<number> {
    const bytes = await this.take(6)
    this.checkCrc(bytes, 'the header')
    if (bytes[0] !== 0 || bytes[1]! > 15)
      throw this.damaged('the header', 'flags that exist', hexBytes(bytes.subarray(0, 2)))
    if (createCheck(bytes[1]!) !== undefined) return bytes[1]!
    throw this.input.error('CODEC_UNSUPPORTED', `stream ${this.number} has a check of an unknown kind`, {
      expected: '0 (none), 1 (CRC-32), 4 (CRC-64) or 10 (SHA-256)',
      found: String(bytes[1]),
    })
  }

  /** The index behind its first byte, and the footer; both must say what was met. */
  async readIndex(records: readonly BlockRecord[], checkType: number): Promise<void> {
    const parts: Buffer[] = [Buffer.of(0)]
    let length = 1
    const number = async (): Promise<number> => {
      const bytes: number[] = []
      do bytes.push((await this.take(1))[0]!)
      while (bytes.at(-1)! >= 0x80 && bytes.length < 9)
      parts.push(Buffer.from(bytes))
      length += bytes.length
      return variable(bytes)
    }
    const count = await number()
    if (count !== records.length) throw this.damaged('the index', `${records.length} blocks`, String(count))
    for (const [i, record] of records.entries()) {
      const [encodedBytes, bytes] = [await number(), await number()]
      if (encodedBytes === record.encodedBytes && bytes === record.bytes) continue
      const says = (sizes: BlockRecord) => `block ${i + 1} with ${sizes.encodedBytes} bytes for ${sizes.bytes}`
      throw this.damaged('the index', says(record), says({ encodedBytes, bytes }))
    }
    const padding = await this.take((4 - (length % 4)) % 4)
    if (padding.some(byte => byte !== 0)) throw this.damaged('the index', 'padding of zero bytes', hexBytes(padding))
    const checksum = await this.take(4)
    this.checkCrc(Buffer.concat([...parts, padding, checksum]), 'the index')

    const footer = await this.take(12)
    const indexBytes = length + padding.length + 4
    // Its checksum stands first.
    this.checkCrc(Buffer.concat([footer.subarray(4, 10), footer.subarray(0, 4)]), 'the footer')
    const said = (footer.readUInt32LE(4) + 1) * 4
    if (said !== indexBytes) throw this.damaged('the footer', `an index of ${indexBytes} bytes`, `one of ${said}`)
    if (footer[8] !== 0 || footer[9] !== checkType || footer.readUInt16LE(10) !== FOOTER_MAGIC) {
      throw this.damaged('the footer', 'what the header says', hexBytes(footer.subarray(8)))
    }
  }
}

async function* decodeBlock(
  stream: Stream,
  number: number,
  size: number,
  checkType: number,
): AsyncGenerator<Uint8Array, BlockRecord, undefined> {
  const { input } = stream
  const where = `block ${number}`
  const start = input.offset - 1
  const header = Buffer.concat([Buffer.of(size), await stream.take(size * 4 + 3)])
  stream.checkCrc(header, where)
  const said = parseBlockHeader(header, stream, where)
  const dataStart = input.offset
  const check = createCheck(checkType)!
  const errors: BlockErrors = {
    damaged: found => stream.damaged(where, 'LZMA2 data', found),
    truncated: () => stream.truncated(),
  }
  let bytes = 0
  for await (const chunk of decodeLzma2(input, said.dictionary, errors)) {
    check.update(chunk)
    bytes += chunk.length
    yield chunk
  }
  const dataBytes = input.offset - dataStart
  const encodedBytes = input.offset - start + check.bytes
  const sizes = [
    ['compressed', said.encodedBytes, dataBytes],
    ['decoded', said.bytes, bytes],
  ] as const
  for (const [what, expected, found] of sizes) {
    if (expected !== undefined && expected !== found)
      throw stream.damaged(where, `${expected} bytes ${what}`, String(found))
  }
  const padding = await stream.take((4 - (dataBytes % 4)) % 4)
  if (padding.some(byte => byte !== 0)) throw stream.damaged(where, 'padding of zero bytes', hexBytes(padding))
  const saidCheck = await stream.take(check.bytes)
  const found = check.digest()
  if (saidCheck.equals(found)) return { encodedBytes, bytes }
  throw input.error('CODEC_CORRUPT', `the ${check.name} of ${where} of stream ${stream.number} is wrong`, {
    expected: `${saidCheck.toString('hex')}, which it says`,
    found: `${found.toString('hex')}, of the data decoded`,
    hint: 'the rows already read may be wrong too: fetch or copy the file again',
  })
}

/** What a header of a block says, whose checksum is right. */
function parseBlockHeader(header: Buffer, stream: Stream, where: string) {
  const flags = header[1]!
  const end = header.length - 4
  let at = 2
  const number = (): number => {
    const start = at
    while (at < end && header[at]! >= 0x80 && at - start < 8) at++
    at++
    if (at > end) throw stream.damaged(where, 'a whole header', 'one that is too short')
    return variable(header.subarray(start, at))
  }
  if ((flags & RESERVED_FLAGS) !== 0) throw unsupported(stream, where, `flags ${hex(flags)}`)
  const encodedBytes = (flags & WITH_ENCODED_BYTES) === 0 ? undefined : number()
  const bytes = (flags & WITH_BYTES) === 0 ? undefined : number()
  const filter = number()
  const filterCount = (flags & 3) + 1
  if (filter !== LZMA2 || filterCount !== 1) throw unsupported(stream, where, `the filter ${hex(filter)}`)
  const length = number()
  const dictionary = length === 1 && at < end ? dictionaryBytes(header[at]!) : undefined
  if (dictionary === undefined) throw stream.damaged(where, 'the size of a dictionary', 'none')
  if (header.subarray(at + 1, end).some(byte => byte !== 0)) throw unsupported(stream, where, 'a longer header')
  if (dictionary > MAX_DICTIONARY_BYTES) {
    throw stream.input.error('CODEC_LIMIT_EXCEEDED', `${where} needs a dictionary of ${dictionary} bytes of memory`, {
      expected: `at most ${MAX_DICTIONARY_BYTES} bytes`,
      found: `${dictionary} bytes`,
      hint: 'compress it again by xz -9 or less',
    })
  }
  return { encodedBytes, bytes, dictionary }
}

const unsupported = (stream: Stream, where: string, found: string): Error =>
  stream.input.error('CODEC_UNSUPPORTED', `${where} of stream ${stream.number} has ${found}`, {
    expected: 'LZMA2 alone',
    found,
    hint: 'decompress it by xz -d, or compress it again without filters',
  })

/** Seven bits a byte, the lowest first. */
const variable = (bytes: Iterable<number>): number =>
  [...bytes].reduce((sum, byte, i) => sum + (byte & 0x7f) * 2 ** (7 * i), 0)

/** Passes over the magic of the next stream, and padding before it; false at the end of the input. */
async function findStart(input: EncodedInput, number: number): Promise<boolean> {
  let start = input.offset
  const trailing = (found: Iterable<number>): Error =>
    input.error('CODEC_TRAILING_DATA', `other data follows stream ${number - 1}, at compressed byte ${start}`, {
      expected: 'the end of the input, another stream (fd 37 7a 58 5a 00), or zero bytes by fours',
      found: hexBytes(found),
      hint: 'what comes before it is whole; cut the rest off if it is not meant to be there',
    })
  const bytes: number[] = []
  let padding = 0
  while (bytes.length < MAGIC.length) {
    const byte = await input.byte()
    if (byte === undefined) {
      if (bytes.length > 0 || number === 1) break
      if (padding % 4 !== 0) throw trailing([0])
      return false
    }
    if (byte === 0 && bytes.length === 0 && number > 1) {
      padding++
      continue
    }
    if (bytes.length === 0 && padding % 4 !== 0) throw trailing([0])
    if (bytes.length === 0) start = input.offset - 1
    bytes.push(byte)
    if (byte === MAGIC[bytes.length - 1]) continue
    if (number > 1) throw trailing(bytes)
    throw input.error('CODEC_CORRUPT', 'this is not xz data', {
      expected: 'fd 37 7a 58 5a 00 at its beginning',
      found: hexBytes(bytes),
      hint: 'if the file is not compressed, read it with { codecs: [] }',
    })
  }
  if (bytes.length === MAGIC.length) return true
  throw new Stream(input, number).truncated()
}
