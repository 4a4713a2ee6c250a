/**
 * XXH64 with seed 0, whose lower half is the checksum of a zstd frame (RFC 8878, section 3.1.1). 64-bit numbers are kept
 * as halves in int32: BigInt would take fifty times as long.
 */

const PRIME_1_HIGH = 0x9e3779b1 | 0
const PRIME_1_LOW = 0x85ebca87 | 0
const PRIME_2_HIGH = 0xc2b2ae3d | 0
const PRIME_2_LOW = 0x27d4eb4f | 0
const PRIME_3 = 0x165667b19e3779f9n
const PRIME_4 = 0x85ebca77c2b2ae63n
const PRIME_5 = 0x27d4eb2f165667c5n
const PRIME_1 = 0x9e3779b185ebca87n
const PRIME_2 = 0xc2b2ae3d27d4eb4fn
const MASK = (1n << 64n) - 1n
const STRIPE_BYTES = 32

export class ContentChecksum {
  /** The four accumulators: low half, high half. */
  readonly #lanes = new Int32Array(8)
  /** Bytes that do not yet fill a stripe. */
  readonly #stripe = new Uint8Array(STRIPE_BYTES)
  #held = 0
  #length = 0

  constructor() {
    for (const [lane, start] of [PRIME_1 + PRIME_2, PRIME_2, 0n, -PRIME_1].entries()) {
      this.#lanes[lane * 2] = Number(BigInt.asIntN(32, start))
      this.#lanes[lane * 2 + 1] = Number(BigInt.asIntN(32, start >> 32n))
    }
  }

  update(bytes: Uint8Array): void {
    this.#length += bytes.length
    let at = 0
    if (this.#held > 0) {
      at = Math.min(STRIPE_BYTES - this.#held, bytes.length)
      this.#stripe.set(bytes.subarray(0, at), this.#held)
      this.#held += at
      if (this.#held < STRIPE_BYTES) return
      this.#addStripes(this.#stripe, 0, STRIPE_BYTES)
      this.#held = 0
    }
    const end = bytes.length - ((bytes.length - at) % STRIPE_BYTES)
    this.#addStripes(bytes, at, end)
    this.#stripe.set(bytes.subarray(end))
    this.#held = bytes.length - end
  }

  #addStripes(bytes: Uint8Array, start: number, end: number): void {
    const lanes = this.#lanes
    for (let lane = 0; lane < 8; lane += 2) {
      let low = lanes[lane]!
      let high = lanes[lane + 1]!
      for (let at = start + lane * 4; at < end; at += STRIPE_BYTES) {
        const wordLow = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
        const wordHigh = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)
        // lane += word * PRIME_2
        const productLow = Math.imul(wordLow, PRIME_2_LOW)
        const productHigh =
          (multiplyHigh(wordLow, PRIME_2_LOW) + Math.imul(wordLow, PRIME_2_HIGH) + Math.imul(wordHigh, PRIME_2_LOW)) | 0
        const sumLow = (low + productLow) | 0
        const sumHigh = (high + productHigh + (sumLow >>> 0 < low >>> 0 ? 1 : 0)) | 0
        // lane = rotate left by 31
        const turnedLow = (sumLow << 31) | (sumHigh >>> 1)
        const turnedHigh = (sumHigh << 31) | (sumLow >>> 1)
        // lane *= PRIME_1
        low = Math.imul(turnedLow, PRIME_1_LOW)
        high =
          (multiplyHigh(turnedLow, PRIME_1_LOW) +
            Math.imul(turnedLow, PRIME_1_HIGH) +
            Math.imul(turnedHigh, PRIME_1_LOW)) |
          0
      }
      lanes[lane] = low
      lanes[lane + 1] = high
    }
  }

  /** The lower 32 bits of the hash, as a zstd frame ends with them. */
  digest(): number {
    const lane = (i: number): bigint =>
      (BigInt(this.#lanes[i * 2 + 1]! >>> 0) << 32n) | BigInt(this.#lanes[i * 2]! >>> 0)
    let hash: bigint
    if (this.#length >= STRIPE_BYTES) {
      const lanes = [lane(0), lane(1), lane(2), lane(3)]
      hash = wrap([1n, 7n, 12n, 18n].reduce((sum, turn, i) => sum + rotate(lanes[i]!, turn), 0n))
      for (const value of lanes) hash = wrap((hash ^ round(0n, value)) * PRIME_1 + PRIME_4)
    } else hash = PRIME_5
    hash = wrap(hash + BigInt(this.#length))
    const tail = Buffer.from(this.#stripe.buffer, 0, this.#held)
    let at = 0
    for (; at + 8 <= tail.length; at += 8) {
      hash = wrap(rotate(hash ^ round(0n, tail.readBigUInt64LE(at)), 27n) * PRIME_1 + PRIME_4)
    }
    if (at + 4 <= tail.length) {
      hash = wrap(rotate(hash ^ wrap(BigInt(tail.readUInt32LE(at)) * PRIME_1), 23n) * PRIME_2 + PRIME_3)
      at += 4
    }
    for (; at < tail.length; at++) hash = wrap(rotate(hash ^ wrap(BigInt(tail[at]!) * PRIME_5), 11n) * PRIME_1)
    hash = wrap((hash ^ (hash >> 33n)) * PRIME_2)
    hash = wrap((hash ^ (hash >> 29n)) * PRIME_3)
    return Number((hash ^ (hash >> 32n)) & 0xffffffffn)
  }
}

/** The upper half of the product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = Math.imul(aHigh, bLow) >>> 0
  const carry = (Math.imul(aLow, bLow) >>> 16) + (middle & 0xffff) + (Math.imul(aLow, bHigh) >>> 0)
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + Math.floor(carry / 65536)) | 0
}

const wrap = (value: bigint): bigint => value & MASK
const rotate = (value: bigint, by: bigint): bigint => wrap(value << by) | (value >> (64n - by))
const round = (lane: bigint, word: bigint): bigint => wrap(rotate(wrap(lane + wrap(word * PRIME_2)), 31n) * PRIME_1)
