import { createHook } from 'node:async_hooks'
import { crc32, gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { codec } from '../../src/codecs/gzip.ts'
import type { ByteSink, ByteSource } from '../../src/core/types.ts'
import { codecContract } from '../../src/testing/codec.ts'
import { codeOf, drain, noise, table } from '../../src/testing/sample.ts'

codecContract(
  'gzip',
  codec,
  { encode: bytes => gzipSync(bytes), decode: bytes => gunzipSync(bytes) },
  { members: true, checksummed: true, levels: [-1, 0, 1, 6, 9], badLevel: 10 },
)

const source = (bytes: Uint8Array, chunkBytes = 65536): ByteSource => ({
  label: 'x.gz',
  replayable: true,
  async *stream() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
  },
  async [Symbol.asyncDispose]() {},
})
const decode = (bytes: Uint8Array, chunkBytes?: number) =>
  drain(() => codec.decode(source(bytes, chunkBytes), {}).stream())

/** A member with the optional parts of a header that are named. */
function memberWith(
  data: Uint8Array,
  parts: { text?: boolean; extra?: Buffer; name?: string; comment?: string; checksum?: number },
): Buffer {
  const plain = gzipSync(data)
  const flags =
    (parts.text === true ? 1 : 0) |
    (parts.checksum !== undefined ? 2 : 0) |
    (parts.extra !== undefined ? 4 : 0) |
    (parts.name !== undefined ? 8 : 0) |
    (parts.comment !== undefined ? 16 : 0)
  const header: Buffer[] = [Buffer.from([0x1f, 0x8b, 8, flags]), plain.subarray(4, 10)]
  if (parts.extra !== undefined) {
    const length = Buffer.alloc(2)
    length.writeUInt16LE(parts.extra.length)
    header.push(length, parts.extra)
  }
  if (parts.name !== undefined) header.push(Buffer.from(`${parts.name}\0`))
  if (parts.comment !== undefined) header.push(Buffer.from(`${parts.comment}\0`))
  if (parts.checksum !== undefined) {
    const checksum = Buffer.alloc(2)
    checksum.writeUInt16LE(parts.checksum)
    header.push(checksum)
  }
  return Buffer.concat([...header, plain.subarray(10)])
}

describe('gzip headers', () => {
  const data = table(500)

  it.each([1, 7, 65536])('passes over names, comments, extra fields, in chunks of %i bytes', async chunkBytes => {
    const encoded = Buffer.concat([
      memberWith(data, { name: 'people.csv' }),
      memberWith(data, { comment: 'from the old system', text: true }),
      memberWith(data, { extra: noise(300), name: 'x'.repeat(5000), comment: 'y' }),
      memberWith(data, { extra: Buffer.alloc(0) }),
    ])
    const result = await decode(encoded, chunkBytes)
    expect(result.error).toBeUndefined()
    expect(result.bytes.equals(Buffer.concat([data, data, data, data]))).toBe(true)
  })

  it('checks the checksum of a header that has one', async () => {
    const header = memberWith(data, { name: 'n', checksum: 0 }).subarray(0, 12)
    const right = crc32(header) & 0xffff
    // Another implementation agrees on which one is right.
    expect(gunzipSync(memberWith(data, { name: 'n', checksum: right })).equals(data)).toBe(true)
    expect(() => gunzipSync(memberWith(data, { name: 'n', checksum: right ^ 1 }))).toThrow('header crc mismatch')
    expect((await decode(memberWith(data, { name: 'n', checksum: right }))).bytes.equals(data)).toBe(true)
    const wrong = await decode(memberWith(data, { name: 'n', checksum: right ^ 1 }))
    expect(wrong.error).toMatchObject({ code: 'CODEC_CORRUPT' })
    expect(String(wrong.error)).toContain('the checksum of its header is wrong')
    expect(wrong.bytes.length).toBe(0)
  })

  it('refuses an unknown method and reserved flags', async () => {
    const method = gzipSync(data)
    method[2] = 7
    expect((await decode(method)).error).toMatchObject({ code: 'CODEC_CORRUPT', found: '7' })
    const flags = gzipSync(data)
    flags[3] = 0x80
    expect((await decode(flags)).error).toMatchObject({ code: 'CODEC_CORRUPT', found: '0x80' })
  })
})

