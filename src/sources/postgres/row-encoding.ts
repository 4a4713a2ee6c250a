/** Rows → what is sent of them: the columns that are written, and the form of their values. */
import { createError, excerpt, nearest } from '../../core/errors.ts'
import type { Schema } from '../../core/schema.ts'
import { UnwritableValue } from '../../core/unwritable.ts'
import type { CopyBuffer } from './copy-buffer.ts'
import type { TableColumn } from './table-columns.ts'
import { copyField, parameterText, type ValueForm } from './write-values.ts'

/** A row that is ready to be sent: a line of COPY, or the values of an INSERT. */
export type SentRow = string | readonly (string | null)[]

/** What becomes of a row. */
export type Encoded =
  | SentRow
  /** It has columns of the table that no row had before. */
  | { readonly more: readonly string[] }

/** A row as its names and values see it: an object, or an array. */
type Keyed = Readonly<Record<string | number, unknown>>

type RowPutter = (row: Keyed, into: CopyBuffer) => boolean

/** Puts the fields of a row into a buffer, if it has just these columns in this order. */
function createRowPutter(names: readonly string[], forms: readonly ValueForm[]): RowPutter {
  const fields = names.map((name, i) => `into.field(row[${JSON.stringify(name)}], forms[${i}])`)
  try {
    return new Function(
      'names',
      'forms',
      `return (row, into) => {
        let i = 0
        for (const key in row) if (key !== names[i++]) return false
        if (i !== ${names.length}) return false
        ${fields.join('\n')}
        return true
      }`,
    )(names, forms) as RowPutter
  } catch {
    // Where code must not be generated.
    return (row, into) => {
      let i = 0
      for (const key in row) if (key !== names[i++]) return false
      if (i !== names.length) return false
      for (let at = 0; at < names.length; at++) into.field(row[names[at]!], forms[at]!)
      return true
    }
  }
}

export class RowEncoding {
  readonly #label: string
  readonly #table: ReadonlyMap<string, TableColumn>
  readonly #drops: boolean
  readonly #asLines: boolean
  /** Whether no other column may come: the user has named them. */
  readonly #closed: boolean
  #names: string[] = []
  #forms: ValueForm[] = []
  /** Whether a column's name is that of something that all objects inherit. */
  #inherited: boolean[] = []
  #set = new Set<string>()
  readonly #textIsValue = new Set<string>()
  readonly #jsonText = new Map<string, 'values' | 'items'>()
  #put: RowPutter | undefined

  constructor(
    columns: readonly TableColumn[],
    options: { readonly label: string; readonly drops: boolean; readonly asLines: boolean; readonly closed: boolean },
  ) {
    this.#label = options.label
    this.#table = new Map(columns.map(column => [column.name, column]))
    this.#drops = options.drops
    this.#asLines = options.asLines
    this.#closed = options.closed
  }

  /** The columns that are written, in order. */
  get names(): readonly string[] {
    return this.#names
  }

  /**
   * Takes over what a reader says: texts of a column of JSON are values, where its other values are, and those of a file
   * may be JSON of what the table has other types for.
   */
  describe({ columns }: Schema): void {
    for (const { name, type, format, items } of columns) {
      if (type === 'json' || type === 'object' || type === 'array') this.#textIsValue.add(name)
      if (format === 'JSON') this.#jsonText.set(name, 'values')
      else if (items?.format === 'JSON') this.#jsonText.set(name, 'items')
      const at = this.#names.indexOf(name)
      if (at >= 0) this.#forms[at] = this.#formOf(name, this.#forms[at]!)
      this.#put = undefined
    }
  }

  #formOf(name: string, form: ValueForm): ValueForm {
    return { ...form, textIsValue: this.#textIsValue.has(name), jsonText: this.#jsonText.get(name) }
  }

