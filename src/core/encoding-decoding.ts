/** Text in some encoding → UTF-8, without I/O: a state machine that is given chunks which may be split anywhere. */
import type { Encoding } from './encoding-names.ts'
import { createError } from './errors.ts'

export interface DecodingOptions {
  readonly encoding: Encoding
  /** Names the place in messages. */
  readonly label: string
  /** What becomes of a sequence that is no character: an error, or U+FFFD. */
  readonly onInvalid: 'raise' | 'replace'
  /** Bytes of the input before the first chunk: those of a byte order mark. */
  readonly offset: number
}

export const EMPTY = Buffer.alloc(0)
export const REPLACEMENT = Buffer.from('\ufffd')

/** The bookkeeping that all decodings share: the place in the input, and the error that ended it. */
export abstract class TextDecoding {
  /** Set when the input turned out wrong: to be thrown after the text that the last call gave. */
  failure: Error | undefined
  protected readonly replaces: boolean
  readonly #encoding: Encoding
  readonly #label: string
  /** Bytes of the input that are done with. */
  #consumed: number
  /** Line ends among them. */
  #lines = 0

  constructor(options: DecodingOptions) {
    this.#encoding = options.encoding
    this.#label = options.label
    this.replaces = options.onInvalid === 'replace'
    this.#consumed = options.offset
  }

  /** UTF-8 of the characters that the bytes so far complete, maybe none. Lent: it stays until the next call. */
  abstract decode(chunk: Uint8Array): Uint8Array
  /** What is left at the end of the input; the middle of a character is wrong here. */
  abstract flush(): Uint8Array

  /** Counts what is done with: bytes of the input, and the text that they gave. */
  protected pass(bytes: number, text: Uint8Array): void {
    this.#consumed += bytes
    for (let at = text.indexOf(10); at >= 0; at = text.indexOf(10, at + 1)) this.#lines++
  }

  /** Ends the decoding at a sequence that follows what was passed. */
  protected fail(sequence: Uint8Array, ended: boolean): void {
    const { name } = this.#encoding
    const found = `${sequence.length === 1 ? 'byte' : 'bytes'} ${hex(sequence)}`
    const byte = this.#consumed
    this.failure = createError(
      'TEXT_INVALID_ENCODING',
      ended
        ? `the input ends inside a character of ${name}, which begins at byte ${byte}`
        : `${found} at byte ${byte} ${sequence.length === 1 ? 'is' : 'are'} ${wrong(name)}`,
      {
        label: this.#label,
        line: this.#lines + 1,
        byte,
        expected: name,
        found: ended ? `the end of the input after ${found}` : found,
      },
    )
  }
}

const wrong = (name: string) =>
  name.startsWith('utf-16') ? `half of a surrogate pair of ${name}` : `no character of ${name}`

const hex = (bytes: Uint8Array) => Array.from(bytes, byte => byte.toString(16).toUpperCase().padStart(2, '0')).join(' ')
