/** Texts out of a DuckDB vector: those of up to 12 bytes stand in it, longer ones are pointed to. */
import { isAscii } from 'node:buffer'
import type { NativeBinding, NativeVector } from './binding.ts'
import { isValid, validityOf } from './vector-views.ts'

/** Bytes of a `duckdb_string_t`: a length, then the text or its first 4 bytes and a pointer. */
const ENTRY_BYTES = 16
const INLINE_BYTES = 12
/** Texts that stand close together are copied as one piece, so large that a row that is kept pins no more. */
const WINDOW_BYTES = 8192
const WINDOW_GAP_BYTES = 256
const TWO_32 = 2 ** 32

/** Short texts that came before are given again: most columns of short texts have few different ones. */
const CACHE_BITS = 11
const CACHE_SIZE = 1 << CACHE_BITS
const CACHE_TRIAL = 16_384

/** Reads one column of texts, chunk after chunk. */
export class TextColumn {
  readonly #native: NativeBinding
  /** By place: length and the 12 bytes of the text that `#texts` has there. */
  readonly #keys = new Int32Array(CACHE_SIZE * 4)
  readonly #texts: string[] = new Array(CACHE_SIZE)
  #hits = 0
  #misses = 0
  #caching = true

  constructor(native: NativeBinding) {
    this.#native = native
  }

  read(vector: NativeVector, count: number): (string | null)[] {
    const data = asBuffer(this.#native.vector_get_data(vector, count * ENTRY_BYTES))
    const words = new Int32Array(data.buffer, data.byteOffset, count * 4)
    const pointers = new Uint32Array(data.buffer, data.byteOffset, count * 4)
    const validity = validityOf(this.#native, vector, count)
    const keys = this.#keys
    const texts = this.#texts
    const caching = this.#caching
    const out = new Array<string | null>(count)
    /** All entries as text of one character a byte. */
    let entries: string | undefined
    let window = data
    let windowStart = 0
    let windowEnd = 0
    /** The window's text, where it has one character a byte. */
    let windowText: string | undefined
    let hits = 0
    let misses = 0
    for (let i = 0, at = 0; i < count; i++, at += 4) {
      if (validity !== null && !isValid(validity, i)) {
        out[i] = null
        continue
      }
      const length = words[at]!
      if (length === 0) {
        out[i] = ''
        continue
      }
      if (length <= INLINE_BYTES) {
        const a = words[at + 1]!
        const b = words[at + 2]!
        const c = words[at + 3]!
        let place = 0
        if (caching) {
          const mixed = a ^ Math.imul(b, 0x9e3779b1) ^ Math.imul(c, 0x85ebca6b) ^ length
          place = Math.imul(mixed, 0x9e3779b1) >>> (32 - CACHE_BITS)
          const key = place << 2
          if (keys[key] === length && keys[key + 1] === a && keys[key + 2] === b && keys[key + 3] === c) {
            out[i] = texts[place]!
            hits++
            continue
          }
          keys[key] = length
          keys[key + 1] = a
          keys[key + 2] = b
          keys[key + 3] = c
          misses++
        }
        const start = (at << 2) + 4
        let text: string
        if (((a | b | c) & 0x80808080) === 0) {
          if (entries === undefined) entries = data.latin1Slice(0, count * ENTRY_BYTES)
          // Up to 12 characters are copied by V8, so that nothing holds on to the whole.
          text = entries.substring(start, start + length)
        } else text = data.utf8Slice(start, start + length)
        if (caching) texts[place] = text
        out[i] = text
        continue
      }
      const pointer = pointers[at + 3]! * TWO_32 + pointers[at + 2]!
      if (pointer < windowStart || pointer + length > windowEnd) {
        windowStart = pointer
        windowEnd = pointer + length
        for (let j = i + 1, next = at + 4; j < count; j++, next += 4) {
          const size = words[next]!
          if (size <= INLINE_BYTES || (validity !== null && !isValid(validity, j))) continue
          const other = pointers[next + 3]! * TWO_32 + pointers[next + 2]!
          if (other < windowStart || other > windowEnd + WINDOW_GAP_BYTES) break
          if (other + size - windowStart > WINDOW_BYTES) break
          if (other + size > windowEnd) windowEnd = other + size
        }
        window = asBuffer(
          this.#native.get_data_from_pointer(data.buffer, data.byteOffset + (at << 2) + 8, windowEnd - windowStart),
        )
        windowText = isAscii(window) ? window.latin1Slice() : undefined
      }
      const from = pointer - windowStart
      out[i] =
        windowText === undefined ? window.utf8Slice(from, from + length) : windowText.substring(from, from + length)
    }
    this.#weigh(hits, misses)
    return out
  }

  /** Stops caching where it finds nothing. */
  #weigh(hits: number, misses: number): void {
    if (!this.#caching) return
    this.#hits += hits
    this.#misses += misses
    if (this.#hits + this.#misses < CACHE_TRIAL) return
    if (this.#hits < this.#misses) this.#caching = false
    this.#hits = this.#misses = 0
  }
}

/** Bytes that stand in a vector as texts do; each value is a copy of its own. */
export function readBytes(native: NativeBinding, vector: NativeVector, count: number): (Uint8Array | null)[] {
  const data = native.vector_get_data(vector, count * ENTRY_BYTES)
  const words = new Uint32Array(data.buffer, data.byteOffset, count * 4)
  const validity = validityOf(native, vector, count)
  const out = new Array<Uint8Array | null>(count)
  for (let i = 0; i < count; i++) {
    if (validity !== null && !isValid(validity, i)) {
      out[i] = null
      continue
    }
    const length = words[i * 4]!
    const at = data.byteOffset + i * ENTRY_BYTES
    if (length <= INLINE_BYTES) out[i] = new Uint8Array(data.buffer.slice(at + 4, at + 4 + length))
    else {
      const copy = native.get_data_from_pointer(data.buffer, at + 8, length)
      out[i] = new Uint8Array(copy.buffer, copy.byteOffset, length)
    }
  }
  return out
}

/** The decoders that `toString()` calls after it has looked at the name of the encoding; in Node since version 1. */
interface SlicingBuffer extends Buffer {
  latin1Slice(start?: number, end?: number): string
  utf8Slice(start?: number, end?: number): string
}

const asBuffer = (bytes: Uint8Array): SlicingBuffer =>
  (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as SlicingBuffer
