/** Where encoders put their bytes: a buffer that grows within a record and alternates with a second one between chunks. */
import { Buffer } from 'node:buffer'

/**
 * A chunk is handed out once it holds this many bytes: 128 KiB less room for the record that fills it. Chunks of half
 * the size cost a sixth of the time of writing CSV to a file, larger ones gain little.
 */
export const CHUNK_BYTES = 120 * 1024
const CAPACITY_BYTES = 2 * CHUNK_BYTES
/** A buffer that one large record has grown beyond this is given back once its chunk is out. */
const MAX_IDLE_BYTES = 1 << 20

/**
 * The hot paths of the encoders write into `bytes` at `length` themselves; `reserve` before it makes the room. What is
 * written since a record began is taken back by setting `length` to what it was then.
 */
export class OutputBuffer {
  /** What is written so far, up to `length`, and room behind it. */
  bytes: Buffer = Buffer.allocUnsafeSlow(CAPACITY_BYTES)
  /** Bytes written and not yet taken. */
  length = 0
  /** The buffer of the chunk that was taken last, which may still be lent. */
  #other: Buffer | undefined

  /** Makes room for `count` bytes more. May exchange `bytes`; what is written stays at its place. */
  reserve(count: number): void {
    if (this.bytes.length - this.length < count) this.#grow(count)
  }

  #grow(count: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.length + count, this.bytes.length * 2))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  /** Appends bytes that were prepared before. */
  append(piece: Uint8Array): void {
    const count = piece.length
    this.reserve(count)
    const bytes = this.bytes
    const at = this.length
    if (count > 32) bytes.set(piece, at)
    else for (let i = 0; i < count; i++) bytes[at + i] = piece[i]!
    this.length = at + count
  }

  /** Appends text as UTF-8. A lone surrogate becomes U+FFFD: the caller sees to it that there is none. */
  appendText(text: string): void {
    this.reserve(text.length * 3)
    this.length += this.bytes.write(text, this.length)
  }

  /** Appends text of which each character is ASCII. */
  appendAscii(text: string): void {
    const count = text.length
    this.reserve(count)
    if (count > 64) {
      this.length += this.bytes.write(text, this.length, 'latin1')
      return
    }
    const bytes = this.bytes
    const at = this.length
    for (let i = 0; i < count; i++) bytes[at + i] = text.charCodeAt(i)
    this.length = at + count
  }

  /** Appends a finite number in the shortest form that reads back as the same number, as `String(value)` gives it. */
  appendNumber(value: number): void {
    if (value < 1e9 && value > -1e9) {
      if ((value | 0) === value) {
        this.#appendInteger(value, 1)
        return
      }
      // At most 4 decimals, as in measures and prices. With 15 digits or fewer the decimal that equals the number is
      // also its shortest form, as two such decimals are never the same number.
      if (value < 1e5 && value > -1e5) {
        const scaled = Math.round(value * 1e4)
        if (scaled / 1e4 === value && scaled !== 0) {
          this.#appendScaled(scaled)
          return
        }
      }
    } else if (value < 1e15 && value > -1e15 && Math.trunc(value) === value) {
      const high = Math.trunc(value / 1e6)
      this.#appendInteger(high, 1)
      this.#appendInteger(Math.abs(value - high * 1e6), 6)
      return
    }
    this.appendAscii(`${value}`)
  }

  /** Digits of an integer below 1e9, with leading zeros up to `least` of them. */
  #appendInteger(value: number, least: number): void {
    this.reserve(10)
    const bytes = this.bytes
    let at = this.length
    if (value < 0) {
      bytes[at++] = 0x2d
      value = -value
    }
    let end = at + Math.max(digitsOf(value), least)
    this.length = end
    do {
      const rest = (value / 10) | 0
      bytes[--end] = 0x30 + value - rest * 10
      value = rest
    } while (end > at)
  }

  /** The decimal `scaled` / 10,000, without zeros at its end. */
  #appendScaled(scaled: number): void {
    if (scaled < 0) {
      this.reserve(1)
      this.bytes[this.length++] = 0x2d
      scaled = -scaled
    }
    const whole = Math.trunc(scaled / 1e4)
    let fraction = scaled - whole * 1e4
    let places = 4
    while (fraction % 10 === 0) {
      fraction /= 10
      places--
    }
    this.#appendInteger(whole, 1)
    this.reserve(1)
    this.bytes[this.length++] = 0x2e
    this.#appendInteger(fraction, places)
  }

  /**
   * The bytes written so far, as a chunk that is lent: its memory is written to again after the chunk after it was
   * taken too.
   */
  take(): Uint8Array {
    const taken = this.bytes
    const chunk = taken.subarray(0, this.length)
    this.bytes = this.#other ?? Buffer.allocUnsafeSlow(CAPACITY_BYTES)
    this.#other = taken.length > MAX_IDLE_BYTES ? undefined : taken
    this.length = 0
    return chunk
  }
}

function digitsOf(value: number): number {
  if (value < 100_000) {
    if (value < 100) return value < 10 ? 1 : 2
    return value < 1000 ? 3 : value < 10_000 ? 4 : 5
  }
  if (value < 10_000_000) return value < 1_000_000 ? 6 : 7
  return value < 100_000_000 ? 8 : 9
}
