/** Rows by code that is generated for the columns at hand. */
import { CalendarDate } from '../../core/calendar-date.ts'
import type { ColumnTypes, ValueKind } from '../../core/column-types.ts'
import { GeneratedFunctions, literalKey } from '../../core/generated-code.ts'
import type { ValueParser } from '../../core/values.ts'
import { type RowBuilder, type RowShape, unescaped } from './rows.ts'
import {
  ANY_QUOTES,
  HAS_DOUBLED_QUOTES,
  NOT_READ,
  RECORD_SHIFT,
  recordIndex,
  type ValuePlan,
  valuePlan,
} from './simd/record-index.ts'

const CR = 13
const DAY_MS = 86_400_000
/** Compiling costs some 160 µs; a generated function of more fields than this runs no faster than a loop. */
const MAX_COMPILED_FIELDS = 300

/** What generated code is given. */
interface Given {
  readonly types: ColumnTypes | null
  readonly parsers: readonly (ValueParser | null)[]
  /** The fields whose values an index reads. */
  readonly plan: ValuePlan | null
  readonly int32s: Int32Array | undefined
  readonly doubles: Float64Array | undefined
  readonly unescaped: typeof unescaped
  readonly CalendarDate: typeof CalendarDate
}
type Make = (given: Given) => RowBuilder
const makers = new GeneratedFunctions<Make>('given')

/**
 * A builder generated for the shape: one object literal, so that each row has its hidden class from birth. `null` where
 * there are too many fields for it to pay, or where Node forbids code from strings. Cached by shape.
 */
export function compileRowBuilder(shape: RowShape): RowBuilder | null {
  if (shape.picks.length > MAX_COMPILED_FIELDS) return null
  const { width, picks, keys, types } = shape
  const parsers = types?.parsers ?? []
  const index = recordIndex()
  const kinds = picks.map((_, i) => (index === null || types === null ? null : types.kindOf(i)))
  const planned = picks.flatMap((field, i) => (kinds[i] === null ? [] : [{ field, kind: kinds[i]! }]))
  const plan = planned.length === 0 ? null : valuePlan(width, planned)
  const given = { types, parsers, plan, int32s: index?.int32s, doubles: index?.doubles, unescaped, CalendarDate }
  // By what the code depends on: the parsers themselves are given to it, and a column that was widened keeps its own.
  const nulls = [types?.checksNulls, types?.emptyIsNull, types?.quotedNulls]
  const id = JSON.stringify([width, picks, keys, nulls, kinds, parsers.map(parser => parser === null)])
  const make = makers.get(id, () => (types === null ? textSource(shape) : typedSource(shape, types, kinds)))
  return make === null ? null : make(given)
}

type Value = (field: number, column: number) => string

/** The row, of an expression for each of its values. */
function literal({ picks, keys }: RowShape, value: Value): string {
  const entries = picks.map((field, i) => (keys === null ? '' : `${literalKey(keys[i]!)}:`) + value(field, i))
  return keys === null ? `[${entries.join(',')}]` : `{${entries.join(',')}}`
}

/** Where a field begins and ends. */
function placeIn(width: number): (field: number) => [start: string, end: string] {
  return field => [
    field === 0 ? 'start' : `ends[first+${field - 1}]+1`,
    field === width - 1 ? 'end' : `ends[first+${field}]`,
  ]
}

function textSource(shape: RowShape): string {
  const place = placeIn(shape.width)
  const unquoted = (cut: string) => (field: number) => {
    const [start, end] = place(field)
    return `(a=${start},b=${end},text.charCodeAt(a)===code?${cut}:text.substring(a,b))`
  }
  return `'use strict'
const { unescaped } = given
const fromText = (text, ends, first, start, end) => (${literal(shape, field => `text.substring(${place(field)})`)})
const fromQuoted = (text, ends, first, start, end, code) => {
let a = 0, b = 0
return ${literal(shape, unquoted('text.substring(a+1,b-1)'))}
}
const fromEscaped = (text, ends, first, start, end, code, quote) => {
let a = 0, b = 0
return ${literal(shape, unquoted('unescaped(text,a+1,b-1,quote)'))}
}
return {
fromText,
fromIndex: (text, index, record, start, crlf, quote, rows) => {
${loop(shape.width, [
  `if ((item & ${ANY_QUOTES}) === 0) rows.push(fromText(text, ends, first, start, end))`,
  `else if ((item & ${HAS_DOUBLED_QUOTES}) === 0) rows.push(fromQuoted(text, ends, first, start, end, code))`,
  'else rows.push(fromEscaped(text, ends, first, start, end, code, quote))',
])}
},
fromFields: fields => (${literal(shape, field => `fields[${field}]`)}),
}`
}

