/** Texts and bytes → memory as DuckDB's vectors have it: short ones in place, long ones behind a pointer. */
import { OutputBuffer } from '../../core/bytes.ts'
import { JsonWriter } from '../../core/json.ts'
import { UnwritableValue } from '../../core/unwritable.ts'
import { INLINE_TEXT_BYTES, VECTOR_ROWS, type VectorData } from '../../duckdb/vector-data.ts'
import { isBytes } from './write-types.ts'
import { Validity, type VectorBuilder } from './writer-vectors.ts'

/** Words of 32 bits that a `duckdb_string_t` has: length, then the text, or its first four bytes and a pointer. */
const WORDS = 4

/** What texts and bytes have in common: fields of 16 bytes. */
abstract class PointingVector<Long extends { readonly length: number }> implements VectorBuilder {
  length = 0
  weight = 0
  protected words = new Uint32Array()
  protected bytes = Buffer.alloc(0)
  protected readonly validity = new Validity()
  protected long: Long[] = []
  protected longAt: number[] = []

  abstract append(values: readonly unknown[], from: number, end: number): number
  /** The long values, one behind the other; sets the length of each in `words`. */
  protected abstract heap(): Buffer<ArrayBuffer>

  protected get capacity(): number {
    return this.words.length / WORDS
  }

  protected reserve(count: number): void {
    if (count <= this.capacity) return
    const words = new Uint32Array(WORDS * Math.max(VECTOR_ROWS, count, this.capacity * 2))
    words.set(this.words)
    this.words = words
    this.bytes = Buffer.from(words.buffer)
  }

  truncate(length: number): void {
    this.validity.truncate(length, this.length)
    this.words.fill(0, length * WORDS, this.length * WORDS)
    this.length = length
    while (this.longAt.length > 0 && this.longAt.at(-1)! >= length) {
      this.longAt.pop()
      this.weight -= this.long.pop()!.length
    }
  }

  take(): VectorData {
    const { length, words } = this
    const rest = this.longAt.length === 0 ? {} : this.#place()
    const used = length * WORDS * 4
    const data = used === words.buffer.byteLength ? words.buffer : words.buffer.slice(0, used)
    this.words = new Uint32Array()
    this.bytes = Buffer.alloc(0)
    this.long = []
    this.longAt = []
    this.length = 0
    this.weight = 0
    return { data, ...rest, ...this.validity.take(length) }
  }

  #place(): { heap: ArrayBuffer; longTexts: ArrayBuffer } {
    const { words, longAt } = this
    const heap = this.heap()
    const view = new DataView(heap.buffer)
    let offset = 0
    for (const i of longAt) {
      const at = i * WORDS
      words[at + 1] = view.getUint32(offset, true)
      words[at + 2] = offset
      offset += words[at]!
    }
    return { heap: heap.buffer, longTexts: Int32Array.from(longAt).buffer }
  }
}

export class TextVector extends PointingVector<string> {
  append(values: readonly unknown[], from: number, end: number): number {
    this.reserve(this.length + end - from)
    const words = this.words
    let row = this.length
    let i = from
    for (; i < end; i++, row++) {
      const value = values[i]
      if (typeof value !== 'string') {
        if (value !== null && value !== undefined) break
        this.validity.setNull(row, this.capacity)
        continue
      }
      const count = value.length
      if (count <= INLINE_TEXT_BYTES) {
        let a = 0
        let b = 0
        let c = 0
        let all = 0
        let j = 0
        for (; j < count && j < 4; j++) {
          const unit = value.charCodeAt(j)
          all |= unit
          a |= unit << (8 * j)
        }
        for (; j < count && j < 8; j++) {
          const unit = value.charCodeAt(j)
          all |= unit
          b |= unit << (8 * (j - 4))
        }
        for (; j < count; j++) {
          const unit = value.charCodeAt(j)
          all |= unit
          c |= unit << (8 * (j - 8))
        }
        if (all < 128) {
          const at = row * WORDS
          words[at] = count
          words[at + 1] = a
          words[at + 2] = b
          words[at + 3] = c
          continue
        }
      }
      if (!this.#beyondAscii(value, row)) break
    }
    this.length = row
    return i
  }

  /** A text that is long or not ASCII; false for one that UTF-8 cannot say. */
  #beyondAscii(value: string, row: number): boolean {
    if (!value.isWellFormed()) return false
    if (value.length <= INLINE_TEXT_BYTES) {
      const size = Buffer.byteLength(value)
      if (size <= INLINE_TEXT_BYTES) {
        this.bytes.write(value, row * WORDS * 4 + 4, 'utf8')
        this.words[row * WORDS] = size
        return true
      }
    }
    this.long.push(value)
    this.longAt.push(row)
    this.weight += value.length
    return true
  }

  protected heap(): Buffer<ArrayBuffer> {
    const { long, longAt, words } = this
    const all = long.length === 1 ? long[0]! : long.join('')
    const size = Buffer.byteLength(all)
    const heap = Buffer.from(new ArrayBuffer(size))
    if (size === all.length) {
      heap.write(all, 0, 'latin1')
      for (let k = 0; k < longAt.length; k++) words[longAt[k]! * WORDS] = long[k]!.length
    } else {
      let at = 0
      for (const [k, i] of longAt.entries()) {
        const written = heap.write(long[k]!, at, 'utf8')
        words[i * WORDS] = written
        at += written
      }
    }
    return heap
  }
}

export class BinaryVector extends PointingVector<Uint8Array> {
  append(values: readonly unknown[], from: number, end: number): number {
    this.reserve(this.length + end - from)
    let row = this.length
    let i = from
    for (; i < end; i++, row++) {
      const value = values[i]
      if (value === null || value === undefined) {
        this.validity.setNull(row, this.capacity)
        continue
      }
      if (typeof value !== 'object' || !isBytes(value)) break
      const bytes =
        value instanceof ArrayBuffer
          ? new Uint8Array(value)
          : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      this.words[row * WORDS] = bytes.length
      if (bytes.length <= INLINE_TEXT_BYTES) this.bytes.set(bytes, row * WORDS * 4 + 4)
      else {
        this.long.push(bytes.slice())
        this.longAt.push(row)
        this.weight += bytes.length
      }
    }
    this.length = row
    return i
  }

  protected heap(): Buffer<ArrayBuffer> {
    const heap = Buffer.from(new ArrayBuffer(this.weight))
    let at = 0
    for (const bytes of this.long) {
      heap.set(bytes, at)
      at += bytes.length
    }
    return heap
  }
}

/** Any values, as JSON text. */
export class JsonVector implements VectorBuilder {
  readonly #texts = new TextVector()
  readonly #out = new OutputBuffer()
  readonly #json = new JsonWriter(this.#out, { bigint: 'number', nonFinite: 'string' })

  get length(): number {
    return this.#texts.length
  }
  get weight(): number {
    return this.#texts.weight
  }

  append(values: readonly unknown[], from: number, end: number): number {
    for (let i = from; i < end; i++) {
      const text = this.#textOf(values[i])
      if (text === undefined) return i
      this.#texts.append([text], 0, 1)
    }
    return end
  }

  #textOf(value: unknown): string | null | undefined {
    if (value === null || value === undefined) return null
    this.#out.length = 0
    try {
      this.#json.value(value)
    } catch (error) {
      if (error instanceof UnwritableValue) return undefined
      throw error
    }
    return this.#out.bytes.toString('utf8', 0, this.#out.length)
  }

  truncate(length: number): void {
    this.#texts.truncate(length)
  }

  take(): VectorData {
    return this.#texts.take()
  }
}
