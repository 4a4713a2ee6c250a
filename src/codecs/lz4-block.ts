/** LZ4 blocks (lz4_Block_format.md): literals and copies of what came before, without entropy coding. */

/** How far back a copy may reach. */
export const HISTORY_BYTES = 64 * 1024

const MIN_MATCH = 4
/** The last five bytes of a block are literals, and the last match begins twelve bytes before its end. */
const LAST_LITERALS = 5
const MATCH_MARGIN = 12

/**
 * Decodes `block` into `output` from `start` on, where copies may reach back to `first`. Gives where the output ends;
 * −1 for what is no block, or does not fit.
 */
export function decompressBlock(block: Uint8Array, output: Uint8Array, start: number, first: number): number {
  const length = block.length
  const limit = output.length
  let at = 0
  let to = start
  while (at < length) {
    const token = block[at++]!
    let literals = token >> 4
    if (literals === 15) {
      let more: number
      do {
        if (at >= length) return -1
        more = block[at++]!
        literals += more
      } while (more === 255)
    }
    if (at + literals > length || to + literals > limit) return -1
    if (literals > 32) {
      output.set(block.subarray(at, at + literals), to)
      at += literals
      to += literals
    } else for (const end = at + literals; at < end; ) output[to++] = block[at++]!
    // The last sequence has no match.
    if (at === length) return to
    if (at + 2 > length) return -1
    const distance = block[at]! | (block[at + 1]! << 8)
    at += 2
    let from = to - distance
    if (distance === 0 || from < first) return -1
    let match = (token & 15) + MIN_MATCH
    if (match === 15 + MIN_MATCH) {
      let more: number
      do {
        if (at >= length) return -1
        more = block[at++]!
        match += more
      } while (more === 255)
    }
    if (to + match > limit) return -1
    if (match > 32 && distance >= match) {
      output.copyWithin(to, from, from + match)
      to += match
    } else if (distance === 1 && match > 32) {
      output.fill(output[from]!, to, to + match)
      to += match
    } else for (const end = to + match; to < end; ) output[to++] = output[from++]!
  }
  // A block does not end with a match; and it is not empty.
  return -1
}

/** Most bytes that a block of `length` may take. */
export const maxCompressedBytes = (length: number): number => length + Math.ceil(length / 255) + 16

const HASH_BITS = 14
/** Where a hash was last seen, plus 1; shared, as each block begins anew. */
const seen = new Int32Array(1 << HASH_BITS)

/** Encodes `block` into `output` from `start` on, which has room for `maxCompressedBytes`. Gives where the output ends. */
export function compressBlock(block: Uint8Array, output: Uint8Array, start: number): number {
  const lastMatch = block.length - MATCH_MARGIN
  const matchEnd = block.length - LAST_LITERALS
  seen.fill(0)
  let anchor = 0
  let at = 0
  let to = start
  const word = (i: number) => block[i]! | (block[i + 1]! << 8) | (block[i + 2]! << 16) | (block[i + 3]! << 24)
  /** Bytes passed without a match: what does not compress is looked at less and less closely. */
  let misses = 0
  while (at <= lastMatch) {
    const value = word(at)
    const hash = Math.imul(value, 0x9e3779b1) >>> (32 - HASH_BITS)
    const candidate = seen[hash]! - 1
    seen[hash] = at + 1
    if (candidate < 0 || at - candidate >= HISTORY_BYTES || word(candidate) !== value) {
      at += 1 + (misses++ >> 6)
      continue
    }
    misses = 0
    let end = at + MIN_MATCH
    for (let from = candidate + MIN_MATCH; end < matchEnd && block[end] === block[from]; from++) end++
    const length = end - at - MIN_MATCH
    to = writeLiterals(block, anchor, at, output, to, Math.min(length, 15))
    output[to++] = (at - candidate) & 0xff
    output[to++] = (at - candidate) >> 8
    if (length >= 15) to = writeLength(output, to, length - 15)
    at = end
    anchor = end
  }
  return writeLiterals(block, anchor, block.length, output, to, 0)
}

/** A token, whose lower half is `match`, and the literals from `from` to `end`. */
function writeLiterals(
  block: Uint8Array,
  from: number,
  end: number,
  output: Uint8Array,
  to: number,
  match: number,
): number {
  const length = end - from
  output[to++] = (Math.min(length, 15) << 4) | match
  if (length >= 15) to = writeLength(output, to, length - 15)
  if (length > 32) {
    output.set(block.subarray(from, end), to)
    return to + length
  }
  while (from < end) output[to++] = block[from++]!
  return to
}

function writeLength(output: Uint8Array, to: number, length: number): number {
  for (; length >= 255; length -= 255) output[to++] = 255
  output[to++] = length
  return to
}
