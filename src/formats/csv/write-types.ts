/** Values of columns whose types are declared → values that are written so that they are read back as the same. */
import { types as kinds } from 'node:util'
import { OutputBuffer } from '../../core/bytes.ts'
import { CalendarDate } from '../../core/calendar-date.ts'
import { JsonWriter } from '../../core/json.ts'
import { UnwritableValue } from '../../core/unwritable.ts'
import {
  anyBigint,
  anyInteger,
  anyNumber,
  anyTimestamp,
  type ColumnType,
  calendarDate,
  decimalText,
  type ValueParser,
} from '../../core/values.ts'

/** An object that stands for a text, which is written without the marks of a string. */
class Verbatim {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toJSON(): string {
    return this.#text
  }
}

/** A value that is not of the type that its column is declared to have. */
export class MistypedValue extends Error {
  readonly column: string
  readonly expected: ColumnType
  readonly value: unknown
  constructor(column: string, expected: ColumnType, value: unknown) {
    super(`column ${column} is not of type ${expected}`)
    this.column = column
    this.expected = expected
    this.value = value
  }
}

/** `value` as a value of `type`, ready to be written; `undefined` where it is none. Null and undefined are left to the caller. */
export function typedValue(type: ColumnType, value: unknown): unknown {
  switch (type) {
    case 'integer':
      return byText(value, anyInteger)
    case 'bigint':
      return byText(value, anyBigint)
    case 'number':
      return byText(value, anyNumber)
    case 'decimal':
      return byText(value, decimalText)
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'date':
      return dateOf(value)
    case 'timestamp':
      // A CalendarDate is written as a day, which is no timestamp.
      if (kinds.isDate(value)) return Number.isNaN(value.getTime()) ? undefined : new Date(value.getTime())
      return typeof value === 'string' ? fitting(value, anyTimestamp) : undefined
    case 'json':
      return new Verbatim(jsonText(value))
    case 'text':
      return value
  }
}

/** A number, a bigint, or text, if its text is one of the type. Text is written as it is. */
function byText(value: unknown, parser: ValueParser): unknown {
  if (typeof value === 'string') return fitting(value, parser)
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
  const text = `${value}`
  return parser(text, 0, text.length) === undefined ? undefined : value
}

function fitting(text: string, parser: ValueParser): Verbatim | undefined {
  return parser(text, 0, text.length) === undefined ? undefined : new Verbatim(text)
}

function dateOf(value: unknown): unknown {
  if (typeof value === 'string') return fitting(value, calendarDate)
  if (!kinds.isDate(value)) return undefined
  const date = value instanceof CalendarDate ? value : new CalendarDate(value.getTime())
  // A time of the day would be lost.
  if (date.getTime() % 86_400_000 !== 0) return undefined
  const text = date.toJSON()
  return calendarDate(text, 0, text.length) === undefined ? undefined : date
}

function jsonText(value: unknown): string {
  const out = new OutputBuffer()
  const writer = new JsonWriter(out, { bigint: 'number', nonFinite: 'error' })
  writer.value(value)
  return out.bytes.toString('utf8', 0, out.length)
}

/** The types of the columns of an output. */
export class TypedColumns {
  readonly #types: ReadonlyMap<string, ColumnType>

  constructor(types: ReadonlyMap<string, ColumnType>) {
    this.#types = types
  }

  /** Names that have a type. */
  get names(): Iterable<string> {
    return this.#types.keys()
  }

  /** The values of a row in the order of `names`, ready to be written. Throws MistypedValue. */
  prepare(values: readonly unknown[], names: readonly string[]): unknown[] {
    return values.map((value, i) => {
      const name = names[i]!
      const type = this.#types.get(name)
      if (type === undefined || value === null || value === undefined) return value
      let prepared: unknown
      try {
        prepared = typedValue(type, value)
      } catch (error) {
        if (!(error instanceof UnwritableValue)) throw error
      }
      if (prepared === undefined) throw new MistypedValue(name, type, value)
      return prepared
    })
  }
}
