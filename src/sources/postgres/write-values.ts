/** Values of JavaScript → the texts that a column of a table takes. Nothing depends on the machine's time zone. */
import { types as kinds } from 'node:util'
import { CalendarDate } from '../../core/calendar-date.ts'
import { findUnsafeIntegers, parseWithBigInts } from '../../core/json-integers.ts'
import { PreciseDate } from '../../core/precise-date.ts'
import { UnwritableValue } from '../../core/unwritable.ts'
import { arrayLiteral } from './arrays.ts'
import { jsonText, textOf } from './parameters.ts'

/** What a column takes, as far as it matters for the form of a value. */
export type ValueKind = 'json' | 'date' | 'timestamp' | 'bytes' | 'vector' | 'text' | 'other'

/** How values of a column are written. */
export interface ValueForm {
  readonly kind: ValueKind
  /** Of an array: what its elements are. */
  readonly element?: ValueKind | undefined
  /** Of JSON: whether texts are values of JSON, or the text of a JSON document. */
  readonly textIsValue?: boolean | undefined
  /** Whether texts, or those in arrays, are JSON of other values: as a file has values of several types in a column. */
  readonly jsonText?: 'values' | 'items' | undefined
}

const JSON_TYPES = new Set(['json', 'jsonb'])
const VECTOR_TYPES = new Set(['vector', 'halfvec'])
const TEXT_TYPES = new Set(['text', 'varchar', 'bpchar', 'citext', 'name'])

/** The kind of a type, by its name in the catalog. */
export function kindOfType(name: string | null | undefined): ValueKind {
  if (name === null || name === undefined) return 'other'
  if (JSON_TYPES.has(name)) return 'json'
  if (VECTOR_TYPES.has(name)) return 'vector'
  if (TEXT_TYPES.has(name)) return 'text'
  if (name === 'bytea') return 'bytes'
  if (name === 'timestamp' || name === 'timestamptz') return 'timestamp'
  return name === 'date' ? 'date' : 'other'
}

const DAY_MS = 86_400_000
/** What a text in COPY cannot have as it is, and halves of surrogate pairs, which UTF-8 has no form for. */
const SPECIAL = /[\0\t\n\r\\\ud800-\udfff]/
const LONE_SURROGATE = /\p{Surrogate}/u
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

/** The text of a value in COPY's text format; `\N` is NULL. Throws UnwritableValue. */
export function copyField(value: unknown, form: ValueForm): string {
  switch (typeof value) {
    case 'number':
      if (form.kind === 'json') break
      // Only here: a text of digits has nothing to escape.
      return value === 0 && Object.is(value, -0) ? '-0' : `${value}`
    case 'string':
      if (form.kind !== 'text' && mayBeOurs(value, form)) break
      return SPECIAL.test(value) ? escaped(value) : value
    case 'boolean':
      return value ? 'true' : 'false'
    case 'undefined':
      return '\\N'
    default:
  }
  const text = fieldText(value, form)
  if (text === null) return '\\N'
  return SPECIAL.test(text) ? escaped(text) : text
}

function escaped(text: string): string {
  checkText(text)
  return text.replace(/[\\\t\n\r]/g, character => ESCAPES[character]!)
}

/** The text of a value as a parameter; null is NULL. Throws UnwritableValue. */
export function parameterText(value: unknown, form: ValueForm): string | null {
  const text = fieldText(value, form)
  if (text !== null) checkText(text)
  return text
}

function checkText(text: string): void {
  if (text.includes('\0')) throw new UnwritableValue('text with a zero character, which Postgres cannot store')
  if (LONE_SURROGATE.test(text)) throw new UnwritableValue('text with half of a surrogate pair, which is no character')
}

/** Whether a text may be one that stands for another value, in the form that writers of this library give it. */
function mayBeOurs(text: string, { kind, element, textIsValue, jsonText }: ValueForm): boolean {
  if (jsonText === 'values' && kind !== 'json') return true
  if (kind === 'other') return element !== undefined && text.startsWith('[')
  if (kind === 'json') return textIsValue === true
  if (kind === 'date' || kind === 'timestamp') return text.startsWith('-') || text.startsWith('+')
  return kind === 'bytes'
}

function fieldText(value: unknown, form: ValueForm): string | null {
  if (value === null || value === undefined) return null
  try {
    const isJson = form.jsonText === 'values' && form.kind !== 'json' && form.kind !== 'text'
    const given = isJson && typeof value === 'string' ? outOfJson(value) : value
    if (given === null || form.element === undefined) return given === null ? null : scalarText(given, form)
    return arrayText(given, form.element, form.jsonText === 'items')
  } catch (error) {
    if (error instanceof UnwritableValue) throw error
    throw new UnwritableValue((error as Error).message, undefined, error)
  }
}

