/** Values → CSV fields (RFC 4180) straight into an output buffer, quoted where they need it. */
import type { OutputBuffer } from '../../core/bytes.ts'
import { FieldTexts } from '../../core/field-texts.ts'
import { UnwritableValue } from '../../core/unwritable.ts'
import type { CsvWriteDialect } from './write-options.ts'

/** Longer text is searched by a pattern and encoded as a whole, which is then quicker than a loop over characters. */
const SHORT_TEXT = 96
/** Kinds of characters: more than one byte, and what makes a field need quotes. */
const WIDE = 1
const MARK = 2
export const BYTE_ORDER_MARK = 0xfeff
export const LONE_SURROGATE = /\p{Surrogate}/u

export type CsvFieldDialect = Pick<
  CsvWriteDialect,
  | 'delimiter'
  | 'quote'
  | 'escape'
  | 'quoted'
  | 'quotedEmpty'
  | 'quotedString'
  | 'nullText'
  | 'trueText'
  | 'falseText'
  | 'escapeFormulas'
>

export class CsvFields {
  readonly #out: OutputBuffer
  readonly #dialect: CsvFieldDialect
  readonly #texts: FieldTexts
  /** Whether text is written as it is unless its characters say otherwise. */
  readonly #plainText: boolean
  /** By UTF-16 unit: 0 where it is written as it is, as one byte; `MARK` where it makes a field need quotes. */
  readonly #kinds = new Uint8Array(0x10000).fill(WIDE, 0x80)
  /** Finds what makes long text need quotes, or more care: a mark, or half a surrogate pair. */
  readonly #search: RegExp
  /** The same for numbers: no character that a number is written with is a mark either. */
  readonly #plainNumbers: boolean
  readonly #delimiter: Uint8Array
  readonly #delimiterByte: number

  constructor(out: OutputBuffer, dialect: CsvFieldDialect) {
    this.#out = out
    this.#dialect = dialect
    this.#texts = new FieldTexts(dialect)
    this.#delimiter = Buffer.from(dialect.delimiter)
    this.#delimiterByte = this.#delimiter[0]!
    const { delimiter, quote, escape, quoted, quotedString, nullText, escapeFormulas } = dialect
    const asks = quoted || dialect.quotedEmpty || quotedString || escapeFormulas || nullText !== ''
    this.#plainText = !asks
    const marks = ['\r', '\n', delimiter, ...(quote === null ? [] : [quote, escape])]
    for (const mark of marks) this.#kinds[mark.charCodeAt(0)] = MARK
    this.#search = new RegExp(`^\\ufeff|[${marks.map(escapeInClass).join('')}\\ud800-\\udfff]`)
    this.#plainNumbers = !quoted && nullText === '' && !marks.some(mark => /[-+.\deINafinty]/.test(mark))
  }

  /** Writes the first field of a record. Throws UnwritableValue, with part of it written. */
  first(value: unknown): void {
    if (typeof value === 'number' && this.#plainNumbers) this.#number(value)
    else if (typeof value !== 'string') this.#other(value)
    else if (this.#plainText) this.#text(value)
    else this.#optionalText(value, this.#dialect.quotedString, true)
  }

  /**
   * Writes a delimiter and the field after it from position `at` on; gives back the position after them. That is
   * `first`, with the shortest way for what most fields are: `out.length` is set only by the others.
   */
  next(value: unknown, at: number): number {
    const out = this.#out
    if (typeof value === 'string' && value.length <= SHORT_TEXT && this.#plainText) {
      const count = value.length
      if (out.bytes.length - at < count + 4) {
        out.length = at
        out.reserve(count + 4)
      }
      const bytes = out.bytes
      const kinds = this.#kinds
      if (this.#delimiterByte < 0x80) bytes[at++] = this.#delimiterByte
      else at = put(bytes, at, this.#dialect.delimiter.charCodeAt(0))
      let i = 0
      for (; i < count; i++) {
        const c = value.charCodeAt(i)
        if (kinds[c] !== 0) break
        bytes[at + i] = c
      }
      if (i === count) return at + count
      out.length = at
      this.#mixedText(value, false)
    } else {
      out.length = at
      out.append(this.#delimiter)
      this.first(value)
    }
    return out.length
  }

  #number(value: number): void {
    if (value - value === 0) this.#out.appendNumber(value)
    else this.#out.appendAscii(`${value}`)
  }

  #other(value: unknown): void {
    if (value === null || value === undefined) {
      this.#text(this.#dialect.nullText)
      return
    }
    const text = this.#texts.textOf(value)
    if (text === null) {
      this.#text(this.#dialect.nullText)
      return
    }
    const isNumber = typeof value === 'number' || typeof value === 'bigint'
    this.#optionalText(text, false, !isNumber)
  }

  /** Text by those options that ask for more than it needs. */
  #optionalText(text: string, asked: boolean, mayBeFormula: boolean): void {
    const { quoted, quotedEmpty, nullText, escapeFormulas } = this.#dialect
    if (text === '') {
      if (quotedEmpty) this.quotedText(text)
      return
    }
    const written = escapeFormulas && mayBeFormula && isFormula(text) ? `'${text}` : text
    if (asked || quoted || written === nullText) this.quotedText(written)
    else this.#text(written)
  }

  #text(text: string): void {
    const count = text.length
    if (count > SHORT_TEXT) {
      this.#longText(text)
      return
    }
    const out = this.#out
    out.reserve(count)
    const bytes = out.bytes
    const kinds = this.#kinds
    const at = out.length
    for (let i = 0; i < count; i++) {
      const c = text.charCodeAt(i)
      if (kinds[c] !== 0) {
        this.#mixedText(text, false)
        return
      }
      bytes[at + i] = c
    }
    out.length = at + count
  }

  quotedText(text: string): void {
    if (text.length > SHORT_TEXT) this.#longQuotedText(text)
    else this.#mixedText(text, true)
  }

  #longText(text: string): void {
    if (this.#search.test(text)) {
      // A surrogate pair is found too, and is no reason for quotes: the slow look tells.
      if (this.#needsQuotes(text)) {
        this.#longQuotedText(text)
        return
      }
      if (LONE_SURROGATE.test(text)) throw loneSurrogate()
    }
    this.#out.appendText(text)
  }

