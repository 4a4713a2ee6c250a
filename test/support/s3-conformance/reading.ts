/** Reading: ranges, conditions, what is missing, listings. */
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { expect } from 'vitest'
import { bytesOf, DATA, md5, ODD_KEYS, quoted, refused, type S3Check } from './check.ts'

const OTHER_ETAG = quoted('0'.repeat(32))

/** Checks of reading. `read/data` is put there by whoever runs them: `DATA`, as `text/csv`, with `foo: bar`. */
export const READING: readonly S3Check[] = [
  {
    name: 'head bucket',
    async run({ client, bucket: Bucket }) {
      await client.send(new HeadBucketCommand({ Bucket }))
    },
  },
  {
    name: 'get',
    async run({ client, bucket: Bucket }) {
      const answer = await client.send(new GetObjectCommand({ Bucket, Key: 'read/data' }))
      expect(answer).toMatchObject({ ContentLength: DATA.length, ETag: quoted(md5(DATA)), AcceptRanges: 'bytes' })
      expect((await bytesOf(answer)).equals(DATA)).toBe(true)
    },
  },
  {
    name: 'head object',
    async run({ client, bucket: Bucket }) {
      const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'read/data' }))
      expect(head).toMatchObject({ ContentLength: DATA.length, ETag: quoted(md5(DATA)) })
      expect(head).toMatchObject({ ContentType: 'text/csv', Metadata: { foo: 'bar' } })
      expect(head.LastModified).toBeInstanceOf(Date)
    },
  },
  ...(
    [
      ['bytes=5-9', 5, 10],
      ['bytes=99990-', 99_990, 100_000],
      ['bytes=-7', 99_993, 100_000],
      ['bytes=99990-200000', 99_990, 100_000],
      ['bytes=-200000', 0, 100_000],
      ['bytes=0-0', 0, 1],
    ] as const
  ).map(
    ([Range, start, end]): S3Check => ({
      name: `range ${Range}`,
      async run({ client, bucket: Bucket }) {
        const answer = await client.send(new GetObjectCommand({ Bucket, Key: 'read/data', Range }))
        expect(answer.$metadata.httpStatusCode).toBe(206)
        expect(answer.ContentRange).toBe(`bytes ${start}-${end - 1}/${DATA.length}`)
        expect((await bytesOf(answer)).equals(DATA.subarray(start, end))).toBe(true)
      },
    }),
  ),
  {
    name: 'range behind the end: 416',
    async run({ client, bucket: Bucket }) {
      const Range = `bytes=${DATA.length}-`
      await refused(client.send(new GetObjectCommand({ Bucket, Key: 'read/data', Range })), 'InvalidRange', 416)
    },
  },
  {
    name: 'If-Match that is right, with a range',
    async run({ client, bucket: Bucket }) {
      const command = new GetObjectCommand({ Bucket, Key: 'read/data', IfMatch: quoted(md5(DATA)), Range: 'bytes=0-1' })
      expect((await bytesOf(await client.send(command))).length).toBe(2)
    },
  },
  {
    name: 'If-Match that is wrong: 412, with a range and without',
    async run({ client, bucket: Bucket }) {
      for (const Range of [undefined, 'bytes=0-1']) {
        const command = new GetObjectCommand({ Bucket, Key: 'read/data', IfMatch: OTHER_ETAG, Range })
        await refused(client.send(command), 'PreconditionFailed', 412)
      }
    },
  },
  {
    name: 'If-None-Match that is the same: 304',
    async run({ client, bucket: Bucket }) {
      const command = new GetObjectCommand({ Bucket, Key: 'read/data', IfNoneMatch: quoted(md5(DATA)) })
      await refused(client.send(command), undefined, 304)
    },
  },
  {
    name: 'missing key',
    async run({ client, bucket: Bucket }) {
      await refused(client.send(new HeadObjectCommand({ Bucket, Key: 'none' })), 'NotFound', 404)
      await refused(client.send(new GetObjectCommand({ Bucket, Key: 'none' })), 'NoSuchKey', 404)
    },
  },
  {
    name: 'missing bucket',
    async run({ client, bucket }) {
      const Bucket = `${bucket}-none`
      await refused(client.send(new GetObjectCommand({ Bucket, Key: 'none' })), 'NoSuchBucket', 404)
      await refused(client.send(new ListObjectsV2Command({ Bucket })), 'NoSuchBucket', 404)
    },
  },
  {
    name: 'keys of all characters, listed in the order of their bytes',
    async run({ client, bucket: Bucket }) {
      for (const Key of ODD_KEYS) {
        await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
        expect((await bytesOf(await client.send(new GetObjectCommand({ Bucket, Key })))).toString()).toBe(Key)
      }
      const { Contents } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'odd/' }))
      const sorted = [...ODD_KEYS].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
      expect(Contents?.map(({ Key }) => Key)).toEqual(sorted)
      const { CommonPrefixes } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'odd/', Delimiter: '/' }))
      expect(CommonPrefixes).toEqual([{ Prefix: 'odd/a/' }])
    },
  },
  {
    name: 'listing in pages',
    async run({ client, bucket: Bucket }) {
      const wanted = Array.from({ length: 25 }, (_, i) => `page/${String(i).padStart(3, '0')}`)
      await Promise.all(wanted.map(Key => client.send(new PutObjectCommand({ Bucket, Key, Body: '1' }))))
      const keys: (string | undefined)[] = []
      let pages = 0
      let token: string | undefined
      do {
        const input = {
          Bucket,
          Prefix: 'page/',
          MaxKeys: 7,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }
        const answer = await client.send(new ListObjectsV2Command(input))
        keys.push(...(answer.Contents ?? []).map(({ Key }) => Key))
        token = answer.NextContinuationToken
        expect(answer.IsTruncated).toBe(token !== undefined)
        pages++
      } while (token !== undefined)
      expect(keys).toEqual(wanted)
      expect(pages).toBe(4)
      const rest = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'page/', StartAfter: 'page/019' }))
      expect(rest.KeyCount).toBe(5)
    },
  },
  {
    name: 'listing of what is in folders, in pages',
    async run({ client, bucket: Bucket }) {
      for (const Key of ['d/1/x', 'd/1/y', 'd/2/x', 'd/3', 'd/4/x']) {
        await client.send(new PutObjectCommand({ Bucket, Key, Body: '1' }))
      }
      const found: (string | undefined)[] = []
      let token: string | undefined
      do {
        const input = { Bucket, Prefix: 'd/', Delimiter: '/', MaxKeys: 1 }
        const answer = await client.send(
          new ListObjectsV2Command({ ...input, ...(token === undefined ? {} : { ContinuationToken: token }) }),
        )
        found.push(
          ...(answer.CommonPrefixes ?? []).map(one => one.Prefix),
          ...(answer.Contents ?? []).map(one => one.Key),
        )
        token = answer.NextContinuationToken
      } while (token !== undefined)
      expect(found.sort()).toEqual(['d/1/', 'd/2/', 'd/3', 'd/4/'])
    },
  },
  {
    name: 'delete one and many',
    async run({ client, bucket: Bucket }) {
      const keys = ['gone/1', 'gone/2 &', 'gone/3']
      for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: '1' }))
      await client.send(new DeleteObjectCommand({ Bucket, Key: keys[0] }))
      const Objects = keys.slice(1).map(Key => ({ Key }))
      await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
      expect((await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'gone/' }))).KeyCount).toBe(0)
    },
  },
  {
    name: 'versions',
    async run({ client, bucket: Bucket }) {
      const VersioningConfiguration = { Status: 'Enabled' as const }
      await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }))
      const Key = 'versioned'
      const first = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'one' }))
      await client.send(new PutObjectCommand({ Bucket, Key, Body: 'two' }))
      await client.send(new DeleteObjectCommand({ Bucket, Key }))
      await refused(client.send(new GetObjectCommand({ Bucket, Key })), 'NoSuchKey', 404)
      const old = await client.send(new GetObjectCommand({ Bucket, Key, VersionId: first.VersionId }))
      expect((await bytesOf(old)).toString()).toBe('one')
      expect(old.VersionId).toBe(first.VersionId)
      const listed = await client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }))
      expect([listed.Versions?.length, listed.DeleteMarkers?.length]).toEqual([2, 1])
      const Status = 'Suspended' as const
      await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }))
    },
  },
]
