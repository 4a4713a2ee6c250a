/** Values of one column → memory as DuckDB's vectors have it. Values are copied, so that they may change afterwards. */
import { types as kinds } from 'node:util'
import { CalendarDate } from '../../core/calendar-date.ts'
import { PreciseDate } from '../../core/precise-date.ts'
import { INLINE_TEXT_BYTES, VECTOR_ROWS, type VectorData } from '../../duckdb/vector-data.ts'
import { isFar } from './write-types.ts'

/** Takes values of one type. */
export interface VectorBuilder {
  readonly length: number
  /** What it holds, about, in bytes beyond those that each value takes. */
  readonly weight: number
  /** Takes values from `from` on; gives the index of the first that is not of the type, or `end`. */
  append(values: readonly unknown[], from: number, end: number): number
  /** Forgets the values from `length` on. */
  truncate(length: number): void
  /** What it holds; it is empty then. */
  take(): VectorData
}

const TWO_32 = 2 ** 32
const DAY_MS = 86_400_000
const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n

/** Which values are null: a bit each, made when the first null comes. */
export class Validity {
  #bits: Uint8Array | undefined

  setNull(index: number, capacity: number): void {
    let bits = this.#bits
    if (bits === undefined || bits.length * 8 < capacity) bits = this.#grow(capacity)
    bits[index >> 3]! &= ~(1 << (index & 7))
  }

  #grow(capacity: number): Uint8Array {
    const old = this.#bits
    // DuckDB reads masks in words of 64 bits.
    const bits = new Uint8Array(((capacity + 63) >>> 6) << 3).fill(255)
    if (old !== undefined) bits.set(old)
    this.#bits = bits
    return bits
  }

  truncate(from: number, to: number): void {
    const bits = this.#bits
    if (bits === undefined) return
    for (let i = from; i < to; i++) bits[i >> 3]! |= 1 << (i & 7)
  }

  take(length: number): { validity?: ArrayBuffer } {
    const bits = this.#bits
    this.#bits = undefined
    if (bits === undefined) return {}
    return { validity: bits.buffer.slice(0, ((length + 63) >>> 6) << 3) as ArrayBuffer }
  }
}

/** Values of a fixed number of bytes. */
export abstract class FixedVector implements VectorBuilder {
  length = 0
  readonly weight = 0
  protected capacity = 0
  protected readonly validity = new Validity()
  protected memory = new ArrayBuffer(0)
  readonly #bytes: number

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  abstract append(values: readonly unknown[], from: number, end: number): number
  /** Makes the typed arrays over `memory`. */
  protected abstract view(): void

  protected reserve(count: number): void {
    if (count <= this.capacity && this.memory.byteLength > 0) return
    const capacity = Math.max(VECTOR_ROWS, count, this.length === 0 ? 0 : this.capacity * 2)
    const old = new Uint8Array(this.memory)
    this.memory = new ArrayBuffer(capacity * this.#bytes)
    new Uint8Array(this.memory).set(old)
    this.capacity = capacity
    this.view()
  }

  truncate(length: number): void {
    this.validity.truncate(length, this.length)
    this.length = length
  }

  take(): VectorData {
    const { memory, length } = this
    const used = length * this.#bytes
    const data = used === memory.byteLength ? memory : memory.slice(0, used)
    this.memory = new ArrayBuffer(0)
    this.capacity = 0
    this.length = 0
    return { data, ...this.validity.take(length) }
  }
}

export class BooleanVector extends FixedVector {
  #data = new Uint8Array()

  constructor() {
    super(1)
  }

  protected view(): void {
    this.#data = new Uint8Array(this.memory)
  }

  append(values: readonly unknown[], from: number, end: number): number {
    this.reserve(this.length + end - from)
    const data = this.#data
    let at = this.length
    let i = from
    for (; i < end; i++, at++) {
      const value = values[i]
      if (value === true) data[at] = 1
      else if (value === false) data[at] = 0
      else if (value === null || value === undefined) {
        data[at] = 0
        this.validity.setNull(at, this.capacity)
      } else break
    }
    this.length = at
    return i
  }
}

export class DoubleVector extends FixedVector {
  #data = new Float64Array()

  constructor() {
    super(8)
  }

  protected view(): void {
    this.#data = new Float64Array(this.memory)
  }

  append(values: readonly unknown[], from: number, end: number): number {
    this.reserve(this.length + end - from)
    const data = this.#data
    let at = this.length
    let i = from
    for (; i < end; i++, at++) {
      const value = values[i]
      if (typeof value === 'number') data[at] = value
      else if (value === null || value === undefined) this.validity.setNull(at, this.capacity)
      else if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) data[at] = Number(value)
      else break
    }
    this.length = at
    return i
  }
}

/** Integers of 64 bits, of numbers and bigints. */
export class IntegerVector extends FixedVector {
  #words = new Uint32Array()
  #integers = new BigInt64Array()
  readonly #exact: boolean

  /** Without `exact`, bigints that a number does not hold are of another type. */
  constructor(exact: boolean) {
    super(8)
    this.#exact = exact
  }

