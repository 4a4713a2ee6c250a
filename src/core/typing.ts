/** Typed columns: what the user asks for, and what is said of values that do not fit. */
import { createError, type ErrorDetails, excerpt, nearest } from './errors.ts'
import { invalidOption, is, type OptionEntry } from './options.ts'
import { booleanParser, COLUMN_TYPES, type ColumnType, plainBoolean, type ValueParser } from './values.ts'

/** A column whose inferred type turned out to be too narrow. */
export interface Widening {
  /** What messages call the source; without credentials. */
  readonly label: string
  /** The name of the column. */
  readonly column: string
  /** The record that showed it, from 1. */
  readonly record: number
  /** The type that its values had until then. */
  readonly from: ColumnType
  /** The type that all of them have from there on. */
  readonly to: ColumnType
  /** The value, as text. */
  readonly found: string
}

/** Options of the text formats whose fields can be read as typed values. */
export interface TypingOptions {
  /**
   * Whether each column's type is inferred, from a sample. Default `false`: fields are text. A column gets a type only if
   * each value of the sample can be written back as it is read: `007`, `+1 555`, `1e400`, `0x10`, `1_000`, `NaN`, `12E4`,
   * a value with a space around it, `01/02/03` or `2023-02-31` make it text. What counts as the same: `1.50` and `1.5`,
   * `TRUE` and `true`, instants in UTC with `T` or a space and with or without seconds. Timestamps without a zone, or in
   * another one than UTC, stay text: a `Date` would not keep them.
   */
  readonly cast?: boolean | undefined
  /**
   * The types of columns, by name. A value that is not of its column's type makes the record a bad one,
   * `VALUE_TYPE_MISMATCH`. Declared types are read more widely than inferred ones: `007` and `+7` are integers, a decimal
   * is the nearest `number`, a timestamp may have any offset, or none for UTC. Columns without one are inferred with
   * `cast`, and text otherwise. Default: none.
   */
  readonly types?: Readonly<Record<string, ColumnType>> | undefined
  /**
   * How many records are looked at to infer types, but no more than 1 MiB of text; or `'full'`: all, before the first
   * row, for which the source is read twice. The first row comes when the sample is read. A column without a value in the
   * sample is text. Default 1000.
   */
  readonly scan?: number | 'full' | undefined
  /**
   * What becomes of a value, after the sample, that is not of its column's inferred type. Default `'text'`: it is given
   * as text (a number in a column of integers as a number, a large integer as a bigint), other values as before, and
   * `schema` says which type the column has now, had before, and the record that changed it. A function is told of each
   * column when that happens. `'error'`: the record is a bad one, `VALUE_TYPE_MISMATCH`.
   */
  readonly onWiden?: 'text' | 'error' | ((widening: Widening) => void) | undefined
  /**
   * The texts that mean `null`; quoted ones are text, so that `""` is an empty string. Default `''` where `cast` or
   * `types` are given, and none otherwise. `[]`: none.
   */
  readonly nullText?: string | readonly string[] | undefined
  /** Whether a quoted field can be null, too: for files that quote each field. Default `false`. */
  readonly quotedNulls?: boolean | undefined
  /** The texts that mean `true`. Default: `true`, `TRUE`, `True`. */
  readonly trueText?: string | readonly string[] | undefined
  /** The texts that mean `false`. Default: `false`, `FALSE`, `False`. */
  readonly falseText?: string | readonly string[] | undefined
}

const textOrTexts = is.any(is.string, is.arrayOf(is.string))
const someTexts = is.any(
  value => typeof value === 'string' && value !== '',
  value => Array.isArray(value) && value.length > 0 && value.every(text => typeof text === 'string' && text !== ''),
)

