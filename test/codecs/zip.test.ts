import { unzipSync, zipSync } from 'fflate'
import { codec } from '../../src/codecs/zip.ts'
import { codecContract } from '../contracts/codec.ts'

const only = (bytes: Uint8Array): Uint8Array => Object.values(unzipSync(bytes))[0]!

codecContract(
  'zip',
  codec,
  { encode: bytes => zipSync({ 'people.csv': bytes }), decode: only },
  { members: false, checksummed: true, levels: [-1, 0, 1, 6, 9], badLevel: 10 },
)
