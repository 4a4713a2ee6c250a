/** Parquet read by DuckDB, from a local file or from a local copy of what the query needs of a remote one. */
import { createError } from '../../core/errors.ts'
import { KEPT_TYPES_KEY, withKeptTypes } from '../../core/kept-types.ts'
import type { Schema } from '../../core/schema.ts'
import type { Abortable, Batch, ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import { columnAsRead, valueModes } from '../../core/value-options.ts'
import { columnSchema } from '../../duckdb/column-schema.ts'
import { failureOf } from '../../duckdb/errors.ts'
import { type DuckDbLease, openDuckDb, type PreparedQuery } from '../../duckdb/instance.ts'
import { StreamRows } from '../../duckdb/rows.ts'
import { bytesOf, CORRUPT, type FooterFigures, readChunks, readFigures, readKeyValue } from './footer.ts'
import { expectedRows, type FileColumn, type FileQuery, fromFile, planQuery } from './query.ts'
import type { ParquetReadOptions } from './read-options.ts'
import { SparseCopy } from './sparse.ts'
import { planWindows, rowsBehind, type Window } from './windows.ts'

/** Often enough for an instance that others broke; a file that breaks its own is told at the second time. */
const MAX_STARTS = 2

export class DuckDbReader implements RowReader {
  readonly engine = 'duckdb'
  columns: readonly string[] | undefined
  schema: Schema | undefined
  /** Rows given so far. */
  delivered = 0
  readonly #source: ByteSource
  readonly #options: ParquetReadOptions
  readonly #context: ReadContext
  #lease: DuckDbLease | undefined
  #sparse: SparseCopy | undefined
  #figures: FooterFigures | undefined
  /** What the file has kept of types that Parquet does not have, where it has. */
  #kept: { readonly text: string | undefined } | undefined
  #query: FileQuery | undefined
  #prepared: PreparedQuery | undefined
  #rows: StreamRows | undefined
  #starts = 0
  #path = ''
  #columns: readonly FileColumn[] = []
  /** Of a remote file: the parts that are read one after the other, which one is, and the rows given before it. */
  #windows: readonly Window[] | undefined
  #windowAt = 0
  #givenBefore = 0
  /** The next window, while it is fetched. */
  #ahead: Promise<void> | undefined
  /** Bytes that all of the query takes, where DuckDB reads them itself, and those that were told of. */
  #bytesInAll = 0
  #bytesTold = 0

  constructor(source: ByteSource, options: ParquetReadOptions, context: ReadContext) {
    this.#source = source
    this.#options = options
    this.#context = context
  }

  async ready(): Promise<void> {
    if (this.#prepared === undefined) await this.#recovering(() => this.#start())
  }

  read(): Promise<Batch | null> {
    return this.#recovering(() => this.#read())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const [lease, sparse] = [this.#lease, this.#sparse]
    this.#lease = this.#sparse = this.#prepared = this.#rows = undefined
    this.#starts = MAX_STARTS
    try {
      await this.#ahead?.catch(() => {})
      await lease?.[Symbol.asyncDispose]()
    } finally {
      await sparse?.[Symbol.asyncDispose]()
    }
  }

  async #read(): Promise<Batch | null> {
    for (;;) {
      if (this.#prepared === undefined) await this.#start()
      const signal = this.#context.signal
      if (this.#rows === undefined) {
        await this.#fetchWindow()
        const stream = await this.#prepared!.stream()
        this.#rows = new StreamRows(this.#lease!.duckdb, stream, { ...this.#options, signal, names: this.columns })
      }
      const batch = await this.#rows.read()
      if (batch !== null) {
        this.delivered += batch.length
        this.#tellBytes(false)
        this.#fetchAhead()
        return batch
      }
      if (!(await this.#nextWindow())) break
    }
    this.#checkCount()
    this.#tellBytes(true)
    return null
  }

  /** Opens an instance and the file, and plans the query for the rows that have not been given yet. */
  async #start(): Promise<void> {
    const { label, signal } = this.#context
    const about = { label, signal, dataCode: CORRUPT }
    // The second time on an instance of its own, so that a file that breaks it does no harm to others again.
    const isolated = this.#starts++ > 0
    const lease = await openDuckDb(this.#options.duckdb, { signal, what: 'reading Parquet by DuckDB', isolated })
    this.#lease = lease
    const path = (this.#path = await this.#localPath({ signal }))
    const figures = (this.#figures ??= await readFigures(lease, path, about))
    const all = await lease.prepare(`SELECT * FROM ${fromFile(path)}`, [], about)
    const kept = (this.#kept ??= { text: await readKeyValue(lease, path, figures, KEPT_TYPES_KEY, about) })
    this.#columns = fileColumns(lease, all, figures, kept.text)
    const query = (this.#query = planQuery(lease.duckdb, path, this.#columns, this.#options, label))
    this.columns = query.columns.map(({ name }) => name)
    const modes = valueModes(this.#options)
    this.schema = { columns: query.columns.map(({ schema }) => columnAsRead(schema, modes)) }
    if (this.#sparse === undefined) this.#bytesInAll = await bytesOf(lease, path, figures, query.needed, about)
    else if (this.#windows === undefined) {
      const chunks = await readChunks(lease, path, figures.leaves, about)
      this.#windows = planWindows(chunks, figures, query, this.#options, this.#sparse.size)
    }
    await this.#prepare()
  }

  /** Prepares the query for the window that is read now. */
  async #prepare(): Promise<void> {
    const { label, signal } = this.#context
    const rows =
      this.#windows === undefined ? rowsBehind(this.#figures!, this.#query!, this.#options) : this.#window?.rows
    const { limit } = this.#options
    const given = this.#givenBefore
    const options = rows === undefined ? this.#options : { ...this.#options, offset: 0, limit: limit && limit - given }
    const lease = this.#lease!
    const part = { rows, skip: this.delivered - given }
    const { sql, parameters, types } = planQuery(lease.duckdb, this.#path, this.#columns, options, label, part)
    this.#prepared = await lease.prepare(sql, parameters, { label, signal, dataCode: CORRUPT, types: [...types] })
  }

  get #window(): Window | undefined {
    return this.#windows?.[this.#windowAt]
  }

  /** Goes to the next window; false where there is none, or no row of it is wanted. */
  async #nextWindow(): Promise<boolean> {
    const { limit = Number.POSITIVE_INFINITY } = this.#options
    if (this.#windows === undefined || this.#windowAt + 1 >= this.#windows.length || this.delivered >= limit)
      return false
    this.#windowAt++
    this.#givenBefore = this.delivered
    this.#rows = undefined
    await this.#prepare()
    return true
  }

  /** Waits for the bytes of the window that is read now. */
  async #fetchWindow(): Promise<void> {
    const window = this.#window
    if (window === undefined) return
    const ahead = this.#ahead
    this.#ahead = undefined
    await ahead
    await this.#sparse!.fetch(window.ranges, { signal: this.#context.signal })
  }

  /** Fetches the window after this one once half of this one has been given. */
  #fetchAhead(): void {
    const next = this.#windows?.[this.#windowAt + 1]
    if (next === undefined || this.#ahead !== undefined || this.#sparse === undefined) return
    const { start = 0, end = Number.POSITIVE_INFINITY } = this.#window?.rows ?? {}
    if (!this.#query!.filtered && this.delivered - this.#givenBefore < (end - start) / 2) return
    this.#ahead = this.#sparse.fetch(next.ranges, { signal: this.#context.signal })
    // It may fail before anybody waits for it.
    this.#ahead.catch(() => {})
  }

  async #localPath(options: Abortable): Promise<string> {
    const { localPath, random, label } = this.#source
    if (localPath !== undefined) return localPath
    if (random === undefined) throw new TypeError(`${label} can be read only from its start`)
    this.#sparse ??= await SparseCopy.open(random, label, options)
    return this.#sparse.path
  }

  /** DuckDB does not say what it has read: as much of the file, that is, as of its rows. */
  #tellBytes(ended: boolean): void {
    const { limit, offset = 0 } = this.#options
    const known = !this.#query!.filtered && !this.#query!.sorted
    if (!known && !ended) return
    const whole = !known || (ended && limit === undefined)
    const share = whole ? 1 : Math.min(1, (offset + this.delivered) / Math.max(1, this.#figures!.rowCount))
    const bytes = Math.floor(this.#bytesInAll * share)
    if (bytes > this.#bytesTold) this.#context.onBytesRead?.(bytes - this.#bytesTold)
    this.#bytesTold = Math.max(bytes, this.#bytesTold)
  }

  /** A stream of rows that ends well has as many as the footer says. */
  #checkCount(): void {
    const query = this.#query!
    if (query.filtered) return
    const expected = expectedRows(this.#figures!.rowCount, this.#options)
    if (this.delivered >= expected) return
    throw createError('PARQUET_CORRUPT', `the file has ${this.delivered} rows where its footer says ${expected}`, {
      label: this.#context.label,
      expected: `${expected} rows`,
      found: `${this.delivered} rows`,
    })
  }

  /** Goes on where it was after another query broke the instance, as far as the order of the rows is known. */
  async #recovering<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (error) {
      const broken = error instanceof Error && failureOf(error.cause) === 'invalidated'
      const lost = this.#query?.sorted === true && this.delivered > 0
      if (!broken || lost || this.#starts >= MAX_STARTS) throw error
      const lease = this.#lease
      this.#lease = this.#prepared = this.#rows = undefined
      await lease?.[Symbol.asyncDispose]()
      return step()
    }
  }
}

/** The columns under the names that the file has for them. */
function fileColumns(
  lease: DuckDbLease,
  all: PreparedQuery,
  figures: FooterFigures,
  kept: string | undefined,
): FileColumn[] {
  const { columnNames, columnTypes } = all
  const known = figures.columns.length === columnNames.length ? figures.columns : undefined
  const taken = new Set<string>()
  const columns = columnNames.map((internal, i) => {
    const wanted = known?.[i]?.name ?? internal
    // Of two columns of the very same name the second has DuckDB's name for it, as a row can have only one.
    const name = taken.has(wanted) ? internal : wanted
    taken.add(name)
    const type = columnTypes[i]!
    return { name, internal, type, schema: columnSchema(lease.duckdb, name, type, known?.[i]?.nullable ?? true) }
  })
  const schemas = withKeptTypes(
    columns.map(({ schema }) => schema),
    kept,
  )
  return columns.map((column, i) => ({ ...column, schema: schemas[i]! }))
}
