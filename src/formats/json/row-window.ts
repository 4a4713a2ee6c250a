/**
 * The bytes in hand, as rows are found in them: the chunk, what is left of the chunks before it, the rows that are whole,
 * and where all that is in the input. Memory holds one row that is not whole yet.
 */
import { TextPlace } from '../../core/text-place.ts'

/** Some whole rows that stand behind each other. */
export interface Run {
  /** Elements of an array or members of an object, with their commas, or values of their own. */
  readonly kind: 'elements' | 'members' | 'values'
  /** Lent until the next one is asked for. */
  readonly bytes: Buffer
  /** Start and end of each row in the bytes. */
  readonly spans: readonly number[]
  /** Where the bytes begin in the input. */
  readonly place: TextPlace
  /** Whether there is an integer of 16 digits or more. */
  readonly longIntegers: boolean
}

/** Bytes in a run, about. Rows cut from small texts die young, and larger ones gain nothing. */
const RUN_BYTES = 8192
/** A tail buffer larger than this is given back once its row is read. */
const MAX_IDLE_TAIL_BYTES = 1 << 20
const NO_BYTES = Buffer.alloc(0)

/** Where something is, for an error. */
interface Spot {
  readonly line: number
  readonly column: number
  readonly byte: number
  readonly record: number
}

export class RowWindow {
  /** The chunk. */
  bytes: Buffer = NO_BYTES
  /** Line feeds met so far in the whole input; kept up by whoever reads on. */
  lines = 0
  /** Index in the chunk up to which the place is; the tail, if there is one, lies behind the place and before the chunk. */
  #passed = 0
  readonly #place = new TextPlace()
  /** Line feeds before the place. */
  #passedLines = 0

  /** Where the row in hand begins, −1 without one. One that has begun in the tail begins at 0. */
  #row = -1
  #rowLines = 0
  /** The bytes of the row in hand that were in earlier chunks; the buffer grows by doubling. */
  #tail = NO_BYTES
  #tailBytes = 0

  /** Rows that are whole: where the first begins and the last ends, and all of them from there. */
  #runStart = 0
  #runStartLines = 0
  #runEnd = 0
  #runEndLines = 0
  #kind: Run['kind'] = 'values'
  #longIntegers = false
  #spans: number[] = []
  /** Rows in runs that were taken. */
  #records = 0

  /** Gives the next chunk, which must stay as it is until `keep`. */
  push(chunk: Buffer): void {
    this.bytes = chunk
    this.#passed = 0
    this.#row = this.#row < 0 ? -1 : 0
    this.#runStart = 0
    this.#runEnd = 0
  }

  /** Whether a row has begun that has not ended. */
  get inRow(): boolean {
    return this.#row >= 0
  }

  /** Bytes of the row in hand up to `at`. */
  rowBytes(at: number): number {
    return this.#tailBytes + at - this.#row
  }

  /** Whether there are whole rows. */
  get hasRun(): boolean {
    return this.#spans.length > 0
  }

  /** Whether the whole rows are enough for a run, or must be one by themselves. */
  get isRunFull(): boolean {
    return this.#runEnd - this.#runStart >= RUN_BYTES || this.#tailBytes > 0
  }

  /** Offset in the input of the byte at `at`, where no row is in hand. */
  offsetOf(at: number): number {
    return this.#place.byte + at - this.#passed
  }

  beginRow(at: number, kind: Run['kind']): void {
    this.#row = at
    this.#rowLines = this.lines
    if (this.hasRun) return
    this.#runStart = at
    this.#runStartLines = this.lines
    this.#kind = kind
  }

  endRow(at: number, longIntegers: boolean): void {
    // A row that began in the tail is alone in its run.
    this.#spans.push(this.#row - this.#runStart, this.#tailBytes + at - this.#runStart)
    this.#runEnd = at
    this.#runEndLines = this.lines
    this.#row = -1
    if (longIntegers) this.#longIntegers = true
  }

  /** The rows that are whole, if any; they are then passed. */
  takeRun(): Run | undefined {
    if (!this.hasRun) return undefined
    const inTail = this.#tailBytes
    const part = this.bytes.subarray(this.#runStart, this.#runEnd)
    const bytes = inTail === 0 ? part : Buffer.concat([this.#tail.subarray(0, inTail), part])
    if (inTail === 0) this.#pass(this.#runStart, this.#runStartLines)
    const place = this.#place.copy()
    const run = { kind: this.#kind, bytes, spans: this.#spans, place, longIntegers: this.#longIntegers }
    this.#place.pass(bytes, 0, bytes.length, this.#runEndLines - this.#passedLines)
    this.#passed = this.#runEnd
    this.#passedLines = this.#runEndLines
    this.#records += this.#spans.length / 2
    this.#spans = []
    this.#longIntegers = false
    this.#tailBytes = 0
    if (this.#tail.length > MAX_IDLE_TAIL_BYTES) this.#tail = NO_BYTES
    return run
  }

  /** At the end of a chunk, its whole rows taken: passes what was read, and keeps the row in hand. */
  keep(): void {
    const { bytes } = this
    if (this.#row < 0) this.#pass(bytes.length, this.lines)
    else {
      if (this.#tailBytes === 0) this.#pass(this.#row, this.#rowLines)
      const part = bytes.subarray(this.#row)
      const length = this.#tailBytes + part.length
      if (length > this.#tail.length) {
        const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#tail.length * 2, RUN_BYTES))
        this.#tail.copy(larger, 0, 0, this.#tailBytes)
        this.#tail = larger
      }
      part.copy(this.#tail, this.#tailBytes)
      this.#tailBytes = length
    }
    this.bytes = NO_BYTES
    this.#passed = 0
  }

  /** Passes a byte order mark that ends at `end`: it counts as bytes, but not as a character. */
  passMark(end: number): void {
    this.#pass(end, this.#passedLines)
    this.#place.column = 1
  }

  /** Where the byte `at` of the chunk is. */
  spotAt(at: number): Spot {
    const place = this.#place.copy()
    place.pass(this.#tail, 0, this.#tailBytes)
    place.pass(this.bytes, this.#passed, at)
    return this.#spot(place)
  }

  /** Where the row in hand begins. */
  rowSpot(): Spot {
    const place = this.#place.copy()
    if (this.#tailBytes === 0) place.pass(this.bytes, this.#passed, this.#row)
    return this.#spot(place)
  }

  #spot({ line, column, byte }: TextPlace): Spot {
    return { line, column, byte, record: this.#records + this.#spans.length / 2 + 1 }
  }

  /** Passes what lies before `end`, where `lines` line feeds had been met. */
  #pass(end: number, lines: number): void {
    this.#place.pass(this.bytes, this.#passed, end, lines - this.#passedLines)
    this.#passed = end
    this.#passedLines = lines
  }
}
