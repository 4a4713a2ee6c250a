/** Which columns a CSV output has, and whether a row fits them. */
import { types } from 'node:util'
import { createError, excerpt, nearest } from '../../core/errors.ts'
import { opaqueKind } from '../../core/json.ts'
import type { WriteContext } from '../../core/types.ts'
import { withArticle } from '../../core/unwritable.ts'
import type { CsvWriteDialect } from './write-options.ts'

type Dialect = Pick<CsvWriteDialect, 'columns' | 'extraColumns' | 'header'>

export class CsvColumns {
  readonly #dialect: Dialect
  readonly #context: Pick<WriteContext, 'label' | 'appending'>
  #names: readonly string[] | undefined
  #known = new Set<string>()
  /** Fields of each array, where there are no names; `undefined` before the first. */
  #width: number | undefined
  /** Keys, in order, of the last row that was found to fit: most rows have the same. */
  #shape: readonly string[] = []
  #settled = false
  #suggested = false

  constructor(dialect: Dialect, context: Pick<WriteContext, 'label' | 'appending'>) {
    this.#dialect = dialect
    this.#context = context
    if (dialect.columns !== undefined) this.#settle(dialect.columns)
  }

  get names(): readonly string[] | undefined {
    return this.#names
  }

  /** Whether it is decided what columns there are, or that they have no names. */
  get isSettled(): boolean {
    return this.#settled
  }

  /** The first suggestion to an output that continues another is what that other has. Throws CSV_APPEND_MISMATCH. */
  suggest(names: readonly string[]): void {
    const { columns, header } = this.#dialect
    if (this.#context.appending && header && !this.#suggested && columns !== undefined && !isSame(columns, names)) {
      throw createError('CSV_APPEND_MISMATCH', 'the option columns is not what the file has', {
        label: this.#context.label,
        expected: names.join(', '),
        found: columns.join(', '),
        hint: `leave it out, or name these: ${excerpt(names.join(', '), 200)}`,
      })
    }
    this.#suggested = true
    if (!this.#settled && names.length > 0) this.#settle([...names])
  }

  /** Decides by the first batch that has a row to decide by: the keys of its objects, in order of appearance. */
  settle(batch: readonly unknown[]): void {
    if (this.#settled) return
    const names = new Set<string>()
    let arrays = false
    for (const row of batch) {
      if (Array.isArray(row)) arrays = true
      else if (notARow(row) === undefined) for (const name of Object.keys(row as object)) names.add(name)
    }
    if (names.size > 0) this.#settle([...names])
    else if (arrays) this.#settled = true
  }

  #settle(names: readonly string[]): void {
    this.#names = names
    this.#known = new Set(names)
    this.#settled = true
  }

  /** Throws unless `row` can be written, whole, in these columns. */
  check(row: unknown, record: number): void {
    if (Array.isArray(row)) this.#checkArray(row, record)
    else if (typeof row === 'object' && row !== null && this.#names !== undefined) {
      // What a loop over the keys finds holds every key of the row's own, so that nothing is missed.
      const shape = this.#shape
      let i = 0
      for (const key in row) {
        if (key !== shape[i++]) {
          this.#learn(row, record)
          return
        }
      }
      if (i === 0) this.#learn(row, record)
    } else this.#refuse(row, record)
  }

  #learn(row: object, record: number): void {
    if (notARow(row) !== undefined) this.#refuse(row, record)
    const keys = Object.keys(row)
    if (this.#dialect.extraColumns === 'error') {
      for (const key of keys) if (!this.#known.has(key)) throw this.#unknownColumn(key, record)
    }
    this.#shape = keys
  }

  #checkArray(row: readonly unknown[], record: number): void {
    if (row.length === 0) {
      throw createError('CSV_UNWRITABLE', `row ${record} has no fields`, { label: this.#context.label, record })
    }
    const width = this.#names === undefined ? (this.#width ??= row.length) : this.#names.length
    if (row.length === width) return
    throw createError('CSV_RAGGED_RECORD', `row ${record} has ${fields(row.length)}, expected ${width}`, {
      label: this.#context.label,
      record,
      expected: fields(width),
      found: fields(row.length),
      hint: 'an array is written by position: give it one value, or null, for each column',
    })
  }

  #refuse(row: unknown, record: number): never {
    const { label } = this.#context
    const found = notARow(row)
    if (found !== undefined) {
      throw createError('ROW_INVALID', `row ${record} is ${found}, expected an object or an array`, {
        label,
        record,
        expected: 'an object or an array',
        found,
      })
    }
    if (!this.#settled) {
      throw createError('CSV_UNWRITABLE', `row ${record} has no columns, and none are known`, {
        label,
        record,
        hint: 'name them ({ columns: [...] })',
      })
    }
    throw createError('ROW_INVALID', `row ${record} is an object, but the output has no column names`, {
      label,
      record,
      expected: 'an array, as the rows before',
      found: 'an object',
      hint: 'name the columns ({ columns: [...] })',
    })
  }

  #unknownColumn(name: string, record: number): Error {
    const names = this.#names ?? []
    const near = nearest(name, names)
    return createError(
      'CSV_UNKNOWN_COLUMN',
      `row ${record} has the column ${excerpt(name)}, which the output does not have`,
      {
        label: this.#context.label,
        record,
        expected: names.join(', '),
        found: name,
        ...(near === undefined ? {} : { hint: `did you mean ${excerpt(near)}? If not, ${UNKNOWN_HINT}` }),
      },
    )
  }
}

const UNKNOWN_HINT = "name all columns up front ({ columns: [...] }), or drop the others ({ extraColumns: 'drop' })"

const fields = (count: number) => `${count} field${count === 1 ? '' : 's'}`

const isSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((name, i) => name === b[i])

/** What `row` is when it is neither an array nor an object with members; undefined when it is one. */
function notARow(row: unknown): string | undefined {
  if (row === null) return 'null'
  if (typeof row !== 'object') return row === undefined ? 'undefined' : `a ${typeof row}`
  if (Object.getPrototypeOf(row) === Object.prototype) return undefined
  if (types.isDate(row)) return 'a Date'
  if (ArrayBuffer.isView(row) || types.isAnyArrayBuffer(row)) return 'bytes'
  if (types.isBoxedPrimitive(row)) return 'a boxed primitive'
  const kind = opaqueKind(row)
  return kind === undefined ? undefined : withArticle(kind)
}

/** The value of a column; what every object inherits (`constructor`, `__proto__`, …) is none. */
export function columnValue(row: object, name: string): unknown {
  if (name in Object.prototype && !Object.hasOwn(row, name)) return undefined
  return (row as Record<string, unknown>)[name]
}
