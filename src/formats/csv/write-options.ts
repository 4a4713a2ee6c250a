/** The options of writing CSV, and the dialect that they make. */
import { createError } from '../../core/errors.ts'
import { invalidOption, is, type OptionEntry } from '../../core/options.ts'
import { isTypes } from '../../core/typing.ts'
import { COLUMN_TYPES, type ColumnType } from '../../core/values.ts'

/** What csv-stringify's `cast` functions are told of a field. */
export interface CsvCastContext {
  /** The column's name; its index where the output has no names. */
  readonly column: string | number
  /** Whether the field is a name in the header. */
  readonly header: boolean
  /** Position in the record, from 0. */
  readonly index: number
  /** Records before this one; the header is not counted. */
  readonly records: number
}

/** Text of a field, or text with options of csv-stringify for this field alone; null and undefined: `nullText`. */
export type CsvCastResult =
  | string
  | null
  | undefined
  | {
      readonly value: string
      readonly quoted?: boolean
      readonly quoted_empty?: boolean
      readonly quoted_string?: boolean
    }

/** Turns a value of one type into the text of its field. */
export type CsvCast<T> = (value: T, context: CsvCastContext) => CsvCastResult

/** What turns values into text, by their type; each type without one is written as ever. */
export interface CsvCasts {
  /** For bigints. */
  readonly bigint?: CsvCast<bigint>
  /** For `true` and `false`. */
  readonly boolean?: CsvCast<boolean>
  /** For instances of `Date`. */
  readonly date?: CsvCast<Date>
  /** For numbers. */
  readonly number?: CsvCast<number>
  /** Objects that are not a Date: arrays and bytes too. */
  readonly object?: CsvCast<object>
  /** For texts. */
  readonly string?: CsvCast<string>
}

/** Options of writing CSV and its dialects (RFC 4180). The names are those of csv-stringify, in camel case. */
export interface CsvWriteOptions {
  /** What separates fields. Default `','`; by the file name `'\t'` for .tsv and .tab, `'|'` for .psv. */
  readonly delimiter?: string | undefined
  /** What encloses a field that needs it. `null`: nothing does, and such a field is CSV_UNWRITABLE. Default `'"'`. */
  readonly quote?: string | null | undefined
  /**
   * One character, put before a quote (and before itself) within a quoted field. Default: the quote; a quote of several
   * characters needs an escape given.
   */
  readonly escape?: string | undefined
  /**
   * What ends each record, the last one included. csv-stringify's names `'unix'`, `'windows'`, `'mac'`, `'ascii'` and
   * `'unicode'` are taken as well. Default `'\n'`.
   */
  readonly recordDelimiter?: string | undefined
  /** Whether the first record holds the column names. Without effect where rows are arrays and no columns are known. Default `true`. */
  readonly header?: boolean | undefined
  /**
   * The columns, in order. Default: those of the rows' own source where it has any, else the keys of the first batch in
   * order of appearance. A row without a value for one is written with `nullText` there.
   */
  readonly columns?: readonly string[] | undefined
  /** What becomes of a row's values in columns that the output does not have: CSV_UNKNOWN_COLUMN, or dropped. Default `'error'`. */
  readonly extraColumns?: 'error' | 'drop' | undefined
  /** Encloses every field in quotes, those of the header too; `nullText` never is, so that null differs from text. Default `false`. */
  readonly quoted?: boolean | undefined
  /**
   * Writes an empty string as `""`, so that it differs from null. Default `false` (`true` with `quoted`, `quotedString` or
   * `types`).
   */
  readonly quotedEmpty?: boolean | undefined
  /** Encloses every string in quotes, but not numbers, booleans, dates and the like. Default `false`. */
  readonly quotedString?: boolean | undefined
  /** Encloses fields that contain one of the strings or match one of the patterns. Runs on csv-stringify. Default: none. */
  readonly quotedMatch?: string | RegExp | readonly (string | RegExp)[] | undefined
  /** Begins the output with a UTF-8 byte order mark, which Excel needs to see that it is UTF-8. Default `false`. */
  readonly bom?: boolean | undefined
  /**
   * What null and undefined are written as, never in quotes unless its own characters need them. Default `''`, which is
   * also what an empty string is written as: `quotedEmpty` tells them apart. With another text, a string that equals it
   * is written in quotes.
   */
  readonly nullText?: string | undefined
  /** What `true` is written as. Default `'true'`. */
  readonly trueText?: string | undefined
  /** What `false` is written as. Default `'false'`. */
  readonly falseText?: string | undefined
  /**
   * The types of columns, by name, as for reading: what is written with them is read back with them as the same values.
   * A `Date` at midnight UTC is written as a day in a column of type `date`; any value as JSON text in one of type `json`;
   * numbers may be given as text. A row with a value that is not of its column's type is a bad row, `VALUE_TYPE_MISMATCH`.
   * Default: none; each value is written by its own type.
   */
  readonly types?: Readonly<Record<string, ColumnType>> | undefined
  /**
   * Puts `'` before text, names of columns included, that a spreadsheet would run as a formula: that begins with
   * `=`, `+`, `-` or an at sign, one of their full-width forms, tab, CR, LF or NUL. Numbers are left alone. Default `false`.
   */
  readonly escapeFormulas?: boolean | undefined
  /** Turns values into text by type, as csv-stringify's `cast` does. Runs on csv-stringify. Default: none. */
  readonly cast?: CsvCasts | undefined
  /**
   * Which implementation runs. `'native'`, the fast one, takes delimiter, quote and escape of one character each and
   * records that end in LF, CRLF or CR; `'csv-stringify'` takes all. Both write the same bytes. Default `'auto'`: native
   * where it can.
   */
  readonly engine?: 'auto' | 'native' | 'csv-stringify' | undefined
}

