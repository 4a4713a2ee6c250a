/** The port of what is read over a network: something that can be asked for the bytes of a range. */

/** A remote object (of S3, behind a URL) that can be asked for its bytes, any number of times at once. */
export interface RemoteObject {
  /** Names the place in messages; without credentials. */
  readonly label: string
  /**
   * Asks once for bytes and settles when the answer has begun; whoever calls retries. Rejects with an error of this
   * library whose causes tell whether another try is worth it (`isTransient`): SOURCE_CHANGED where `etag` is asked for
   * and the object has another. Aborting `signal` gives up at once, also the body.
   */
  openRange(request: RangeRequest): Promise<RemoteBody>
}

export interface RangeRequest {
  readonly start: number
  /** Exclusive; undefined: to the end. */
  readonly end?: number | undefined
  /** Only bytes of this version. */
  readonly etag?: string | undefined
  readonly signal: AbortSignal
}

/** An answer that has begun: what it is, and its bytes. */
export interface RemoteBody {
  /** Where in the object the bytes begin: 0, whatever was asked for, where the place knows no ranges. */
  readonly start: number
  /** Where they end, exclusive; undefined where that is not said. */
  readonly end?: number | undefined
  /** Bytes of the object in all; undefined where that is not said. */
  readonly total?: number | undefined
  /** Strong: the same tag means the same bytes. */
  readonly etag?: string | undefined
  /** Whether the place answers requests for ranges of this object. */
  readonly ranges: boolean
  /** Whether a body that is cut would be noticed: its length is said, or its end is marked. */
  readonly endKnown: boolean
  /** Of the whole object, where it has one that can be checked here. */
  readonly checksum?: RemoteChecksum | undefined
  /** As in `ByteSource`. */
  readonly fileName?: string | undefined
  readonly mediaType?: string | undefined
  /** Bytes that are there already; null where they have to be waited for, by `next()`. */
  take?(): Uint8Array | null
  /** The bytes. A chunk stays as it is. Not asked for the next before it has given the last. */
  next(): Promise<IteratorResult<Uint8Array, unknown>>
  /** Lets go of the connection at once, whatever was read. */
  destroy(): void
}

export interface RemoteChecksum {
  readonly algorithm: ChecksumAlgorithm
  /** Base64. */
  readonly value: string
}

export type ChecksumAlgorithm = 'crc32' | 'crc32c' | 'crc64nvme' | 'sha1' | 'sha256'

/** What it took to read. */
export interface RemoteCounters {
  /** Requests sent, the retried ones included. */
  requests: number
  /** Requests that were sent again, because one failed or its body broke. */
  retries: number
  /** Bytes received, those that nobody wanted included. */
  receivedBytes: number
  /** Bodies that are open now. */
  open: number
}
