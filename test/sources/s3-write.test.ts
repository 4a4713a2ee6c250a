/** Objects of S3 as a sink, on each S3 server that there is. */
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  NoSuchKey,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openIterable } from '../../src/index.ts'
import { openS3Sink, type S3SinkOptions } from '../../src/sources/s3/sink.ts'
import { MAX_PARTS, MIN_PART_BYTES, PartBuffer, partBytesAt } from '../../src/sources/s3/sink-parts.ts'
import { noise } from '../../src/testing/sample.ts'
import { sinkContract } from '../../src/testing/sink.ts'
import { knownDeviations } from '../support/s3-conformance/deviations.ts'
import { S3_PLACES, type S3Place } from '../support/s3-places.ts'

/** What waits in a test waits on loopback; no delay is to be seen. */
const QUICK = { timeoutMs: 10_000, retry: { attempts: 4, initialDelayMs: 1 } } as const

async function contentOf({ client, bucket: Bucket }: S3Place, Key: string): Promise<Buffer | undefined> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
    return Buffer.from(await Body!.transformToByteArray())
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined
    throw error
  }
}

/** Uploads that are neither completed nor given up. */
async function uploadsOf({ client, bucket: Bucket }: S3Place, key?: string): Promise<number> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
  return Uploads.filter(({ Key }) => key === undefined || Key === key).length
}

let keys = 0
const newKey = (name = 'object.bin') => `write/${++keys}/${name}`

