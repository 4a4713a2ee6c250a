/**
 * Texts → typed values, without cutting the text out first. There are two readings of most types: an exact one for types
 * that are inferred, which takes only texts that the value can be written back as, and a wider one for types that the
 * user has declared.
 */

import { CalendarDate } from './calendar-date.ts'
import { parseJson } from './json-parse.ts'

/**
 * What the values of a column are:
 *
 * - `integer`: a `number`, a whole one within ±(2^53 − 1).
 * - `number`: a finite `number`.
 * - `bigint`: a `bigint`.
 * - `decimal`: the text of a decimal number, as it stands, with all its digits.
 * - `boolean`: `true` or `false`.
 * - `date`: a `CalendarDate`, which is a `Date` at midnight UTC.
 * - `timestamp`: a `Date`, an instant to the millisecond.
 * - `json`: what the JSON text stands for.
 * - `text`: a `string`.
 */
export type ColumnType =
  | 'integer'
  | 'number'
  | 'bigint'
  | 'decimal'
  | 'boolean'
  | 'date'
  | 'timestamp'
  | 'json'
  | 'text'

export const COLUMN_TYPES: readonly ColumnType[] = [
  'integer',
  'number',
  'bigint',
  'decimal',
  'boolean',
  'date',
  'timestamp',
  'json',
  'text',
]

/** The value of `text[start, end)`; `undefined` where it is not of the type. */
export type ValueParser = (text: string, start: number, end: number) => unknown

const ZERO = 48
const MINUS = 45
const POINT = 46
const COLON = 58
const SPACE = 32
const T = 84
const LETTER_E = 101
const LOWER = 32
/** No double needs a longer text than this; what is longer is left alone. */
const MAX_NUMBER_LENGTH = 400
/** Making a bigint of very many digits takes very long. What is longer is text, or does not fit. */
const MAX_BIGINT_LENGTH = 4096
const DAY_MS = 86_400_000
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, i) => 10 ** i)

/** A safe integer, written as JavaScript writes it: no leading zeros, no plus, no `-0`. */
export function exactInteger(text: string, start: number, end: number): number | undefined {
  let at = start
  const negative = text.charCodeAt(at) === MINUS
  if (negative) at++
  const digits = end - at
  if (digits < 1 || digits > 16) return undefined
  if (text.charCodeAt(at) === ZERO) return digits === 1 && !negative ? 0 : undefined
  let value = 0
  for (; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO
    if (digit >>> 0 > 9) return undefined
    value = value * 10 + digit
  }
  if (digits === 16 && value > Number.MAX_SAFE_INTEGER) return undefined
  return negative ? -value : value
}

/** An integer of any size, written as JavaScript writes it. */
export function exactBigint(text: string, start: number, end: number): bigint | undefined {
  const small = exactInteger(text, start, end)
  if (small !== undefined) return BigInt(small)
  if (end - start > MAX_BIGINT_LENGTH) return undefined
  let at = text.charCodeAt(start) === MINUS ? start + 1 : start
  if (at >= end || text.charCodeAt(at) === ZERO) return undefined
  for (; at < end; at++) if ((text.charCodeAt(at) - ZERO) >>> 0 > 9) return undefined
  return BigInt(text.slice(start, end))
}

/**
 * A finite number that is exactly what the text says: zeros after the point aside, its shortest form has the digits of
 * the text. No leading zeros but one; an exponent only where a point or the exponent's sign shows that it is one, as
 * `12E4` may be anything.
 */
export function exactNumber(text: string, start: number, end: number): number | undefined {
  let at = start
  const negative = text.charCodeAt(at) === MINUS
  if (negative) at++
  // Up to 15 digits every decimal has a double of its own, and one division of two exact doubles finds it.
  if (end - at > 16) return longNumber(text, start, end)
  const first = at
  let point = -1
  let mantissa = 0
  for (; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO
    if (digit >>> 0 <= 9) mantissa = mantissa * 10 + digit
    else if (digit === POINT - ZERO && point < 0) point = at
    else if ((text.charCodeAt(at) | LOWER) === LETTER_E) return longNumber(text, start, end)
    else return undefined
  }
  const whole = (point < 0 ? end : point) - first
  if (whole > 1 && text.charCodeAt(first) === ZERO) return undefined
  if (point < 0) {
    if (whole < 1) return undefined
    if (whole === 16) return longNumber(text, start, end)
    return negative ? -mantissa : mantissa
  }
  const fraction = end - point - 1
  if (fraction === 0) return undefined
  const value = mantissa / POWERS_OF_TEN[fraction]!
  return negative ? -value : value
}

const DECIMAL_PARTS = /^-?(\d*)(?:\.(\d+))?(?:[eE]([+-]?)(\d+))?$/

