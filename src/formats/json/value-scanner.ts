/**
 * Finds the end of a JSON value (RFC 8259) in bytes that come in pieces, and whether it is JSON up to there. Builds
 * nothing: what is skipped costs no memory, and what becomes a row is known to be whole before `JSON.parse` sees it.
 *
 * It works on bytes, as each character that matters is ASCII, and no byte of a longer UTF-8 sequence looks like one.
 * Whether those sequences are valid is not looked at here.
 */

// What may come next. Plain numbers, as the loop below is as hot as the parser itself.
const VALUE = 0
const FIRST_ELEMENT = 1
const FIRST_KEY = 2
const KEY = 3
const COLON = 4
const REST = 5
/** The states above are between tokens, where white space may stand; those from here on are inside of one. */
const STRING = 6
const ESCAPE = 7
const HEX = 8
const LITERAL = 9
const MINUS = 10
const ZERO = 11
const INTEGER = 12
const POINT = 13
const FRACTION = 14
const E = 15
const SIGN = 16
const EXPONENT = 17

const EXPECTED: Readonly<Record<number, string>> = {
  [VALUE]: 'a value',
  [FIRST_ELEMENT]: "a value, or ']'",
  [FIRST_KEY]: "a key in double quotes, or '}'",
  [KEY]: 'a key in double quotes',
  [COLON]: "':'",
  [STRING]: 'an escape, as control characters cannot stand in a string',
  [ESCAPE]: 'one of the escapes " \\ / b f n r t u',
  [HEX]: 'a hex digit',
  [MINUS]: 'a digit',
  [POINT]: 'a digit',
  [E]: "a digit, '+' or '-'",
  [SIGN]: 'a digit',
}

const LINE_FEED = 10
const QUOTE = 34
const COMMA = 44
const BACKSLASH = 92
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/** What a byte can be a part of: bits. */
const IN_STRING = 1
const DIGIT = 2
const HEX_DIGIT = 4
const SPACE = 8
const ESCAPED = 16
const CLASS = new Uint8Array(256).fill(IN_STRING, 0x20)
CLASS[QUOTE] = 0
CLASS[BACKSLASH] = 0
for (const [characters, bit] of [
  ['0123456789', DIGIT | HEX_DIGIT],
  ['abcdefABCDEF', HEX_DIGIT],
  [' \t\r\n', SPACE],
  ['"\\/bfnrtu', ESCAPED],
] as const) {
  for (const character of characters) CLASS[character.charCodeAt(0)]! |= bit
}

const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' }
/** Objects and arrays that may be open: a byte of memory each. */
const MAX_DEPTH = 1 << 24
/** From so many digits on an integer may be beyond 2^53. */
const LONG_INTEGER = 16

export class ValueScanner {
  /** Whether the value has ended. */
  done = true
  /** What could stand at the index that `scan` gave back, where something else does. */
  expected: string | undefined
  /** Line feeds passed since this was last set. */
  lines = 0
  /** Whether the value holds an integer of 16 digits or more. */
  longIntegers = false
  /** Objects and arrays that are open. */
  depth = 0

  #state = VALUE
  /** For each open container, 1 for an object and 0 for an array. */
  #open: Uint8Array = new Uint8Array(64)
  #inKey = false
  #literal = ''
  /** Characters of a literal, hex digits of an escape or digits of an integer that were passed. */
  #passed = 0

  /** Makes ready for another value; its first byte comes next. */
  begin(): void {
    this.done = false
    this.longIntegers = false
    this.#state = VALUE
  }

