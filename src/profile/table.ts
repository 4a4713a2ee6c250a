/** All columns of a target, row by row, and what only whole rows show. */
import type { SchemaType } from '../core/schema.ts'
import { type Budget, ColumnProfiler } from './column.ts'
import type { Reading } from './describe-value.ts'
import { mix } from './hash.ts'
import { MissingPatterns } from './missing.ts'
import { EXACT } from './number-sketch.ts'
import { pairsOf } from './pairs.ts'
import { MAX_EXACT_ROWS, RowCounter } from './row-counter.ts'
import { RowSample } from './row-sample.ts'
import type { ColumnProfile, Profile } from './types.ts'

const MAX_EXACT_VALUES = 300_000
const MAX_EXACT_CHARACTERS = 32 << 20
/** Most names that are told apart, where each row may have others. */
const MAX_NAMES = 100_000

/** What is known of a column before its first value. */
export interface KnownColumn {
  readonly name: string
  readonly type: SchemaType
  readonly source: 'declared' | 'file' | 'inferred'
}

export interface TableOptions {
  /** How texts are read; of columns of which nothing else is known. */
  readonly reading: Omit<Reading, 'isOpen' | 'isDecimal'>
  /** Whether texts may stand for other values. */
  readonly isText: boolean
  /** Whether an empty text is null. */
  readonly emptyIsNull: boolean
  /** The columns, where they are known; else they are what rows have. */
  readonly columns: readonly KnownColumn[] | undefined
  /** The columns that are wanted; all if undefined. */
  readonly wanted: readonly string[] | undefined
  readonly topValues: number
  readonly maxColumns: number
}

/** A column, and its part of the sample of rows. */
interface Slot {
  readonly column: ColumnProfiler
  /** Where the value is in a row that is an array. */
  readonly index: number
  readonly seeds: readonly [number, number]
  readonly nulls: Uint8Array
  numbers: Float64Array | undefined
}

export class TableProfiler {
  rows = 0
  readonly #options: TableOptions
  readonly #slots: Slot[] = []
  #leftOut = 0
  #width = 0
  readonly #budget: Budget = { values: MAX_EXACT_VALUES, characters: MAX_EXACT_CHARACTERS }
  readonly #counter = new RowCounter()
  readonly #patterns = new MissingPatterns()
  readonly #sample: RowSample
  /** Names that rows had, where columns are not known before. */
  readonly met = new Set<string>()
  /** Whether each row may bring columns that no row before had. */
  readonly #isOpenEnded: boolean

  constructor(options: TableOptions) {
    this.#options = options
    this.#isOpenEnded = options.columns === undefined
    const count = options.columns?.length ?? 0
    this.#sample = new RowSample(count <= 100 ? 20_000 : 5000)
    const all = options.columns?.map((column, i) => ({ name: column.name, index: i, column }))
    const wanted = options.wanted?.map(
      name =>
        all?.find(one => one.name === name) ?? {
          name,
          index: Number(/^column_(\d+)$/.exec(name)?.[1] ?? 0) - 1,
          column: undefined,
        },
    )
    for (const { name, index, column } of wanted ?? all ?? []) this.#open(name, index, column)
  }

