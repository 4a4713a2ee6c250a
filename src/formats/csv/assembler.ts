/** Records of fields → rows: the header, blank lines, ragged records, the policy for bad ones. Both engines feed it. */

import type { ColumnTypes } from '../../core/column-types.ts'
import { createError, excerpt, nearest } from '../../core/errors.ts'
import type { Schema } from '../../core/schema.ts'
import type { ReadContext, Row } from '../../core/types.ts'
import { checkTypedNames, type Decided, MAX_SAMPLE_CHARACTERS, typeMismatch } from '../../core/typing.ts'
import { headerMissing, type Place, raggedRecord } from './errors.ts'
import { compileRowBuilder } from './generated-rows.ts'
import { freeKey, joinHeader, uniqueColumns } from './header.ts'
import type { ReadDialect } from './read-dialect.ts'
import { loopRowBuilder, type RowBuilder, type RowShape, rowOf } from './rows.ts'
import type { SampledShape } from './sample.ts'

/** The record that an engine has in hand; asked for only when something is wrong. */
export interface RecordInHand {
  /** Physical line on which it begins. */
  readonly line: number
  /** Where it begins. */
  place(): Place
  /** Its text, without its line end. */
  raw(): string
}

/** A record of the sample by which types are decided, while it waits for that. */
interface HeldRecord {
  readonly fields: readonly string[]
  readonly quoted: readonly number[]
  readonly line: number
  readonly record: number
}

const NONE: readonly number[] = []
/** Records after which generating code for the columns pays. */
const RECORDS_BEFORE_COMPILING = 200

export class RowAssembler {
  /** The names of the columns: `null` until the header is read, `undefined` where there is none. */
  names: readonly string[] | null | undefined
  /** Fields that a record is to have; -1 until the header, or without one the first record, is read. */
  width = -1
  /** Data records before the batch in hand, whatever became of them. */
  records = 0
  /** Whether a line with nothing on it is a record. Final once `width` is known. */
  blankIsRecord: boolean
  /** Makes rows of records that have the right width. */
  builder: RowBuilder | null = null
  readonly #dialect: ReadDialect
  readonly #context: ReadContext
  #header: string[][] = []
  #headerPlace: Place | null = null
  /** Whether a record that is as wide as the columns is a row as it is. */
  readonly #plain: boolean
  #shape: RowShape | null = null
  #types: ColumnTypes | null = null
  #held: HeldRecord[] = []
  #heldCharacters = 0
  #compiled = false
  /** Records of which it is known that they will come. */
  #expected = 0
  #ended = false
  #extraKey: string

  constructor(dialect: ReadDialect, context: ReadContext) {
    this.#dialect = dialect
    this.#context = context
    this.#extraKey = dialect.extraKey
    this.#plain = dialect.typing === null && dialect.onRecord === undefined
    this.blankIsRecord = dialect.skipEmptyLines === false
    if (dialect.header === true) this.names = null
    else if (dialect.header !== false) this.#nameColumns(dialect.header, { label: context.label })
  }

  /** As `Decoder.columns`: not known before the types are, so that whoever waits for the one has the other. */
  get columns(): readonly string[] | null | undefined {
    return this.#isSampling ? null : this.names
  }

