/** Texts of the server, as bytes in a message, → values. Numbers and instants are read from the bytes themselves. */
import { findUnsafeIntegers, parseWithBigInts, parseWithText } from '../../core/json-integers.ts'
import { parseJson } from '../../core/json-parse.ts'
import { dateValue, integerValue, intervalText, timestampValue } from '../../core/stored-values.ts'
import type { ValueModes } from '../../core/value-options.ts'

/** A Buffer by the methods that its `toString` calls, which take half the time for short texts. */
export interface MessageBytes extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

/** The value whose text is `bytes[start, start + length)`. */
export type FieldDecoder = (bytes: MessageBytes, start: number, length: number) => unknown

const ZERO = 48
const MINUS = 45
const PLUS = 43
const POINT = 46
const COLON = 58
const SPACE = 32
const LETTER_B = 66
const LETTER_T = 116
const BACKSLASH = 92
const LETTER_X = 120
const DAY_MS = 86_400_000
/** A `Date` reaches so many days from 1970. */
const MAX_DATE_DAYS = 100_000_000
const POWERS_OF_TEN = Array.from({ length: 16 }, (_, i) => 10 ** i)

export const decodeBoolean: FieldDecoder = (bytes, start) => bytes[start] === LETTER_T

/** int2, int4, oid: what a number always holds. */
export const decodeInteger: FieldDecoder = (bytes, start, length) => {
  const end = start + length
  let at = start
  const negative = bytes[at] === MINUS
  if (negative) at++
  let value = 0
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO
    if (digit >>> 0 > 9) return bytes.utf8Slice(start, end) // no server of ours writes that
    value = value * 10 + digit
  }
  return negative ? -value : value
}

/** int8 in one of the forms that `bigint` has. */
export function bigintDecoder(mode: ValueModes['bigint']): FieldDecoder {
  if (mode === 'bigint') return (bytes, start, length) => BigInt(bytes.latin1Slice(start, start + length))
  return (bytes, start, length) =>
    length <= 15
      ? decodeInteger(bytes, start, length)
      : integerValue(BigInt(bytes.latin1Slice(start, start + length)), mode)
}

/** float4, float8, and numeric where the nearest number is wanted: with NaN and the infinities. */
export const decodeNumber: FieldDecoder = (bytes, start, length) => {
  const end = start + length
  let at = start
  const negative = bytes[at] === MINUS
  if (negative) at++
  // Up to 15 digits a decimal is one division of two exact doubles.
  if (end - at <= 16) {
    let point = -1
    let mantissa = 0
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO
      if (digit >>> 0 <= 9) mantissa = mantissa * 10 + digit
      else if (digit === POINT - ZERO && point < 0) point = at
      else break
    }
    if (at === end && (point >= 0 || length <= 15)) {
      const value = point < 0 ? mantissa : mantissa / POWERS_OF_TEN[end - point - 1]!
      return negative ? -value : value
    }
  }
  return Number(bytes.latin1Slice(start, end))
}

/** bytea, in either of the server's forms. */
export const decodeBytes: FieldDecoder = (bytes, start, length) => {
  const end = start + length
  if (bytes[start] === BACKSLASH && bytes[start + 1] === LETTER_X) {
    const value = new Uint8Array((length - 2) / 2)
    Buffer.from(value.buffer).write(bytes.latin1Slice(start + 2, end), 'hex')
    return value
  }
  const value = new Uint8Array(length)
  let size = 0
  for (let at = start; at < end; at++) {
    if (bytes[at] !== BACKSLASH) value[size++] = bytes[at]!
    else if (bytes[at + 1] === BACKSLASH) value[size++] = bytes[++at]!
    else {
      value[size++] = Number.parseInt(bytes.latin1Slice(at + 1, at + 4), 8)
      at += 3
    }
  }
  return value.slice(0, size)
}

/** json and jsonb, with integers that a number cannot hold kept as `bigint` says. */
export function jsonDecoder(mode: ValueModes['bigint']): FieldDecoder {
  return (bytes, start, length) => parseKept(bytes.utf8Slice(start, start + length), mode)
}

function parseKept(text: string, mode: ValueModes['bigint']): unknown {
  if (mode === 'number' || text.length < 16 || !/\d{16}/.test(text)) return parseJson(text)
  const places = findUnsafeIntegers(text)
  if (places.length === 0) return parseJson(text)
  return mode === 'string' ? parseWithText(text, places) : parseWithBigInts(text, places)
}

