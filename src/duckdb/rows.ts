/** DuckDB's chunks → rows: plain objects, column by column, without an object for each value. */
import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api'
import { columnRows } from '../core/column-rows.ts'
import { Turns } from '../core/turns.ts'
import type { Abortable, Batch, Row } from '../core/types.ts'
import { type StoredValueOptions, valueModes } from '../core/value-options.ts'
import type { LoadedDuckDb } from './binding.ts'
import type { ChunkStream } from './chunk-stream.ts'
import { columnReader } from './columns.ts'

/** The rows of a chunk; they share no memory with it. Of many columns they are made in turns with the rest of the process. */
export type ChunkRows = (chunk: DuckDBDataChunk) => Row[] | Promise<Row[]>

/** Columns of one chunk, of 2048 rows, that never take long enough for others to mind. */
const COLUMNS_AT_ONCE = 64

/** The function that makes rows of chunks with these columns. Of names that occur twice the last one wins. */
export function chunkRows(
  duckdb: LoadedDuckDb,
  names: readonly string[],
  types: readonly DuckDBType[],
  options: StoredValueOptions = {},
): ChunkRows {
  const { native } = duckdb
  const modes = valueModes(options)
  const readers = types.map(type => columnReader(duckdb, type, modes))
  const rows = columnRows(names)
  // Long texts are read through pointers into the chunk, which so has to be there until all rows are made.
  const holding = (chunk: DuckDBDataChunk, made: Row[]): Row[] => {
    native.data_chunk_get_size(chunk.chunk)
    return made
  }
  if (readers.length <= COLUMNS_AT_ONCE) {
    return chunk => {
      const raw = chunk.chunk
      const count = native.data_chunk_get_size(raw)
      const columns = readers.map((read, i) => read(native.data_chunk_get_vector(raw, i), count))
      return holding(chunk, rows(count, columns))
    }
  }
  return async chunk => {
    const raw = chunk.chunk
    const count = native.data_chunk_get_size(raw)
    const turns = new Turns()
    const columns: ArrayLike<unknown>[] = []
    for (const [i, read] of readers.entries()) {
      columns.push(read(native.data_chunk_get_vector(raw, i), count))
      await turns.pause()
    }
    return holding(chunk, rows(count, columns))
  }
}

/** Rows of a query, batch by batch. While rows are made of one chunk, the next is fetched; never two at once. */
export class StreamRows {
  readonly #stream: ChunkStream
  readonly #rows: ChunkRows
  readonly #signal: AbortSignal | undefined
  #next: Promise<DuckDBDataChunk | null> | undefined

  /** `names`: what rows call the columns, where that is not what the query does. */
  constructor(
    duckdb: LoadedDuckDb,
    stream: ChunkStream,
    options: StoredValueOptions & Abortable & { readonly names?: readonly string[] | undefined } = {},
  ) {
    this.#stream = stream
    this.#signal = options.signal
    this.#rows = chunkRows(duckdb, options.names ?? stream.columnNames, stream.columnTypes, options)
  }

  /** The next rows; null at the end. Rejects where the query failed, however far it was: see `ChunkStream`. */
  async read(): Promise<Batch | null> {
    const chunk = await (this.#next ?? this.#fetch())
    if (chunk === null) return null
    this.#next = this.#fetch()
    return this.#rows(chunk)
  }

  #fetch(): Promise<DuckDBDataChunk | null> {
    const next = this.#stream.next({ signal: this.#signal })
    // It may fail before anybody waits for it.
    next.catch(() => {})
    return next
  }
}
