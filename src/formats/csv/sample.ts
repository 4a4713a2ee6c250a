/**
 * The sample by which types are inferred, read ahead of its rows: the bytes are kept, and read again once the types are
 * known. That is for records that are all as they should be; where one is not, `RowAssembler` takes the sample record by
 * record.
 */
import type { ColumnTypes } from '../../core/column-types.ts'
import { MAX_SAMPLE_CHARACTERS } from '../../core/typing.ts'
import { ByteWindow } from './byte-window.ts'
import { unescaped } from './rows.ts'
import { ANY_QUOTES, type IndexDialect, RECORD_SHIFT, type RecordIndex } from './simd/record-index.ts'

const LF = 10
const CR = 13
/** Pieces that are added to what is kept: no more than needed of a chunk that may be a whole file. */
const PIECE_BYTES = 65_536
/** A sample that takes more bytes than this is one of empty fields. */
const MAX_SAMPLE_BYTES = 4 * MAX_SAMPLE_CHARACTERS

export interface SampledShape {
  readonly types: ColumnTypes
  /** Fields of a record. */
  readonly width: number
  /** Which of them have a column, in order. */
  readonly picks: readonly number[]
  /** Records of a whole sample. */
  readonly records: number
}

export interface SampleDialect {
  readonly index: IndexDialect
  /** The quote, `''` where nothing quotes. */
  readonly quote: string
  readonly blockBytes: number
  /** The text of bytes that are not all ASCII; null where they have none. */
  readonly textOf: (bytes: Buffer, start: number, end: number) => string | null
}

/** `more`: the sample is not whole; `whole`: it is; `unfit`: it is not to be read this way. */
export type SampleState = 'more' | 'whole' | 'unfit'

export class Sample {
  /** Records that were looked at. */
  records = 0
  readonly #shape: SampledShape
  readonly #dialect: SampleDialect
  readonly #index: RecordIndex
  /** For each field the number of its column, -1 where it has none. */
  readonly #columns: Int32Array
  readonly #kept = new ByteWindow()
  /** Kept bytes that were looked at. */
  #seen = 0
  #characters = 0

  constructor(shape: SampledShape, dialect: SampleDialect, index: RecordIndex) {
    this.#shape = shape
    this.#dialect = dialect
    this.#index = index
    this.#columns = new Int32Array(shape.width).fill(-1)
    for (const [column, field] of shape.picks.entries()) this.#columns[field] = column
  }

  /**
   * Looks at the records of a chunk from `start` on, where one begins unless bytes are kept. If the state is `more`, the
   * rest of the chunk is kept; else what is kept is to be read again, and then the chunk from the position on that this
   * gives.
   */
  push(chunk: Buffer, start: number): { readonly state: SampleState; readonly at: number } {
    const kept = this.#kept
    if (kept.length === 0) {
      const state = this.#look(chunk, start)
      if (state !== 'more') return { state, at: start }
      kept.append(chunk.subarray(start))
      this.#seen -= start
      return { state, at: chunk.length }
    }
    for (let at = start; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + PIECE_BYTES)
      kept.append(piece)
      at += piece.length
      const ended = piece.includes(LF) || kept.length - this.#seen >= this.#dialect.blockBytes
      const state = ended ? this.#look(kept.bytes, this.#seen) : 'more'
      if (state !== 'more') return { state, at }
      if (kept.length > MAX_SAMPLE_BYTES) return { state: 'unfit', at }
    }
    return { state: 'more', at: chunk.length }
  }

  /** What was kept. */
  take(): Buffer {
    return this.#kept.take()
  }

  #look(bytes: Buffer, start: number): SampleState {
    const { index: dialect, quote, blockBytes, textOf } = this.#dialect
    const index = this.#index
    let at = start
    for (;;) {
      const length = Math.min(blockBytes, bytes.length - at)
      index.index(new Uint8Array(bytes.buffer, bytes.byteOffset + at, length), dialect, false)
      if (index.count === 0) {
        this.#seen = at
        // A line that has ended is no record, or the record is a large one.
        return length === blockBytes || bytes.includes(LF, at) ? 'unfit' : 'more'
      }
      const end = at + index.bytes
      const text = index.ascii ? bytes.toString('latin1', at, end) : textOf(bytes, at, end)
      if (text === null || (quote !== '' && dialect.quote < 0 && text.includes(quote))) return 'unfit'
      const state = this.#observe(text)
      if (state !== 'more') return state
      at = end
      if (at - start > MAX_SAMPLE_BYTES) return 'unfit'
    }
  }

  #observe(text: string): SampleState {
    const { types, width, picks, records: wanted } = this.#shape
    const columns = this.#columns
    const { index: dialect, quote } = this.#dialect
    const { ends, records, count } = this.#index
    const code = quote.charCodeAt(0)
    let first = 0
    let start = 0
    for (let record = 0; record < count; record++) {
      const item = records[record]!
      const last = item >> RECORD_SHIFT
      const next = ends[last]! + 1
      const end = dialect.crlf && next - 1 > start && text.charCodeAt(next - 2) === CR ? next - 2 : next - 1
      if (last - first !== width - 1 || (width === 1 && end === start)) return 'unfit'
      const hasQuotes = (item & ANY_QUOTES) !== 0
      // Before any of the record is looked at: one that is bad is not of the sample.
      for (const column of types.declared) {
        const field = picks[column]!
        const a = field === 0 ? start : ends[first + field - 1]! + 1
        const b = field === width - 1 ? end : ends[first + field]!
        const isQuoted = hasQuotes && text.charCodeAt(a) === code
        const value = isQuoted ? unescaped(text, a + 1, b - 1, quote) : text.slice(a, b)
        if (!types.fits(column, value, isQuoted)) return 'unfit'
      }
      this.#characters += end - start - (width - 1)
      let a = start
      for (let field = 0; field < width; field++) {
        const b = field === width - 1 ? end : ends[first + field]!
        const column = columns[field]!
        if (hasQuotes && text.charCodeAt(a) === code) {
          const value = unescaped(text, a + 1, b - 1, quote)
          this.#characters -= b - a - value.length
          if (column >= 0) types.observe(column, value, true)
        } else if (column >= 0) types.observeAt(column, text, a, b)
        a = b + 1
      }
      this.records++
      if (this.records >= wanted || this.#characters >= MAX_SAMPLE_CHARACTERS) return 'whole'
      first = last + 1
      start = next
    }
    return 'more'
  }
}
