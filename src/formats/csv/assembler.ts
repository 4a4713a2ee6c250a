/** Records of fields → rows: the header, blank lines, ragged records, the policy for bad ones. Both engines feed it. */
import { createError, excerpt, nearest } from '../../core/errors.ts'
import type { ReadContext, Row } from '../../core/types.ts'
import { headerMissing, type Place, raggedRecord } from './errors.ts'
import { freeKey, joinHeader, uniqueColumns } from './header.ts'
import type { ReadDialect } from './read-options.ts'
import { compileRowBuilder, loopRowBuilder, type RowBuilder, type RowShape, rowOf } from './rows.ts'

/** The record that an engine has in hand; asked for only when something is wrong. */
export interface RecordInHand {
  /** Physical line on which it begins. */
  readonly line: number
  /** Where it begins. */
  place(): Place
  /** Its text, without its line end. */
  raw(): string
}

/** Records after which generating code for the columns pays. */
const RECORDS_BEFORE_COMPILING = 200

export class RowAssembler {
  /** As `Decoder.columns`. */
  columns: readonly string[] | null | undefined
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
  #shape: RowShape | null = null
  #compiled = false
  #extraKey: string

  constructor(dialect: ReadDialect, context: ReadContext) {
    this.#dialect = dialect
    this.#context = context
    this.#extraKey = dialect.extraKey
    this.blankIsRecord = dialect.skipEmptyLines === false
    if (dialect.header === true) this.columns = null
    else if (dialect.header !== false) this.#nameColumns(dialect.header, { label: context.label })
  }

  /** Whether records still belong to the header: what is wrong with one of them cannot be passed over. */
  get inHeader(): boolean {
    return this.columns === null
  }

  /** Whether each record has to come through `take`, also those that are plain. */
  get wantsEach(): boolean {
    return this.#dialect.skipRecordsWithEmptyValues || this.#dialect.onRecord !== undefined
  }

  /** Compiles the builder once enough records have come for it to pay. */
  warm(): void {
    if (this.#compiled || this.records < RECORDS_BEFORE_COMPILING || this.#shape === null) return
    this.#compiled = true
    this.builder = compileRowBuilder(this.#shape) ?? this.builder
  }

  /**
   * The row of a record: the first `count` of `fields`. `undefined` when there is none: the record was of the header,
   * is passed over, or is bad and may be left out. `before` counts the rows of the batch in hand.
   */
  take(
    fields: readonly string[],
    count: number,
    blank: boolean,
    before: number,
    record: RecordInHand,
  ): Row | undefined {
    if (blank && !this.blankIsRecord) return undefined
    if (this.#dialect.skipRecordsWithEmptyValues && isEmpty(fields, count)) return undefined
    if (this.columns === null) {
      if (!blank) this.#takeHeader(fields.slice(0, count), record)
      return undefined
    }
    if (this.width < 0) this.#shapeRows(count, null, null)
    const row = count === this.width ? this.builder!.fromFields(fields) : this.#ragged(fields, count, record)
    const { onRecord } = this.#dialect
    if (row === undefined || onRecord === undefined) return row
    const result = onRecord(row, { line: record.line, record: this.records + before + 1 })
    if (result !== null && result !== undefined) return result
    this.records++
    return undefined
  }

  /** Tells of a record that cannot become a row; returns if it may be left out. */
  bad(error: Error, raw: string): void {
    if (this.inHeader) throw error
    this.records++
    this.#context.onBadRecord(error, raw)
  }

  /** Called at the end of the input. */
  end(place: Place): void {
    if (this.columns !== null) return
    const { headerLines } = this.#dialect
    if (this.#header.length > 0) throw headerMissing(place, headerLines, this.#header.length)
    this.columns = []
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
    const wanted = this.#dialect.columns
    this.#extraKey = freeKey(this.#dialect.extraKey, columns)
    this.#shapeRows(columns.length, columns, wanted === null ? null : pick(wanted, columns, this.#context.label))
    this.columns = wanted ?? columns
  }

  #shapeRows(width: number, columns: readonly string[] | null, wanted: readonly number[] | null): void {
    const picks = wanted ?? Array.from({ length: width }, (_, i) => i)
    this.width = width
    this.blankIsRecord = !(this.#dialect.skipEmptyLines ?? width > 1)
    this.#shape = { width, picks, keys: columns === null ? null : picks.map(i => columns[i]!) }
    this.builder = loopRowBuilder(this.#shape)
  }

  #ragged(fields: readonly string[], count: number, record: RecordInHand): Row | undefined {
    const { width } = this
    const { relaxLess, relaxMore, columns } = this.#dialect
    if (!(count < width ? relaxLess : relaxMore)) {
      this.bad(raggedRecord(record.place(), width, count), record.raw())
      return undefined
    }
    const own = fields.slice(0, count)
    if (this.#shape!.keys === null) return rowOf(own)
    const padded: (string | null)[] = own
    while (padded.length < width) padded.push(null)
    const row = this.builder!.fromFields(padded)
    if (count > width && columns === null) {
      // Defined, not assigned: the key may be `__proto__`.
      const value = own.slice(width)
      Object.defineProperty(row, this.#extraKey, { value, writable: true, enumerable: true, configurable: true })
    }
    return row
  }
}

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
