/** Frames of zstd beside the contract: what both engines make of them, and that each reads what the other writes. */
import * as zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { codec, zstdCodec } from '../../src/codecs/zstd.ts'
import { ContentChecksum } from '../../src/codecs/zstd-checksum.ts'
import { nativeEngine } from '../../src/codecs/zstd-native.ts'
import { portableEngine } from '../../src/codecs/zstd-portable.ts'
import type { ByteSink, Codec } from '../../src/core/types.ts'
import { codeOf, drain, noise, table } from '../../src/testing/sample.ts'
import { bytesSource } from './bytes-source.ts'
import { xxh64 } from './xxh64.ts'

const engines: Record<string, Codec> = {
  portable: zstdCodec(portableEngine),
  ...(nativeEngine === undefined ? {} : { native: zstdCodec(nativeEngine) }),
}

async function write(by: Codec, bytes: Uint8Array, level?: number): Promise<Buffer> {
  const parts: Buffer[] = []
  const inner: ByteSink = {
    label: 'x.zst',
    write: async chunk => void parts.push(Buffer.from(chunk)),
    close: async () => {},
    abort: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
  const sink = by.encode(inner, { level })
  await sink.write(bytes)
  await sink.close()
  return Buffer.concat(parts)
}

const data = table(200_000)

it('is native where Node has it', () => {
  expect(nativeEngine !== undefined).toBe('createZstdCompress' in zlib)
  expect(codec.decode).toBeTypeOf('function')
})

describe.each(Object.entries(engines))('zstd, %s', (_, by) => {
  const read = (bytes: Uint8Array, chunkBytes?: number) =>
    drain(() => by.decode(bytesSource(bytes, chunkBytes), {}).stream())

  it('writes one frame with a checksum, whatever the size, which every engine reads', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('x'), data, noise(3_000_000)]) {
      const frame = await write(by, bytes)
      expect(frame[4]! & 4).toBe(4)
      expect(frame.readUInt32LE(frame.length - 4)).toBe(Number(xxh64(bytes) & 0xffffffffn))
      for (const other of Object.values(engines)) {
        const result = await drain(() => other.decode(bytesSource(frame), {}).stream())
        expect(result.error).toBeUndefined()
        expect(result.bytes.equals(bytes)).toBe(true)
      }
    }
  })

  it('writes smaller by a higher level, each writer by its own', async () => {
    const sizes = await Promise.all([-7, 1, 19].map(async level => (await write(by, data, level)).length))
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
    expect(new Set(sizes).size).toBe(3)
  })

  it('passes over skippable frames, also at the beginning and at the end', async () => {
    const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('notes')])
    const frame = await write(by, data)
    for (const chunkBytes of [1, 65536]) {
      const result = await read(Buffer.concat([skippable, frame, skippable, frame, skippable]), chunkBytes)
      expect(result.error).toBeUndefined()
      expect(result.bytes.equals(Buffer.concat([data, data]))).toBe(true)
    }
    const cut = await read(Buffer.concat([frame, skippable.subarray(0, 10)]))
    expect(codeOf(cut.error)).toBe('CODEC_TRUNCATED')
    expect(cut.bytes.equals(data)).toBe(true)
  })

  it('tells a frame that says another length, or another checksum', async () => {
    // A frame of one stored block, with a length of one byte.
    const frame = (said: number) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, said, 0x19, 0, 0, 0x61, 0x62, 0x63])
    expect((await read(frame(3))).bytes.toString()).toBe('abc')
    for (const said of [2, 4]) expect(codeOf((await read(frame(said))).error)).toBe('CODEC_CORRUPT')
    const checked = await write(by, data)
    checked[checked.length - 1]! ^= 1
    expect(codeOf((await read(checked)).error)).toBe('CODEC_CORRUPT')
  })

  it('names the frame and the compressed byte of damage', async () => {
    const frame = await write(by, data)
    const damaged = Buffer.from(frame)
    damaged.fill(0xff, 5000, 5100)
    const { error, bytes } = await read(Buffer.concat([frame, damaged]), 1000)
    expect(error).toMatchObject({ code: 'CODEC_CORRUPT', label: 'bytes' })
    expect(String(error)).toMatch(/frame 2 (is damaged after compressed byte \d+)|of frame 2 is wrong/)
    expect(bytes.subarray(0, data.length).equals(data)).toBe(true)
  })
})

describe('the checksum of zstd', () => {
  it('is that of the specification, however the bytes are cut', () => {
    for (const length of [0, 1, 3, 4, 7, 8, 31, 32, 33, 63, 64, 65, 1000, 4099]) {
      const bytes = noise(length, length + 1)
      for (const step of [1, 5, 32, 4099]) {
        const checksum = new ContentChecksum()
        for (let at = 0; at < length; at += step) checksum.update(bytes.subarray(at, at + step))
        expect([length, step, checksum.digest()]).toEqual([length, step, Number(xxh64(bytes) & 0xffffffffn)])
      }
    }
  })
})
