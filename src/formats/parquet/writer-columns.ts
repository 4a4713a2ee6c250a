/** The columns of an output: which there are, of which types, and the values that wait to become a chunk. */
import { createError, excerpt, nearest } from '../../core/errors.ts'
import { typeMismatch } from '../../core/typing.ts'
import type { ColumnType } from '../../core/values.ts'
import type { VectorData } from '../../duckdb/vector-data.ts'
import { commonType, isSameType, NULL, typeOfValue, UnwritableCell, type WriteType } from './write-types.ts'
import { decimalTypeOf, declaredType, type ParquetColumnType, plainValue, valueOfType } from './writer-declared.ts'
import { createBuilder } from './writer-nested-vectors.ts'
import type { VectorBuilder } from './writer-vectors.ts'

type Extractor = (rows: readonly object[], count: number, into: unknown[]) => void

/** The values of one column; what every object inherits (`constructor`, `__proto__`, …) is none. */
function createExtractor(name: string, index: number | undefined): Extractor {
  const inherited = name in Object.prototype
  if (index === undefined && !inherited) {
    try {
      return new Function(
        'rows',
        'count',
        'into',
        `for (let i = 0; i < count; i++) into[i] = rows[i][${JSON.stringify(name)}]`,
      ) as Extractor
    } catch {
      // Where code must not be generated.
    }
  }
  const key = index ?? name
  return (rows, count, into) => {
    for (let i = 0; i < count; i++) {
      const row = rows[i] as Record<string | number, unknown>
      into[i] = inherited && !Object.hasOwn(row, key) ? undefined : row[key]
    }
  }
}

/** Why rows did not fit. */
export type Misfit =
  /** A row that no column could take: it is to be left out. */
  | { readonly kind: 'bad'; readonly index: number; readonly error: (record: number, label: string) => Error }
  /** Columns that need wider types. */
  | { readonly kind: 'narrow'; readonly types: readonly WriteType[] }

export class WriteColumn {
  readonly name: string
  readonly declared: ParquetColumnType | undefined
  type: WriteType
  builder: VectorBuilder
  readonly values: unknown[] = []
  readonly #extract: Extractor
  readonly #extractItem: Extractor

  constructor(name: string, position: number, declared: ParquetColumnType | undefined, suggested: WriteType = NULL) {
    this.name = name
    this.declared = declared
    this.type = declared === undefined ? suggested : declaredType(declared)
    this.builder = createBuilder(this.type)
    this.#extract = createExtractor(name, undefined)
    this.#extractItem = createExtractor(name, position)
  }

  extract(rows: readonly object[], count: number, areArrays: boolean): void {
    if (areArrays) this.#extractItem(rows, count, this.values)
    else this.#extract(rows, count, this.values)
  }

  widen(type: WriteType): void {
    this.type = type
    this.builder = createBuilder(type)
  }

  /** Takes the values; the first that it cannot take is told. */
  append(count: number): Misfit | undefined {
    const { values } = this
    let done = this.builder.append(values, 0, count)
    while (done < count) {
      const value = values[done]
      const wanted = this.#wanted(value, done)
      if ('kind' in wanted && (wanted.kind === 'bad' || wanted.kind === 'narrow')) return wanted
      values[done] = (wanted as { readonly value: unknown }).value
      const next = this.builder.append(values, done, count)
      // A value that its own type does not take would be asked for again for ever.
      if (next === done) return this.#needs(values[done], done)
      done = next
    }
    return undefined
  }

  /** What a value that was not taken asks for. */
  #wanted(value: unknown, index: number): Misfit | { readonly value: unknown } {
    const { declared } = this
    if (declared !== undefined) {
      const converted = valueOfType(declared, value)
      if (converted === undefined) return this.#mismatch(value, index)
      return { value: converted }
    }
    if (this.type.kind === 'decimal' && typeof value === 'string') return { value }
    try {
      return { value: plainValue(value) }
    } catch (error) {
      return this.#unwritable(error, index)
    }
  }

  #needs(value: unknown, index: number): Misfit {
    try {
      const type = this.typeOf(value)
      if (type === undefined) return this.#mismatch(value, index)
      const common = commonType(this.type, type)
      if (isSameType(common, this.type)) return this.#unwritable(new UnwritableCell(excerpt(value)), index)
      return { kind: 'narrow', types: [common] }
    } catch (error) {
      return this.#unwritable(error, index)
    }
  }

  /** The type that a value needs; undefined where the declared one does not hold it. Throws UnwritableCell. */
  typeOf(value: unknown): WriteType | undefined {
    if (value === null || value === undefined) return NULL
    if (this.declared === 'decimal') return decimalTypeOf(value)
    if (this.declared !== undefined) return undefined
    if (this.type.kind === 'decimal' && typeof value === 'string') return decimalTypeOf(value) ?? typeOfValue(value)
    return typeOfValue(value)
  }

  /** The type that the values in hand need; those that nothing can take are left for their turn. */
  typeOfValues(count: number): WriteType {
    let type = this.type
    if (this.declared !== undefined && this.declared !== 'decimal') return type
    for (let i = 0; i < count; i++) {
      const value = this.values[i]
      if (value === null || value === undefined || (type.kind === 'stored' && type.accepts(value))) continue
      try {
        type = commonType(type, this.typeOf(value) ?? NULL)
      } catch (error) {
        if (!(error instanceof UnwritableCell)) throw error
      }
    }
    return type
  }

  #mismatch(value: unknown, index: number): Misfit {
    const found = excerpt(value)
    // The types that only Parquet has are named in the same way.
    const expected = (this.declared ?? this.type.kind) as ColumnType
    return {
      kind: 'bad',
      index,
      error: (record, label) =>
        typeMismatch({ column: this.name, expected, found }, { label, record }, `row ${record}: `),
    }
  }

  #unwritable(error: unknown, index: number): Misfit {
    if (!(error instanceof UnwritableCell)) throw error
    const { found } = error
    return {
      kind: 'bad',
      index,
      error: (record, label) =>
        createError(
          'PARQUET_UNWRITABLE',
          `row ${record}: column ${excerpt(this.name)} has ${found}, which Parquet cannot hold`,
          {
            label,
            record,
            expected: `a value that Parquet can hold in column ${excerpt(this.name)}`,
            found,
          },
        ),
    }
  }
}

