/** What can be set when a CSV is read. */
import { is, type OptionEntry } from '../../core/options.ts'
import type { Row } from '../../core/types.ts'
import { TYPING_OPTIONS, type TypingOptions } from '../../core/typing.ts'

/** Where the record is that `onRecord` is called with. */
export interface CsvRecordInfo {
  /** Physical line on which the record begins, from 1. */
  readonly line: number
  /** Number of the data record, from 1; a header is not counted. */
  readonly record: number
}

/** Options of the CSV reader. They carry csv-parse's names, in camel case, where it has one. */
export interface CsvReadOptions extends TypingOptions {
  /**
   * What stands between two fields; several are possible. Default `','` (`'\t'` for `.tsv`, `'|'` for `.psv`). One
   * UTF-16 unit is read natively, anything else by csv-parse.
   */
  readonly delimiter?: string | readonly string[] | undefined
  /** What a field that holds delimiters or line ends is put into. Default `'"'`; `null`: nothing quotes. */
  readonly quote?: string | null | undefined
  /**
   * What makes the character after it literal inside quotes. Default: the quote, so that `""` is a quote (RFC 4180).
   * `null`: a quoted field cannot hold a quote.
   */
  readonly escape?: string | null | undefined
  /**
   * What ends a record. Default: the first line end outside quotes decides. If it is LF or CRLF, records end at LF or
   * CRLF and a bare CR is data; if it is a bare CR, they end at CR or CRLF and a bare LF is data. Given, it is taken
   * strictly: with `'\n'`, a CR before it is data.
   */
  readonly recordDelimiter?: string | readonly string[] | undefined
  /** What begins a comment that goes to the end of the line. Default: none. Read by csv-parse. */
  readonly comment?: string | undefined
  /**
   * Whether only a whole line can be a comment. Default `true`, unlike csv-parse's `comment_no_infix`: text that is cut
   * off the end of a record would be lost in silence.
   */
  readonly commentNoInfix?: boolean | undefined
  /** `ltrim` and `rtrim`. Default `false`. */
  readonly trim?: boolean | undefined
  /** Takes white space off the left of each field, outside quotes. Default `false`. Read by csv-parse. */
  readonly ltrim?: boolean | undefined
  /** Takes white space off the right of each field, outside quotes. Default `false`. Read by csv-parse. */
  readonly rtrim?: boolean | undefined
  /**
   * Reads what people really have: `relaxQuotes` and `relaxColumnCount`. Default `false`. A quote that is never closed
   * is an error nevertheless: it would swallow the rest of the input.
   */
  readonly relax?: boolean | undefined
  /**
   * Takes quotes in wrong places as text: `a "b" c` is itself, and `"a" b` keeps its quotes. Default `false`. A quote
   * that is never closed stays an error.
   */
  readonly relaxQuotes?: boolean | undefined
  /**
   * Takes records that have fewer or more fields than there are columns. Default `false`. Missing fields are `null`;
   * fields too many are kept as an array of strings under `extraKey`. Arrays (`header: false`) keep their length.
   */
  readonly relaxColumnCount?: boolean | undefined
  /** As `relaxColumnCount`, but only for too few fields. Default `false`. */
  readonly relaxColumnCountLess?: boolean | undefined
  /** As `relaxColumnCount`, but only for too many fields. Default `false`. */
  readonly relaxColumnCountMore?: boolean | undefined
  /**
   * Key of the fields too many. Default `'_extra'`; a number is added when a column has that name. Not among
   * `columns`, and left out where the `columns` option chooses columns.
   */
  readonly extraKey?: string | undefined
  /**
   * Whether a wholly empty line is passed over. Default: yes where there are two or more columns; where there is one,
   * an empty line is a record with an empty field, so that nothing is lost. `false` makes it a record in either case
   * (ragged, unless there is one column). Empty lines before a header are always passed over.
   */
  readonly skipEmptyLines?: boolean | undefined
  /** Whether a record whose fields are all empty or white space is passed over. Default `false`. */
  readonly skipRecordsWithEmptyValues?: boolean | undefined
  /** Physical line, from 1, at which the header or data begins; what comes before it is passed over. Default 1. */
  readonly fromLine?: number | undefined
  /**
   * Most bytes that a record may have, its line end included. Default 16,777,216 (16 MiB). A larger one is
   * `RECORD_TOO_LARGE`, which ends the reading whatever becomes of other bad records.
   */
  readonly maxRecordBytes?: number | undefined
  /**
   * Where the column names come from. Default `true`: the first record. An array: these, and the first record is data.
   * `false`: there are none, and each row is an array of strings.
   */
  readonly header?: boolean | readonly string[] | undefined
  /** Records that the header consists of; their parts are joined column by column. Default 1. */
  readonly headerLines?: number | undefined
  /** What stands between the parts of a name, with `headerLines` above 1. Default `' '`. Empty parts are left out. */
  readonly headerSeparator?: string | undefined
  /**
   * The columns that rows are to have, in this order. Default: all. A name that is not in the header is
   * `OPTION_INVALID`, as soon as the header is read. Records are checked as a whole nevertheless.
   */
  readonly columns?: readonly string[] | undefined
  /**
   * What becomes of column names that occur twice or are empty. Default `'rename'`: `a, a` become `a`, `a_2`, an empty
   * third one becomes `column_3`. `'error'`: `CSV_DUPLICATE_COLUMN`, `CSV_EMPTY_COLUMN`.
   */
  readonly duplicateColumns?: 'rename' | 'error' | undefined
  /**
   * What becomes of bytes that are not UTF-8. Default `'raise'`: the record is an error. `'replace'`: they become
   * U+FFFD, and byte offsets in errors later in the same 8 KiB are then approximate.
   */
  readonly encodingErrors?: 'raise' | 'replace' | undefined
  /**
   * Which implementation reads. Default `'auto'`: the native one where it can, csv-parse where only that can; the
   * reader's `engine` says which. `'native'` with an option that only csv-parse has is `OPTION_INVALID`.
   */
  readonly engine?: 'auto' | 'native' | 'csv-parse' | undefined
  /**
   * Called with each row; what it returns is the row. `null` or `undefined` leaves the row out. What it throws ends
   * the reading. Default: none.
   */
  readonly onRecord?: ((row: Row, info: CsvRecordInfo) => Row | null | undefined) | undefined
}

