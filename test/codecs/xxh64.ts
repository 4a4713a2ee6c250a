/** XXH64 by the book, slow, for the tests: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md */

const P1 = 0x9e3779b185ebca87n
const P2 = 0xc2b2ae3d27d4eb4fn
const P3 = 0x165667b19e3779f9n
const P4 = 0x85ebca77c2b2ae63n
const P5 = 0x27d4eb2f165667c5n
const u64 = (value: bigint) => BigInt.asUintN(64, value)
const rotl = (value: bigint, by: number) => u64((value << BigInt(by)) | (value >> BigInt(64 - by)))
const round = (acc: bigint, lane: bigint) => u64(rotl(u64(acc + lane * P2), 31) * P1)
const merge = (acc: bigint, lane: bigint) => u64((acc ^ round(0n, lane)) * P1 + P4)

export function xxh64(bytes: Uint8Array): bigint {
  const data = Buffer.from(bytes)
  let at = 0
  let acc: bigint
  if (data.length >= 32) {
    const lanes = [u64(P1 + P2), P2, 0n, u64(-P1)]
    for (; at + 32 <= data.length; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i]!, data.readBigUInt64LE(at + i * 8))
    }
    acc = u64(rotl(lanes[0]!, 1) + rotl(lanes[1]!, 7) + rotl(lanes[2]!, 12) + rotl(lanes[3]!, 18))
    for (const lane of lanes) acc = merge(acc, lane)
  } else acc = P5
  acc = u64(acc + BigInt(data.length))
  for (; at + 8 <= data.length; at += 8) acc = u64(rotl(acc ^ round(0n, data.readBigUInt64LE(at)), 27) * P1 + P4)
  for (; at + 4 <= data.length; at += 4) acc = u64(rotl(acc ^ u64(BigInt(data.readUInt32LE(at)) * P1), 23) * P2 + P3)
  for (; at < data.length; at++) acc = u64(rotl(acc ^ u64(BigInt(data[at]!) * P5), 11) * P1)
  acc = u64((acc ^ (acc >> 33n)) * P2)
  acc = u64((acc ^ (acc >> 29n)) * P3)
  return acc ^ (acc >> 32n)
}
