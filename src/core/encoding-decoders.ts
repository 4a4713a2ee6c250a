/** Decoding of each encoding to UTF-8. Loaded when an input turns out not to be UTF-8. */
import { transcode } from 'node:buffer'
import { type DecodingOptions, EMPTY, REPLACEMENT, TextDecoding } from './encoding-decoding.ts'
import { Iso2022JpDecoding } from './encoding-iso2022jp.ts'
import type { Encoding } from './encoding-names.ts'
import { type IconvLite, loadIconvLite } from './encoding-peer.ts'
import { multiByteSequences, type Sequences, UTF_32_SEQUENCES, utf16Sequences } from './encoding-sequences.ts'
import { charactersOf, NO_CHARACTER } from './encoding-single-byte.ts'
import { asBuffer, isAscii } from './text.ts'

/** Most bytes that the next character may need to be told from the rest of the chunk. */
const LOOK_BYTES = 8

/** Whole sequences → UTF-8. */
interface Converter {
  readonly sequences: Sequences
  /** Whether bytes below 0x80 are ASCII, so that a chunk of them alone needs no work. */
  readonly extendsAscii: boolean
  /** UTF-8 of whole sequences, to be used before the next call; undefined where one of them is no character. */
  convert(bytes: Buffer): Buffer | undefined
  /** UTF-8 with U+FFFD for what is no character, where this can be had at once. */
  replace?(bytes: Buffer): Buffer
}

/** Makes the decoding of an encoding. PEER_MISSING where that takes a package that is not there. */
export async function createDecoding(options: DecodingOptions): Promise<TextDecoding> {
  if (options.encoding.name === 'iso-2022-jp') return new Iso2022JpDecoding(options)
  return new SequenceDecoding(options, await converterOf(options.encoding))
}

/** Text of whole sequences; undefined where one of them is no character. Of a multi-byte encoding. */
export async function textDecoderOf({ name }: Encoding): Promise<(bytes: Buffer) => string | undefined> {
  if (name === 'big5' || name === 'euc-kr') {
    // ICU lacks a third of the standard's characters here, and gives others, or none, without an error.
    return iconvText(await loadIconvLite(name, 'read'), name)
  }
  return standardText(name)
}

function converterOf(encoding: Encoding): Promise<Converter> | Converter {
  switch (encoding.kind) {
    case 'utf-16':
      return utf16(encoding.name === 'utf-16le' ? 'le' : 'be')
    case 'utf-32':
      return utf32(encoding.name === 'utf-32le')
    case 'multi-byte':
      return textDecoderOf(encoding).then(text => multiByte(encoding.name, text))
    default:
      return singleByte(encoding.name)
  }
}

class SequenceDecoding extends TextDecoding {
  readonly #converter: Converter
  readonly #sequences: Sequences
  /** The beginning of a sequence that the next chunk goes on with: a copy of 3 bytes at most. */
  #begun: Buffer = EMPTY

  constructor(options: DecodingOptions, converter: Converter) {
    super(options)
    this.#converter = converter
    this.#sequences = converter.sequences
  }

