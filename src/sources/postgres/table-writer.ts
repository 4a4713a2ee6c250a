/** Writes rows into one table, over one connection and in one transaction. */
import { createError, excerpt, nearest } from '../../core/errors.ts'
import type { ColumnSchema, Schema } from '../../core/schema.ts'
import type { Batch, Row, RowWriter, WriteContext } from '../../core/types.ts'
import { conflictColumnsOf, type Staging, stagingFor } from './conflict.ts'
import { createTableStatement, inferSqlType, type NewColumn, sqlTypeOf } from './create-table.ts'
import { sqlOfNativeTypes } from './native-types.ts'
import type { Connections } from './pool.ts'
import { holdRowsFor } from './refused-key.ts'
import { type Encoded, RowEncoding } from './row-encoding.ts'
import { BatchRoad, CopyLoader, CopyRoad, InsertLoader, type RowRoad } from './row-roads.ts'
import { quoteIdentifier, quoteTable } from './sql-names.ts'
import { columnList, describeTable, plainColumn, type TableColumn } from './table-columns.ts'
import type { PostgresWriteOptions } from './write-options.ts'
import { WriteSession } from './write-session.ts'

const DEFAULT_BATCH_ROWS = 5000
/** Rows whose values tell the types of a table that is to be made. */
const SAMPLE_ROWS = 1000

export type TableWriteOptions = PostgresWriteOptions & { readonly table: string }

export class TableWriter implements RowWriter {
  readonly #session: WriteSession
  readonly #options: TableWriteOptions
  readonly #context: WriteContext
  readonly #byCopy: boolean
  /** Undefined until the table is there. */
  #encoding: RowEncoding | undefined
  #road: RowRoad | undefined
  #staging: Staging | undefined
  /** The rows that the table is to be made for. */
  #held: Row[] = []
  #suggested: readonly string[] | undefined
  #schema: readonly ColumnSchema[] = []
  #records = 0
  /** Bad rows that are left out. */
  #leftOut = 0
  /** Whether the columns that rows have were looked at. */
  #settled = false
  #over = false

  private constructor(session: WriteSession, options: TableWriteOptions, context: WriteContext) {
    this.#session = session
    this.#options = options
    this.#context = context
    this.#byCopy = options.copy ?? session.dialect === 'postgres'
  }

  /** Begins the transaction and looks at the table. */
  static async open(connections: Connections, options: TableWriteOptions, context: WriteContext): Promise<TableWriter> {
    checkTogether(options, context)
    const session = await WriteSession.open(connections, {
      label: context.label,
      signal: context.signal,
      dialect: options.dialect,
      transaction: options.transaction ?? true,
      onBytes: count => context.onBytesWritten?.(count),
    })
    const writer = new TableWriter(session, options, context)
    try {
      await writer.#open()
      return writer
    } catch (error) {
      await session.abort()
      throw error
    }
  }

  get columns(): readonly string[] | undefined {
    const names = this.#encoding?.names ?? []
    return names.length === 0 ? undefined : names
  }

  get engine(): string {
    return this.#byCopy ? 'copy' : 'insert'
  }

