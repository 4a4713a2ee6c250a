/** What can be wrong with a CSV, in words. */
import { createError, excerpt } from '../../core/errors.ts'

/** Where something is. */
export interface Place {
  readonly label: string
  /** Physical line, from 1. */
  readonly line: number
  /** UTF-16 unit in the line, from 1. */
  readonly column?: number | undefined
  /** Offset in the decoded input. */
  readonly byte: number
  /** Number of the data record, from 1; none in a header. */
  readonly record?: number | undefined
  /** The error of csv-parse that told of it. */
  readonly cause?: unknown
}

export function raggedRecord(place: Place, expected: number, found: number): Error {
  return createError('CSV_RAGGED_RECORD', `expected ${fields(expected)}, found ${found}`, {
    ...place,
    expected: fields(expected),
    found: fields(found),
  })
}

const fields = (count: number) => `${count} field${count === 1 ? '' : 's'}`

export function strayQuote(place: Place, found: string): Error {
  return createError('CSV_STRAY_QUOTE', `a quote inside an unquoted field: ${excerpt(found)}`, {
    ...place,
    expected: 'a delimiter or the end of the line',
    found: excerpt(found),
  })
}

export function textAfterQuote(place: Place, found: string): Error {
  return createError('CSV_TEXT_AFTER_QUOTE', `text after a closing quote: ${excerpt(found)}`, {
    ...place,
    expected: 'a delimiter or the end of the line',
    found: excerpt(found),
  })
}

export function quoteNotClosed(place: Place): Error {
  return createError('CSV_QUOTE_NOT_CLOSED', 'the quote that opens here is never closed', {
    ...place,
    expected: 'a closing quote',
    found: 'the end of the input',
  })
}

export function invalidUtf8(place: Place): Error {
  return createError('TEXT_INVALID_UTF8', `byte ${place.byte} is not UTF-8`, {
    ...place,
    expected: 'UTF-8',
    found: 'an invalid byte sequence',
  })
}

export function recordTooLarge(place: Place, maxRecordBytes: number): Error {
  return createError('RECORD_TOO_LARGE', `the record that begins here is larger than ${maxRecordBytes} bytes`, {
    ...place,
    expected: `at most ${maxRecordBytes} bytes`,
    found: 'more',
  })
}

export function headerMissing(place: Place, expected: number, found: number): Error {
  return createError('CSV_HEADER_MISSING', `the input ends after ${found} of ${expected} header records`, {
    ...place,
    expected: `${expected} header records`,
    found: String(found),
  })
}

export function peerFailed(place: Place): Error {
  return createError('CSV_PEER_FAILED', 'csv-parse refuses the input', place)
}
