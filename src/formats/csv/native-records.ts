/** The native engine: records written field by field into the output buffer, by code made for the columns. */
import type { OutputBuffer } from '../../core/bytes.ts'
import { UnwritableValue } from '../../core/unwritable.ts'
import type { CsvRecords } from './encoder.ts'
import { columnValue } from './write-columns.ts'
import { CsvFields } from './write-fields.ts'
import type { CsvWriteDialect } from './write-options.ts'

/** Rows before code is made for the columns: making it costs as much as it saves on these. */
const ROWS_BEFORE_CODE = 100
/** With more columns the code would be too large for the compiler to bother with. */
const MAX_COLUMNS_IN_CODE = 1000

type WriteObject = (row: object) => void

export class NativeRecords implements CsvRecords {
  readonly #out: OutputBuffer
  readonly #fields: CsvFields
  readonly #end: Uint8Array
  readonly #quoting: boolean
  #rowsBeforeCode = ROWS_BEFORE_CODE
  #writeObject: WriteObject | undefined

  constructor(out: OutputBuffer, dialect: CsvWriteDialect) {
    this.#out = out
    this.#fields = new CsvFields(out, dialect)
    this.#end = Buffer.from(dialect.recordDelimiter)
    this.#quoting = dialect.quote !== null
  }

  header(names: readonly string[]): void {
    this.array(names)
  }

  array(row: readonly unknown[]): void {
    const start = this.#out.length
    for (let i = 0; i < row.length; i++) {
      if (i === 0) this.#fields.first(row[i])
      else this.#out.length = this.#fields.next(row[i], this.#out.length)
    }
    this.#finish(start, row.length)
  }

  object(row: object, names: readonly string[]): void {
    const start = this.#out.length
    if (this.#rowsBeforeCode > 0 && --this.#rowsBeforeCode === 0) this.#writeObject = this.#compile(names)
    if (this.#writeObject !== undefined) this.#writeObject(row)
    else {
      for (let i = 0; i < names.length; i++) {
        const value = columnValue(row, names[i]!)
        if (i === 0) this.#fields.first(value)
        else this.#out.length = this.#fields.next(value, this.#out.length)
      }
    }
    this.#finish(start, names.length)
  }

  probe(value: unknown): void {
    this.#fields.first(value)
  }

  #finish(start: number, count: number): void {
    // An empty line is no record to most readers.
    if (count === 1 && this.#out.length === start) {
      if (!this.#quoting) throw blankLine()
      this.#fields.quotedText('')
    }
    this.#out.append(this.#end)
  }

  #compile(names: readonly string[]): WriteObject | undefined {
    if (names.length > MAX_COLUMNS_IN_CODE) return undefined
    const statements = names.map((name, i) => {
      const key = JSON.stringify(name)
      const value = name in Object.prototype ? `columnValue(row, ${key})` : `row[${key}]`
      return i === 0 ? `fields.first(${value}); let at = out.length` : `at = fields.next(${value}, at)`
    })
    try {
      const make = new Function(
        'out',
        'fields',
        'columnValue',
        `return row => { ${statements.join('; ')}; out.length = at }`,
      )
      return make(this.#out, this.#fields, columnValue) as WriteObject
    } catch (error) {
      // Where code may not be made from text the loop goes on.
      if (error instanceof EvalError) return undefined
      throw error
    }
  }
}

export const blankLine = () =>
  new UnwritableValue(
    'its only field is empty, so that it would be an empty line, and { quote: null } forbids the quotes',
    'allow quotes, or give a nullText',
  )
