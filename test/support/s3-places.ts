/**
 * The S3 servers that tests run against: the one in memory always, and the one that `S3_TEST_ENDPOINT`,
 * `S3_TEST_ACCESS_KEY` and `S3_TEST_SECRET_KEY` (and `S3_TEST_REGION`) tell of, where they are set.
 */
import { randomBytes } from 'node:crypto'
import { S3Client } from '@aws-sdk/client-s3'
import { type S3Server, type S3ServerOptions, startS3Server } from './s3-server/index.ts'
import { type Credentials, type PresignOptions, presign } from './s3-server/signature.ts'

/** A server that runs, with a bucket of the test's own. */
export interface S3Place {
  readonly endpoint: string
  readonly region: string
  readonly credentials: Credentials
  readonly bucket: string
  /** What `{ s3: … }` takes to reach it. */
  readonly clientOptions: {
    readonly endpoint: string
    readonly region: string
    readonly credentials: Credentials
    readonly forcePathStyle: boolean
  }
  /** A client that tries everything once. */
  readonly client: S3Client
  /** The server itself, where it is the one in memory. */
  readonly server: S3Server | undefined
  presign(key: string, options?: PresignOptions): string
  /** Removes the bucket and all in it. */
  stop(): Promise<void>
}

export interface S3PlaceKind {
  readonly name: string
  /** Where it is, for a server that runs already. */
  readonly endpoint?: string
  start(options?: Omit<S3ServerOptions, 'buckets'>): Promise<S3Place>
}

const { S3_TEST_ENDPOINT, S3_TEST_ACCESS_KEY = '', S3_TEST_SECRET_KEY = '', S3_TEST_REGION } = process.env

export const S3_PLACES: readonly S3PlaceKind[] = [
  {
    name: 'in memory',
    async start(options) {
      const bucket = newBucketName()
      const server = await startS3Server({ ...options, buckets: [bucket] })
      return placeOf(server, bucket, server, () => server.stop())
    },
  },
  ...(S3_TEST_ENDPOINT === undefined ? [] : [givenPlace(S3_TEST_ENDPOINT)]),
]

function givenPlace(endpoint: string): S3PlaceKind {
  const credentials = { accessKeyId: S3_TEST_ACCESS_KEY, secretAccessKey: S3_TEST_SECRET_KEY }
  return {
    name: 'at S3_TEST_ENDPOINT',
    endpoint,
    async start() {
      const bucket = newBucketName()
      const { CreateBucketCommand } = await import('@aws-sdk/client-s3')
      const reached = { endpoint: endpoint.replace(/\/$/, ''), region: S3_TEST_REGION ?? 'us-east-1', credentials }
      const place = placeOf(reached, bucket, undefined, () => emptyBucket(place))
      await place.client.send(new CreateBucketCommand({ Bucket: bucket }))
      return place
    },
  }
}

const newBucketName = () => `open-iterable-${randomBytes(6).toString('hex')}`

function placeOf(
  { endpoint, region, credentials }: Pick<S3Place, 'endpoint' | 'region' | 'credentials'>,
  bucket: string,
  server: S3Server | undefined,
  stop: () => Promise<void>,
): S3Place {
  const clientOptions = { endpoint, region, credentials, forcePathStyle: true }
  const client = new S3Client({ ...clientOptions, maxAttempts: 1 })
  return {
    ...clientOptions,
    bucket,
    clientOptions,
    client,
    server,
    presign: (key, options) => presign(endpoint, bucket, key, credentials, region, options),
    async stop() {
      await stop()
      client.destroy()
    },
  }
}

async function emptyBucket({ client, bucket: Bucket }: S3Place): Promise<void> {
  const sdk = await import('@aws-sdk/client-s3')
  const { Uploads = [] } = await client.send(new sdk.ListMultipartUploadsCommand({ Bucket }))
  for (const { Key, UploadId } of Uploads) {
    await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
  }
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await client.send(new sdk.ListObjectVersionsCommand({ Bucket }))
    const all = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }))
    if (all.length === 0) break
    for (const { Key, VersionId } of all) await client.send(new sdk.DeleteObjectCommand({ Bucket, Key, VersionId }))
  }
  await client.send(new sdk.DeleteBucketCommand({ Bucket }))
}
