/** Text → each encoding that can be written. Loaded when an output is not UTF-8. */
import { textDecoderOf } from './encoding-decoders.ts'
import type { Encoding } from './encoding-names.ts'
import { loadIconvLite } from './encoding-peer.ts'
import { bytesOf } from './encoding-single-byte.ts'

export interface TextEncoding {
  /** Whether ASCII is the same bytes in this encoding. */
  readonly extendsAscii: boolean
  /** The bytes of a text; undefined where the encoding lacks one of its characters. */
  encode(text: string): Buffer | undefined
  /** UTF-16 units at the end of a text that may be one character with what follows. */
  waits?(text: string): number
}

/** Makes the encoding. PEER_MISSING where that takes a package that is not there. */
export async function createEncoding(encoding: Encoding): Promise<TextEncoding> {
  const { name, kind } = encoding
  if (kind === 'utf-8') return { extendsAscii: true, encode: text => Buffer.from(text) }
  if (kind === 'utf-16') {
    const encode = (text: string) => Buffer.from(text, 'utf16le')
    return { extendsAscii: false, encode: name === 'utf-16le' ? encode : text => encode(text).swap16() }
  }
  return kind === 'single-byte' ? singleByte(bytesOf(name, encoding.unusedBytes)) : multiByte(encoding)
}

/** By our own tables, so that what is written is what would be read. */
function singleByte(table: Uint8Array): TextEncoding {
  return {
    extendsAscii: true,
    encode(text) {
      const bytes = Buffer.allocUnsafe(text.length)
      for (let i = 0; i < text.length; i++) {
        const unit = text.charCodeAt(i)
        const byte = table[unit]!
        if (byte === 0 && unit !== 0) return undefined
        bytes[i] = byte
      }
      return bytes
    },
  }
}

/** In Big5 these are one character with a macron or a caron that follows, and characters alone too. */
const BEFORE_MARK = /[\u00ca\u00ea]$/

async function multiByte(encoding: Encoding): Promise<TextEncoding> {
  const { name } = encoding
  const iconv = await loadIconvLite(name, 'written')
  const read = await textDecoderOf(encoding)
  const encode = (text: string) => {
    const bytes = iconv.encode(text, name)
    // iconv-lite writes ? for what it lacks, and maps some characters to others that look alike: reading tells.
    return read(bytes) === text ? bytes : undefined
  }
  if (name !== 'big5') return { extendsAscii: true, encode }
  return { extendsAscii: true, encode, waits: text => (BEFORE_MARK.test(text) ? 1 : 0) }
}
