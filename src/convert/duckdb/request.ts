/** What is asked of DuckDB, and what it may not answer. */
import type { Schema } from '../../core/schema.ts'
import type { DuckDBType } from '../../duckdb/binding.ts'
import type { ConvertOptions } from '../options.ts'

/** Both ends of a conversion, as far as the decision needs them. */
export interface DuckDbEnds {
  /** Absolute path of the source. */
  readonly path: string
  /** What messages call the source. */
  readonly label: string
  readonly sourceFormat: string
  readonly targetFormat: string
  /** Options of reading, with what the extension implies. */
  readonly read: Readonly<Record<string, unknown>>
  readonly write: Readonly<Record<string, unknown>>
  readonly options: ConvertOptions
  readonly infersTypes: boolean
}

/** A column of the source. */
export interface SourceColumn {
  readonly name: string
  /** What the query calls it. */
  readonly internal: string
  /** DuckDB's type of its values. */
  readonly type: DuckDBType
  /** What must hold of each field, also of rows that are not wanted: types are those of all rows. */
  readonly good?: string | undefined
  /** Whether the first rows have a narrower type: rows have types of their own, and our own road knows none but those. */
  readonly late?: boolean
}

/** The source as a query. */
export interface SourceQuery {
  /** What stands behind `FROM`. */
  readonly from: string
  readonly columns: readonly SourceColumn[]
  readonly schema: Schema
  /** The column, if any, by which equal rows stay in their order when they are sorted. */
  readonly position?: string | undefined
  /** What a Parquet output is to keep of the source's own metadata: `names` are those of the output by those of the source. */
  metadata?(names: ReadonlyMap<string, string>): Readonly<Record<string, string>>
  /** Whether nothing but rows tells what columns there are. */
  readonly untitled?: boolean
  /** How many rows there are, where it is known. */
  readonly rowCount?: number | undefined
  /**
   * Looks through the file, while DuckDB reads it, for what DuckDB takes otherwise without a word, and counts the rows.
   * Rejects with the reason of an abort.
   */
  scan?(signal: AbortSignal): Promise<{ readonly recordCount: number } | Unfit>
}

/** Why DuckDB would not, or did not, give what our own road gives. A sentence. */
export interface Unfit {
  readonly reason: string
}

export const isUnfit = (value: object): value is Unfit => 'reason' in value
