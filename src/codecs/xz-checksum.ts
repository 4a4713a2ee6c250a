/** The checks that an xz block may have: none, CRC-32, CRC-64 or SHA-256. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** Takes the content of a block; `digest` is the check as it stands in the file. */
export interface Check {
  readonly name: string
  readonly bytes: number
  update(bytes: Uint8Array): void
  digest(): Buffer
}

/** The check of a number in the stream's header; undefined for one that is not supported. */
export function createCheck(type: number): Check | undefined {
  switch (type) {
    case 0:
      return { name: 'none', bytes: 0, update: () => {}, digest: () => Buffer.alloc(0) }
    case 1:
      return new Crc32()
    case 4:
      return new Crc64()
    case 10:
      return new Sha256()
    default:
      return undefined
  }
}

class Crc32 implements Check {
  readonly name = 'CRC-32'
  readonly bytes = 4
  #value = 0

  update(bytes: Uint8Array): void {
    this.#value = crc32(bytes, this.#value)
  }

  digest(): Buffer {
    const digest = Buffer.alloc(4)
    digest.writeUInt32LE(this.#value)
    return digest
  }
}

class Sha256 implements Check {
  readonly name = 'SHA-256'
  readonly bytes = 32
  readonly #hash = createHash('sha256')

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }

  digest(): Buffer {
    return this.#hash.digest()
  }
}

/** ECMA-182, reversed; each value as two halves, low and high. */
const POLYNOMIAL_LOW = 0xd7870f42 | 0
const POLYNOMIAL_HIGH = 0xc96c5795 | 0
const lowTable = new Int32Array(256)
const highTable = new Int32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let low = byte
  let high = 0
  for (let bit = 0; bit < 8; bit++) {
    const odd = low & 1
    low = (low >>> 1) | (high << 31)
    high >>>= 1
    if (odd === 1) {
      low ^= POLYNOMIAL_LOW
      high ^= POLYNOMIAL_HIGH
    }
  }
  lowTable[byte] = low
  highTable[byte] = high
}

class Crc64 implements Check {
  readonly name = 'CRC-64'
  readonly bytes = 8
  #low = -1
  #high = -1

  update(bytes: Uint8Array): void {
    let low = this.#low
    let high = this.#high
    for (let i = 0; i < bytes.length; i++) {
      const index = (low ^ bytes[i]!) & 0xff
      low = ((low >>> 8) | (high << 24)) ^ lowTable[index]!
      high = (high >>> 8) ^ highTable[index]!
    }
    this.#low = low
    this.#high = high
  }

  digest(): Buffer {
    const digest = Buffer.alloc(8)
    digest.writeInt32LE(~this.#low, 0)
    digest.writeInt32LE(~this.#high, 4)
    return digest
  }
}
