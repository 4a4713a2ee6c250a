/** `inferSchema`: reads rows to see what their columns are. */
import type { Schema } from './core/schema.ts'
import type { ReadOptions, ReadTarget } from './open.ts'

/** Options of `inferSchema`: how many rows to look at, and those for opening the target. */
export interface InferSchemaOptions extends Omit<ReadOptions, 'cast' | 'scan' | 'onWiden' | 'mode'> {
  /** How many rows are read, or `'all'`. Default 1000. */
  readonly rows?: number | 'all' | undefined
}

/** What the rows that were read have shown. */
export interface InferredSchema extends Schema {
  /** Rows that were looked at. */
  readonly rows: number
  /** Whether these were all. If not, later rows may have nulls, columns or types that these have not. */
  readonly complete: boolean
}

/**
 * Reads rows of a target, a sample or all, and tells their columns: types, and whether they have nulls.
 *
 * Fields of CSV and of other text formats are looked at as `cast: true` does it; columns with declared `types` keep them.
 * Rows of JSON Lines, JSON and iterables have types of their own: a text there is text, whatever it looks like.
 *
 * @throws What reading throws; OPTION_INVALID for `rows`.
 */
export async function inferSchema(target: ReadTarget, options: InferSchemaOptions = {}): Promise<InferredSchema> {
  const { readSchema } = await import('./infer-schema-run.ts')
  return readSchema(target, options)
}
