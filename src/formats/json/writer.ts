/** Opens a writer of JSON documents: rows → bytes in a sink. */
import type { OutputBuffer } from '../../core/bytes.ts'
import { type JsonFraming, JsonRowEncoder } from '../../core/json-rows.ts'
import { encodeStream } from '../../core/stream.ts'
import type { ByteSink, RowWriter, WriteContext } from '../../core/types.ts'
import { pointerTokens } from './pointer.ts'
import type { JsonWriteOptions } from './write-options.ts'

const QUOTE = 34
const COMMA = 44
const COLON = 58
const BACKSLASH = 92
const NOTHING = new Uint8Array()

/**
 * Takes over `sink`: the writer closes or aborts it. The document is one array of rows, `[]` without any, and ends with a
 * line feed. Rows and values are written as in JSON Lines.
 */
export function openJsonWriter(
  sink: ByteSink,
  options: JsonWriteOptions,
  context: WriteContext,
): RowWriter | Promise<RowWriter> {
  const rules = { bigint: options.bigint ?? 'number', nonFinite: options.nonFinite ?? 'null' } as const
  const indent = typeof options.indent === 'number' ? ' '.repeat(options.indent) : (options.indent ?? '')
  return encodeStream(sink, new JsonRowEncoder(rules, framingOf(indent, options.pointer ?? ''), context), 'native')
}

function framingOf(indent: string, pointer: string): JsonFraming {
  const tokens = pointerTokens(pointer)
  const depth = tokens.length
  const breakAt = (level: number) => (indent === '' ? '' : `\n${indent.repeat(level)}`)
  const space = indent === '' ? '' : ' '
  const before = tokens.map((token, i) => `{${breakAt(i + 1)}${JSON.stringify(token)}:${space}`).join('')
  const after = `${tokens.map((_, i) => `${breakAt(depth - 1 - i)}}`).join('')}\n`
  const toRow = indent === '' ? '\n' : breakAt(depth + 1)
  return {
    first: Buffer.from(`${before}[${toRow}`),
    next: Buffer.from(`,${toRow}`),
    behind: NOTHING,
    end: Buffer.from(`${indent === '' ? '\n' : breakAt(depth)}]${after}`),
    empty: Buffer.from(`${before}[]${after}`),
    ...(indent === '' ? {} : { layOut: (out: OutputBuffer, start: number) => layOut(out, start, indent, depth + 1) }),
  }
}

/** Puts line breaks and spaces into the compact JSON in `out` from `start` on, where `JSON.stringify` has them. */
function layOut(out: OutputBuffer, start: number, indent: string, depth: number): void {
  const compact = Buffer.from(out.bytes.subarray(start, out.length))
  out.length = start
  const append = (from: number, to: number) => out.append(compact.subarray(from, to))
  const breakLine = () => out.appendAscii(`\n${indent.repeat(depth)}`)
  let done = 0
  for (let i = 0; i < compact.length; i++) {
    const byte = compact[i]!
    if (byte === QUOTE) {
      for (i++; compact[i] !== QUOTE; i++) if (compact[i] === BACKSLASH) i++
    } else if (byte === COLON) {
      append(done, i + 1)
      out.appendAscii(' ')
      done = i + 1
    } else if (byte === COMMA) {
      append(done, i + 1)
      breakLine()
      done = i + 1
    } else if ((byte | 32) === 123) {
      // An empty one stays as it is. The closing brackets come two behind the opening ones.
      if (compact[i + 1] === byte + 2) i++
      else {
        append(done, i + 1)
        depth++
        breakLine()
        done = i + 1
      }
    } else if ((byte | 32) === 125) {
      append(done, i)
      depth--
      breakLine()
      done = i
    }
  }
  append(done, compact.length)
}
