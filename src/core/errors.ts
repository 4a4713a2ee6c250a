/** The errors of this library, with the place and what to do next, and what their messages are made of. */
import { ERRORS, type ErrorCode, type ErrorEntry } from './error-codes.ts'

export type { ErrorCode } from './error-codes.ts'

/** Where, and what instead of what. Lines, columns and records count from 1; bytes from 0, after decompression. */
export interface ErrorDetails {
  /** The place: a path or URL, without credentials. */
  readonly label?: string | undefined
  /** Physical line, also after fields that hold line breaks. */
  readonly line?: number | undefined
  /** Character (UTF-16 unit) in the line. */
  readonly column?: number | undefined
  /** Offset in the decoded bytes. */
  readonly byte?: number | undefined
  /** The record's number; a CSV header is not counted. */
  readonly record?: number | undefined
  /** What should have been there. */
  readonly expected?: string | undefined
  /** What was there, cut where it is long. */
  readonly found?: string | undefined
  /** What to do next. */
  readonly hint?: string | undefined
  /** The error that led to this one. */
  readonly cause?: unknown
}

/** The base of all errors of this library: `code`, the place, expected and found, what to do next, and a `cause`. */
export class OpenIterableError extends Error {
  /** Stable: programs may rely on it. One of `ERRORS`. */
  readonly code: ErrorCode
  /** The place: a path or URL, without credentials. */
  readonly label: string | undefined
  /** Physical line, from 1, also after fields that hold line breaks. */
  readonly line: number | undefined
  /** Character (UTF-16 unit) in the line, from 1. */
  readonly column: number | undefined
  /** Offset in the decoded bytes, from 0. */
  readonly byte: number | undefined
  /** The record's number, from 1; a CSV header is not counted. */
  readonly record: number | undefined
  /** What should have been there. */
  readonly expected: string | undefined
  /** What was there, cut where it is long. */
  readonly found: string | undefined
  /** What to do next; it ends the message, too. */
  readonly hint: string | undefined

  constructor(code: ErrorCode, summary: string, details: ErrorDetails = {}) {
    const entry: ErrorEntry = ERRORS[code]
    const hint = details.hint ?? entry.hint
    const label = details.label === undefined ? undefined : redact(details.label)
    const place = [label, details.line, details.line === undefined ? undefined : details.column]
      .filter(part => part !== undefined)
      .join(':')
    super(
      `${place === '' ? '' : `${place} `}[${code}] ${summary}${hint === undefined ? '' : `; ${hint}`}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.code = code
    this.label = label
    this.line = details.line
    this.column = details.column
    this.byte = details.byte
    this.record = details.record
    this.expected = details.expected
    this.found = details.found
    this.hint = hint
  }
}
// On the prototype, so that `name` is not printed as a field of each error.
Object.defineProperty(OpenIterableError.prototype, 'name', { value: 'OpenIterableError', configurable: true })

/** Wrong use: an option or a target that cannot be. Raised before anything is opened. */
export class OptionError extends OpenIterableError {}
/** A call that the handle's state does not allow. */
export class StateError extends OpenIterableError {}
/** A place could not be read. */
export class SourceError extends OpenIterableError {}
/** A place could not be written. */
export class SinkError extends OpenIterableError {}
/** Compressed data is cut short or damaged. */
export class CodecError extends OpenIterableError {}
/** A record could not become a row, or a row could not become a record. */
export class DataError extends OpenIterableError {}
/** Waiting was given up: a time limit, an open circuit, a pool without a free resource. */
export class LimitError extends OpenIterableError {}

for (const type of [OptionError, StateError, SourceError, SinkError, CodecError, DataError, LimitError]) {
  Object.defineProperty(type.prototype, 'name', { value: type.name, configurable: true })
}

const CLASSES = {
  option: OptionError,
  state: StateError,
  source: SourceError,
  sink: SinkError,
  codec: CodecError,
  data: DataError,
  limit: LimitError,
} as const

type ClassOf<C extends ErrorCode> = InstanceType<(typeof CLASSES)[(typeof ERRORS)[C]['kind']]>

/** Makes the error of a code, of the class that the code belongs to. `summary` says what happened, without the place. */
export function createError<C extends ErrorCode>(code: C, summary: string, details?: ErrorDetails): ClassOf<C> {
  return new CLASSES[ERRORS[code].kind](code, summary, details) as ClassOf<C>
}

/** Takes user, password and the values of query parameters out of anything that looks like a URL. */
export function redact(label: string): string {
  if (!label.includes('://')) return label
  return label.replace(/^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?/i, '$1').replace(/([?&][^=&#]+=)[^&#]*/g, '$1…')
}

/** A value for a message: short, on one line. */
export function excerpt(value: unknown, max = 60): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > max ? `${text.slice(0, max - 1)}…` : text
}

/** The candidate nearest to what was written, if any is near enough to be meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      current[j] = Math.min(previous[j]! + 1, current[j - 1]! + 1, previous[j - 1]! + same)
    }
    previous = current
  }
  return previous[b.length]!
}
