/** Any one record → its fields: quoted, ragged, relaxed. The decoder takes the plain ones itself. */
import type { LineEnding } from './read-dialect.ts'

/** `scan` and `resume` give this when the text ends inside quotes. */
export const OPEN = -1
/** `scan` and `resume` give this when the record is not well-formed; `fault` and `faultAt` say how. */
export const FAULT = -2

const LF = 10
const CR = 13
/** Up to this many escapes, a field is joined of pieces while it is read; more make long chains of strings. */
const MAX_JOINED = 16
const NOWHERE = Number.MAX_SAFE_INTEGER

export interface ScanDialect {
  readonly delimiter: string
  readonly quote: string | null
  readonly escape: string | null
  readonly relaxQuotes: boolean
  readonly ending: LineEnding
  /** Whether it matters which fields were quoted. */
  readonly keepsQuoted: boolean
}

/**
 * Reads records of a text, whose last character ends a line unless the input ends there. A record that the text ends
 * inside goes on with the next text, so that each character is looked at once however long a field is.
 */
export class RecordScanner {
  /** The fields of the record read last; only the first `count` are of it. */
  readonly fields: string[] = []
  count = 0
  /** Line ends inside the record. */
  innerLines = 0
  fault: 'strayQuote' | 'textAfterQuote' = 'strayQuote'
  /** Where the quote, or the text, is that should not be. */
  faultAt = 0
  /** Where the last quoted field begins; -1 when that was in an earlier text. */
  quotedAt = -1
  /** Which of `fields` were quoted; kept only where it matters. */
  readonly quoted: number[] = []
  readonly #keepsQuoted: boolean
  readonly #delimiter: string
  readonly #delimiterCode: number
  readonly #quote: string
  /** -1 where nothing quotes. */
  readonly #quoteCode: number
  readonly #escape: string | null
  readonly #relaxQuotes: boolean
  readonly #end: '\n' | '\r'
  readonly #endCode: number
  readonly #pair: boolean
  #text = ''
  // Where the next one of each is, from the last place that was asked about on; found again only once passed.
  #delimiterAt = -1
  #quoteAt = -1
  #escapeAt = -1
  #endAt = -1
  /** The parts of a quoted field that earlier texts ended in. */
  #parts: string[] = []
  /** Whether the quoted field has escapes. */
  #escaped = false
  // The quoted field without its escapes up to `#valueTo`, if there are few; -1 otherwise.
  #value = ''
  #valueTo = -1
  /** Whether the field taken last was the last of its record. */
  #ended = false

  constructor(dialect: ScanDialect) {
    this.#keepsQuoted = dialect.keepsQuoted
    this.#delimiter = dialect.delimiter
    this.#delimiterCode = dialect.delimiter.charCodeAt(0)
    this.#quote = dialect.quote ?? ''
    this.#quoteCode = dialect.quote === null ? -1 : dialect.quote.charCodeAt(0)
    this.#escape = dialect.escape
    this.#relaxQuotes = dialect.relaxQuotes
    this.#end = dialect.ending.end
    this.#endCode = dialect.ending.end.charCodeAt(0)
    this.#pair = dialect.ending.pair
  }

  /** Sets the text that positions are in from now on. */
  begin(text: string): void {
    this.#text = text
    this.#delimiterAt = this.#quoteAt = this.#escapeAt = this.#endAt = -1
  }

