/** What reports and tables can be told. */
import { is, type OptionEntry } from '../core/options.ts'

/** Options of `toHtmlReport`. */
export interface ReportOptions {
  /** Default: the name of what was profiled. */
  readonly title?: string | undefined
}

/** Options of `toHTML` and `toMarkdown`. */
export interface TableOptions {
  /** The columns, in this order. Default: all that rows have; of a stream those of its first 1000 rows. */
  readonly columns?: readonly string[] | undefined
  /** Most rows; a line behind the table says how many more there are. Default: all. */
  readonly maxRows?: number | undefined
  /** Most characters of a cell; longer ones end in `…`. Default: all. */
  readonly maxCharacters?: number | undefined
  /** Calls it off: the call rejects with `signal.reason`. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/** The options of `toHtmlReport`, declared for checks and docs. */
export const REPORT_OPTIONS = {
  title: { type: 'string', default: 'the name of what was profiled', means: 'What stands above.', accepts: is.string },
} satisfies Record<keyof ReportOptions, OptionEntry>

/** The options of `toHTML` and `toMarkdown`, declared for checks and docs. */
export const TABLE_OPTIONS = {
  columns: {
    type: 'string[]',
    default: 'all that rows have',
    means: 'The columns, in this order.',
    accepts: is.arrayOf(is.string),
  },
  maxRows: { type: 'integer from 0', default: 'all', means: 'Most rows.', accepts: is.integer(0) },
  maxCharacters: {
    type: 'integer from 1',
    default: 'all',
    means: 'Most characters of a cell.',
    accepts: is.integer(1),
  },
  signal: {
    type: 'AbortSignal',
    default: 'none',
    means: 'Gives the table up.',
    accepts: is.signal,
  },
} satisfies Record<keyof TableOptions, OptionEntry>
