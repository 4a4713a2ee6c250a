/** What comes before the first record: a byte order mark, lines to pass over, and finding out how lines end. */
import { StringDecoder } from 'node:string_decoder'
import { asBuffer } from '../../core/text.ts'
import { ByteWindow } from './byte-window.ts'
import { recordTooLarge } from './errors.ts'
import { type LineEnding, lineEnding, type ReadDialect } from './read-dialect.ts'

const LF = 10
const CR = 13
const PIECE_BYTES = 65_536
const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const DEFAULT_ENDING: LineEnding = { end: '\n', pair: true }

/** Takes the first chunks; once the data begins and its line ending is known, hands on what is data. */
export class Preamble {
  /** Physical line at which the data begins. */
  line = 1
  /** Offset of the data in the input. */
  byte = 0
  /** How lines end; known as soon as `push` or `end` has given bytes. */
  ending: LineEnding = DEFAULT_ENDING
  readonly #label: string
  readonly #fromLine: number
  readonly #maxRecordBytes: number
  readonly #search: LineEndingSearch
  readonly #decoder = new StringDecoder('utf8')
  readonly #held = new ByteWindow()
  #bomPassed = false
  #endingKnown = false
  /** A CR has ended the last line that was passed over: an LF that comes next belongs to it. */
  #afterCr = false
  /** Held bytes that the search has seen. */
  #searched = 0

  constructor(dialect: ReadDialect, label: string) {
    this.#label = label
    this.#fromLine = dialect.fromLine
    this.#maxRecordBytes = dialect.maxRecordBytes
    this.#search = new LineEndingSearch(dialect)
    const { recordDelimiters } = dialect
    if (recordDelimiters === null) return
    const ending = lineEnding(recordDelimiters)
    // Records that end with something else are still written on lines, whose ending is to be found out.
    this.#endingKnown = ending !== null || dialect.fromLine === 1
    if (ending !== null) this.ending = ending
  }

  /** The bytes of the chunks so far that are data, or `null` while more has to be seen. Good until the next chunk. */
  push(chunk: Uint8Array): Uint8Array[] | null {
    // Piece by piece: a chunk may be a whole file in memory, of which only the beginning has to be kept.
    for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
      this.#held.append(chunk.subarray(start, start + PIECE_BYTES))
      const data = this.#advance(false)
      if (data === null) continue
      return [data, chunk.subarray(start + PIECE_BYTES)].filter(({ length }) => length > 0)
    }
    return null
  }

  /** As `push`, when no more will come. */
  end(): Buffer {
    return this.#advance(true) ?? this.#held.take()
  }

  #advance(atEnd: boolean): Buffer | null {
    if (!this.#bomPassed && !this.#passBom(atEnd)) return null
    if (this.line < this.#fromLine || this.#afterCr) this.#passLines(atEnd)
    if (this.line < this.#fromLine || (this.#afterCr && !atEnd)) return null
    if (!this.#endingKnown && !this.#discover(atEnd)) return null
    return this.#held.take()
  }

  #passBom(atEnd: boolean): boolean {
    const { bytes } = this.#held
    const length = Math.min(bytes.length, BOM.length)
    if (bytes.compare(BOM, 0, length, 0, length) === 0) {
      if (length < BOM.length && !atEnd) return false
      if (length === BOM.length) this.#pass(BOM.length)
    }
    this.#bomPassed = true
    return true
  }

  #pass(count: number): void {
    this.#held.drop(count)
    this.byte += count
  }

  /** Passes over lines as far as the bytes go. Their text is of no interest: neither quotes nor its encoding. */
  #passLines(atEnd: boolean): void {
    let bytes = this.#held.bytes
    if (!this.#endingKnown) {
      const at = bytes.findIndex(byte => byte === LF || byte === CR)
      const undecided = at < 0 ? bytes.length : bytes[at] === CR && at + 1 === bytes.length && !atEnd ? at : -1
      if (undecided >= 0) {
        this.#pass(undecided)
        return
      }
      this.#know({ end: bytes[at] === LF || bytes[at + 1] === LF ? '\n' : '\r', pair: true })
    }
    const end = this.ending.end.charCodeAt(0)
    for (;;) {
      if (this.#afterCr && bytes.length > 0) {
        this.#afterCr = false
        if (bytes[0] === LF) {
          this.#pass(1)
          bytes = this.#held.bytes
        }
      }
      if (this.line >= this.#fromLine) return
      const at = bytes.indexOf(end)
      if (at < 0) {
        this.#pass(bytes.length)
        return
      }
      this.#pass(at + 1)
      this.line++
      this.#afterCr = end === CR && this.ending.pair
      bytes = this.#held.bytes
    }
  }

  #know(ending: LineEnding): void {
    this.ending = ending
    this.#endingKnown = true
  }

  #discover(atEnd: boolean): boolean {
    const { bytes } = this.#held
    let text = this.#decoder.write(asBuffer(bytes.subarray(this.#searched)))
    if (atEnd) text += this.#decoder.end()
    this.#searched = bytes.length
    const end = this.#search.push(text, atEnd)
    if (end !== undefined) this.#know({ end, pair: true })
    else if (atEnd) this.#know(DEFAULT_ENDING)
    else if (bytes.length > this.#maxRecordBytes) {
      throw recordTooLarge({ label: this.#label, line: this.line, byte: this.byte, column: 1 }, this.#maxRecordBytes)
    }
    return this.#endingKnown
  }
}

