/** What a request asks for, and what its answer is made of. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Checksums } from './checksums.ts'
import type { Bucket, Storage } from './storage.ts'

export type Operation =
  | 'ListBuckets'
  | 'CreateBucket'
  | 'HeadBucket'
  | 'DeleteBucket'
  | 'PutBucketVersioning'
  | 'ListObjectsV2'
  | 'ListObjectVersions'
  | 'ListMultipartUploads'
  | 'DeleteObjects'
  | 'GetObject'
  | 'HeadObject'
  | 'PutObject'
  | 'CopyObject'
  | 'DeleteObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'ListParts'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'Unknown'

/** A request as it came, and what became of it: an entry of the server's log. */
export interface S3Request {
  readonly operation: Operation
  readonly method: string
  readonly bucket: string
  readonly key: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  /** The `Range` header. */
  readonly range: string | undefined
  /** Undefined until it is answered, and where it never is. */
  status?: number
  /** The code of the error it was answered by. */
  code?: string
  /** Bytes of the answer's body that were written. */
  sentBytes: number
  /** Bytes of the request's body. */
  receivedBytes: number
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** Deviations of other servers, which clients must put up with. */
export interface Quirks {
  /** CompleteMultipartUpload gives an empty ETag, as Ceph's radosgw does. */
  readonly emptyCompletionETag?: boolean
  /** `If-None-Match` at CompleteMultipartUpload is ignored, as by Ceph's radosgw. */
  readonly ignoresCompletionConditions?: boolean
  /** `Range` is ignored: the whole object is sent with status 200. */
  readonly ignoresRange?: boolean
}

/** What an operation works on. */
export interface Call {
  readonly request: S3Request
  readonly storage: Storage
  readonly quirks: Quirks
  readonly region: string
  /** Smallest size of a part that is not the last. */
  readonly minPartBytes: number
  /** Decoded, and checked against all checksums that came with it. */
  readonly body: Buffer
  readonly checksums: Checksums
}

export type Perform = (call: Call) => Answer

const NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'

/** An XML answer. */
export function xmlAnswer(root: string, content: string, status = 200): Answer {
  return xmlDocument(`<${root}${NAMESPACE}>${content}</${root}>`, status)
}

export function xmlDocument(document: string, status: number, headers: Readonly<Record<string, string>> = {}): Answer {
  const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${document}`)
  return { status, headers: { 'content-type': 'application/xml', ...headers }, body }
}

/** The bucket of a request. Throws NoSuchBucket. */
export function bucketOf({ storage, request }: Call): Bucket {
  return storage.bucket(request.bucket)
}

/** Which operation a request means. */
export function operationOf(
  method: string,
  bucket: string,
  key: string,
  query: Readonly<Record<string, string>>,
): Operation {
  const asks = (name: string) => Object.hasOwn(query, name)
  if (bucket === '') return method === 'GET' ? 'ListBuckets' : 'Unknown'
  switch (`${method} ${key === '' ? 'bucket' : 'object'}`) {
    case 'PUT bucket':
      return asks('versioning') ? 'PutBucketVersioning' : 'CreateBucket'
    case 'HEAD bucket':
      return 'HeadBucket'
    case 'DELETE bucket':
      return 'DeleteBucket'
    case 'POST bucket':
      return asks('delete') ? 'DeleteObjects' : 'Unknown'
    case 'GET bucket':
      if (asks('uploads')) return 'ListMultipartUploads'
      if (asks('versions')) return 'ListObjectVersions'
      return query['list-type'] === '2' ? 'ListObjectsV2' : 'Unknown'
    case 'GET object':
      return asks('uploadId') ? 'ListParts' : 'GetObject'
    case 'HEAD object':
      return 'HeadObject'
    case 'DELETE object':
      return asks('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject'
    case 'POST object':
      if (asks('uploads')) return 'CreateMultipartUpload'
      return asks('uploadId') ? 'CompleteMultipartUpload' : 'Unknown'
    case 'PUT object':
      return asks('uploadId') ? 'UploadPart' : 'PutObject'
    default:
      return 'Unknown'
  }
}
