/** Bombs of ten gigabytes and more, which stop after little; and work that leaves the process its turns. */
import { gzipSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { codec as bzip2 } from '../../src/codecs/bzip2.ts'
import { codec as gzip } from '../../src/codecs/gzip.ts'
import { codec as xz } from '../../src/codecs/xz.ts'
import { zstdCodec } from '../../src/codecs/zstd.ts'
import { nativeEngine } from '../../src/codecs/zstd-native.ts'
import { portableEngine } from '../../src/codecs/zstd-portable.ts'
import type { ByteSource, Codec } from '../../src/core/types.ts'
import { codeOf } from '../../src/testing/sample.ts'
import { bytesSource } from './bytes-source.ts'
import { golden } from './golden.ts'

const MIB = 1024 * 1024

/** The same bytes again and again, `count` times. */
function repeated(head: Uint8Array, bytes: Uint8Array, count: number): ByteSource & { given: number } {
  const source = {
    ...bytesSource(head),
    given: 0,
    async *stream() {
      if (head.length > 0) yield head
      for (let i = 0; i < count; i++) {
        source.given += bytes.length
        yield bytes
      }
    },
  }
  return source
}

/** Frames of zstd in which four bytes stand for 128 KiB: one of them, of ten gigabytes. */
const zstdHead = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])
const rleBlock = Buffer.from([0x02, 0x00, 0x10, 0x41])
const rleBlocks = Buffer.concat(Array<Buffer>(4096).fill(rleBlock))

const member = gzipSync(Buffer.alloc(10 * MIB))
const bombs: Record<string, [codec: Codec, source: () => ByteSource & { given: number }]> = {
  'gzip, 10 GB in members': [gzip, () => repeated(Buffer.alloc(0), member, 1000)],
  'bzip2, 20 GB in streams': [bzip2, () => repeated(Buffer.alloc(0), golden('bzip2/zeros.bz2'), 1000)],
  'xz, 20 GB in streams': [xz, () => repeated(Buffer.alloc(0), golden('xz/zeros.xz'), 1000)],
  'zstd, portable, 10 GB in one frame': [zstdCodec(portableEngine), () => repeated(zstdHead, rleBlocks, 20)],
  ...(nativeEngine === undefined
    ? {}
    : { 'zstd, native, 10 GB in one frame': [zstdCodec(nativeEngine), () => repeated(zstdHead, rleBlocks, 20)] }),
}

describe.each(Object.entries(bombs))('a bomb of %s', (_, [codec, makeSource]) => {
  it('stops after little, with bounded memory', async () => {
    const source = makeSource()
    let decoded = 0
    let most = 0
    let error: unknown
    const before = process.memoryUsage().arrayBuffers
    try {
      for await (const chunk of codec.decode(source, {}).stream()) {
        decoded += chunk.length
        most = Math.max(most, process.memoryUsage().arrayBuffers - before)
      }
    } catch (caught) {
      error = caught
    }
    expect(codeOf(error)).toBe('CODEC_LIMIT_EXCEEDED')
    expect(decoded).toBeLessThan(20 * MIB)
    expect(source.given).toBeLessThan(100_000)
    expect(most).toBeLessThan(64 * MIB)
  })

  it('stops at a number of bytes', async () => {
    let decoded = 0
    const reading = (async () => {
      for await (const chunk of codec.decode(makeSource(), { maxDecodedBytes: 3 * MIB }).stream())
        decoded += chunk.length
    })()
    await expect(reading).rejects.toMatchObject({ code: 'CODEC_LIMIT_EXCEEDED', label: 'bytes' })
    expect(decoded).toBeLessThanOrEqual(3 * MIB)
  })
})

describe('codecs that work on the main thread', () => {
  it.each<[string, Codec, string]>([
    ['xz', xz, 'xz/large.xz'],
    ['bzip2', bzip2, 'bzip2/large.bz2'],
    ['zstd, portable', zstdCodec(portableEngine), 'zstd/table-no-size.zst'],
  ])('%s: leave others their turns', async (_, codec, name) => {
    // A clock that goes on by a millisecond whenever one looks.
    let now = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => ++now)
    let turns = 0
    let done = false
    const count = () => {
      turns++
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    let chunks = 0
    for await (const chunk of codec.decode(repeated(Buffer.alloc(0), golden(name), 20), {}).stream()) {
      if (chunk.length > 0) chunks++
    }
    done = true
    clock.mockRestore()
    // Otherwise only promises are waited for here, which give nobody a turn.
    expect(chunks).toBeGreaterThan(40)
    expect(turns).toBeGreaterThan(chunks / 20)
  })

  it('can be read side by side, in any order', async () => {
    const readers = ['xz/large.xz', 'xz/large.xz', 'xz/medium.xz'].map(name =>
      xz
        .decode(bytesSource(golden(name)), {})
        .stream()
        [Symbol.asyncIterator](),
    )
    const ended = new Set<number>()
    while (ended.size < readers.length) {
      for (const [i, reader] of readers.entries()) if ((await reader.next()).done === true) ended.add(i)
    }
    expect(ended.size).toBe(3)
  })
})
