import snappyjs from 'snappyjs'
import { codec } from '../../src/codecs/snappy.ts'
import { codecContract } from '../../src/testing/codec.ts'

const IDENTIFIER = Buffer.from('\xff\x06\x00\x00sNaPpY', 'latin1')

const CRC_TABLE = Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** CRC-32C, masked. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8)
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** The framing format around the blocks of snappyjs. */
function encode(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [IDENTIFIER]
  for (let at = 0; at < bytes.length; at += 65_536) {
    const data = bytes.subarray(at, at + 65_536)
    const block = snappyjs.compress(data)
    const header = Buffer.alloc(8)
    header.writeUIntLE(block.length + 4, 1, 3)
    header.writeUInt32LE(checksum(data), 4)
    parts.push(header, block)
  }
  return Buffer.concat(parts)
}

function* chunks(encoded: Uint8Array) {
  const bytes = Buffer.from(encoded)
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUIntLE(at + 1, 3)) {
    yield { at, type: bytes[at]!, body: bytes.subarray(at + 4, at + 4 + bytes.readUIntLE(at + 1, 3)) }
  }
}

function decode(encoded: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { type, body } of chunks(encoded)) {
    if (type > 1) continue
    const data = type === 1 ? body.subarray(4) : snappyjs.uncompress(body.subarray(4))
    if (checksum(data) !== body.readUInt32LE(0)) throw new Error('wrong checksum')
    parts.push(data)
  }
  return Buffer.concat(parts)
}

codecContract(
  'snappy',
  codec,
  { encode, decode },
  {
    members: true,
    checksummed: true,
    highestRatio: 22,
    levels: [1],
    badLevel: 2,
    unseenCuts: encoded => [...chunks(encoded)].map(({ at }) => at).filter(at => at > 0),
  },
)
