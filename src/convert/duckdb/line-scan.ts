/**
 * Looks through the bytes of JSON whose rows are a line each, beside DuckDB that reads them: how many rows there must be,
 * and what DuckDB takes otherwise without a word.
 */
import { open } from 'node:fs/promises'
import type { Unfit } from './request.ts'

const BLOCK_BYTES = 1024 * 1024
const LF = 0x0a
const CR = 0x0d
const COMMA = 0x2c
const OPENING = 0x5b
const CLOSING = 0x5d
const MARK = Buffer.from([0xef, 0xbb, 0xbf])

export interface LineScanOptions {
  /** Whether the lines are the elements of an array, with its brackets on lines of their own. */
  readonly array: boolean
  readonly signal?: AbortSignal | undefined
}

/** How many lines hold a row; or what makes the file unfit. */
export async function scanLines(
  path: string,
  { array, signal }: LineScanOptions,
): Promise<{ readonly recordCount: number } | Unfit> {
  const scan = new LineScan(array)
  const file = await open(path, 'r')
  try {
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
    for (;;) {
      signal?.throwIfAborted()
      const { bytesRead } = await file.read(block, 0, BLOCK_BYTES)
      if (bytesRead === 0) return scan.end()
      const unfit = scan.take(block.subarray(0, bytesRead))
      if (unfit !== undefined) return unfit
    }
  } finally {
    await file.close()
  }
}

class LineScan {
  readonly #array: boolean
  #first = true
  /** Bytes of the line that has begun, its line end not counted. */
  #length = 0
  /** The last byte before the block. */
  #last = LF
  /** Lines with something in them. */
  #lines = 0
  /** How the line before ended: with a comma, or not. */
  #comma = false
  #closed = false

  constructor(array: boolean) {
    this.#array = array
  }

  take(bytes: Buffer): Unfit | undefined {
    // DuckDB would end a line there, and JSON has it for white space.
    if (bytes.includes(CR)) return { reason: 'there are carriage returns between the rows' }
    let start = 0
    if (this.#first) {
      this.#first = false
      if (bytes.subarray(0, MARK.length).equals(MARK)) start = MARK.length
    }
    let unfit: Unfit | undefined
    for (let at = bytes.indexOf(LF, start); at >= 0 && unfit === undefined; at = bytes.indexOf(LF, start)) {
      const length = this.#length + at - start
      unfit = this.#line(length, at > start ? bytes[at - 1]! : this.#last)
      this.#length = 0
      start = at + 1
    }
    this.#length += bytes.length - start
    this.#last = bytes[bytes.length - 1]!
    return unfit
  }

  end(): { recordCount: number } | Unfit {
    const unfit = this.#line(this.#length, this.#last)
    if (unfit !== undefined) return unfit
    if (!this.#array) return { recordCount: this.#lines }
    return this.#closed ? { recordCount: this.#lines - 2 } : otherLayout
  }

  /** `last` is the last byte of the line. */
  #line(length: number, last: number): Unfit | undefined {
    if (length === 0) return undefined
    this.#lines++
    if (!this.#array) return undefined
    if (this.#lines === 1) {
      this.#comma = true
      return length === 1 && last === OPENING ? undefined : otherLayout
    }
    if (this.#closed) return otherLayout
    if (length === 1 && last === CLOSING) {
      this.#closed = true
      // The last element has no comma behind it.
      return this.#comma ? otherLayout : undefined
    }
    if (!this.#comma) return otherLayout
    this.#comma = last === COMMA
    return undefined
  }
}

const otherLayout: Unfit = { reason: 'the elements of the JSON array are not a line each' }
