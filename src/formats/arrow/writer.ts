/** Rows → Arrow IPC. */
import type { Schema as ArrowSchema, RecordBatchWriter } from 'apache-arrow'
import { CalendarDate } from '../../core/calendar-date.ts'
import { createError, excerpt } from '../../core/errors.ts'
import { FieldsInferrer } from '../../core/infer-values.ts'
import { PreciseDate } from '../../core/precise-date.ts'
import type { ColumnSchema, Schema } from '../../core/schema.ts'
import type { Batch, ByteSink, RowWriter, WriteContext } from '../../core/types.ts'
import { typeMismatch } from '../../core/typing.ts'
import type { ColumnType } from '../../core/values.ts'
import { dataOf } from './column-data.ts'
import type { ArrowWriteOptions } from './options.ts'
import { type ArrowPackage, loadArrow } from './peer.ts'
import { type ArrowType, arrowType, dataTypeOf, fits } from './write-types.ts'

/** Rows that are looked at for their types, before the schema is written. */
const SAMPLE_ROWS = 10_000

/** Opens a writer of Arrow. Takes over `sink`. Throws PEER_MISSING. */
export async function openArrowWriter(
  sink: ByteSink,
  options: ArrowWriteOptions,
  context: WriteContext,
): Promise<ArrowWriter> {
  return new ArrowWriter(await loadArrow('written'), sink, options, context)
}

interface WrittenColumn {
  readonly name: string
  readonly type: ArrowType
}

export class ArrowWriter implements RowWriter {
  readonly engine = 'apache-arrow'
  readonly #arrow: ArrowPackage
  readonly #sink: ByteSink
  readonly #options: ArrowWriteOptions
  readonly #context: WriteContext
  #suggested: readonly ColumnSchema[] = []
  #columns: readonly WrittenColumn[] | undefined
  #schema: ArrowSchema | undefined
  #writer: RecordBatchWriter | undefined
  #output: AsyncIterator<Uint8Array> | undefined
  #next: Promise<IteratorResult<Uint8Array>> | undefined
  /** Values of each column; before the columns are known, rows. */
  #values: unknown[][] = []
  #count = 0
  #sample: { row: Record<string, unknown>; record: number }[] = []
  #records = 0

  constructor(arrow: ArrowPackage, sink: ByteSink, options: ArrowWriteOptions, context: WriteContext) {
    this.#arrow = arrow
    this.#sink = sink
    this.#options = options
    this.#context = context
  }

  get columns(): readonly string[] | undefined {
    return this.#columns?.map(({ name }) => name) ?? this.#options.columns
  }

  suggestColumns(columns: readonly string[]): void {
    this.suggestSchema({ columns: columns.map(name => ({ name, type: 'null', nullable: true, source: 'inferred' })) })
  }

