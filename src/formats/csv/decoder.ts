/**
 * The native engine: bytes → rows. Plain records are cut by a loop over `indexOf`; a record with quotes, or of another
 * width than the columns, goes through `RecordScanner`. Where something is, is worked out only when it is wrong.
 */
import { type Block, BlockSplitter } from '../../core/blocks.ts'
import type { Schema } from '../../core/schema.ts'
import type { Batch, Decoder, ReadContext, Row } from '../../core/types.ts'
import type { Decided } from '../../core/typing.ts'
import { type RecordInHand, RowAssembler } from './assembler.ts'
import { invalidUtf8, type Place, quoteNotClosed, recordTooLarge, strayQuote, textAfterQuote } from './errors.ts'
import { Passage, partOf, type TextPart } from './passage.ts'
import { Preamble } from './preamble.ts'
import type { LineEnding, ReadDialect } from './read-options.ts'
import { FAULT, OPEN, RecordScanner } from './record-scan.ts'
import { lineIndex, MAX_INDEXED_BYTES } from './simd/line-index.ts'

const LF = 10
const CR = 13
const NOWHERE = Number.MAX_SAFE_INTEGER
/** A row that is kept may keep the text of its block alive: with this size, 8 KiB of memory at most, row included. */
const BLOCK_BYTES = 7168

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

export class CsvDecoder implements Decoder<Row>, RecordInHand {
  /** Physical line on which the record in hand begins. */
  line = 1
  readonly #dialect: ReadDialect
  readonly #label: string
  readonly #assembler: RowAssembler
  readonly #preamble: Preamble
  readonly #quoteCode: number
  #ending: LineEnding = { end: '\n', pair: true }
  #splitter: BlockSplitter | null = null
  #scanner: RecordScanner
  /** The text in hand. */
  #passage: Passage
  /** The bytes of the text in hand, where each is a character and there are not too many to be indexed. */
  #indexable: Uint8Array | null = null
  /** Whether the dialect is one that the index knows. */
  #mayIndex = false
  /** Offset of the byte after the last block. */
  #nextByte = 0
  /** Where in the text the record in hand begins and ends. */
  #recordAt = 0
  #recordEnd = 0
  #open: OpenRecord | null = null
  /** Rows of the batch in hand. */
  #rows: Row[] = []
  /** Where the delimiters of a plain record are. */
  #ends = new Int32Array(0)
  /** What ended the decoding. */
  #failure: { error: unknown } | null = null

  constructor(dialect: ReadDialect, context: ReadContext) {
    this.#dialect = dialect
    this.#label = context.label
    this.#assembler = new RowAssembler(dialect, context)
    this.#preamble = new Preamble(dialect, context.label)
    this.#quoteCode = dialect.quote === null ? -1 : dialect.quote.charCodeAt(0)
    this.#scanner = this.#newScanner()
    this.#passage = new Passage([{ text: '', byte: 0, ascii: true, invalidAt: -1 }], this.#ending, false)
  }

  get columns(): readonly string[] | null | undefined {
    return this.#assembler.columns
  }
  get schema(): Schema | undefined {
    return this.#assembler.schema
  }
  get decided(): Decided | undefined {
    return this.#assembler.decided
  }

  *decode(chunk: Uint8Array): Generator<Batch, void, undefined> {
    this.#checkFailure()
    try {
      const pieces = this.#splitter === null ? this.#preamble.push(chunk) : [chunk]
      if (pieces === null) return
      this.#splitter ??= this.#begin()
      for (const piece of pieces) yield* this.#decodeBlocks(this.#splitter.push(piece))
    } catch (error) {
      this.#failure ??= { error }
      yield* this.release()
      throw this.#failure.error
    }
  }

  *flush(): Generator<Batch, void, undefined> {
    this.#checkFailure()
    try {
      if (this.#splitter === null) {
        const data = this.#preamble.end()
        this.#splitter = this.#begin()
        yield* this.#decodeBlocks(this.#splitter.push(data))
      }
      yield* this.#decodeBlocks(this.#splitter.flush())
      while (this.#open !== null) {
        const open = this.#open
        const rows = this.#collect(() => this.#readNotClosed(open))
        if (rows.length > 0) yield rows
        this.#checkFailure()
      }
      const line = this.#passage.endsLine ? this.line : this.line - 1
      this.#assembler.end({ label: this.#label, line, byte: this.#nextByte })
      yield* this.release()
      this.#checkFailure()
    } catch (error) {
      this.#failure ??= { error }
      yield* this.release()
      throw this.#failure.error
    }
  }

