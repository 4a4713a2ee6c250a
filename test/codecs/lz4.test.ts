import lz4js from 'lz4js'
import xxh32 from 'lz4js/xxh32.js'
import { codec } from '../../src/codecs/lz4.ts'
import { codecContract } from '../../src/testing/codec.ts'

const hash = (bytes: Uint8Array): number => xxh32.hash(0, bytes, 0, bytes.length) >>> 0

/** Frames of at most 256 KiB each: lz4js makes blocks of 4 MiB, of which nothing can be given before their end. */
function encode(bytes: Uint8Array): Uint8Array {
  const frames = [encodeFrame(bytes.subarray(0, 262_144))]
  for (let at = 262_144; at < bytes.length; at += 262_144) frames.push(encodeFrame(bytes.subarray(at, at + 262_144)))
  return Buffer.concat(frames)
}

/** A frame of lz4js, which writes no checksum of the content, with one. */
function encodeFrame(bytes: Uint8Array): Uint8Array {
  const frame = Buffer.from(lz4js.compress(bytes))
  frame[4]! |= 4
  frame[6] = (hash(frame.subarray(4, 6)) >>> 8) & 0xff
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE(hash(bytes))
  return Buffer.concat([frame, checksum])
}

codecContract(
  'lz4',
  codec,
  { encode, decode: bytes => lz4js.decompress(bytes) },
  // lz4js drops all frames after the first.
  { members: true, appends: false, checksummed: true, highestRatio: 255, levels: [1], badLevel: 2 },
)
