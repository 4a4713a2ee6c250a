/** What a single value is, and what looks wrong with it. */
import { types as kinds } from 'node:util'
import { CalendarDate } from '../core/calendar-date.ts'
import { calendarDate, exactBigint, exactInteger, exactNumber, utcTimestamp, type ValueParser } from '../core/values.ts'
import { type Hash, hashNumber, hashText } from './hash.ts'
import type { FindingCode, ValueKind } from './types.ts'

/** What is known of a value; equal values have equal facts. */
export interface ValueFacts extends Hash {
  readonly kind: ValueKind
  /** The number, or the milliseconds of a date; NaN where there is none. */
  readonly number: number
  /** Code points of a text; -1 of what is none. */
  readonly characters: number
  /** Bits of `SIGNS`. */
  readonly signs: number
  /** Bytes it takes as a JavaScript value, about. */
  readonly bytes: number
}

/** What a value itself shows, in the order of the bits. */
export const SIGNS = [
  'surrounding-space',
  'blank',
  'control-characters',
  'replacement-characters',
  'invisible-characters',
  'mojibake',
  'leading-zeros',
  'formatted-numbers',
  'null-text',
  'not-finite',
  'future-dates',
] as const satisfies readonly FindingCode[]

type Sign = (typeof SIGNS)[number]
const BIT = Object.fromEntries(SIGNS.map((sign, i) => [sign, 1 << i])) as Record<Sign, number>

/** What has to be known of a column to tell what its values are. */
export interface Reading {
  /** Whether texts may stand for numbers, dates and booleans, as in CSV. */
  readonly isOpen: boolean
  /** Whether texts are decimal numbers. */
  readonly isDecimal: boolean
  /** Reads the texts that stand for booleans. */
  readonly boolean: ValueParser
  /** Milliseconds; what is later is in the future. */
  readonly now: number
}

/** The longest text that is kept whole. */
export const MAX_TEXT = 200

export function describeValue(value: unknown, reading: Reading): ValueFacts {
  switch (typeof value) {
    case 'string':
      return describeText(value, reading)
    case 'number':
      return ofNumber(value)
    case 'bigint':
      return {
        kind: 'bigint',
        number: Number(value),
        characters: -1,
        signs: 0,
        bytes: 24,
        ...hashText(String(value), 1),
      }
    case 'boolean':
      return { kind: 'boolean', number: Number.NaN, characters: -1, signs: 0, bytes: 8, ...hashNumber(value ? 1 : 2) }
    default:
      return describeObject(value, reading)
  }
}

function ofNumber(value: number): ValueFacts {
  const isFinite = Number.isFinite(value)
  return {
    kind: Number.isSafeInteger(value) ? 'integer' : 'number',
    number: isFinite ? value : Number.NaN,
    characters: -1,
    signs: isFinite ? 0 : BIT['not-finite'],
    bytes: 8,
    ...hashNumber(value),
  }
}

function describeObject(value: unknown, { now }: Reading): ValueFacts {
  const text = textOf(value)
  const hash = hashText(text, 2)
  const bytes = 32 + text.length
  if (kinds.isDate(value)) {
    const number = value.getTime()
    const signs = number > now ? BIT['future-dates'] : 0
    const kind = value instanceof CalendarDate ? 'date' : 'timestamp'
    return { kind, number, characters: -1, signs, bytes: 48, ...hash }
  }
  const kind = Array.isArray(value)
    ? 'array'
    : ArrayBuffer.isView(value) || kinds.isAnyArrayBuffer(value)
      ? 'binary'
      : typeof value === 'object'
        ? 'object'
        : 'other'
  return { kind, number: Number.NaN, characters: -1, signs: 0, bytes, ...hash }
}

