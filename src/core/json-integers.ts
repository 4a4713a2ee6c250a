/**
 * Integers that a JavaScript number cannot hold, in JSON text. `JSON.parse` rounds them and leaves no trace, so they are
 * found before it: a cheap look at the bytes of a block tells where one may be, and only such a line is read closely.
 */
import { parseJson } from './json-parse.ts'

/** The digits of 2^53 − 1, the last integer up to which all are exact. */
const MAX_SAFE = String(Number.MAX_SAFE_INTEGER)
/** An unsafe integer has at least as many digits … */
const UNSAFE_DIGITS = MAX_SAFE.length
/** Bytes of a word of memory, … */
const WORD = 4
/** … and how many words to go on: `UNSAFE_DIGITS` bytes, wherever they begin, hold so many whole ones in a row. */
const STEP = (UNSAFE_DIGITS - WORD) / WORD
/** Bits that are equal in all digits, 0x30 to 0x39, for each byte of a word; and what they are. */
const KIND = 0xf0f0f0f0 | 0
const DIGITS = 0x30303030

const IS_DIGIT = new Uint8Array(256).fill(1, 48, 58)
/** What may stand before a number, and behind it. A full stop may not: what it parts are not integers. */
const BEFORE = classOf(' \t\r\n,:[')
const BEHIND = classOf(' \t\r\n,]}')
const LINE_FEED = 10
const QUOTE = 34
const MINUS = 45
const COLON = 58
const BACKSLASH = 92

function classOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}

/** Whether a run of digits, by what is around it, is an integer of its own. No code (at the start, the end) is as LF. */
function standsAlone(before: number, behind: number): boolean {
  return BEFORE[before] === 1 && BEHIND[behind] === 1
}

function isBeyondSafe(digits: string): boolean {
  // A leading zero makes it no JSON number; JSON.parse is to see it and refuse it.
  return digits.charCodeAt(0) !== 48 && (digits.length > UNSAFE_DIGITS || digits > MAX_SAFE)
}

/**
 * Where in UTF-8, at or after `from`, the digits of what looks like an unsafe integer begin; −1 if nowhere. It may be in
 * a string: that is for `findUnsafeIntegers` to tell. Looks at each third word of memory, so it costs next to nothing.
 */
export function indexOfUnsafeInteger(utf8: Buffer, from: number): number {
  const length = utf8.length
  // Words lie at multiples of four in memory, wherever the bytes begin.
  const shift = utf8.byteOffset % WORD
  const words = new Int32Array(utf8.buffer, utf8.byteOffset - shift, (shift + length) >> 2)
  for (let word = (from + shift + WORD - 1) >> 2; word < words.length; word += STEP) {
    if ((words[word]! & KIND) !== DIGITS) continue
    // As many bytes hold three whole words: one on either side, or two on one. Shorter integers are done with here.
    if ((words[word + 1]! & KIND) !== DIGITS && (words[word - 1]! & KIND) !== DIGITS) continue
    const at = word * WORD - shift
    let end = at
    while (end < length && IS_DIGIT[utf8[end]!] === 1) end++
    // A colon and the five characters behind it are of the digits' kind, and are none.
    if (end < at + WORD) continue
    let start = at
    while (start > from && IS_DIGIT[utf8[start - 1]!] === 1) start--
    if (end - start >= UNSAFE_DIGITS) {
      let before = start === from ? LINE_FEED : utf8[start - 1]!
      if (before === MINUS) before = start - 1 === from ? LINE_FEED : utf8[start - 2]!
      const behind = end === length ? LINE_FEED : utf8[end]!
      if (standsAlone(before, behind) && isBeyondSafe(utf8.toString('latin1', start, end))) return start
    }
    // On behind the run, so that a long one is walked once: words that lie in it are passed over.
    while (word * WORD - shift + STEP * WORD < end) word += STEP
  }
  return -1
}