function scalarText(value: unknown, { kind, textIsValue }: ValueForm): string | null {
  if (kind === 'json') return typeof value === 'string' && textIsValue !== true ? value : documentText(value)
  if (kind === 'bytes' && typeof value === 'string') return bytesOfText(value)
  if ((kind === 'date' || kind === 'timestamp') && typeof value === 'string') return eraText(value)
  if (kind === 'vector' && typeof value === 'object') return JSON.stringify([...(value as Iterable<number>)])
  if (kinds.isDate(value)) checkDate(value, kind)
  if (kind === 'text' && typeof value === 'object' && !kinds.isDate(value) && !isBytes(value))
    return documentText(value)
  return textOf(value)
}

/** The text of what a text of JSON says: that of numbers, with all their digits, is its own. */
function outOfJson(text: string): string | null {
  if (text === 'null') return null
  if (!text.startsWith('"')) return text
  try {
    return String(JSON.parse(text))
  } catch {
    return text
  }
}

function arrayText(given: unknown, element: ValueKind, areJson: boolean): string | null {
  const value = typeof given === 'string' ? arrayOfText(given) : given
  if (!Array.isArray(value))
    return kinds.isTypedArray(value) && !isBytes(value)
      ? arrayText([...(value as Iterable<number>)], element, areJson)
      : textOf(value)
  const isDocument = areJson && element === 'json'
  const form: ValueForm = { kind: element, textIsValue: !isDocument }
  const items = (all: readonly unknown[], inJson: boolean): (string | null | unknown[])[] =>
    all.map(one => {
      const item = inJson && !isDocument && typeof one === 'string' ? valueOfJson(one) : one
      if (item === null || item === undefined) return null
      // Arrays within an array of JSON are documents; everywhere else they are another dimension.
      const isDimension = Array.isArray(item) && element !== 'json' && element !== 'vector'
      return isDimension ? items(item, false) : scalarText(item, form)
    })
  return arrayLiteral(items(value, areJson))
}

/** What an item of several types is that was kept as JSON: an array, or the text of a value. */
function valueOfJson(text: string): unknown {
  return text.startsWith('[') ? arrayOfText(text) : outOfJson(text)
}

/** A year of six digits and more as Postgres has it. */
function eraText(text: string): string {
  const match = /^([+-])(\d{6,})(-\d\d-\d\d.*)$/s.exec(text)
  if (match === null) return text
  const [, sign, digits, rest] = match
  // There is no year 0: the year before 1 is 1 BC.
  const year = sign === '-' ? 1 + Number(digits) : Number(digits)
  return `${String(year).padStart(4, '0')}${rest}${sign === '-' ? ' BC' : ''}`
}

/**
 * Bytes as hexadecimal digits, which the server takes as they are, or as base64, which is what text formats hold. Other
 * text the server would take for the bytes of its characters, and so base64 as well.
 */
function bytesOfText(text: string): string {
  if (text.startsWith('\\x')) return text
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) {
    throw new UnwritableValue(
      'text for a column of type bytea that is neither base64 nor \\x and hexadecimal digits',
      'write bytes: Buffer.from(text)',
    )
  }
  return `\\x${bytes.toString('hex')}`
}

/** The array that a text of JSON stands for; the text where it is none. */
function arrayOfText(text: string): unknown {
  if (!text.startsWith('[')) return text
  try {
    return parseWithBigInts(text, findUnsafeIntegers(text))
  } catch {
    return text // the bounds of an array of the server's: [0:1]={…}
  }
}

/** JSON that says all that the value does. */
function documentText(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new UnwritableValue(`${value}, which JSON does not have`)
  if (isBytes(value))
    throw new UnwritableValue('bytes, which JSON does not have', 'write them into a column of type bytea')
  if (typeof value === 'function' || typeof value === 'symbol') throw new UnwritableValue(`a ${typeof value}`)
  const text = jsonOf(value)
  if (text === undefined) throw new UnwritableValue('a value without a form in JSON')
  return text
}

/** Without a function for each value, which takes several times as long, wherever there is no bigint. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return jsonText(value)
  }
}

function checkDate(date: Date, kind: ValueKind): void {
  if (Number.isNaN(date.getTime())) throw new UnwritableValue('an invalid Date')
  if (kind === 'date' && !(date instanceof CalendarDate) && date.getTime() % DAY_MS !== 0) {
    throw new UnwritableValue(
      `${date.toISOString()}, which is an instant, into a column of type date`,
      "say which day is meant: new CalendarDate('2024-02-29')",
    )
  }
  if (date instanceof PreciseDate && date.nanoseconds % 1000 !== 0) {
    throw new UnwritableValue(
      `${date.toISOString()}, which is finer than the microseconds that Postgres keeps`,
      'round it, or write it into a column of type text',
    )
  }
}

const isBytes = (value: unknown): boolean => value instanceof Uint8Array || kinds.isAnyArrayBuffer(value)
