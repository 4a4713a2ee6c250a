/** Typed columns at work: what a sample shows, and what becomes of values that do not fit. */
import { excerpt } from './errors.ts'
import { TypeInferrer } from './infer.ts'
import type { ColumnSchema } from './schema.ts'
import type { Decided, Mismatch, Typing } from './typing.ts'
import { type ColumnType, exactBigint, exactNumber, type ValueParser, valueParser } from './values.ts'

/** Values that can be read together: integers of 32 bits and of up to 53, numbers, and dates. */
export type ValueKind = 'int32' | 'integer' | 'number' | 'date'

const NONE: readonly number[] = []

/**
 * The types of one reader's columns at work. First, while `sampling`, records are shown to `observe`; after `decide`
 * their fields are converted. A field that does not fit sets `fault`, and once the record is through, `settle` says
 * whether the column is wider now, so that the record is to be converted again, or the record is bad.
 */
export class ColumnTypes {
  /** The column that does not fit, -1 if all do. To be reset before each record. */
  fault = -1
  /** The column's value. */
  faultText = ''
  /** Whether types are still to be inferred. */
  sampling: boolean
  readonly #typing: Typing
  readonly #label: string
  readonly #names: readonly string[]
  readonly #declared: readonly boolean[]
  /** The columns whose types the user has declared. */
  readonly declared: readonly number[]
  readonly #types: ColumnType[]
  /** For each column, 1 if it has nulls. */
  readonly nulls: Uint8Array
  /** Whether the empty text, if it is not quoted, is null. */
  readonly emptyIsNull: boolean
  /** Whether quoted texts can be null, too. */
  readonly quotedNulls: boolean
  readonly #inferrers: readonly TypeInferrer[]
  readonly #widened: ({ readonly from: ColumnType; readonly at: number } | undefined)[] = []
  /** By column: what is tried with values that its parser does not take. */
  readonly #wider: (ValueParser[] | undefined)[] = []
  #parsers: (ValueParser | null)[]
  /** The types that the parsers are of: those of columns before they were widened. */
  #ownTypes: readonly ColumnType[]
  /** Whether other texts than the empty one are null. */
  readonly #otherNulls: boolean
  readonly #longestNull: number

