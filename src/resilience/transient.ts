/** Which failures may be gone the next time, and how long the other side asks to be left alone. */
import { OpenIterableError } from '../core/errors.ts'

/** Status codes of HTTP that are worth another try. */
export const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/** Codes of Node and undici for a connection that failed or broke, or a name server that had no answer just now. */
export const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP2_GOAWAY_SESSION',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
])

/** What TLS says when a byte has changed on its way. */
const BYTES_CHANGED = /^ERR_SSL_.*BAD_RECORD_MAC$/

/** Causes that are looked at, one inside the other; more is a circle. */
const MAX_CAUSES = 8

/**
 * Whether an error, or what caused it, is a status code of `TRANSIENT_STATUSES`, a failed or broken connection, or a
 * TIMEOUT of this library. A status decides alone: a 404 is not retried, whatever lies beneath. An abort is never
 * transient.
 */
export function isTransient(error: unknown): boolean {
  for (const cause of causes(error)) {
    if (cause instanceof Error && cause.name === 'AbortError') return false
    const status = statusOf(cause)
    if (status !== undefined) return TRANSIENT_STATUSES.has(status)
    const { code } = cause as { readonly code?: unknown }
    if (typeof code === 'string' && (TRANSIENT_CODES.has(code) || BYTES_CHANGED.test(code))) return true
    if (cause instanceof OpenIterableError && cause.code === 'TIMEOUT') return true
    // Several addresses of a name were tried, and all failed.
    if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.every(isTransient)
  }
  return false
}

/** The status code of HTTP that an error carries, as fetch wrappers and the AWS SDK put it. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { status, statusCode, $metadata, response } = error as Record<string, unknown>
  return [
    status,
    statusCode,
    ($metadata as Record<string, unknown> | undefined)?.httpStatusCode,
    (response as Record<string, unknown> | undefined)?.status,
  ].find((value): value is number => Number.isInteger(value))
}

/**
 * How long the other side asks to wait (`Retry-After`, in seconds or as a date), in milliseconds; `undefined` where it
 * does not. Looks at `retryAfterMs`, `headers`, `response.headers` and `$response.headers` of the error and its causes.
 *
 * @param wallClockMs Now, in milliseconds since 1970, for dates.
 */
export function retryAfterMsOf(error: unknown, wallClockMs: number = Date.now()): number | undefined {
  for (const cause of causes(error)) {
    const { retryAfterMs, headers, response, $response } = cause as Record<string, unknown>
    if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return retryAfterMs
    for (const place of [headers, headersOf(response), headersOf($response)]) {
      const value = headerOf(place, 'retry-after')
      const delay = value === undefined ? undefined : parseRetryAfter(value, wallClockMs)
      if (delay !== undefined) return delay
    }
  }
  return undefined
}

/**
 * The value of a `Retry-After` header (RFC 9110, 10.2.3) in milliseconds: whole seconds, or a date. `undefined` for
 * anything else; 0 for a date that has passed.
 */
export function parseRetryAfter(value: string, wallClockMs: number = Date.now()): number | undefined {
  const text = value.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1000
  // Date.parse takes numbers for years; a date of HTTP begins with the name of a day.
  const date = /^[A-Z][a-z]{2}/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - wallClockMs)
}

function* causes(error: unknown): Iterable<object> {
  let cause = error
  for (let depth = 0; depth < MAX_CAUSES && typeof cause === 'object' && cause !== null; depth++) {
    yield cause
    cause = (cause as { readonly cause?: unknown }).cause
  }
}

const headersOf = (value: unknown): unknown => (value as { readonly headers?: unknown } | null | undefined)?.headers

function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined
  if (headers instanceof Headers) return headers.get(name) ?? undefined
  for (const [key, value] of Object.entries(headers)) {
    if (key.toLowerCase() === name && (typeof value === 'string' || typeof value === 'number')) return String(value)
  }
  return undefined
}