/** vector and halfvec of pgvector. */
export const decodeVector: FieldDecoder = (bytes, start, length) =>
  JSON.parse(bytes.latin1Slice(start, start + length)) as number[]

/** date: a day, or the server's text for infinity. */
export const decodeDate: FieldDecoder = (bytes, start, length) => {
  const end = start + length
  const day = dayAt(bytes, start, end)
  if (day === undefined) return bytes.latin1Slice(start, end)
  return dateValue(day)
}

/** timestamp and timestamptz in the style ISO; anything else stays the server's text. */
export function timestampDecoder(zoned: boolean, mode: ValueModes['timestamps']): FieldDecoder {
  return (bytes, start, length) => {
    const end = start + length
    const day = dayAt(bytes, start, end)
    if (day === undefined) return bytes.latin1Slice(start, end)
    let at = start
    while (bytes[at] !== SPACE && at < end) at++
    const hour = twoDigits(bytes, at + 1)
    const minute = twoDigits(bytes, at + 4)
    let second = twoDigits(bytes, at + 7)
    at += 9
    let nanoseconds = 0
    if (bytes[at] === POINT) {
      let scale = 100_000_000
      for (at++; at < end; at++) {
        const digit = bytes[at]! - ZERO
        if (digit >>> 0 > 9) break
        nanoseconds += digit * scale
        scale /= 10
      }
    }
    const sign = bytes[at]
    if (sign === PLUS || sign === MINUS) {
      let offset = twoDigits(bytes, at + 1) * 3600
      at += 3
      for (let unit = 60; bytes[at] === COLON; unit = 1, at += 3) offset += twoDigits(bytes, at + 1) * unit
      second += sign === PLUS ? -offset : offset
    }
    const fine = nanoseconds % 1_000_000
    const ofDay = (hour * 3600 + minute * 60 + second) * 1000 + (nanoseconds - fine) / 1_000_000
    // So far off that milliseconds are no whole numbers any more.
    if (day > MAX_DATE_DAYS) return farTimestamp(day, ofDay, fine, zoned)
    return timestampValue(day * DAY_MS + ofDay, fine, zoned, mode)
  }
}

function farTimestamp(day: number, ofDay: number, fine: number, zoned: boolean): string {
  const over = Math.floor(ofDay / DAY_MS)
  const time = timestampValue(ofDay - over * DAY_MS, fine, zoned, 'string') as string
  return `${dateValue(day + over)}${time.slice(time.indexOf('T'))}`
}

/** interval in the style postgres, as an ISO 8601 duration; of other styles the server's text. */
export const decodeInterval: FieldDecoder = (bytes, start, length) => {
  const text = bytes.latin1Slice(start, start + length)
  const match = INTERVAL.exec(text)
  if (match === null || text === '') return text
  const [, years = 0, months = 0, days = 0, sign, hours = 0, minutes = 0, seconds = 0, fraction = ''] = match
  const whole = (BigInt(hours) * 60n + BigInt(minutes)) * 60n + BigInt(seconds)
  const microseconds = whole * 1_000_000n + BigInt(fraction.padEnd(6, '0') || 0)
  return intervalText(Number(years) * 12 + Number(months), Number(days), sign === '-' ? -microseconds : microseconds)
}
const INTERVAL =
  /^(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?(?:([+-]?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?)?$/

/** Days from 1970-01-01 to the date that begins at `start`, and may end in BC; undefined where there is none. */
function dayAt(bytes: MessageBytes, start: number, end: number): number | undefined {
  let at = start
  let year = 0
  for (; at < end && bytes[at] !== MINUS; at++) {
    const digit = bytes[at]! - ZERO
    if (digit >>> 0 > 9) return undefined // infinity, or another DateStyle
    year = year * 10 + digit
  }
  if (at - start < 4) return undefined
  const month = twoDigits(bytes, at + 1)
  const day = twoDigits(bytes, at + 4)
  // There is no year 0: the year before 1 is 1 BC.
  if (bytes[end - 2] === LETTER_B) year = 1 - year
  // Years that begin in March, so that a leap day is the last of its year.
  const y = month > 2 ? year : year - 1
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5)
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear + day - 719_469
}

const twoDigits = (bytes: MessageBytes, at: number): number => (bytes[at]! - ZERO) * 10 + bytes[at + 1]! - ZERO
