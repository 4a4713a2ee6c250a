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
}

/** The source as a query. */
export interface SourceQuery {
  /** What stands behind `FROM`. */
  readonly from: string
  readonly columns: readonly SourceColumn[]
  readonly schema: Schema
  /** The column, if any, by which equal rows stay in their order when they are sorted. */
  readonly position?: string | undefined
  /** How many rows there are, where it is known. */
  readonly rowCount?: number | undefined
}

/** Why DuckDB would not, or did not, give what our own road gives. A sentence. */
export interface Unfit {
  readonly reason: string
}

export const isUnfit = (value: object): value is Unfit => 'reason' in value
