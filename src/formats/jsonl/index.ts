/** JSON Lines: one JSON value a line (jsonlines.org, NDJSON). */
import { lastByte } from '../../core/last-byte.ts'
import type { Format } from '../../core/types.ts'
import { JSONL_READ_OPTIONS, type JsonlReadOptions } from './read-options.ts'
import { openJsonlReader } from './reader.ts'
import { JSONL_WRITE_OPTIONS, type JsonlWriteOptions } from './write-options.ts'
import { openJsonlWriter } from './writer.ts'

export const format: Format = {
  readOptions: JSONL_READ_OPTIONS,
  writeOptions: JSONL_WRITE_OPTIONS,
  openReader: (source, options, context) => openJsonlReader(source, options as JsonlReadOptions, context),
  openWriter: (sink, options, context) => openJsonlWriter(sink, options as JsonlWriteOptions, context),
  /** A last line that has no end, perhaps a torn one, is ended, so that the first new row is not glued to it. */
  async inspectExisting(source, _options, { signal }) {
    return (await lastByte(source, { signal })) === 0x0a ? {} : { prefix: Buffer.from('\n') }
  },
}