const text = (value: unknown) => typeof value === 'string' && value !== ''
const texts = (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(text)
const flag = (means: string): OptionEntry => ({ type: 'boolean', default: 'false', means, accepts: is.boolean })

export const CSV_READ_OPTIONS = {
  ...TYPING_OPTIONS,
  delimiter: {
    type: 'a text or an array of texts, not empty',
    default: "','",
    means: 'What stands between two fields.',
    accepts: is.any(text, texts),
  },
  quote: {
    type: 'a text that is not empty, or null',
    default: "'\"'",
    means: 'What a field with delimiters or line ends is put into; null: nothing quotes.',
    accepts: is.any(text, is.null),
  },
  escape: {
    type: 'a text that is not empty, or null',
    default: 'the quote',
    means: 'What makes the next character literal inside quotes.',
    accepts: is.any(text, is.null),
  },
  recordDelimiter: {
    type: 'a text or an array of texts, not empty',
    default: 'discovered',
    means: 'What ends a record.',
    accepts: is.any(text, texts),
  },
  comment: {
    type: 'a text that is not empty',
    default: 'none',
    means: 'What begins a comment that goes to the end of the line.',
    accepts: text,
  },
  commentNoInfix: {
    type: 'boolean',
    default: 'true',
    means: 'Whether only a whole line can be a comment.',
    accepts: is.boolean,
  },
  trim: flag('Takes white space off both sides of each field.'),
  ltrim: flag('Takes white space off the left of each field.'),
  rtrim: flag('Takes white space off the right of each field.'),
  relax: flag('relaxQuotes and relaxColumnCount.'),
  relaxQuotes: flag('Takes quotes in wrong places as text.'),
  relaxColumnCount: flag('Takes records with fewer or more fields than columns.'),
  relaxColumnCountLess: flag('Takes records with fewer fields than columns.'),
  relaxColumnCountMore: flag('Takes records with more fields than columns.'),
  extraKey: {
    type: 'a text',
    default: "'_extra'",
    means: 'Key of the fields that a relaxed record has too many.',
    accepts: is.string,
  },
  skipEmptyLines: {
    type: 'boolean',
    default: 'true with two or more columns',
    means: 'Whether a wholly empty line is passed over.',
    accepts: is.boolean,
  },
  skipRecordsWithEmptyValues: flag('Passes over records whose fields are all empty or white space.'),
  fromLine: {
    type: 'an integer from 1',
    default: '1',
    means: 'Physical line at which the header or data begins.',
    accepts: is.integer(1),
  },
  maxRecordBytes: {
    type: 'an integer from 1 to 268435456 (bytes)',
    default: '16777216',
    means: 'Most bytes that a record may have.',
    // A record's text has to fit into one string, which V8 limits to some 512 M characters.
    accepts: is.integer(1, 268_435_456),
  },
  header: {
    type: 'true, false or an array of names',
    default: 'true',
    means: 'Where the column names come from.',
    accepts: is.any(is.boolean, value => Array.isArray(value) && value.length > 0 && value.every(is.string)),
  },
  headerLines: {
    type: 'an integer from 1 to 100',
    default: '1',
    means: 'Records that the header consists of.',
    accepts: is.integer(1, 100),
  },
  headerSeparator: {
    type: 'a text',
    default: "' '",
    means: 'What stands between the parts of a name that several header records make.',
    accepts: is.string,
  },
  columns: {
    type: 'an array of column names, not empty',
    default: 'all',
    means: 'The columns that rows are to have, in this order.',
    accepts: value => Array.isArray(value) && value.length > 0 && value.every(is.string),
  },
  duplicateColumns: {
    type: "'rename' or 'error'",
    default: "'rename'",
    means: 'What becomes of column names that occur twice or are empty.',
    accepts: is.oneOf('rename', 'error'),
  },
  encodingErrors: {
    type: "'raise' or 'replace'",
    default: "'raise'",
    means: 'What becomes of bytes that are not UTF-8.',
    accepts: is.oneOf('raise', 'replace'),
  },
  engine: {
    type: "'auto', 'native' or 'csv-parse'",
    default: "'auto'",
    means: 'Which implementation reads.',
    accepts: is.oneOf('auto', 'native', 'csv-parse'),
  },
  onRecord: {
    type: 'a function',
    default: 'none',
    means: 'Called with each row; what it returns is the row, null or undefined leaves it out.',
    accepts: is.function,
  },
} satisfies Record<keyof CsvReadOptions, OptionEntry>
