/** Where in the input a character of the text in hand is; worked out only when something is wrong. */
import type { Block } from '../../core/blocks.ts'
import type { LineEnding } from './read-dialect.ts'

const LF = 10

/** A piece of text whose first byte's offset is known. */
export interface TextPart {
  readonly text: string
  /** Offset of its first byte in the input. */
  readonly byte: number
  /** Whether each character is one byte. */
  readonly ascii: boolean
  /** Position in `text` of the first invalid byte, -1 if all are valid. There is one at most, as such a line is alone. */
  readonly invalidAt: number
}

export function partOf(block: Block, byte: number): TextPart {
  const { text, ascii, invalidAt } = block
  return { text, byte, ascii, invalidAt: invalidAt === undefined ? -1 : characterAt(text, invalidAt) }
}

/** The position of the character that is `byte` bytes into the text. All before it is valid UTF-8. */
function characterAt(text: string, byte: number): number {
  let at = 0
  for (let bytes = 0; bytes < byte; at++) {
    const code = text.codePointAt(at)!
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (code > 0xffff) at++
  }
  return at
}

/** One text of parts that follow each other, and where they are. */
export class Passage {
  readonly text: string
  readonly parts: readonly TextPart[]
  readonly #ending: LineEnding
  /** Whether the text begins after the end of another: in the middle of a CRLF perhaps. */
  readonly #continues: boolean
  // The place asked about last, from which the next one is counted: many errors in one text cost no more than one.
  #partIndex = 0
  #partStart = 0
  #markAt = 0
  #markByte: number

  constructor(parts: readonly TextPart[], ending: LineEnding, continues: boolean) {
    this.text = parts.length === 1 ? parts[0]!.text : parts.map(part => part.text).join('')
    this.parts = parts
    this.#ending = ending
    this.#continues = continues
    this.#markByte = parts[0]!.byte
  }

  /** Whether the text's first character belongs to the line end before it: the LF of a CRLF that was cut in two. */
  get beginsWithLf(): boolean {
    const { end, pair } = this.#ending
    return this.#continues && pair && end === '\r' && this.text.charCodeAt(0) === LF
  }

  /** Whether there is nothing after the text's last line end. */
  get endsLine(): boolean {
    const { end, pair } = this.#ending
    const { text } = this
    return text === '' || text.endsWith(end) || (pair && text.endsWith('\r\n')) || (text === '\n' && this.beginsWithLf)
  }

  /** Whether all bytes are valid UTF-8. */
  get valid(): boolean {
    return this.parts.every(part => part.invalidAt < 0)
  }

  /** Position of the first invalid byte from `from` to before `to`, or -1. */
  firstInvalid(from: number, to: number): number {
    let start = 0
    for (const part of this.parts) {
      const at = start + part.invalidAt
      if (part.invalidAt >= 0 && at >= from && at < to) return at
      start += part.text.length
    }
    return -1
  }

  /** What the text holds from the character `at` on. */
  partsFrom(at: number): TextPart[] {
    const rest: TextPart[] = []
    let start = 0
    for (const part of this.parts) {
      const { text, ascii, invalidAt } = part
      const cut = Math.max(0, at - start)
      start += text.length
      if (cut === 0) rest.push(part)
      else if (cut < text.length) {
        const byte = part.byte + (ascii ? cut : Buffer.byteLength(text.slice(0, cut)))
        rest.push({ text: text.slice(cut), byte, ascii, invalidAt: invalidAt < cut ? -1 : invalidAt - cut })
      }
    }
    return rest
  }

  /** Offset in the input of the character `at`. */
  byteAt(at: number): number {
    if (at < this.#markAt) {
      this.#partIndex = this.#partStart = this.#markAt = 0
      this.#markByte = this.parts[0]!.byte
    }
    let part = this.parts[this.#partIndex]!
    while (this.#partIndex + 1 < this.parts.length && at >= this.#partStart + part.text.length) {
      this.#partStart += part.text.length
      part = this.parts[++this.#partIndex]!
      this.#markAt = this.#partStart
      this.#markByte = part.byte
    }
    this.#markByte += part.ascii ? at - this.#markAt : Buffer.byteLength(this.text.slice(this.#markAt, at))
    this.#markAt = at
    return this.#markByte
  }

  /** Number of the character `at` in its line, from 1. */
  columnAt(at: number): number {
    const { end, pair } = this.#ending
    const start = at === 0 ? 0 : this.text.lastIndexOf(end, at - 1) + 1
    const lf = end === '\r' && pair && start < at && this.text.charCodeAt(start) === LF
    return at - start + (lf && (start > 0 || this.#continues) ? 0 : 1)
  }

  /** Line ends from `from` to before `to`. */
  lineEnds(from: number, to: number): number {
    const { end } = this.#ending
    let lines = 0
    for (let at = this.text.indexOf(end, from); at >= 0 && at < to; at = this.text.indexOf(end, at + 1)) lines++
    return lines
  }

  /** The position after the next line end from `from` on, or the end of the text. */
  nextLine(from: number): number {
    const { end, pair } = this.#ending
    const at = this.text.indexOf(end, from)
    if (at < 0) return this.text.length
    return pair && end === '\r' && this.text.charCodeAt(at + 1) === LF ? at + 2 : at + 1
  }
}
