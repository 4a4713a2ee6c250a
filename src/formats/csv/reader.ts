/** Opens a CSV for reading. */
import { decideByScan, scanByDecoder } from '../../core/full-scan.ts'
import { decodeStream } from '../../core/stream.ts'
import type { ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import { CsvDecoder } from './decoder.ts'
import { type ReadDialect, resolveReadOptions } from './read-dialect.ts'
import type { CsvReadOptions } from './read-options.ts'

/**
 * The rows of `source`. Throws `OPTION_INVALID` for options that contradict each other; reads nothing yet, but for
 * `scan: 'full'`. The engine that reads is the reader's `engine`: `native`, or `csv-parse` for what only that can do.
 */
export async function openCsvReader(
  source: ByteSource,
  options: CsvReadOptions,
  context: ReadContext,
): Promise<RowReader> {
  const resolved = resolveReadOptions(options)
  const { typing } = resolved
  if (typing === null) return open(source, resolved, context)
  const { createTypes } = await import('../../core/column-types.ts')
  const dialect: ReadDialect = { ...resolved, createTypes }
  if (typing.cast !== true || typing.scan !== 'full') return open(source, dialect, context)
  const observing: ReadDialect = { ...dialect, onRecord: undefined }
  const decided = await decideByScan(source, context, async silent => {
    if (dialect.engine === 'native') return scanByDecoder(source, new CsvDecoder(observing, silent), silent.signal)
    return (await import('./peer-reader.ts')).scanByPeer(source, observing, silent)
  })
  return open(source, { ...dialect, typing: { ...typing, decided } }, context)
}

async function open(source: ByteSource, dialect: ReadDialect, context: ReadContext): Promise<RowReader> {
  if (dialect.engine === 'csv-parse') return (await import('./peer-reader.ts')).openPeerReader(source, dialect, context)
  return decodeStream(source, new CsvDecoder(dialect, context), context, 'native')
}
