/**
 * The frame of zstd data (RFC 8878): where it begins, what its header says, and where each of its blocks ends. What is
 * in the blocks is the decoder's.
 */

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd] as const
/** Of skippable frames: the first byte is 50 to 5f. */
const SKIPPABLE = [0x50, 0x2a, 0x4d, 0x18] as const
/** As of the zstd command without `--long`, and of node:zlib: the window is memory that the input asks for. */
export const MAX_WINDOW_BYTES = 128 * 1024 * 1024

/** Whether `bytes` (up to four) may be the beginning of a frame, of a skippable one, or of neither. */
export function frameKind(bytes: readonly number[]): 'zstd' | 'skippable' | undefined {
  if (bytes.every((byte, i) => byte === MAGIC[i])) return 'zstd'
  return bytes.every((byte, i) => (i === 0 ? (byte & 0xf0) === 0x50 : byte === SKIPPABLE[i])) ? 'skippable' : undefined
}

/** What the header of a frame says. */
export interface FrameHeader {
  /** Bytes of the header after its magic. */
  readonly length: number
  readonly windowBytes: number
  /** Of the decoded data, where it is said. */
  readonly contentBytes: number | undefined
  readonly dictionary: boolean
  readonly checksum: boolean
  /** Whether the bit that must be 0 is. */
  readonly valid: boolean
}

/** How long the header is that begins with this byte, itself included. */
export const headerLength = (descriptor: number): number =>
  1 + ((descriptor & 0x20) === 0 ? 1 : 0) + [0, 1, 2, 4][descriptor & 3]! + contentSizeBytes(descriptor)

const contentSizeBytes = (descriptor: number): number => [(descriptor & 0x20) === 0 ? 0 : 1, 2, 4, 8][descriptor >> 6]!

/** Reads a header without its magic, whole. */
export function parseFrameHeader(bytes: Buffer): FrameHeader {
  const descriptor = bytes[0]!
  const singleSegment = (descriptor & 0x20) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  let at = 1
  let windowBytes = 0
  if (!singleSegment) {
    const base = 2 ** (10 + (bytes[at]! >> 3))
    windowBytes = base + (base / 8) * (bytes[at]! & 7)
    at++
  }
  const dictionary = dictionaryBytes > 0 && bytes.readUIntLE(at, dictionaryBytes) !== 0
  at += dictionaryBytes
  const sizeBytes = contentSizeBytes(descriptor)
  let contentBytes: number | undefined
  if (sizeBytes === 8) contentBytes = Number(bytes.readBigUInt64LE(at))
  else if (sizeBytes > 0) contentBytes = bytes.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  return {
    length: bytes.length,
    windowBytes: singleSegment ? contentBytes! : windowBytes,
    contentBytes,
    dictionary,
    checksum: (descriptor & 4) !== 0,
    valid: (descriptor & 8) === 0,
  }
}

const RAW = 0
const RLE = 1
const RESERVED = 3
const MAX_BLOCK_BYTES = 128 * 1024
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4

/** A frame whose header is known, and the way through its blocks. */
export class Frame {
  readonly number: number
  /** Magic and header. */
  readonly head: Buffer
  readonly header: FrameHeader
  /** What the frame says its content has; known at its end, where it has one. */
  checksum = 0
  /** Whether its end was reached. */
  done = false
  #part: 'header' | 'block' | 'checksum' = 'header'
  /** Bytes of the part that are still to come. */
  #left = BLOCK_HEADER_BYTES
  /** What the bytes of the header, or of the checksum, say so far. */
  #value = 0
  #last = false

  constructor(number: number, header: Buffer, parsed: FrameHeader) {
    this.number = number
    this.head = Buffer.concat([Buffer.from(MAGIC), header])
    this.header = parsed
  }

  /**
   * How many of these bytes, which come next, belong to the frame: to all of it, or up to the end of one block. Throws
   * what `fail` makes of a block that cannot be.
   */
  walk(bytes: Uint8Array, upTo: 'frame' | 'block', fail: (found: string) => Error): number {
    let at = 0
    while (at < bytes.length && !this.done) {
      if (this.#part === 'block') {
        const step = Math.min(this.#left, bytes.length - at)
        at += step
        this.#left -= step
        if (this.#left > 0) break
        this.#endBlock()
        if (upTo === 'block') break
        continue
      }
      const size = this.#part === 'header' ? BLOCK_HEADER_BYTES : CHECKSUM_BYTES
      this.#value += bytes[at++]! * 2 ** (8 * (size - this.#left))
      if (--this.#left > 0) continue
      if (this.#part === 'header') this.#beginBlock(fail)
      else {
        this.checksum = this.#value
        this.done = true
      }
    }
    return at
  }

  #beginBlock(fail: (found: string) => Error): void {
    const type = (this.#value >> 1) & 3
    const size = this.#value >>> 3
    this.#last = (this.#value & 1) !== 0
    if (type === RESERVED) throw fail('a block of a type that does not exist')
    // A block that is not compressed says its decoded size. The window may be smaller than what a header takes.
    const most =
      type === RAW || type === RLE ? MAX_BLOCK_BYTES : Math.min(MAX_BLOCK_BYTES, this.header.windowBytes + 1024)
    if (size > most) throw fail(`a block of ${size} bytes`)
    this.#part = 'block'
    this.#left = type === RLE ? 1 : size
    if (this.#left === 0) this.#endBlock()
  }

  #endBlock(): void {
    this.#value = 0
    if (!this.#last) {
      this.#part = 'header'
      this.#left = BLOCK_HEADER_BYTES
    } else if (this.header.checksum) {
      this.#part = 'checksum'
      this.#left = CHECKSUM_BYTES
    } else this.done = true
  }
}
