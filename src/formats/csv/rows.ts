/** Fields → rows, by a function made for the columns at hand. */
import { parseJson } from '../../core/json-parse.ts'
import type { Row } from '../../core/types.ts'
import type { ColumnTypes } from '../../core/typing.ts'
import type { ValueParser } from '../../core/values.ts'
import { HAS_DOUBLED_QUOTES, HAS_QUOTES, RECORD_SHIFT, type RecordIndex } from './simd/record-index.ts'

/** Makes rows of one shape. Both give `null`, and leave `ColumnTypes.fault` set, where a field is not of its column's type. */
export interface RowBuilder {
  /** A row of the fields of an unquoted record: `text[start, end)`, its delimiters at `ends[first]` and on. */
  fromText(text: string, ends: Int32Array, first: number, start: number, end: number): Row | null
  /**
   * Adds to `rows` those of indexed records from number `record` on, which begins at `start`. Gives the number of the first
   * one that is left: it is not as wide as the columns, or has nothing but its one empty field, or has quotes or values
   * that are to be looked at one by one where there are types.
   */
  fromIndex(
    text: string,
    index: RecordIndex,
    record: number,
    start: number,
    crlf: boolean,
    quote: string,
    rows: Row[],
  ): number
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

const CR = 13
const ANY_QUOTES = HAS_QUOTES | HAS_DOUBLED_QUOTES
/** Up to this many doubled quotes, a field is joined of pieces; more make long chains of strings. */
const MAX_JOINED = 16
/** Compiling costs some 160 µs; a generated function of more fields than this runs no faster than a loop. */
const MAX_COMPILED_FIELDS = 300
const MAX_CACHED = 100
type Make = (types: ColumnTypes | null, parsers: readonly (ValueParser | null)[], unescaped: Unescape) => RowBuilder
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
  // By what the code depends on: the parsers themselves are given to it, and a column that was widened keeps its own.
  const id = JSON.stringify([width, picks, keys, types?.checksNulls, parsers.map(parser => parser === null)])
  const cached = compiled.get(id)
  if (cached !== undefined) return cached(types, parsers, unescaped)
  let make: Make
  try {
    make = new Function('types', 'parsers', 'unescaped', source(shape)) as Make
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    mayCompile = false
    return null
  }
  if (compiled.size >= MAX_CACHED) compiled.delete(compiled.keys().next().value!)
  compiled.set(id, make)
  return make(types, parsers, unescaped)
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
${fromIndex(width, [
  `if ((item & ${ANY_QUOTES}) !== 0) break`,
  'types.fault = -1',
  `const row = ${literal(value)}`,
  'if (types.fault >= 0) break',
  'rows.push(row)',
])},
fromFields: (fields, quoted) => {
types.fault = -1
const row = ${literal((field, column) => `types.field(${column},fields[${field}],${field},quoted)`)}
return types.fault < 0 ? row : null
},
}`
  }
  const unquoted = (cut: string) => (field: number) => {
    const [start, end] = place(field)
    return `(a=${start},b=${end},text.charCodeAt(a)===code?${cut}:text.slice(a,b))`
  }
  return `'use strict'
const fromText = (text, ends, first, start, end) => (${literal(slice)})
const fromQuoted = (text, ends, first, start, end, code) => {
let a = 0, b = 0
return ${literal(unquoted('text.slice(a+1,b-1)'))}
}
const fromEscaped = (text, ends, first, start, end, code, quote) => {
let a = 0, b = 0
return ${literal(unquoted('unescaped(text,a+1,b-1,quote)'))}
}
return {
fromText,
${fromIndex(width, [
  `if ((item & ${ANY_QUOTES}) === 0) rows.push(fromText(text, ends, first, start, end))`,
  `else if ((item & ${HAS_DOUBLED_QUOTES}) === 0) rows.push(fromQuoted(text, ends, first, start, end, code))`,
  'else rows.push(fromEscaped(text, ends, first, start, end, code, quote))',
])},
fromFields: fields => (${literal(field => `fields[${field}]`)}),
}`
}

/** The loop over indexed records, with what it does for each: as code, so that each shape's rows have a loop of their own. */
function fromIndex(width: number, body: readonly string[]): string {
  return `fromIndex: (text, index, record, start, crlf, quote, rows) => {
const { ends, records, count } = index
const code = quote.charCodeAt(0)
let first = record === 0 ? 0 : (records[record - 1] >> ${RECORD_SHIFT}) + 1
for (; record < count; record++) {
const item = records[record]
const last = item >> ${RECORD_SHIFT}
if (last - first !== ${width - 1}) break
const next = ends[last] + 1
let end = next - 1
if (crlf && end > start && text.charCodeAt(end - 1) === ${CR}) end--
${width === 1 ? 'if (end === start) break' : ''}
${body.join('\n')}
first = last + 1
start = next
}
return record
}`
}

/** A key of an object literal. A plain `"__proto__"` would set the prototype; a computed one is data like any other. */
function keyOf(name: string): string {
  const key = JSON.stringify(name)
  return name === '__proto__' ? `[${key}]` : key
}

/** A builder without generated code, for the first rows and for where there can be no other. */
export function loopRowBuilder(shape: RowShape): RowBuilder {
  const { fromText, fromFields } = shape.types === null ? untypedLoop(shape) : typedLoop(shape, shape.types)
  const { width, types } = shape
  const fields: string[] = []
  return {
    fromText,
    fromFields,
    fromIndex: (text, index, record, start, crlf, quote, rows) => {
      const { ends, records, count } = index
      let first = record === 0 ? 0 : (records[record - 1]! >> RECORD_SHIFT) + 1
      for (; record < count; record++) {
        const item = records[record]!
        const last = item >> RECORD_SHIFT
        if (last - first !== width - 1) break
        const next = ends[last]! + 1
        const end = crlf && next - 1 > start && text.charCodeAt(next - 2) === CR ? next - 2 : next - 1
        if (width === 1 && end === start) break
        let row: Row | null
        if ((item & ANY_QUOTES) === 0) row = fromText(text, ends, first, start, end)
        else if (types !== null) break
        else {
          for (let i = 0; i < width; i++) {
            const from = i === 0 ? start : ends[first + i - 1]! + 1
            const to = i === width - 1 ? end : ends[first + i]!
            fields[i] = text.startsWith(quote, from) ? unescaped(text, from + 1, to - 1, quote) : text.slice(from, to)
          }
          row = fromFields(fields)
        }
        if (row === null) break
        rows.push(row)
        first = last + 1
        start = next
      }
      return record
    },
  }
}

type Loops = Pick<RowBuilder, 'fromText' | 'fromFields'>

function untypedLoop({ width, picks, keys }: RowShape): Loops {
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

/** As `untypedLoop`, where columns have types. */
function typedLoop({ width, picks, keys }: RowShape, types: ColumnTypes): Loops {
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

type Unescape = typeof unescaped

/** `text[start, end)`, which lies between two quotes, with each doubled quote in it as one. */
function unescaped(text: string, start: number, end: number, quote: string): string {
  let value = ''
  let from = start
  let joined = 0
  // The quote at `end` ends the search.
  for (let at = text.indexOf(quote, start); at < end; at = text.indexOf(quote, from)) {
    if (joined++ === MAX_JOINED) return value + text.slice(from, end).replaceAll(quote + quote, quote)
    value += text.slice(from, at + 1)
    from = at + 2
  }
  return from === start ? text.slice(start, end) : value + text.slice(from, end)
}
