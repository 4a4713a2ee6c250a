/** Where things are in the bytes of a CSV that csv-parse reads: it tells of records, and little of what is around them. */
import type { ReadDialect } from './read-dialect.ts'

/** A dialect in bytes. */
export class DialectBytes {
  /** The longest first. */
  readonly recordDelimiters: readonly Buffer[]
  readonly #dialect: ReadDialect

  constructor(dialect: ReadDialect, recordDelimiters: readonly string[]) {
    this.#dialect = dialect
    this.recordDelimiters = recordDelimiters.map(delimiter => Buffer.from(delimiter))
  }

  /** The offset after the delimiter at `at`. */
  afterDelimiter(bytes: Buffer, at: number): number {
    const { delimiters } = this.#dialect
    return at + Math.max(...delimiters.map(delimiter => lengthAt(bytes, at, Buffer.from(delimiter))))
  }

  /** The offset after the quote that closes the field at `fieldAt`, and white space where that is taken off. */
  afterClosing(bytes: Buffer, fieldAt: number): number {
    const quote = Buffer.from(this.#dialect.quote!)
    const escape = this.#dialect.escape === null ? null : Buffer.from(this.#dialect.escape)
    const doubled = escape?.equals(quote) === true
    let at = fieldAt + quote.length
    while (at < bytes.length) {
      if (doubled && lengthAt(bytes, at, quote) > 0 && lengthAt(bytes, at + quote.length, quote) > 0) {
        at += 2 * quote.length
      } else if (!doubled && escape !== null && lengthAt(bytes, at, escape) > 0) at += escape.length + 1
      else if (lengthAt(bytes, at, quote) > 0) break
      else at++
    }
    at += quote.length
    return this.#dialect.rtrim ? at + leadingSpace(bytes.toString('utf8', at)) : at
  }

  /** Where the record begins in bytes that may have whole lines of comments before it. */
  afterComments(bytes: Buffer): number {
    const { comment, ltrim } = this.#dialect
    if (comment === null) return 0
    for (let at = 0; ; ) {
      const start = ltrim ? at + leadingSpace(bytes.toString('utf8', at)) : at
      const [, end] =
        lengthAt(bytes, start, Buffer.from(comment)) > 0 ? this.nextDelimiter(bytes, start, true) : [0, -1]
      if (end < 0) return at
      at = end
    }
  }

  /** Where the next record delimiter begins and ends; -1 if there is none, or it may go on after these bytes. */
  nextDelimiter(bytes: Buffer, from: number, atEnd: boolean): [start: number, end: number] {
    let best: [start: number, end: number] = [-1, -1]
    for (const delimiter of this.recordDelimiters) {
      const at = bytes.indexOf(delimiter, from)
      if (at >= 0 && (best[0] < 0 || at < best[0])) best = [at, at + delimiter.length]
    }
    const longest = this.recordDelimiters[0]!.length
    return best[0] >= 0 && !atEnd && best[0] + longest > bytes.length ? [-1, -1] : best
  }

  /** Where a record's text ends, before its delimiter. */
  contentEnd(bytes: Buffer): number {
    const delimiter = this.recordDelimiters.find(
      ({ length }, i) => bytes.length >= length && bytes.subarray(-length).equals(this.recordDelimiters[i]!),
    )
    return bytes.length - (delimiter?.length ?? 0)
  }
}

/** The length of `token` if it is at `at`, else 0. */
function lengthAt(bytes: Buffer, at: number, token: Buffer): number {
  return bytes.subarray(at, at + token.length).equals(token) ? token.length : 0
}

/** Bytes of the white space that `text` begins with, on its first line. */
export function leadingSpace(text: string): number {
  return Buffer.byteLength(/^[^\S\r\n]*/u.exec(text)![0])
}
