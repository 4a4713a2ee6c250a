/** Objects of S3 as a sink. */
import { abortable, whenAborted } from '../../core/abort.ts'
import { createError } from '../../core/errors.ts'
import { type S3Location, s3Label } from '../../core/target-urls.ts'
import type { ByteSink } from '../../core/types.ts'
import { DEFAULT_TIMEOUT_MS, type RemoteOptions, retryPolicyOf } from '../../remote/options.ts'
import { Semaphore } from '../../resilience/semaphore.ts'
import { withTimeout } from '../../resilience/timeout.ts'
import { connectS3, type S3Connection } from './client.ts'
import { type Content, mediaTypeOf } from './sink-content.ts'
import type { S3WriteSettings } from './sink-options.ts'
import { PartBuffer, partBytesAt } from './sink-parts.ts'
import { S3Requests } from './sink-requests.ts'
import { S3Upload } from './sink-upload.ts'

export interface S3SinkOptions extends RemoteOptions, Content {
  /** Told of each attempt that failed and is followed by another one. */
  readonly onRetry?: (() => void) | undefined
  readonly s3?: S3WriteSettings | undefined
  /** Aborts the opening, and the sink as `abort(signal.reason)` does. */
  readonly signal?: AbortSignal | undefined
}

const DEFAULT_PART_BYTES = 8 * 1024 * 1024
const DEFAULT_CONCURRENCY = 4

/**
 * Opens an object of S3 to write. No request is made yet.
 *
 * The object is replaced whole or not at all, when `close()` publishes it: what fits into one part by one PUT, more by a
 * multipart upload whose parts go up side by side while they are written. Every request is tried again as `retry` says. A
 * failure or an abort gives the upload up, so that no part stays; if even that fails, a process warning
 * (`UPLOAD_LEFT`) names the upload. An abort that comes while `close()` waits for S3's answer may come too
 * late, and then finds the object published.
 *
 * A process that is killed leaves its upload incomplete: nothing is visible, but its parts are stored and paid for, until
 * a lifecycle rule of the bucket (`AbortIncompleteMultipartUpload`) or AbortMultipartUpload removes them.
 *
 * Throws PEER_MISSING, CREDENTIALS_MISSING, SINK_NOT_FOUND, SINK_DENIED, SINK_EXISTS, SINK_CHANGED, SINK_FULL, SINK_FAILED
 * or TIMEOUT; `signal.reason` when aborted.
 */
export async function openS3Sink(location: S3Location, options: S3SinkOptions = {}): Promise<ByteSink> {
  const { s3 = {}, timeoutMs = DEFAULT_TIMEOUT_MS, retry, signal } = options
  signal?.throwIfAborted()
  const label = s3Label(location)
  if (location.versionId !== undefined) {
    throw createError('OPTION_INVALID', 'a version of an object is read, not written', {
      label,
      hint: 'leave ?versionId out; a bucket that keeps versions adds one',
    })
  }
  const policy = retryPolicyOf(retry)
  const connection = await connectS3(s3)
  const upload = new S3Upload(new S3Requests(connection, location, policy, timeoutMs, options.onRetry), {
    location,
    contentType: s3.contentType ?? mediaTypeOf(location.key, options),
    metadata: s3.metadata,
    ifNoneMatch: s3.ifNoneMatch,
    ifMatch: s3.ifMatch,
    params: s3.params,
    crc32: await sendsChecksums(connection),
  })
  const { partBytes = DEFAULT_PART_BYTES, concurrency = DEFAULT_CONCURRENCY } = s3
  const cleanUpMs = timeoutMs * CLEAN_UP_PATIENCE
  return new S3Sink({ upload, connection, label, partBytes, concurrency, cleanUpMs, signal })
}

async function sendsChecksums({ client }: S3Connection): Promise<boolean> {
  const { requestChecksumCalculation: when } = client.config ?? {}
  return (typeof when === 'function' ? await when() : when) !== 'WHEN_REQUIRED'
}

interface S3SinkParts {
  readonly upload: S3Upload
  readonly connection: S3Connection
  readonly label: string
  readonly partBytes: number
  readonly concurrency: number
  /** How long giving an upload up may take. */
  readonly cleanUpMs: number
  readonly signal: AbortSignal | undefined
}

/** Giving up is not to wait as long as the work might have. */
const CLEAN_UP_PATIENCE = 2