  /** Reads the record that begins at `start`, before the end of the text. Gives the position after it. */
  scan(start: number): number {
    this.count = 0
    this.innerLines = 0
    if (this.#keepsQuoted) this.quoted.length = 0
    return this.#readFields(start)
  }

  /** Reads on in a new text, after `OPEN`. */
  resume(): number {
    this.quotedAt = -1
    const close = this.#closingQuote(0)
    this.#countLines(0, close)
    if (close < 0) {
      this.#parts.push(this.#text)
      return OPEN
    }
    this.#parts.push(this.#text.slice(0, close))
    const value = this.#unescape(this.#parts.join(''))
    this.#parts = []
    this.#ended = false
    const next = this.#afterClosing(value, close + 1)
    return next < 0 || this.#ended ? next : this.#readFields(next)
  }

  #readFields(start: number): number {
    const text = this.#text
    const fields = this.fields
    const quote = this.#quote
    const quoteCode = this.#quoteCode
    const delimiterCode = this.#delimiterCode
    const doubled = this.#escape === quote
    let at = start
    for (;;) {
      if (text.charCodeAt(at) === quoteCode) {
        const from = at + 1
        this.quotedAt = at
        this.#escaped = false
        // Most quoted fields hold no quote: the next one closes them.
        let close = text.indexOf(quote, from)
        if (!doubled || text.charCodeAt(close + 1) === quoteCode) close = this.#closingQuote(from)
        if (close < 0 || this.#endAt < close) this.#countLines(from, close)
        if (close < 0) {
          this.#parts = [text.slice(from)]
          return OPEN
        }
        let value: string
        if (!this.#escaped) value = text.slice(from, close)
        else if (this.#valueTo >= 0) value = this.#value + text.slice(this.#valueTo, close)
        else value = this.#unescape(text.slice(from, close))
        if (text.charCodeAt(close + 1) === delimiterCode) {
          if (this.#keepsQuoted) this.quoted.push(this.count)
          fields[this.count++] = value
          at = close + 2
          continue
        }
        this.#ended = false
        at = this.#afterClosing(value, close + 1)
        if (at < 0 || this.#ended) return at
        continue
      }
      const delimiter = this.#nextDelimiter(at)
      const end = this.#nextEnd(at)
      if (quoteCode >= 0 && !this.#relaxQuotes) {
        const stray = this.#nextQuote(at)
        if (stray < delimiter && stray < end) return this.#fail('strayQuote', stray)
      }
      if (delimiter >= end) return this.#lastField('', at, end)
      fields[this.count++] = text.slice(at, delimiter)
      at = delimiter + 1
    }
  }

  /**
   * Takes a quoted field and what follows it. Gives where the next field begins, or, with `#ended`, the next record; or
   * `FAULT`.
   */
  #afterClosing(value: string, next: number): number {
    const text = this.#text
    const code = text.charCodeAt(next)
    if (this.#keepsQuoted) this.quoted.push(this.count)
    if (code === this.#delimiterCode) {
      this.fields[this.count++] = value
      return next + 1
    }
    if (next === text.length || code === this.#endCode) {
      this.fields[this.count++] = value
      this.#ended = true
      return this.#after(next)
    }
    if (code === CR && this.#pair && this.#endCode === LF && text.charCodeAt(next + 1) === LF) {
      this.fields[this.count++] = value
      this.#ended = true
      return next + 2
    }
    if (!this.#relaxQuotes) return this.#fail('textAfterQuote', next)
    // The field was not a quoted one after all: its quotes are text, and so is what follows.
    if (this.#keepsQuoted) this.quoted.pop()
    const start = this.#quote + value + this.#quote
    const delimiter = this.#nextDelimiter(next)
    const end = this.#nextEnd(next)
    if (delimiter >= end) {
      this.#ended = true
      return this.#lastField(start, next, end)
    }
    this.fields[this.count++] = start + text.slice(next, delimiter)
    return delimiter + 1
  }

  #lastField(start: string, at: number, end: number): number {
    const text = this.#text
    const stop = end === NOWHERE ? text.length : end
    const crlf =
      this.#pair && this.#endCode === LF && stop < text.length && stop > at && text.charCodeAt(stop - 1) === CR
    const value = text.slice(at, crlf ? stop - 1 : stop)
    this.fields[this.count++] = start === '' ? value : start + value
    return this.#after(stop)
  }

  /** The position after the line end at `end`. */
  #after(end: number): number {
    const text = this.#text
    if (end >= text.length) return text.length
    return this.#pair && this.#endCode === CR && text.charCodeAt(end + 1) === LF ? end + 2 : end + 1
  }

  #fail(fault: 'strayQuote' | 'textAfterQuote', at: number): number {
    this.fault = fault
    this.faultAt = at
    return FAULT
  }

  /** Where the quoted field that is being read at `from` closes, or -1. */
  #closingQuote(from: number): number {
    const text = this.#text
    const quote = this.#quote
    if (this.#escape === quote) {
      const code = this.#quoteCode
      let at = text.indexOf(quote, from)
      if (at < 0 || text.charCodeAt(at + 1) !== code) return at
      this.#escaped = true
      let value = ''
      let valueTo = from
      for (let pairs = 0; at >= 0 && text.charCodeAt(at + 1) === code; pairs++) {
        if (pairs < MAX_JOINED) {
          value += text.slice(valueTo, at + 1)
          valueTo = at + 2
        } else valueTo = -1
        at = text.indexOf(quote, at + 2)
      }
      this.#value = value
      this.#valueTo = valueTo
      return at
    }
    let at = text.indexOf(quote, from)
    this.#valueTo = -1
    if (this.#escape === null) return at
    for (let search = from; ; ) {
      const escape = this.#nextEscape(search)
      if (escape >= text.length || (at >= 0 && escape > at)) return at
      this.#escaped = true
      search = escape + 2
      if (at >= 0 && at < search) at = text.indexOf(quote, search)
    }
  }

  #unescape(value: string): string {
    const escape = this.#escape
    if (!this.#escaped || escape === null) return value
    if (escape === this.#quote) return value.replaceAll(escape + escape, escape)
    let out = ''
    let from = 0
    for (let at = value.indexOf(escape); at >= 0; at = value.indexOf(escape, at + 2)) {
      out += value.slice(from, at)
      from = at + 1
    }
    return out + value.slice(from)
  }

  /** Counts the line ends between `from` and `to`, the end of the text if that is negative. */
  #countLines(from: number, to: number): void {
    const stop = to < 0 ? NOWHERE : to
    let end = this.#nextEnd(from)
    while (end < stop) {
      this.innerLines++
      end = this.#nextEnd(end + 1)
    }
  }

  #nextDelimiter(from: number): number {
    if (this.#delimiterAt < from) this.#delimiterAt = place(this.#text.indexOf(this.#delimiter, from))
    return this.#delimiterAt
  }

  #nextQuote(from: number): number {
    if (this.#quoteAt < from) this.#quoteAt = place(this.#text.indexOf(this.#quote, from))
    return this.#quoteAt
  }

  #nextEscape(from: number): number {
    if (this.#escapeAt < from) this.#escapeAt = place(this.#text.indexOf(this.#escape!, from))
    return this.#escapeAt
  }

  #nextEnd(from: number): number {
    if (this.#endAt < from) this.#endAt = place(this.#text.indexOf(this.#end, from))
    return this.#endAt
  }
}

function place(index: number): number {
  return index < 0 ? NOWHERE : index
}