  add(row: object): void {
    const isArray = Array.isArray(row)
    if (this.#isOpenEnded) this.#meet(row)
    const rowNumber = ++this.rows
    const place = this.#sample.offer()
    let nulls = ''
    let high = 0
    let low = 0
    const slots = this.#slots
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!
      const { column } = slot
      const value: unknown = isArray
        ? row[slot.index]
        : !this.#isOpenEnded || Object.hasOwn(row, column.name)
          ? (row as Record<string, unknown>)[column.name]
          : undefined
      if (value === null || value === undefined || (value === '' && this.#options.emptyIsNull)) {
        nulls += `${i},`
        if (place >= 0) {
          slot.nulls[place] = 1
          if (slot.numbers !== undefined) slot.numbers[place] = Number.NaN
        }
        continue
      }
      const facts = column.add(value, rowNumber)
      // A sum: the order in which columns became known must not count.
      high = (high + mix(facts.high ^ slot.seeds[0])) | 0
      low = (low + mix(facts.low ^ slot.seeds[1])) | 0
      if (place < 0) continue
      slot.nulls[place] = 0
      const isNumber = facts.kind === 'integer' || facts.kind === 'number' || facts.kind === 'bigint'
      if (isNumber && slot.numbers === undefined) {
        slot.numbers = new Float64Array(this.#sample.capacity).fill(Number.NaN)
      }
      if (slot.numbers !== undefined) slot.numbers[place] = isNumber ? facts.number : Number.NaN
    }
    this.#patterns.add(nulls, slots.length)
    this.#counter.add(mix(high), mix(low ^ Math.imul(high, 0x9e3779b1)))
  }

  finish(): Pick<
    Profile,
    'rows' | 'memoryBytes' | 'columns' | 'columnsLeftOut' | 'duplicates' | 'correlations' | 'missingness'
  > {
    const { rows } = this
    const columns = this.#slots.map(({ column }) => column.finish(rows))
    const bytes = this.#slots.reduce((sum, { column }) => sum + column.bytes, 0)
    const correlations = this.#correlations(columns)
    const missingness = this.#missingness(columns)
    return {
      rows,
      // A row is an object with a slot for each column.
      memoryBytes: bytes + rows * (24 + 8 * columns.length),
      columns,
      columnsLeftOut: this.#leftOut,
      duplicates: this.#duplicates,
      ...(correlations === undefined ? {} : { correlations }),
      ...(missingness === undefined ? {} : { missingness }),
    }
  }

  #meet(row: object): void {
    if (Array.isArray(row)) {
      for (let i = this.#width; i < row.length; i++) this.#meetName(`column_${i + 1}`, i)
      this.#width = Math.max(this.#width, row.length)
      return
    }
    for (const name of Object.keys(row)) if (!this.met.has(name)) this.#meetName(name, -1)
  }

  #meetName(name: string, index: number): void {
    // Names are kept to know them again, as long as there are not too many.
    if (this.met.size >= MAX_NAMES) return
    this.met.add(name)
    if (this.#options.wanted === undefined) this.#open(name, index, undefined)
  }

  #open(name: string, index: number, known: KnownColumn | undefined): void {
    const { maxColumns, reading, isText, topValues } = this.#options
    if (this.#slots.length >= maxColumns) {
      this.#leftOut++
      return
    }
    const isOpen = isText && (known === undefined || (known.type === 'text' && known.source !== 'declared'))
    const seed = this.#slots.length + 1
    this.#slots.push({
      column: new ColumnProfiler({
        name,
        declared:
          known === undefined || known.source === 'inferred' ? undefined : { type: known.type, source: known.source },
        reading: { ...reading, isOpen, isDecimal: known?.type === 'decimal' },
        topValues,
        budget: this.#budget,
      }),
      index,
      seeds: [mix(seed * 0x9e3779b1), mix(seed * 0x85ebca6b + 1)],
      // Rows before did not have it.
      nulls: new Uint8Array(this.#sample.capacity).fill(1),
      numbers: undefined,
    })
  }

  get #duplicates(): Profile['duplicates'] {
    const { rows, error } = this.#counter.duplicates
    if (this.#counter.isExact) return { rows, accuracy: EXACT }
    const note = `Estimated (distinct sampling; beyond ${MAX_EXACT_ROWS.toLocaleString('en')} different rows): off by about ${error.toLocaleString('en')} rows at most, with a confidence of 95 %.`
    return { rows: Math.min(rows, this.rows), accuracy: { exact: false, method: 'distinct-sampling', error, note } }
  }

  #correlations(columns: readonly ColumnProfile[]): Profile['correlations'] {
    const numeric = this.#slots.flatMap(({ column: { name }, numbers }, i) =>
      numbers !== undefined && columns[i]!.numbers !== undefined ? [{ name, values: numbers }] : [],
    )
    return numeric.length < 2 ? undefined : pairsOf(numeric, this.#sample.size, this.rows)
  }

  #missingness(columns: readonly ColumnProfile[]): Profile['missingness'] {
    if (columns.every(({ nulls }) => nulls === 0)) return undefined
    const some = this.#slots.flatMap(({ column: { name }, nulls }, i) => {
      const count = columns[i]!.nulls
      return count > 0 && count < this.rows ? [{ name, values: Float64Array.from(nulls) }] : []
    })
    return this.#patterns.finish(some, this.#sample.size, this.rows, columns.length)
  }
}
