/** CRC-32 as bzip2 has it: that of zlib with the bits the other way round. */

const table = new Int32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let value = byte << 24
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1
  table[byte] = value
}

/** The running checksum, −1 at the beginning, after `bytes`; inverted, it is the checksum. */
export function addToChecksum(running: number, bytes: Uint8Array): number {
  let crc = running
  for (let i = 0; i < bytes.length; i++) crc = (crc << 8) ^ table[(crc >>> 24) ^ bytes[i]!]!
  return crc
}
