/** What the JSON reader can be told. */
import { JSON_VALUE_READ_OPTIONS, type JsonValueReadOptions } from '../../core/json-options.ts'
import { is, type OptionEntry } from '../../core/options.ts'
import { isPointer } from './pointer.ts'

/**
 * How a JSON document (RFC 8259) is read. An array gives its elements as rows, one by one, in memory that does not grow
 * with the document; an object is one row, and objects may follow each other, with or without white space between them.
 * `pointer` and `entries` find rows inside an object. What `JSON.parse` refuses is an error, after the rows before it and
 * wherever it is: the rest of the document is checked as well. A byte order mark at the start is dropped; empty input
 * has no rows. What `JSON.parse` makes of an element is the row: of duplicate keys the last one wins, a lone surrogate
 * escape such as `"\ud800"` stays one, `__proto__` is a key as any other. Arrays in an array are rows of values.
 */
export interface JsonReadOptions extends JsonValueReadOptions {
  /**
   * Where the rows are, as a JSON pointer (RFC 6901): `'/data/items'` for `{"data":{"items":[…]}}`, `'/0'` for the first
   * element of an array; a `/` in a key is written `~1`, and a `~` is `~0`. An array there gives its elements, an object
   * is one row; all else is skipped without being built, but checked. If there is nothing, or a value without fields:
   * `JSON_POINTER_NOT_FOUND`. If a key on the way occurs twice, the first one is read and the second is an error,
   * `JSON_POINTER_AMBIGUOUS`. Default `''`: the document.
   */
  readonly pointer?: string | undefined
  /**
   * Reads an object member by member, as rows `{ key, value }`, where it else would be one row: `{"a":1,"b":2}` as
   * `{ key: 'a', value: 1 }` and `{ key: 'b', value: 2 }`. Of duplicate keys each is a row. Default `false`.
   */
  readonly entries?: boolean | undefined
  /**
   * Whether several values may follow each other in one input. `true`: any values, each of which is a row, arrays too;
   * or, with a `pointer` or `entries`, has its rows where they say. `false`: only one, as for `JSON.parse`. Default: only
   * objects, each a row; after an array there is nothing more.
   */
  readonly concatenated?: boolean | undefined
  /**
   * Most bytes in one row. A larger one ends the reading with `RECORD_TOO_LARGE`, which cannot be skipped: this is what
   * bounds memory. Default 16777216 (16 MiB), at most 268435456.
   */
  readonly maxRecordBytes?: number | undefined
}

export const JSON_READ_OPTIONS = {
  pointer: {
    type: 'a JSON pointer (RFC 6901)',
    default: "''",
    means: "Where the array of rows, or the one row, is in the document: '/data/items'.",
    accepts: isPointer,
  },
  entries: {
    type: 'boolean',
    default: 'false',
    means: 'Reads an object member by member, as rows { key, value }.',
    accepts: is.boolean,
  },
  concatenated: {
    type: 'boolean',
    default: 'objects only',
    means: 'Whether several values may follow each other, each a row.',
    accepts: is.boolean,
  },
  maxRecordBytes: {
    type: 'an integer from 1 to 268435456',
    default: '16777216',
    means: 'Most bytes in one row; a larger one ends the reading with RECORD_TOO_LARGE.',
    accepts: is.integer(1, 2 ** 28),
  },
  ...JSON_VALUE_READ_OPTIONS,
} as const satisfies Record<keyof JsonReadOptions, OptionEntry>
