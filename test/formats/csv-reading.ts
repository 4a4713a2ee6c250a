/** What the tests of the CSV reader share: reading a text by an engine, and a naive reader to hold the engines against. */
import { OpenIterableError } from '../../src/core/errors.ts'
import type { ByteSource } from '../../src/core/types.ts'
import type { CsvReadOptions } from '../../src/formats/csv/read-options.ts'
import { openCsvReader } from '../../src/formats/csv/reader.ts'

export interface Bad {
  readonly code: string
  readonly line: number | undefined
  readonly column: number | undefined
  readonly byte: number | undefined
  readonly record: number | undefined
  readonly raw?: string | undefined
}

export interface Outcome {
  readonly engine: string | undefined
  readonly columns: readonly string[] | undefined
  readonly rows: unknown[]
  /** What ended the reading. */
  readonly error: OpenIterableError | undefined
  /** Records that were passed over, with `skip`. */
  readonly bad: Bad[]
}

/** A source that lends each chunk: what it gave before is overwritten when the next one is asked for. */
export function lendingSource(bytes: Uint8Array, chunkBytes: number | readonly number[]): ByteSource {
  return {
    label: 'test.csv',
    replayable: true,
    async *stream() {
      const sizes = typeof chunkBytes === 'number' ? [chunkBytes] : chunkBytes
      for (let start = 0, i = 0; start < bytes.length; i++) {
        const chunk = Uint8Array.from(bytes.subarray(start, start + sizes[i % sizes.length]!))
        start += chunk.length
        yield chunk
        chunk.fill(0x21)
      }
    },
    async [Symbol.asyncDispose]() {},
  }
}

export function badOf(error: OpenIterableError, raw?: string): Bad {
  const { code, line, column, byte, record } = error
  return { code, line, column, byte, record, ...(raw === undefined ? {} : { raw }) }
}

/** Reads a CSV to its end or to its first error; with `skip`, bad records are passed over. */
export async function readCsv(
  input: string | Uint8Array,
  options: CsvReadOptions = {},
  { chunkBytes = Infinity as number | readonly number[], skip = false } = {},
): Promise<Outcome> {
  const bytes = typeof input === 'string' ? Buffer.from(input) : input
  const bad: Bad[] = []
  const rows: unknown[] = []
  const reader = await openCsvReader(lendingSource(bytes, chunkBytes), options, {
    label: 'test.csv',
    signal: new AbortController().signal,
    onBadRecord(error, raw) {
      if (!skip) throw error
      bad.push(badOf(asOurs(error), raw))
    },
  })
  let error: OpenIterableError | undefined
  try {
    await reader.ready?.()
    for (let batch = await reader.read(); batch !== null; batch = await reader.read()) {
      if (batch.length === 0) throw new Error('an empty batch')
      rows.push(...batch)
    }
    if ((await reader.read()) !== null) throw new Error('rows after the end')
  } catch (thrown) {
    error = asOurs(thrown)
  } finally {
    await reader[Symbol.asyncDispose]()
  }
  return { engine: reader.engine, columns: reader.columns, rows, error, bad }
}

function asOurs(error: unknown): OpenIterableError {
  if (error instanceof OpenIterableError) return error
  throw error
}

export interface NaiveOptions {
  readonly delimiter: string
  readonly quote: string | null
  readonly escape: string | null
  readonly relaxQuotes: boolean
  readonly fromLine: number
}

export interface NaiveRecord {
  readonly fields: string[]
  /** Whether the line is wholly empty. */
  readonly blank: boolean
  readonly at: number
}

export interface NaiveResult {
  readonly ending: '\n' | '\r'
  /** Where the data begins, after the lines that are passed over. */
  readonly start: number
  readonly records: NaiveRecord[]
  readonly fault: { code: string; at: number } | undefined
}

/** Reads character by character, with no thought of speed, up to the first misplaced quote. */
export function naiveRead(text: string, options: NaiveOptions): NaiveResult {
  const { delimiter, quote, escape, relaxQuotes, fromLine } = options
  let ending: '\n' | '\r' | undefined
  const endLength = (at: number): number => {
    const char = text[at]
    if (char !== '\n' && char !== '\r') return 0
    const pair = char === '\r' && text[at + 1] === '\n'
    ending ??= char === '\n' || pair ? '\n' : '\r'
    if (pair) return 2
    return char === ending ? 1 : 0
  }
  let at = 0
  for (let line = 1; line < fromLine && at < text.length; at++) {
    const length = endLength(at)
    if (length === 0 || (length === 2 && ending === '\n' && text[at] !== '\r')) continue
    at += length - 1
    line++
  }
  const start = at
  const records: NaiveRecord[] = []
  let fault: { code: string; at: number } | undefined
  while (at < text.length && fault === undefined) {
    const recordAt = at
    const fields: string[] = []
    let blank = false
    for (let open = true; open && fault === undefined; ) {
      let value = ''
      let plain = true
      if (quote !== null && text[at] === quote) {
        plain = false
        const quoteAt = at++
        for (;;) {
          if (at >= text.length) {
            fault = { code: 'CSV_QUOTE_NOT_CLOSED', at: quoteAt }
            break
          }
          const char = text[at]!
          if (char === escape && escape === quote && text[at + 1] === quote) {
            value += quote
            at += 2
          } else if (char === escape && escape !== quote && at + 1 < text.length) {
            value += text[at + 1]
            at += 2
          } else if (char === quote) {
            at++
            break
          } else {
            value += char
            at++
          }
        }
        if (fault !== undefined) break
        if (at < text.length && text[at] !== delimiter && endLength(at) === 0) {
          if (!relaxQuotes) {
            fault = { code: 'CSV_TEXT_AFTER_QUOTE', at }
            break
          }
          value = quote + value + quote
          plain = true
        }
      }
      while (plain && at < text.length && text[at] !== delimiter && endLength(at) === 0) {
        if (text[at] === quote && !relaxQuotes) {
          fault = { code: 'CSV_STRAY_QUOTE', at }
          break
        }
        value += text[at++]
      }
      fields.push(value)
      if (at < text.length && text[at] === delimiter) at++
      else {
        blank = fields.length === 1 && at === recordAt
        at += endLength(at)
        open = false
      }
    }
    if (fault === undefined) records.push({ fields, blank, at: recordAt })
  }
  // Beyond a misplaced quote, lines end as they do for a reader that does not mind it.
  if (ending === undefined && fault !== undefined && !relaxQuotes) {
    ending = naiveRead(text, { ...options, relaxQuotes: true }).ending
  }
  return { ending: ending ?? '\n', start, records, fault }
}

/** Physical line, column and byte of a character. */
export function naivePlace(text: string, at: number, ending: '\n' | '\r', bom: boolean) {
  let line = 1
  let lineAt = 0
  for (let i = 0; i < at; i++) {
    if (text[i] !== ending) continue
    if (ending === '\r' && text[i + 1] === '\n' && i + 1 < at) i++
    line++
    lineAt = i + 1
  }
  return { line, column: at - lineAt + 1, byte: Buffer.byteLength(text.slice(0, at)) + (bom ? 3 : 0) }
}
