/** Snappy blocks (format_description.txt). */

/** Most bytes that a block of `length` may take. */
export const maxCompressedBytes = (length: number): number => 32 + length + Math.floor(length / 6)

/** What a block says of its length when decoded; Infinity where it says nothing that can be. */
export function decodedBytes(block: Uint8Array): number {
  let value = 0
  for (let i = 0; i < 5; i++) {
    const byte = block[i]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return value
  }
  return Number.POSITIVE_INFINITY
}

/** Decodes `block` into `output`, which is as long as the block says; false for what is no block. */
export function decompressBlock(block: Uint8Array, output: Uint8Array): boolean {
  let at = 0
  while (block[at]! >= 0x80) at++
  at++
  let to = 0
  while (at < block.length) {
    const tag = block[at++]!
    let length: number
    let distance: number
    switch (tag & 3) {
      case 0: {
        length = (tag >> 2) + 1
        const extra = length - 60
        if (extra > 0) {
          if (at + extra > block.length) return false
          length = 1
          for (let i = 0; i < extra; i++) length += block[at + i]! * 2 ** (8 * i)
          at += extra
        }
        if (at + length > block.length || to + length > output.length) return false
        if (length > 32) {
          output.set(block.subarray(at, at + length), to)
          at += length
          to += length
        } else for (const end = at + length; at < end; ) output[to++] = block[at++]!
        continue
      }
      case 1:
        if (at >= block.length) return false
        length = ((tag >> 2) & 7) + 4
        distance = ((tag >> 5) << 8) | block[at++]!
        break
      case 2:
        if (at + 2 > block.length) return false
        length = (tag >> 2) + 1
        distance = block[at]! | (block[at + 1]! << 8)
        at += 2
        break
      default:
        if (at + 4 > block.length) return false
        length = (tag >> 2) + 1
        distance = (block[at]! | (block[at + 1]! << 8) | (block[at + 2]! << 16) | (block[at + 3]! << 24)) >>> 0
        at += 4
    }
    if (distance === 0 || distance > to || to + length > output.length) return false
    for (let from = to - distance, end = to + length; to < end; ) output[to++] = output[from++]!
  }
  return to === output.length
}

const HASH_BITS = 14
/** Where a hash was last seen, plus 1; shared, as each block begins anew. */
const seen = new Int32Array(1 << HASH_BITS)
const MIN_MATCH = 4
/** Bytes at the end of a block that are not looked at. */
const MARGIN = 8

/** Encodes `block`, of 64 KiB at most, into `output` from `start` on. Gives where the output ends. */
export function compressBlock(block: Uint8Array, output: Uint8Array, start: number): number {
  let to = start
  for (let rest = block.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      output[to++] = rest
      break
    }
    output[to++] = (rest & 0x7f) | 0x80
  }
  seen.fill(0)
  const word = (i: number) => block[i]! | (block[i + 1]! << 8) | (block[i + 2]! << 16) | (block[i + 3]! << 24)
  const last = block.length - MARGIN
  let anchor = 0
  /** Bytes passed without a match: what does not compress is looked at less and less closely. */
  let misses = 0
  for (let at = 0; at <= last; ) {
    const value = word(at)
    const hash = Math.imul(value, 0x9e3779b1) >>> (32 - HASH_BITS)
    const candidate = seen[hash]! - 1
    seen[hash] = at + 1
    if (candidate < 0 || word(candidate) !== value) {
      at += 1 + (misses++ >> 5)
      continue
    }
    misses = 0
    let end = at + MIN_MATCH
    for (let from = candidate + MIN_MATCH; end < block.length && block[end] === block[from]; from++) end++
    to = writeLiterals(block, anchor, at, output, to)
    to = writeCopies(output, to, at - candidate, end - at)
    at = end
    anchor = end
  }
  return writeLiterals(block, anchor, block.length, output, to)
}

function writeLiterals(block: Uint8Array, from: number, end: number, output: Uint8Array, to: number): number {
  if (from === end) return to
  const length = end - from - 1
  if (length < 60) output[to++] = length << 2
  else if (length < 0x100) {
    output[to++] = 60 << 2
    output[to++] = length
  } else {
    output[to++] = 61 << 2
    output[to++] = length & 0xff
    output[to++] = length >> 8
  }
  output.set(block.subarray(from, end), to)
  return to + end - from
}

/** Copies of 4 to 64 bytes each. */
function writeCopies(output: Uint8Array, to: number, distance: number, length: number): number {
  for (let left = length; left > 0; ) {
    // No rest may be shorter than 4.
    const part = left > 64 ? (left < 68 ? 60 : 64) : left
    if (part < 12 && distance < 2048) {
      output[to++] = 1 | ((part - 4) << 2) | ((distance >> 8) << 5)
      output[to++] = distance & 0xff
    } else {
      output[to++] = 2 | ((part - 1) << 2)
      output[to++] = distance & 0xff
      output[to++] = distance >> 8
    }
    left -= part
  }
  return to
}
