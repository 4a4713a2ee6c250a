/** Opens a CSV for reading. */
import { decodeStream } from '../../core/stream.ts'
import type { ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import { CsvDecoder } from './decoder.ts'
import { type CsvReadOptions, resolveReadOptions } from './read-options.ts'

/**
 * The rows of `source`. Throws `OPTION_INVALID` for options that contradict each other; reads nothing yet. The engine
 * that reads is the reader's `engine`: `native`, or `csv-parse` for what only that can do.
 */
export async function openCsvReader(
  source: ByteSource,
  options: CsvReadOptions,
  context: ReadContext,
): Promise<RowReader> {
  const dialect = resolveReadOptions(options)
  if (dialect.engine === 'csv-parse') return (await import('./peer-reader.ts')).openPeerReader(source, dialect, context)
  return decodeStream(source, new CsvDecoder(dialect, context), context, 'native')
}
