/** What type JavaScript values have in common: of rows that have types of their own, as JSON and objects do. */
import { types as kinds } from 'node:util'
import { CalendarDate } from './calendar-date.ts'
import type { ColumnSchema, SchemaType } from './schema.ts'

/** Objects nested deeper than this are only said to be JSON: a circle has no end. */
const MAX_DEPTH = 32
/** An object with more keys than this over all rows is a map, not a record: its keys are not listed. */
const MAX_FIELDS = 1000

/** The type of what is observed; `column` of `ColumnSchema` without its name. */
export type ValueSummary = Omit<ColumnSchema, 'name' | 'source'>

/** Looks at the values of one column, or of one place inside of them. */
export class ValueInferrer {
  readonly #depth: number
  readonly #types = new Set<SchemaType>()
  #nulls = false
  #fields: FieldsInferrer | undefined
  #items: ValueInferrer | undefined

  constructor(depth = 0) {
    this.#depth = depth
  }

  observe(value: unknown): void {
    if (value === null || value === undefined) {
      this.#nulls = true
      return
    }
    const type = this.#depth < MAX_DEPTH ? typeOf(value) : 'json'
    this.#types.add(type)
    if (type === 'object') {
      this.#fields ??= new FieldsInferrer(this.#depth + 1)
      this.#fields.observe(value as object)
    } else if (type === 'array') {
      this.#items ??= new ValueInferrer(this.#depth + 1)
      for (const item of value as unknown[]) this.#items.observe(item)
    }
  }

  get summary(): ValueSummary {
    const type = this.#type
    const fields = type === 'object' ? this.#fields?.columns : undefined
    const items = type === 'array' ? this.#items?.summary : undefined
    return {
      type,
      nullable: this.#nulls,
      ...(fields === undefined ? {} : { fields }),
      ...(items === undefined || items.type === 'null' ? {} : { items }),
    }
  }

  get #type(): SchemaType {
    const [first = 'null', ...others] = this.#types
    if (others.length === 0) return first
    const all = [first, ...others]
    if (all.every(type => type === 'integer' || type === 'number')) return 'number'
    if (all.every(type => type === 'integer' || type === 'bigint')) return 'bigint'
    return 'json'
  }
}

/** Looks at objects that are records: at the values of each key. */
export class FieldsInferrer {
  readonly #depth: number
  readonly #byName = new Map<string, { readonly values: ValueInferrer; seen: number }>()
  #count = 0
  #tooMany = false

  constructor(depth = 0) {
    this.#depth = depth
  }

  observe(record: object): void {
    this.#count++
    for (const [name, value] of entriesOf(record)) {
      if (value === undefined || this.#tooMany) continue
      let field = this.#byName.get(name)
      if (field === undefined) {
        if (this.#depth > 0 && this.#byName.size === MAX_FIELDS) {
          this.#tooMany = true
          this.#byName.clear()
          return
        }
        field = { values: new ValueInferrer(this.#depth), seen: 0 }
        this.#byName.set(name, field)
      }
      field.values.observe(value)
      field.seen++
    }
  }

  /** The keys in the order in which they appeared; `undefined` where there are too many. */
  get columns(): ColumnSchema[] | undefined {
    if (this.#tooMany) return undefined
    return [...this.#byName].map(([name, { values, seen }]) => ({
      name,
      ...values.summary,
      source: 'inferred',
      ...(seen < this.#count ? { optional: true } : {}),
    }))
  }
}

/** An array as a row has columns that are numbered from 1. */
function entriesOf(record: object): [name: string, value: unknown][] {
  return Array.isArray(record) ? record.map((value, i) => [`column_${i + 1}`, value]) : Object.entries(record)
}

/** What a schema calls a value that is not null. */
export function typeOf(value: unknown): SchemaType {
  switch (typeof value) {
    case 'string':
      return 'text'
    case 'boolean':
      return 'boolean'
    case 'bigint':
      return 'bigint'
    case 'number':
      return Number.isSafeInteger(value) ? 'integer' : 'number'
    case 'object':
      if (Array.isArray(value)) return 'array'
      if (value instanceof CalendarDate) return 'date'
      if (kinds.isDate(value)) return 'timestamp'
      if (ArrayBuffer.isView(value) || kinds.isAnyArrayBuffer(value)) return 'binary'
      return 'object'
    default:
      return 'json'
  }
}
