/** Rows ↔ record batches of apache-arrow, for those who work with columns. */
import type { RecordBatch } from 'apache-arrow'
import type { Batch } from '../../core/types.ts'
import { type StoredValueOptions, valueModes } from '../../core/value-options.ts'
import { rowsOf } from './column-values.ts'
import { loadArrow } from './peer.ts'
import { openArrowWriter } from './writer.ts'

/**
 * Record batches of rows that come in batches; all have one schema, which the first 10,000 rows decide. A row that does not
 * fit it is an error. Throws PEER_MISSING.
 */
export async function* toRecordBatches(
  batches: AsyncIterable<Batch> | Iterable<Batch>,
  options: { readonly recordBatchSize?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<RecordBatch, void, undefined> {
  const arrow = await loadArrow('written')
  const { signal = new AbortController().signal, recordBatchSize } = options
  let chunks: Uint8Array[] = []
  const sink = {
    label: '<arrow>',
    write: async (chunk: Uint8Array) => {
      chunks.push(chunk.slice())
    },
    close: async () => {},
    abort: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
  const raise = (error: Error) => {
    throw error
  }
  const context = { label: '<rows>', signal, appending: false, onBadRecord: raise }
  const writer = await openArrowWriter(sink, { container: 'stream', recordBatchSize }, context)
  const stream = async function* () {
    for await (const batch of batches) {
      signal.throwIfAborted()
      await writer.write(batch)
      const made = chunks
      chunks = []
      yield* made
    }
    await writer.close()
    yield* chunks
  }
  yield* await arrow.RecordBatchReader.from(stream())
}

/** The rows of record batches, batch by batch. Throws PEER_MISSING. */
export async function* fromRecordBatches(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  options: StoredValueOptions = {},
): AsyncGenerator<Batch, void, undefined> {
  const arrow = await loadArrow('read')
  const modes = valueModes(options)
  for await (const batch of batches) {
    const rows = rowsOf(arrow, batch, modes)
    if (rows.length > 0) yield rows
  }
}