  /** `names` of the columns in the order of the fields that will come. */
  constructor(typing: Typing, names: readonly string[], label: string) {
    this.#typing = typing
    this.#label = label
    this.#names = names
    this.#declared = names.map(name => typing.types.has(name))
    this.declared = names.flatMap((_, i) => (this.#declared[i] ? [i] : []))
    const { decided } = typing
    this.#types = names.map((name, i) => typing.types.get(name) ?? decided?.types[i] ?? 'text')
    this.nulls = Uint8Array.from(names, (_, i) => (decided?.nullable[i] ? 1 : 0))
    this.sampling = typing.cast && decided === undefined && this.#declared.includes(false)
    this.#inferrers = this.sampling ? names.map(() => new TypeInferrer(typing.boolean)) : []
    this.emptyIsNull = typing.nullTexts.has('')
    this.quotedNulls = typing.quotedNulls
    this.#longestNull = Math.max(0, ...[...typing.nullTexts].map(text => text.length))
    this.#otherNulls = this.#longestNull > 0
    this.#ownTypes = [...this.#types]
    this.#parsers = this.#findParsers()
  }

  /** The parser of each column; null for text. Final once `sampling` is over. */
  get parsers(): readonly (ValueParser | null)[] {
    return this.#parsers
  }

  /** Whether a text has to be looked up among those that mean null before it is parsed. */
  get checksNulls(): boolean {
    return this.#otherNulls
  }

  /** What the values of a column mostly are, where they can be read together; null where they cannot. */
  kindOf(column: number): ValueKind | null {
    const type = this.#ownTypes[column]!
    if (this.#otherNulls || (type !== 'integer' && type !== 'number' && type !== 'date')) return null
    if (type !== 'integer') return type
    return this.#inferrers[column]?.large ? 'integer' : 'int32'
  }

  /** The columns as they are known now. */
  get columns(): ColumnSchema[] {
    return this.#names.map((name, i) => {
      const widened = this.#widened[i]
      return {
        name,
        type: this.#types[i]!,
        nullable: this.nulls[i] === 1,
        source: this.#declared[i] ? 'declared' : this.#typing.cast ? 'inferred' : 'file',
        ...(widened === undefined ? {} : { widenedFrom: widened.from, widenedAt: widened.at }),
      }
    })
  }

  get decided(): Decided {
    return { types: [...this.#types], nullable: Array.from(this.nulls, seen => seen === 1) }
  }

  /** Looks at a field of the sample; null is one that is missing. */
  observe(column: number, value: string | null, quoted: boolean): void {
    if (value === null || this.#isNull(value, quoted)) this.nulls[column] = 1
    else this.#inferrers[column]!.observe(value)
  }

  /** As `observe`, of a field that is given by its place in a text and was not quoted. */
  observeAt(column: number, text: string, start: number, end: number): void {
    if (end - start <= this.#longestNull && this.#isNull(text.slice(start, end), false)) this.nulls[column] = 1
    else this.#inferrers[column]!.observe(text, start, end)
  }

  /** Ends the sample. */
  decide(): void {
    if (!this.sampling) return
    this.sampling = false
    for (const [i, inferrer] of this.#inferrers.entries()) if (!this.#declared[i]) this.#types[i] = inferrer.type
    this.#ownTypes = [...this.#types]
    this.#parsers = this.#findParsers()
  }

  /** The value of a field that is given by its place in a text; never quoted. */
  value(column: number, text: string, start: number, end: number): unknown {
    if (end - start <= this.#longestNull && this.#isNull(text.slice(start, end), false)) {
      this.nulls[column] = 1
      return null
    }
    const parser = this.#parsers[column]!
    return parser === null ? text.slice(start, end) : (parser(text, start, end) ?? this.miss(column, text, start, end))
  }

  /** As `value`, where the parser gave nothing. */
  miss(column: number, text: string, start: number, end: number): unknown {
    if (start === end && this.emptyIsNull) return this.empty(column)
    return this.#misfit(column, text.slice(start, end))
  }

  /** The value of an empty field. */
  empty(column: number): null | '' {
    if (!this.emptyIsNull) return ''
    this.nulls[column] = 1
    return null
  }

  /** The value of field `field` of a record, which stands in `column`. `quoted` has the fields that were quoted. */
  field(column: number, value: string | null, field: number, quoted: readonly number[] = NONE): unknown {
    if (value === null) {
      this.nulls[column] = 1
      return null
    }
    if (value.length <= this.#longestNull && this.#isNull(value, quoted.includes(field))) {
      this.nulls[column] = 1
      return null
    }
    const parser = this.#parsers[column]!
    return parser === null ? value : (parser(value, 0, value.length) ?? this.#misfit(column, value))
  }

  /** The value of a field that was quoted. */
  quoted(column: number, value: string): unknown {
    if (this.quotedNulls && this.#typing.nullTexts.has(value)) {
      this.nulls[column] = 1
      return null
    }
    const parser = this.#parsers[column]!
    return parser === null ? value : (parser(value, 0, value.length) ?? this.#misfit(column, value))
  }

  /** Whether a value may stand in a declared column; true in all others. */
  fits(column: number, value: string | null, quoted: boolean): boolean {
    if (value === null || !this.#declared[column] || this.#isNull(value, quoted)) return true
    const parser = this.#parsers[column]!
    if (parser === null || parser(value, 0, value.length) !== undefined) return true
    this.fault = column
    this.faultText = value
    return false
  }

  /** After `fault`: widens the column, or gives what is wrong. `record` is the number of the record in hand. */
  settle(record: number): Mismatch | undefined {
    const column = this.fault
    const found = this.faultText
    const from = this.#types[column]!
    const name = this.#names[column]!
    const { onWiden } = this.#typing
    if (this.#declared[column] || onWiden === 'error') return { column: name, expected: from, found: excerpt(found) }
    const wider = (this.#wider[column] ??= [])
    let to: ColumnType = 'text'
    if (from === 'integer') {
      if (exactBigint(found, 0, found.length) !== undefined) to = 'bigint'
      else if (exactNumber(found, 0, found.length) !== undefined) to = 'number'
    }
    const parser: ValueParser =
      to === 'bigint' ? exactBigint : to === 'number' ? exactNumber : (text, start, end) => text.slice(start, end)
    wider.push(parser)
    this.#types[column] = to
    this.#widened[column] = { from, at: record }
    if (typeof onWiden === 'function') onWiden({ label: this.#label, column: name, record, from, to, found })
    return undefined
  }

  /** A value that its column's own parser does not take. */
  #misfit(column: number, value: string): unknown {
    // JSON's null is the one value that a parser gives and callers take for nothing.
    if (this.#types[column] === 'json' && this.#parsers[column]!(value, 0, value.length) === null) return null
    for (const parser of this.#wider[column] ?? []) {
      const wider = parser(value, 0, value.length)
      if (wider !== undefined) return wider
    }
    if (this.fault < 0) {
      this.fault = column
      this.faultText = value
    }
    return value
  }

  #isNull(value: string, quoted: boolean): boolean {
    return this.#typing.nullTexts.has(value) && (!quoted || this.#typing.quotedNulls)
  }

  #findParsers(): (ValueParser | null)[] {
    return this.#types.map((type, i) => valueParser(type, this.#declared[i]!, this.#typing.boolean))
  }
}

/** Makes the types of columns at work; what a reader takes that loads them late. */
export type CreateTypes = typeof createTypes

export const createTypes = (typing: Typing, names: readonly string[], label: string): ColumnTypes =>
  new ColumnTypes(typing, names, label)
