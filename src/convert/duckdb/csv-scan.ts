/**
 * Looks through the bytes of a CSV file for what DuckDB takes otherwise than we do without a word: quotes in the middle of
 * a field, line ends of several kinds, and a delimiter too many at the end of a line. It parses no more than that needs, so
 * that it takes a small part of the time of reading.
 */
import { open } from 'node:fs/promises'
import type { Unfit } from './request.ts'

const BLOCK_BYTES = 1024 * 1024
const LF = 0x0a
const CR = 0x0d

export interface CsvScanOptions {
  readonly delimiter: string
  readonly quote: string | null
  readonly columnCount: number
  readonly signal?: AbortSignal | undefined
}

/** How many records there are behind the header; or what makes the file unfit. */
export async function scanCsv(
  path: string,
  options: CsvScanOptions,
): Promise<{ readonly recordCount: number } | Unfit> {
  const scan = new CsvScan(options)
  const file = await open(path, 'r')
  try {
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    // The end of a block is looked at again with the next: nothing that matters is split.
    let kept = 0
    for (;;) {
      options.signal?.throwIfAborted()
      const { bytesRead } = await file.read(block, kept, BLOCK_BYTES - kept)
      const end = kept + bytesRead
      const bytes = block.subarray(0, end)
      const last = bytesRead === 0
      const whole = last ? end : bytes.lastIndexOf(LF) + 1
      if (whole === 0 && end === BLOCK_BYTES) return { reason: 'a line of the CSV is longer than DuckDB reads' }
      const unfit = scan.lines(bytes.subarray(0, whole))
      if (unfit !== undefined) return unfit
      if (last) return scan.result(bytes)
      block.copyWithin(0, whole, end)
      kept = end - whole
    }
  } finally {
    await file.close()
  }
}

class CsvScan {
  readonly #delimiter: number
  readonly #quote: number
  readonly #columnCount: number
  #first = true
  #crlf: boolean | undefined
  /** Whether a quoted field goes on in the next block. */
  #open = false
  #hasQuotes = false
  #endsInDelimiter = false
  /** Lines that are not empty, those in quotes aside. */
  #lines = 0

  constructor({ delimiter, quote, columnCount }: CsvScanOptions) {
    this.#delimiter = delimiter.charCodeAt(0)
    this.#quote = quote === null ? -1 : quote.charCodeAt(0)
    this.#columnCount = columnCount
  }

  /** Whole lines, or the rest of the file. */
  lines(bytes: Buffer): Unfit | undefined {
    if (this.#first && bytes.length > 0) {
      this.#first = false
      if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
        return { reason: 'the CSV is in UTF-16' }
      }
    }
    return this.#lineEnds(bytes) ?? this.#quotes(bytes) ?? this.#trailingDelimiters(bytes)
  }

  /** `rest` is what stands behind the last line end. */
  result(rest: Buffer): { recordCount: number } | Unfit {
    if (this.#open) return { reason: 'the CSV ends inside of quotes' }
    return { recordCount: this.#lines + (rest.length > 0 && rest[rest.length - 1] !== LF ? 1 : 0) - 1 }
  }

  /** Counts the line ends that end a record. */
  #count(bytes: Buffer, start: number, end: number): void {
    for (let at = bytes.indexOf(LF, start); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) {
      const last = at - 1 >= 0 && bytes[at - 1] === CR ? at - 2 : at - 1
      if (last >= 0 && bytes[last] !== LF) this.#lines++
    }
  }

  #lineEnds(bytes: Buffer): Unfit | undefined {
    const mixed: Unfit = { reason: 'the CSV has line ends of several kinds' }
    let at = bytes.indexOf(CR)
    if (this.#crlf === undefined) {
      const first = bytes.indexOf(LF)
      if (first >= 0) this.#crlf = bytes[first - 1] === CR
      else if (at >= 0) return mixed
    }
    if (this.#crlf !== true) return at < 0 ? undefined : mixed
    // In a file of CRLF each of the two comes with the other.
    let line = bytes.indexOf(LF)
    while (at >= 0 || line >= 0) {
      if (line !== at + 1) return mixed
      at = bytes.indexOf(CR, line)
      line = bytes.indexOf(LF, line + 1)
    }
    return undefined
  }

  /** Quotes may begin and end a field, and stand in it twice. */
  #quotes(bytes: Buffer): Unfit | undefined {
    const quote = this.#quote
    let at = quote < 0 ? -1 : bytes.indexOf(quote)
    if (at < 0) {
      if (!this.#open) this.#count(bytes, 0, bytes.length)
      return undefined
    }
    this.#hasQuotes = true
    let outside = 0
    const delimiter = this.#delimiter
    const stray: Unfit = { reason: 'the CSV has quotes in the middle of a field' }
    while (at >= 0) {
      if (!this.#open) {
        const before = at === 0 ? LF : bytes[at - 1]
        const afterMark = at === 3 && bytes[0] === 0xef && bytes[1] === 0xbb
        if (before !== LF && before !== delimiter && !afterMark) return stray
        this.#open = true
        this.#count(bytes, outside, at)
        at = bytes.indexOf(quote, at + 1)
        continue
      }
      const after = at + 1 === bytes.length ? LF : bytes[at + 1]
      if (after === quote) {
        at = bytes.indexOf(quote, at + 2)
        continue
      }
      if (after !== LF && after !== CR && after !== delimiter) return stray
      this.#open = false
      outside = at + 1
      at = bytes.indexOf(quote, at + 1)
    }
    if (!this.#open) this.#count(bytes, outside, bytes.length)
    return this.#endsInDelimiter ? trailing : undefined
  }

  /** DuckDB takes one delimiter more than there are columns, if nothing follows it. */
  #trailingDelimiters(bytes: Buffer): Unfit | undefined {
    const pattern = Buffer.from([this.#delimiter, this.#crlf === true ? CR : LF])
    let at = bytes.indexOf(pattern)
    const atEnd = bytes.length > 0 && bytes[bytes.length - 1] === this.#delimiter
    if (at < 0 && !atEnd) return undefined
    this.#endsInDelimiter = true
    // With quotes nothing here tells where a record begins.
    if (this.#hasQuotes) return trailing
    if (at < 0) at = bytes.length - 1
    while (at >= 0) {
      const start = bytes.lastIndexOf(LF, at) + 1
      let count = 1
      for (let i = start; i < at; i++) if (bytes[i] === this.#delimiter) count++
      if (count >= this.#columnCount) return { reason: 'a record of the CSV has more fields than there are columns' }
      at = bytes.indexOf(pattern, at + 1)
      if (at < 0 && atEnd) {
        const tail = bytes.length - 1
        if (tail > start + 1 && bytes.lastIndexOf(LF, tail) + 1 > start) at = tail
      }
    }
    return undefined
  }
}

const trailing: Unfit = { reason: 'the CSV has quotes, and lines that end in a delimiter' }
