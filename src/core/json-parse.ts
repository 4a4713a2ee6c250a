/**
 * `JSON.parse` that can be trusted with keys. From V8 12.8 on (Node 24, and still Node 26), once an object with a
 * backslash in a key was parsed, the escape in a key of a later, similar object is taken for that backslash:
 * `{"a":1,"\\":2}` makes the key of `{"a":1,"\"":2}` come out as `\`. Only keys that are written with an escape are
 * concerned. (nodejs/node#63785, https://issues.chromium.org/issues/521080746)
 */

/** Whether the engine has the fault. The keys to try it on are ones that no data has. */
function isFaulty(): boolean {
  const name = 'open-iterable: a key for a trial'
  JSON.parse(`{${JSON.stringify(name)}:[],"\\\\":0}`)
  return !Object.hasOwn(JSON.parse(`{${JSON.stringify(name)}:1,"\\"":2}`) as object, '"')
}

/** As `JSON.parse(text)`. Throws SyntaxError. */
export const parseJson: (text: string) => unknown = isFaulty()
  ? text => (hasEscapedKey(text) ? parseCarefully(text) : JSON.parse(text))
  : text => JSON.parse(text)

/** Whether a key of an object in valid JSON is written with an escape. Linear, and quick where there is no backslash. */
function hasEscapedKey(text: string): boolean {
  let quote = -1
  for (let at = text.indexOf('\\'); at >= 0; at = text.indexOf('\\', at)) {
    // What is escaped may be a quote; the next one after it ends the string, unless another escape comes first.
    if (quote < at + 2) quote = text.indexOf('"', at + 2)
    if (quote < 0) return false
    const next = text.indexOf('\\', at + 2)
    if (next >= 0 && next < quote) {
      at = next
      continue
    }
    at = quote + 1
    while (isSpace(text.charCodeAt(at))) at++
    if (text.charCodeAt(at) === COLON) return true
  }
  return false
}

const COLON = 0x3a
const isSpace = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/** Not a number alone: keys that are would change their order. */
const MARK = 'k'

/** One string of a JSON text that is known to be valid; as a key it is followed by a colon. */
const STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/g

/**
 * Gives each key a name without an escape, parses, and puts the right keys back. Exported for its test, which runs on
 * engines without the fault too.
 */
export function parseCarefully(text: string): unknown {
  // The engine judges whether it is JSON at all, and where it is not.
  JSON.parse(text)
  const keys: string[] = []
  const renamed = text.replace(STRING, (string, colon: string | undefined) => {
    if (colon === undefined) return string
    // Each its own, even where two are the same: of equal keys the last one counts, however each is written.
    return `"${MARK}${keys.push(JSON.parse(string.slice(0, -colon.length)) as string) - 1}"${colon}`
  })
  return withKeys(JSON.parse(renamed), keys)
}

function withKeys(value: unknown, keys: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => withKeys(item, keys))
  const object: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    // Not by assignment: `__proto__` is a key like any other.
    Object.defineProperty(object, keys[Number(name.slice(MARK.length))]!, {
      value: withKeys(member, keys),
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
  return object
}
