/** The rows of lines that are alike: the same keys, in the same order. Most files have lines of a few such shapes. */
import type { Block } from '../../core/blocks.ts'
import { indexOfUnsafeInteger } from '../../core/json-integers.ts'
import { parseJson } from '../../core/json-parse.ts'
import type { Row } from '../../core/types.ts'
import { type RowShape, shapeOf } from './row-shape.ts'
import { MAX_SCANNED_BYTES, rowScan, TemplateTree } from './simd/row-scan.ts'

const LINE_FEED = 10
/** Blocks that pass before another line is tried, after one that was no good; each time twice as many, up to the latter. */
const FIRST_REST = 16
const LONGEST_REST = 512
/** Lines of a block that may be of another kind, and one more for each so many that are alike. */
const FREE_OTHERS = 2
const ALIKE_FOR_ONE_OTHER = 4
/** Of lines that are more than that objects and arrays inside of their rows, it is quicker to parse the whole. */
const MAX_NESTED_SHARE = 0.3
/** How many shapes may be learned at first, one more for each so many lines that were taken, and in all. */
const FIRST_SHAPES = 16
const LINES_FOR_ONE_SHAPE = 200
const MAX_SHAPES = 64

/**
 * Reads lines that are like one that was met before: a scan of the bytes proves that a line is just that, and finds its
 * values, of which only strings with escapes, objects and arrays go through `JSON.parse`. What it does not take, it leaves
 * to the reading line by line: such a line may be like no other, or be no JSON at all.
 *
 *     parser.begin(block)
 *     parser.take(rows)           // as many as are alike
 *     if (!parser.ended) read(parser.leave()), then parser.take(rows) again, and so on
 */
export class AlikeParser {
  /** Those that were met; none: not known, or not worth it. */
  #shapes: RowShape[] = []
  #tree = new TemplateTree()
  /** Lines that were taken since the first of them was learned. */
  #taken = 0
  #resting = 0
  #nextRest = FIRST_REST
  #block: Block | undefined
  /** The number that its being taken in by the scan had. */
  #load = -1
  /** Where the next line begins, in bytes, and how many UTF-16 units there are before it, less that. */
  #at = 0
  #shift = 0
  /** In the block in hand. */
  #alike = 0
  #others = 0
  #nestedBytes = 0
  #broken = false
  readonly #looksForUnsafe: boolean

  /** `looksForUnsafe`: whether lines with integers that no number holds are to be left. */
  constructor(looksForUnsafe: boolean) {
    this.#looksForUnsafe = looksForUnsafe
  }

  /** Whether it knows what lines are like. */
  get ready(): boolean {
    return this.#shapes.length > 0
  }

  /** Looks at the first line of a block, to know what the lines of those after it are like. */
  learn(block: Block): void {
    if (this.#resting > 0) {
      this.#resting--
      return
    }
    this.#forget()
    if (block.invalidAt === undefined) this.#meet(block.source)
    if (!this.ready) this.#rest()
  }

  /** Notes what the first line of `source` is like. */
  #meet(source: Buffer): void {
    const scan = rowScan()
    const end = source.indexOf(LINE_FEED) + 1
    if (scan === null || end === 0 || end > MAX_SCANNED_BYTES) return
    const line = source.subarray(0, end)
    const row = rowOf(line.toString())
    const shape = row === undefined ? null : shapeOf(line, row, scan)
    if (
      shape !== null &&
      scan.nestedBytes <= line.length * MAX_NESTED_SHARE &&
      this.#tree.add(shape.texts, this.#shapes.length)
    )
      this.#shapes.push(shape)
  }

  /** Whether the block can be read so. */
  begin(block: Block): boolean {
    if (block.bytes > MAX_SCANNED_BYTES || block.invalidAt !== undefined) return false
    this.#block = block
    this.#load = -1
    this.#at = this.#shift = this.#alike = this.#others = this.#nestedBytes = 0
    this.#broken = false
    return true
  }

  /** Bytes of the block that were taken or left. */
  get at(): number {
    return this.#at
  }
  get ended(): boolean {
    return this.#at >= this.#block!.bytes
  }

  /** Adds the rows of the next lines, as far as they are alike, to `rows`. Gives their number. */
  take(rows: Row[]): number {
    const scan = rowScan()!
    const { text, bytes, source } = this.#block!
    // What is told of a bad line may make its listener read from another reader.
    if (this.#load !== scan.loads) {
      scan.load(source)
      this.#load = scan.loads
    }
    const before = rows.length
    // In parts, if there are more values than the scan has room for.
    while (this.#at < bytes) {
      const count = scan.scan(this.#tree, this.#at, this.#shift)
      if (count === 0) break
      this.#nestedBytes += scan.nestedBytes
      // The scan looks at those in rows itself, but not into their objects and arrays.
      if (
        scan.nestedBytes > 0 &&
        this.#looksForUnsafe &&
        indexOfUnsafeInteger(source.subarray(0, scan.at), this.#at) >= 0
      ) {
        this.#broken = true
        break
      }
      const kept = rows.length
      try {
        this.#build(scan.shapes, count, text, rows)
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
        // An escape that there is not: which line has it is for the reading line by line to find.
        rows.length = kept
        this.#broken = true
        break
      }
      this.#at = scan.at
      this.#shift = scan.shift
    }
    if (this.#nestedBytes > bytes * MAX_NESTED_SHARE) {
      this.#forget()
      this.#rest()
    }
    this.#alike += rows.length - before
    this.#taken += rows.length - before
    return rows.length - before
  }

  /** The rows of a scan, as many at once as have one shape. */
  #build(shapes: Int32Array, count: number, text: string, rows: Row[]): void {
    let cell = 0
    for (let row = 0; row < count; ) {
      const first = row
      const number = shapes[first]!
      while (++row < count && shapes[row] === number);
      const shape = this.#shapes[number]!
      shape.build(text, cell, row - first, rows)
      cell += (row - first) * shape.texts.length
    }
  }

  /** The line that was not taken, as a block of its own; or all that is left, where too many are not alike. */
  leave(): Block {
    const { text, source, bytes, ascii } = this.#block!
    const start = this.#at
    const textStart = start + this.#shift
    this.#others++
    let end = bytes
    let textEnd = text.length
    if (this.#broken) this.#others = 0
    else if (!this.ready) this.#others = 0
    else if (this.#others > FREE_OTHERS + this.#alike / ALIKE_FOR_ONE_OTHER) {
      this.#forget()
      this.#rest()
    } else {
      textEnd = text.indexOf('\n', textStart) + 1 || textEnd
      end = ascii ? textEnd : source.indexOf(LINE_FEED, start) + 1 || end
      // Each costs its compilation: more are learned as those before have paid.
      if (this.#shapes.length < Math.min(FIRST_SHAPES + this.#taken / LINES_FOR_ONE_SHAPE, MAX_SHAPES)) {
        const known = this.#shapes.length
        this.#meet(source.subarray(start, end))
        if (this.#shapes.length > known) this.#others--
      }
    }
    this.#at = end
    this.#shift = textEnd - end
    return { text: text.slice(textStart, textEnd), bytes: end - start, ascii, source: source.subarray(start, end) }
  }

  #forget(): void {
    this.#shapes = []
    this.#tree = new TemplateTree()
    this.#taken = 0
  }

  #rest(): void {
    this.#resting = this.#nextRest
    this.#nextRest = Math.min(this.#nextRest * 2, LONGEST_REST)
  }
}

function rowOf(line: string): Row | undefined {
  try {
    const value = parseJson(line)
    return typeof value === 'object' && value !== null ? (value as Row) : undefined
  } catch {
    return undefined
  }
}
