/** JSON Lines: one JSON value a line (jsonlines.org, NDJSON). */
import type { Format } from '../../core/types.ts'
import { JSONL_READ_OPTIONS, type JsonlReadOptions } from './read-options.ts'
import { JSONL_WRITE_OPTIONS, type JsonlWriteOptions } from './write-options.ts'

export const format: Format = {
  readOptions: JSONL_READ_OPTIONS,
  writeOptions: JSONL_WRITE_OPTIONS,
  openReader: async (source, options, context) =>
    (await import('./reader.ts')).openJsonlReader(source, options as JsonlReadOptions, context),
  openWriter: async (sink, options, context) =>
    (await import('./writer.ts')).openJsonlWriter(sink, options as JsonlWriteOptions, context),
  /** A last line that has no end, perhaps a torn one, is ended, so that the first new row is not glued to it. */
  async inspectExisting(source, _options, { signal }) {
    const { lastByte } = await import('../../core/last-byte.ts')
    return (await lastByte(source, { signal })) === 0x0a ? {} : { prefix: Buffer.from('\n') }
  },
}
