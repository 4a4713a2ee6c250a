/** How bytes become an object: by one PUT, or by a multipart upload. */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { CompletedPart, PutObjectCommandInput } from '@aws-sdk/client-s3'
import { createError, OpenIterableError } from '../../core/errors.ts'
import { type S3Location, s3Label } from '../../core/target-urls.ts'
import type { Abortable } from '../../core/types.ts'
import { statusOf } from '../../resilience/transient.ts'
import { MAX_PARTS } from './sink-parts.ts'
import type { S3Attempt, S3Requests } from './sink-requests.ts'

/** What is stored beside the bytes, and under which conditions. */
export interface ObjectSettings {
  readonly location: S3Location
  readonly contentType: string
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly ifNoneMatch?: '*' | undefined
  readonly ifMatch?: string | undefined
  readonly params?: Readonly<Record<string, unknown>> | undefined
  /** Whether bytes go with their CRC32; otherwise with their MD5, which every service that speaks S3 knows. */
  readonly crc32: boolean
}

/** S3 may take minutes to put an object of many parts together, and says nothing meanwhile. */
const COMPLETION_PATIENCE = 20
/** How often an upload is given up, where parts that were still on their way keep it alive. */
const MAX_ABORTS = 4

/** The object to write; one of `put()` or a multipart upload writes it. */
export class S3Upload {
  readonly #requests: S3Requests
  readonly #settings: ObjectSettings
  #uploadId: string | undefined
  readonly #parts: CompletedPart[] = []
  #bytes = 0
  #crc32 = 0

  constructor(requests: S3Requests, settings: ObjectSettings) {
    this.#requests = requests
    this.#settings = settings
  }