/** Looks for the first line end outside quotes. */
class LineEndingSearch {
  readonly #dialect: ReadDialect
  /** Characters that have to be there to know what begins at one. */
  readonly #lookahead: number
  #rest = ''
  #state: 'fieldStart' | 'unquoted' | 'quoted' | 'comment' = 'fieldStart'
  #recordStart = true

  constructor(dialect: ReadDialect) {
    this.#dialect = dialect
    const { delimiters, quote, escape, comment } = dialect
    const lengths = [...delimiters, quote ?? '', comment ?? ''].map(token => token.length)
    this.#lookahead = Math.max(2, (escape ?? '').length + 1, (escape ?? '').length + (quote ?? '').length, ...lengths)
  }

  push(text: string, atEnd: boolean): '\n' | '\r' | undefined {
    const all = this.#rest + text
    const { delimiters, quote, escape, comment, commentNoInfix, ltrim } = this.#dialect
    let i = 0
    while (i < all.length) {
      const char = all[i]!
      if (this.#state !== 'quoted' && char === '\n') return '\n'
      if (!atEnd && i + this.#lookahead > all.length) break
      if (this.#state === 'quoted') {
        if (escape !== null && escape !== quote && all.startsWith(escape, i)) i += escape.length + 1
        else if (!all.startsWith(quote!, i)) i++
        else if (escape === quote && all.startsWith(quote!, i + quote!.length)) i += 2 * quote!.length
        else {
          this.#state = 'unquoted'
          i += quote!.length
        }
        continue
      }
      if (char === '\r') return all[i + 1] === '\n' ? '\n' : '\r'
      if (this.#state === 'comment') {
        i++
        continue
      }
      const delimiter = delimiters.find(token => all.startsWith(token, i))
      if (delimiter !== undefined) {
        this.#state = 'fieldStart'
        this.#recordStart = false
        i += delimiter.length
      } else if (this.#state === 'fieldStart' && quote !== null && all.startsWith(quote, i)) {
        this.#state = 'quoted'
        i += quote.length
      } else if (comment !== null && all.startsWith(comment, i) && (!commentNoInfix || this.#atRecordStart())) {
        this.#state = 'comment'
        i += comment.length
      } else {
        if (!ltrim || char.trim() !== '') this.#state = 'unquoted'
        i++
      }
    }
    this.#rest = all.slice(i)
    return undefined
  }

  #atRecordStart(): boolean {
    return this.#recordStart && this.#state === 'fieldStart'
  }
}
