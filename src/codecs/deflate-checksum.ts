/** Adler-32 (RFC 1950, section 8.2), which node:zlib computes but does not offer. */

const BASE = 65521
/** Most bytes that can be added before the sums, of 53 bits at most here, must be reduced; kept where V8 uses int32. */
const RUN_BYTES = 2048

/** The checksum of what `checksum` (1 at the beginning) was of, followed by `bytes`. */
export function adler32(bytes: Uint8Array, checksum: number): number {
  let low = checksum & 0xffff
  let high = checksum >>> 16
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(at + RUN_BYTES, bytes.length)
    for (; at < end; at++) {
      low += bytes[at]!
      high += low
    }
    low %= BASE
    high %= BASE
  }
  return ((high << 16) | low) >>> 0
}
