/** Where one is in text that passes as UTF-8, in pieces. */
import { isAscii } from './text.ts'

const LINE_FEED = 10

export class TextPlace {
  /** Bytes passed. */
  byte = 0
  /** The line that is reached, from 1; only line feeds end one. */
  line = 1
  /** The character (UTF-16 unit) of that line that comes next, from 1. */
  column = 1

  /** Goes on over bytes, which may begin and end inside of a character. `lines`: the line feeds in them, if known. */
  pass(bytes: Buffer, start = 0, end = bytes.length, lines = countLines(bytes, start, end)): void {
    this.byte += end - start
    if (lines > 0) {
      this.line += lines
      this.column = 1
      start = bytes.lastIndexOf(LINE_FEED, end - 1) + 1
    }
    this.column += unitsIn(bytes, start, end)
  }

  /** The place that this one is at now. */
  copy(): TextPlace {
    const { byte, line, column } = this
    return Object.assign(new TextPlace(), { byte, line, column })
  }
}

function countLines(bytes: Buffer, start: number, end: number): number {
  const part = bytes.subarray(start, end)
  let lines = 0
  for (let at = part.indexOf(LINE_FEED); at >= 0; at = part.indexOf(LINE_FEED, at + 1)) lines++
  return lines
}

/** UTF-16 units: one for each character, two for one of four bytes. */
function unitsIn(bytes: Buffer, start: number, end: number): number {
  if (isAscii(bytes.subarray(start, end))) return end - start
  let units = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if ((byte & 0xc0) !== 0x80) units += byte < 0xf0 ? 1 : 2
  }
  return units
}