  /** Adds columns; those that the table does not have are told by the rows that have them. */
  include(names: readonly string[]): void {
    for (const name of names) {
      const column = this.#table.get(name)
      if (column === undefined || column.generated || this.#set.has(name)) continue
      this.#set.add(name)
      this.#names.push(name)
      this.#forms.push(this.#formOf(name, column.form))
      this.#inherited.push(name in Object.prototype)
      this.#put = undefined
    }
  }

  /** All columns that values can be written to. */
  includeAll(): void {
    this.include([...this.#table.keys()])
  }

  /** Throws for columns that must have a value and get none; `rowColumns` are those that rows have. */
  checkRequired(rowColumns: readonly string[]): void {
    for (const { name, required } of this.#table.values()) {
      if (!required || this.#set.has(name)) continue
      const near = nearest(
        name,
        rowColumns.filter(column => !this.#set.has(column)),
      )
      throw createError(
        'COLUMN_MISMATCH',
        `the table needs a value for column ${excerpt(name)}, which rows do not have`,
        {
          label: this.#label,
          expected: name,
          found: excerpt(rowColumns.join(', '), 300),
          hint:
            near === undefined ? 'give it a value, or the column a default' : `did you mean it by ${excerpt(near)}?`,
        },
      )
    }
  }

  /** Puts a row as most rows are into a buffer; gives false for one that `encode` has to look at. */
  put(row: unknown, into: CopyBuffer): boolean {
    if (typeof row !== 'object' || row === null || Array.isArray(row) || this.#names.length === 0) return false
    this.#put ??= createRowPutter(this.#names.slice(), this.#forms.slice())
    try {
      if (!this.#put(row as Keyed, into)) return false
      into.endRow()
      return true
    } catch {
      into.dropRow()
      return false // encode() says why
    }
  }

  /** Throws an error of this library for a row that cannot be sent. */
  encode(row: unknown, record: number): Encoded {
    if (typeof row !== 'object' || row === null) {
      throw createError('ROW_INVALID', `row ${record} is neither an object nor an array`, {
        label: this.#label,
        record,
        expected: 'an object or an array',
        found: excerpt(row),
      })
    }
    const isArray = Array.isArray(row)
    if (isArray) this.#checkLength(row, record)
    else {
      const more = this.#unknown(Object.keys(row), row as Keyed, record)
      if (more !== undefined) return { more }
    }
    return this.#asLines ? this.#line(row as Keyed, isArray, record) : this.#values(row as Keyed, isArray, record)
  }

  #line(row: Keyed, isArray: boolean, record: number): string {
    const names = this.#names
    const forms = this.#forms
    let line = ''
    for (let i = 0; i < names.length; i++) {
      const value = isArray ? row[i] : this.#inherited[i] && !Object.hasOwn(row, names[i]!) ? undefined : row[names[i]!]
      try {
        line += i === 0 ? copyField(value, forms[i]!) : `\t${copyField(value, forms[i]!)}`
      } catch (error) {
        throw this.#unwritable(error, names[i]!, value, record)
      }
    }
    return `${line}\n`
  }

  #values(row: Keyed, isArray: boolean, record: number): (string | null)[] {
    return this.#names.map((name, i) => {
      const value = isArray ? row[i] : this.#inherited[i] && !Object.hasOwn(row, name) ? undefined : row[name]
      try {
        return parameterText(value, this.#forms[i]!)
      } catch (error) {
        throw this.#unwritable(error, name, value, record)
      }
    })
  }

  #checkLength(row: readonly unknown[], record: number): void {
    if (row.length <= this.#names.length || (this.#drops && this.#names.length > 0)) return
    throw createError('COLUMN_MISMATCH', `row ${record} has ${row.length} values for ${this.#names.length} columns`, {
      label: this.#label,
      record,
      expected: this.#names.join(', '),
      found: `${row.length} values`,
    })
  }

  /** The columns of a row that are the table's, and that no row had before. */
  #unknown(keys: readonly string[], row: Keyed, record: number): string[] | undefined {
    let more: string[] | undefined
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!
      if (key === this.#names[i] || this.#set.has(key)) continue
      if (row[key] === undefined) continue
      const column = this.#table.get(key)
      if (column !== undefined && !column.generated && !this.#closed) (more ??= []).push(key)
      else if (!this.#drops) throw this.#mismatch(key, column, record)
    }
    return more
  }

  #mismatch(name: string, column: TableColumn | undefined, record: number): Error {
    const known = this.#closed ? this.#names : [...this.#table.keys()]
    const near =
      nearest(
        name,
        known.filter(one => !this.#set.has(one)),
      ) ?? nearest(name, known)
    const why =
      column?.generated === true
        ? 'which the server alone gives values'
        : `which ${this.#closed ? 'option columns' : 'the table'} does not have`
    const drop = "write without it ({ extraColumns: 'drop' })"
    return createError('COLUMN_MISMATCH', `row ${record} has a column ${excerpt(name)}, ${why}`, {
      label: this.#label,
      record,
      expected: `one of ${excerpt(known.join(', '), 300)}`,
      found: name,
      hint: near === undefined || near === name ? drop : `did you mean ${excerpt(near)}? Otherwise, ${drop}`,
    })
  }

  #unwritable(error: unknown, name: string, value: unknown, record: number): unknown {
    if (!(error instanceof UnwritableValue)) return error
    return createError('POSTGRES_UNWRITABLE', `row ${record}, column ${excerpt(name)} has ${error.message}`, {
      label: this.#label,
      record,
      found: typeof value === 'object' ? undefined : excerpt(value),
      hint: error.hint,
      cause: error.cause,
    })
  }
}