/**
 * Most records come with their values read by the index, in blocks of ASCII at least; then what remains is text. Where a
 * record has values that the index does not read, or none, or the text is not ASCII, parsers are told where the value is.
 */
function typedSource(shape: RowShape, types: ColumnTypes, kinds: readonly (ValueKind | null)[]): string {
  const { width, picks } = shape
  const place = placeIn(width)
  const slots = new Map<number, number>()
  for (const [column, kind] of kinds.entries()) if (kind !== null) slots.set(column, slots.size)
  const at = (field: number) => {
    const [start, end] = place(field)
    return `a=${start},b=${end}`
  }
  const empty = (column: number) => (types.emptyIsNull ? `(nulls[${column}]=1,null)` : "''")
  const parsed: Value = (field, column) => {
    if (types.checksNulls) return `(${at(field)},types.value(${column},text,a,b))`
    if (types.parsers[column] === null) return `(${at(field)},b>a?text.substring(a,b):${empty(column)})`
    return `(${at(field)},p${column}(text,a,b)??types.miss(${column},text,a,b))`
  }
  const read = (value: (slot: string, column: number, field: number) => string): Value => {
    return (field, column) => {
      const slot = slots.get(column)
      if (slot === undefined) return parsed(field, column)
      const inInt32s = kinds[column] === 'int32' || kinds[column] === 'date'
      return value(inInt32s ? `int32s[base+${2 * slot}]` : `doubles[slot+${slot}]`, column, field)
    }
  }
  const whole = read((slot, column) => (kinds[column] === 'date' ? `new CalendarDate(${slot}*${DAY_MS})` : slot))
  const inParts = read((slot, column, field) => {
    const isRead = kinds[column] === 'int32' || kinds[column] === 'date' ? `v!==${NOT_READ}` : 'v===v'
    const value = kinds[column] === 'date' ? `new CalendarDate(v*${DAY_MS})` : 'v'
    return `((v=${slot},${isRead})?${value}:(${at(field)},other(${column},text,a,b)))`
  })
  const quoted: Value = (field, column) => {
    const cut = 'unescaped(text,a+1,b-1,quote)'
    const value = types.parsers[column] === null && !types.quotedNulls ? cut : `types.quoted(${column},${cut})`
    return `(${at(field)},text.charCodeAt(a)===code?${value}:other(${column},text,a,b))`
  }
  const byIndex = `const base = bases[record] & -2
const slot = base >> 1
row = base === bases[record] ? fromValues(text, ends, first, start, end, base, slot) : fromSome(text, ends, first, start, end, base, slot)`
  const body = (plain: string) => [
    'let row',
    `if ((item & ${ANY_QUOTES}) !== 0) row = fromQuoted(text, ends, first, start, end, code, quote)`,
    `else {
${plain}
}`,
    'if (types.fault >= 0) break',
    'rows.push(row)',
  ]
  return `'use strict'
const { types, parsers, plan, int32s, doubles, unescaped, CalendarDate } = given
const { nulls } = types
const ${picks.map((_, i) => `p${i}=parsers[${i}]`).join(',')}
const other = (column, text, a, b) => b>a?types.value(column,text,a,b):types.empty(column)
const fromValues = (text, ends, first, start, end, base, slot) => {
let a = 0, b = 0
return ${literal(shape, whole)}
}
const fromSome = (text, ends, first, start, end, base, slot) => {
let a = 0, b = 0, v = 0
return ${literal(shape, inParts)}
}
const fromParsers = (text, ends, first, start, end) => {
let a = 0, b = 0
return ${literal(shape, parsed)}
}
const fromQuoted = (text, ends, first, start, end, code, quote) => {
let a = 0, b = 0
return ${literal(shape, quoted)}
}
return {
fromText: (text, ends, first, start, end) => {
types.fault = -1
const row = fromParsers(text, ends, first, start, end)
return types.fault < 0 ? row : null
},
fromIndex: (text, index, record, start, crlf, quote, rows) => {
types.fault = -1
if (plan !== null && index.ascii) {
index.readValues(plan)
const { bases } = index
${loop(width, body(byIndex))}
}
${loop(width, body('row = fromParsers(text, ends, first, start, end)'))}
},
fromFields: (fields, quoted) => {
types.fault = -1
const row = ${literal(shape, (field, column) => `types.field(${column},fields[${field}],${field},quoted)`)}
return types.fault < 0 ? row : null
},
}`
}

/** The loop over indexed records, with what it does for each: as code, so that each shape's rows have a loop of their own. */
function loop(width: number, body: readonly string[]): string {
  return `const { ends, records, count } = index
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
return record`
}
