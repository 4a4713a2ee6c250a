/** What the JSONL reader can be told. */
import { is, type OptionEntry } from '../../core/options.ts'

/**
 * How JSONL is read. A record is one line: a JSON value (RFC 8259) up to a line feed, with or without a carriage return
 * before it; the last line needs none. A byte order mark at the start is dropped. Lines that are empty or hold only
 * JSON whitespace are skipped, and counted as lines. What `JSON.parse` makes of a line is the row: of duplicate keys
 * the last one wins, a lone surrogate escape such as `"\ud800"` stays one, `__proto__` is a key as any other. Arrays
 * are rows of values.
 */
export interface JsonlReadOptions {
  /**
   * Most bytes in one line, its line end not counted. A longer one ends the reading with `RECORD_TOO_LARGE`, which cannot
   * be skipped: this is what bounds memory. Default 16777216 (16 MiB).
   */
  readonly maxRecordBytes?: number | undefined
  /**
   * What becomes of integers beyond ±(2^53 − 1), which a JavaScript number cannot hold exactly:
   *
   * - `'auto'` (default): a `BigInt`. Integers within the range are numbers. Nothing is rounded.
   * - `'string'`: their digits, as text.
   * - `'number'`: the nearest number, as `JSON.parse` does.
   * - `'error'`: the line is an error, `JSON_UNSAFE_INTEGER`.
   *
   * An integer is a number that is written without fraction and exponent. All others (`1.5`, `1.0`, `1e3`) are read as
   * the nearest IEEE double, whatever is set here; beyond all doubles (`1e400`) that is `Infinity`, as of `JSON.parse`.
   */
  readonly bigint?: 'auto' | 'string' | 'number' | 'error' | undefined
  /**
   * Bytes that are not UTF-8: `'raise'` (default) makes the line an error, `TEXT_INVALID_UTF8`; `'replace'` reads
   * U+FFFD in their place.
   */
  readonly encodingErrors?: 'raise' | 'replace' | undefined
  /**
   * A key. A line that holds a text, a number, `true`, `false` or `null` becomes a row with its value under this key:
   * `wrapValues: 'value'` reads `42` as `{ value: 42 }`. Default: none; such a line is an error, `JSON_NOT_A_ROW`.
   */
  readonly wrapValues?: string | undefined
}

export const JSONL_READ_OPTIONS = {
  maxRecordBytes: {
    type: 'a positive integer',
    default: '16777216',
    means: 'Most bytes in one line; a longer one ends the reading with RECORD_TOO_LARGE.',
    accepts: is.integer(1),
  },
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
    means: 'Makes a row { key: value } of a line that holds neither an object nor an array; without it, an error.',
    accepts: is.string,
  },
} as const satisfies Record<keyof JsonlReadOptions, OptionEntry>