/** What is said of the columns before the first row. */
export interface ColumnRules {
  readonly names: readonly string[] | undefined
  readonly types: Readonly<Record<string, ParquetColumnType>>
  readonly extraColumns: 'error' | 'drop'
}

export class WriteColumns {
  readonly #rules: ColumnRules
  #columns: WriteColumn[] = []
  #known = new Set<string>()
  /** Keys of the last row that had no unknown ones: most rows have the same. */
  #shape: readonly string[] = []

  constructor(rules: ColumnRules) {
    this.#rules = rules
    for (const name of rules.names ?? []) this.add(name)
  }

  get all(): readonly WriteColumn[] {
    return this.#columns
  }
  get names(): readonly string[] {
    return this.#columns.map(({ name }) => name)
  }
  get types(): readonly WriteType[] {
    return this.#columns.map(({ type }) => type)
  }
  get weight(): number {
    return this.#columns.reduce((sum, { builder }) => sum + builder.weight, 0)
  }
  /** Whether rows may bring more columns. */
  get isOpen(): boolean {
    return this.#rules.names === undefined
  }

  add(name: string, suggested?: WriteType): void {
    if (this.#known.has(name)) return
    const { types } = this.#rules
    const declared = Object.hasOwn(types, name) ? types[name] : undefined
    this.#columns.push(new WriteColumn(name, this.#columns.length, declared, suggested))
    this.#known.add(name)
    this.#shape = []
  }

  /** The type to begin with, of a column of which nothing is known; its values may turn out to be of another one. */
  suggest(name: string, type: WriteType): void {
    const column = this.#columns.find(one => one.name === name)
    if (column === undefined) this.add(name, type)
    else if (column.declared === undefined && column.type.kind === 'null') column.widen(type)
  }

  setTypes(types: readonly WriteType[]): void {
    for (const [i, column] of this.#columns.entries()) {
      if (column.type !== types[i]) column.widen(types[i]!)
    }
  }

  /** The keys of a row that are no columns yet. */
  unknownKeys(row: object): readonly string[] | undefined {
    const shape = this.#shape
    let i = 0
    for (const key in row) if (key !== shape[i++]) return this.#learn(row)
    return undefined
  }

  #learn(row: object): readonly string[] | undefined {
    const keys = Object.keys(row)
    const values = row as Record<string, unknown>
    const unknown = keys.filter(key => !this.#known.has(key) && values[key] !== undefined)
    if (unknown.length > 0 && (this.isOpen || this.#rules.extraColumns === 'error')) return unknown
    if (unknown.length === 0) this.#shape = keys
    return undefined
  }

  unknownColumn(name: string, record: number, label: string): Error {
    const near = nearest(name, this.#known)
    return createError(
      'PARQUET_UNWRITABLE',
      `row ${record} has the column ${excerpt(name)}, which the output does not have`,
      {
        label,
        record,
        expected: this.names.join(', '),
        found: name,
        hint: `${near === undefined ? '' : `did you mean ${excerpt(near)}? If not, `}name all columns ({ columns: [...] }), or drop the others ({ extraColumns: 'drop' })`,
      },
    )
  }

  /** Takes the first `count` rows; on a misfit none of them. `length` is how many rows there are already. */
  append(rows: readonly object[], count: number, areArrays: boolean, length: number): Misfit | undefined {
    for (const column of this.#columns) column.extract(rows, count, areArrays)
    let misfit: Misfit | undefined
    for (const column of this.#columns) {
      // Of several bad rows the first is told first.
      const found = column.append(misfit === undefined || misfit.kind === 'narrow' ? count : misfit.index)
      if (found === undefined) continue
      misfit = found.kind === 'bad' ? found : this.#wider(count, column, found.types[0]!)
      if (misfit.kind === 'narrow') break
    }
    if (misfit === undefined) return undefined
    for (const { builder } of this.#columns) if (builder.length > length) builder.truncate(length)
    return misfit
  }

  /** Columns of which nothing is known yet are looked at as well, so that rows are taken back less often. */
  #wider(count: number, cause: WriteColumn, needed: WriteType): Misfit {
    const types = this.#columns.map(column => {
      if (column === cause) return commonType(needed, column.typeOfValues(count))
      return column.type.kind === 'null' ? column.typeOfValues(count) : column.type
    })
    return { kind: 'narrow', types }
  }

  /** What waits, column by column; nothing waits then. */
  take(): VectorData[] {
    return this.#columns.map(({ builder }) => builder.take())
  }
}
