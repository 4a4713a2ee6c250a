/** The checksums that S3 takes and gives, in base64, and how those of parts become one of the object. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

export type ChecksumName = 'crc32' | 'crc32c' | 'crc64nvme' | 'sha1' | 'sha256'
export type Checksums = Partial<Record<ChecksumName, string>>

/** Polynomials are written in reflected form. */
const CRC32C = 0x82f63b78
const CRC64NVME = 0x9a6c9329ac4bc9b5n

const COMPUTE: Readonly<Record<ChecksumName, (bytes: Uint8Array) => Buffer>> = {
  crc32: bytes => uint32(crc32(bytes)),
  crc32c: bytes => uint32(computeCrc32c(bytes)),
  crc64nvme: computeCrc64,
  sha1: bytes => createHash('sha1').update(bytes).digest(),
  sha256: bytes => createHash('sha256').update(bytes).digest(),
}

export const CHECKSUM_NAMES = Object.keys(COMPUTE) as ChecksumName[]

/** The checksum in base64, as it stands in a header. */
export function checksum(name: ChecksumName, bytes: Uint8Array): string {
  return COMPUTE[name](bytes).toString('base64')
}

/** The checksum of an upload whose parts have these: of the checksums one after the other, with the number of parts. */
export function compositeChecksum(name: ChecksumName, parts: readonly string[]): string {
  return `${checksum(name, Buffer.concat(parts.map(part => Buffer.from(part, 'base64'))))}-${parts.length}`
}

/** The name in `x-amz-checksum-crc32`, or undefined for another header. */
export function checksumOfHeader(header: string): ChecksumName | undefined {
  const name = header.replace(/^x-amz-checksum-/, '')
  return name !== header ? CHECKSUM_NAMES.find(known => known === name) : undefined
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ CRC32C : value >>> 1
  return value
})

function computeCrc32c(bytes: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of bytes) value = CRC32C_TABLE[(value ^ byte) & 255]! ^ (value >>> 8)
  return (value ^ 0xffffffff) >>> 0
}

const CRC64_TABLE = BigUint64Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ CRC64NVME : value >> 1n
  return value
})

function computeCrc64(bytes: Uint8Array): Buffer {
  let value = 0xffffffffffffffffn
  for (const byte of bytes) value = CRC64_TABLE[Number((value ^ BigInt(byte)) & 255n)]! ^ (value >> 8n)
  const result = Buffer.alloc(8)
  result.writeBigUInt64BE(value ^ 0xffffffffffffffffn)
  return result
}
