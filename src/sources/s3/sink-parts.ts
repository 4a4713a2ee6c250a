/** The parts of a multipart upload: how large each is, and where it is filled. */
import { Buffer } from 'node:buffer'

/** S3's limits (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). */
export const MIN_PART_BYTES = 5 * 1024 * 1024
export const MAX_PARTS = 10_000

/**
 * Bytes of the part of this number, counted from 1. As long as the object may be of any usual size that is `partBytes`;
 * then parts grow with the square of their number, by which 10,000 of them hold 5 TiB and none is larger than 1.6 GiB. Of
 * an object of 100 GB the last part has 120 MB.
 */
export function partBytesAt(number: number, partBytes: number): number {
  return Math.max(partBytes, Math.ceil((17 * number ** 2) / 65_536) * 65_536)
}

const FIRST_CAPACITY_BYTES = 65_536

/** A part that is being filled. Takes no more memory than twice what it holds. */
export class PartBuffer {
  readonly #limit: number
  #bytes: Buffer
  #length = 0

  /** `limit`: bytes of the part once it is full. `large`: whether it is known that it will be. */
  constructor(limit: number, large: boolean) {
    this.#limit = limit
    this.#bytes = Buffer.allocUnsafeSlow(large ? limit : Math.min(limit, FIRST_CAPACITY_BYTES))
  }

  get length(): number {
    return this.#length
  }

  get isFull(): boolean {
    return this.#length === this.#limit
  }

  /** What it holds. Not a copy. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Copies as much of a chunk as fits, and says how many bytes that are. */
  fill(chunk: Uint8Array): number {
    const taken = chunk.subarray(0, this.#limit - this.#length)
    const length = this.#length + taken.length
    if (length > this.#bytes.length) this.#grow(length)
    this.#bytes.set(taken, this.#length)
    this.#length = length
    return taken.length
  }

  #grow(atLeast: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#limit, Math.max(atLeast, this.#bytes.length * 2)))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
