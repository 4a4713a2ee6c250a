/** Values of JavaScript → parameters of a statement. Nothing depends on the machine's time zone. */
import { randomUUID } from 'node:crypto'
import { types as kinds } from 'node:util'
import { CalendarDate } from '../../core/calendar-date.ts'
import { createError, excerpt } from '../../core/errors.ts'
import { arrayLiteral } from './arrays.ts'
import type { EncodedParameter } from './messages.ts'

/** Each value as the server takes it. Throws OPTION_INVALID for what has no form there. */
export function encodeParameters(values: readonly unknown[]): EncodedParameter[] {
  return values.map((value, i) => {
    try {
      return encodeParameter(value)
    } catch (error) {
      throw createError('OPTION_INVALID', `params[${i}] cannot be sent: ${(error as Error).message}`, { cause: error })
    }
  })
}

function encodeParameter(value: unknown): EncodedParameter {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  if (kinds.isAnyArrayBuffer(value)) return new Uint8Array(value)
  return textOf(value)
}

/** The text of a value; null is NULL. */
export function textOf(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'undefined':
      return null
    case 'object':
      break
    default:
      throw new TypeError(`a ${typeof value} is no value of a database`)
  }
  if (value === null) return null
  if (Array.isArray(value)) return arrayLiteral(value.map(elementOf))
  if (kinds.isDate(value)) return dateText(value)
  if (ArrayBuffer.isView(value)) return hexOf(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  if (kinds.isAnyArrayBuffer(value)) return hexOf(new Uint8Array(value))
  return jsonText(value)
}

/** JSON, with the digits of BigInts as numbers. */
export function jsonText(value: unknown): string {
  let mark: string | undefined
  const text = JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'bigint') return inner
    mark ??= `bigint ${randomUUID()} `
    return `${mark}${inner}`
  })
  return mark === undefined ? text : text.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1')
}

function elementOf(value: unknown): string | null | unknown[] {
  return Array.isArray(value) ? value.map(elementOf) : textOf(value)
}

const hexOf = (bytes: Uint8Array): string =>
  `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`

/** A day, or an instant in UTC, with all digits; years before 1 as BC. */
export function dateText(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new TypeError(`${excerpt(value)} is no date`)
  const iso = value instanceof CalendarDate ? value.toJSON() : value.toISOString()
  const [, sign, digits, rest] = /^([+-]?)(\d+)(.*)$/s.exec(iso)!
  const year = sign === '-' ? -Number(digits) : Number(digits)
  // There is no year 0: the year before 1 is 1 BC.
  const text = String(year > 0 ? year : 1 - year).padStart(4, '0')
  return `${text}${rest}${year > 0 ? '' : ' BC'}`
}