  /** Writes the object by one request. */
  async put(bytes: Buffer, { signal }: Abortable): Promise<void> {
    const put = ({ sdk, client, sending, bodyOf }: S3Attempt) =>
      client.send(
        withoutExpect(
          new sdk.PutObjectCommand({
            ...this.#stored(),
            ...this.#conditions(),
            ...this.#integrity(bytes),
            Body: bodyOf(bytes),
            ContentLength: bytes.length,
          }),
        ),
        sending,
      )
    const sums = { etag: md5(bytes, 'hex'), crc32: crc32Base64(crc32(bytes)), bytes: bytes.length }
    await this.#publish(
      onRetry => this.#requests.run(put, { signal, what: 'S3 to take the object', onRetry }),
      sums,
      signal,
    )
  }

  /** Begins a multipart upload. */
  async begin({ signal }: Abortable): Promise<void> {
    // Told before all the bytes are sent. What counts is the condition of the completion.
    await this.#checkAbsent(signal)
    const { UploadId } = await this.#requests.run(
      ({ sdk, client, sending }) =>
        client.send(
          new sdk.CreateMultipartUploadCommand({
            ...this.#stored(),
            ...(this.#settings.crc32 ? { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } : {}),
          }),
          sending,
        ),
      { signal, what: 'S3 to begin an upload' },
    )
    if (UploadId === undefined) {
      throw createError('SINK_FAILED', 'S3 began an upload and did not say its id', { label: this.#label })
    }
    this.#uploadId = UploadId
  }

  /**
   * Uploads a part. Parts may be uploaded side by side, but are to be begun in their order.
   * @param number Counted from 1.
   */
  async uploadPart(number: number, bytes: Buffer, { signal }: Abortable): Promise<void> {
    if (number > MAX_PARTS) {
      throw createError('SINK_FAILED', `the object does not fit into the ${MAX_PARTS} parts that S3 allows`, {
        label: this.#label,
        hint: 'raise { s3: { partBytes } }, or write several objects',
      })
    }
    this.#bytes += bytes.length
    this.#crc32 = crc32(bytes, this.#crc32)
    const upload = this.#upload()
    const integrity = this.#integrity(bytes)
    const answer = await this.#requests.run(
      ({ sdk, client, sending, bodyOf }) =>
        client.send(
          withoutExpect(
            new sdk.UploadPartCommand({
              ...upload,
              ...integrity,
              PartNumber: number,
              Body: bodyOf(bytes),
              ContentLength: bytes.length,
            }),
          ),
          sending,
        ),
      { signal, what: `S3 to take part ${number}` },
    )
    const { ETag, ChecksumCRC32 } = answer
    if (ETag === undefined) {
      throw createError('SINK_FAILED', `S3 took part ${number} and did not say its ETag`, { label: this.#label })
    }
    if (
      ChecksumCRC32 !== undefined &&
      integrity.ChecksumCRC32 !== undefined &&
      ChecksumCRC32 !== integrity.ChecksumCRC32
    ) {
      throw createError('SINK_FAILED', `part ${number} did not arrive as it was sent`, {
        label: this.#label,
        expected: `CRC32 ${integrity.ChecksumCRC32}`,
        found: ChecksumCRC32,
      })
    }
    this.#parts[number - 1] = { PartNumber: number, ETag, ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }) }
  }

  /** Makes the parts an object. */
  async complete({ signal }: Abortable): Promise<void> {
    // For services that do not look at the condition; what comes between is theirs to lose.
    await this.#checkAbsent(signal)
    const sums = { etag: this.#expectedETag(), crc32: crc32Base64(this.#crc32), bytes: this.#bytes }
    const complete = ({ sdk, client, sending }: S3Attempt) =>
      client.send(
        new sdk.CompleteMultipartUploadCommand({
          ...this.#upload(),
          ...this.#conditions(),
          MultipartUpload: { Parts: this.#parts },
          MpuObjectSize: this.#bytes,
          ...(this.#settings.crc32 ? { ChecksumCRC32: sums.crc32, ChecksumType: 'FULL_OBJECT' } : {}),
        }),
        sending,
      )
    const what = 'S3 to put the parts together'
    const options = { signal, what, patience: COMPLETION_PATIENCE }
    await this.#publish(onRetry => this.#requests.run(complete, { ...options, onRetry }), sums, signal)
    this.#uploadId = undefined
  }

  /** Gives an upload up, with all its parts. Does nothing where none was begun, or it is completed. */
  async discard({ signal }: Abortable): Promise<void> {
    if (this.#uploadId === undefined) return
    const upload = this.#upload()
    const what = 'S3 to give the upload up'
    // A part that was under way may arrive after the first time.
    for (let i = 0; i < MAX_ABORTS; i++) {
      const aborted = this.#requests.run(
        ({ sdk, client, sending }) => client.send(new sdk.AbortMultipartUploadCommand(upload), sending),
        { signal, what },
      )
      // Completed after all, or given up by someone else.
      await unless(aborted, [404])
      const listed = this.#requests.run(
        ({ sdk, client, sending }) => client.send(new sdk.ListPartsCommand({ ...upload, MaxParts: 1 }), sending),
        { signal, what },
      )
      // Gone; or gone as far as someone may see who may not list.
      if ((await unless(listed, [403, 404])) === undefined) break
    }
    this.#uploadId = undefined
  }

  /** What names the upload, for those who have to give it up themselves. */
  get uploadId(): string | undefined {
    return this.#uploadId
  }

  get #label(): string {
    return s3Label(this.#settings.location)
  }

  #upload() {
    const { bucket, key } = this.#settings.location
    return { Bucket: bucket, Key: key, UploadId: this.#uploadId }
  }

  #stored(): Pick<PutObjectCommandInput, 'Bucket' | 'Key' | 'ContentType' | 'Metadata'> {
    const { location, contentType, metadata, params } = this.#settings
    return {
      ...params,
      Bucket: location.bucket,
      Key: location.key,
      ContentType: contentType,
      ...(metadata === undefined ? {} : { Metadata: { ...metadata } }),
    }
  }

  #conditions() {
    const { ifNoneMatch, ifMatch } = this.#settings
    return {
      ...(ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch }),
      ...(ifMatch === undefined ? {} : { IfMatch: ifMatch }),
    }
  }

  #integrity(bytes: Buffer): { readonly ChecksumCRC32?: string; readonly ContentMD5?: string } {
    return this.#settings.crc32 ? { ChecksumCRC32: crc32Base64(crc32(bytes)) } : { ContentMD5: md5(bytes, 'base64') }
  }

  /** S3's ETag of an upload is the MD5 of the MD5s of its parts; undefined where theirs are something else. */
  #expectedETag(): string | undefined {
    const etags = this.#parts.map(part => (part.ETag ?? '').replaceAll('"', ''))
    if (!etags.every(etag => /^[0-9a-f]{32}$/.test(etag))) return undefined
    return `${md5(Buffer.from(etags.join(''), 'hex'), 'hex')}-${etags.length}`
  }

  /** Throws SINK_EXISTS where there is an object and is to be none. */
  async #checkAbsent(signal: AbortSignal | undefined): Promise<void> {
    if (this.#settings.ifNoneMatch === undefined) return
    if ((await this.#head(signal)) === undefined) return
    throw createError('SINK_EXISTS', 'there is an object already', { label: this.#label })
  }

  /** What is known of the object that is there; undefined where there is none, or one may not look. */
  async #head(signal: AbortSignal | undefined) {
    const { bucket: Bucket, key: Key } = this.#settings.location
    const head = this.#requests.run(
      ({ sdk, client, sending }) =>
        client.send(new sdk.HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }), sending),
      { signal, what: 'S3 to say whether there is an object' },
    )
    return unless(head, [403, 404])
  }

  /**
   * Runs the request that publishes. Where an answer was lost, the next attempt may find that the one before has done it
   * all: the object is there, or the upload is no longer. Then the object tells whether it is this one.
   */
  async #publish(
    run: (onRetry: () => void) => Promise<unknown>,
    wanted: { readonly etag: string | undefined; readonly crc32: string; readonly bytes: number },
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let retried = false
    try {
      await run(() => {
        retried = true
      })
    } catch (error) {
      const { code, cause } = error as OpenIterableError
      const gone = (cause as Error | undefined)?.name === 'NoSuchUpload'
      if (!retried || !(code === 'SINK_EXISTS' || gone)) throw this.#named(error)
      const there = await this.#head(signal)
      const same =
        there?.ContentLength === wanted.bytes &&
        (there.ETag?.replaceAll('"', '') === wanted.etag || there.ChecksumCRC32 === wanted.crc32)
      if (!same) throw this.#named(error)
    }
  }

  /** A condition that does not hold is that of `ifMatch`, where that was asked for. */
  #named(error: unknown): unknown {
    if (!(error instanceof OpenIterableError) || error.code !== 'SINK_EXISTS') return error
    if (this.#settings.ifMatch === undefined) return error
    return createError('SINK_CHANGED', 'the object is no longer the one that was to be overwritten', {
      label: this.#label,
      expected: `ETag ${this.#settings.ifMatch}`,
      cause: error.cause,
    })
  }
}

