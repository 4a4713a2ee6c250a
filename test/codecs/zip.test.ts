import { unzipSync, Zip, ZipDeflate, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { codec } from '../../src/codecs/zip.ts'
import { archiveEnd } from '../../src/codecs/zip-records.ts'
import type { ByteSink } from '../../src/core/types.ts'
import { codecContract } from '../../src/testing/codec.ts'
import { CODEC_SAMPLES } from '../../src/testing/codec-samples.ts'
import { codeOf, drain, noise, table } from '../../src/testing/sample.ts'
import { bytesSource } from './bytes-source.ts'
import { golden } from './golden.ts'

const only = (bytes: Uint8Array): Uint8Array => Object.values(unzipSync(bytes))[0]!

/** As a stream writes: sizes and checksum behind the data. */
function zipStreamed(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    parts.push(chunk)
  })
  const member = new ZipDeflate('people.csv')
  zip.add(member)
  member.push(bytes, true)
  zip.end()
  return Buffer.concat(parts)
}

codecContract(
  'zip',
  codec,
  { encode: bytes => zipSync({ 'people.csv': bytes }), decode: only },
  { members: false, checksummed: true, levels: [-1, 0, 1, 6, 9], badLevel: 10 },
)
codecContract(
  'zip, of a stream',
  codec,
  { encode: zipStreamed, decode: only },
  { members: false, checksummed: true, writes: false },
)

const { medium, small } = CODEC_SAMPLES as Record<'medium' | 'small', Buffer>
const roads = { 'by its directory': true, 'in its order': false }
const read = (bytes: Uint8Array, random: boolean, member?: string, chunkBytes = 65536) =>
  drain(() => codec.decode(bytesSource(bytes, chunkBytes, random), { member }).stream())

describe.each(Object.entries(roads))('zip archives read %s', (_, random) => {
  it.each([...['people', 'from-stdin', 'to-stdout', 'zip64', 'zip64-streamed', 'stored', 'macos'], 'comment'])(
    'reads what others write: %s.zip',
    async name => {
      for (const chunkBytes of [1, 7, 65536]) {
        const result = await read(golden(`zip/${name}.zip`), random, undefined, chunkBytes)
        expect(result.error).toBeUndefined()
        expect(result.bytes.equals(medium)).toBe(true)
      }
    },
  )

  it('takes names for names, and never for paths', async () => {
    const result = await read(golden('zip/climbing.zip'), random)
    expect(result.bytes.equals(medium.subarray(0, 1000))).toBe(true)
  })

  it('picks a member by name or by pattern', async () => {
    const archive = golden('zip/several.zip')
    const contents = { 'people.csv': medium, 'data/a.csv': small, 'data/deep/b.csv': Buffer.from('the second') }
    for (const [name, content] of Object.entries(contents)) {
      expect((await read(archive, random, name)).bytes.equals(content)).toBe(true)
    }
    expect((await read(archive, random, '*.csv')).bytes.equals(medium)).toBe(true)
    expect((await read(archive, random, 'data/*.csv')).bytes.equals(small)).toBe(true)
    expect((await read(archive, random, '**/b.csv')).bytes.toString()).toBe('the second')
    expect((await read(archive, random, 'data/?.jsonl')).bytes.toString()).toBe('{"a":1}\n')
    // What a pattern would be may also be a name, and no other character means anything.
    const odd = zipSync({ 'a*.csv': Buffer.from('odd'), 'ab.csv': small, 'a(b)[c].csv': medium })
    expect((await read(odd, random, 'a(b)[c].csv')).bytes.equals(medium)).toBe(true)
    if (random) expect((await read(odd, random, 'a*.csv')).bytes.toString()).toBe('odd')
  })

  it('does not guess which member is meant, and lists them', async () => {
    const archive = golden('zip/several.zip')
    for (const member of [undefined, '**.csv', 'data/**']) {
      const { error } = await read(archive, random, member)
      expect(codeOf(error)).toBe('MEMBER_AMBIGUOUS')
      expect(String(error)).toContain('{ member: "')
    }
    for (const member of ['people', '*.tsv', 'data', 'PEOPLE.CSV']) {
      const { error, bytes } = await read(archive, random, member)
      expect(codeOf(error)).toBe('MEMBER_NOT_FOUND')
      expect(String(error)).toContain('"people.csv"')
      expect(bytes.length).toBe(0)
    }
    expect(codeOf((await read(golden('zip/empty.zip'), random)).error)).toBe('MEMBER_NOT_FOUND')
  })

  it.each(['encrypted', 'method-bzip2'])('refuses %s.zip, as it cannot read it', async name => {
    const result = await read(golden(`zip/${name}.zip`), random)
    expect(codeOf(result.error)).toBe('CODEC_UNSUPPORTED')
    expect(result.bytes.length).toBe(0)
  })

  it('reads past members that it cannot read', async () => {
    const archive = Buffer.from(zipSync({ 'locked.csv': small, 'people.csv': medium }))
    setFlags(archive, 'locked.csv', 1)
    expect((await read(archive, random, 'people.csv')).bytes.equals(medium)).toBe(true)
    expect(codeOf((await read(archive, random, 'locked.csv')).error)).toBe('CODEC_UNSUPPORTED')
  })

  it('tells a cut at any byte', async () => {
    const archive = Buffer.from(zipSync({ 'people.csv': small }))
    for (let cut = 0; cut < archive.length; cut++) {
      const { error } = await read(archive.subarray(0, cut), random)
      expect([cut, codeOf(error)]).toEqual([cut, 'CODEC_TRUNCATED'])
    }
  })

  it.each([
    ['sizes known', (bytes: Uint8Array) => zipSync({ 'people.csv': bytes })],
    ['sizes behind the data', zipStreamed],
  ])('never gives wrong data for right: each bit flipped is told, or does not matter (%s)', async (_name, encode) => {
    const archive = Buffer.from(encode(small))
    for (let bit = 0; bit < archive.length * 8; bit++) {
      const damaged = Buffer.from(archive)
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      const result = await read(damaged, random)
      if (result.failed) expect([bit, codeOf(result.error)]).toEqual([bit, expect.stringMatching(/^(CODEC|MEMBER)_/)])
      else expect([bit, result.bytes.equals(small)]).toEqual([bit, true])
    }
  })

  it('tells other data after the end', async () => {
    const archive = Buffer.concat([zipSync({ 'people.csv': small }), Buffer.from('more')])
    expect(codeOf((await read(archive, random)).error)).toBe('CODEC_TRAILING_DATA')
  })

  it('tells a member whose directory has another name, or another size', async () => {
    const archive = Buffer.from(zipSync({ 'people.csv': small }))
    const renamed = Buffer.from(archive)
    renamed.write('PEOPLE', renamed.lastIndexOf('people'))
    expect(codeOf((await read(renamed, random)).error)).toMatch(/^CODEC_CORRUPT$/)
    const resized = Buffer.from(archive)
    resized.writeUInt32LE(10, resized.lastIndexOf('PK\x01\x02') + 24)
    expect(codeOf((await read(resized, random)).error)).toBe('CODEC_CORRUPT')
  })
})

