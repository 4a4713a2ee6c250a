/** JSON documents (RFC 8259). Nothing can be appended to one, as its last bracket is behind the last row. */
import type { Format } from '../../core/types.ts'
import { JSON_READ_OPTIONS, type JsonReadOptions } from './read-options.ts'
import { JSON_WRITE_OPTIONS, type JsonWriteOptions } from './write-options.ts'

// Who reads needs no writer, and the other way round: each is loaded when it is first used.
export const format: Format = {
  readOptions: JSON_READ_OPTIONS,
  writeOptions: JSON_WRITE_OPTIONS,
  openReader: async (source, options, context) =>
    (await import('./reader.ts')).openJsonReader(source, options as JsonReadOptions, context),
  openWriter: async (sink, options, context) =>
    (await import('./writer.ts')).openJsonWriter(sink, options as JsonWriteOptions, context),
}