  /** The rows of a sample that waits for more, where no more will come. */
  *release(): Generator<Batch, void, undefined> {
    const rows = this.#collect(() => this.#assembler.release(this.#rows))
    if (rows.length > 0) yield rows
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

  #begin(): BlockSplitter {
    const { maxRecordBytes, encodingErrors } = this.#dialect
    this.#ending = this.#preamble.ending
    this.#scanner = this.#newScanner()
    const delimiter = this.#dialect.delimiters[0]!.charCodeAt(0)
    this.#mayIndex = this.#ending.end === '\n' && delimiter > 0 && delimiter < 128
    this.line = this.#preamble.line
    this.#nextByte = this.#preamble.byte
    return new BlockSplitter({
      terminator: this.#ending.end === '\n' ? LF : CR,
      maxRecordBytes,
      encodingErrors,
      // No larger than a record may be: then a block that is larger holds nothing but one line.
      blockBytes: Math.min(BLOCK_BYTES, maxRecordBytes),
      tooLarge: () => this.#tooLarge(this.#nextByte),
    })
  }

  #newScanner(): RecordScanner {
    const { delimiters, quote, escape, relaxQuotes } = this.#dialect
    const keepsQuoted = this.#dialect.typing !== null
    return new RecordScanner({
      delimiter: delimiters[0]!,
      quote,
      escape,
      relaxQuotes,
      ending: this.#ending,
      keepsQuoted,
    })
  }

  *#decodeBlocks(blocks: Iterable<Block>): Generator<Batch, void, undefined> {
    for (const block of blocks) {
      const rows = this.#collect(() => this.#decodeBlock(block))
      if (rows.length > 0) yield rows
      this.#checkFailure()
    }
  }

  /** The rows that `decode` makes. What it throws is kept until they are delivered. */
  #collect(decode: () => void): Row[] {
    try {
      decode()
    } catch (error) {
      this.#failure = { error }
      this.#releaseSample()
    }
    const rows = this.#rows
    this.#rows = []
    this.#assembler.records += rows.length
    return rows
  }

  /** What went wrong is told after the rows before it; what goes wrong with these came first. */
  #releaseSample(): void {
    try {
      this.#assembler.release(this.#rows)
    } catch (error) {
      this.#failure = { error }
    }
  }

  #decodeBlock(block: Block): void {
    const continues = this.#nextByte > this.#preamble.byte
    const part = partOf(block, this.#nextByte)
    if (block.bytes > this.#dialect.maxRecordBytes) throw this.#tooLarge(part.byte)
    this.#nextByte += block.bytes
    this.#enter(new Passage([part], this.#ending, continues))
    this.#indexable = this.#mayIndex && block.ascii && block.bytes <= MAX_INDEXED_BYTES ? block.source : null
    if (this.#open !== null) this.#resume(this.#open, part)
    else this.#readRecords(this.#passage.beginsWithLf ? 1 : 0)
  }

  #checkFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
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

  /**
   * As `readRecords`, for a text without quotes: by an index of where its fields end, which is quicker than looking for
   * each of them. Gives the position of a last record without a line end.
   */
  #readIndexed(start: number, source: Uint8Array): number {
    const text = this.#passage.text
    const { quote } = this.#dialect
    const index = quote === null || text.indexOf(quote, start) < 0 ? lineIndex() : null
    if (index === null) return start
    const crlf = this.#ending.pair
    const { width, blankIsRecord } = this.#assembler
    const builder = this.#assembler.builder!
    const last = width - 1
    const rows = this.#rows
    const count = index.index(source, this.#dialect.delimiters[0]!.charCodeAt(0))
    const { ends, records } = index
    let record = 0
    while (record < count && ends[records[record]!]! < start) record++
    let first = record === 0 ? 0 : records[record - 1]! + 1
    let at = start
    for (; record < count; record++) {
      const lineEnd = records[record]!
      if (lineEnd - first === last) {
        const end = ends[lineEnd]!
        const stop = crlf && end > at && text.charCodeAt(end - 1) === CR ? end - 1 : end
        if (stop > at || blankIsRecord) {
          const row = builder.fromText(text, ends, first, at, stop)
          if (row !== null) {
            rows.push(row)
            this.line++
            at = end + 1
            first = lineEnd + 1
            continue
          }
        }
      }
      at = this.#readRecord(at)
      if (at === OPEN) return OPEN
      first = lineEnd + 1
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
    const rows = this.#rows
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
      this.#assembler.take(fields, count, blank, this.#rows, this, quoted)
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
    return this.#assembler.inHeader ? undefined : this.#assembler.recordNumber(this.#rows.length)
  }

  #checkOpen(bytes: number): void {
    if (bytes > this.#dialect.maxRecordBytes) throw this.#tooLarge(this.#open!.parts[0]!.byte)
  }

  #tooLarge(byte: number): Error {
    const at = this.#open === null ? byte : this.#open.parts[0]!.byte
    const place: Place = { label: this.#label, line: this.line, column: 1, byte: at, record: this.#record() }
    return recordTooLarge(place, this.#dialect.maxRecordBytes)
  }
}

function found(index: number): number {
  return index < 0 ? NOWHERE : index
}
