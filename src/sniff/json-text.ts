/** Whether a text is JSON, and in which arrangement: one value, values one after the other, or one a line. */

/** What the beginning of a JSON text shows. */
export interface JsonPrefix {
  /** Values that are whole. */
  readonly values: number
  /** Whether the text ends within a value. */
  readonly cut: boolean
  /** Whether a value goes over several lines. */
  readonly multiline: boolean
  /** Whether the first value is an object or an array. */
  readonly first: '{' | '[' | 'scalar' | undefined
}

const TOKEN = /\s*(?:([{}[\],:])|("[^"\\]*(?:\\.[^"\\]*)*")|(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null))/y
/** What may be left of a token that the end of the sample cut. */
const CUT_TOKEN = /^\s*(?:"[^"\\]*(?:\\.[^"\\]*)*\\?|-|-?\d[\d.eE+-]*|t(?:ru?)?|f(?:al?s?)?|n(?:ul?)?)?$/s

/** Reads a text as JSON values as far as it goes; undefined where that is not to its end. */
export function readJsonPrefix(text: string): JsonPrefix | undefined {
  const stack: ('{' | '[')[] = []
  /** What may come: a value, a name in an object, a colon, or a comma or closing bracket. */
  let wanted: 'value' | 'name' | 'colon' | 'next' = 'value'
  /** Whether the bracket before may be closed at once. */
  let fresh = false
  let values = 0
  let first: JsonPrefix['first']
  let multiline = false
  let begin = 0
  TOKEN.lastIndex = 0
  for (;;) {
    const from = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (match === null) {
      if (!CUT_TOKEN.test(text.slice(from))) return undefined
      const cut = stack.length > 0 || text.slice(from).trim() !== ''
      if (cut && text.slice(begin, from).includes('\n')) multiline = true
      return { values, cut, multiline, first }
    }
    const [, mark, string, scalar] = match
    const isValue = string !== undefined || scalar !== undefined
    if (stack.length === 0) {
      if (mark !== undefined && mark !== '{' && mark !== '[') return undefined
      begin = TOKEN.lastIndex
      first ??= mark === '{' || mark === '[' ? mark : 'scalar'
    }
    if (mark === '{' || mark === '[') {
      if (wanted !== 'value') return undefined
      stack.push(mark)
      wanted = mark === '{' ? 'name' : 'value'
      fresh = true
      continue
    }
    if (isValue) {
      if (wanted === 'name') {
        if (string === undefined) return undefined
        wanted = 'colon'
      } else if (wanted === 'value') wanted = 'next'
      else return undefined
    } else if (mark === ':') {
      if (wanted !== 'colon') return undefined
      wanted = 'value'
    } else if (mark === ',') {
      if (wanted !== 'next' || stack.length === 0) return undefined
      wanted = stack.at(-1) === '{' ? 'name' : 'value'
    } else {
      if (wanted !== 'next' && !fresh) return undefined
      if (stack.pop() !== (mark === '}' ? '{' : '[')) return undefined
      wanted = 'next'
    }
    fresh = false
    if (stack.length === 0) {
      values++
      if (text.slice(begin, TOKEN.lastIndex).includes('\n')) multiline = true
      wanted = 'value'
    }
  }
}

export interface JsonLines {
  /** Lines that are objects or arrays. */
  readonly good: number
  /** Lines that are not blank; the last line of a cut sample is not counted. */
  readonly lines: number
}

/** How many lines are JSON objects or arrays. */
export function countJsonLines(text: string, complete: boolean): JsonLines {
  const lines = text.split('\n')
  if (!complete) lines.pop()
  let good = 0
  let all = 0
  for (const line of lines) {
    const trimmed = line.trim()
    if (trimmed === '') continue
    all++
    if (isContainer(trimmed)) good++
  }
  return { good, lines: all }
}

function isContainer(line: string): boolean {
  if (!(line.startsWith('{') && line.endsWith('}')) && !(line.startsWith('[') && line.endsWith(']'))) return false
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}
