/** Lists and structs → memory as DuckDB's vectors have it, and the builder of any type. */
import { VECTOR_ROWS, type VectorData } from '../../duckdb/vector-data.ts'
import { isBytes, plainOf, UnwritableCell, type WriteType } from './write-types.ts'
import { DecimalVector } from './writer-decimals.ts'
import { BinaryVector, JsonVector, TextVector } from './writer-text-vectors.ts'
import {
  BooleanVector,
  CheckedVector,
  DateVector,
  DoubleVector,
  IntegerVector,
  NullVector,
  TimestampVector,
  Validity,
  type VectorBuilder,
} from './writer-vectors.ts'

/** What takes the values of a type. */
export function createBuilder(type: WriteType): VectorBuilder {
  switch (type.kind) {
    case 'null':
      return new NullVector()
    case 'boolean':
      return new BooleanVector()
    case 'integer':
      return new IntegerVector(type.exact)
    case 'hugeint':
      return new DecimalVector(38, 0)
    case 'number':
      return new DoubleVector()
    case 'decimal':
      return new DecimalVector(Math.max(1, type.whole + type.scale), type.scale)
    case 'date':
      return new DateVector()
    case 'timestamp':
      return new TimestampVector('microseconds', type.far)
    case 'nanoseconds':
      return new TimestampVector('nanoseconds', false)
    case 'stored':
      return new CheckedVector(createBuilder(type.base), type.accepts)
    case 'text':
      return new TextVector()
    case 'binary':
      return new BinaryVector()
    case 'json':
      return new JsonVector()
    case 'list':
      return new ListVector(createBuilder(type.items))
    case 'struct':
      return new StructVector(type.fields)
  }
}

class ListVector implements VectorBuilder {
  length = 0
  readonly #items: VectorBuilder
  readonly #validity = new Validity()
  /** How many items there are before each value, and behind the last. */
  #ends: number[] = [0]

  constructor(items: VectorBuilder) {
    this.#items = items
  }

  get weight(): number {
    return this.#items.weight + this.#items.length * 8
  }

  append(values: readonly unknown[], from: number, end: number): number {
    const flat: unknown[] = []
    const start = this.#items.length
    let i = from
    for (; i < end; i++) {
      const value = values[i]
      if (value === null || value === undefined) this.#validity.setNull(this.length, VECTOR_ROWS + this.length)
      else if (Array.isArray(value)) for (let j = 0; j < value.length; j++) flat.push(value[j])
      else if (ArrayBuffer.isView(value) && !isBytes(value)) flat.push(...(value as unknown as Iterable<unknown>))
      else break
      this.length++
      this.#ends.push(start + flat.length)
    }
    const fit = this.#items.append(flat, 0, flat.length)
    if (fit === flat.length) return i
    // The value that the item is in.
    let wrong = this.length - 1
    while (this.#ends[wrong]! > start + fit) wrong--
    const fitting = i - (this.length - wrong)
    this.truncate(wrong)
    return fitting
  }

  truncate(length: number): void {
    this.#validity.truncate(length, this.length)
    this.length = length
    this.#ends.length = length + 1
    this.#items.truncate(this.#ends[length]!)
  }

  take(): VectorData {
    const { length } = this
    const ends = this.#ends
    const words = new Uint32Array(length * 4)
    for (let i = 0; i < length; i++) {
      words[4 * i] = ends[i]!
      words[4 * i + 2] = ends[i + 1]! - ends[i]!
    }
    const itemCount = this.#items.length
    this.#ends = [0]
    this.length = 0
    return { data: words.buffer, ...this.#validity.take(length), children: [this.#items.take()], itemCount }
  }
}

class StructVector implements VectorBuilder {
  length = 0
  readonly #names: readonly string[]
  readonly #known: ReadonlySet<string>
  readonly #fields: readonly VectorBuilder[]
  readonly #validity = new Validity()

  constructor(fields: ReadonlyMap<string, WriteType>) {
    this.#names = [...fields.keys()]
    this.#known = new Set(this.#names)
    this.#fields = [...fields.values()].map(createBuilder)
  }

  get weight(): number {
    return this.#fields.reduce((sum, field) => sum + field.weight, 0)
  }

  append(values: readonly unknown[], from: number, end: number): number {
    const objects: (Record<string, unknown> | null)[] = []
    let last = end
    for (let i = from; i < last; i++) {
      const value = values[i]
      const object = value === null || value === undefined ? null : this.#objectOf(value)
      if (object === undefined) last = i
      else objects.push(object)
    }
    const start = this.length
    let fit = objects.length
    for (const [k, builder] of this.#fields.entries()) {
      const name = this.#names[k]!
      const own = objects.map(object => (object !== null && Object.hasOwn(object, name) ? object[name] : null))
      fit = Math.min(fit, builder.append(own, 0, fit))
    }
    for (const builder of this.#fields) if (builder.length > start + fit) builder.truncate(start + fit)
    for (let k = 0; k < fit; k++) if (objects[k] === null) this.#validity.setNull(start + k, VECTOR_ROWS + start + fit)
    this.length = start + fit
    return from + fit
  }

  /** The object whose fields are all known; undefined for any other value. */
  #objectOf(value: unknown): Record<string, unknown> | undefined {
    if (typeof value !== 'object' || Array.isArray(value) || ArrayBuffer.isView(value)) return undefined
    let plain: unknown
    try {
      plain = plainOf(value as object)
    } catch (error) {
      if (error instanceof UnwritableCell) return undefined
      throw error
    }
    if (typeof plain !== 'object' || plain === null) return undefined
    for (const name of Object.keys(plain)) if (!this.#known.has(name)) return undefined
    return plain as Record<string, unknown>
  }

  truncate(length: number): void {
    this.#validity.truncate(length, this.length)
    this.length = length
    for (const field of this.#fields) field.truncate(length)
  }

  take(): VectorData {
    const { length } = this
    this.length = 0
    return { ...this.#validity.take(length), children: this.#fields.map(field => field.take()) }
  }
}