/** Sets flags of a member, in both of its headers. */
function setFlags(archive: Buffer, name: string, flags: number): void {
  const local = archive.indexOf(name) - 30
  const entry = archive.lastIndexOf(name) - 46
  archive.writeUInt16LE(archive.readUInt16LE(local + 6) | flags, local + 6)
  archive.writeUInt16LE(archive.readUInt16LE(entry + 8) | flags, entry + 8)
}

describe('zip archives with a directory', () => {
  it('are read behind something else, such as the program of one that extracts itself', async () => {
    expect((await read(golden('zip/prefixed.zip'), true)).bytes.equals(medium)).toBe(true)
    expect(codeOf((await read(golden('zip/prefixed.zip'), false)).error)).toBe('CODEC_CORRUPT')
  })

  it('may not have members that share their bytes', async () => {
    const archive = Buffer.from(zipSync({ 'a.csv': small, 'b.csv': small }))
    // The second entry points to the first member, which has its name now.
    archive.write('a', archive.lastIndexOf('b.csv'))
    const entry = archive.lastIndexOf('PK\x01\x02')
    archive.writeUInt32LE(0, entry + 42)
    const { error } = await read(archive, true, 'a.csv')
    expect(codeOf(error)).toBe('CODEC_CORRUPT')
    expect(String(error)).toContain('reaches into what follows it')
  })

  it('cannot say which of two members of one name is meant', async () => {
    const archive = Buffer.from(zipSync({ 'a.csv': small, 'b.csv': small }))
    archive.write('a', archive.indexOf('b.csv'))
    archive.write('a', archive.lastIndexOf('b.csv'))
    for (const random of [true, false]) {
      expect(codeOf((await read(archive, random, 'a.csv')).error)).toBe('MEMBER_AMBIGUOUS')
    }
  })

  it('list their members', async () => {
    const source = bytesSource(golden('zip/several.zip'), 65536, true)
    expect(await codec.members!(source)).toEqual([
      { name: 'people.csv', bytes: medium.length, encodedBytes: expect.any(Number) },
      { name: 'data/a.csv', bytes: small.length, encodedBytes: expect.any(Number) },
      { name: 'data/deep/b.csv', bytes: 10, encodedBytes: expect.any(Number) },
      { name: 'data/c.jsonl', bytes: 8, encodedBytes: expect.any(Number) },
    ])
    expect(await codec.members!(bytesSource(golden('zip/several.zip')))).toBeUndefined()
  })
})

