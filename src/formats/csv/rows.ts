/** Fields → rows, by a function made for the columns at hand. */
import { parseJson } from '../../core/json-parse.ts'
import type { Row } from '../../core/types.ts'
import type { ColumnTypes } from '../../core/typing.ts'
import type { ValueParser } from '../../core/values.ts'

/** Makes rows of one shape. Both give `null`, and leave `ColumnTypes.fault` set, where a field is not of its column's type. */
export interface RowBuilder {
  /** A row of the fields of an unquoted record: `text[start, end)`, its delimiters at `ends[first]` and on. */
  fromText(text: string, ends: Int32Array, first: number, start: number, end: number): Row | null
  /** A row of fields; `quoted` has the numbers of those that were quoted, for typed columns. */
  fromFields(fields: readonly (string | null)[], quoted?: readonly number[]): Row | null
}

/** What a row is made of. */
export interface RowShape {
  /** Fields of a record. */
  readonly width: number
  /** Which fields go into the row, in order. */
  readonly picks: readonly number[]
  /** A key for each of `picks`; `null` makes arrays. */
  readonly keys: readonly string[] | null
  /** The types, for each of `picks`; `null`: all are text. */
  readonly types: ColumnTypes | null
}

/** Compiling costs some 160 µs; a generated function of more fields than this runs no faster than a loop. */
const MAX_COMPILED_FIELDS = 300
const MAX_CACHED = 100
type Make = (types: ColumnTypes | null, parsers: readonly (ValueParser | null)[]) => RowBuilder
const compiled = new Map<string, Make>()
let mayCompile = true

/**
 * A builder generated for the shape: one object literal, so that each row has its hidden class from birth. `null` where
 * there are too many fields for it to pay, or where Node forbids code from strings. Cached by shape.
 */
export function compileRowBuilder(shape: RowShape): RowBuilder | null {
  if (!mayCompile || shape.picks.length > MAX_COMPILED_FIELDS) return null
  const { width, picks, keys, types } = shape
  const parsers = types?.parsers ?? []
  const id = JSON.stringify([width, picks, keys, types?.key])
  const cached = compiled.get(id)
  if (cached !== undefined) return cached(types, parsers)
  let make: Make
  try {
    make = new Function('types', 'parsers', source(shape)) as Make
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    mayCompile = false
    return null
  }
  if (compiled.size >= MAX_CACHED) compiled.delete(compiled.keys().next().value!)
  compiled.set(id, make)
  return make(types, parsers)
}

function source({ width, picks, keys, types }: RowShape): string {
  const literal = (value: (field: number, column: number) => string) => {
    const entries = picks.map((field, i) => (keys === null ? '' : `${keyOf(keys[i]!)}:`) + value(field, i))
    return keys === null ? `[${entries.join(',')}]` : `{${entries.join(',')}}`
  }
  const place = (field: number): [start: string, end: string] => [
    field === 0 ? 'start' : `ends[first+${field - 1}]+1`,
    field === width - 1 ? 'end' : `ends[first+${field}]`,
  ]
  const slice = (field: number) => `text.slice(${place(field)})`
  if (types !== null) {
    // Parsers are told where the value is; those of text are not called at all.
    const value = (field: number, column: number) => {
      const [start, end] = place(field)
      if (types.checksNulls) return `types.value(${column},text,${start},${end})`
      if (types.parsers[column] === null) return `${end}>${start}?${slice(field)}:types.empty(${column})`
      return `p${column}(text,${start},${end})??types.miss(${column},text,${start},${end})`
    }
    const parsers = picks.map((_, i) => `p${i}=parsers[${i}]`)
    return `'use strict'
const ${parsers.join(',')}
return {
fromText: (text, ends, first, start, end) => {
types.fault = -1
const row = ${literal(value)}
return types.fault < 0 ? row : null
},
fromFields: (fields, quoted) => {
types.fault = -1
const row = ${literal((field, column) => `types.field(${column},fields[${field}],${field},quoted)`)}
return types.fault < 0 ? row : null
},
}`
  }
  return `'use strict'
return {
fromText: (text, ends, first, start, end) => (${literal(slice)}),
fromFields: fields => (${literal(field => `fields[${field}]`)}),
}`
}

/** A key of an object literal. A plain `"__proto__"` would set the prototype; a computed one is data like any other. */
function keyOf(name: string): string {
  const key = JSON.stringify(name)
  return name === '__proto__' ? `[${key}]` : key
}

/** A builder without generated code, for the first rows and for where there can be no other. */
export function loopRowBuilder(shape: RowShape): RowBuilder {
  if (shape.types !== null) return typedLoop(shape, shape.types)
  const { width, picks, keys } = shape
  const last = width - 1
  const slice = (text: string, ends: Int32Array, first: number, start: number, end: number, field: number) =>
    text.slice(field === 0 ? start : ends[first + field - 1]! + 1, field === last ? end : ends[first + field]!)
  if (keys === null) {
    return {
      fromText: (text, ends, first, start, end) =>
        rowOf(picks.map(field => slice(text, ends, first, start, end, field))),
      fromFields: fields => rowOf(picks.map(field => fields[field]!)),
    }
  }
  const template = templateOf(keys)
  const all = picks.length === width && picks.every((field, i) => field === i)
  return {
    fromText: (text, ends, first, start, end) => {
      const row = { ...template }
      if (all) {
        let from = start
        for (let i = 0; i < last; i++) {
          const to = ends[first + i]!
          row[keys[i]!] = text.slice(from, to)
          from = to + 1
        }
        row[keys[last]!] = text.slice(from, end)
      } else {
        for (let i = 0; i < picks.length; i++) row[keys[i]!] = slice(text, ends, first, start, end, picks[i]!)
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

/** As `loopRowBuilder`, where columns have types. */
function typedLoop({ width, picks, keys }: RowShape, types: ColumnTypes): RowBuilder {
  const last = width - 1
  const template = keys === null ? null : templateOf(keys)
  const rowFrom = (value: (field: number, column: number) => unknown): Row | null => {
    types.fault = -1
    const row = template === null ? [] : { ...template }
    for (let i = 0; i < picks.length; i++) {
      const made = value(picks[i]!, i)
      if (keys === null) (row as unknown[])[i] = made
      else (row as Row)[keys[i]!] = made
    }
    return types.fault < 0 ? (row as Row) : null
  }
  return {
    fromText: (text, ends, first, start, end) =>
      rowFrom((field, column) =>
        types.value(
          column,
          text,
          field === 0 ? start : ends[first + field - 1]! + 1,
          field === last ? end : ends[first + field]!,
        ),
      ),
    fromFields: (fields, quoted) => rowFrom((field, column) => types.field(column, fields[field]!, field, quoted)),
  }
}

/**
 * Copying a template that has all the keys as its own makes each store an overwrite, also that of `__proto__`. JSON.parse
 * makes an own `__proto__`, and an object that V8 copies quickly however many keys it has.
 */
function templateOf(keys: readonly string[]): Row {
  return parseJson(`{${keys.map(key => `${JSON.stringify(key)}:""`).join(',')}}`) as Row
}

/** An array as a row: where there is no header, rows are arrays, and `Row` stands for both. */
export function rowOf(fields: unknown[]): Row {
  return fields as unknown as Row
}
