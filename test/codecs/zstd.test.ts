import * as zlib from 'node:zlib'
import { Zstd } from '@hpcc-js/wasm-zstd'
import { decompress } from 'fzstd'
import { zstdCodec } from '../../src/codecs/zstd.ts'
import { nativeEngine } from '../../src/codecs/zstd-native.ts'
import { portableEngine } from '../../src/codecs/zstd-portable.ts'
import { codecContract } from '../../src/testing/codec.ts'
import { xxh64 } from './xxh64.ts'

const native = zlib as typeof zlib & {
  zstdCompressSync?(bytes: Uint8Array, options: object): Buffer
  zstdDecompressSync?(bytes: Uint8Array): Buffer
}
const wasm = await Zstd.load()

/** By node:zlib where it can; else by the one-shot call of the WebAssembly, with the checksum put to it. */
function encode(bytes: Uint8Array): Uint8Array {
  if (native.zstdCompressSync !== undefined) {
    return native.zstdCompressSync(bytes, { params: { 201: 1 } })
  }
  const frame = Buffer.from(wasm.compress(bytes))
  frame[4]! |= 4
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32LE(Number(xxh64(bytes) & 0xffffffffn))
  return Buffer.concat([frame, checksum])
}
// Not by node:zlib, whose one-shot call gives the first frame and drops the others.
const decode = (bytes: Uint8Array): Uint8Array => decompress(bytes)

for (const [name, engine] of Object.entries({ native: nativeEngine, portable: portableEngine })) {
  if (engine === undefined) continue
  codecContract(
    `zstd, ${name}`,
    zstdCodec(engine),
    { encode, decode },
    { members: true, checksummed: true, levels: [-7, 1, 3, 9, 19], badLevel: 23 },
  )
}
