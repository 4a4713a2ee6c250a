/** What the reader and the writer of fixed-width text can be told. */
import { is, type OptionEntry } from '../../core/options.ts'
import { TYPING_OPTIONS, type TypingOptions } from '../../core/typing.ts'

/** A column. Its width counts characters (Unicode code points), however wide they look. */
export interface FixedField {
  /** The name of the column. */
  readonly name: string
  /** Characters (Unicode code points), from 1. */
  readonly width: number
  /** On which side a value stands when it is written. Default `'left'`. */
  readonly align?: 'left' | 'right' | undefined
}

/**
 * How fixed-width text is read: lines end with LF or CRLF, empty ones are skipped, a byte order mark is dropped, and
 * values are text unless `cast` or `types` say otherwise. Blanks behind the last column are no data, and the last field may end early, as trailing blanks are
 * often cut off; any other line of the wrong length is an error.
 */
export interface FixedReadOptions extends Omit<TypingOptions, 'quotedNulls'> {
  /**
   * The columns from left to right, one directly behind the other. The first line is then data, unless `header: true`.
   * Default: `widths`, or guessed.
   */
  readonly fields?: readonly FixedField[] | undefined
  /**
   * The widths only, in characters. Without `fields` and `widths` the columns are guessed: they are what the first 1000
   * lines have between columns of blanks. Text of a later line that is between them is an error. Default: none.
   */
  readonly widths?: readonly number[] | undefined
  /**
   * Where the names come from: the first line (`true`, the default without `fields`), or this list; `false`: rows are
   * arrays. With `fields`, `true` means that the first line must have their names.
   */
  readonly header?: boolean | readonly string[] | undefined
  /** Whether blanks around a value are taken off. Default `true`. */
  readonly trim?: boolean | undefined
  /**
   * Takes lines of any length: fields that are missing are `null`, text behind the last column is kept under `_extra`, and
   * text between guessed columns belongs to the one before it. Default `false`.
   */
  readonly relax?: boolean | undefined
  /** Most bytes in one line; a longer one ends the reading with `RECORD_TOO_LARGE`. Default 16777216 (16 MiB). */
  readonly maxRecordBytes?: number | undefined
  /** Bytes that are not UTF-8: an error of the line (`'raise'`, default), or U+FFFD in their place (`'replace'`). */
  readonly encodingErrors?: 'raise' | 'replace' | undefined
}

/** How fixed-width text is written. Null and undefined are blanks, dates ISO 8601, bytes base64, objects JSON. */
export interface FixedWriteOptions {
  /** The columns from left to right. Default: those of the first 1000 rows, as wide as their longest value, a blank apart. */
  readonly fields?: readonly FixedField[] | undefined
  /** The widths only; the names are those of the first row. Default: `fields`. */
  readonly widths?: readonly number[] | undefined
  /** Whether the first line has the names. Default: `false` with `fields`, else `true`. */
  readonly header?: boolean | undefined
  /**
   * A value that is longer than its column, or has blanks around it, which reading takes off: an error, `FIXED_UNWRITABLE`
   * (`'error'`, default), or what does not fit is cut off (`'truncate'`).
   */
  readonly overflow?: 'error' | 'truncate' | undefined
}

const isWidth = is.integer(1, 1 << 20)
const isNonEmpty = (value: unknown) => Array.isArray(value) && value.length > 0
const isField = (value: unknown) => {
  const { name, width, align } = (value ?? {}) as Partial<FixedField>
  return typeof name === 'string' && isWidth(width) && is.oneOf(undefined, 'left', 'right')(align)
}
const COLUMN_OPTIONS = {
  fields: {
    type: "{ name, width, align?: 'left' | 'right' }[]",
    default: 'none',
    means: 'The columns from left to right; widths in characters (code points).',
    accepts: value =>
      isNonEmpty(value) &&
      is.arrayOf(isField)(value) &&
      new Set((value as FixedField[]).map(field => field.name)).size === (value as FixedField[]).length,
  },
  widths: {
    type: 'an array of integers from 1, not empty',
    default: 'none',
    means: 'The widths of the columns; without fields and widths they are found from the first 1000 lines or rows.',
    accepts: value => isNonEmpty(value) && is.arrayOf(isWidth)(value),
  },
} as const satisfies Record<string, OptionEntry>

const { quotedNulls: _, ...TYPING } = TYPING_OPTIONS

export const FIXED_READ_OPTIONS = {
  ...COLUMN_OPTIONS,
  ...TYPING,
  header: {
    type: 'true, false or an array of names',
    default: 'true without fields',
    means: 'Where the names come from: the first line, or this list; false: rows are arrays.',
    accepts: is.any(is.boolean, is.arrayOf(is.string)),
  },
  trim: {
    type: 'boolean',
    default: 'true',
    means: 'Whether blanks around a value are taken off.',
    accepts: is.boolean,
  },
  relax: {
    type: 'boolean',
    default: 'false',
    means: 'Takes lines of any length: missing fields are null, what is too much is kept under _extra.',
    accepts: is.boolean,
  },
  maxRecordBytes: {
    type: 'an integer from 1 to 268435456',
    default: '16777216',
    means: 'Most bytes in one line; a longer one ends the reading with RECORD_TOO_LARGE.',
    accepts: is.integer(1, 2 ** 28),
  },
  encodingErrors: {
    type: "'raise' or 'replace'",
    default: "'raise'",
    means: 'Bytes that are not UTF-8: an error, or U+FFFD in their place.',
    accepts: is.oneOf('raise', 'replace'),
  },
} as const satisfies Record<keyof FixedReadOptions, OptionEntry>

export const FIXED_WRITE_OPTIONS = {
  ...COLUMN_OPTIONS,
  header: {
    type: 'boolean',
    default: 'true without fields',
    means: 'Whether the first line has the names.',
    accepts: is.boolean,
  },
  overflow: {
    type: "'error' or 'truncate'",
    default: "'error'",
    means: 'A value that is longer than its column, or has blanks around it: an error, or cut off.',
    accepts: is.oneOf('error', 'truncate'),
  },
} as const satisfies Record<keyof FixedWriteOptions, OptionEntry>
