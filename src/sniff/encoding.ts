/** Which encoding bytes are in, and the text they hold. */
import { isAscii, isUtf8, validUtf8Length } from '../core/text.ts'
import { isControl } from './signatures.ts'

/** The text of a sample, for looking at; never what is delivered to a user. */
export interface SniffedText {
  /** Without a byte order mark. */
  readonly text: string
  /** As `TextDecoder` names it (which knows no `utf-32le` and `utf-32be`). */
  readonly encoding: string
  readonly confidence: number
  readonly why: string
}

const BOMS: readonly { readonly bytes: readonly number[]; readonly encoding: string }[] = [
  { bytes: [0xff, 0xfe, 0x00, 0x00], encoding: 'utf-32le' }, // before UTF-16, whose mark it begins with
  { bytes: [0x00, 0x00, 0xfe, 0xff], encoding: 'utf-32be' },
  { bytes: [0xef, 0xbb, 0xbf], encoding: 'utf-8' },
  { bytes: [0xff, 0xfe], encoding: 'utf-16le' },
  { bytes: [0xfe, 0xff], encoding: 'utf-16be' },
]

/** How sure a guess is that rests on nothing but what else the bytes are not. */
const GUESS = 0.3

/** The text of a sample and its encoding; undefined where the bytes are no text. */
export function sniffText(sample: Uint8Array, complete: boolean): SniffedText | undefined {
  for (const { bytes, encoding } of BOMS) {
    if (sample.length < bytes.length || !bytes.every((byte, i) => sample[i] === byte)) continue
    const shown = bytes.map(byte => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ')
    const text = decoded(sample.subarray(bytes.length), encoding)
    return { text, encoding, confidence: 1, why: `the byte order mark ${shown} says ${encoding}` }
  }
  const wide = widthByNuls(sample)
  if (wide !== undefined) {
    const why = `every second byte of its ASCII characters is 00, without a byte order mark: ${wide}`
    return { text: decoded(sample, wide), encoding: wide, confidence: 0.9, why }
  }
  if (isBinary(sample)) return undefined
  if (isAscii(sample)) {
    return { text: decoded(sample, 'utf-8'), encoding: 'utf-8', confidence: 0.95, why: 'all bytes are ASCII: utf-8' }
  }
  const whole = complete ? sample : sample.subarray(0, sample.length - cutBytes(sample))
  if (isUtf8(whole)) {
    const why = 'the bytes beyond ASCII are valid UTF-8'
    return { text: decoded(whole, 'utf-8'), encoding: 'utf-8', confidence: 0.99, why }
  }
  const bad = validUtf8Length(whole)
  const byte = whole[bad]!.toString(16).toUpperCase()
  return {
    text: decoded(sample, 'windows-1252'),
    encoding: 'windows-1252',
    confidence: GUESS,
    why: `byte ${bad} (${byte}) is not UTF-8; windows-1252 is only a guess, name the encoding`,
  }
}

function decoded(bytes: Uint8Array, encoding: string): string {
  if (encoding.startsWith('utf-32')) return decodedUtf32(bytes, encoding === 'utf-32le')
  // A sample may end in the middle of a character.
  return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes, { stream: true })
}

function decodedUtf32(bytes: Uint8Array, little: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: string[] = []
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = view.getUint32(at, little)
    parts.push(code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd')
  }
  return parts.join('')
}

/** UTF-16 without a mark: text has many ASCII characters, in any script at least its line ends and delimiters. */
function widthByNuls(sample: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const length = Math.min(sample.length, 4096) & ~1
  if (length < 4) return undefined
  let even = 0
  let odd = 0
  let pairs = 0
  for (let at = 0; at < length; at += 2) {
    if (sample[at] === 0) even++
    if (sample[at + 1] === 0) odd++
    if (sample[at] === 0 && sample[at + 1] === 0) pairs++
  }
  const half = length / 2
  if (pairs > half * 0.01) return undefined
  const most = Math.max(even, odd)
  if (most < half * 0.2 || Math.min(even, odd) > most * 0.05) return undefined
  const encoding = odd > even ? 'utf-16le' : 'utf-16be'
  // Numbers in a binary file have zeros at every second byte too, but not the characters of a text between them.
  const text = decoded(sample.subarray(0, length), encoding)
  let strange = 0
  for (let i = 0; i < text.length; i++) if (isControl(text.charCodeAt(i)) || text[i] === '\ufffd') strange++
  return strange > text.length * 0.01 ? undefined : encoding
}

function isBinary(sample: Uint8Array): boolean {
  let nuls = 0
  let controls = 0
  for (const byte of sample) {
    if (byte === 0) nuls++
    else if (isControl(byte)) controls++
  }
  const total = sample.length
  // Exports of broken programs have a NUL here and there; they are text nevertheless.
  return nuls > total * 0.005 || nuls + controls > total * (isUtf8(sample) ? 0.1 : 0.02)
}

/** Bytes at the end that begin a character whose rest was cut off. */
function cutBytes(sample: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, sample.length); back++) {
    const byte = sample[sample.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? back : 0
  }
  return 0
}
