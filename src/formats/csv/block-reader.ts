/**
 * Blocks of text → rows, record by record. Plain records are cut by an index or by a loop over `indexOf`; a record with
 * quotes, or of another width than the columns, goes through `RecordScanner`. Where something is, is worked out only when
 * it is wrong.
 */
import type { Block } from '../../core/blocks.ts'
import { isUtf8 } from '../../core/text.ts'
import type { Row } from '../../core/types.ts'
import type { RecordInHand, RowAssembler } from './assembler.ts'
import { invalidUtf8, type Place, quoteNotClosed, recordTooLarge, strayQuote, textAfterQuote } from './errors.ts'
import { Passage, partOf, type TextPart } from './passage.ts'
import type { LineEnding, ReadDialect } from './read-dialect.ts'
import { FAULT, OPEN, RecordScanner } from './record-scan.ts'
import { type IndexDialect, indexDialectOf, MAX_INDEXED_BYTES, RECORD_SHIFT, recordIndex } from './simd/record-index.ts'

const LF = 10
const CR = 13
const NOWHERE = Number.MAX_SAFE_INTEGER

/** A record that goes on in the next block: so far it ends inside quotes. */
interface OpenRecord {
  readonly parts: TextPart[]
  /** Characters of `parts`. */
  length: number
  /** Bytes of `parts`. */
  bytes: number
  /** Character of the record at which the quote opens that is not closed yet. */
  quotedAt: number
}

/** Where the data begin. */
export interface Beginning {
  readonly line: number
  readonly byte: number
  readonly ending: LineEnding
}

export class BlockReader implements RecordInHand {
  /** Physical line on which the record in hand begins. */
  line: number
  /** Rows of the batch in hand. */
  rows: Row[] = []
  readonly #dialect: ReadDialect
  readonly #label: string
  readonly #assembler: RowAssembler
  readonly #ending: LineEnding
  readonly #firstByte: number
  readonly #quoteCode: number
  readonly #scanner: RecordScanner
  /** The dialect as the index knows it; `null` where it does not. */
  readonly #indexDialect: IndexDialect | null
  /** The text in hand. */
  #passage: Passage
  /** The bytes of the text in hand, where they can be indexed. */
  #indexable: Uint8Array | null = null
  /** Whether the text in hand begins inside quotes. */
  #beginsOpen = false
  /** Offset of the byte after the last block. */
  #nextByte: number
  /** Where in the text the record in hand begins and ends. */
  #recordAt = 0
  #recordEnd = 0
  #open: OpenRecord | null = null
  /** Whether the records up to `#nextByte` were read elsewhere, after the text in hand. */
  #betweenBlocks = false
  /** Where the delimiters of a plain record are. */
  #ends = new Int32Array(0)

  constructor(dialect: ReadDialect, label: string, assembler: RowAssembler, { line, byte, ending }: Beginning) {
    const { delimiters, quote, escape, relaxQuotes, typing } = dialect
    this.line = line
    this.#dialect = dialect
    this.#label = label
    this.#assembler = assembler
    this.#ending = ending
    this.#firstByte = this.#nextByte = byte
    this.#quoteCode = quote === null ? -1 : quote.charCodeAt(0)
    const keepsQuoted = typing !== null
    this.#scanner = new RecordScanner({ delimiter: delimiters[0]!, quote, escape, relaxQuotes, ending, keepsQuoted })
    this.#indexDialect = indexDialectOf(dialect, ending)
    this.#passage = new Passage([{ text: '', byte, ascii: true, invalidAt: -1 }], ending, false)
  }

  /** Whether the blocks so far end inside a record. */
  get open(): boolean {
    return this.#open !== null
  }

