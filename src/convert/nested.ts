/** Nested rows ↔ flat rows: `{ a: { b: 1 } }` and `{ 'a.b': 1 }`. */
import { createError, excerpt } from '../core/errors.ts'
import type { Row } from '../core/types.ts'

/** Deeper rows are refused: a circle has no end. */
const MAX_DEPTH = 100

/**
 * A row whose nested objects are spread over columns named by their path: `{ a: { b: 1 } }` is `{ 'a.b': 1 }`. Arrays,
 * dates, bytes and empty objects are values and stay what they are. Throws ROW_NESTING where two values would have one
 * name, or the nesting has no end.
 */
export function flattenRow(row: Row, separator: string): Row {
  const flat: Row = {}
  spread(row, '', 0, separator, flat)
  return flat
}

function spread(from: object, prefix: string, depth: number, separator: string, into: Row): void {
  if (depth > MAX_DEPTH) throw nesting('it is nested too deeply, or in a circle')
  for (const [key, value] of Object.entries(from)) {
    const name = prefix === '' ? key : prefix + separator + key
    if (isPlainObject(value) && Object.keys(value).length > 0) spread(value, name, depth + 1, separator, into)
    else if (Object.hasOwn(into, name)) throw nesting(`two of its values would be the column ${excerpt(name)}`)
    else define(into, name, value)
  }
}

/**
 * The mirror of `flattenRow`: `{ 'a.b': 1 }` is `{ a: { b: 1 } }`. Throws ROW_NESTING where a name would have to be
 * both a value and an object.
 */
export function unflattenRow(row: Row, separator: string): Row {
  const nested: Row = {}
  const made = new Set<object>([nested])
  for (const [name, value] of Object.entries(row)) {
    const path = name.split(separator)
    const last = path.pop()!
    let into = nested
    for (const key of path) {
      if (!Object.hasOwn(into, key)) {
        const inner: Row = {}
        made.add(inner)
        define(into, key, inner)
      }
      const inner = into[key]
      if (typeof inner !== 'object' || inner === null || !made.has(inner)) throw bothWays(name)
      into = inner as Row
    }
    if (Object.hasOwn(into, last)) throw bothWays(name)
    define(into, last, value)
  }
  return nested
}

const bothWays = (name: string) => nesting(`column ${excerpt(name)} would be both a value and an object`)

function nesting(reason: string): Error {
  return createError('ROW_NESTING', `the row cannot be reshaped: ${reason}`, {
    found: reason,
    hint: 'rename the column first, or choose another separator',
  })
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Not assigned: the name may be `__proto__`. */
export function define(row: Row, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(row, name, { value, writable: true, enumerable: true, configurable: true })
  else row[name] = value
}