const isText = (value: unknown) => typeof value === 'string' && value !== ''
const isCasts = (value: unknown) =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).every(
    ([name, cast]) => CAST_TYPES.includes(name) && (cast === undefined || typeof cast === 'function'),
  )
const CAST_TYPES = ['bigint', 'boolean', 'date', 'number', 'object', 'string']

export const CSV_WRITE_OPTIONS = {
  delimiter: {
    type: 'string',
    default: "','; by the file name '\\t' for .tsv and .tab, '|' for .psv",
    means: 'What separates fields.',
    accepts: isText,
  },
  quote: {
    type: 'string | null',
    default: "'\"'",
    means: 'What encloses a field that needs it; null: such a field is an error.',
    accepts: is.any(isText, is.null),
  },
  escape: {
    type: 'one character',
    default: 'the quote',
    means: 'What is put before a quote within a quoted field.',
    accepts: value => typeof value === 'string' && value.length === 1,
  },
  recordDelimiter: {
    type: 'string',
    default: "'\\n'",
    means: "What ends each record; 'unix', 'windows', 'mac', 'ascii' and 'unicode' are names for some.",
    accepts: isText,
  },
  header: {
    type: 'boolean',
    default: 'true',
    means: 'Whether the first record holds the column names.',
    accepts: is.boolean,
  },
  columns: {
    type: 'string[]',
    default: 'those of the source of the rows, else the keys of the first batch',
    means: 'The columns, in order; a name may occur once.',
    accepts: value =>
      Array.isArray(value) && value.length > 0 && value.every(is.string) && new Set(value).size === value.length,
  },
  extraColumns: {
    type: "'error' | 'drop'",
    default: "'error'",
    means: 'What becomes of values in columns that the output does not have.',
    accepts: is.oneOf('error', 'drop'),
  },
  quoted: { type: 'boolean', default: 'false', means: 'Quotes every field but null.', accepts: is.boolean },
  quotedEmpty: {
    type: 'boolean',
    default: 'false; true with quoted, quotedString or types',
    means: 'Writes an empty string as "", so that it differs from null.',
    accepts: is.boolean,
  },
  quotedString: { type: 'boolean', default: 'false', means: 'Quotes every string.', accepts: is.boolean },
  quotedMatch: {
    type: 'string | RegExp | (string | RegExp)[]',
    default: 'none',
    means: 'Quotes fields that contain or match one of these; runs on csv-stringify.',
    accepts: value => (Array.isArray(value) ? value : [value]).every(match => isText(match) || match instanceof RegExp),
  },
  bom: { type: 'boolean', default: 'false', means: 'Begins with a UTF-8 byte order mark.', accepts: is.boolean },
  nullText: { type: 'string', default: "''", means: 'What null and undefined are written as.', accepts: is.string },
  trueText: { type: 'string', default: "'true'", means: 'What true is written as.', accepts: isText },
  falseText: { type: 'string', default: "'false'", means: 'What false is written as.', accepts: isText },
  types: {
    type: `an object: column name → ${COLUMN_TYPES.map(type => `'${type}'`).join(', ')}`,
    default: 'none',
    means: 'The types of columns; a value that is not of its type makes the row a bad one.',
    accepts: isTypes,
  },
  escapeFormulas: {
    type: 'boolean',
    default: 'false',
    means: "Puts ' before text that a spreadsheet would run as a formula.",
    accepts: is.boolean,
  },
  cast: {
    type: `{ ${CAST_TYPES.join(', ')}: function }`,
    default: 'none',
    means: 'Functions that turn values into text, by type; runs on csv-stringify.',
    accepts: isCasts,
  },
  engine: {
    type: "'auto' | 'native' | 'csv-stringify'",
    default: "'auto'",
    means: 'Which implementation runs.',
    accepts: is.oneOf('auto', 'native', 'csv-stringify'),
  },
} satisfies Record<keyof CsvWriteOptions, OptionEntry>

