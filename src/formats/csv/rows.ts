/** Fields → rows. How, by loops over the columns; `compileRowBuilder` makes code for the columns at hand. */

import type { ColumnTypes } from '../../core/column-types.ts'
import { parseJson } from '../../core/json-parse.ts'
import type { Row } from '../../core/types.ts'
import { ANY_QUOTES, RECORD_SHIFT, type RecordIndex } from './simd/record-index.ts'

/** Makes rows of one shape. Both give `null`, and leave `ColumnTypes.fault` set, where a field is not of its column's type. */
export interface RowBuilder {
  /** A row of the fields of an unquoted record: `text[start, end)`, its delimiters at `ends[first]` and on. */
  fromText(text: string, ends: Int32Array, first: number, start: number, end: number): Row | null
  /**
   * Adds to `rows` those of indexed records from number `record` on, which begins at `start`. Gives the number of the first
   * one that is left: it is not as wide as the columns, or has nothing but its one empty field, or a value that is not of
   * its column's type.
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
/** Up to this many doubled quotes, a field is joined of pieces; more make long chains of strings. */
const MAX_JOINED = 16

/** A builder without generated code, for the first rows and for where there can be no other. */
export function loopRowBuilder(shape: RowShape): RowBuilder {
  const { fromText, fromFields } = shape.types === null ? untypedLoop(shape) : typedLoop(shape, shape.types)
  const { width, types } = shape
  const fields: string[] = []
  const quoted: number[] = []
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
        else {
          quoted.length = 0
          for (let i = 0; i < width; i++) {
            const from = i === 0 ? start : ends[first + i - 1]! + 1
            const to = i === width - 1 ? end : ends[first + i]!
            if (text.startsWith(quote, from)) {
              fields[i] = unescaped(text, from + 1, to - 1, quote)
              if (types !== null) quoted.push(i)
            } else fields[i] = text.slice(from, to)
          }
          row = fromFields(fields, quoted)
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

/** `text[start, end)`, which lies between two quotes, with each doubled quote in it as one. */
export function unescaped(text: string, start: number, end: number, quote: string): string {
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
