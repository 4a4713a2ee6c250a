/** Checksums that objects are stored with, computed over their bytes as they come. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { ChecksumAlgorithm } from './object.ts'

export interface RunningChecksum {
  update(chunk: Uint8Array): void
  /** Base64, big-endian, as HTTP headers have it. */
  digest(): string
}

/** A checksum of nothing yet. */
export function startChecksum(algorithm: ChecksumAlgorithm): RunningChecksum {
  switch (algorithm) {
    case 'crc32': {
      let state = 0
      return {
        update(chunk) {
          state = crc32(chunk, state)
        },
        digest: () => words(state),
      }
    }
    case 'crc32c':
      return startCrc32c()
    case 'crc64nvme':
      return startCrc64Nvme()
    default: {
      const hash = createHash(algorithm)
      return {
        update(chunk) {
          hash.update(chunk)
        },
        digest: () => hash.digest('base64'),
      }
    }
  }
}

function words(...values: readonly number[]): string {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, i * 4)
  return bytes.toString('base64')
}

/** Reflected, 8 bytes a step. */
const CRC32C_POLYNOMIAL = 0x82f63b78
let crc32cTables: Uint32Array[] | undefined

function startCrc32c(): RunningChecksum {
  crc32cTables ??= slices(i => {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ CRC32C_POLYNOMIAL : crc >>> 1
    return crc
  })
  const [t0, t1, t2, t3, t4, t5, t6, t7] = crc32cTables as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array, // biome-ignore format: eight alike
  ]
  let crc = 0xffffffff
  return {
    update(chunk) {
      let at = 0
      for (const end = chunk.length - 7; at < end; at += 8) {
        const low = crc ^ (chunk[at]! | (chunk[at + 1]! << 8) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 24))
        crc =
          t7[low & 0xff]! ^
          t6[(low >>> 8) & 0xff]! ^
          t5[(low >>> 16) & 0xff]! ^
          t4[low >>> 24]! ^
          t3[chunk[at + 4]!]! ^
          t2[chunk[at + 5]!]! ^
          t1[chunk[at + 6]!]! ^
          t0[chunk[at + 7]!]!
      }
      for (; at < chunk.length; at++) crc = t0[(crc ^ chunk[at]!) & 0xff]! ^ (crc >>> 8)
    },
    digest: () => words(~crc),
  }
}

/** Table 0 by `entry`, each further one for a byte that lies one further back. */
function slices(entry: (i: number) => number): Uint32Array[] {
  const tables = [Uint32Array.from({ length: 256 }, (_, i) => entry(i))]
  for (let slice = 1; slice < 8; slice++) {
    const last = tables[slice - 1]!
    tables.push(last.map(crc => tables[0]![crc & 0xff]! ^ (crc >>> 8)))
  }
  return tables
}

/** Reflected, in two halves, as there are no integers of 64 bits that are quick. */
const NVME_HIGH = 0x9a6c9329
const NVME_LOW = 0xac4bc9b5
let nvmeTables: { readonly high: Uint32Array; readonly low: Uint32Array } | undefined

function startCrc64Nvme(): RunningChecksum {
  nvmeTables ??= makeNvmeTables()
  const { high: highs, low: lows } = nvmeTables
  let high = 0xffffffff
  let low = 0xffffffff
  return {
    update(chunk) {
      for (let at = 0; at < chunk.length; at++) {
        const i = (low ^ chunk[at]!) & 0xff
        low = ((low >>> 8) | (high << 24)) ^ lows[i]!
        high = (high >>> 8) ^ highs[i]!
      }
    },
    digest: () => words(~high, ~low),
  }
}

function makeNvmeTables() {
  const highs = new Uint32Array(256)
  const lows = new Uint32Array(256)
  for (let i = 0; i < 256; i++) {
    let high = 0
    let low = i
    for (let bit = 0; bit < 8; bit++) {
      const odd = (low & 1) === 1
      low = (low >>> 1) | (high << 31)
      high >>>= 1
      if (odd) {
        low ^= NVME_LOW
        high ^= NVME_HIGH
      }
    }
    highs[i] = high
    lows[i] = low
  }
  return { high: highs, low: lows }
}
