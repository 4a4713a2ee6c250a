/** Opens a CSV for reading. */
import { createError } from '../../core/errors.ts'
import { decodeStream } from '../../core/stream.ts'
import type { ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import type { Decided } from '../../core/typing.ts'
import { CsvDecoder } from './decoder.ts'
import { type CsvReadOptions, type ReadDialect, resolveReadOptions } from './read-options.ts'

/**
 * The rows of `source`. Throws `OPTION_INVALID` for options that contradict each other; reads nothing yet, but for
 * `scan: 'full'`. The engine that reads is the reader's `engine`: `native`, or `csv-parse` for what only that can do.
 */
export async function openCsvReader(
  source: ByteSource,
  options: CsvReadOptions,
  context: ReadContext,
): Promise<RowReader> {
  const dialect = resolveReadOptions(options)
  const { typing } = dialect
  if (typing?.cast !== true || typing.scan !== 'full') return open(source, dialect, context)
  if (!source.replayable) {
    throw createError('NOT_REPLAYABLE', "scan: 'full' of a source that can be read only once", {
      label: context.label,
      hint: 'read it from a file, or look at a sample only: { scan: 1000 }',
    })
  }
  const decided = await scanAll(source, dialect, context)
  return open(source, { ...dialect, typing: { ...typing, decided } }, context)
}

async function open(source: ByteSource, dialect: ReadDialect, context: ReadContext): Promise<RowReader> {
  if (dialect.engine === 'csv-parse') return (await import('./peer-reader.ts')).openPeerReader(source, dialect, context)
  return decodeStream(source, new CsvDecoder(dialect, context), context, 'native')
}

/** Reads everything once to see of what types the columns are. What is wrong on the way is for the second reading to tell. */
async function scanAll(source: ByteSource, dialect: ReadDialect, context: ReadContext): Promise<Decided> {
  const { signal, label } = context
  const silent: ReadContext = { label, signal, onBadRecord: () => {} }
  const observing: ReadDialect = { ...dialect, onRecord: undefined }
  let decided: Decided | undefined
  try {
    if (dialect.engine === 'csv-parse') {
      const { scanByPeer } = await import('./peer-reader.ts')
      decided = await scanByPeer(source, observing, silent)
    } else {
      const decoder = new CsvDecoder(observing, silent)
      try {
        for await (const chunk of source.stream({ signal })) for (const _ of decoder.decode(chunk));
        for (const _ of decoder.flush());
      } finally {
        for (const _ of decoder.release());
        decided = decoder.decided
      }
    }
  } catch {
    signal.throwIfAborted()
  }
  return decided ?? { types: [], nullable: [] }
}