  override decode(chunk: Uint8Array): Uint8Array {
    let bytes = asBuffer(chunk)
    let first: Buffer = EMPTY
    if (this.#begun.length > 0) {
      const before = this.#begun.length
      const head = Buffer.concat([this.#begun, bytes.subarray(0, LOOK_BYTES)])
      const whole = this.#sequences.whole(head)
      first = this.#convert(head.subarray(0, whole))
      if (whole < before) {
        // Only in a chunk that is shorter than what was looked at.
        this.#begun = head.subarray(whole)
        return first
      }
      this.#begun = EMPTY
      if (this.failure !== undefined) return first
      bytes = bytes.subarray(whole - before)
    }
    if (this.#converter.extendsAscii && isAscii(bytes)) {
      this.pass(bytes.length, bytes)
      return first.length === 0 ? bytes : Buffer.concat([first, bytes])
    }
    const whole = this.#sequences.whole(bytes)
    if (whole < bytes.length) this.#begun = Buffer.from(bytes.subarray(whole))
    const second = this.#convert(bytes.subarray(0, whole))
    return first.length === 0 ? second : Buffer.concat([first, second])
  }

  override flush(): Uint8Array {
    const parts: Buffer[] = []
    let rest = this.#begun
    this.#begun = EMPTY
    while (rest.length > 0 && this.failure === undefined) {
      const length = this.#sequences.length(rest, 0)
      if (length > 0) parts.push(Buffer.from(this.#convert(rest.subarray(0, length))))
      else if (this.replaces) {
        parts.push(REPLACEMENT)
        this.pass(Math.min(this.#sequences.unit, rest.length), EMPTY)
      } else this.fail(rest, true)
      rest = rest.subarray(length || this.#sequences.unit)
    }
    return Buffer.concat(parts)
  }

  #convert(bytes: Buffer): Buffer {
    if (bytes.length === 0) return EMPTY
    const text = this.#converter.convert(bytes) ?? (this.replaces ? this.#replace(bytes) : undefined)
    if (text !== undefined) {
      this.pass(bytes.length, text)
      return text
    }
    const invalid = this.#firstInvalid(bytes)
    const good = invalid === 0 ? EMPTY : this.#converter.convert(bytes.subarray(0, invalid))!
    this.pass(invalid, good)
    const sequence = bytes.subarray(invalid)
    this.fail(sequence.subarray(0, this.#sequences.length(sequence, 0) || sequence.length), false)
    return good
  }

  /** Offset of the first sequence that is no character; there is one. */
  #firstInvalid(bytes: Buffer): number {
    let start = 0
    let end = bytes.length
    for (;;) {
      const middle = this.#middle(bytes.subarray(start, end))
      if (middle === 0) return start
      if (this.#converter.convert(bytes.subarray(start, start + middle)) === undefined) end = start + middle
      else start += middle
    }
  }

  #replace(bytes: Buffer): Buffer {
    if (this.#converter.replace !== undefined) return this.#converter.replace(bytes)
    const parts: Buffer[] = []
    this.#replaceInto(bytes, parts)
    return Buffer.concat(parts)
  }

  #replaceInto(bytes: Buffer, parts: Buffer[]): void {
    const text = this.#converter.convert(bytes)
    const middle = text === undefined ? this.#middle(bytes) : 0
    if (text !== undefined) parts.push(text)
    else if (middle === 0) {
      parts.push(REPLACEMENT)
      // The second byte may be a delimiter, as | is: it stays, as the standard has it.
      if (bytes.length === 2 && bytes[1]! < 0x80) parts.push(bytes.subarray(1))
    } else {
      this.#replaceInto(bytes.subarray(0, middle), parts)
      this.#replaceInto(bytes.subarray(middle), parts)
    }
  }

  /** Where a sequence begins about halfway; 0 for a single sequence. */
  #middle(bytes: Buffer): number {
    const first = this.#sequences.length(bytes, 0) || bytes.length
    if (first >= bytes.length) return 0
    return this.#sequences.whole(bytes.subarray(0, bytes.length >> 1)) || first
  }
}

function utf16(order: 'le' | 'be'): Converter {
  const native = (bytes: Buffer) => (order === 'le' ? bytes : Buffer.from(bytes).swap16())
  return {
    sequences: utf16Sequences(order),
    extendsAscii: false,
    convert: bytes => utf8OfUtf16(native(bytes)),
    replace: bytes => Buffer.from(native(bytes).toString('utf16le')),
  }
}

function utf8OfUtf16(bytes: Buffer): Buffer | undefined {
  try {
    return transcode(bytes, 'utf16le', 'utf8')
  } catch {
    // It refuses half of a surrogate pair, and nothing else.
    return undefined
  }
}

function utf32(littleEndian: boolean): Converter {
  /** As UTF-16, a whole buffer of it, so that half pairs cannot join. */
  const convert = (bytes: Buffer, replacement: number | undefined): Buffer | undefined => {
    const wide = Buffer.allocUnsafe(bytes.length)
    let length = 0
    for (let at = 0; at < bytes.length; at += 4) {
      let point = littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
      if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
        if (replacement === undefined) return undefined
        point = replacement
      }
      if (point < 0x10000) length = wide.writeUInt16LE(point, length)
      else {
        length = wide.writeUInt16LE(0xd7c0 + (point >> 10), length)
        length = wide.writeUInt16LE(0xdc00 | (point & 0x3ff), length)
      }
    }
    return utf8OfUtf16(wide.subarray(0, length))
  }
  return {
    sequences: UTF_32_SEQUENCES,
    extendsAscii: false,
    convert: bytes => convert(bytes, undefined),
    replace: bytes => convert(bytes, NO_CHARACTER)!,
  }
}

const SINGLE: Sequences = { unit: 1, length: () => 1, whole: bytes => bytes.length }

function singleByte(name: string): Converter {
  /** UTF-8 of each byte, the first byte lowest; 0 where there is no character. */
  const packed = Uint32Array.from(charactersOf(name), character =>
    character === NO_CHARACTER || character === 0
      ? 0
      : Buffer.from(String.fromCharCode(character)).reduce((sum, byte, i) => sum | (byte << (8 * i)), 0),
  )
  const packedReplacement = REPLACEMENT.readUIntLE(0, 3)
  let output: Buffer = EMPTY
  const convert = (bytes: Buffer, replacement: number): Buffer | undefined => {
    if (output.length < bytes.length * 3) output = Buffer.allocUnsafeSlow(bytes.length * 3)
    let length = 0
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!
      if (byte < 0x80) {
        output[length++] = byte
        continue
      }
      const utf8 = packed[byte]! || replacement
      if (utf8 === 0) return undefined
      output[length++] = utf8
      output[length++] = utf8 >> 8
      if (utf8 > 0xffff) output[length++] = utf8 >> 16
    }
    return output.subarray(0, length)
  }
  return {
    sequences: SINGLE,
    extendsAscii: true,
    convert: bytes => convert(bytes, 0),
    replace: bytes => convert(bytes, packedReplacement)!,
  }
}

function multiByte(name: string, toText: (bytes: Buffer) => string | undefined): Converter {
  return {
    sequences: multiByteSequences(name),
    extendsAscii: true,
    convert(bytes) {
      const text = toText(bytes)
      return text === undefined ? undefined : Buffer.from(text)
    },
  }
}

function iconvText(iconv: IconvLite, name: string): (bytes: Buffer) => string | undefined {
  return bytes => {
    const text = iconv.decode(bytes, name)
    return text.includes('\ufffd') ? undefined : text
  }
}

function standardText(name: string): (bytes: Buffer) => string | undefined {
  // The standard has GBK read as GB 18030; Node 20 would read it without the sign of the euro.
  const label = name === 'gbk' ? 'gb18030' : name
  const decoder = new TextDecoder(label, { ignoreBOM: true })
  const strict = new TextDecoder(label, { ignoreBOM: true, fatal: true })
  // ICU lets control characters pass as bytes of their own, which no EUC-JP has.
  const suspicious = name === 'euc-jp' ? /[\ufffd\x80-\x9f]/ : /\ufffd/
  const mendAscii = asciiMender(decoder)
  return bytes => {
    const text = mendAscii(decoder.decode(bytes))
    if (!suspicious.test(text)) return text
    if (label !== 'gb18030') return undefined
    // GB 18030 has U+FFFD too; an exception for each wrong byte would be dear in the others.
    try {
      return strict.decode(bytes)
    } catch {
      return undefined
    }
  }
}

/** ICU's Shift_JIS is IBM's, which has the control characters 1A, 1C and 7F change places. */
function asciiMender(decoder: { decode(bytes: Uint8Array): string }): (text: string) => string {
  const right = new Map<string, string>()
  for (let byte = 0; byte < 0x80; byte++) {
    const given = decoder.decode(Uint8Array.of(byte))
    const wanted = String.fromCharCode(byte)
    if (given !== wanted) right.set(given, wanted)
  }
  if (right.size === 0) return text => text
  const wrong = new RegExp(`[${[...right.keys()].join('')}]`, 'g')
  return text => text.replace(wrong, character => right.get(character) ?? character)
}
