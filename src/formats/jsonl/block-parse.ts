/** The rows of a block by one call of `JSON.parse`, where that is proven to give what a call for each line gives. */
import type { Block } from '../../core/blocks.ts'
import { parseJson } from '../../core/json-parse.ts'
import type { Row } from '../../core/types.ts'

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const COMMA = 44
const CLOSING_BRACKET = 93
const OPENING_BRACE = 123

/** Blocks that are left to the reading line by line after one that was parsed in vain: bad lines seldom come alone. */
const BLOCKS_TO_REST = 16
/** Longer lines gain nothing: what a call for each costs does not count any more, and the copy does. */
const MAX_LINE_LENGTH = 256
/** A larger copy, of one long line, is not kept. */
const MAX_IDLE_BYTES = 1 << 20

/**
 * Parses a block as one array, its lines joined by commas. That alone would take what no line by itself is: in
 *
 *     {"a":"}            {"a":[{}            {"a":1
 *     {"}                {}]}                "b":2}
 *     {"a":1},{"b":2}    {"a":1},{"b":2}     {"a":1},{"b":2}
 *
 * the array is valid, and has as many elements as there are lines. So a block is taken only if
 *
 * 1. it begins with `{`, and each `}` in it, be it in a string, is followed by a line end (LF or CR LF) and a `{`, or by
 *    the end of the block;
 * 2. behind no other character there is an LF: so each line begins with `{`, and has one `}`, its last character;
 * 3. the array is valid JSON, and has as many elements as there are lines.
 *
 * Then each element is a line, whole. Proof: by 1, the first element is an object, as it begins with `{`. An element that is
 * an object ends with a `}`, and by 1 there follows the comma of a line end and a `{`, or the end: so the next element is
 * an object as well, and thus all are. Each has a `}` of its own that closes it. There are n elements by 3, and n times `}`
 * by 2: so every `}` closes an element, and none is in a string or closes an object inside of an element. As each line ends
 * with its `}`, an element ends there, no string is open, and with the comma the next element begins: at the `{` that begins
 * the next line. So each line is exactly one element, and `JSON.parse` makes of it what it makes of the line alone.
 *
 * Rows with objects inside fail 1 at their first `}`, which costs nothing; those with a brace in a string, at it. What fails
 * is read line by line, which also finds the errors and their places. A block of short lines takes a fifth less time this way.
 */
export class BlockParser {
  /** The block as an array, in bytes: `[`, the lines, `]`. */
  #array = Buffer.alloc(0)
  #resting = 0

  /** The rows, one for each line; `undefined` where the block must be read line by line. */
  parse(block: Block): Row[] | undefined {
    if (this.#resting > 0) {
      this.#resting--
      return undefined
    }
    if (block.source[0] !== OPENING_BRACE || block.invalidAt !== undefined) return undefined
    const { text } = block
    let lines = 1
    let brace = text.indexOf('}')
    let next = nextLine(text, brace)
    if (next < 0 || next > MAX_LINE_LENGTH) return undefined
    if (!block.ascii) {
      for (; next !== text.length; next = nextLine(text, brace)) {
        if (next < 0) return undefined
        lines++
        brace = text.indexOf('}', next)
      }
      // A tab is space to JSON, but not in a string.
      return this.#rows(`[${text.slice(0, brace + 1).replaceAll('\n{', ',\t{')}]`, lines)
    }
    // Places in the text are places in the bytes: a comma takes the place of each LF.
    const array = this.#copy(block.source)
    for (; next !== text.length; next = nextLine(text, brace)) {
      if (next < 0) return undefined
      array[next] = COMMA // text[next - 1] is the LF, and stands one further in the array
      lines++
      brace = text.indexOf('}', next)
    }
    array[brace + 2] = CLOSING_BRACKET
    return this.#rows(array.toString('latin1', 0, brace + 3), lines)
  }

  #copy(source: Buffer): Buffer {
    const bytes = source.length + 2
    if (this.#array.length < bytes || this.#array.length > MAX_IDLE_BYTES) this.#array = Buffer.alloc(bytes, '[')
    source.copy(this.#array, 1)
    return this.#array
  }

  #rows(array: string, lines: number): Row[] | undefined {
    if (array.includes('\n')) return undefined
    try {
      const rows = parseJson(array) as Row[]
      if (rows.length === lines) return rows
    } catch {
      // Which line it is, and where in it: that is for the reading line by line to say.
    }
    this.#resting = BLOCKS_TO_REST
    return undefined
  }
}

/** Where the line begins that follows a line's last brace: the end of the text after the last; −1 if a line goes on there. */
function nextLine(text: string, brace: number): number {
  if (brace < 0) return -1
  let at = brace + 1
  if (text.charCodeAt(at) === CARRIAGE_RETURN) at++
  if (at === text.length) return at
  if (text.charCodeAt(at) !== LINE_FEED) return -1
  at++
  return at === text.length || text.charCodeAt(at) === OPENING_BRACE ? at : -1
}