  suggestColumns(columns: readonly string[]): void {
    if (this.#records > 0) return
    this.#suggested = columns
    if (this.#options.columns === undefined) this.#encoding?.include(columns)
  }

  /** Tells the types of the columns, as far as they are known: those of a table that is to be made. */
  suggestSchema(schema: Schema): void {
    if (this.#records > 0) return
    this.#schema = schema.columns
    this.#encoding?.describe(schema)
  }

  async write(batch: Batch): Promise<void> {
    if (this.#encoding !== undefined) return this.#put(this.#encoding, batch)
    // The rows may be changed once this has settled.
    for (const row of batch) this.#held.push(copyOf(row))
    if (this.#held.length >= SAMPLE_ROWS) await this.#putHeld()
  }

  async close(): Promise<void> {
    if (this.#over) return
    if (this.#encoding === undefined) await this.#putHeld()
    const encoding = this.#encoding!
    if (encoding.names.length > 0) {
      const stored = await this.#road!.finish(encoding.names)
      this.#tellIfFewer(stored)
    }
    if (this.#staging !== undefined) await this.#session.run(this.#staging.drop)
    try {
      await this.#session.commit()
    } catch (error) {
      throw this.#road instanceof CopyRoad ? await this.#road.explainEnd(error) : error
    }
    this.#over = true
    await this.#giveUpHeld()
  }

  async abort(): Promise<void> {
    if (this.#over) return
    this.#over = true
    try {
      await this.#session.abort()
    } finally {
      await this.#giveUpHeld()
    }
  }

  async #giveUpHeld(): Promise<void> {
    if (this.#road instanceof CopyRoad) await this.#road.giveUpHeld()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  async #open(): Promise<void> {
    const { table, create, truncate } = this.#options
    const columns = await this.#describe(create === true)
    await this.#session.begin()
    if (columns === undefined) {
      if (create === true) return // when it is known for which rows
      throw createError('SINK_NOT_FOUND', `there is no table ${table}`, {
        label: this.#context.label,
        hint: 'make it first, or write with { create: true }',
      })
    }
    if (truncate === true) await this.#session.run(`TRUNCATE ${quoteTable(table)}`)
    await this.#prepare(columns)
  }

  async #describe(mayLack: boolean): Promise<TableColumn[] | undefined> {
    try {
      return await describeTable(this.#session, this.#options.table)
    } catch (error) {
      // Without a catalog there is no other way to learn that there is none.
      if (mayLack && this.#session.dialect !== 'postgres') return undefined
      throw error
    }
  }

  /** What is needed to write into the table as it is. */
  async #prepare(columns: readonly TableColumn[]): Promise<void> {
    const { onConflict = 'error', table, extraColumns, batchSize = DEFAULT_BATCH_ROWS } = this.#options
    const { label } = this.#context
    const closed = this.#options.columns !== undefined
    checkNamed(this.#options.columns ?? [], columns, label)
    const encoding = new RowEncoding(columns, {
      label,
      drops: extraColumns === 'drop',
      asLines: this.#byCopy,
      closed,
    })
    encoding.describe({ columns: this.#schema })
    encoding.include(this.#options.columns ?? this.#suggested ?? [])
    const conflict = onConflict === 'error' ? undefined : conflictColumnsOf(this.#options, columns, label)
    if (onConflict !== 'error' && this.#byCopy) {
      this.#staging = stagingFor(
        table,
        columns.filter(({ generated }) => !generated),
        onConflict,
        conflict,
      )
      for (const statement of this.#staging.create) await this.#session.run(statement)
    }
    this.#road = await this.#createRoad(encoding, conflict, batchSize)
    this.#encoding = encoding
  }

  async #createRoad(
    encoding: RowEncoding,
    conflict: readonly string[] | undefined,
    batchRows: number,
  ): Promise<RowRoad> {
    const session = this.#session
    const into = this.#staging?.table ?? quoteTable(this.#options.table)
    const copy = () => `COPY ${into} (${columnList(encoding.names)}) FROM STDIN`
    if (this.#byCopy && this.#context.mayLeaveOut !== true) {
      const { table, truncate: truncated = false } = this.#options
      const held = this.#staging === undefined ? await holdRowsFor(session, table) : undefined
      const late = held === undefined ? undefined : { held, table, truncated, names: () => encoding.names }
      return new CopyRoad(session, copy, this.#staging, late)
    }
    const onBadRow = (error: Error, row: unknown) => this.#leaveOut(error, row)
    const loader = this.#byCopy
      ? new CopyLoader(session, copy, this.#staging, () => encoding.names)
      : new InsertLoader(session, () => ({
          start: `INSERT INTO ${into} (${columnList(encoding.names)})`,
          end: this.#conflictClause(encoding.names, conflict),
          columns: encoding.names.length,
        }))
    return new BatchRoad({ session, loader, batchRows, onBadRow })
  }

  #conflictClause(names: readonly string[], conflict: readonly string[] | undefined): string {
    const { onConflict = 'error' } = this.#options
    if (onConflict === 'error') return ''
    const on = conflict === undefined ? '' : ` (${columnList(conflict)})`
    const others = names.filter(name => conflict?.includes(name) !== true).map(quoteIdentifier)
    if (onConflict === 'ignore' || others.length === 0) return ` ON CONFLICT${on} DO NOTHING`
    return ` ON CONFLICT${on} DO UPDATE SET ${others.map(name => `${name} = EXCLUDED.${name}`).join(', ')}`
  }

  /** Makes the table for the rows that wait, and puts them into it. */
  async #putHeld(): Promise<void> {
    const { table, sqlTypes = {}, conflictColumns = [] } = this.#options
    const { label } = this.#context
    const held = this.#held
    this.#held = []
    const names = this.#options.columns ?? namesOf(this.#suggested, held, Object.keys(sqlTypes))
    if (names.length === 0) {
      throw createError('COLUMN_MISMATCH', 'nothing tells which columns the new table is to have', {
        label,
        hint: "say it ({ sqlTypes: { id: 'int8' } }), or make the table first",
      })
    }
    const described = new Map(this.#schema.map(column => [column.name, column]))
    // What the user says stands as it is.
    const sources = names.map(name => (Object.hasOwn(sqlTypes, name) ? undefined : described.get(name)))
    const natives = await sqlOfNativeTypes(
      this.#session,
      sources.map(source => source?.native),
    )
    const columns = names.map((name, i): NewColumn => {
      const source = sources[i]
      const type =
        (Object.hasOwn(sqlTypes, name) ? sqlTypes[name] : undefined) ??
        (source === undefined ? undefined : sqlTypeOf(source)) ??
        inferSqlType(held, Array.isArray(held[0]) ? String(i) : name)
      // That no row so far has a null says nothing of the others.
      const required = source?.native !== undefined && source.nullable === false
      return { name, type, native: natives[i], required }
    })
    await this.#create(table, columns, conflictColumns)
    const made = this.#session.dialect === 'postgres' ? await this.#describe(false) : undefined
    await this.#prepare(made ?? columns.map(({ name, type }) => plainColumn(name, type)))
    await this.#put(this.#encoding!, held)
  }

  async #create(table: string, columns: readonly NewColumn[], key: readonly string[]): Promise<void> {
    const common = createTableStatement(table, columns, key)
    const native = createTableStatement(table, columns, key, 'native')
    if (native !== common && (await this.#session.attempt(native))) return
    // A file may say of a type what no server takes: its columns get types that all have.
    await this.#session.run(common)
  }

  async #put(encoding: RowEncoding, batch: Batch): Promise<void> {
    if (!this.#settled) this.#settle(encoding, batch)
    const road = this.#road!
    const direct = road instanceof CopyRoad ? road : undefined
    const keeps = this.#context.mayLeaveOut === true
    for (const row of batch) {
      const record = ++this.#records
      if (direct !== undefined && encoding.put(row, direct.buffer)) {
        if (direct.took(record)) await direct.flow()
        continue
      }
      let encoded = this.#encode(encoding, row, record)
      if (typeof encoded === 'object' && 'more' in encoded) {
        await road.settle()
        encoding.include(encoded.more)
        encoded = this.#encode(encoding, row, record)
      }
      if (encoded === undefined || (typeof encoded === 'object' && 'more' in encoded)) continue
      if (encoding.names.length === 0) throw this.#withoutColumns(record)
      // For whoever is told that it is bad, as the row may be changed by then.
      if (road.add(encoded, record, keeps ? copyOf(row) : undefined)) await road.flow()
    }
  }

  /** Undefined: the row is a bad one, and left out. */
  #encode(encoding: RowEncoding, row: unknown, record: number): Encoded | undefined {
    try {
      return encoding.encode(row, record)
    } catch (error) {
      this.#leaveOut(error as Error, row)
      return undefined
    }
  }

  /** Throws where writing is to stop. */
  #leaveOut(error: Error, row: unknown): void {
    this.#context.onBadRecord(error, row)
    this.#leftOut++
  }

  #withoutColumns(record: number): Error {
    return createError('COLUMN_MISMATCH', `row ${record} has no value for any column`, {
      label: this.#context.label,
      record,
      hint: 'name the columns ({ columns: [...] })',
    })
  }

  /** Looks at the columns of the first rows. */
  #settle(encoding: RowEncoding, batch: Batch): void {
    this.#settled = true
    const objects = batch.filter(row => typeof row === 'object' && row !== null && !Array.isArray(row))
    const own = new Set(objects.flatMap(row => Object.keys(row).filter(key => row[key] !== undefined)))
    if (this.#options.columns === undefined) {
      if (objects.length > 0) encoding.include([...own])
      else if (encoding.names.length === 0) encoding.includeAll()
    }
    // Where bad rows are left out, each of them is told by itself.
    if (this.#context.mayLeaveOut !== true) encoding.checkRequired([...new Set([...(this.#suggested ?? []), ...own])])
  }

  /** Triggers may leave rows out, which is not to pass in silence. */
  #tellIfFewer(stored: number): void {
    const { onConflict = 'error' } = this.#options
    const sent = this.#records - this.#leftOut
    if (onConflict !== 'error' || stored >= sent || !this.#byCopy) return
    process.emitWarning(
      `${this.#context.label}: the server stored ${stored} of ${sent} rows, as a trigger left out others`,
      {
        type: 'OpenIterableWarning',
        code: 'ROWS_NOT_STORED',
      },
    )
  }
}

/** A row that stays as it is. */
function copyOf(row: Row): Row {
  if (Array.isArray(row)) return row.slice() as unknown as Row
  return typeof row === 'object' && row !== null ? { ...row } : row
}

/** The columns of a table that is to be made. */
function namesOf(
  suggested: readonly string[] | undefined,
  rows: readonly Row[],
  declared: readonly string[],
): string[] {
  const objects = rows.filter(row => typeof row === 'object' && row !== null && !Array.isArray(row))
  return [...new Set([...(suggested ?? []), ...objects.flatMap(row => Object.keys(row)), ...declared])]
}

/** Throws for a name in an option that is no column. */
function checkNamed(names: readonly string[], columns: readonly TableColumn[], label: string): void {
  const known = columns.map(({ name }) => name)
  const unknown = names.find(name => !known.includes(name))
  if (unknown === undefined) return
  const near = nearest(unknown, known)
  throw createError('OPTION_INVALID', `option columns names ${excerpt(unknown)}, which is no column of the table`, {
    label,
    expected: `one of ${excerpt(known.join(', '), 300)}`,
    found: unknown,
    hint: near === undefined ? undefined : `did you mean ${excerpt(near)}?`,
  })
}

/** Throws for options that contradict each other. */
function checkTogether(options: TableWriteOptions, { label, appending }: WriteContext): void {
  const { truncate, transaction, copy, onConflict = 'error', conflictColumns, create } = options
  const wrong = (summary: string, hint: string) => createError('OPTION_INVALID', summary, { label, hint })
  if (truncate === true && appending) {
    throw wrong("option truncate empties the table, which mode 'a' is not for", "write with { mode: 'w' }")
  }
  if (transaction === false && copy !== false) {
    throw wrong('option transaction: false goes with copy: false', 'a COPY is all or nothing by itself')
  }
  if (conflictColumns !== undefined && onConflict === 'error' && create !== true) {
    throw wrong('option conflictColumns goes with onConflict or create', "say { onConflict: 'update' } or 'ignore'")
  }
}
