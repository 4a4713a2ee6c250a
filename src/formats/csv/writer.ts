/** Opens a writer of CSV: rows → bytes in a sink. */
import { OutputBuffer } from '../../core/bytes.ts'
import { encodeStream } from '../../core/stream.ts'
import type { ByteSink, RowWriter, WriteContext } from '../../core/types.ts'
import { CsvEncoder } from './encoder.ts'
import { NativeRecords } from './native-records.ts'
import { type CsvWriteDialect, type CsvWriteOptions, resolveCsvWriteOptions } from './write-options.ts'

/**
 * Values: text as it is; numbers in their shortest form (`NaN`, `Infinity` and `-Infinity` by name, -0 as `0`); the
 * digits of a bigint; `true` and `false`; a Date in ISO 8601; a Uint8Array in base64; other objects as the text or
 * number that their `toJSON` gives, else as JSON text. What has no such form is CSV_UNWRITABLE.
 *
 * Throws OPTION_INVALID for options that contradict each other, and otherwise takes over `sink`. Loads csv-stringify
 * only where it runs; `engine` of the writer says which one does.
 */
export function openCsvWriter(
  sink: ByteSink,
  options: CsvWriteOptions,
  context: WriteContext,
): RowWriter | Promise<RowWriter> {
  const dialect = resolveCsvWriteOptions(options)
  if (dialect.engine === 'csv-stringify') return openPeerWriter(sink, dialect, context)
  const out = new OutputBuffer()
  return encodeStream(sink, new CsvEncoder(out, new NativeRecords(out, dialect), dialect, context), 'native')
}

async function openPeerWriter(sink: ByteSink, dialect: CsvWriteDialect, context: WriteContext): Promise<RowWriter> {
  const { PeerRecords } = await import('./peer-writer.ts')
  const out = new OutputBuffer()
  return encodeStream(sink, new CsvEncoder(out, new PeerRecords(out, dialect), dialect, context), 'csv-stringify')
}
