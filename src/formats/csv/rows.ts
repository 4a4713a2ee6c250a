/** Fields → rows, by a function made for the columns at hand. */
import type { Row } from '../../core/types.ts'

/** Makes rows of one shape. */
export interface RowBuilder {
  /** A row of the fields of an unquoted record: `text[start, end)`, its delimiters at `ends`. */
  fromText(text: string, ends: Int32Array, start: number, end: number): Row
  /** A row of fields. */
  fromFields(fields: readonly (string | null)[]): Row
}

/** What a row is made of. */
export interface RowShape {
  /** Fields of a record. */
  readonly width: number
  /** Which fields go into the row, in order. */
  readonly picks: readonly number[]
  /** A key for each of `picks`; `null` makes arrays. */
  readonly keys: readonly string[] | null
}

/** Compiling costs some 160 µs; a generated function of more fields than this runs no faster than a loop. */
const MAX_COMPILED_FIELDS = 300
const MAX_CACHED = 100
const compiled = new Map<string, RowBuilder>()
let mayCompile = true

/**
 * A builder generated for the shape: one object literal, so that each row has its hidden class from birth. `null` where
 * there are too many fields for it to pay, or where Node forbids code from strings. Cached by shape.
 */
export function compileRowBuilder(shape: RowShape): RowBuilder | null {
  if (!mayCompile || shape.picks.length > MAX_COMPILED_FIELDS) return null
  const id = JSON.stringify([shape.width, shape.picks, shape.keys])
  const cached = compiled.get(id)
  if (cached !== undefined) return cached
  let builder: RowBuilder
  try {
    builder = new Function(source(shape))() as RowBuilder
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    mayCompile = false
    return null
  }
  if (compiled.size >= MAX_CACHED) compiled.delete(compiled.keys().next().value!)
  compiled.set(id, builder)
  return builder
}

function source({ width, picks, keys }: RowShape): string {
  const literal = (value: (field: number) => string) => {
    const entries = picks.map((field, i) => (keys === null ? '' : `${keyOf(keys[i]!)}:`) + value(field))
    return keys === null ? `[${entries.join(',')}]` : `{${entries.join(',')}}`
  }
  const slice = (field: number) =>
    `text.slice(${field === 0 ? 'start' : `ends[${field - 1}]+1`},${field === width - 1 ? 'end' : `ends[${field}]`})`
  return `'use strict'
return {
fromText: (text, ends, start, end) => (${literal(slice)}),
fromFields: fields => (${literal(field => `fields[${field}]`)}),
}`
}

/** A key of an object literal. A plain `"__proto__"` would set the prototype; a computed one is data like any other. */
function keyOf(name: string): string {
  const key = JSON.stringify(name)
  return name === '__proto__' ? `[${key}]` : key
}

/** A builder without generated code, for the first rows and for where there can be no other. */
export function loopRowBuilder({ width, picks, keys }: RowShape): RowBuilder {
  const last = width - 1
  const slice = (text: string, ends: Int32Array, start: number, end: number, field: number) =>
    text.slice(field === 0 ? start : ends[field - 1]! + 1, field === last ? end : ends[field]!)
  if (keys === null) {
    return {
      fromText: (text, ends, start, end) => rowOf(picks.map(field => slice(text, ends, start, end, field))),
      fromFields: fields => rowOf(picks.map(field => fields[field]!)),
    }
  }
  // Copying a template that has all the keys as its own makes each store an overwrite, also that of `__proto__`.
  // JSON.parse makes an own `__proto__`, and an object that V8 copies quickly however many keys it has.
  const template: Row = JSON.parse(`{${keys.map(key => `${JSON.stringify(key)}:""`).join(',')}}`)
  const all = picks.length === width && picks.every((field, i) => field === i)
  return {
    fromText: (text, ends, start, end) => {
      const row = { ...template }
      if (all) {
        let from = start
        for (let i = 0; i < last; i++) {
          const to = ends[i]!
          row[keys[i]!] = text.slice(from, to)
          from = to + 1
        }
        row[keys[last]!] = text.slice(from, end)
      } else {
        for (let i = 0; i < picks.length; i++) row[keys[i]!] = slice(text, ends, start, end, picks[i]!)
      }
      return row
    },
    fromFields: fields => {
      const row = { ...template }
      for (let i = 0; i < picks.length; i++) row[keys[i]!] = fields[picks[i]!]!
      return row
    },
  }
}

/** An array as a row: where there is no header, rows are arrays, and `Row` stands for both. */
export function rowOf(fields: (string | null)[]): Row {
  return fields as unknown as Row
}