describe('the name inside of a zip archive', () => {
  it.each(Object.entries(roads))('is known before it is read %s', async (_, random) => {
    const several = bytesSource(golden('zip/several.zip'), 7, random)
    expect(await codec.innerName!(bytesSource(golden('zip/people.zip'), 7, random), {})).toBe('people.csv')
    expect(await codec.innerName!(bytesSource(golden('zip/macos.zip'), 7, random), {})).toBe('people.csv')
    expect(await codec.innerName!(several, { member: '**/*.jsonl' })).toBe('data/c.jsonl')
  })

  it('is not asked of a source that could be read only once', async () => {
    const once = { ...bytesSource(golden('zip/people.zip')), replayable: false }
    expect(await codec.innerName!(once, {})).toBeUndefined()
  })
})

describe('zip output', () => {
  const write = async (label: string, bytes: Uint8Array, member?: string): Promise<Buffer> => {
    const parts: Buffer[] = []
    const inner: ByteSink = {
      label,
      write: async chunk => void parts.push(Buffer.from(chunk)),
      close: async () => {},
      abort: async () => {},
      [Symbol.asyncDispose]: async () => {},
    }
    const sink = codec.encode(inner, { member })
    await sink.write(bytes)
    await sink.close()
    return Buffer.concat(parts)
  }

  it.each([
    ['/data/people.csv.zip', undefined, 'people.csv'],
    ['people.zip', undefined, 'people'],
    ['C:\\data\\people.csv.zip', undefined, 'people.csv'],
    ['<stdio>', undefined, 'data'],
    ['s3://bucket/people.csv.zip?version=1', undefined, 'people.csv'],
    ['people.csv.zip', 'données/é.csv', 'données/é.csv'],
  ])('to %s, of the member %s, has %s', async (label, member, name) => {
    const archive = await write(label, small, member)
    expect(Object.keys(unzipSync(archive))).toEqual([name])
    for (const random of [true, false]) expect((await read(archive, random)).bytes.equals(small)).toBe(true)
  })

  it('has the numbers of ZIP64 where they do not fit otherwise', () => {
    // What stands behind 5 GB of data that compressed to 4.5 GB.
    const member = { name: Buffer.from('a.csv'), crc: 7, bytes: 5e9, encodedBytes: 4.5e9 }
    const end = archiveEnd(member)
    expect(end.readBigUInt64LE(8)).toBe(4_500_000_000n)
    const entry = end.indexOf('PK\x01\x02')
    expect(end.readUInt32LE(entry + 24)).toBe(0xffffffff)
    expect(end.readBigUInt64LE(entry + 46 + 5 + 4)).toBe(5_000_000_000n)
    const locator = end.indexOf('PK\x06\x07')
    expect(Number(end.readBigUInt64LE(locator + 8))).toBe(30 + 5 + 4.5e9 + end.indexOf('PK\x06\x06'))
  })

  it('of more than 4 GiB has a directory that is read back', async () => {
    // The data is not there: the source makes the bytes of the one member, which is stored, when it is asked for them.
    const size = 4_400_000_000
    const sample = zipSync({ 'a.csv': Buffer.from('x') }, { level: 0 })
    const local = Buffer.from(sample.subarray(0, 30 + 5))
    const end = archiveEnd({ name: Buffer.from('a.csv'), crc: 0, bytes: size, encodedBytes: size })
    const entry = end.indexOf('PK\x01\x02')
    end.writeUInt16LE(0, entry + 10) // stored
    const virtual = {
      ...bytesSource(new Uint8Array(0), 1, true),
      random: {
        size: async () => local.length + size + end.length,
        readRanges: async (ranges: readonly { start: number; end: number }[]) =>
          ranges.map(({ start, end: stop }) => {
            const bytes = Buffer.alloc(stop - start, 'a')
            if (start < local.length) local.copy(bytes, 0, start)
            const tail = start - local.length - size
            end.copy(bytes, Math.max(0, -tail), Math.max(0, tail), Math.max(0, tail + bytes.length))
            return bytes
          }),
      },
    }
    expect(await codec.members!(virtual)).toEqual([{ name: 'a.csv', bytes: size, encodedBytes: size }])
  })

  it('is the same for the same rows', async () => {
    const [a, b] = [await write('a.zip', table(5000)), await write('a.zip', table(5000))]
    expect(a.equals(b)).toBe(true)
    expect(only(await write('a.zip', noise(100_000))).length).toBe(100_000)
  })
})