export const TYPING_OPTIONS = {
  cast: {
    type: 'boolean',
    default: 'false',
    means: "Infers each column's type from a sample; what could not be written back as it is stays text.",
    accepts: is.boolean,
  },
  types: {
    type: `an object: column name → ${COLUMN_TYPES.map(type => `'${type}'`).join(', ')}`,
    default: 'none',
    means: 'The types of columns; a value that is not of its type makes the record a bad one.',
    accepts: value => isTypes(value),
  },
  scan: {
    type: "an integer from 1 (records), or 'full'",
    default: '1000',
    means: 'How much is looked at to infer types: up to so many records and 1 MiB of text, or all, reading twice.',
    accepts: is.any(is.integer(1), is.oneOf('full')),
  },
  onWiden: {
    type: "'text', 'error' or a function",
    default: "'text'",
    means: 'What becomes of later values that are not of the inferred type: given as text, or bad records.',
    accepts: is.any(is.oneOf('text', 'error'), is.function),
  },
  nullText: {
    type: 'a text or an array of texts',
    default: "'' with cast or types, else none",
    means: 'The texts that mean null, where they are not quoted.',
    accepts: textOrTexts,
  },
  quotedNulls: {
    type: 'boolean',
    default: 'false',
    means: 'Whether quoted fields can be null, too.',
    accepts: is.boolean,
  },
  trueText: {
    type: 'a text or an array of texts, not empty',
    default: "'true', 'TRUE', 'True'",
    means: 'The texts that mean true.',
    accepts: someTexts,
  },
  falseText: {
    type: 'a text or an array of texts, not empty',
    default: "'false', 'FALSE', 'False'",
    means: 'The texts that mean false.',
    accepts: someTexts,
  },
} satisfies Record<keyof TypingOptions, OptionEntry>

/** Whether a value maps names to types. */
export function isTypes(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(type => COLUMN_TYPES.includes(type as ColumnType))
  )
}

/** The options with their defaults in place. */
export interface Typing {
  readonly cast: boolean
  readonly types: ReadonlyMap<string, ColumnType>
  readonly scan: number | 'full'
  readonly onWiden: 'text' | 'error' | ((widening: Widening) => void)
  readonly nullTexts: ReadonlySet<string>
  readonly quotedNulls: boolean
  readonly boolean: ValueParser
  /** What a scan of the whole input has shown. */
  readonly decided?: Decided | undefined
}

/** The types that were inferred, by position, and which columns have nulls. */
export interface Decided {
  readonly types: readonly ColumnType[]
  readonly nullable: readonly boolean[]
}

const TRUE_TEXTS = ['true', 'TRUE', 'True']
const FALSE_TEXTS = ['false', 'FALSE', 'False']

/** `null` where nothing asks for anything but text. Throws `OPTION_INVALID` for options that contradict each other. */
export function resolveTyping(options: TypingOptions): Typing | null {
  const { cast = false, types = {}, nullText, trueText, falseText } = options
  const typed = cast || options.types !== undefined
  if (!typed && (nullText === undefined || (Array.isArray(nullText) && nullText.length === 0))) return null
  const nullTexts = new Set(listOf(nullText) ?? [''])
  const trueTexts = listOf(trueText) ?? TRUE_TEXTS
  const falseTexts = listOf(falseText) ?? FALSE_TEXTS
  const both = trueTexts.find(text => falseTexts.includes(text))
  if (both !== undefined) throw invalidOption('falseText', 'texts that do not mean true', both)
  for (const [name, given] of [
    ['trueText', trueText],
    ['falseText', falseText],
  ] as const) {
    const isNull = listOf(given)?.find(text => nullTexts.has(text))
    if (isNull !== undefined) throw invalidOption(name, 'texts that do not mean null', isNull)
  }
  return {
    cast,
    types: new Map(Object.entries(types)),
    scan: options.scan ?? 1000,
    onWiden: options.onWiden ?? 'text',
    nullTexts,
    quotedNulls: options.quotedNulls ?? false,
    boolean: trueText === undefined && falseText === undefined ? plainBoolean : booleanParser(trueTexts, falseTexts),
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value
}

/** Throws `OPTION_INVALID` for a type of a column that is not there. */
export function checkTypedNames(types: Iterable<string>, columns: readonly string[], label: string): void {
  for (const name of types) {
    if (columns.includes(name)) continue
    const near = nearest(name, columns)
    const known = columns.map(column => excerpt(column)).join(', ')
    throw createError('OPTION_INVALID', `option types names ${excerpt(name)}, which is not a column`, {
      label,
      expected: `one of ${known}`,
      found: name,
      hint: near === undefined ? `the columns are: ${excerpt(known, 300)}` : `did you mean ${excerpt(near)}?`,
    })
  }
}

/** A value that is not of its column's type. */
export interface Mismatch {
  readonly column: string
  readonly expected: ColumnType
  /** The value, as a message puts it. */
  readonly found: string
}

/** The error for it; `where` goes before the rest of the message. */
export function typeMismatch({ column, expected, found }: Mismatch, place: ErrorDetails, where = ''): Error {
  const wanted = /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`
  return createError('VALUE_TYPE_MISMATCH', `${where}column ${excerpt(column)} has ${found}, expected ${wanted}`, {
    ...place,
    expected: `${wanted} in column ${excerpt(column)}`,
    found,
  })
}

/** How much text a sample may hold. */
export const MAX_SAMPLE_CHARACTERS = 1 << 20
