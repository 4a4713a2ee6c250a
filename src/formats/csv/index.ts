/** CSV and its dialects (RFC 4180): TSV and PSV are the same format with another delimiter. */
import type { Format } from '../../core/types.ts'
import { CSV_READ_OPTIONS, type CsvReadOptions } from './read-options.ts'
import { CSV_WRITE_OPTIONS, type CsvWriteOptions } from './write-options.ts'

// Who reads needs no writer, and the other way round: each is loaded when it is first used.
export const format: Format = {
  readOptions: CSV_READ_OPTIONS,
  writeOptions: CSV_WRITE_OPTIONS,
  openReader: async (source, options, context) =>
    (await import('./reader.ts')).openCsvReader(source, options as CsvReadOptions, context),
  openWriter: async (sink, options, context) =>
    (await import('./writer.ts')).openCsvWriter(sink, options as CsvWriteOptions, context),
  inspectExisting: async (source, options, context) =>
    (await import('./append.ts')).inspectCsv(source, options as CsvWriteOptions, context),
}