/** What a request gives; undefined where it was answered by one of these statuses. */
async function unless<T>(request: Promise<T>, statuses: readonly number[]): Promise<T | undefined> {
  try {
    return await request
  } catch (error) {
    const status = statusOf((error as { cause?: unknown }).cause)
    if (status !== undefined && statuses.includes(status)) return undefined
    throw error
  }
}

const md5 = (bytes: Uint8Array, encoding: 'hex' | 'base64') => createHash('md5').update(bytes).digest(encoding)

function crc32Base64(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes.toString('base64')
}

/** For `Expect: 100-continue` the SDK opens a connection of its own for each request, and closes it after. */
function withoutExpect<C extends { readonly middlewareStack: { add: (...args: never[]) => void } }>(command: C): C {
  const stack = command.middlewareStack as unknown as {
    add(middleware: (next: Next) => Next, options: { step: 'finalizeRequest'; name: string }): void
  }
  stack.add(
    next => args => {
      for (const name of Object.keys(args.request.headers)) {
        if (name.toLowerCase() === 'expect') delete args.request.headers[name]
      }
      return next(args)
    },
    { step: 'finalizeRequest', name: 'openIterableWithoutExpect' },
  )
  return command
}
type Next = (args: { request: { headers: Record<string, string> } }) => Promise<unknown>