/** A value as text, whole. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (kinds.isDate(value)) {
    if (Number.isNaN(value.getTime())) return 'Invalid Date'
    return value instanceof CalendarDate ? value.toString() : value.toISOString()
  }
  if (ArrayBuffer.isView(value)) {
    return `0x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  }
  if (kinds.isAnyArrayBuffer(value)) return `0x${Buffer.from(value).toString('hex')}`
  if (typeof value === 'object' && value !== null) {
    try {
      return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? 'undefined'
    } catch {
      return '[circular]'
    }
  }
  return String(value)
}

/** A text as a report shows it. */
export function shortText(text: string): string {
  if (text.length <= MAX_TEXT) return text
  const cut = text.slice(0, MAX_TEXT - 1)
  // Not within a pair of surrogates.
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`
}

function describeText(text: string, { isOpen, isDecimal, boolean, now }: Reading): ValueFacts {
  const { length } = text
  const hash = hashText(text)
  const isPlain = PLAIN.test(text)
  const bytes = 16 + (isPlain ? length : 2 * length)
  const first = text.charCodeAt(0)
  const facts = (kind: ValueKind, number: number, signs = 0): ValueFacts => ({
    kind,
    number,
    characters: length,
    signs,
    bytes,
    ...hash,
  })
  if (length === 0) return facts('text', Number.NaN)
  if (isDecimal && /^[-+.\d]/.test(text)) return facts('number', Number(text))
  const mayBeNumber = isPlain && (first - 48) >>> 0 <= 9 ? true : first === 45 || first === 46 || first === 43
  if (isOpen) {
    if (boolean(text, 0, length) !== undefined) return facts('boolean', Number.NaN)
    if (mayBeNumber) {
      const integer = exactInteger(text, 0, length)
      if (integer !== undefined) return facts('integer', integer)
      const number = exactNumber(text, 0, length)
      if (number !== undefined) return facts(/^-?\d+$/.test(text) ? 'bigint' : 'number', number)
      const bigint = exactBigint(text, 0, length)
      if (bigint !== undefined) return facts('bigint', Number(bigint))
      const time = length === 10 ? calendarDate(text, 0, length) : utcTimestamp(text, 0, length)
      if (time !== undefined) {
        const signs = time.getTime() > now ? BIT['future-dates'] : 0
        return facts(length === 10 ? 'date' : 'timestamp', time.getTime(), signs)
      }
    }
  }
  return {
    ...facts('text', Number.NaN, signsOf(text, isPlain, mayBeNumber)),
    characters: isPlain ? length : codePoints(text),
  }
}

/** ASCII that can be seen, and blanks inside. */
const PLAIN = /^[\x20-\x7e]*$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/
/** Zero width, soft hyphen, and marks that turn the direction of text around. */
const INVISIBLE = /[\u00ad\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/
/** UTF-8 that was read as Windows-1252 or Latin-1. */
const MOJIBAKE = /[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac[\u0098-\u2122]|\u00c3[\u0192\u201a]/
const LEADING_ZEROS = /^[+-]?0\d+$/
const FORMATTED = /^[-+]?(?:[$€£¥] ?)?(?:\d{1,3}(?:[,.' ]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)(?: ?[%$€£¥])?$/
const NULL_TEXTS = new Set([
  'null',
  'nil',
  'none',
  'n/a',
  '#n/a',
  'na',
  'nan',
  'undefined',
  'unknown',
  '-',
  '--',
  '?',
  '\\n',
  'missing',
  '(null)',
  '#ref!',
  '#value!',
  '#div/0!',
  '#name?',
])

function signsOf(text: string, isPlain: boolean, mayBeNumber: boolean): number {
  let signs = 0
  const trimmed = text.trim()
  if (trimmed === '') return BIT.blank
  if (trimmed.length !== text.length) signs |= BIT['surrounding-space']
  if (!isPlain) {
    if (CONTROL.test(text)) signs |= BIT['control-characters']
    if (text.includes('\ufffd')) signs |= BIT['replacement-characters']
    if (INVISIBLE.test(text)) signs |= BIT['invisible-characters']
    if (MOJIBAKE.test(text)) signs |= BIT.mojibake
  }
  if (trimmed.length <= 10 && NULL_TEXTS.has(trimmed.toLowerCase())) signs |= BIT['null-text']
  else if (mayBeNumber || /^[$€£¥]/.test(text)) {
    if (LEADING_ZEROS.test(text)) signs |= BIT['leading-zeros']
    else if (trimmed.length <= 40 && FORMATTED.test(trimmed) && !/^\d+$/.test(trimmed))
      signs |= BIT['formatted-numbers']
  }
  return signs
}

function codePoints(text: string): number {
  let count = text.length
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--
  }
  return count
}
