/** Objects of S3 as a source. */
import type { Readable } from 'node:stream'
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { createError } from '../../core/errors.ts'
import { type S3Location, s3Label } from '../../core/target-urls.ts'
import { dispositionFileName, mediaTypeOf } from '../../remote/content-headers.ts'
import { parseContentRange, rangeHeader } from '../../remote/content-range.ts'
import { NodeBody } from '../../remote/node-body.ts'
import type { ChecksumAlgorithm, RangeRequest, RemoteBody, RemoteChecksum, RemoteObject } from '../../remote/object.ts'
import { openRemoteSource, type RemoteByteSource, type RemoteSourceOptions } from '../../remote/source.ts'
import { connectS3, type S3Connection } from './client.ts'
import { s3Error } from './errors.ts'
import type { S3ReadOptions } from './options.ts'

/** Opens an object. Rejects with what `s3Error` makes of a refusal. */
export async function openS3Source(
  location: S3Location,
  options: S3ReadOptions & Pick<RemoteSourceOptions, 'access' | 'signal' | 'clock' | 'onRetry'> = {},
): Promise<RemoteByteSource> {
  const { s3 = {}, ...rest } = options
  const { partBytes, concurrency } = s3
  const connection = await connectS3(s3)
  return openRemoteSource(new S3Object(connection, location), {
    ...rest,
    partBytes,
    concurrency,
    onClose: connection.release,
  })
}

class S3Object implements RemoteObject {
  readonly label: string
  readonly #connection: S3Connection
  readonly #location: S3Location

  constructor(connection: S3Connection, location: S3Location) {
    this.label = s3Label(location)
    this.#connection = connection
    this.#location = location
  }

  async openRange(request: RangeRequest): Promise<RemoteBody> {
    try {
      return await this.#get(request)
    } catch (error) {
      request.signal.throwIfAborted()
      const { location, secrets } = { location: this.#location, secrets: this.#connection.secrets }
      const failure = s3Error(error, { location, doing: 'read', secrets })
      // No range of an object without bytes can be had.
      const empty = request.start === 0 && (failure.cause as { status?: unknown } | undefined)?.status === 416
      if (!empty || request.end === undefined) throw failure
      return this.openRange({ ...request, end: undefined })
    }
  }

  async #get({ start, end, etag, signal }: RangeRequest): Promise<RemoteBody> {
    const { sdk, client } = this.#connection
    const { bucket, key, versionId } = this.#location
    const range = rangeHeader(start, end)
    const output = await client.send(
      new sdk.GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ...(versionId === undefined ? {} : { VersionId: versionId }),
        ...(etag === undefined ? {} : { IfMatch: etag }),
        ...(range === undefined ? { ChecksumMode: 'ENABLED' } : { Range: range }),
      }),
      { abortSignal: signal },
    )
    const body = output.Body as Readable | undefined
    if (body === undefined) throw createError('SOURCE_FAILED', 'S3 answered without a body', { label: this.label })
    try {
      return this.#bodyOf(output, body, range !== undefined)
    } catch (error) {
      body.destroy()
      throw error
    }
  }

  #bodyOf(output: GetObjectCommandOutput, body: Readable, ranged: boolean): RemoteBody {
    const length = output.ContentLength
    const place = parseContentRange(output.ContentRange)
    if (ranged && output.ContentRange !== undefined && place === undefined) {
      throw createError('SOURCE_CORRUPT', 'the server does not say which range it gives', {
        label: this.label,
        found: output.ContentRange,
      })
    }
    const bytes = new NodeBody(body)
    return {
      start: place?.start ?? 0,
      end: place?.end ?? length,
      total: place === undefined ? length : place.total,
      // Some services give the tag of a multipart object without quotes.
      etag: output.ETag === undefined || output.ETag.startsWith('W/') ? undefined : output.ETag,
      ranges: !ranged || place !== undefined,
      endKnown: length !== undefined,
      checksum: ranged ? undefined : checksumOf(output),
      ...contentOf(output, this.#location.key),
      take: () => bytes.take(),
      next: () => bytes.next(),
      destroy: () => bytes.destroy(),
    }
  }
}

/** What the object's metadata tell of its content beyond its key. */
function contentOf(output: GetObjectCommandOutput, key: string): Pick<RemoteBody, 'fileName' | 'mediaType'> {
  const mediaType = mediaTypeOf(output.ContentType)
  const disposed = dispositionFileName(output.ContentDisposition)
  const named = disposed?.includes('.') === true ? disposed : undefined
  const name = named ?? key.slice(key.lastIndexOf('/') + 1)
  // The bytes come as they are stored, and so encoded.
  const extension = EXTENSIONS[output.ContentEncoding?.trim().toLowerCase() ?? '']
  const encoded = extension === undefined || name.toLowerCase().endsWith(`.${extension}`) ? undefined : extension
  const fileName = encoded === undefined ? named : `${name}.${encoded}`
  return { ...(mediaType === undefined ? {} : { mediaType }), ...(fileName === undefined ? {} : { fileName }) }
}

/** The extension for a `Content-Encoding`. */
const EXTENSIONS: Readonly<Record<string, string>> = { gzip: 'gz', 'x-gzip': 'gz', br: 'br', zstd: 'zst' }

const CHECKSUMS: readonly (readonly [ChecksumAlgorithm, (output: GetObjectCommandOutput) => string | undefined])[] = [
  ['crc32', output => output.ChecksumCRC32],
  ['crc32c', output => output.ChecksumCRC32C],
  ['crc64nvme', output => output.ChecksumCRC64NVME],
  ['sha1', output => output.ChecksumSHA1],
  ['sha256', output => output.ChecksumSHA256],
]

/** The checksum of the whole object; the others are made of the checksums of its parts, which nobody knows here. */
function checksumOf(output: GetObjectCommandOutput): RemoteChecksum | undefined {
  if (output.ChecksumType === 'COMPOSITE') return undefined
  for (const [algorithm, read] of CHECKSUMS) {
    const value = read(output)
    if (value !== undefined && !value.includes('-')) return { algorithm, value }
  }
  return undefined
}