  protected view(): void {
    this.#words = new Uint32Array(this.memory)
    this.#integers = new BigInt64Array(this.memory)
  }

  append(values: readonly unknown[], from: number, end: number): number {
    this.reserve(this.length + end - from)
    const words = this.#words
    let at = this.length
    let i = from
    for (; i < end; i++, at++) {
      const value = values[i]
      if (typeof value === 'number') {
        const small = value | 0
        if (small === value) {
          // A number also has a zero with a minus, which an integer has not.
          if (small === 0 && 1 / value < 0) break
          words[2 * at] = small
          words[2 * at + 1] = small >> 31
        } else if (Number.isSafeInteger(value)) {
          const high = Math.floor(value / TWO_32)
          words[2 * at] = value - high * TWO_32
          words[2 * at + 1] = high
        } else break
      } else if (value === null || value === undefined) this.validity.setNull(at, this.capacity)
      else if (typeof value === 'bigint' && this.#holds(value)) this.#integers[at] = value
      else break
    }
    this.length = at
    return i
  }

  #holds(value: bigint): boolean {
    return this.#exact
      ? value >= MIN_INT64 && value <= MAX_INT64
      : value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
  }
}

/** Days since 1970. */
export class DateVector extends FixedVector {
  #data = new Int32Array()

  constructor() {
    super(4)
  }

  protected view(): void {
    this.#data = new Int32Array(this.memory)
  }

  append(values: readonly unknown[], from: number, end: number): number {
    this.reserve(this.length + end - from)
    const data = this.#data
    let at = this.length
    let i = from
    for (; i < end; i++, at++) {
      const value = values[i]
      if (value === null || value === undefined) this.validity.setNull(at, this.capacity)
      else if (value instanceof CalendarDate && value.getTime() % DAY_MS === 0) data[at] = value.getTime() / DAY_MS
      else break
    }
    this.length = at
    return i
  }
}

/** Micro- or nanoseconds since 1970. */
export class TimestampVector extends FixedVector {
  #words = new Uint32Array()
  #integers = new BigInt64Array()
  readonly #nanoseconds: boolean
  readonly #far: boolean

  /** Without `far`, instants that nanoseconds do not reach are of another type. */
  constructor(unit: 'microseconds' | 'nanoseconds', far: boolean) {
    super(8)
    this.#nanoseconds = unit === 'nanoseconds'
    this.#far = far
  }

  protected view(): void {
    this.#words = new Uint32Array(this.memory)
    this.#integers = new BigInt64Array(this.memory)
  }

  append(values: readonly unknown[], from: number, end: number): number {
    this.reserve(this.length + end - from)
    const words = this.#words
    let at = this.length
    let i = from
    for (; i < end; i++, at++) {
      const value = values[i]
      if (value === null || value === undefined) {
        this.validity.setNull(at, this.capacity)
        continue
      }
      if (!(value instanceof Date) && !kinds.isDate(value)) break
      const ms = value.getTime()
      if (Number.isNaN(ms) || (value instanceof CalendarDate && ms % DAY_MS === 0) || (!this.#far && isFar(ms))) break
      const rest = value instanceof PreciseDate ? value.nanoseconds : 0
      if (this.#nanoseconds) {
        this.#integers[at] = BigInt(ms) * 1_000_000n + BigInt(rest)
        continue
      }
      if (rest % 1000 !== 0) break
      // In halves: a double does not hold all microseconds beyond the year 2255.
      const high = Math.floor(ms / TWO_32)
      const low = (ms - high * TWO_32) * 1000 + rest / 1000
      const carry = Math.floor(low / TWO_32)
      words[2 * at] = low - carry * TWO_32
      words[2 * at + 1] = high * 1000 + carry
    }
    this.length = at
    return i
  }
}

/** No values but null; anything else is of another type. */
export class NullVector implements VectorBuilder {
  length = 0
  readonly weight = 0

  append(values: readonly unknown[], from: number, end: number): number {
    let i = from
    while (i < end && (values[i] === null || values[i] === undefined)) i++
    this.length += i - from
    return i
  }

  truncate(length: number): void {
    this.length = length
  }

  take(): VectorData {
    const { length } = this
    this.length = 0
    return {
      data: new ArrayBuffer(length * (INLINE_TEXT_BYTES + 4)),
      validity: new ArrayBuffer(((length + 63) >>> 6) << 3),
    }
  }
}

/** Values that a check lets pass, in the vector of another type. */
export class CheckedVector implements VectorBuilder {
  readonly #base: VectorBuilder
  readonly #accepts: (value: unknown) => boolean

  constructor(base: VectorBuilder, accepts: (value: unknown) => boolean) {
    this.#base = base
    this.#accepts = accepts
  }

  get length(): number {
    return this.#base.length
  }
  get weight(): number {
    return this.#base.weight
  }

  append(values: readonly unknown[], from: number, end: number): number {
    let last = from
    while (last < end && (values[last] === null || values[last] === undefined || this.#accepts(values[last]))) last++
    return this.#base.append(values, from, last)
  }

  truncate(length: number): void {
    this.#base.truncate(length)
  }

  take(): VectorData {
    return this.#base.take()
  }
}
