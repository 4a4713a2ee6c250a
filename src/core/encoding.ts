/**
 * Text encodings, between codec and format: formats read and write UTF-8, these views make it so. What is UTF-8 passes
 * through as it is. The tables of the other encodings are loaded when they are needed.
 */
import { type Encoding, parseEncoding } from './encoding-names.ts'
import { TextSink } from './encoding-sink.ts'
import { type DecodeTextOptions, loadDecoding, TextSource } from './encoding-source.ts'
import { invalidOption } from './options.ts'
import type { ByteSink, ByteSource } from './types.ts'

export type { DecodeTextOptions }

/**
 * Checks an encoding before anything is opened, and loads what it needs: OPTION_INVALID for a name that means nothing
 * (or `'auto'` to write), PEER_MISSING for a package that is not there.
 */
export async function prepareEncoding(label: string, direction: 'read' | 'write'): Promise<void> {
  if (direction === 'read') {
    if (label === 'auto') return
    const encoding = parseEncoding(label)
    if (encoding.kind !== 'utf-8') await loadDecoding(encoding, 'raise', label, 0)
  } else {
    const encoding = parseWritable(label)
    if (encoding.kind !== 'utf-8') await (await import('./encoding-encoders.ts')).createEncoding(encoding)
  }
}

/**
 * A view of `source` that gives UTF-8; disposing it disposes `source`. OPTION_INVALID for an encoding that does not exist.
 *
 * UTF-8 passes through: the same chunks, also with its byte order mark and with bytes that are not UTF-8, which are for
 * the format to tell. `random`, `localPath` and `size` are kept where the encoding is named `'utf-8'`, and not with
 * `'auto'`, which finds out only when it reads. Every text before an invalid sequence is given before the error.
 */
export function decodeText(source: ByteSource, options: DecodeTextOptions): ByteSource {
  return new TextSource(source, options)
}

export interface EncodeTextOptions {
  readonly encoding: string
  /** Default: `true` for UTF-16, else `false`. To be `false` where the output continues another. */
  readonly bom?: boolean | undefined
  readonly onUnmappable: 'raise' | 'replace'
}

/**
 * A sink that takes UTF-8 and writes another encoding into `sink`; for UTF-8 without a byte order mark, `sink` itself.
 * Closing, aborting and disposing it do the same to `sink`. OPTION_INVALID for an encoding that cannot be written, and for
 * a byte order mark where there is none.
 *
 * The first write and `close()` may be PEER_MISSING; see `prepareEncoding`. A character that the encoding does not have is
 * TEXT_UNMAPPABLE, with its line, and with its offset in the bytes that are written. An output without text stays empty,
 * and text that itself begins with U+FEFF gets no second one.
 */
export function encodeText(sink: ByteSink, options: EncodeTextOptions): ByteSink {
  const encoding = parseWritable(options.encoding)
  const unicode = encoding.kind === 'utf-8' || encoding.kind === 'utf-16'
  if (options.bom === true && !unicode) {
    throw invalidOption('bom', 'false', true, `${encoding.name} has no byte order mark`)
  }
  const bom = options.bom ?? encoding.kind === 'utf-16'
  if (encoding.kind === 'utf-8' && !bom) return sink
  return new TextSink(sink, encoding, bom, options.onUnmappable === 'replace')
}

function parseWritable(label: string): Encoding {
  const encoding = parseEncoding(label)
  if (encoding.kind !== 'utf-32' && encoding.name !== 'iso-2022-jp') return encoding
  throw invalidOption('encoding', 'an encoding that can be written', label, `${encoding.name} can only be read`)
}
