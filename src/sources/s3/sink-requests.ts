/** Requests that write: each is watched while it goes on, and tried again as the retry policy says. */
import { Readable } from 'node:stream'
import type { S3Client } from '@aws-sdk/client-s3'
import { abortable, whenAborted } from '../../core/abort.ts'
import { createError, OpenIterableError } from '../../core/errors.ts'
import { type S3Location, s3Label } from '../../core/target-urls.ts'
import type { Abortable } from '../../core/types.ts'
import type { RetryPolicy } from '../../resilience/retry.ts'
import { statusOf } from '../../resilience/transient.ts'
import { Watchdog } from '../../resilience/watchdog.ts'
import type { S3Connection, S3Sdk } from './client.ts'
import { s3Error } from './errors.ts'

/** What one attempt of a request works with. */
export interface S3Attempt {
  readonly sdk: S3Sdk
  readonly client: S3Client
  /** The options of `client.send()`. */
  readonly sending: { readonly abortSignal: AbortSignal }
  /** The bytes as the body of this attempt: each piece that the connection takes is a sign of life. */
  bodyOf(bytes: Buffer): Readable
}

export interface S3RequestOptions extends Abortable {
  /** What is waited for, for the message of a TIMEOUT. */
  readonly what: string
  /** How many times `timeoutMs` S3 may be silent. Default: 1. */
  readonly patience?: number | undefined
  /** Told of each attempt that failed and is followed by another one. */
  readonly onRetry?: (() => void) | undefined
}

/**
 * What S3 says with a status that is not worth another try, and is: a body that was changed or cut on its way, a
 * connection that was too slow, another write at the same moment.
 */
const WORTH_ANOTHER_TRY = new Set([
  'BadDigest',
  'ConditionalRequestConflict',
  'IncompleteBody',
  'OperationAborted',
  'RequestTimeout',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
])
const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage'])
/** Bytes of a piece of a body: what is one sign of life. */
const PIECE_BYTES = 128 * 1024

export class S3Requests {
  readonly #connection: S3Connection
  readonly #location: S3Location
  readonly #policy: RetryPolicy
  readonly #onRetry: (() => void) | undefined
  readonly #timeoutMs: number

  constructor(
    connection: S3Connection,
    location: S3Location,
    policy: RetryPolicy,
    timeoutMs: number,
    onRetry?: (() => void) | undefined,
  ) {
    this.#onRetry = onRetry
    this.#connection = connection
    this.#location = location
    this.#policy = policy
    this.#timeoutMs = timeoutMs
  }

  /** Runs a request. Rejects with an error of this library, or with `signal.reason`. */
  run<T>(send: (attempt: S3Attempt) => Promise<T>, options: S3RequestOptions): Promise<T> {
    const onRetry = () => {
      this.#onRetry?.()
      options.onRetry?.()
    }
    return this.#policy.run(() => this.#attempt(send, options), { ...options, onRetry })
  }

  async #attempt<T>(send: (attempt: S3Attempt) => Promise<T>, options: S3RequestOptions): Promise<T> {
    const { signal, what, patience = 1 } = options
    const { sdk, client } = this.#connection
    const giveUp = new AbortController()
    const unlisten = whenAborted(signal, reason => giveUp.abort(reason))
    const watchdog = new Watchdog({
      timeoutMs: this.#timeoutMs * patience,
      label: s3Label(this.#location),
      what,
      onStall: error => giveUp.abort(error),
    })
    const bodies: Readable[] = []
    const bodyOf = (bytes: Buffer) => {
      const body = piecesOf(bytes, () => watchdog.feed())
      bodies.push(body)
      return body
    }
    try {
      const answer = watchdog.watch(() => send({ sdk, client, sending: { abortSignal: giveUp.signal }, bodyOf }))
      return await abortable(answer, signal)
    } catch (error) {
      signal?.throwIfAborted()
      throw this.#toError(error)
    } finally {
      unlisten()
      watchdog[Symbol.dispose]()
      for (const body of bodies) body.destroy()
    }
  }

  #toError(error: unknown): OpenIterableError {
    if (error instanceof OpenIterableError) return error
    const name = String((error as { name?: unknown } | null)?.name)
    const told = s3Error(error, { location: this.#location, doing: 'write', secrets: this.#connection.secrets })
    const { label, cause } = told
    if (statusOf(error) === 412) {
      return createError('SINK_EXISTS', 'there is an object already', { label, cause })
    }
    if (FULL.has(name)) return createError('SINK_FULL', `S3 refuses: ${(cause as Error).message}`, { label, cause })
    // The policy goes by status, and looks at this one first.
    if (WORTH_ANOTHER_TRY.has(name)) Object.defineProperty(told, 'status', { value: 503 })
    return told
  }
}

function piecesOf(bytes: Buffer, onTaken: () => void): Readable {
  let at = 0
  return new Readable({
    highWaterMark: PIECE_BYTES,
    read() {
      onTaken()
      if (at >= bytes.length) this.push(null)
      else this.push(bytes.subarray(at, (at += PIECE_BYTES)))
    },
  })
}
