/** Readers ↔ record batches of apache-arrow, for those who work with columns. The code is loaded when it is used. */
import type { RecordBatch } from 'apache-arrow'
import type { Batch } from './core/types.ts'
import type { StoredValueOptions } from './core/value-options.ts'
import { openIterable, type ReadOptions, type ReadTarget } from './open.ts'
import type { Reader } from './reader.ts'

/** Options of `toArrow`. */
export interface ToArrowOptions {
  /** Rows in a record batch. Default: 65,536. */
  readonly recordBatchSize?: number | undefined
  /** Aborts the reading. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The rest of a reader's rows as record batches of `apache-arrow`, all of one schema, which the first 10,000 rows decide:
 *
 * ```ts
 * for await (const batch of toArrow(openIterable('flights.csv', { cast: true }))) console.log(batch.numRows)
 * ```
 *
 * @throws PEER_MISSING where apache-arrow is not installed; an error for a row that does not fit the schema.
 */
export async function* toArrow(
  reader: Reader<object>,
  options: ToArrowOptions = {},
): AsyncGenerator<RecordBatch, void, undefined> {
  const { toRecordBatches } = await import('./formats/arrow/record-batches.ts')
  yield* toRecordBatches(reader.batches() as AsyncIterable<Batch>, options)
}

/**
 * The rows of record batches, as a reader: what `writeBulk`, `convert` and the chains take.
 *
 * @throws PEER_MISSING where apache-arrow is not installed, from the first use.
 */
export function fromArrow(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  options: StoredValueOptions & Pick<ReadOptions, 'signal'> = {},
) {
  const { signal, ...values } = options
  const rows = async function* () {
    const { fromRecordBatches } = await import('./formats/arrow/record-batches.ts')
    for await (const batch of fromRecordBatches(batches, values)) yield* batch
  }
  return openIterable(rows() as ReadTarget, { signal })
}
