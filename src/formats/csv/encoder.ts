/** Rows → CSV without I/O: what both engines have in common. */
import { CHUNK_BYTES, type OutputBuffer } from '../../core/bytes.ts'
import { createError, excerpt, OpenIterableError } from '../../core/errors.ts'
import { invalidOption } from '../../core/options.ts'
import type { Batch, Encoder, WriteContext } from '../../core/types.ts'
import { checkTypedNames, typeMismatch } from '../../core/typing.ts'
import { UnwritableValue } from '../../core/unwritable.ts'
import { CsvColumns, columnValue } from './write-columns.ts'
import type { CsvWriteDialect } from './write-options.ts'
import { MistypedValue, TypedColumns } from './write-types.ts'

/**
 * One engine. Each call writes one record with its end, of rows that are known to fit the columns; `index` counts the
 * records before it, without the header. Throws UnwritableValue, with part of the record written.
 */
export interface CsvRecords {
  header(names: readonly string[]): void
  object(row: object, names: readonly string[], index: number): void
  array(row: readonly unknown[], names: readonly string[] | undefined, index: number): void
  /** Writes a value as a field, to see whether it can be: tells which one of a record that failed it was. */
  probe(value: unknown, column: string | number, position: number, index: number): void
}

type Context = Pick<WriteContext, 'label' | 'appending' | 'onBadRecord'>

const NOTHING: readonly Uint8Array[] = []
const NAME_THEM = 'name the columns ({ columns: [...] })'
const BYTE_ORDER_MARK = Uint8Array.of(0xef, 0xbb, 0xbf)

export class CsvEncoder implements Encoder<unknown> {
  readonly #out: OutputBuffer
  readonly #records: CsvRecords
  readonly #columns: CsvColumns
  readonly #dialect: CsvWriteDialect
  readonly #context: Context
  readonly #types: TypedColumns | undefined
  #begun = false
  /** Rows taken so far, those left out included. */
  #taken = 0
  #written = 0

  constructor(out: OutputBuffer, records: CsvRecords, dialect: CsvWriteDialect, context: Context) {
    this.#out = out
    this.#records = records
    this.#columns = new CsvColumns(dialect, context)
    this.#dialect = dialect
    this.#context = context
    this.#types = dialect.types === undefined ? undefined : new TypedColumns(dialect.types)
  }

  get columns(): readonly string[] | undefined {
    return this.#columns.names
  }

  suggestColumns(columns: readonly string[]): void {
    this.#columns.suggest(columns)
  }

  encode(batch: Batch<unknown>): Iterable<Uint8Array> {
    this.#columns.settle(batch)
    if (!this.#begun && this.#columns.isSettled) this.#begin()
    // Most calls with one row fill no chunk: they are to cost no generator.
    const next = this.#fill(batch, 0)
    return this.#out.length < CHUNK_BYTES ? NOTHING : this.#chunks(batch, next)
  }

  flush(): Iterable<Uint8Array> {
    if (!this.#begun) this.#begin()
    return this.#out.length === 0 ? NOTHING : [this.#out.take()]
  }

  *#chunks(batch: Batch<unknown>, next: number): Generator<Uint8Array, void, undefined> {
    for (;;) {
      yield this.#out.take()
      next = this.#fill(batch, next)
      if (this.#out.length < CHUNK_BYTES) return
    }
  }

  /** Writes rows from `next` on until a chunk is full; gives back where it stopped. */
  #fill(batch: Batch<unknown>, next: number): number {
    const out = this.#out
    const records = this.#records
    const columns = this.#columns
    while (next < batch.length && out.length < CHUNK_BYTES) {
      const row = batch[next++]
      this.#taken++
      const start = out.length
      try {
        columns.check(row, this.#taken)
        if (this.#types !== undefined) records.array(this.#typed(row as object), columns.names, this.#written)
        else if (Array.isArray(row)) records.array(row, columns.names, this.#written)
        else records.object(row as object, columns.names!, this.#written)
        this.#written++
      } catch (error) {
        out.length = start
        this.#context.onBadRecord(this.#errorOf(error, row), row)
      }
    }
    return next
  }

  /** What comes before the first record. Its errors are no row's, so that no row can be left out for them. */
  #begin(): void {
    const names = this.#columns.names
    if (this.#types !== undefined) {
      if (names !== undefined) checkTypedNames(this.#types.names, names, this.#context.label)
      else if (this.#columns.isSettled) {
        throw invalidOption('types', 'no value, as the output has no column names', [...this.#types.names], NAME_THEM)
      }
    }
    if (!this.#context.appending) {
      try {
        if (this.#dialect.bom) this.#out.append(BYTE_ORDER_MARK)
        if (this.#dialect.header && names !== undefined) this.#records.header(names)
      } catch (error) {
        this.#out.length = 0
        throw this.#unwritable(error, 'the header', undefined)
      }
    }
    this.#begun = true
  }

  /** The values of a row in the order of the columns, ready to be written by their types. */
  #typed(row: object): unknown[] {
    const names = this.#columns.names
    const values: readonly unknown[] = Array.isArray(row) ? row : names!.map(name => columnValue(row, name))
    return names === undefined ? [...values] : this.#types!.prepare(values, names)
  }

  #errorOf(error: unknown, row: unknown): Error {
    if (error instanceof OpenIterableError) return error
    if (error instanceof MistypedValue) {
      const { column, expected, value } = error
      const found = typeof value === 'object' && !(value instanceof Date) ? 'an object' : excerpt(value)
      const place = { label: this.#context.label, record: this.#taken }
      return typeMismatch({ column, expected, found }, place, `row ${this.#taken}: `)
    }
    const column = this.#probe(row as object)
    const place =
      column === undefined ? '' : typeof column === 'string' ? `, column ${excerpt(column)}` : `, field ${column}`
    return this.#unwritable(error, `row ${this.#taken}${place}`, this.#taken)
  }

  #unwritable(error: unknown, what: string, record: number | undefined): Error {
    if (error instanceof OpenIterableError) return error
    const known = error instanceof UnwritableValue
    const reason = known ? error.message : `a function of its own threw: ${excerpt(error)}`
    const refusedByPeer = known && error.cause !== undefined
    return createError(refusedByPeer ? 'CSV_PEER_FAILED' : 'CSV_UNWRITABLE', `${what} cannot be written: ${reason}`, {
      label: this.#context.label,
      record,
      hint: known ? error.hint : undefined,
      cause: known ? error.cause : error,
    })
  }

  /** The column, or number of the field from 1, whose value cannot be written. */
  #probe(row: object): string | number | undefined {
    const start = this.#out.length
    const names = this.#columns.names
    const count = Array.isArray(row) ? row.length : (names?.length ?? 0)
    for (let i = 0; i < count; i++) {
      try {
        const value: unknown = Array.isArray(row) ? row[i] : columnValue(row, names![i]!)
        this.#records.probe(value, names?.[i] ?? i, i, this.#written)
      } catch {
        return names?.[i] ?? i + 1
      } finally {
        this.#out.length = start
      }
    }
    return undefined
  }
}
