import { decodeStream } from '../../core/stream.ts'
import type { ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import { JsonlDecoder } from './decoder.ts'
import type { JsonlReadOptions } from './read-options.ts'

/** The rows of a JSONL source. Options are taken as checked; see `JsonlReadOptions` for what the rows are. */
export function openJsonlReader(source: ByteSource, options: JsonlReadOptions, context: ReadContext): RowReader {
  return decodeStream(source, new JsonlDecoder(options, context), context)
}
