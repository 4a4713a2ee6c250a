/** The options of writing JSON Lines. */
import { is, type OptionEntry } from '../../core/options.ts'

/** Options of writing JSON Lines (one JSON value a line, each ended by a line feed). */
export interface JsonlWriteOptions {
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

export const JSONL_WRITE_OPTIONS = {
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
} satisfies Record<keyof JsonlWriteOptions, OptionEntry>
