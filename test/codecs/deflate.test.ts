import { deflateRawSync, deflateSync, inflateRawSync, inflateSync } from 'node:zlib'
import { codec, rawCodec } from '../../src/codecs/deflate.ts'
import { codecContract } from '../../src/testing/codec.ts'

codecContract(
  'deflate',
  codec,
  { encode: bytes => deflateSync(bytes), decode: bytes => inflateSync(bytes) },
  { members: true, appends: false, checksummed: true, levels: [-1, 0, 1, 6, 9], badLevel: 10 },
)
codecContract(
  'deflate-raw',
  rawCodec,
  { encode: bytes => deflateRawSync(bytes), decode: bytes => inflateRawSync(bytes) },
  { members: false, checksummed: false, levels: [-1, 0, 1, 6, 9], badLevel: 10 },
)
