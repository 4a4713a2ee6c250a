/** Bytes ↔ text on the hot path. */
import { isAscii, isUtf8, transcode } from 'node:buffer'

// Node before 22 decodes dense non-ASCII UTF-8 at a fifth of what going through UTF-16 gives.
const TRANSCODE = Number(process.versions.node.split('.')[0]) < 22

/** A `Buffer` over the same memory; no copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Text of valid UTF-8 that is known not to be ASCII only. */
export function utf8Text(buffer: Buffer, start: number, end: number): string {
  if (TRANSCODE && isDense(buffer, start, end)) {
    const wide = transcode(buffer.subarray(start, end), 'utf8', 'utf16le')
    return wide.toString('utf16le')
  }
  return buffer.toString('utf8', start, end)
}

/** Whether about an eighth or more of the bytes is not ASCII, from a sample. */
export function isDense(buffer: Buffer, start: number, end: number): boolean {
  const step = (end - start) >> 6 || 1
  let high = 0
  for (let i = start; i < end; i += step) if (buffer[i]! > 127) high++
  return high >= 8
}

/** How many leading bytes are whole, valid UTF-8 sequences: the offset of the first invalid byte, or the length. */
export function validUtf8Length(bytes: Uint8Array): number {
  if (isUtf8(bytes)) return bytes.length
  let good = 0
  let bad = bytes.length // bytes[0, good) is valid up to a boundary; somewhere before `bad` it is not
  while (bad - good > 4) {
    let middle = (good + bad) >> 1
    while (middle > good && (bytes[middle]! & 0xc0) === 0x80) middle--
    if (middle === good) break
    if (isUtf8(bytes.subarray(good, middle))) good = middle
    else bad = middle
  }
  for (let i = good; i < bytes.length; ) {
    const length = sequenceLength(bytes[i]!)
    if (length === 0 || i + length > bytes.length || !isUtf8(bytes.subarray(i, i + length))) return i
    i += length
  }
  return bytes.length
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1
  if (lead >= 0xc2 && lead < 0xe0) return 2
  if (lead >= 0xe0 && lead < 0xf0) return 3
  if (lead >= 0xf0 && lead < 0xf5) return 4
  return 0
}

export { isAscii, isUtf8 }