  /**
   * Goes on at `at` and stops behind the value (`done`), at what cannot stand there (`expected`), or at `end`. Gives
   * back where. Behind a number stands what ends it; that is for the caller to like.
   */
  scan(bytes: Uint8Array, at: number, end: number): number {
    let state = this.#state
    let depth = this.depth
    let open = this.#open
    while (at < end) {
      const byte = bytes[at]!
      if (state <= REST) {
        if (byte <= 32) {
          if (byte === LINE_FEED) this.lines++
          else if ((CLASS[byte]! & SPACE) === 0) break
          at++
          continue
        }
        if (state === REST) {
          const object = open[depth - 1] === 1
          if (byte === COMMA) state = object ? KEY : VALUE
          else if (byte === (object ? CLOSE_BRACE : CLOSE_BRACKET)) depth--
          else break
          at++
          if (depth === 0) return this.#end(at)
        } else if (state === KEY || state === FIRST_KEY) {
          if (byte === QUOTE) {
            this.#inKey = true
            state = STRING
          } else if (byte === CLOSE_BRACE && state === FIRST_KEY) {
            depth--
            state = REST
          } else break
          at++
          if (depth === 0) return this.#end(at)
        } else if (state === COLON) {
          if (byte !== 58) break
          at++
          state = VALUE
        } else if (byte === QUOTE) {
          this.#inKey = false
          state = STRING
          at++
        } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
          if (depth === open.length) {
            if (depth >= MAX_DEPTH) break
            open = this.#grow()
          }
          open[depth++] = byte === OPEN_BRACE ? 1 : 0
          state = byte === OPEN_BRACE ? FIRST_KEY : FIRST_ELEMENT
          at++
        } else if (byte === CLOSE_BRACKET && state === FIRST_ELEMENT) {
          depth--
          state = REST
          at++
          if (depth === 0) return this.#end(at)
        } else if ((CLASS[byte]! & DIGIT) !== 0) {
          state = byte === 48 ? ZERO : INTEGER
          this.#passed = 1
          at++
        } else if (byte === 45) {
          state = MINUS
          at++
        } else {
          const literal = LITERALS[String.fromCharCode(byte)]
          if (literal === undefined) break
          this.#literal = literal
          this.#passed = 1
          state = LITERAL
          at++
        }
        continue
      }
      if (state === STRING) {
        while (at < end && (CLASS[bytes[at]!]! & IN_STRING) !== 0) at++
        if (at === end) break
        if (bytes[at] === QUOTE) {
          at++
          if (this.#inKey) state = COLON
          else if (depth === 0) return this.#end(at)
          else state = REST
        } else if (bytes[at] === BACKSLASH) {
          at++
          state = ESCAPE
        } else break
        continue
      }
      if (state === INTEGER) {
        const start = at
        while (at < end && (CLASS[bytes[at]!]! & DIGIT) !== 0) at++
        this.#passed += at - start
        if (at === end) break
        if (bytes[at] === 46 || (bytes[at]! | 32) === 101) state = bytes[at++] === 46 ? POINT : E
        else {
          if (this.#passed >= LONG_INTEGER) this.longIntegers = true
          if (depth === 0) return this.#end(at)
          state = REST
        }
        continue
      }
      if (state === FRACTION || state === EXPONENT) {
        while (at < end && (CLASS[bytes[at]!]! & DIGIT) !== 0) at++
        if (at === end) break
        if (state === FRACTION && (bytes[at]! | 32) === 101) {
          state = E
          at++
        } else if (depth === 0) return this.#end(at)
        else state = REST
        continue
      }
      if (state === LITERAL) {
        if (byte !== this.#literal.charCodeAt(this.#passed)) break
        at++
        if (++this.#passed < this.#literal.length) continue
        if (depth === 0) return this.#end(at)
        state = REST
      } else if (state === ZERO) {
        if (byte === 46 || (byte | 32) === 101) state = bytes[at++] === 46 ? POINT : E
        else if (depth === 0) return this.#end(at)
        else state = REST
      } else if (state === ESCAPE) {
        if ((CLASS[byte]! & ESCAPED) === 0) break
        at++
        this.#passed = 0
        state = byte === 117 ? HEX : STRING
      } else if (state === HEX) {
        if ((CLASS[byte]! & HEX_DIGIT) === 0) break
        at++
        if (++this.#passed === 4) state = STRING
      } else {
        // Behind a minus sign, a full stop, an e, or the sign of an exponent.
        const sign = byte === 43 || byte === 45
        if ((CLASS[byte]! & DIGIT) === 0 && !(state === E && sign)) break
        at++
        if (state === E) state = sign ? SIGN : EXPONENT
        else if (state === SIGN) state = EXPONENT
        else if (state === POINT) state = FRACTION
        else {
          state = byte === 48 ? ZERO : INTEGER
          this.#passed = 1
        }
      }
    }
    this.#state = state
    this.depth = depth
    if (at < end) this.expected = this.#expectation()
    return at
  }

  /** At the end of the input: ends a number, which nothing else does; else says what is missing. */
  finish(): void {
    const state = this.#state
    const number = state === ZERO || state === INTEGER || state === FRACTION || state === EXPONENT
    if (state === INTEGER && this.#passed >= LONG_INTEGER) this.longIntegers = true
    if (number && this.depth === 0) this.done = true
    else this.expected = state === STRING ? 'a closing quote' : this.#expectation()
  }

  #end(at: number): number {
    this.done = true
    this.depth = 0
    return at
  }

  #grow(): Uint8Array {
    const larger = new Uint8Array(this.#open.length * 2)
    larger.set(this.#open)
    this.#open = larger
    return larger
  }

  #expectation(): string {
    const state = this.#state
    if (state <= FIRST_ELEMENT && this.depth >= MAX_DEPTH) return `at most ${MAX_DEPTH} levels`
    if (state === LITERAL) return this.#literal
    const expected = EXPECTED[state]
    if (expected !== undefined) return expected
    return this.#open[this.depth - 1] === 1 ? "',' or '}'" : "',' or ']'"
  }
}
