import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { codec } from '../../src/codecs/brotli.ts'
import { codecContract } from '../../src/testing/codec.ts'

codecContract(
  'brotli',
  codec,
  {
    encode: bytes => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
    decode: bytes => brotliDecompressSync(bytes),
  },
  { members: false, checksummed: false, levels: [0, 1, 5, 9, 11], badLevel: 12 },
)
