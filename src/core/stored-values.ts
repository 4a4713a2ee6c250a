/** Stored values → values of JavaScript, so that every engine that reads a file gives the same ones. */
import { CalendarDate } from './calendar-date.ts'
import { PreciseDate } from './precise-date.ts'
import type { ValueModes } from './value-options.ts'

const DAY_MS = 86_400_000
/** A `Date` reaches this far from 1970, in days and in milliseconds. */
const MAX_DATE_DAYS = 100_000_000
const MAX_DATE_MS = MAX_DATE_DAYS * DAY_MS
const INT64_MAX = 2n ** 63n - 1n
const INT32_MAX = 2 ** 31 - 1

/** An integer of 64 bits or more. */
export function integerValue(value: bigint, mode: ValueModes['bigint']): bigint | number | string {
  if (mode === 'bigint') return value
  const number = Number(value)
  if (mode === 'number' || Number.isSafeInteger(number)) return number
  return mode === 'string' ? String(value) : value
}

/** A decimal by its digits without the point, which stands before the last `scale` of them. */
export function decimalValue(unscaled: bigint | number, scale: number, mode: ValueModes['decimals']): string | number {
  const text = decimalText(unscaled, scale)
  return mode === 'number' ? Number(text) : text
}

function decimalText(unscaled: bigint | number, scale: number): string {
  const text = String(unscaled)
  if (scale === 0) return text
  const sign = text.startsWith('-') ? '-' : ''
  const digits = (sign === '' ? text : text.slice(1)).padStart(scale + 1, '0')
  const point = digits.length - scale
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** A day by its distance from 1970-01-01. */
export function dateValue(days: number): CalendarDate | string {
  if (days <= MAX_DATE_DAYS && days >= -MAX_DATE_DAYS) return new CalendarDate(days * DAY_MS)
  if (days === INT32_MAX) return 'infinity'
  if (days === -INT32_MAX) return '-infinity'
  return farDate(days)
}

/** A timestamp by whole milliseconds from 1970 and nanoseconds from there. Not infinity. */
export function timestampValue(
  milliseconds: number,
  nanoseconds: number,
  zoned: boolean,
  mode: ValueModes['timestamps'],
): Date | string {
  if (milliseconds > MAX_DATE_MS || milliseconds < -MAX_DATE_MS) return farTimestamp(milliseconds, nanoseconds, zoned)
  if (mode === 'string') {
    const text = new PreciseDate(milliseconds, nanoseconds).toISOString()
    return zoned ? text : text.slice(0, -1)
  }
  return nanoseconds === 0 || mode === 'date' ? new Date(milliseconds) : new PreciseDate(milliseconds, nanoseconds)
}

/** A timestamp in units of which `perMillisecond` make a millisecond: 1, 1000 or 1,000,000. */
export function timestampOfUnits(
  units: bigint,
  perMillisecond: number,
  zoned: boolean,
  mode: ValueModes['timestamps'],
): Date | string {
  if (units === INT64_MAX) return 'infinity'
  if (units === -INT64_MAX) return '-infinity'
  const per = BigInt(perMillisecond)
  const rest = ((units % per) + per) % per
  const nanoseconds = Number(rest) * (1_000_000 / perMillisecond)
  return timestampValue(Number((units - rest) / per), nanoseconds, zoned, mode)
}

/** A time of day, `12:34:56`, with as many digits of the second as it takes: none, three, six or nine. */
export function timeText(nanoseconds: bigint): string {
  const seconds = Number(nanoseconds / 1_000_000_000n)
  const two = (n: number) => String(n).padStart(2, '0')
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return clock + fractionText(nanoseconds % 1_000_000_000n)
}

function fractionText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return ''
  const digits = String(nanoseconds).padStart(9, '0')
  return `.${digits.endsWith('000000') ? digits.slice(0, 3) : digits.endsWith('000') ? digits.slice(0, 6) : digits}`
}

/** An interval as an ISO 8601 duration; each of its parts has a sign of its own. */
export function intervalText(months: number, days: number, microseconds: bigint): string {
  const years = Math.trunc(months / 12)
  const parts = [part(years, 'Y'), part(months - years * 12, 'M'), part(days, 'D')].join('')
  const total = microseconds < 0n ? -microseconds : microseconds
  const sign = microseconds < 0n ? '-' : ''
  const seconds = total / 1_000_000n
  const rest = fractionText((total % 1_000_000n) * 1000n)
  const hours = seconds / 3600n
  const minutes = (seconds / 60n) % 60n
  const last = seconds % 60n
  const time = [
    hours === 0n ? '' : `${sign}${hours}H`,
    minutes === 0n ? '' : `${sign}${minutes}M`,
    last === 0n && rest === '' ? '' : `${sign}${last}${rest}S`,
  ].join('')
  return parts === '' && time === '' ? 'PT0S' : `P${parts}${time === '' ? '' : `T${time}`}`
}

const part = (value: number, unit: string): string => (value === 0 ? '' : `${value}${unit}`)

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** A UUID of 16 bytes, in the order in which it is written. */
export function uuidText(bytes: ArrayLike<number>, at = 0): string {
  let text = ''
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-'
    text += HEX[bytes[at + i]!]
  }
  return text
}

/** A map as the options want it. `keyed`: its keys are text. */
export function mapValue(
  keys: readonly unknown[],
  values: readonly unknown[],
  keyed: boolean,
  mode: ValueModes['maps'],
): object {
  if (!keyed || mode === 'entries') return keys.map((key, i) => ({ key, value: values[i] }))
  const object: Record<string, unknown> = {}
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string
    if (key === '__proto__') {
      Object.defineProperty(object, key, { value: values[i], enumerable: true, configurable: true, writable: true })
    } else object[key] = values[i]
  }
  return object
}

/** A date that no `Date` reaches, in ISO 8601 with more digits of the year. */
function farDate(days: number): string {
  // 146,097 days are 400 years, after which the calendar repeats.
  const cycles = Math.floor(days / 146_097)
  const near = new Date((days - cycles * 146_097) * DAY_MS)
  const year = near.getUTCFullYear() + cycles * 400
  const digits = String(Math.abs(year)).padStart(6, '0')
  return `${year < 0 ? '-' : '+'}${digits}${near.toISOString().slice(4, 10)}`
}

function farTimestamp(milliseconds: number, nanoseconds: number, zoned: boolean): string {
  const days = Math.floor(milliseconds / DAY_MS)
  const time = new PreciseDate(milliseconds - days * DAY_MS, nanoseconds).toISOString()
  return `${farDate(days)}${time.slice(10, zoned ? undefined : -1)}`
}