  #needsQuotes(text: string): boolean {
    if (text.charCodeAt(0) === BYTE_ORDER_MARK) return true
    for (let i = 0; i < text.length; i++) if (this.#kinds[text.charCodeAt(i)] === MARK) return true
    return false
  }

  #longQuotedText(text: string): void {
    if (LONE_SURROGATE.test(text)) throw loneSurrogate()
    this.#out.appendText(enclose(text, this.#dialect))
  }

  /** Short text, not all plain ASCII. Text that turns out to need quotes is begun anew. */
  #mixedText(text: string, quoted: boolean): void {
    const { quote, escape } = this.#dialect
    if (quoted && quote === null) throw needsQuotes()
    const out = this.#out
    const count = text.length
    out.reserve(count * 6 + 6)
    const bytes = out.bytes
    const quoteCode = quoted && quote !== null ? quote.charCodeAt(0) : -1
    const escapeCode = quoted ? escape.charCodeAt(0) : -1
    let at = out.length
    if (quoted) at = put(bytes, at, quoteCode)
    for (let i = 0; i < count; i++) {
      const c = text.charCodeAt(i)
      if (quoted) {
        if (c === quoteCode || c === escapeCode) at = put(bytes, at, escapeCode)
      } else if (this.#kinds[c] === MARK || (c === BYTE_ORDER_MARK && i === 0)) {
        this.#mixedText(text, true)
        return
      }
      if (c < 0x80) bytes[at++] = c
      else if (c < 0xd800 || c > 0xdfff) at = put(bytes, at, c)
      else {
        const point = text.codePointAt(i)!
        if (point < 0x10000) throw loneSurrogate()
        bytes[at++] = 0xf0 | (point >> 18)
        bytes[at++] = 0x80 | ((point >> 12) & 0x3f)
        bytes[at++] = 0x80 | ((point >> 6) & 0x3f)
        bytes[at++] = 0x80 | (point & 0x3f)
        i++
      }
    }
    if (quoted) at = put(bytes, at, quoteCode)
    out.length = at
  }
}

/** One UTF-16 unit that is no surrogate, as UTF-8; gives back the position after it. */
function put(bytes: Uint8Array, at: number, c: number): number {
  if (c < 0x80) bytes[at++] = c
  else if (c < 0x800) {
    bytes[at++] = 0xc0 | (c >> 6)
    bytes[at++] = 0x80 | (c & 0x3f)
  } else {
    bytes[at++] = 0xe0 | (c >> 12)
    bytes[at++] = 0x80 | ((c >> 6) & 0x3f)
    bytes[at++] = 0x80 | (c & 0x3f)
  }
  return at
}

const escapeInClass = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Text in quotes, with what needs an escape escaped. */
export function enclose(text: string, { quote, escape }: Pick<CsvWriteDialect, 'quote' | 'escape'>): string {
  if (quote === null) throw needsQuotes()
  let escaped = escape === quote ? text : text.replaceAll(escape, () => escape + escape)
  escaped = escaped.replaceAll(quote, () => escape + quote)
  return quote + escaped + quote
}

export function isFormula(text: string): boolean {
  switch (text.charCodeAt(0)) {
    case 0x3d: // =
    case 0x2b: // +
    case 0x2d: // -
    case 0x40: // @
    case 0x09:
    case 0x0d:
    case 0x0a:
    case 0x00:
    case 0xff1d: // the full-width forms of the four
    case 0xff0b:
    case 0xff0d:
    case 0xff20:
      return true
    default:
      return false
  }
}

export const loneSurrogate = () =>
  new UnwritableValue('half of a surrogate pair has no UTF-8 form', 'mend the text, for example by text.toWellFormed()')
export const needsQuotes = () =>
  new UnwritableValue(
    'it holds a delimiter or line end and { quote: null } forbids the quotes',
    'allow quotes, or take another delimiter',
  )
