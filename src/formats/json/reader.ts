import { decodeStream } from '../../core/stream.ts'
import type { ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import { JsonDecoder } from './decoder.ts'
import type { JsonReadOptions } from './read-options.ts'

/** The rows of a JSON document. Options are taken as checked; see `JsonReadOptions` for what the rows are. */
export function openJsonReader(source: ByteSource, options: JsonReadOptions, context: ReadContext): RowReader {
  return decodeStream(source, new JsonDecoder(options, context), context)
}
