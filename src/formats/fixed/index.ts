/** Fixed-width text: one record a line, each field at its columns, padded with blanks. */
import { decideByScan, scanByDecoder } from '../../core/full-scan.ts'
import { decodeStream, encodeStream } from '../../core/stream.ts'
import type { ByteSource, Format, ReadContext, RowReader } from '../../core/types.ts'
import { resolveTyping } from '../../core/typing.ts'
import { FixedDecoder } from './decoder.ts'
import { FixedEncoder } from './encoder.ts'
import { FIXED_READ_OPTIONS, FIXED_WRITE_OPTIONS, type FixedReadOptions } from './options.ts'

export const format: Format = {
  readOptions: FIXED_READ_OPTIONS,
  writeOptions: FIXED_WRITE_OPTIONS,
  openReader,
  openWriter: (sink, options, context) => encodeStream(sink, new FixedEncoder(options, context)),
}

async function openReader(source: ByteSource, options: FixedReadOptions, context: ReadContext): Promise<RowReader> {
  let typing = resolveTyping(options)
  if (typing?.cast === true && typing.scan === 'full') {
    const observing = typing
    const decided = await decideByScan(source, context, silent =>
      scanByDecoder(source, new FixedDecoder(options, observing, silent), silent.signal),
    )
    typing = { ...typing, decided }
  }
  return decodeStream(source, new FixedDecoder(options, typing, context), context)
}