/** The life of a sink: writes in order, then one end, by `close()` or by `abort()`. */
class S3Sink implements ByteSink {
  readonly label: string
  readonly #upload: S3Upload
  readonly #connection: S3Connection
  readonly #partBytes: number
  readonly #cleanUpMs: number
  /** Bytes that are on their way. */
  readonly #inFlight: Semaphore
  readonly #unlisten: () => void
  /** Rejects what waits, and ends every request, when the sink fails or is given up. */
  readonly #givenUp = new AbortController()
  /** What every call is told after a failure or an abort. */
  #failure: { readonly reason: unknown } | undefined
  #part: PartBuffer
  /** Parts that were begun. */
  #partCount = 0
  readonly #sending = new Set<Promise<void>>()
  #queue: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined
  #closed = false
  #discarding: Promise<void> | undefined

  constructor({ upload, connection, label, partBytes, concurrency, cleanUpMs, signal }: S3SinkParts) {
    this.#cleanUpMs = cleanUpMs
    this.label = label
    this.#upload = upload
    this.#connection = connection
    this.#partBytes = partBytes
    this.#inFlight = new Semaphore(partBytes * concurrency)
    this.#part = new PartBuffer(partBytesAt(1, partBytes), false)
    this.#unlisten = whenAborted(signal, reason => {
      this.#giveUp(reason).catch(() => {})
    })
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkUsable()
    if (this.#closing !== undefined) {
      throw createError('HANDLE_CLOSED', 'write after the sink was closed', { label: this.label })
    }
    const writing = this.#queue.then(() => this.#write(chunk))
    this.#queue = writing.catch(() => {})
    await abortable(writing, this.#givenUp.signal)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  abort(reason?: unknown): Promise<void> {
    const cause = reason === undefined ? {} : { cause: reason }
    return this.#giveUp(createError('HANDLE_CLOSED', 'the sink was aborted', { label: this.label, ...cause }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  #checkUsable(): void {
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  async #write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      this.#checkUsable()
      // A full part waits for a byte more: what fits into one goes as one PUT.
      if (this.#part.isFull) await this.#settle(this.#ship())
      at += this.#part.fill(chunk.subarray(at))
    }
    this.#checkUsable()
  }

  /** Sends the part that is filled on its way, once there is room for it, and begins the next. */
  async #ship(): Promise<void> {
    const { signal } = this.#givenUp
    if (this.#partCount === 0) await this.#upload.begin({ signal })
    const bytes = this.#part.content
    const permit = await this.#inFlight.acquire({ signal, weight: bytes.length })
    const number = ++this.#partCount
    const sending: Promise<void> = this.#settle(this.#upload.uploadPart(number, bytes, { signal }))
      .catch(() => {}) // kept as the failure of the sink
      .finally(() => {
        permit.release()
        this.#sending.delete(sending)
      })
    this.#sending.add(sending)
    this.#part = new PartBuffer(partBytesAt(number + 1, this.#partBytes), true)
  }

  async #close(): Promise<void> {
    try {
      await abortable(this.#queue, this.#givenUp.signal)
      this.#checkUsable()
      await this.#settle(this.#publish())
    } catch (error) {
      await this.#discard()
      throw error
    }
    this.#closed = true
    this.#unlisten()
    this.#connection.release()
  }

  async #publish(): Promise<void> {
    const { signal } = this.#givenUp
    if (this.#partCount === 0) return this.#upload.put(this.#part.content, { signal })
    if (this.#part.length > 0) await this.#ship()
    await Promise.all(this.#sending)
    this.#checkUsable()
    await this.#upload.complete({ signal })
  }

  /** Waits for work; what it fails with ends the sink, unless something else has before. */
  async #settle(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#end(error)
      throw this.#failure!.reason
    }
  }

  async #giveUp(reason: unknown): Promise<void> {
    if (this.#closed) return
    this.#end(reason)
    // A close under way ends soon, as its requests are aborted. What it has published stays.
    if (this.#closing !== undefined) await this.#closing.catch(() => {})
    if (!this.#closed) await this.#discard()
  }

  /** Keeps the first reason, ends what is under way, and begins to clean up. */
  #end(reason: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = { reason }
    this.#unlisten?.() // not there yet where the signal had aborted before the sink was made
    this.#givenUp.abort(reason)
    this.#discard()
  }

  /** Never rejects: what fails while cleaning up must not hide why it was needed. */
  #discard(): Promise<void> {
    this.#discarding ??= this.#cleanUp()
    return this.#discarding
  }

  async #cleanUp(): Promise<void> {
    await this.#queue
    await Promise.all(this.#sending)
    this.#part = new PartBuffer(1, false)
    try {
      await withTimeout(signal => this.#upload.discard({ signal }), this.#cleanUpMs)
    } catch (error) {
      process.emitWarning(
        `${this.label}: an upload could not be given up (${(error as Error).message}); its parts stay until a lifecycle rule of the bucket or AbortMultipartUpload removes them (UploadId ${this.#upload.uploadId})`,
        { type: 'OpenIterableWarning', code: 'UPLOAD_LEFT' },
      )
    } finally {
      this.#connection.release()
    }
  }
}
