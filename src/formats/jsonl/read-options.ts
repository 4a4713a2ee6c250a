/** What the JSONL reader can be told. */
import { JSON_VALUE_READ_OPTIONS, type JsonValueReadOptions } from '../../core/json-options.ts'
import { is, type OptionEntry } from '../../core/options.ts'

/**
 * How JSONL is read. A record is one line: a JSON value (RFC 8259) up to a line feed, with or without a carriage return
 * before it; the last line needs none. A byte order mark at the start is dropped. Lines that are empty or hold only
 * JSON whitespace are skipped, and counted as lines. What `JSON.parse` makes of a line is the row: of duplicate keys
 * the last one wins, a lone surrogate escape such as `"\ud800"` stays one, `__proto__` is a key as any other. Arrays
 * are rows of values.
 */
export interface JsonlReadOptions extends JsonValueReadOptions {
  /**
   * Most bytes in one line, its line end not counted. A longer one ends the reading with `RECORD_TOO_LARGE`, which cannot
   * be skipped: this is what bounds memory. Default 16777216 (16 MiB).
   */
  readonly maxRecordBytes?: number | undefined
}

export const JSONL_READ_OPTIONS = {
  maxRecordBytes: {
    type: 'a positive integer',
    default: '16777216',
    means: 'Most bytes in one line; a longer one ends the reading with RECORD_TOO_LARGE.',
    accepts: is.integer(1),
  },
  ...JSON_VALUE_READ_OPTIONS,
} as const satisfies Record<keyof JsonlReadOptions, OptionEntry>
