/** Fixed-width text → rows. */
import { type Block, BlockSplitter } from '../../core/blocks.ts'
import { ColumnTypes } from '../../core/column-types.ts'
import { createError, type ErrorCode, excerpt } from '../../core/errors.ts'
import type { DecidingDecoder } from '../../core/full-scan.ts'
import type { Schema } from '../../core/schema.ts'
import type { Batch, ReadContext, Row } from '../../core/types.ts'
import { checkTypedNames, type Decided, MAX_SAMPLE_CHARACTERS, type Typing, typeMismatch } from '../../core/typing.ts'
import { charactersOf, SAMPLE, textOf, trimmed } from './characters.ts'
import type { FixedReadOptions } from './options.ts'

const EXTRA = '_extra'
const DEFAULT_MAX_RECORD_BYTES = 16 * 1024 * 1024
/** A line's end, which does not count. */
const LINE_END_BYTES = 2

/** A column, in characters from the start of the line; the end is exclusive. */
interface Span {
  readonly start: number
  readonly end: number
}

interface Line {
  readonly text: string
  readonly line: number
  readonly byte: number
  /** Bytes of the line before the first one that is not UTF-8. */
  readonly invalidAt: number | undefined
}

/** The fields of a line, in the order of the columns; one that is missing is null. What is too much stands behind them. */
type Cells = readonly (string | null)[]

/** A record of the sample by which types are decided, while it waits for that. */
interface HeldRecord {
  readonly cells: Cells
  readonly record: number
}

export class FixedDecoder implements DecidingDecoder {
  /** Null until the header is read, undefined where there is none. */
  #names: readonly string[] | null | undefined
  readonly #typing: Typing | null
  #types: ColumnTypes | null = null
  #held: HeldRecord[] = []
  #heldCharacters = 0
  #ended = false
  readonly #options: FixedReadOptions
  readonly #context: Pick<ReadContext, 'label' | 'onBadRecord'>
  readonly #splitter: BlockSplitter
  readonly #maxRecordBytes: number
  #spans: readonly Span[] | undefined
  /** Lines that wait for the columns to be found. */
  #sample: Line[] = []
  /** Whether the next line is the header. */
  #headerNext: boolean
  #line = 0
  #byte = 0
  #record = 0