function longNumber(text: string, start: number, end: number): number | undefined {
  if (end - start > MAX_NUMBER_LENGTH) return undefined
  const own = text.slice(start, end)
  const parts = DECIMAL_PARTS.exec(own)
  if (parts === null) return undefined
  const [, whole = '', fraction = '', sign, exponent] = parts
  if (whole + fraction === '' || (whole.length > 1 && whole.startsWith('0'))) return undefined
  if (exponent !== undefined && fraction === '' && sign === '') return undefined
  const value = Number(own)
  return Number.isFinite(value) && normalForm(own) === normalForm(`${value}`) ? value : undefined
}

/** The digits that count, and where the point is: equal for equal decimals. */
function normalForm(text: string): string {
  const [, whole = '', fraction = '', sign = '', exponent = '0'] = DECIMAL_PARTS.exec(text)!
  const digits = whole + fraction
  let first = 0
  while (digits.charCodeAt(first) === ZERO) first++
  let last = digits.length
  while (last > first && digits.charCodeAt(last - 1) === ZERO) last--
  if (first === last) return '0'
  return `${digits.slice(first, last)}e${Number(sign + exponent) + whole.length - first}`
}

/** `true` or `false`, all lower case, all upper case or with a capital. */
export function plainBoolean(text: string, start: number, end: number): boolean | undefined {
  const length = end - start
  if (length === 4) {
    if (text.startsWith('true', start) || text.startsWith('TRUE', start) || text.startsWith('True', start)) return true
  } else if (length === 5) {
    if (text.startsWith('false', start) || text.startsWith('FALSE', start) || text.startsWith('False', start)) {
      return false
    }
  }
  return undefined
}

/** A boolean by texts of the user's. */
export function booleanParser(trueTexts: readonly string[], falseTexts: readonly string[]): ValueParser {
  const values = new Map([...trueTexts.map(text => [text, true] as const), ...falseTexts.map(t => [t, false] as const)])
  const longest = Math.max(...[...values.keys()].map(text => text.length))
  return (text, start, end) => (end - start > longest ? undefined : values.get(text.slice(start, end)))
}

/** A day of the Gregorian calendar as `YYYY-MM-DD`, from the year 1 on. */
export function calendarDate(text: string, start: number, end: number): CalendarDate | undefined {
  if (end - start !== 10) return undefined
  const day = dayNumber(text, start)
  return day === undefined ? undefined : new CalendarDate(day * DAY_MS)
}

