/** Parquet: rows in columns, compressed, with their types. Read and written by DuckDB; read by hyparquet where it is not there. */
import type { Format } from '../../core/types.ts'
import { PARQUET_READ_OPTIONS, type ParquetReadOptions } from './read-options.ts'
import { PARQUET_WRITE_OPTIONS, type ParquetWriteOptions } from './write-options.ts'

// Who reads needs no writer, and the other way round: each is loaded when it is first used.
export const format: Format = {
  readOptions: PARQUET_READ_OPTIONS,
  writeOptions: PARQUET_WRITE_OPTIONS,
  openReader: async (source, options, context) =>
    (await import('./reader.ts')).openParquetReader(source, options as ParquetReadOptions, context),
  openWriter: async (sink, options, context) =>
    (await import('./writer.ts')).openParquetWriter(sink, options as ParquetWriteOptions, context),
}
