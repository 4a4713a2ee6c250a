/** The chunks of a query, of which the end is checked: the binding ends a stream that failed as if it were complete. */
import type { DuckDBDataChunk, DuckDBResult, DuckDBType } from '@duckdb/node-api'
import type { Abortable } from '../core/types.ts'

interface StreamParts {
  readonly result: DuckDBResult
  /** Fetches the next chunk; never called twice at once, as chunks would then come out of order. */
  readonly fetch: (options: Abortable) => Promise<DuckDBDataChunk | null>
  /** Finds out why the query failed, and throws it. */
  readonly diagnose: (options: Abortable) => Promise<never>
}

/** DuckDB's word for the result of a query that failed. */
const RETURN_TYPE_INVALID = 0

export class ChunkStream {
  /** Names of the columns, in order; one may occur twice. */
  readonly columnNames: readonly string[]
  readonly columnTypes: readonly DuckDBType[]
  /** Whether there is nothing more to fetch. */
  ended = false
  readonly #parts: StreamParts

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.columnNames = parts.result.columnNames()
    this.columnTypes = parts.result.columnTypes()
  }

  /**
   * The next chunk, null at the end. Rejects where the query failed, be it in the middle of a damaged file, by a value that
   * cannot be cast, or because another query was run on the connection. Not to be called again before it has settled.
   */
  async next(options: Abortable = {}): Promise<DuckDBDataChunk | null> {
    if (this.ended) return null
    const chunk = await this.#parts.fetch(options)
    if (chunk !== null && chunk.rowCount > 0) return chunk
    this.ended = true
    // The one trace that a failure leaves on the result.
    if (Number(this.#parts.result.returnType) === RETURN_TYPE_INVALID) await this.#parts.diagnose(options)
    return null
  }
}
