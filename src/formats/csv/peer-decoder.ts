/** Records by csv-parse → rows by the same code as the native engine's. csv-parse is loaded when the first bytes come. */
import type { CastingContext, CsvError, Parser } from 'csv-parse'
import type { Schema } from '../../core/schema.ts'
import { isUtf8, validUtf8Length } from '../../core/text.ts'
import type { Batch, ReadContext, Row } from '../../core/types.ts'
import type { Decided } from '../../core/typing.ts'
import { type RecordInHand, RowAssembler } from './assembler.ts'
import { ByteWindow } from './byte-window.ts'
import {
  invalidUtf8,
  type Place,
  peerFailed,
  quoteNotClosed,
  recordTooLarge,
  strayQuote,
  textAfterQuote,
} from './errors.ts'
import { DialectBytes, leadingSpace } from './peer-bytes.ts'
import { Preamble } from './preamble.ts'
import { type ReadDialect, recordDelimitersOf } from './read-dialect.ts'

const LF = 10
const CR = 13

/** A record that csv-parse gave up on. */
interface Fault {
  readonly error: CsvError
  /** Offsets in the window: where the field begins, and where what is wrong with it is. */
  readonly fieldAt: number
  readonly faultAt: number
}

/** As `Decoder`, but csv-parse takes its time: rows are there once the promise has settled. */
export class PeerDecoder implements RecordInHand {
  readonly #dialect: ReadDialect
  readonly #label: string
  readonly #assembler: RowAssembler
  readonly #preamble: Preamble
  #started = false
  #parser: Parser | null = null
  /** Offset in the input at which the parser began. */
  #parserByte = 0
  /** The bytes since the end of the last record, their offset in the input, and the line they begin on. */
  readonly #window = new ByteWindow()
  #byte = 0
  #line = 1
  /** The bytes of the record in hand, and where in them it begins: comments may come before it. */
  #record: Buffer = Buffer.alloc(0)
  #recordAt = 0
  /** The dialect in bytes; its record delimiters are known when the data begin. */
  #dialectBytes: DialectBytes
  #terminator = LF
  /** More bytes than csv-parse may hold back after a record, to see what they begin. */
  #lookahead = 0
  #rows: Row[] = []
  /** Which fields of the record in hand were quoted, where that matters. */
  readonly #quoted: number[] = []
  readonly #noteQuoted = (value: string, { index, quoting }: CastingContext): string => {
    if (index === 0) this.#quoted.length = 0
    if (quoting) this.#quoted.push(index)
    return value
  }
  /** Set while the rest of a bad record's line is waited for. */
  #fault: Fault | null = null
  #failure: { error: unknown } | null = null

  constructor(dialect: ReadDialect, context: ReadContext) {
    this.#dialect = dialect
    this.#label = context.label
    this.#assembler = new RowAssembler(dialect, context)
    this.#preamble = new Preamble(dialect, context.label)
    this.#dialectBytes = new DialectBytes(dialect, [])
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

  /** The rows made since the last call, or null. Throws what has ended the decoding once all rows are taken. */
  take(): Batch | null {
    const rows = this.#rows
    if (rows.length > 0) {
      this.#rows = []
      this.#assembler.records += rows.length
      return rows
    }
    if (this.#failure !== null) throw this.#failure.error
    return null
  }

  async decode(piece: Uint8Array): Promise<void> {
    await this.#guard(async () => {
      // Copied: the parser keeps what it has not used up, and the piece is only lent.
      const pieces = this.#started ? [piece] : this.#preamble.push(piece)
      if (pieces === null) return
      if (!this.#started) await this.#start()
      const data = Buffer.concat(pieces)
      this.#window.append(data)
      await this.#advance(data, false)
      if (this.#window.length > this.#dialect.maxRecordBytes + this.#lookahead) throw this.#tooLarge()
    })
  }

  async flush(): Promise<void> {
    await this.#guard(async () => {
      if (!this.#started) {
        const data = this.#preamble.end()
        await this.#start()
        this.#window.append(data)
        if (data.length > 0) await this.#advance(data, false)
      }
      await this.#advance(null, true)
      this.#assembler.end({ label: this.#label, line: this.#line, byte: this.#byte })
      this.#assembler.release(this.#rows)
    })
  }

  dispose(): void {
    this.#parser?.destroy()
    this.#parser = null
  }

  get line(): number {
    return this.#placeOf(this.#recordAt).line
  }

  place(): Place {
    return this.#placeOf(this.#recordAt)
  }

  raw(): string {
    return this.#record.toString(
      'utf8',
      this.#recordAt,
      Math.max(this.#dialectBytes.contentEnd(this.#record), this.#recordAt),
    )
  }

  async #start(): Promise<void> {
    this.#started = true
    this.#byte = this.#preamble.byte
    this.#line = this.#preamble.line
    const { ending } = this.#preamble
    this.#terminator = ending.end === '\n' ? LF : CR
    const delimiters = this.#dialect.recordDelimiters ?? recordDelimitersOf(ending)
    this.#dialectBytes = new DialectBytes(this.#dialect, delimiters)
    const { delimiters: between, quote, escape, comment } = this.#dialect
    this.#lookahead = 16 + Buffer.byteLength([...delimiters, ...between, quote, escape, comment].join(''))
    await this.#startParser()
  }

  async #startParser(): Promise<void> {
    const { parse } = await import('csv-parse')
    const { delimiters, quote, escape, comment, commentNoInfix, ltrim, rtrim, relaxQuotes } = this.#dialect
    this.#parser?.destroy()
    this.#parserByte = this.#byte
    this.#parser = parse({
      delimiter: [...delimiters],
      quote,
      escape,
      record_delimiter: this.#dialectBytes.recordDelimiters.map(delimiter => delimiter.toString()),
      ...(comment === null ? {} : { comment, comment_no_infix: commentNoInfix }),
      ltrim,
      rtrim,
      relax_quotes: relaxQuotes,
      relax_column_count: true,
      ...(this.#dialect.typing === null ? {} : { cast: this.#noteQuoted }),
      // Takes each record while csv-parse runs: nothing is left in the stream, which therefore never fills up.
      on_record: (fields: string[], { bytes }: { bytes: number }) => {
        if (this.#failure === null) this.#guardRecord(fields, this.#parserByte + bytes - this.#byte)
        return null
      },
    })
    // What goes wrong arrives at the callback of the call that it went wrong in.
    this.#parser.on('error', () => {})
  }

  /** Parses `data`, or with null the end of the input; bad records on the way are passed over. */
  async #advance(data: Buffer | null, atEnd: boolean): Promise<void> {
    let input = data
    for (;;) {
      if (this.#fault === null) {
        const error = await this.#parse(input)
        if (this.#failure !== null) return
        if (error === null) {
          if (input === null || !atEnd) return
          input = null
          continue
        }
        this.#fault = this.#locate(error)
      }
      if (!this.#passOver(this.#fault, atEnd)) return
      this.#fault = null
      await this.#startParser()
      input = this.#window.length > 0 ? Buffer.from(this.#window.bytes) : null
      if (input === null && !atEnd) return
    }
  }

  #parse(input: Buffer | null): Promise<CsvError | null> {
    const parser = this.#parser!
    return new Promise(resolve => {
      if (input !== null) {
        parser.write(input, error => resolve((error ?? null) as CsvError | null))
        return
      }
      parser.once('error', error => resolve(error as CsvError))
      parser.once('finish', () => resolve(null))
      parser.end()
    })
  }

  #guardRecord(fields: string[], bytes: number): void {
    try {
      this.#takeRecord(fields, bytes)
    } catch (error) {
      this.#failure = { error }
    }
  }

  /** Takes a record that csv-parse has read from the first `bytes` of the window. */
  #takeRecord(fields: string[], bytes: number): void {
    const record = this.#window.bytes.subarray(0, bytes)
    if (bytes > this.#dialect.maxRecordBytes) throw this.#tooLarge()
    this.#record = record
    this.#recordAt = this.#dialect.comment === null ? 0 : this.#dialectBytes.afterComments(record)
    const invalid = this.#invalidAt(record)
    if (invalid >= 0) this.#assembler.bad(invalidUtf8(this.#placeOf(invalid)), this.raw())
    else {
      const blank = fields.length === 1 && fields[0] === '' && this.#isBlank()
      this.#assembler.take(fields, fields.length, blank, this.#rows, this, this.#quoted)
    }
    this.#quoted.length = 0
    this.#drop(bytes)
  }

  /** Whether nothing is written in the record in hand; csv-parse gives one empty field for `""` as well. */
  #isBlank(): boolean {
    const { ltrim, rtrim } = this.#dialect
    const raw = this.raw()
    return raw === '' || ((ltrim || rtrim) && raw.trim() === '')
  }

  #drop(bytes: number): void {
    this.#line += countOf(this.#window.bytes.subarray(0, bytes), this.#terminator)
    this.#window.drop(bytes)
    this.#byte += bytes
  }

  /** Where in the window the record that csv-parse gave up on is wrong. */
  #locate(error: CsvError): Fault {
    const { quote } = this.#dialect
    const bytes = this.#window.bytes
    this.#record = bytes
    this.#recordAt = this.#dialectBytes.afterComments(bytes)
    let fieldAt = this.#recordAt
    if (Number(error.index) > 0) {
      // csv-parse counts its bytes up to the last delimiter that it took.
      const at = this.#parserByte + Number(error.bytes) - this.#byte
      fieldAt = this.#dialectBytes.afterDelimiter(bytes, at)
    }
    if (this.#dialect.ltrim) fieldAt += leadingSpace(bytes.toString('utf8', fieldAt))
    const code: string = error.code
    if (code === 'CSV_QUOTE_NOT_CLOSED' || quote === null) return { error, fieldAt, faultAt: fieldAt }
    if (code === 'INVALID_OPENING_QUOTE') {
      const faultAt = bytes.indexOf(quote, fieldAt)
      return { error, fieldAt: faultAt, faultAt }
    }
    return { error, fieldAt, faultAt: this.#dialectBytes.afterClosing(bytes, fieldAt) }
  }

  /** Passes over the record with `fault` up to the end of its line; false while that end is not there yet. */
  #passOver(fault: Fault, atEnd: boolean): boolean {
    const bytes = this.#window.bytes
    const [, end] = this.#dialectBytes.nextDelimiter(bytes, fault.fieldAt, atEnd)
    if (end < 0 && !atEnd) return false
    const stop = end < 0 ? bytes.length : end
    const error = this.#errorOf(fault, stop)
    this.#record = bytes.subarray(0, stop)
    this.#assembler.bad(error, this.raw())
    this.#drop(stop)
    return true
  }

  /** The error of `fault`, in a record of which the bytes up to `stop` are passed over. */
  #errorOf({ error, faultAt }: Fault, stop: number): Error {
    const bytes = this.#window.bytes
    this.#record = bytes
    this.#recordAt = this.#dialectBytes.afterComments(bytes)
    const invalid = this.#invalidAt(bytes.subarray(0, stop))
    if (invalid >= 0) return invalidUtf8(this.#placeOf(invalid))
    const place: Place = { ...this.#placeOf(faultAt), cause: error }
    const [lineEnd] = this.#dialectBytes.nextDelimiter(bytes, faultAt, true)
    const found = bytes.toString('utf8', faultAt, Math.min(lineEnd < 0 ? bytes.length : lineEnd, faultAt + 200))
    const code: string = error.code
    if (code === 'CSV_QUOTE_NOT_CLOSED') return quoteNotClosed(place)
    if (code === 'INVALID_OPENING_QUOTE') return strayQuote(place, found)
    if (code === 'CSV_INVALID_CLOSING_QUOTE' || code === 'CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE') {
      return textAfterQuote(place, found)
    }
    return peerFailed(place)
  }

  /** Offset in `record`, from the record's beginning on, of the first byte that is not UTF-8; -1 if it may be there. */
  #invalidAt(record: Buffer): number {
    if (this.#dialect.encodingErrors === 'replace') return -1
    const own = record.subarray(this.#recordAt)
    return isUtf8(own) ? -1 : this.#recordAt + validUtf8Length(own)
  }

  /** The place of a byte of the record in hand. */
  #placeOf(at: number): Place {
    const before = this.#record.subarray(0, at)
    let start = before.lastIndexOf(this.#terminator) + 1
    if (this.#terminator === CR && start > 0 && start < at && before[start] === LF) start++
    return {
      label: this.#label,
      line: this.#line + countOf(before, this.#terminator),
      column: before.toString('utf8', start).length + 1,
      byte: this.#byte + at,
      record: this.#assembler.inHeader ? undefined : this.#assembler.recordNumber(this.#rows.length),
    }
  }

  #tooLarge(): Error {
    this.#record = this.#window.bytes
    return recordTooLarge(this.#placeOf(this.#dialectBytes.afterComments(this.#record)), this.#dialect.maxRecordBytes)
  }

  /** Keeps what `work` throws until the rows before it are taken. */
  async #guard(work: () => Promise<void>): Promise<void> {
    if (this.#failure === null) {
      try {
        await work()
      } catch (error) {
        this.#failure ??= { error }
      }
    }
    if (this.#failure !== null) {
      this.release()
      this.dispose()
    }
  }

  /** Makes the rows of a sample that waits for more, where no more will come. */
  release(): void {
    try {
      this.#assembler.release(this.#rows)
    } catch (error) {
      this.#failure = { error }
    }
  }
}

function countOf(bytes: Buffer, byte: number): number {
  let count = 0
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) count++
  return count
}