  /** Tells columns and types of the rows to come; those of which nothing is told are found by the first rows. */
  suggestSchema(schema: Schema): void {
    if (this.#columns !== undefined || this.#records > 0) return
    // Columns that were told before are those that the rows have.
    const types = new Map(schema.columns.map(column => [column.name, column]))
    this.#suggested =
      this.#suggested.length === 0 ? schema.columns : this.#suggested.map(column => types.get(column.name) ?? column)
  }

  async write(batch: Batch): Promise<void> {
    for (const row of batch) {
      const record = ++this.#records
      if (typeof row !== 'object' || row === null || Array.isArray(row)) this.#refuse(this.#notARow(row, record), row)
      else if (this.#columns === undefined) {
        // Kept beyond this call, so it is to be our own; what is nested in it is copied too.
        this.#sample.push({ row: copyOf(row) as Record<string, unknown>, record })
        if (this.#sample.length >= SAMPLE_ROWS) await this.#decide()
      } else await this.#take(row, record)
    }
  }

  async close(): Promise<void> {
    if (this.#columns === undefined) await this.#decide()
    await this.#flush()
    this.#writer!.close()
    await this.#drain(true)
    await this.#sink.close()
  }

  async abort(reason?: unknown): Promise<void> {
    this.#writer?.abort(reason)
    await this.#sink.abort(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sink[Symbol.asyncDispose]()
  }

  /** Settles the schema by what is told and by the sample, and takes the sample. */
  async #decide(): Promise<void> {
    const inferrer = new FieldsInferrer()
    for (const { row } of this.#sample) inferrer.observe(row)
    const inferred = new Map((inferrer.columns ?? []).map(column => [column.name, column]))
    const suggested = new Map(this.#suggested.map(column => [column.name, column]))
    const names = this.#options.columns ?? [...new Set([...suggested.keys(), ...inferred.keys()])]
    this.#columns = names.map(name => {
      const declared = this.#options.types?.[name]
      if (declared !== undefined) return { name, type: arrowType({ type: declared, nullable: true }) }
      const own = suggested.get(name)
      const found = inferred.get(name)
      const known = own === undefined || own.type === 'null' ? found : own
      const told = arrowType(known ?? { type: 'null', nullable: true })
      // What was told may be of another world than the values: those decide.
      const agrees = this.#sample.every(({ row }) => fits(told, row[name]))
      return { name, type: agrees || found === undefined ? told : arrowType(found) }
    })
    const { Field, Schema: SchemaOf, RecordBatchFileWriter, RecordBatchStreamWriter } = this.#arrow
    this.#schema = new SchemaOf(
      this.#columns.map(({ name, type }) => new Field(name, dataTypeOf(this.#arrow, type), true)),
    )
    const Writer = this.#options.container === 'stream' ? RecordBatchStreamWriter : RecordBatchFileWriter
    this.#writer = new Writer({ autoDestroy: false })
    this.#output = this.#writer[Symbol.asyncIterator]()
    this.#writer.reset(undefined, this.#schema)
    this.#values = names.map(() => [])
    const sample = this.#sample
    this.#sample = []
    for (const { row, record } of sample) await this.#take(row, record)
  }

  async #take(row: Record<string, unknown>, record: number): Promise<void> {
    const columns = this.#columns!
    for (const { name, type } of columns) {
      if (fits(type, row[name])) continue
      this.#refuse(this.#mismatch(name, type, row[name], record), row)
      return
    }
    if (Object.keys(row).some(name => !columns.some(column => column.name === name))) {
      this.#refuse(this.#unknown(row, record), row)
      return
    }
    for (const [i, { name }] of columns.entries()) this.#values[i]!.push(copyOf(row[name] ?? null))
    if (++this.#count >= (this.#options.recordBatchSize ?? 65_536)) await this.#flush()
  }

  /** Writes a record batch. */
  async #flush(): Promise<void> {
    if (this.#count === 0) return
    const { RecordBatch, makeData, Struct } = this.#arrow
    const children = this.#columns!.map(({ type }, i) => dataOf(this.#arrow, type, this.#values[i]!))
    const data = makeData({ type: new Struct(this.#schema!.fields), length: this.#count, nullCount: 0, children })
    this.#values = this.#columns!.map(() => [])
    this.#count = 0
    this.#writer!.write(new RecordBatch(this.#schema!, data))
    await this.#drain(false)
  }

  /** Hands on what the writer has made; with `all`, up to its end. */
  async #drain(all: boolean): Promise<void> {
    const nothing = Symbol('nothing')
    for (;;) {
      this.#next ??= this.#output!.next()
      const later = new Promise<typeof nothing>(resolve => setImmediate(resolve, nothing))
      const step = all ? await this.#next : await Promise.race([this.#next, later])
      if (step === nothing) return
      this.#next = undefined
      if (step.done === true) return
      if (step.value.length > 0) await this.#sink.write(step.value)
    }
  }

  #refuse(error: Error, row: unknown): void {
    this.#context.onBadRecord(error, row)
  }

  #mismatch(column: string, type: ArrowType, value: unknown, record: number): Error {
    const expected = (type.kind === 'list' ? 'array' : type.kind === 'struct' ? 'object' : type.kind) as ColumnType
    const { label } = this.#context
    return typeMismatch({ column, expected, found: excerpt(value) }, { label, record }, `row ${record}: `)
  }

  #unknown(row: object, record: number): Error {
    const known = this.#columns!.map(({ name }) => name)
    const found = Object.keys(row).find(name => !known.includes(name))
    return createError(
      'VALUE_TYPE_MISMATCH',
      `row ${record} has the column ${excerpt(found)}, which the schema lacks`,
      {
        label: this.#context.label,
        record,
        expected: known.join(', '),
        found,
        hint: 'name all columns ({ columns: [...] })',
      },
    )
  }

  #notARow(row: unknown, record: number): Error {
    const found = Array.isArray(row) ? 'an array' : row === null ? 'null' : `a ${typeof row}`
    return createError('ROW_INVALID', `row ${record} is ${found}, expected an object`, {
      label: this.#context.label,
      record,
      expected: 'an object',
      found,
    })
  }
}

/** A value that stays as it is when its row is changed. */
function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof CalendarDate) return new CalendarDate(value.getTime())
  if (value instanceof PreciseDate) return new PreciseDate(value.getTime(), value.nanoseconds)
  if (value instanceof Date) return new Date(value.getTime())
  if (value instanceof Uint8Array) return value.slice()
  if (Array.isArray(value)) return value.map(copyOf)
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, copyOf(field)]))
}