/** The options with their defaults filled in. */
export interface CsvWriteDialect {
  readonly engine: 'native' | 'csv-stringify'
  readonly delimiter: string
  readonly quote: string | null
  readonly escape: string
  readonly recordDelimiter: string
  readonly header: boolean
  readonly columns: readonly string[] | undefined
  readonly extraColumns: 'error' | 'drop'
  readonly quoted: boolean
  readonly quotedEmpty: boolean
  readonly quotedString: boolean
  readonly quotedMatch: readonly (string | RegExp)[]
  readonly bom: boolean
  readonly nullText: string
  readonly trueText: string
  readonly falseText: string
  readonly types: ReadonlyMap<string, ColumnType> | undefined
  readonly escapeFormulas: boolean
  readonly cast: CsvCasts | undefined
}

const NAMED_RECORD_DELIMITERS: Readonly<Record<string, string>> = {
  unix: '\n',
  windows: '\r\n',
  mac: '\r',
  ascii: '\u001e',
  unicode: '\u2028',
}

/** Fills in the defaults. Throws OPTION_INVALID for options that contradict each other. */
export function resolveCsvWriteOptions(options: CsvWriteOptions): CsvWriteDialect {
  const delimiter = options.delimiter ?? ','
  const quote = options.quote === undefined ? '"' : options.quote
  const recordDelimiter = namedRecordDelimiter(options.recordDelimiter ?? '\n')
  if (quote !== null && quote.length > 1 && options.escape === undefined) {
    throw invalidOption('escape', 'one character', undefined, `give the escape that goes with the quote ${quote}`)
  }
  const escape = options.escape ?? quote ?? '"'
  checkDistinct(delimiter, quote, escape, recordDelimiter)
  const quotes = options.quoted === true || options.quotedString === true || options.quotedEmpty === true
  if (quote === null && (quotes || options.quotedMatch !== undefined)) {
    throw createError('OPTION_INVALID', 'options ask for quoted fields, and quote: null for none', {
      hint: 'leave out quote: null, or quoted, quotedString, quotedEmpty and quotedMatch',
    })
  }
  const reason = peerReason(options, delimiter, quote, escape, recordDelimiter)
  if (options.engine === 'native' && reason !== undefined) {
    throw createError('OPTION_INVALID', `engine 'native' does not take ${reason}`, {
      hint: "leave engine out, or set engine: 'csv-stringify'",
    })
  }
  const { trueText = 'true', falseText = 'false' } = options
  if (trueText === falseText) throw invalidOption('falseText', 'another text than trueText', falseText)
  for (const [name, text] of [
    ['trueText', trueText],
    ['falseText', falseText],
  ] as const) {
    if (options[name] !== undefined && text === options.nullText) {
      throw invalidOption(name, 'another text than nullText', text)
    }
  }
  const quotedString = options.quotedString ?? false
  const quoted = options.quoted ?? false
  const match = options.quotedMatch
  return {
    engine: options.engine === 'csv-stringify' || reason !== undefined ? 'csv-stringify' : 'native',
    delimiter,
    quote,
    escape,
    recordDelimiter,
    header: options.header ?? true,
    columns: options.columns === undefined ? undefined : [...options.columns],
    extraColumns: options.extraColumns ?? 'error',
    quoted,
    quotedEmpty: options.quotedEmpty ?? (quoted || quotedString || (options.types !== undefined && quote !== null)),
    quotedString,
    quotedMatch: match === undefined ? [] : typeof match === 'string' || match instanceof RegExp ? [match] : [...match],
    bom: options.bom ?? false,
    nullText: options.nullText ?? '',
    trueText,
    falseText,
    types: options.types === undefined ? undefined : new Map(Object.entries(options.types)),
    escapeFormulas: options.escapeFormulas ?? false,
    cast: options.cast,
  }
}

