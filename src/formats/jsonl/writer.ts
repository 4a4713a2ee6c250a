/** Opens a writer of JSON Lines: rows → bytes in a sink. */
import { type JsonFraming, JsonRowEncoder } from '../../core/json-rows.ts'
import { encodeStream } from '../../core/stream.ts'
import type { ByteSink, RowWriter, WriteContext } from '../../core/types.ts'
import type { JsonlWriteOptions } from './write-options.ts'

const NOTHING = new Uint8Array()
/** One row a line. */
const LINES: JsonFraming = { first: NOTHING, next: NOTHING, behind: Buffer.from('\n'), end: NOTHING, empty: NOTHING }

/**
 * Takes over `sink`: the writer closes or aborts it. Values are written as by `JSON.stringify`, lone surrogates escaped,
 * members that are undefined left out (null in an array); but for what that would lose or disfigure:
 * - a bigint and what is not finite: see the options;
 * - bytes (Buffer, Uint8Array, ArrayBuffer, DataView) become a base64 string, other typed arrays an array of numbers;
 * - functions, symbols, and objects whose contents are not their members (Map, Set, RegExp, Error, …) are
 *   JSON_UNWRITABLE, unless they have a `toJSON`; so is a circle. A `toJSON` that gives undefined stands for null.
 *
 * A row is an object or an array, after its `toJSON` if it has one; else it is ROW_INVALID.
 */
export function openJsonlWriter(
  sink: ByteSink,
  options: JsonlWriteOptions,
  context: WriteContext,
): RowWriter | Promise<RowWriter> {
  const rules = { bigint: options.bigint ?? 'number', nonFinite: options.nonFinite ?? 'null' } as const
  return encodeStream(sink, new JsonRowEncoder(rules, LINES, context), 'native')
}
