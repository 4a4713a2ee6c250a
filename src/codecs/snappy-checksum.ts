/** CRC-32C (Castagnoli), masked as the framing format of snappy has it. */

const POLYNOMIAL = 0x82f63b78
/** Four tables, so that four bytes are taken in one step. */
const tables = Array.from({ length: 4 }, () => new Int32Array(256))
for (let byte = 0; byte < 256; byte++) {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL
  tables[0]![byte] = value
}
for (let i = 1; i < 4; i++) {
  for (let byte = 0; byte < 256; byte++) {
    const value = tables[i - 1]![byte]!
    tables[i]![byte] = (value >>> 8) ^ tables[0]![value & 0xff]!
  }
}
const [table0, table1, table2, table3] = tables as [Int32Array, Int32Array, Int32Array, Int32Array]

/** The masked checksum of all of `bytes`. */
export function maskedCrc32c(bytes: Uint8Array): number {
  let crc = -1
  let at = 0
  for (const end = bytes.length - 3; at < end; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc = table3[crc & 0xff]! ^ table2[(crc >>> 8) & 0xff]! ^ table1[(crc >>> 16) & 0xff]! ^ table0[crc >>> 24]!
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ table0[(crc ^ bytes[at]!) & 0xff]!
  crc = ~crc
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