  /** As `RowReader.schema`. */
  get schema(): Schema | undefined {
    if (this.#shape === null || this.#isSampling) return undefined
    if (this.#types !== null) return { columns: this.#types.columns }
    const nullable = this.#dialect.relaxLess
    const names = this.#shape.keys ?? this.#shape.picks.map(numbered)
    return { columns: names.map(name => ({ name, type: 'text', nullable, source: 'file' })) }
  }

  /** What was decided on the types, after the whole input was read for it. */
  get decided(): Decided | undefined {
    return this.#types?.decided
  }

  /** Whether records still belong to the header: what is wrong with one of them cannot be passed over. */
  get inHeader(): boolean {
    return this.names === null
  }

  /** Whether each record has to come through `take`, also those that are plain. */
  get wantsEach(): boolean {
    return this.#dialect.skipRecordsWithEmptyValues || this.#dialect.onRecord !== undefined || this.#isSampling
  }

  /** What types are inferred of, if records may be shown to `Sample` before they are taken; null where not. */
  get sampled(): SampledShape | null {
    const { typing, skipRecordsWithEmptyValues } = this.#dialect
    if (!this.#isSampling || this.#types === null || this.#shape === null || this.#held.length > 0) return null
    if (typing!.scan === 'full' || skipRecordsWithEmptyValues) return null
    return { types: this.#types, width: this.width, picks: this.#shape.picks, records: Number(typing!.scan) }
  }

  /** Number of the data record in hand; `before` counts the rows of the batch in hand. */
  recordNumber(before: number): number {
    return this.records + before + this.#held.length + 1
  }

  /** Whether types are still to be inferred; before the header is read, whether they will have to be. */
  get #isSampling(): boolean {
    if (this.#types !== null) return this.#types.sampling
    const { typing } = this.#dialect
    return typing?.cast === true && typing.decided === undefined && !this.#ended
  }

  /** Compiles the builder once enough records have come, or are known to come, for it to pay. */
  warm(): void {
    if (this.#compiled || this.#shape === null) return
    if (this.records < RECORDS_BEFORE_COMPILING && this.#expected < RECORDS_BEFORE_COMPILING) return
    this.#compiled = true
    this.builder = compileRowBuilder(this.#shape) ?? this.builder
  }

  /**
   * Takes a record: the first `count` of `fields`, and which of them were `quoted`. Adds its row to `rows`, the batch in
   * hand, unless there is none: the record was of the header, is passed over, is bad and may be left out, or has to wait
   * until types are decided.
   */
  take(
    fields: readonly string[],
    count: number,
    blank: boolean,
    rows: Row[],
    record: RecordInHand,
    quoted: readonly number[] = NONE,
  ): void {
    if (blank && !this.blankIsRecord) return
    if (this.#dialect.skipRecordsWithEmptyValues && isEmpty(fields, count)) {
      if (this.names !== null) this.#passOver()
      return
    }
    if (this.#plain && count === this.width) {
      rows.push(this.builder!.fromFields(fields)!)
      return
    }
    if (this.names === null) {
      if (!blank) this.#takeHeader(fields.slice(0, count), record)
      return
    }
    if (this.width < 0) this.#shapeRows(count, null, null)
    const { relaxLess, relaxMore } = this.#dialect
    if (count !== this.width && !(count < this.width ? relaxLess : relaxMore)) {
      this.bad(raggedRecord(record.place(), this.width, count), record.raw())
      return
    }
    if (this.#isSampling) {
      this.#hold(fields, count, quoted, rows, record)
      return
    }
    let row = this.#rowOf(fields, count, quoted)
    while (row === null) {
      const mismatch = this.#types!.settle(this.recordNumber(rows.length))
      if (mismatch !== undefined) {
        this.bad(typeMismatch(mismatch, record.place()), record.raw())
        return
      }
      row = this.#rowOf(fields, count, quoted)
    }
    this.#deliver(row, rows, record.line, this.recordNumber(rows.length))
  }

  /**
   * Adds the rows of a sample that is not complete, and will not be, to `rows`: at the end of the input, or where reading
   * stops.
   */
  release(rows: Row[]): void {
    if (!this.#isSampling || this.#types === null) return
    this.decide()
    const held = this.#held
    this.#held = []
    for (const { fields, quoted, line, record } of held) {
      let row = this.#rowOf(fields, fields.length, quoted)
      // Each value was seen when the types were decided; if one does not fit all the same, its column is widened.
      while (row === null) {
        this.#types.settle(record)
        row = this.#rowOf(fields, fields.length, quoted)
      }
      this.#deliver(row, rows, line, record)
    }
  }

  /** Ends the sample; `records` were shown to `Sample`, and are still to be taken. */
  decide(records = 0): void {
    this.#types!.decide()
    this.builder = loopRowBuilder(this.#shape!)
    this.#expected = records
  }

  /** Adds a record to the sample. A value that is not of its declared type is an error already now. */
  #hold(fields: readonly string[], count: number, quoted: readonly number[], rows: Row[], record: RecordInHand): void {
    const types = this.#types!
    const { picks } = this.#shape!
    const number = this.recordNumber(rows.length)
    const value = (field: number) => (field < count ? fields[field]! : null)
    for (const [column, field] of picks.entries()) {
      if (types.fits(column, value(field), quoted.includes(field))) continue
      this.bad(typeMismatch(types.settle(number)!, record.place()), record.raw())
      return
    }
    for (const [column, field] of picks.entries()) types.observe(column, value(field), quoted.includes(field))
    if (this.#dialect.typing!.scan === 'full') {
      this.records++
      return
    }
    const own = fields.slice(0, count)
    for (const field of own) this.#heldCharacters += field.length
    this.#held.push({
      fields: own,
      quoted: quoted.length === 0 ? NONE : [...quoted],
      line: record.line,
      record: number,
    })
    const { scan } = this.#dialect.typing!
    if (this.#held.length >= Number(scan) || this.#heldCharacters >= MAX_SAMPLE_CHARACTERS) this.release(rows)
  }

  #deliver(row: Row, rows: Row[], line: number, record: number): void {
    const { onRecord } = this.#dialect
    const result = onRecord === undefined ? row : onRecord(row, { line, record })
    if (result !== null && result !== undefined) rows.push(result)
    else this.#passOver()
  }

  /** Leaves out a record as the user's options say. */
  #passOver(): void {
    this.records++
    this.#context.onSkippedRecord?.()
  }

  /** Tells of a record that cannot become a row; returns if it may be left out. */
  bad(error: Error, raw: string): void {
    if (this.inHeader) throw error
    this.records++
    this.#context.onBadRecord(error, raw)
  }

  /** Called at the end of the input. */
  end(place: Place): void {
    this.#ended = true
    if (this.names !== null) return
    const { headerLines } = this.#dialect
    if (this.#header.length > 0) throw headerMissing(place, headerLines, this.#header.length)
    this.names = []
  }

  #takeHeader(fields: string[], record: RecordInHand): void {
    this.#headerPlace ??= record.place()
    const first = this.#header[0]
    if (first !== undefined && first.length !== fields.length) {
      const { relaxLess, relaxMore } = this.#dialect
      if (!(fields.length < first.length ? relaxLess : relaxMore)) {
        throw raggedRecord(record.place(), first.length, fields.length)
      }
    }
    this.#header.push(fields)
    if (this.#header.length < this.#dialect.headerLines) return
    this.#nameColumns(joinHeader(this.#header, this.#dialect.headerSeparator), this.#headerPlace)
    this.#header = []
  }

  #nameColumns(names: readonly string[], place: Partial<Place>): void {
    const columns = uniqueColumns(names, this.#dialect.duplicateColumns, place)
    checkTypedNames(this.#dialect.typing?.types.keys() ?? [], columns, this.#context.label)
    const wanted = this.#dialect.columns
    this.#extraKey = freeKey(this.#dialect.extraKey, columns)
    this.#shapeRows(columns.length, columns, wanted === null ? null : pick(wanted, columns, this.#context.label))
    this.names = wanted ?? columns
  }

  #shapeRows(width: number, columns: readonly string[] | null, wanted: readonly number[] | null): void {
    const picks = wanted ?? Array.from({ length: width }, (_, i) => i)
    this.width = width
    this.blankIsRecord = !(this.#dialect.skipEmptyLines ?? width > 1)
    const keys = columns === null ? null : picks.map(i => columns[i]!)
    const { typing, createTypes } = this.#dialect
    if (typing !== null) this.#types = createTypes!(typing, keys ?? picks.map(numbered), this.#context.label)
    this.#shape = { width, picks, keys, types: this.#types }
    this.builder = loopRowBuilder(this.#shape)
  }

  /** The row of a record that may have this many fields; `null` where one is not of its column's type. */
  #rowOf(fields: readonly string[], count: number, quoted: readonly number[]): Row | null {
    return count === this.width ? this.builder!.fromFields(fields, quoted) : this.#ragged(fields, count, quoted)
  }

  #ragged(fields: readonly string[], count: number, quoted: readonly number[]): Row | null {
    const { width } = this
    const { columns } = this.#dialect
    const own = fields.slice(0, count)
    if (this.#shape!.keys === null)
      return this.#types === null ? rowOf(own) : this.#raggedArray(own, quoted, this.#types)
    const padded: (string | null)[] = own
    while (padded.length < width) padded.push(null)
    const row = this.builder!.fromFields(padded, quoted)
    if (row !== null && count > width && columns === null) {
      // Defined, not assigned: the key may be `__proto__`.
      const value = own.slice(width)
      Object.defineProperty(row, this.#extraKey, { value, writable: true, enumerable: true, configurable: true })
    }
    return row
  }

  /** Arrays keep their length; beyond the columns there are no types. */
  #raggedArray(fields: string[], quoted: readonly number[], types: ColumnTypes): Row | null {
    types.fault = -1
    const row = fields.map((value, i) => (i < this.width ? types.field(i, value, i, quoted) : value))
    return types.fault < 0 ? rowOf(row) : null
  }
}

const numbered = (field: number) => `column_${field + 1}`

function isEmpty(fields: readonly string[], count: number): boolean {
  for (let i = 0; i < count; i++) if (fields[i]!.trim() !== '') return false
  return true
}

/** Positions of the columns that are wanted. */
function pick(wanted: readonly string[], columns: readonly string[], label: string): number[] {
  const positions = new Map(columns.map((name, i) => [name, i]))
  return wanted.map(name => {
    const position = positions.get(name)
    if (position !== undefined) return position
    const near = nearest(name, columns)
    throw createError('OPTION_INVALID', `option columns names ${excerpt(name)}, which the header does not have`, {
      label,
      expected: `one of ${columns.map(column => excerpt(column)).join(', ')}`,
      found: name,
      hint:
        near === undefined ? `the header has: ${excerpt(columns.join(', '), 300)}` : `did you mean ${excerpt(near)}?`,
    })
  })
}
