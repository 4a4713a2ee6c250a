/** What a conversion did. */
import type { Schema } from '../core/schema.ts'
import type { ConversionPlan } from './plan.ts'

/**
 * What a conversion did. Nothing is lost in silence:
 * `rowsIn + rowsAdded = rowsOut + rowsLeftOut + rowsSkipped + rowsFailed`.
 */
export interface ConvertResult {
  /** What messages call the source and the target; without credentials. */
  readonly from: string
  /** What messages call the target; without credentials. */
  readonly to: string
  /** What converted: `rows`, our readers and writers; `duckdb`, one query of DuckDB. */
  readonly engine: 'rows' | 'duckdb'
  /** Records met in the source, good or bad, up to where a `limit` ended the reading. */
  readonly rowsIn: number
  /** Rows in the output. */
  readonly rowsOut: number
  /** Good rows that `filter`, `flatMap`, `offset` or `limit` left out. */
  readonly rowsLeftOut: number
  /** Rows that `flatMap` made beyond one for each. */
  readonly rowsAdded: number
  /** Bad records and rows left out under `onError: 'skip'`, and records that an option of reading passes over. */
  readonly rowsSkipped: number
  /** Bad records and rows put aside under `onError: 'quarantine'`. */
  readonly rowsFailed: number
  /** As they are stored: compressed ones where the place has such. */
  readonly bytesRead: number
  /** Bytes given to the target, as they are stored. */
  readonly bytesWritten: number
  /** How often something failed on the way and was tried again, on either side. */
  readonly retries: number
  /** Milliseconds that it took. */
  readonly elapsedMs: number
  /** Rows in, for each second that it took. */
  readonly rowsPerSecond: number
  /** What is known of the columns that were read. */
  readonly schema: Schema | undefined
  /** What could not be kept as it was, and what had to be done over. */
  readonly warnings: readonly string[]
  /** The plan that was executed. */
  readonly plan: ConversionPlan
}
