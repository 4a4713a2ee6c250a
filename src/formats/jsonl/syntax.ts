/**
 * Where a text stops being JSON. `JSON.parse` says whether it is; the place it says only in some messages, in words
 * that differ from one engine version to the next. So a line that it refuses is walked again here.
 */

export interface SyntaxFault {
  /** Index of the first character that no JSON text could have there; the text's length if it ends too early. */
  readonly at: number
  /** What could stand there instead. */
  readonly expected: string
  /** How many objects and arrays are open there. */
  readonly depth: number
}

type State = 'value' | 'first element' | 'first key' | 'key' | 'colon' | 'rest' | 'end'

const QUOTE = 34
const BACKSLASH = 92
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' }

/** The first fault of `text`, or `undefined` if it is JSON (RFC 8259). Uses no recursion: depth is up to the input. */
export function findSyntaxFault(text: string): SyntaxFault | undefined {
  /** For each open container, whether it is an object. */
  const open: boolean[] = []
  let state: State = 'value'
  let at = 0
  const fault = (expected: string): SyntaxFault => ({ at, expected, depth: open.length })
  for (;;) {
    while (isSpace(text.charCodeAt(at))) at++
    const char = text.charAt(at)
    switch (state) {
      case 'first element':
        if (char === ']') {
          at++
          open.pop()
          state = 'rest'
          continue
        }
        state = 'value'
        continue
      case 'first key':
      case 'key': {
        if (char === '}' && state === 'first key') {
          at++
          open.pop()
          state = 'rest'
          continue
        }
        if (char !== '"') return fault(state === 'key' ? 'a key in double quotes' : "a key in double quotes, or '}'")
        const wrong = passString()
        if (wrong !== undefined) return fault(wrong)
        state = 'colon'
        continue
      }
      case 'colon':
        if (char !== ':') return fault("':'")
        at++
        state = 'value'
        continue
      case 'rest': {
        const object = open.at(-1)
        if (object === undefined) {
          state = 'end'
          continue
        }
        if (char === ',') state = object ? 'key' : 'value'
        else if (char === (object ? '}' : ']')) open.pop()
        else return fault(object ? "',' or '}'" : "',' or ']'")
        at++
        continue
      }
      case 'end':
        return at === text.length ? undefined : fault('the end of the line')
    }
    if (char === '{' || char === '[') {
      open.push(char === '{')
      at++
      state = char === '{' ? 'first key' : 'first element'
      continue
    }
    const wrong = char === '"' ? passString() : passScalar(char)
    if (wrong !== undefined) return fault(wrong)
    state = 'rest'
  }

  /** Moves `at` behind the string that begins there, or to its fault, which is returned. */
  function passString(): string | undefined {
    for (at++; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) {
        at++
        return undefined
      }
      if (code < 32) return 'an escape, as control characters cannot stand in a string'
      if (code !== BACKSLASH) continue
      at++
      if (text.charAt(at) === 'u') {
        for (let digit = 0; digit < 4; digit++) if (!/^[0-9a-fA-F]$/.test(text.charAt(++at))) return 'a hex digit'
      } else if (!/^["\\/bfnrt]$/.test(text.charAt(at))) return 'one of the escapes " \\ / b f n r t u'
    }
    return 'a closing quote'
  }

  /** The same for a number or a literal. */
  function passScalar(char: string): string | undefined {
    const literal = LITERALS[char]
    if (literal !== undefined) {
      for (let i = 0; i < literal.length; i++, at++) if (text.charAt(at) !== literal.charAt(i)) return literal
      return undefined
    }
    if (char !== '-' && !isDigit(text.charCodeAt(at))) return 'a value'
    NUMBER.lastIndex = at
    const number = NUMBER.exec(text)
    if (number === null) {
      at++ // a minus sign with no digit behind it
      return 'a digit'
    }
    at = NUMBER.lastIndex
    // A fraction or an exponent that has no digits; anything else is for the next state to refuse.
    const [, fraction, exponent] = number
    const next = text.charAt(at)
    const begun = next === '.' ? fraction === undefined && exponent === undefined : /^[eE]$/.test(next) && !exponent
    if (!begun) return undefined
    at++
    if (next !== '.' && /^[+-]$/.test(text.charAt(at))) at++
    return 'a digit'
  }
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 13 || code === 10
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}
