/** Arrow IPC: record batches as they are in memory, as a file (Feather 2) or a stream. */
import type { Format } from '../../core/types.ts'
import { ARROW_READ_OPTIONS, ARROW_WRITE_OPTIONS, type ArrowReadOptions, type ArrowWriteOptions } from './options.ts'

export const format: Format = {
  readOptions: ARROW_READ_OPTIONS,
  writeOptions: ARROW_WRITE_OPTIONS,
  openReader: async (source, options, context) =>
    (await import('./reader.ts')).openArrowReader(source, options as ArrowReadOptions, context),
  openWriter: async (sink, options, context) =>
    (await import('./writer.ts')).openArrowWriter(sink, options as ArrowWriteOptions, context),
}
