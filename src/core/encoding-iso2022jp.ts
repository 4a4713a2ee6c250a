/**
 * ISO-2022-JP (RFC 1468), the one encoding with a state: escape sequences switch between ASCII, JIS X 0201 and the two
 * bytes of JIS X 0208. Node decodes it, but goes on quietly after a line that ends in the two-byte state.
 */
import { EMPTY, REPLACEMENT, TextDecoding } from './encoding-decoding.ts'
import { asBuffer } from './text.ts'

type State = 'ascii' | 'roman' | 'katakana' | 'double'

const ESCAPE = 0x1b
/** What follows the escape → the state. */
const ESCAPES: Readonly<Record<string, State>> = {
  '(B': 'ascii',
  '(J': 'roman',
  '(I': 'katakana',
  '$@': 'double',
  $B: 'double',
}
/** The bytes of U+FF61 to U+FF9F in JIS X 0201; end exclusive. */
const KATAKANA_START = 0x21
const KATAKANA_END = 0x60

export class Iso2022JpDecoding extends TextDecoding {
  #state: State = 'ascii'
  /** The beginning of an escape sequence or of two bytes. */
  #begun: Buffer = EMPTY
  readonly #decoder = new TextDecoder('euc-jp')

  override decode(chunk: Uint8Array): Uint8Array {
    return this.#run(this.#begun.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#begun, chunk]), false)
  }

  override flush(): Uint8Array {
    return this.#run(this.#begun, true)
  }

  #run(bytes: Buffer, ended: boolean): Uint8Array {
    const parts: Buffer[] = []
    let at = 0
    this.#begun = EMPTY
    while (at < bytes.length && this.failure === undefined) {
      const start = at
      let text: Buffer | undefined
      if (bytes[at] === ESCAPE) {
        if (at + 3 > bytes.length && !ended) break
        const state = ESCAPES[bytes.toString('latin1', at + 1, at + 3)]
        if (state !== undefined) {
          this.#state = state
          at += 3
          text = EMPTY
        }
      } else {
        at = this.#endOfRun(bytes, at)
        if (at > start) text = this.#convert(bytes.subarray(start, at))
        else if (this.#state === 'double' && at + 1 === bytes.length && !ended && isDouble(bytes[at]!)) break
        if (text === undefined && this.#state === 'double' && at - start > 2) {
          // One of the pairs is no character: pair by pair.
          at = start + 2
          text = this.#convert(bytes.subarray(start, at))
        }
      }
      if (text === undefined) {
        const length = Math.max(at - start, 1)
        at = start + length
        if (this.replaces) {
          text = this.#replace(bytes.subarray(start, at))
        } else {
          const needed = bytes[start] === ESCAPE ? 3 : this.#state === 'double' && isDouble(bytes[start]!) ? 2 : 1
          const inside = start + needed > bytes.length
          this.fail(inside ? bytes.subarray(start) : bytes.subarray(start, at), inside)
          break
        }
      }
      this.pass(at - start, text)
      parts.push(text)
    }
    if (this.failure === undefined && at < bytes.length) this.#begun = Buffer.from(bytes.subarray(at))
    return Buffer.concat(parts)
  }

  /** Where what the state allows ends. */
  #endOfRun(bytes: Buffer, start: number): number {
    let at = start
    if (this.#state === 'double') {
      while (at + 1 < bytes.length && isDouble(bytes[at]!) && isDouble(bytes[at + 1]!)) at += 2
    } else if (this.#state === 'katakana') {
      while (at < bytes.length && bytes[at]! >= KATAKANA_START && bytes[at]! < KATAKANA_END) at++
    } else {
      while (at < bytes.length && isPlain(bytes[at]!)) at++
    }
    return at
  }

  /** UTF-8 of a run; undefined where it holds two bytes that are no character. */
  #convert(run: Buffer): Buffer | undefined {
    switch (this.#state) {
      case 'ascii':
        return Buffer.from(run)
      case 'roman':
        return Buffer.from(run.toString('latin1').replaceAll('\\', '\u00a5').replaceAll('~', '\u203e'))
      case 'katakana':
        return Buffer.from(Array.from(run, byte => String.fromCharCode(byte - KATAKANA_START + 0xff61)).join(''))
      case 'double': {
        // EUC-JP is the same pairs with their high bits set.
        const text = this.#decoder.decode(run.map(byte => byte | 0x80))
        return text.includes('\ufffd') ? undefined : Buffer.from(text)
      }
    }
  }

  #replace(sequence: Buffer): Buffer {
    // A control character in a state that has none is a forgotten escape: the line end must not be lost with it.
    if (sequence.length > 1 || sequence[0]! >= 0x20 || sequence[0] === ESCAPE) return REPLACEMENT
    this.#state = 'ascii'
    return isPlain(sequence[0]!) ? Buffer.concat([REPLACEMENT, sequence]) : REPLACEMENT
  }
}

const isDouble = (byte: number) => byte >= 0x21 && byte <= 0x7e
const isPlain = (byte: number) => byte < 0x80 && byte !== ESCAPE && byte !== 0x0e && byte !== 0x0f
