/**
 * Chunks of rows → one Parquet file, or a folder of them. A file has one type for each column, so where a wider one turns
 * out to be needed the file so far is put aside as a part, and the parts are read back into one at the end.
 */
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createError, excerpt } from '../../core/errors.ts'
import { KEPT_TYPES_KEY } from '../../core/kept-types.ts'
import { orderColumns } from '../../core/row-selection.ts'
import type { ColumnSchema } from '../../core/schema.ts'
import { type CopyThread, returnThread, takeThread } from '../../duckdb/copy-thread.ts'
import { duckDbError } from '../../duckdb/errors.ts'
import { pathToRead, pathToWrite, quoteIdentifier, quoteText } from '../../duckdb/names.ts'
import type { ChunkData } from '../../duckdb/vector-data.ts'
import { keptTypes } from './kept-types.ts'
import type { ParquetWriteOptions } from './write-options.ts'
import { NULL, sqlType, type WriteType, widened } from './write-types.ts'
import { replaceNames, type StandIns, standInsFor } from './writer-names.ts'

export interface OutputColumns {
  readonly names: readonly string[]
  readonly types: readonly WriteType[]
}

interface Part extends OutputColumns {
  readonly path: string
  rowCount: number
}

/** What is told of the output beside its rows. */
export interface OutputFacts {
  readonly label: string
  /** What a database says of columns, by name. */
  readonly described: ReadonlyMap<string, ColumnSchema>
}

/** More parts than this are made one in between, so that they do not become too many to open. */
const MAX_PARTS = 50
/** No two statements of a process have rows of the same name. */
let statements = 0

export class ParquetOutput {
  readonly #path: string
  readonly #folder: () => Promise<string>
  readonly #options: ParquetWriteOptions
  readonly #label: string
  readonly #described: OutputFacts['described']
  readonly #thread: CopyThread
  #parts: Part[] = []
  #ended: Promise<number> | undefined
  #current: Part | undefined
  #standIns: StandIns = new Map()
  #finished = false
  /** Whether the file at the path is a part that was begun there. */
  #inPlace = false

  /** `folder` makes a folder for temp files when it is needed. */
  constructor(
    path: string,
    folder: () => Promise<string>,
    options: ParquetWriteOptions,
    { label, described }: OutputFacts,
  ) {
    this.#path = path
    this.#folder = folder
    this.#options = options
    this.#label = label
    this.#described = described
    this.#thread = takeThread(options.duckdb ?? {})
  }

  /** Starts a part with columns of these types. */
  async begin(columns: OutputColumns): Promise<void> {
    if (this.#parts.length >= MAX_PARTS) await this.#joinParts()
    // The first part is mostly the only one, and then the output itself.
    this.#inPlace = this.#parts.length === 0 && this.#options.partitionBy === undefined
    if (this.#inPlace === false && this.#parts.length === 1) await this.#moveFirst()
    const path = this.#inPlace ? this.#path : await this.#partPath()
    this.#current = { ...columns, path, rowCount: 0 }
    this.#nameColumns(columns.names)
    const name = `rows_${++statements}`
    const fields = columns.names.map((column, i) => {
      const type = columns.types[i]!
      const cast = sqlType(type) === sqlType(type, 'vector') ? '' : `::${sqlType(type)}`
      return `c${i}${cast} AS ${this.#quoted(column)}`
    })
    const rows = `SELECT ${fields.join(', ')} FROM ${name}()`
    const { ended } = this.#thread.start({
      sql: this.#inPlace ? this.#copy(rows, path, columns) : partCopy(rows, path),
      rows: { name, types: columns.types.map(type => sqlType(type, 'vector')) },
    })
    ended.catch(() => {}) // told by whoever sends or ends
    this.#ended = ended
  }

  /** Sends a chunk of the part that was begun. Settles when the next may come; undefined: at once. */
  send(chunk: ChunkData): Promise<void> | undefined {
    this.#current!.rowCount += chunk.rowCount
    return this.#thread.send(chunk)?.catch(error => Promise.reject(this.#errorOf(error)))
  }

  /** Ends the part that was begun. */
  async end(): Promise<void> {
    const sent = this.#thread.send({ rowCount: 0, vectors: [] })
    await sent?.catch(() => {})
    await this.#settled(this.#ended!, this.#current!.rowCount)
    this.#parts.push(this.#current!)
    this.#current = undefined
  }

