/** CSV and its dialects (RFC 4180): TSV and PSV are the same format with another delimiter. */
import type { Format } from '../../core/types.ts'
import { inspectCsv } from './append.ts'
import { CSV_READ_OPTIONS, type CsvReadOptions } from './read-options.ts'
import { openCsvReader } from './reader.ts'
import { CSV_WRITE_OPTIONS, type CsvWriteOptions } from './write-options.ts'
import { openCsvWriter } from './writer.ts'

export const format: Format = {
  readOptions: CSV_READ_OPTIONS,
  writeOptions: CSV_WRITE_OPTIONS,
  openReader: (source, options, context) => openCsvReader(source, options as CsvReadOptions, context),
  openWriter: (sink, options, context) => openCsvWriter(sink, options as CsvWriteOptions, context),
  inspectExisting: (source, options, context) => inspectCsv(source, options as CsvWriteOptions, context),
}