/** The days from 1970-01-01 to the date that begins at `at`. */
function dayNumber(text: string, at: number): number | undefined {
  if (text.charCodeAt(at + 4) !== MINUS || text.charCodeAt(at + 7) !== MINUS) return undefined
  const century = twoDigits(text, at)
  const yearOfCentury = twoDigits(text, at + 2)
  const month = twoDigits(text, at + 5)
  const day = twoDigits(text, at + 8)
  if (century < 0 || yearOfCentury < 0) return undefined
  const year = century * 100 + yearOfCentury
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined
  // Years that begin in March, so that a leap day is the last of its year.
  const y = month > 2 ? year : year - 1
  const dayOfYear = ((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0
  return y * 365 + ((y / 4) | 0) - ((y / 100) | 0) + ((y / 400) | 0) + dayOfYear + day - 719_469
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Two digits as a number; negative where they are not digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO
  const ones = text.charCodeAt(at + 1) - ZERO
  return tens >>> 0 > 9 || ones >>> 0 > 9 ? -1 : tens * 10 + ones
}

/** An instant in UTC: ISO 8601 with `T` or a space, ending in `Z` or a zero offset, to the millisecond. */
export function utcTimestamp(text: string, start: number, end: number): Date | undefined {
  return timestamp(text, start, end, false)
}

/** An instant with any offset; without one it is taken as UTC, so that it is the same on every machine. */
export function anyTimestamp(text: string, start: number, end: number): Date | undefined {
  return timestamp(text, start, end, true)
}

function timestamp(text: string, start: number, end: number, anyZone: boolean): Date | undefined {
  if (end - start < 16) return undefined
  const day = dayNumber(text, start)
  const between = text.charCodeAt(start + 10)
  if (day === undefined || (between !== T && between !== SPACE) || text.charCodeAt(start + 13) !== COLON)
    return undefined
  const hour = twoDigits(text, start + 11)
  const minute = twoDigits(text, start + 14)
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return undefined
  let at = start + 16
  let second = 0
  let millisecond = 0
  if (text.charCodeAt(at) === COLON && at + 3 <= end) {
    second = twoDigits(text, at + 1)
    if (second < 0 || second > 59) return undefined
    at += 3
    if (text.charCodeAt(at) === POINT && at < end) {
      const from = ++at
      for (; at < end; at++) {
        const digit = text.charCodeAt(at) - ZERO
        if (digit >>> 0 > 9) break
        const place = at - from
        if (place < 3) millisecond += digit * (place === 0 ? 100 : place === 1 ? 10 : 1)
        else if (digit !== 0) return undefined
      }
      if (at === from) return undefined
    }
  }
  const offset = zoneOffset(text, at, end)
  if (offset === undefined) {
    if (!anyZone || at !== end) return undefined
  } else if (offset !== 0 && !anyZone) return undefined
  const minutes = (day * 24 + hour) * 60 + minute - (offset ?? 0)
  return new Date((minutes * 60 + second) * 1000 + millisecond)
}

/** `Z`, `+01:30`, `+0130` or `+01`, in minutes; undefined where there is nothing of the kind up to `end`. */
function zoneOffset(text: string, at: number, end: number): number | undefined {
  const length = end - at
  const sign = text.charCodeAt(at)
  if (length === 1) return sign === 90 ? 0 : undefined
  if ((sign !== MINUS && sign !== 43) || (length !== 3 && length !== 5 && length !== 6)) return undefined
  if (length === 6 && text.charCodeAt(at + 3) !== COLON) return undefined
  const hours = twoDigits(text, at + 1)
  const minutes = length === 3 ? 0 : twoDigits(text, end - 2)
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined
  const offset = hours * 60 + minutes
  // "-00:00" says that the offset is not known (RFC 3339).
  if (sign === MINUS && offset === 0) return undefined
  return sign === MINUS ? -offset : offset
}

const INTEGER = /^[+-]?\d+$/
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

/** As `exactInteger`, with leading zeros and a plus as well. */
export function anyInteger(text: string, start: number, end: number): number | undefined {
  const exact = exactInteger(text, start, end)
  if (exact !== undefined || end === start) return exact
  const own = text.slice(start, end)
  const value = Number(own)
  if (!INTEGER.test(own) || !Number.isSafeInteger(value)) return undefined
  return value === 0 ? 0 : value
}

/** As `exactBigint`, with leading zeros and a plus as well. */
export function anyBigint(text: string, start: number, end: number): bigint | undefined {
  const exact = exactBigint(text, start, end)
  if (exact !== undefined || end === start || end - start > MAX_BIGINT_LENGTH) return exact
  const own = text.slice(start, end)
  return INTEGER.test(own) ? BigInt(own) : undefined
}

/**
 * The number nearest to a decimal. Not one that is beyond all numbers or becomes zero, and no integer that a number
 * cannot hold: that asks for `bigint` or `decimal`.
 */
export function anyNumber(text: string, start: number, end: number): number | undefined {
  const exact = exactNumber(text, start, end)
  if (exact !== undefined || end === start || end - start > MAX_BIGINT_LENGTH) return exact
  const own = text.slice(start, end)
  if (!DECIMAL.test(own)) return undefined
  const value = Number(own)
  if (!Number.isFinite(value)) return undefined
  if (value === 0) return /[1-9]/.test(own.replace(/e.*$/i, '')) ? undefined : value
  return INTEGER.test(own) && isRounded(own) ? undefined : value
}

/** The text of a decimal, as it is. */
export function decimalText(text: string, start: number, end: number): string | undefined {
  const own = text.slice(start, end)
  return DECIMAL.test(own) ? own : undefined
}

/** What JSON text stands for; not one with an integer that a number cannot hold, which would be rounded. */
export function jsonValue(text: string, start: number, end: number): unknown {
  const own = text.slice(start, end)
  try {
    const value = parseJson(own)
    return /\d{16}/.test(own) && roundsInteger(own) ? undefined : value
  } catch {
    return undefined
  }
}

/** Whether JSON has an integer that `JSON.parse` would round. */
function roundsInteger(json: string): boolean {
  const numbers = json.replace(/"(?:[^"\\]|\\.)*"/g, '').match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? []
  return numbers.some(number => INTEGER.test(number) && isRounded(number))
}

/** Whether the digits of an integer are neither the number nearest to them nor how that number is written. */
function isRounded(digits: string): boolean {
  const value = Number(digits)
  if (Number.isSafeInteger(value)) return false
  if (digits.length > MAX_BIGINT_LENGTH || !Number.isFinite(value)) return true
  return BigInt(digits) !== BigInt(value) && normalForm(digits.replace('+', '')) !== normalForm(`${value}`)
}

const EXACT: Partial<Record<ColumnType, ValueParser>> = {
  integer: exactInteger,
  number: exactNumber,
  bigint: exactBigint,
  date: calendarDate,
  timestamp: utcTimestamp,
}
const DECLARED: Partial<Record<ColumnType, ValueParser>> = {
  integer: anyInteger,
  number: anyNumber,
  bigint: anyBigint,
  decimal: decimalText,
  date: calendarDate,
  timestamp: anyTimestamp,
  json: jsonValue,
}

/** The parser of a type, by its exact or its wider reading; `null` for text, which needs none. */
export function valueParser(type: ColumnType, declared: boolean, boolean: ValueParser): ValueParser | null {
  if (type === 'boolean') return boolean
  return (declared ? DECLARED : EXACT)[type] ?? null
}
