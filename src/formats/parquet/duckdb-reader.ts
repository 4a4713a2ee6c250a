/** Parquet read by DuckDB, from a local file or from a local copy of what the query needs of a remote one. */
import { createError } from '../../core/errors.ts'
import type { Schema } from '../../core/schema.ts'
import type { Abortable, Batch, ByteRange, ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import { columnSchema } from '../../duckdb/column-schema.ts'
import { failureOf } from '../../duckdb/errors.ts'
import { type DuckDbLease, openDuckDb, type PreparedQuery } from '../../duckdb/instance.ts'
import { StreamRows } from '../../duckdb/rows.ts'
import { CORRUPT, type FooterFigures, readChunks, readFigures } from './footer.ts'
import { expectedRows, type FileColumn, type FileQuery, fromFile, planQuery } from './query.ts'
import type { ParquetReadOptions } from './read-options.ts'
import { SparseCopy } from './sparse.ts'

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
  #query: FileQuery | undefined
  #prepared: PreparedQuery | undefined
  #rows: StreamRows | undefined
  #starts = 0

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
      await lease?.[Symbol.asyncDispose]()
    } finally {
      await sparse?.[Symbol.asyncDispose]()
    }
  }

  async #read(): Promise<Batch | null> {
    if (this.#prepared === undefined) await this.#start()
    const signal = this.#context.signal
    this.#rows ??= new StreamRows(this.#lease!.duckdb, await this.#prepared!.stream(), {
      ...this.#options,
      signal,
      names: this.columns,
    })
    const batch = await this.#rows.read()
    if (batch !== null) {
      this.delivered += batch.length
      return batch
    }
    this.#checkCount()
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
    const path = await this.#localPath({ signal })
    const figures = (this.#figures ??= await readFigures(lease, path, about))
    const all = await lease.prepare(`SELECT * FROM ${fromFile(path)}`, [], about)
    const columns = fileColumns(lease, all, figures)
    const query = planQuery(lease.duckdb, path, columns, this.#options, label, this.delivered)
    this.#query = query
    this.#prepared = await lease.prepare(query.sql, query.parameters, { ...about, types: [...query.types] })
    this.columns = query.columns.map(({ name }) => name)
    this.schema = { columns: query.columns.map(({ schema }) => schema) }
    if (this.#sparse !== undefined) await this.#sparse.fetch(await this.#rangesOf(query, figures, about), { signal })
  }

  async #localPath(options: Abortable): Promise<string> {
    const { localPath, random, label } = this.#source
    if (localPath !== undefined) return localPath
    if (random === undefined) throw new TypeError(`${label} can be read only from its start`)
    this.#sparse ??= await SparseCopy.open(random, label, options)
    return this.#sparse.path
  }

  /** The column chunks that a query reads. */
  async #rangesOf(
    query: FileQuery,
    figures: FooterFigures,
    about: Parameters<typeof readChunks>[3],
  ): Promise<ByteRange[]> {
    const { limit, offset = 0 } = this.#options
    const ranges: ByteRange[] = []
    let rows = 0
    let group = -1
    // Row groups are read one after the other, so that a limit is reached in the first ones, unless rows are picked.
    const last = query.filtered || query.sorted || limit === undefined ? Number.POSITIVE_INFINITY : offset + limit
    for (const placed of await readChunks(this.#lease!, this.#sparse!.path, figures.leaves, about)) {
      if (placed.rowGroup !== group) {
        if (rows >= last) break
        group = placed.rowGroup
        rows += placed.rowGroupRows
      }
      const name = figures.columns[placed.column]?.name
      if (query.needed !== undefined && name !== undefined && !query.needed.has(name)) continue
      ranges.push(placed.chunk.bytes)
      const { bloomFilter } = placed
      if (bloomFilter === undefined || !query.filtered) continue
      // Where the length is not told, nobody knows it before its header is read; what is there is fetched whole.
      if (bloomFilter.length > 0) ranges.push({ start: bloomFilter.start, end: bloomFilter.start + bloomFilter.length })
      else return [{ start: 0, end: this.#sparse!.size }]
    }
    return ranges
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
function fileColumns(lease: DuckDbLease, all: PreparedQuery, figures: FooterFigures): FileColumn[] {
  const { columnNames, columnTypes } = all
  const known = figures.columns.length === columnNames.length ? figures.columns : undefined
  const taken = new Set<string>()
  return columnNames.map((internal, i) => {
    const wanted = known?.[i]?.name ?? internal
    // Of two columns of the very same name the second has DuckDB's name for it, as a row can have only one.
    const name = taken.has(wanted) ? internal : wanted
    taken.add(name)
    const type = columnTypes[i]!
    return { name, internal, type, schema: columnSchema(lease.duckdb, name, type, known?.[i]?.nullable ?? true) }
  })
}
