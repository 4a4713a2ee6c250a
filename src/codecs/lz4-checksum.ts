/** XXH32 with seed 0, the checksum of LZ4 frames. */

const PRIME_1 = 0x9e3779b1 | 0
const PRIME_2 = 0x85ebca77 | 0
const PRIME_3 = 0xc2b2ae3d | 0
const PRIME_4 = 0x27d4eb2f | 0
const PRIME_5 = 0x165667b1 | 0
const STRIPE_BYTES = 16

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))
const wordAt = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

export class FrameChecksum {
  readonly #lanes = Int32Array.of(PRIME_1 + PRIME_2, PRIME_2, 0, -PRIME_1)
  readonly #stripe = new Uint8Array(STRIPE_BYTES)
  #held = 0
  /** Modulo 2^32, and whether there was a whole stripe. */
  #length = 0
  #striped = false

  update(bytes: Uint8Array): void {
    this.#length = (this.#length + bytes.length) | 0
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
    if (start === end) return
    this.#striped = true
    let [a, b, c, d] = this.#lanes as unknown as [number, number, number, number]
    for (let at = start; at < end; at += STRIPE_BYTES) {
      a = Math.imul(rotate((a + Math.imul(wordAt(bytes, at), PRIME_2)) | 0, 13), PRIME_1)
      b = Math.imul(rotate((b + Math.imul(wordAt(bytes, at + 4), PRIME_2)) | 0, 13), PRIME_1)
      c = Math.imul(rotate((c + Math.imul(wordAt(bytes, at + 8), PRIME_2)) | 0, 13), PRIME_1)
      d = Math.imul(rotate((d + Math.imul(wordAt(bytes, at + 12), PRIME_2)) | 0, 13), PRIME_1)
    }
    this.#lanes.set([a, b, c, d])
  }

  digest(): number {
    const [a, b, c, d] = this.#lanes as unknown as [number, number, number, number]
    let hash = this.#striped ? (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0 : PRIME_5
    hash = (hash + this.#length) | 0
    let at = 0
    for (; at + 4 <= this.#held; at += 4) {
      hash = Math.imul(rotate((hash + Math.imul(wordAt(this.#stripe, at), PRIME_3)) | 0, 17), PRIME_4)
    }
    for (; at < this.#held; at++) {
      hash = Math.imul(rotate((hash + Math.imul(this.#stripe[at]!, PRIME_5)) | 0, 11), PRIME_1)
    }
    hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
    hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
    return (hash ^ (hash >>> 16)) >>> 0
  }
}

/** The checksum of all of `bytes`. */
export function xxh32(bytes: Uint8Array): number {
  const checksum = new FrameChecksum()
  checksum.update(bytes)
  return checksum.digest()
}