for (const kind of S3_PLACES) {
  const inMemory = kind.endpoint === undefined
  const deviations = await knownDeviations(kind)
  // A server that is not ours takes no parts below 5 MiB, so what the contract writes goes as one PUT there.
  const partBytes = inMemory ? 65_536 : MIN_PART_BYTES

  describe(`writing to S3 ${kind.name}`, () => {
    let place: S3Place
    const open = (key: string, options: S3SinkOptions = {}) =>
      openS3Sink(
        { bucket: place.bucket, key },
        { ...QUICK, ...options, s3: { ...place.clientOptions, partBytes, ...options.s3 } },
      )
    const head = (Key: string) => place.client.send(new HeadObjectCommand({ Bucket: place.bucket, Key }))
    beforeAll(async () => {
      place = await kind.start({ minPartBytes: 1 })
    })
    afterAll(() => place.stop())

    for (const [name, s3] of [
      ['parts', {}],
      ['one PUT', { partBytes: 16 << 20 }],
      ['parts, without CRC32', { requestChecksumCalculation: 'WHEN_REQUIRED' as const }],
    ] as const) {
      sinkContract(
        `S3 ${kind.name}, ${name}`,
        async old => {
          const key = newKey()
          if (old !== undefined) {
            await place.client.send(new PutObjectCommand({ Bucket: place.bucket, Key: key, Body: old }))
          }
          return {
            sink: await open(key, { s3 }),
            content: () => contentOf(place, key),
            openCount: () => uploadsOf(place),
          }
        },
        { atomic: true },
      )
    }

    it('writes parts of 5 MiB that S3 takes, whole', async () => {
      const key = newKey('large.bin')
      const data = noise(2 * MIN_PART_BYTES + 12_345)
      const sink = await open(key, { s3: { partBytes: MIN_PART_BYTES } })
      for (let at = 0; at < data.length; at += 300_000) await sink.write(data.subarray(at, at + 300_000))
      await sink.close()
      expect((await contentOf(place, key))?.equals(data)).toBe(true)
      expect((await head(key)).ETag).toMatch(/-3"$/)
      expect(await uploadsOf(place)).toBe(0)
    })

    it('writes what fills a part and no more as one PUT', async () => {
      const key = newKey()
      const sink = await open(key)
      await sink.write(noise(partBytes))
      await sink.close()
      expect((await head(key)).ETag).toMatch(/^"[0-9a-f]{32}"$/)
    })

    it('stores metadata and a media type, with one PUT and with parts', async () => {
      const s3 = { metadata: { origin: 'a test', rows: '2' }, params: { CacheControl: 'no-store' } }
      for (const length of [10, partBytes + 10]) {
        const key = newKey('people.csv.gz')
        const sink = await open(key, { s3, format: 'csv', codecs: ['gzip'] })
        await sink.write(noise(length))
        await sink.close()
        expect(await head(key)).toMatchObject({
          ContentType: 'application/gzip',
          CacheControl: 'no-store',
          Metadata: s3.metadata,
          ContentLength: length,
        })
      }
    })

    it.each([
      ['data.csv', {}, 'text/csv'],
      ['data.tsv', {}, 'text/tab-separated-values'],
      ['data', { format: 'jsonl' as const }, 'application/x-ndjson'],
      ['data.jsonl.zst', {}, 'application/zstd'],
      ['data.json', { s3: { contentType: 'application/geo+json' } }, 'application/geo+json'],
    ])('has the media type of what is written: %s', async (name, options, type) => {
      const key = newKey(name)
      const { s3, ...rest } = { s3: {}, ...options }
      const writer = openIterable<{ a: number }>(
        { bucket: place.bucket, key },
        { ...QUICK, ...rest, s3: { ...place.clientOptions, ...s3 }, mode: 'w' },
      )
      await writer.writeBulk([{ a: 1 }, { a: 2 }])
      await writer.close()
      expect((await head(key)).ContentType).toBe(type)
    })

    it('does not overwrite with ifNoneMatch, neither with one PUT nor with parts', async () => {
      for (const length of [10, partBytes + 10]) {
        const key = newKey()
        const write = async (first: number) => {
          const sink = await open(key, { s3: { ifNoneMatch: '*' } })
          const data = noise(length, first)
          // With parts, it is told before the end.
          return sink.write(data).then(() => sink.close())
        }
        await write(1)
        await expect(write(2)).rejects.toMatchObject({ code: 'SINK_EXISTS', label: `s3://${place.bucket}/${key}` })
        expect((await contentOf(place, key))?.equals(noise(length, 1))).toBe(true)
        expect(await uploadsOf(place)).toBe(0)
      }
    })

    if (!deviations.includes('put If-Match that is right')) {
      it('overwrites with ifMatch what it was told of, and nothing else', async () => {
        const key = newKey()
        const put = async (text: string, ifMatch?: string) => {
          const sink = await open(key, { s3: { ifMatch } })
          await sink.write(Buffer.from(text))
          await sink.close()
          return (await head(key)).ETag
        }
        const first = await put('one')
        await put('two', first)
        await expect(put('three', first)).rejects.toMatchObject({ code: 'SINK_CHANGED' })
        expect((await contentOf(place, key))?.toString()).toBe('two')
      })
    }

    it('tells a bucket that is not there, and keys that are wrong', async () => {
      const write = async (bucket: string, s3 = {}) => {
        const location = { bucket, key: newKey() }
        const sink = await openS3Sink(location, { ...QUICK, s3: { ...place.clientOptions, ...s3 } })
        await sink.write(noise(10))
        await sink.close()
      }
      await expect(write(`${place.bucket}-none`)).rejects.toMatchObject({ code: 'SINK_NOT_FOUND' })
      const credentials = { ...place.credentials, secretAccessKey: 'wrong' }
      await expect(write(place.bucket, { credentials })).rejects.toMatchObject({ code: 'SINK_DENIED' })
    })

    it('writes rows to keys of any characters, which are read back', async () => {
      const rows = Array.from({ length: 5000 }, (_, i) => ({ id: String(i), name: `ä ${i}` }))
      for (const name of ['rows.csv.gz', 'a b+c=&%20 ä.jsonl', "x?y#z's(1)!*.csv", 'a//b.jsonl']) {
        const target = { bucket: place.bucket, key: newKey(name) }
        const options = { ...QUICK, s3: place.clientOptions }
        const writer = openIterable(target, { ...options, mode: 'w' })
        await writer.writeBulk(rows)
        await writer.close()
        expect(await openIterable(target, options).readBulk(rows.length + 1)).toEqual(rows)
      }
    })

    it('leaves nothing of rows whose source fails, or whose writer is given up, when parts are there already', async () => {
      const rows = Array.from({ length: 1000 }, (_, i) => ({ id: i, noise: noise(4500, i + 1).toString('base64') }))
      const options = { ...QUICK, s3: { ...place.clientOptions, partBytes: MIN_PART_BYTES }, mode: 'w' } as const
      const failing = newKey('rows.jsonl')
      async function* source() {
        yield* rows
        yield* rows
        throw new Error('the source failed')
      }
      const writer = openIterable({ bucket: place.bucket, key: failing }, options)
      await expect(writer.writeBulk(source())).rejects.toThrow('the source failed')
      await expect(writer.close()).rejects.toMatchObject({ code: 'WRITER_FAILED' })
      const key = newKey('rows.jsonl')
      {
        await using abandoned = openIterable({ bucket: place.bucket, key }, options)
        await abandoned.writeBulk(rows)
        await abandoned.writeBulk(rows)
        expect(await uploadsOf(place, key)).toBe(1)
        await abandoned.abort()
      }
      expect(await uploadsOf(place)).toBe(0)
      expect(await contentOf(place, failing)).toBeUndefined()
      expect(await contentOf(place, key)).toBeUndefined()
    })

    it('appends nothing', async () => {
      const target = { bucket: place.bucket, key: newKey('x.csv') }
      const writer = openIterable(target, { ...QUICK, s3: place.clientOptions, mode: 'a' })
      await expect(writer.writeBulk([{ a: 1 }])).rejects.toMatchObject({ code: 'TARGET_UNSUPPORTED' })
      await writer.close().catch(() => {})
    })
  })
}

describe('parts of an upload', () => {
  it('hold 5 TiB in 10,000, none larger than S3 takes', () => {
    for (const base of [MIN_PART_BYTES, 8 << 20, 64 << 20]) {
      let bytes = 0
      for (let n = 1; n <= MAX_PARTS; n++) bytes += partBytesAt(n, base)
      expect(bytes).toBeGreaterThanOrEqual(5 * 2 ** 40)
      expect(partBytesAt(MAX_PARTS, base)).toBeLessThan(5 * 2 ** 30)
      expect(partBytesAt(500, base)).toBe(base)
    }
  })

  it('are filled by chunks of any size', () => {
    for (const [limit, size] of [
      [10, 3],
      [100_000, 1],
      [300_000, 70_001],
      [300_000, 300_000],
    ] as const) {
      const data = noise(limit + size)
      const part = new PartBuffer(limit, false)
      let at = 0
      while (!part.isFull) at += part.fill(data.subarray(at, at + size))
      expect(at).toBe(limit)
      expect(part.fill(data.subarray(at, at + size))).toBe(0)
      expect(part.content.equals(data.subarray(0, limit))).toBe(true)
    }
  })
})
