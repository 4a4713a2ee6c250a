/** Fixed-width text: one record a line, each field at its columns, padded with blanks. */
import { decodeStream, encodeStream } from '../../core/stream.ts'
import type { Format } from '../../core/types.ts'
import { FixedDecoder } from './decoder.ts'
import { FixedEncoder } from './encoder.ts'
import { FIXED_READ_OPTIONS, FIXED_WRITE_OPTIONS } from './options.ts'

export const format: Format = {
  readOptions: FIXED_READ_OPTIONS,
  writeOptions: FIXED_WRITE_OPTIONS,
  openReader: (source, options, context) => decodeStream(source, new FixedDecoder(options, context), context),
  openWriter: (sink, options, context) => encodeStream(sink, new FixedEncoder(options, context)),
}