/** The unsafe integers of one line that are not inside a string: pairs of start (of its sign) and end. */
export function findUnsafeIntegers(line: string): number[] {
  const found: number[] = []
  const length = line.length
  for (let i = 0; i < length; ) {
    const code = line.charCodeAt(i)
    if (code === QUOTE) i = behindString(line, i)
    else if (IS_DIGIT[code] !== 1) i++
    else {
      const start = i
      while (IS_DIGIT[line.charCodeAt(i)] === 1) i++
      if (i - start < UNSAFE_DIGITS) continue
      const first = line.charCodeAt(start - 1) === MINUS ? start - 1 : start
      const before = first === 0 ? LINE_FEED : line.charCodeAt(first - 1)
      const behind = i === length ? LINE_FEED : line.charCodeAt(i)
      // In the place of a key it is not JSON, and must not become JSON by being put in quotes.
      if (standsAlone(before, behind) && isBeyondSafe(line.slice(start, i)) && !isKey(line, i)) found.push(first, i)
    }
  }
  return found
}

/** Index behind the string that begins at `quote`; the line's end if it is not closed. */
function behindString(line: string, quote: number): number {
  for (let end = line.indexOf('"', quote + 1); end >= 0; end = line.indexOf('"', end + 1)) {
    let escape = end
    while (line.charCodeAt(escape - 1) === BACKSLASH) escape--
    if ((end - escape) % 2 === 0) return end + 1
  }
  return line.length
}

function isKey(line: string, end: number): boolean {
  while (BEHIND[line.charCodeAt(end)] === 1 && line.charCodeAt(end) <= 32) end++
  return line.charCodeAt(end) === COLON
}

/** The value of a line, with the integers at `places` as their digits, in strings. */
export function parseWithText(line: string, places: readonly number[]): unknown {
  return parseJson(quoteIntegers(line, places, ''))
}

/** The value of a line, with the integers at `places` as BigInts. */
export function parseWithBigInts(line: string, places: readonly number[]): unknown {
  const mark = markFor(line)
  const value = parseJson(quoteIntegers(line, places, mark))
  return withBigInts(value, mark === MARK ? '\u0001' : JSON.parse(`"${mark}"`))
}

function quoteIntegers(line: string, places: readonly number[], mark: string): string {
  let text = ''
  let done = 0
  for (let i = 0; i < places.length; i += 2) {
    const start = places[i]!
    const end = places[i + 1]!
    text += `${line.slice(done, start)}"${mark}${line.slice(start, end)}"`
    done = end
  }
  return text + line.slice(done)
}

/** JSON text of U+0001. */
const MARK = '\\u0001'

/**
 * JSON text of control characters, the first of them U+0001, with which no string of the line begins. The likes of them
 * have one form only in JSON, `\u00` and two decimal digits, so that what is not in the line's text is not in its values
 * either. U+0001 will do, but for a line that holds it: then the mark grows at random until the line does not hold it.
 * Nobody can write a line that holds each mark that will be tried.
 */
function markFor(line: string): string {
  let mark = MARK
  while (line.includes(mark)) mark += `\\u001${Math.floor(Math.random() * 10)}`
  return mark
}

/** Turns each string that begins with the mark into a BigInt, in place. A loop: a value may be nested ever so deep. */
function withBigInts(value: unknown, mark: string): unknown {
  if (typeof value === 'string') return isMarked(value, mark) ? BigInt(value.slice(mark.length)) : value
  const open: unknown[] = [value]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const fields = node as Record<string, unknown>
    for (const key of Object.keys(fields)) {
      const field = fields[key]
      if (typeof field === 'object') {
        if (field !== null) open.push(field)
      } else if (typeof field === 'string' && isMarked(field, mark)) {
        // Safe for `__proto__` as well: JSON.parse makes that an own property, and this sets it.
        fields[key] = BigInt(field.slice(mark.length))
      }
    }
  }
  return value
}

function isMarked(text: string, mark: string): boolean {
  return text.charCodeAt(0) === 1 && text.startsWith(mark)
}
