/** Writing: checksums, conditions, multipart uploads. */
import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { expect } from 'vitest'
import type { S3Place } from '../s3-places.ts'
import { bytesOf, DATA, md5, PARTS, quoted, refused, type S3Check } from './check.ts'

const OTHER_ETAG = quoted('0'.repeat(32))
const WHOLE = Buffer.concat(PARTS)

const get = ({ client, bucket: Bucket }: S3Place, Key: string) => client.send(new GetObjectCommand({ Bucket, Key }))

/** Begins an upload, and gives what each of its requests names it by. */
async function beginUpload({ client, bucket: Bucket }: S3Place, Key: string, more: object = {}) {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }))
  return { Bucket, Key, UploadId }
}

async function uploadParts({ client }: S3Place, upload: { Bucket: string; Key: string; UploadId: string | undefined }) {
  const parts = []
  for (const [i, Body] of PARTS.entries()) {
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: i + 1, Body }))
    parts.push({ PartNumber: i + 1, ETag })
  }
  return parts
}

export const WRITING: readonly S3Check[] = [
  {
    name: 'put bytes, with the checksum in a header',
    async run(place) {
      const { client, bucket: Bucket } = place
      const answer = await client.send(new PutObjectCommand({ Bucket, Key: 'write/bytes', Body: DATA }))
      expect(answer.ETag).toBe(quoted(md5(DATA)))
      expect((await bytesOf(await get(place, 'write/bytes'))).equals(DATA)).toBe(true)
    },
  },
  {
    name: 'put a stream of known length, in aws-chunked with the checksum in a trailer',
    async run(place) {
      const { client, bucket: Bucket } = place
      const Body = Readable.from([DATA.subarray(0, 70_000), DATA.subarray(70_000)])
      const input = { Bucket, Key: 'write/stream', Body, ContentLength: DATA.length, ContentEncoding: 'gzip' }
      await client.send(new PutObjectCommand(input))
      const answer = await get(place, 'write/stream')
      expect(answer.ContentEncoding).toBe('gzip')
      expect((await bytesOf(answer)).equals(DATA)).toBe(true)
    },
  },
  {
    name: 'put without a checksum',
    async run(place) {
      const { clientOptions, bucket: Bucket } = place
      const plain = {
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      } as const
      const client = new S3Client({ ...clientOptions, maxAttempts: 1, ...plain })
      const Body = Readable.from([DATA])
      await client.send(new PutObjectCommand({ Bucket, Key: 'write/plain', Body, ContentLength: DATA.length }))
      client.destroy()
      expect((await bytesOf(await get(place, 'write/plain'))).equals(DATA)).toBe(true)
    },
  },
  ...(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const).map(
    (ChecksumAlgorithm): S3Check => ({
      name: `put with ${ChecksumAlgorithm}`,
      async run(place) {
        const { client, bucket: Bucket } = place
        const Key = `write/${ChecksumAlgorithm}`
        await client.send(new PutObjectCommand({ Bucket, Key, Body: DATA, ChecksumAlgorithm }))
        expect((await bytesOf(await get(place, Key))).equals(DATA)).toBe(true)
      },
    }),
  ),
  {
    name: 'put with a checksum that is wrong: 400',
    async run({ client, bucket: Bucket }) {
      const input = { Bucket, Key: 'write/wrong', Body: DATA, ChecksumCRC32: 'AAAAAA==' }
      const codes = ['BadDigest', 'InvalidRequest', 'XAmzContentChecksumMismatch']
      await refused(client.send(new PutObjectCommand(input)), codes, 400)
      await refused(client.send(new HeadObjectCommand({ Bucket, Key: 'write/wrong' })), 'NotFound', 404)
    },
  },
  {
    name: 'put with a Content-MD5 that is wrong: 400',
    async run({ client, bucket: Bucket }) {
      const ContentMD5 = Buffer.alloc(16).toString('base64')
      await refused(
        client.send(new PutObjectCommand({ Bucket, Key: 'write/wrong', Body: DATA, ContentMD5 })),
        'BadDigest',
        400,
      )
    },
  },
  {
    name: 'put into a bucket that is not there',
    async run({ client, bucket }) {
      await refused(
        client.send(new PutObjectCommand({ Bucket: `${bucket}-none`, Key: 'x', Body: 'x' })),
        'NoSuchBucket',
        404,
      )
    },
  },
  {
    name: 'put If-None-Match: * over an object: 412',
    async run({ client, bucket: Bucket }) {
      await client.send(new PutObjectCommand({ Bucket, Key: 'write/there', Body: 'old' }))
      const input = { Bucket, Key: 'write/there', Body: 'new', IfNoneMatch: '*' }
      await refused(client.send(new PutObjectCommand(input)), 'PreconditionFailed', 412)
    },
  },
  {
    name: 'put If-None-Match: * ten times at once: one wins',
    async run({ client, bucket: Bucket }) {
      const puts = Array.from({ length: 10 }, (_, i) =>
        client.send(new PutObjectCommand({ Bucket, Key: 'write/race', Body: `v${i}`, IfNoneMatch: '*' })),
      )
      const settled = await Promise.allSettled(puts)
      expect(settled.filter(({ status }) => status === 'fulfilled').length).toBe(1)
    },
  },
  {
    name: 'put If-Match that is right',
    async run(place) {
      const { client, bucket: Bucket } = place
      const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key: 'write/matched', Body: 'old' }))
      await client.send(new PutObjectCommand({ Bucket, Key: 'write/matched', Body: 'new', IfMatch: ETag }))
      expect((await bytesOf(await get(place, 'write/matched'))).toString()).toBe('new')
    },
  },
  {
    name: 'put If-Match that is wrong: 412',
    async run({ client, bucket: Bucket }) {
      await client.send(new PutObjectCommand({ Bucket, Key: 'write/match', Body: 'old' }))
      const input = { Bucket, Key: 'write/match', Body: 'new', IfMatch: OTHER_ETAG }
      await refused(client.send(new PutObjectCommand(input)), 'PreconditionFailed', 412)
    },
  },
  {
    name: 'copy',
    async run(place) {
      const { client, bucket: Bucket } = place
      await client.send(new CopyObjectCommand({ Bucket, Key: 'write/copy', CopySource: `${Bucket}/read/data` }))
      expect((await bytesOf(await get(place, 'write/copy'))).equals(DATA)).toBe(true)
    },
  },
  {
    name: 'multipart upload: invisible until it is completed, whole then',
    async run(place) {
      const { client, bucket: Bucket } = place
      const Key = 'multipart/whole'
      const upload = await beginUpload(place, Key, { ContentType: 'text/csv', Metadata: { foo: 'bar' } })
      const Parts = await uploadParts(place, upload)
      await refused(client.send(new HeadObjectCommand({ Bucket, Key })), 'NotFound', 404)
      expect((await client.send(new ListPartsCommand(upload))).Parts?.map(({ Size }) => Size)).toEqual(
        PARTS.map(p => p.length),
      )
      await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }))
      const answer = await get(place, Key)
      expect(answer).toMatchObject({ ContentType: 'text/csv', Metadata: { foo: 'bar' } })
      expect(answer.ETag).toMatch(/^"[0-9a-f]{32}-3"$/)
      expect((await bytesOf(answer)).equals(WHOLE)).toBe(true)
    },
  },
  {
    name: 'multipart upload: completion tells the ETag',
    async run(place) {
      const upload = await beginUpload(place, 'multipart/etag')
      const Parts = await uploadParts(place, upload)
      const answer = await place.client.send(
        new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }),
      )
      expect(answer.ETag).toMatch(/^"[0-9a-f]{32}-3"$/)
    },
  },
  {
    name: 'multipart upload with CRC32 of each part and of the object',
    async run(place) {
      const { client, bucket: Bucket } = place
      const ChecksumAlgorithm = 'CRC32' as const
      const upload = await beginUpload(place, 'multipart/crc32', { ChecksumAlgorithm })
      const Parts = []
      for (const [i, Body] of PARTS.entries()) {
        const PartNumber = i + 1
        const part = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm }))
        expect(part.ChecksumCRC32).toMatch(/^[\w+/]{6}==$/)
        Parts.push({ PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 })
      }
      await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }))
      const head = new HeadObjectCommand({ Bucket, Key: upload.Key, ChecksumMode: 'ENABLED' })
      expect((await client.send(head)).ChecksumCRC32).toMatch(/-3$/)
    },
  },
  {
    name: 'multipart upload: a part put twice counts once, as the later one',
    async run(place) {
      const { client } = place
      const upload = await beginUpload(place, 'multipart/twice')
      await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'old' }))
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'new' }))
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
      await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }))
      expect((await bytesOf(await get(place, 'multipart/twice'))).toString()).toBe('new')
    },
  },
  {
    name: 'multipart upload: a part of another ETag, and a part that is too small, are refused',
    async run(place) {
      const { client } = place
      const upload = await beginUpload(place, 'multipart/refused')
      const put = (PartNumber: number) => client.send(new UploadPartCommand({ ...upload, PartNumber, Body: 'small' }))
      const { ETag } = await put(1)
      await put(2)
      const complete = (Parts: object[]) =>
        client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }))
      await refused(complete([{ PartNumber: 1, ETag: OTHER_ETAG }]), 'InvalidPart', 400)
      await refused(
        complete([
          { PartNumber: 1, ETag },
          { PartNumber: 2, ETag },
        ]),
        'EntityTooSmall',
        400,
      )
      await client.send(new AbortMultipartUploadCommand(upload))
    },
  },
  {
    name: 'multipart upload: aborted, it leaves nothing',
    async run(place) {
      const { client, bucket: Bucket } = place
      const upload = await beginUpload(place, 'multipart/aborted')
      await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'x' }))
      const listed = async () => (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? []
      expect((await listed()).map(({ UploadId }) => UploadId)).toContain(upload.UploadId)
      await client.send(new AbortMultipartUploadCommand(upload))
      expect((await listed()).map(({ UploadId }) => UploadId)).not.toContain(upload.UploadId)
      await refused(client.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: 'x' })), 'NoSuchUpload', 404)
    },
  },
  {
    name: 'multipart upload If-None-Match: * over an object: 412',
    async run(place) {
      const { client, bucket: Bucket } = place
      const Key = 'multipart/there'
      await client.send(new PutObjectCommand({ Bucket, Key, Body: 'old' }))
      const upload = await beginUpload(place, Key)
      const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: 'new' }))
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
      const complete = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload, IfNoneMatch: '*' })
      await refused(client.send(complete), 'PreconditionFailed', 412)
    },
  },
]
