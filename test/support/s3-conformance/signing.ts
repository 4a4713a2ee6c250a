/** Who may do what: wrong keys, no keys, URLs that carry their signature. */
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { expect } from 'vitest'
import { DATA, ODD_KEYS, refused, type S3Check } from './check.ts'

export const SIGNING: readonly S3Check[] = [
  {
    name: 'a wrong secret: 403',
    async run({ clientOptions, credentials, bucket: Bucket }) {
      const wrong = { ...credentials, secretAccessKey: 'wrong' }
      const client = new S3Client({ ...clientOptions, credentials: wrong, maxAttempts: 1 })
      await refused(client.send(new GetObjectCommand({ Bucket, Key: 'read/data' })), 'SignatureDoesNotMatch', 403)
      await refused(client.send(new PutObjectCommand({ Bucket, Key: 'x', Body: 'x' })), 'SignatureDoesNotMatch', 403)
      client.destroy()
    },
  },
  {
    name: 'a key that nobody has: 403',
    async run({ clientOptions, bucket: Bucket }) {
      const credentials = { accessKeyId: 'AKIANOBODYATALL', secretAccessKey: 'wrong' }
      const client = new S3Client({ ...clientOptions, credentials, maxAttempts: 1 })
      await refused(client.send(new GetObjectCommand({ Bucket, Key: 'read/data' })), 'InvalidAccessKeyId', 403)
      client.destroy()
    },
  },
  {
    name: 'no signature: 403',
    async run({ endpoint, bucket }) {
      expect((await fetchBytes(`${endpoint}/${bucket}/read/data`)).status).toBe(403)
    },
  },
  {
    name: 'a presigned URL, with a range',
    async run({ client, bucket: Bucket, presign }) {
      for (const Key of ODD_KEYS) {
        await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
        const { status, bytes } = await fetchBytes(presign(Key), { headers: { range: 'bytes=0-2' } })
        expect([status, bytes.toString()]).toEqual([206, 'odd'])
      }
    },
  },
  {
    name: 'a presigned URL to put to',
    async run({ presign }) {
      expect((await fetchBytes(presign('sign/put', { method: 'PUT' }), { method: 'PUT', body: 'hello' })).status).toBe(
        200,
      )
      expect((await fetchBytes(presign('sign/put'))).bytes.toString()).toBe('hello')
    },
  },
  {
    name: 'a presigned URL that was changed: 403',
    async run({ presign }) {
      const url = presign('read/data')
      const last = url.at(-1) === '0' ? '1' : '0'
      expect((await fetchBytes(url.slice(0, -1) + last)).status).toBe(403)
      expect((await fetchBytes(url.replace('read/data', 'read/other'))).status).toBe(403)
    },
  },
  {
    name: 'a presigned URL whose time has passed: 403',
    async run({ presign }) {
      const date = new Date(Date.now() - 120_000)
      const { status, bytes } = await fetchBytes(presign('read/data', { date, expiresSeconds: 60 }))
      expect(status).toBe(403)
      expect(bytes.equals(DATA)).toBe(false)
    },
  },
]

async function fetchBytes(url: string, init?: RequestInit) {
  const response = await fetch(url, init)
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
}
