/** Opens a writer of JSON Lines: rows → bytes in a sink. */
import { encodeStream } from '../../core/stream.ts'
import type { ByteSink, RowWriter, WriteContext } from '../../core/types.ts'
import { JsonlEncoder } from './encoder.ts'
import type { JsonlWriteOptions } from './write-options.ts'

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
  return encodeStream(sink, new JsonlEncoder(rules, context), 'native')
}