  /** Reads a block. */
  read(block: Block): void {
    const part = partOf(block, this.#nextByte)
    const continues = part.byte > this.#firstByte
    this.#betweenBlocks = false
    if (block.bytes > this.#dialect.maxRecordBytes) throw this.tooLarge()
    this.#nextByte += block.bytes
    this.#enter(new Passage([part], this.#ending, continues))
    this.#indexable = this.#mayIndex(block) ? block.source : null
    this.#beginsOpen = this.#open !== null
    if (this.#open !== null) this.#resume(this.#open, part)
    else this.#readRecords(this.#passage.beginsWithLf ? 1 : 0)
  }

  /** Goes on after whole records that were read elsewhere. */
  pass(bytes: number, lines: number): void {
    this.#nextByte += bytes
    this.line += lines
    this.#betweenBlocks = true
  }

  /** At the end of the input: reads on in a record that is still open. */
  readNotClosed(): void {
    if (this.#open !== null) this.#readNotClosed(this.#open)
  }

  /** Where the input ends. */
  get end(): Place {
    const endsLine = this.#betweenBlocks || this.#passage.endsLine
    return { label: this.#label, line: endsLine ? this.line : this.line - 1, byte: this.#nextByte }
  }

  /** Where the record in hand begins. */
  place(): Place {
    return this.#placeOf(this.#recordAt, this.#open === null ? undefined : this.#open.parts[0]!.byte)
  }

  /** The text of the record in hand. */
  raw(): string {
    const text = this.#passage.text.slice(this.#recordAt, this.#recordEnd)
    return this.#withoutLineEnd(this.#open === null ? text : this.#open.parts.map(part => part.text).join('') + text)
  }

  /** The error of a record that is too large, and so is neither read nor passed over. */
  tooLarge(): Error {
    const byte = this.#open === null ? this.#nextByte : this.#open.parts[0]!.byte
    const place: Place = { label: this.#label, line: this.line, column: 1, byte, record: this.#record() }
    return recordTooLarge(place, this.#dialect.maxRecordBytes)
  }

  #enter(passage: Passage): void {
    this.#passage = passage
    this.#scanner.begin(passage.text)
  }

  /** Reads the records of the text from `start` on. */
  #readRecords(start: number): void {
    const { length } = this.#passage.text
    const assembler = this.#assembler
    const each = assembler.wantsEach || !this.#passage.valid
    let at = start
    while (at < length && (each || assembler.width < 0)) {
      at = this.#readRecord(at)
      if (at === OPEN) return
    }
    if (at >= length) return
    assembler.warm()
    if (this.#indexable !== null) at = this.#readIndexed(at, this.#indexable)
    if (at !== OPEN && at < length) this.#readPlain(at)
  }

  #mayIndex(block: Block): boolean {
    if (this.#indexDialect === null || block.bytes > MAX_INDEXED_BYTES || block.invalidAt !== undefined) return false
    if (block.ascii || this.#dialect.encodingErrors === 'raise') return true
    // Where bytes were replaced, positions in the bytes are not those in the text.
    return isUtf8(block.source)
  }

  /**
   * As `readRecords`, by an index of where fields and records end, which is quicker than looking for each of them. Gives
   * the position of what is not indexed: an unfinished record, or what comes after a quote in the wrong place.
   */
  #readIndexed(start: number, source: Uint8Array): number {
    const text = this.#passage.text
    const dialect = this.#indexDialect!
    const quote = this.#dialect.quote ?? ''
    // A quote that the index does not know must not be there.
    if (quote !== '' && dialect.quote < 0 && text.indexOf(quote, start) >= 0) return start
    const index = recordIndex()
    if (index === null) return start
    index.index(source, dialect, this.#beginsOpen)
    const { ends, records, lines, count, filled } = index
    const endOf = (record: number) => ends[records[record]! >> RECORD_SHIFT]!
    let record = 0
    while (record < count && endOf(record) < start) record++
    // What was read up to here has to end where the index says that a record ends.
    if (start === 0 ? this.#beginsOpen : record === 0 || endOf(record - 1) !== start - 1) return start
    const line = this.line - (record === 0 ? 0 : lines[record - 1]!)
    const { rows } = this
    let at = start
    while (record < count) {
      const next = this.#assembler.builder!.fromIndex(text, index, record, at, dialect.crlf, quote, rows)
      if (next > record) {
        at = endOf(next - 1) + 1
        this.line = line + lines[next - 1]!
        record = next
        if (record === count) break
      }
      const end = endOf(record)
      at = this.#readRecord(at)
      // Reading may go on in another place, and the code of a caller that was called may have filled the index anew.
      if (at !== end + 1 || index.filled !== filled) break
      record++
    }
    return at
  }

  /** As `readRecords`, at full speed while records are plain: without quotes, and as wide as the columns. */
  #readPlain(start: number): void {
    const text = this.#passage.text
    const { length } = text
    const { end: ending, pair } = this.#ending
    const crlf = pair && ending === '\n'
    const crPair = pair && ending === '\r'
    const delimiter = this.#dialect.delimiters[0]!
    const { quote } = this.#dialect
    const { width, blankIsRecord } = this.#assembler
    const builder = this.#assembler.builder!
    const last = width - 1
    if (this.#ends.length < width) this.#ends = new Int32Array(width)
    const ends = this.#ends
    const { rows } = this
    let at = start
    // The next delimiter and the next quote from `at` on. They are known across records: each is looked for once.
    let nextDelimiter = found(text.indexOf(delimiter, at))
    let nextQuote = quote === null ? NOWHERE : found(text.indexOf(quote, at))
    while (at < length) {
      let end = text.indexOf(ending, at)
      if (end < 0) end = length
      if (nextQuote > end) {
        let count = 0
        while (nextDelimiter < end && count < last) {
          ends[count++] = nextDelimiter
          nextDelimiter = found(text.indexOf(delimiter, nextDelimiter + 1))
        }
        if (count === last && nextDelimiter > end) {
          const stop = crlf && end > at && end < length && text.charCodeAt(end - 1) === CR ? end - 1 : end
          if (stop > at || blankIsRecord) {
            const row = builder.fromText(text, ends, 0, at, stop)
            if (row !== null) {
              rows.push(row)
              this.line++
              at = end + 1
              if (crPair && text.charCodeAt(at) === LF) at++
              continue
            }
          }
        }
      }
      at = this.#readRecord(at)
      if (at === OPEN) return
      if (nextDelimiter < at) nextDelimiter = found(text.indexOf(delimiter, at))
      if (nextQuote < at) nextQuote = found(text.indexOf(quote!, at))
    }
  }

  /** Reads one record of any kind. Gives the position after it, or `OPEN`. */
  #readRecord(at: number): number {
    const scanner = this.#scanner
    this.#recordAt = at
    const next = scanner.scan(at)
    if (next === FAULT) return this.#passOver(scanner.faultAt, scanner.quotedAt)
    if (next === OPEN) {
      const parts = this.#passage.partsFrom(at)
      this.#open = {
        parts,
        length: this.#passage.text.length - at,
        bytes: this.#nextByte - parts[0]!.byte,
        quotedAt: scanner.quotedAt - at,
      }
      this.#checkOpen(this.#open.bytes)
      return OPEN
    }
    this.#finish(next, this.#passage.text.charCodeAt(at) === this.#quoteCode)
    return next
  }

  /** Goes on with the open record in a new block. */
  #resume(open: OpenRecord, part: TextPart): void {
    const scanner = this.#scanner
    this.#recordAt = 0
    const next = scanner.resume()
    if (next === OPEN) {
      if (scanner.quotedAt >= 0) open.quotedAt = open.length + scanner.quotedAt
      open.parts.push(part)
      open.length += part.text.length
      open.bytes = this.#nextByte - open.parts[0]!.byte
      this.#checkOpen(open.bytes)
      return
    }
    const valid = this.#passage.firstInvalid(0, next === FAULT ? part.text.length : next) < 0
    if (next !== FAULT && valid && open.parts.every(({ invalidAt }) => invalidAt < 0)) {
      if (this.#nextByte - open.parts[0]!.byte > this.#dialect.maxRecordBytes) {
        this.#checkOpen(this.#passage.byteAt(next) - open.parts[0]!.byte)
      }
      this.#finish(next, true)
      this.#open = null
      this.#readRecords(next)
      return
    }
    // Something is wrong with it: put it together again, so that reading can go on in the middle of it.
    this.#open = null
    this.#indexable = null
    this.#enter(new Passage([...open.parts, part], this.#ending, false))
    let after: number
    if (next === FAULT) {
      const quotedAt = scanner.quotedAt < 0 ? open.quotedAt : open.length + scanner.quotedAt
      after = this.#passOver(open.length + scanner.faultAt, quotedAt)
    } else {
      after = open.length + next
      this.#finish(after, true)
    }
    this.#readRecords(after)
  }

  /** The input ends inside quotes: the line on which they open is bad, and what follows is read anew. */
  #readNotClosed(open: OpenRecord): void {
    this.#open = null
    this.#indexable = null
    this.#enter(new Passage(open.parts, this.#ending, false))
    this.#recordAt = 0
    const next = this.#passage.nextLine(open.quotedAt)
    const invalid = this.#passage.firstInvalid(0, next)
    const error = invalid < 0 ? quoteNotClosed(this.#placeOf(open.quotedAt)) : invalidUtf8(this.#placeOf(invalid))
    this.#reject(error, next)
    this.#readRecords(next)
  }

  /** Takes the record in hand, which the scanner has read and which ends before `next`. */
  #finish(next: number, beginsQuoted: boolean): void {
    const { fields, count, innerLines, quoted } = this.#scanner
    this.#recordEnd = next
    const invalid = this.#passage.firstInvalid(this.#recordAt, next)
    if (invalid >= 0) this.#assembler.bad(invalidUtf8(this.#placeOf(invalid)), this.raw())
    else {
      const blank = count === 1 && !beginsQuoted && fields[0] === ''
      this.#assembler.take(fields, count, blank, this.rows, this, quoted)
    }
    this.line += 1 + innerLines
  }

  /**
   * Passes over a record with a quote in the wrong place. Reading goes on at the line after the one with that quote; if
   * it is the field before that went wrong, at the line after the one on which it opened.
   */
  #passOver(faultAt: number, quotedAt: number): number {
    const passage = this.#passage
    const { fault } = this.#scanner
    const next = passage.nextLine(fault === 'strayQuote' ? faultAt : quotedAt)
    const invalid = passage.firstInvalid(this.#recordAt, next)
    const place = this.#placeOf(invalid < 0 ? faultAt : invalid)
    const found = passage.text.slice(faultAt, Math.min(this.#withoutBreak(faultAt), faultAt + 200))
    if (invalid >= 0) this.#reject(invalidUtf8(place), next)
    else this.#reject(fault === 'strayQuote' ? strayQuote(place, found) : textAfterQuote(place, found), next)
    return next
  }

  #reject(error: Error, next: number): void {
    // The scanner may have looked far beyond `next` before it saw that something is wrong.
    this.#scanner.begin(this.#passage.text)
    this.#assembler.bad(error, this.#withoutLineEnd(this.#passage.text.slice(this.#recordAt, next)))
    this.line += this.#passage.lineEnds(this.#recordAt, next)
  }

  /** Where the line of the character `at` ends, without its line end. */
  #withoutBreak(at: number): number {
    const { text } = this.#passage
    const next = this.#passage.nextLine(at)
    return at + this.#withoutLineEnd(text.slice(at, next)).length
  }

  #withoutLineEnd(raw: string): string {
    const { end, pair } = this.#ending
    if (pair && raw.endsWith('\r\n')) return raw.slice(0, -2)
    return raw.endsWith(end) ? raw.slice(0, -1) : raw
  }

  /** The place of a character of the record in hand; `byte`, if that is already known. */
  #placeOf(at: number, byte = this.#passage.byteAt(at)): Place {
    const line = this.line + this.#passage.lineEnds(this.#recordAt, at)
    return { label: this.#label, line, column: this.#passage.columnAt(at), byte, record: this.#record() }
  }

  /** Number of the record in hand. */
  #record(): number | undefined {
    return this.#assembler.inHeader ? undefined : this.#assembler.recordNumber(this.rows.length)
  }

  #checkOpen(bytes: number): void {
    if (bytes > this.#dialect.maxRecordBytes) throw this.tooLarge()
  }
}

function found(index: number): number {
  return index < 0 ? NOWHERE : index
}
