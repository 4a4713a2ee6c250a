/** Options that JSON and JSON Lines have in common. */
import { is, type OptionEntry } from './options.ts'

/** How values of JSON are read. */
export interface JsonValueReadOptions {
  /**
   * What becomes of integers beyond ±(2^53 − 1), which a JavaScript number cannot hold exactly:
   *
   * - `'auto'` (default): a `BigInt`. Integers within the range are numbers. Nothing is rounded.
   * - `'string'`: their digits, as text.
   * - `'number'`: the nearest number, as `JSON.parse` does.
   * - `'error'`: the record is an error, `JSON_UNSAFE_INTEGER`.
   *
   * An integer is a number that is written without fraction and exponent. All others (`1.5`, `1.0`, `1e3`) are read as
   * the nearest IEEE double, whatever is set here; beyond all doubles (`1e400`) that is `Infinity`, as of `JSON.parse`.
   */
  readonly bigint?: 'auto' | 'string' | 'number' | 'error' | undefined
  /**
   * Bytes that are not UTF-8: `'raise'` (default) makes the record an error, `TEXT_INVALID_UTF8`; `'replace'` reads
   * U+FFFD in their place.
   */
  readonly encodingErrors?: 'raise' | 'replace' | undefined
  /**
   * A key. A text, a number, `true`, `false` or `null` in the place of a row becomes a row with its value under this
   * key: `wrapValues: 'value'` reads `42` as `{ value: 42 }`. Default: none; such a value is an error, `JSON_NOT_A_ROW`.
   */
  readonly wrapValues?: string | undefined
}

export const JSON_VALUE_READ_OPTIONS = {
  bigint: {
    type: "'auto', 'string', 'number' or 'error'",
    default: "'auto'",
    means: 'Integers beyond ±(2^53 − 1): a BigInt (auto), their digits (string), rounded (number), or an error.',
    accepts: is.oneOf('auto', 'string', 'number', 'error'),
  },
  encodingErrors: {
    type: "'raise' or 'replace'",
    default: "'raise'",
    means: 'Bytes that are not UTF-8: an error, or U+FFFD in their place.',
    accepts: is.oneOf('raise', 'replace'),
  },
  wrapValues: {
    type: 'a key',
    default: 'none',
    means: 'Makes a row { key: value } of a value that is neither an object nor an array; without it, an error.',
    accepts: is.string,
  },
} as const satisfies Record<keyof JsonValueReadOptions, OptionEntry>

/** How values are written as JSON. */
export interface JsonValueWriteOptions {
  /**
   * How a bigint is written: its digits as a JSON number, which is exact but which many readers round, or as a string.
   * Default `'number'`.
   */
  readonly bigint?: 'number' | 'string' | undefined
  /**
   * What becomes of NaN, Infinity, -Infinity and an invalid Date, none of which JSON has: `null`, the text
   * (`"NaN"`, `"Infinity"`, `"-Infinity"`, `"Invalid Date"`), or a JSON_UNWRITABLE error. Default `'null'`, as by
   * `JSON.stringify`.
   */
  readonly nonFinite?: 'null' | 'string' | 'error' | undefined
}

export const JSON_VALUE_WRITE_OPTIONS = {
  bigint: {
    type: "'number' | 'string'",
    default: "'number'",
    means: 'How a bigint is written: as a JSON number with all its digits, or as a string.',
    accepts: is.oneOf('number', 'string'),
  },
  nonFinite: {
    type: "'null' | 'string' | 'error'",
    default: "'null'",
    means: 'What becomes of NaN, Infinity, -Infinity and an invalid Date: null, their text, or an error.',
    accepts: is.oneOf('null', 'string', 'error'),
  },
} satisfies Record<keyof JsonValueWriteOptions, OptionEntry>