describe('gzip padding and what follows', () => {
  const data = table(500)
  const member = gzipSync(data)

  it.each([1, 512, 100_000])('accepts %i zero bytes up to the end', async count => {
    for (const chunkBytes of [1, 7, 65536]) {
      if (count > 1000 && chunkBytes === 1) continue
      const result = await decode(Buffer.concat([member, Buffer.alloc(count)]), chunkBytes)
      expect(result.error).toBeUndefined()
      expect(result.bytes.equals(data)).toBe(true)
    }
  })

  it('does not lose what follows the zero bytes in silence, be it a member', async () => {
    for (const tail of [member, Buffer.from('x')]) {
      for (const chunkBytes of [1, 7, 65536]) {
        const result = await decode(Buffer.concat([member, Buffer.alloc(20), tail]), chunkBytes)
        expect(codeOf(result.error)).toBe('CODEC_TRAILING_DATA')
        expect(String(result.error)).toContain(`at compressed byte ${member.length + 20}`)
        expect(result.bytes.equals(data)).toBe(true)
      }
    }
  })

  it('tells where the trailing data begins and how it looks', async () => {
    const result = await decode(Buffer.concat([member, member, Buffer.from('\x1fzz')]))
    expect(result.error).toMatchObject({ code: 'CODEC_TRAILING_DATA', byte: 2 * data.length, found: '1f 7a' })
    expect(String(result.error)).toContain(`at compressed byte ${2 * member.length}`)
  })

  it('does not take zero bytes at the beginning for padding', async () => {
    expect(codeOf((await decode(Buffer.alloc(100))).error)).toBe('CODEC_CORRUPT')
  })
})

describe('gzip damage', () => {
  const data = table(200_000)

  it.each([
    ['checksum', 8],
    ['length', 4],
  ])('tells a wrong %s, after the data', async (what, fromEnd) => {
    const damaged = gzipSync(data)
    damaged[damaged.length - fromEnd]! ^= 1
    const result = await decode(damaged)
    expect(codeOf(result.error)).toBe('CODEC_CORRUPT')
    expect(String(result.error)).toContain(`the ${what} of member 1 is wrong`)
    expect(result.bytes.equals(data)).toBe(true)
  })

  it('names the member and the compressed byte, with the cause', async () => {
    const damaged = gzipSync(data)
    damaged.fill(0xff, 20_000, 20_100)
    const result = await decode(Buffer.concat([gzipSync(data), damaged]), 4096)
    expect(result.error).toMatchObject({ code: 'CODEC_CORRUPT', label: 'x.gz', cause: { code: 'Z_DATA_ERROR' } })
    expect(String(result.error)).toMatch(/member 2 is damaged after compressed byte \d+/)
    expect(result.bytes.subarray(0, data.length).equals(data)).toBe(true)
  })
})

describe('gzip members', () => {
  it('reads 20,000 small members with memory that does not grow with their number', async () => {
    const member = gzipSync('hello world\n')
    const count = 20_000
    const encoded = Buffer.alloc(member.length * count)
    for (let i = 0; i < count; i++) member.copy(encoded, i * member.length)
    let bytes = 0
    let mostBuffers = 0
    const before = process.memoryUsage().arrayBuffers
    for await (const chunk of codec.decode(source(encoded), {}).stream()) {
      bytes += chunk.length
      if (bytes % (12 * 500) === 0) mostBuffers = Math.max(mostBuffers, process.memoryUsage().arrayBuffers - before)
    }
    expect(bytes).toBe(12 * count)
    // With a full-size buffer for each member it would be gigabytes between collections.
    expect(mostBuffers).toBeLessThan(150 * 1024 * 1024)
  })

  it('frees what it holds on 1,000 early breaks', async () => {
    const handles = countZlibHandles()
    try {
      const encoded = gzipSync(table(300_000))
      for (let i = 0; i < 1000; i++) {
        const decoded = codec.decode(source(encoded, 4096), {})
        for await (const chunk of decoded.stream()) {
          expect(chunk.length).toBeGreaterThan(0)
          break
        }
        await decoded[Symbol.asyncDispose]()
      }
      for (let i = 0; i < 100; i++) {
        const sink = codec.encode(
          nowhere(() => {}),
          {},
        )
        await sink.write(encoded)
        await (i % 2 === 0 ? sink.close() : sink.abort())
      }
      expect(handles.opened).toBeGreaterThanOrEqual(1100)
      expect(handles.closed).toBe(handles.opened)
    } finally {
      handles.stop()
    }
  })
})

/** A sink that only shows what it is given. */
const nowhere = (onChunk: (chunk: Uint8Array) => void): ByteSink => ({
  label: 'x.gz',
  write: async chunk => onChunk(chunk),
  close: async () => {},
  abort: async () => {},
  [Symbol.asyncDispose]: async () => {},
})

/** Counts the native handles of node:zlib that are made and that are closed. */
function countZlibHandles() {
  const counts = { opened: 0, closed: 0, stop: () => {} }
  const hook = createHook({
    init(_id, type, _trigger, resource) {
      if (type !== 'ZLIB') return
      counts.opened++
      const handle = resource as { close(): void }
      const close = handle.close
      handle.close = function () {
        counts.closed++
        close.call(this)
      }
    },
  }).enable()
  counts.stop = () => void hook.disable()
  return counts
}

describe('gzip output', () => {
  it('has no time in it', async () => {
    const parts: Buffer[] = []
    const sink = codec.encode(
      nowhere(chunk => void parts.push(Buffer.from(chunk))),
      { level: 9 },
    )
    await sink.write(table(100))
    await sink.close()
    expect(Buffer.concat(parts).subarray(0, 8)).toEqual(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]))
  })
})