  constructor(options: FixedReadOptions, typing: Typing | null, context: Pick<ReadContext, 'label' | 'onBadRecord'>) {
    const { fields, widths, header = fields === undefined || undefined, encodingErrors = 'raise' } = options
    this.#options = options
    this.#typing = typing
    this.#context = context
    this.#maxRecordBytes = options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES
    const given = fields?.map(field => field.width) ?? widths
    if (given !== undefined) this.#spans = spansOf(given)
    this.#headerNext = header === true
    if (header === true) this.#names = null
    else if (header !== false) this.#names = header ?? fields?.map(field => field.name)
    if (this.#names !== null) this.#checkNames(this.#names)
    if (typing !== null && this.#spans !== undefined && this.#names) this.#types = this.#openTypes(typing)
    const tooLarge = () => this.#tooLarge(this.#line + 1, this.#byte)
    const maxRecordBytes = this.#maxRecordBytes + LINE_END_BYTES
    this.#splitter = new BlockSplitter({ terminator: 10, maxRecordBytes, encodingErrors, tooLarge })
  }

  /** As `Decoder.columns`: not known before the types are, so that whoever waits for the one has the other. */
  get columns(): readonly string[] | null | undefined {
    return this.#isSampling ? null : this.#names
  }

  get schema(): Schema | undefined {
    if (this.#spans === undefined || this.#names === null || this.#isSampling) return undefined
    if (this.#types !== null) return { columns: this.#types.columns }
    const nullable = this.#options.relax === true
    return { columns: this.#columnNames.map(name => ({ name, type: 'text', nullable, source: 'file' })) }
  }

  get decided(): Decided | undefined {
    return this.#types?.decided
  }

  /** Whether types are still to be inferred; before the first record, whether they will have to be. */
  get #isSampling(): boolean {
    if (this.#types !== null) return this.#types.sampling
    return this.#typing?.cast === true && this.#typing.decided === undefined && !this.#ended
  }

  get #columnNames(): readonly string[] {
    return this.#names ?? this.#spans!.map((_, i) => `column_${i + 1}`)
  }

  *decode(chunk: Uint8Array): Generator<Batch, void, undefined> {
    for (const block of this.#splitter.push(chunk)) yield* this.#rows(this.#lines(block))
  }

  *flush(): Generator<Batch, void, undefined> {
    for (const block of this.#splitter.flush()) yield* this.#rows(this.#lines(block))
    if (this.#spans === undefined) yield* this.#rows(this.#findColumns())
    yield* this.release()
    this.#ended = true
    this.#names ??= undefined
  }

  /** The rows of a sample that is not complete, and will not be. */
  *release(): Generator<Batch, void, undefined> {
    const rows: Row[] = []
    this.#release(rows)
    if (rows.length > 0) yield rows
  }

  /** The lines of a block, unless they are to wait. */
  #lines({ text, bytes, invalidAt }: Block): Line[] {
    const lines: Line[] = []
    let byte = this.#byte
    for (let start = 0; start < text.length; ) {
      const feed = text.indexOf('\n', start)
      const end = feed < 0 ? text.length : feed
      const first = byte === 0 && text.startsWith('\uFEFF') ? 1 : start
      const line = text.slice(first, text.charCodeAt(end - 1) === 13 ? end - 1 : end)
      this.#line++
      if (line !== '') lines.push({ text: line, line: this.#line, byte: byte + (first - start) * 3, invalidAt })
      byte += Buffer.byteLength(text.slice(start, end + 1))
      start = end + 1
    }
    this.#byte += bytes
    if (this.#spans !== undefined) return lines
    for (const line of lines) this.#sample.push(line)
    return this.#sample.length < SAMPLE ? [] : this.#findColumns()
  }

  /** Makes columns of what lies between blanks in the first lines; gives back the lines that waited. */
  #findColumns(): Line[] {
    const used: boolean[] = []
    for (const { text } of this.#sample.slice(0, SAMPLE)) {
      const characters = charactersOf(text)
      for (let i = 0; i < characters.length; i++) if (characters[i] !== ' ') used[i] = true
    }
    const starts: number[] = []
    const ends: number[] = []
    for (let i = 0; i <= used.length; i++) {
      if (used[i] === true && used[i - 1] !== true) starts.push(i)
      if (used[i] !== true && used[i - 1] === true) ends.push(i)
    }
    const { relax } = this.#options
    this.#spans = starts.map((start, i) => ({
      start: relax === true && i === 0 ? 0 : start,
      end: i === starts.length - 1 ? Number.POSITIVE_INFINITY : relax === true ? starts[i + 1]! : ends[i]!,
    }))
    if (this.#names !== null && starts.length > 0) this.#checkNames(this.#names)
    return this.#sample.splice(0)
  }

  *#rows(lines: readonly Line[]): Generator<Batch, void, undefined> {
    const rows: Row[] = []
    try {
      for (const line of lines) {
        // A character has three bytes at most for each of its units.
        if (line.text.length * 3 > this.#maxRecordBytes && Buffer.byteLength(line.text) > this.#maxRecordBytes) {
          throw this.#tooLarge(line.line, line.byte)
        }
        if (this.#headerNext) this.#readHeader(line)
        else {
          this.#record++
          this.#take(line, rows)
        }
      }
    } catch (error) {
      this.#release(rows)
      if (rows.length > 0) yield rows
      throw error
    }
    if (rows.length > 0) yield rows
  }

  #tooLarge(line: number, byte: number): Error {
    const expected = `at most ${this.#maxRecordBytes} bytes`
    const place = { label: this.#context.label, line, column: 1, byte, record: this.#record + 1 }
    const summary = `the line is longer than maxRecordBytes, ${this.#maxRecordBytes}`
    return createError('RECORD_TOO_LARGE', summary, { ...place, expected, found: 'more' })
  }

  #readHeader(line: Line): void {
    const names = this.#cut(line, error => {
      throw error
    })
    const given = this.#options.fields?.map(field => field.name)
    const found = names!.map(name => trimmed(name ?? ''))
    this.#checkNames(found, line)
    if (given !== undefined && given.join('\n') !== found.join('\n')) throw this.#badHeader(found, given.join(), line)
    this.#names = found
    this.#headerNext = false
    if (this.#typing !== null) this.#types = this.#openTypes(this.#typing)
  }

  #checkNames(names: readonly string[] | undefined, line?: Line): void {
    if (names === undefined) return
    const count = this.#spans?.length ?? names.length
    const unique = names.every((name, i) => name !== '' && names.indexOf(name) === i)
    if (names.length !== count || !unique) throw this.#badHeader(names, `${count} names, each once`, line)
  }

  #badHeader(names: readonly string[], expected: string, line: Line | undefined): Error {
    const found = excerpt(names.join())
    const place = { label: this.#context.label, line: line?.line, column: 1, byte: line?.byte }
    const summary = `the names of the columns are ${found}, expected ${expected}`
    return createError('FIXED_HEADER_INVALID', summary, { ...place, expected, found })
  }

  /** Adds the row of a line to `rows`, unless it is bad or has to wait until types are decided. */
  #take(line: Line, rows: Row[]): void {
    const values = this.#cut(line, error => this.#context.onBadRecord(error, line.text))
    if (values === undefined) return
    const cells = values.map(value => value ?? null)
    if (this.#typing === null) {
      rows.push(this.#rowOf(cells))
      return
    }
    this.#types ??= this.#openTypes(this.#typing)
    const types = this.#types
    if (types.sampling) {
      const unfit = this.#spans!.findIndex((_, i) => !types.fits(i, cells[i]!, false))
      if (unfit < 0) this.#hold(cells, rows)
      else this.#refuse(line, unfit)
      return
    }
    const row = this.#typed(cells, this.#record)
    if (typeof row === 'number') this.#refuse(line, row)
    else rows.push(row)
  }

  #openTypes(typing: Typing): ColumnTypes {
    const names = this.#columnNames
    checkTypedNames(typing.types.keys(), names, this.#context.label)
    return new ColumnTypes(typing, names, this.#context.label)
  }

  #hold(cells: Cells, rows: Row[]): void {
    const { scan } = this.#typing!
    for (const i of this.#spans!.keys()) this.#types!.observe(i, cells[i]!, false)
    if (scan === 'full') return
    for (const cell of cells) this.#heldCharacters += cell?.length ?? 0
    this.#held.push({ cells, record: this.#record })
    if (this.#held.length >= scan || this.#heldCharacters >= MAX_SAMPLE_CHARACTERS) this.#release(rows)
  }

  /** Decides the types by the sample, and adds its rows to `rows`. */
  #release(rows: Row[]): void {
    this.#types?.decide()
    // Each value was seen when the types were decided, so that none is unfit.
    for (const { cells, record } of this.#held.splice(0)) rows.push(this.#typed(cells, record) as Row)
  }

  /** The row with its values; or the position of the column that it does not fit. */
  #typed(cells: Cells, record: number): Row | number {
    const types = this.#types!
    const width = this.#spans!.length
    for (;;) {
      types.fault = -1
      const values = cells.map((cell, i) => (i < width ? types.field(i, cell, i) : cell))
      const { fault } = types
      if (fault < 0) return this.#rowOf(values)
      // As a field of its column's type the value is bad; else its column is wider now.
      if (types.settle(record) !== undefined) return fault
    }
  }

  #refuse(line: Line, column: number): void {
    const mismatch = this.#types!.settle(this.#record)!
    const before = textOf(charactersOf(line.text).slice(0, this.#spans![column]!.start))
    const place = {
      label: this.#context.label,
      line: line.line,
      column: before.length + 1,
      byte: line.byte + Buffer.byteLength(before),
      record: this.#record,
    }
    this.#context.onBadRecord(typeMismatch(mismatch, place), line.text)
  }

  #rowOf(values: readonly unknown[]): Row {
    const columns = this.#names
    if (columns === undefined || columns === null) return values as unknown as Row // rows are arrays
    // Makes `__proto__` a field as any other.
    return Object.fromEntries(values.map((value, i) => [columns[i] ?? EXTRA, value]))
  }

  /** The fields of a line, one more for what is too much; `undefined` if the line is bad and was told to `refuse`. */
  #cut(line: Line, refuse: (error: Error) => void): (string | undefined)[] | undefined {
    const spans = this.#spans!
    const { relax = false, trim = true } = this.#options
    const characters = charactersOf(line.text)
    const isHeader = this.#headerNext
    const fault = (code: ErrorCode, at: number, summary: string, expected: string): undefined => {
      const before = textOf(characters.slice(0, at))
      const found = at < characters.length ? excerpt(textOf(characters.slice(at)), 40) : 'the end of the line'
      const byte = line.byte + (line.invalidAt ?? Buffer.byteLength(before))
      const place = { label: this.#context.label, line: line.line, column: before.length + 1, byte }
      const record = isHeader ? undefined : this.#record
      refuse(createError(code, `${summary}, found ${found}`, { ...place, record, expected, found }))
    }
    if (line.invalidAt !== undefined) {
      return fault('TEXT_INVALID_UTF8', line.text.indexOf('\uFFFD'), 'expected UTF-8', 'UTF-8')
    }
    const values: (string | undefined)[] = []
    let behind = 0
    for (const { start, end } of spans) {
      const between = trimmed(textOf(characters.slice(behind, start)))
      if (between !== '') return fault('FIXED_MISALIGNED', behind, 'expected blanks between two columns', 'blanks')
      if (start < characters.length) {
        const text = textOf(characters.slice(start, end))
        values.push(trim ? trimmed(text) : text)
      } else if (relax || isHeader) values.push(undefined)
      else
        return fault(
          'FIXED_RECORD_SHORT',
          characters.length,
          `expected ${spans.length} fields`,
          `${spans.length} fields`,
        )
      behind = end
    }
    const rest = textOf(characters.slice(behind))
    if (trimmed(rest) === '') return values
    if (!relax || this.#names?.includes(EXTRA) === true)
      return fault('FIXED_RECORD_LONG', behind, `expected at most ${behind} characters`, 'the end of the line')
    return isHeader ? values : [...values, trim ? trimmed(rest) : rest]
  }
}

function spansOf(widths: readonly number[]): Span[] {
  let end = 0
  return widths.map(width => ({ start: end, end: (end += width) }))
}