const namedRecordDelimiter = (text: string): string =>
  Object.hasOwn(NAMED_RECORD_DELIMITERS, text) ? NAMED_RECORD_DELIMITERS[text]! : text

/** A dialect in which one mark cannot be told from another cannot be read back. */
function checkDistinct(delimiter: string, quote: string | null, escape: string, recordDelimiter: string): void {
  const marks: [name: string, text: string][] = [['delimiter', delimiter]]
  if (quote !== null) {
    marks.push(['quote', quote])
    if (escape !== quote) marks.push(['escape', escape])
  }
  for (const [name, text] of marks) {
    if (/[\r\n\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text)) {
      throw invalidOption(name, 'text without line ends, byte order marks and lone surrogates', text)
    }
  }
  marks.push(['recordDelimiter', recordDelimiter])
  for (const [name, text] of marks) {
    for (const [other, otherText] of marks) {
      const overlaps = name !== other && text.includes(otherText)
      // Within a quoted field a quote of several characters is told from its escape by what comes first.
      if (overlaps && !(name === 'quote' && other === 'escape')) {
        throw invalidOption(name, `text that does not contain the ${other} (${JSON.stringify(otherText)})`, text)
      }
    }
  }
}

/** What the native engine does not take, in words for a message; undefined when it takes all. */
function peerReason(
  options: CsvWriteOptions,
  delimiter: string,
  quote: string | null,
  escape: string,
  recordDelimiter: string,
): string | undefined {
  if (options.cast !== undefined) return 'cast'
  if (options.quotedMatch !== undefined) return 'quotedMatch'
  if (delimiter.length > 1) return 'a delimiter of several characters'
  if (quote !== null && quote.length > 1) return 'a quote of several characters'
  if (escape.length > 1) return 'an escape of several characters'
  if (!/^(?:\r?\n|\r)$/.test(recordDelimiter)) return `the recordDelimiter ${JSON.stringify(recordDelimiter)}`
  return undefined
}