  /** Puts the parts together; the output is at its path then. */
  async finish(columns: OutputColumns): Promise<void> {
    await this.#assemble(columns)
    await replaceNames(this.#path, this.#standIns)
    this.#finished = true
    returnThread(this.#thread)
  }

  async #assemble(columns: OutputColumns): Promise<void> {
    if (this.#parts.length === 1 && this.#inPlace) return
    this.#nameColumns(columns.names)
    if (this.#parts.length === 0) {
      // DuckDB, as most readers, has no table without columns.
      const empty = columns.names.length === 0 ? { names: ['_'], types: [NULL] } : columns
      const fields = empty.names.map((name, i) => `NULL::${sqlType(empty.types[i]!)} AS ${this.#quoted(name)}`)

      await this.#run(this.#copy(`SELECT ${fields.join(', ')} WHERE false`, this.#path, empty))
      return
    }
    await this.#run(this.#copy(this.#union(columns), this.#path, columns))
  }

  /** Ends what runs. */
  async close(): Promise<void> {
    if (!this.#finished) await this.#thread.close()
  }

  #nameColumns(names: readonly string[]): void {
    this.#standIns = standInsFor(names, this.#standIns)
    const [one] = this.#standIns.keys()
    if (one === undefined || this.#options.partitionBy === undefined) return
    throw createError('PARQUET_UNWRITABLE', `a folder of files cannot have the column ${excerpt(one)}`, {
      label: this.#label,
      expected: 'names that are not empty and differ in more than case',
      found: one,
    })
  }

  #quoted(name: string): string {
    return quoteIdentifier(this.#standIns.get(name) ?? name)
  }

  async #moveFirst(): Promise<void> {
    const [first] = this.#parts
    if (first === undefined || first.path !== this.#path) return
    const path = await this.#partPath()
    await copyFile(first.path, path)
    this.#parts = [{ ...first, path }]
  }

  async #joinParts(): Promise<void> {
    const { names, types } = this.#parts.at(-1)!
    const path = await this.#partPath()
    await this.#settled(
      this.#thread.start({ sql: partCopy(this.#union({ names, types }), path) }).ended,
      this.#rowCount,
    )
    for (const part of this.#parts) if (part.path !== this.#path) await rm(part.path, { force: true })
    this.#parts = [{ names, types, path, rowCount: this.#rowCount }]
  }

  async #partPath(): Promise<string> {
    return join(await this.#folder(), `part-${++statements}.parquet`)
  }

  /** All parts, in order, as rows of these columns. */
  #union({ names, types }: OutputColumns): string {
    return this.#parts
      .map(part => {
        const fields = names.map((name, i) => {
          const own = part.names.indexOf(name)
          const value = own < 0 ? `NULL::${sqlType(types[i]!)}` : widened(`c${own}`, part.types[own]!, types[i]!)
          return `${value} AS ${this.#quoted(name)}`
        })
        const columns = part.names.map((_, i) => `c${i}`).join(', ')
        return `SELECT ${fields.join(', ')} FROM read_parquet(${quoteText(pathToRead(part.path))}, hive_partitioning = false) AS t(${columns})`
      })
      .join(' UNION ALL ')
  }

  /** The statement that writes the output. */
  #copy(rows: string, path: string, { names, types }: OutputColumns): string {
    const { compression = 'zstd', level = 1, rowGroupSize, metadata, partitionBy } = this.#options
    const options = ['FORMAT parquet', `COMPRESSION ${compression === 'none' ? 'uncompressed' : compression}`]
    if (compression === 'zstd') options.push(`COMPRESSION_LEVEL ${level}`)
    if (rowGroupSize !== undefined) options.push(`ROW_GROUP_SIZE ${rowGroupSize}`)
    const kept = keptTypes(names, types, this.#described)
    const entries = Object.entries({ ...(kept === undefined ? {} : { [KEPT_TYPES_KEY]: kept }), ...metadata })
    if (entries.length > 0) {
      options.push(`KV_METADATA {${entries.map(([key, text]) => `${quoteText(key)}: ${quoteText(text)}`).join(', ')}}`)
    }
    if (partitionBy === undefined) options.push('USE_TMP_FILE false')
    else {
      const names = [partitionBy].flat().map(name => this.#quoted(name))
      // The files hold these columns as well: their types do not survive in the names of folders.
      options.push(`PARTITION_BY (${names.join(', ')})`, 'WRITE_PARTITION_COLUMNS true')
    }
    return `COPY (${this.#sorted(rows)}) TO ${quoteText(pathToWrite(path))} (${options.join(', ')})`
  }

  #sorted(rows: string): string {
    const { orderBy } = this.#options
    if (orderBy === undefined) return rows
    const terms = orderColumns(orderBy).map(
      ({ column, descending, nulls }) =>
        `${this.#quoted(column)} ${descending ? 'DESC' : 'ASC'} NULLS ${nulls === 'first' ? 'FIRST' : 'LAST'}`,
    )
    const order = quoteIdentifier('row number of open-iterable')
    return `SELECT * EXCLUDE (${order}) FROM (SELECT *, row_number() OVER () AS ${order} FROM (${rows})) ORDER BY ${terms.join(', ')}, ${order}`
  }

  /** Runs the statement that writes the output. */
  async #run(sql: string): Promise<void> {
    if (this.#options.partitionBy !== undefined) await this.#makeFolder()
    await this.#settled(this.#thread.start({ sql }).ended, this.#rowCount)
  }

  /** The place may have made a file there. */
  async #makeFolder(): Promise<void> {
    await rm(this.#path, { force: true, recursive: true })
    await mkdir(this.#path)
  }

  get #rowCount(): number {
    return this.#parts.reduce((sum, part) => sum + part.rowCount, 0)
  }

  /** Waits for a statement, which must have written so many rows. */
  async #settled(ended: Promise<number>, rowCount: number): Promise<void> {
    let written: number
    try {
      written = await this.#thread.await(ended)
    } catch (error) {
      throw this.#errorOf(error)
    }
    if (written === rowCount) return
    throw createError('DUCKDB_FAILED', `DuckDB wrote ${written} rows of ${rowCount}`, {
      label: this.#label,
      expected: `${rowCount} rows`,
      found: `${written} rows`,
    })
  }

  #errorOf(error: unknown): Error {
    const message = error instanceof Error ? error.message : String(error)
    const details = { label: this.#label, cause: error }
    if (/No space left|ENOSPC|Disk quota|File too large/i.test(message)) {
      return createError('SINK_FULL', 'there is no space left for the Parquet file', details)
    }
    if (/Permission denied|Read-only file system/i.test(message)) {
      return createError('SINK_DENIED', 'the Parquet file may not be written', details)
    }
    if (/IO Error: (?:Cannot open|Could not write)/.test(message)) {
      return createError('SINK_FAILED', 'the Parquet file could not be written', details)
    }
    return duckDbError(error, { label: this.#label })
  }
}

/** A part is read once and soon: quick to write, not small. */
function partCopy(rows: string, path: string): string {
  return `COPY (${rows}) TO ${quoteText(pathToWrite(path))} (FORMAT parquet, COMPRESSION lz4)`
}
