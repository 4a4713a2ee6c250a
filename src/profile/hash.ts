/** 64-bit hashes of values, as two halves of 32 bits: enough to tell values apart where they cannot be kept. */

/** Two halves of a hash; both unsigned. */
export interface Hash {
  readonly high: number
  readonly low: number
}

/** Spreads what a half holds over all its bits (the finalizer of MurmurHash3, public domain). */
export function mix(half: number): number {
  let h = half ^ (half >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

export function hashText(text: string, seed = 0): Hash {
  let high = 0x9e3779b9 ^ seed
  let low = 0x243f6a88 ^ text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    high = Math.imul(high ^ unit, 0xcc9e2d51)
    high = (high << 15) | (high >>> 17)
    low = Math.imul(low ^ unit, 0x1b873593)
    low = (low << 13) | (low >>> 19)
  }
  return finish(high, low)
}

const bits = new DataView(new ArrayBuffer(8))

/** Equal for numbers that are equal: 0 and -0 are one. */
export function hashNumber(value: number): Hash {
  bits.setFloat64(0, value === 0 ? 0 : value)
  return finish(
    Math.imul(bits.getUint32(0) ^ 0x7f4a7c15, 0xcc9e2d51),
    Math.imul(bits.getUint32(4) ^ 0x1ce4e5b9, 0x1b873593),
  )
}

/** Each half gets something of the other one, so that both depend on all of the value. */
function finish(high: number, low: number): Hash {
  const first = mix(high ^ Math.imul(low, 0x9e3779b1))
  return { high: first, low: mix(low ^ Math.imul(first, 0x85ebca77)) }
}
