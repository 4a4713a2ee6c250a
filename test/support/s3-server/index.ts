/**
 * A strict S3 API over real HTTP, in memory, for tests. It checks signatures (in headers, URLs and chunks), digests and
 * checksums; knows conditional requests, ranges, versions, multipart uploads and paged listings; and does faults to order.
 * Buckets are in the path. What it answers is held against Ceph's radosgw by `s3-conformance`.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { checkBody } from './body.ts'
import * as buckets from './buckets.ts'
import { checksum } from './checksums.ts'
import { S3Error } from './errors.ts'
import { Faults, type S3Fault } from './faults.ts'
import * as multipart from './multipart.ts'
import * as objects from './objects.ts'
import {
  type Answer,
  type Operation,
  operationOf,
  type Perform,
  type Quirks,
  type S3Request,
  xmlDocument,
} from './request.ts'
import { authenticate, type Credentials, type PresignOptions, presign } from './signature.ts'
import { describeBytes, Storage, type StoredObject } from './storage.ts'

export type { S3Fault } from './faults.ts'
export type { Operation, Quirks, S3Request } from './request.ts'
export type { StoredObject } from './storage.ts'

const PERFORM: Readonly<Record<Exclude<Operation, 'Unknown'>, Perform>> = {
  ListBuckets: buckets.listBuckets,
  CreateBucket: buckets.createBucket,
  HeadBucket: buckets.headBucket,
  DeleteBucket: buckets.deleteBucket,
  PutBucketVersioning: buckets.putBucketVersioning,
  ListObjectsV2: buckets.listObjectsV2,
  ListObjectVersions: buckets.listObjectVersions,
  ListMultipartUploads: multipart.listMultipartUploads,
  DeleteObjects: buckets.deleteObjects,
  GetObject: objects.getObject,
  HeadObject: objects.getObject,
  PutObject: objects.putObject,
  CopyObject: objects.copyObject,
  DeleteObject: objects.deleteObject,
  CreateMultipartUpload: multipart.createMultipartUpload,
  UploadPart: multipart.uploadPart,
  ListParts: multipart.listParts,
  CompleteMultipartUpload: multipart.completeMultipartUpload,
  AbortMultipartUpload: multipart.abortMultipartUpload,
}

/** What may be asked of a bucket that is public, without a signature. */
const PUBLIC_OPERATIONS: readonly Operation[] = ['GetObject', 'HeadObject', 'ListObjectsV2', 'HeadBucket']
/** A reset that arrives together with data is read as a plain end, so the data is given a turn of the event loop. */
const RESET_DELAY_MS = 10
const PIECE_BYTES = 262_144
/** Pieces a second, where an answer is slow. */
const SLOW_PIECES = 50

export interface S3ServerOptions {
  /** Buckets that are there from the beginning. */
  readonly buckets?: readonly string[]
  /** Default: a key and a secret that occur nowhere else. */
  readonly credentials?: Credentials
  /** Default: us-east-1. */
  readonly region?: string
  /** Smallest size of a part that is not the last. Default: 5 MiB, as on S3. */
  readonly minPartBytes?: number
  readonly quirks?: Quirks
  /** Speaks https, with this key and certificate. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Default: any that is free. */
  readonly port?: number
}

export const TEST_CREDENTIALS: Credentials = {
  accessKeyId: 'AKIAOPENITERABLETEST',
  secretAccessKey: 'TestSecret+/mustNeverBeSeen0123456789abcd',
}

/** Starts a server on loopback. */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const server = new S3Server(options)
  await server.listen(options.port ?? 0)
  return server
}

export class S3Server {
  readonly credentials: Credentials
  readonly region: string
  readonly storage = new Storage()
  readonly faults = new Faults()
  /** Every request, in the order in which they came. */
  readonly requests: S3Request[] = []
  /** May be changed between two requests. */
  quirks: Quirks
  readonly #minPartBytes: number
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  readonly #scheme: string

  constructor({ buckets = [], credentials = TEST_CREDENTIALS, region = 'us-east-1', ...rest }: S3ServerOptions) {
    this.credentials = credentials
    this.region = region
    this.quirks = rest.quirks ?? {}
    this.#minPartBytes = rest.minPartBytes ?? 5 * 1024 * 1024
    for (const name of buckets) this.storage.createBucket(name)
    const patience = { requestTimeout: 0, keepAliveTimeout: 30_000 }
    const listener = (incoming: IncomingMessage, response: ServerResponse) => {
      this.#answer(incoming, response).catch(() => incoming.socket.destroy())
    }
    const { tls } = rest
    this.#scheme = tls === undefined ? 'http' : 'https'
    this.#server =
      tls === undefined ? createServer(patience, listener) : createTlsServer({ ...patience, ...tls }, listener)
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    })
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get endpoint(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`
  }

  /** Connections that clients hold. */
  get openSockets(): number {
    return this.#sockets.size
  }

  /** What clients are configured with to reach this server. */
  get clientOptions() {
    const { endpoint, region, credentials } = this
    return { endpoint, region, credentials, forcePathStyle: true }
  }

  /** The requests of an operation, or all, that came so far. */
  requestsOf(operation: Operation, key?: string): S3Request[] {
    return this.requests.filter(one => one.operation === operation && (key === undefined || one.key === key))
  }

  /** Stores an object without a request. */
  put(bucket: string, key: string, content: Uint8Array | string, headers: Record<string, string> = {}): StoredObject {
    const bytes = Buffer.from(content)
    const checksums = { crc32: checksum('crc32', bytes) } // as most clients send it
    return this.storage.bucket(bucket).put(key, { ...describeBytes(bytes), headers, checksums })
  }

  /** The bytes of an object; undefined where there is none. */
  bytesOf(bucket: string, key: string): Buffer | undefined {
    return this.storage.bucket(bucket).find(key)?.bytes
  }

  presign(bucket: string, key: string, options?: PresignOptions): string {
    return presign(this.endpoint, bucket, key, this.credentials, this.region, options)
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let request: S3Request | undefined
    let fault: S3Fault | undefined
    let answer: Answer
    try {
      const signable = signableOf(incoming)
      request = requestOf(signable, incoming)
      this.requests.push(request)
      fault = this.faults.take(request)
      answer = await this.#work(incoming, request, signable, fault)
    } catch (error) {
      if (error instanceof Withdrawn) return
      const known = error instanceof S3Error ? error : new S3Error('InternalError', 500, { message: String(error) })
      if (request !== undefined) request.code = known.code
      answer = xmlDocument(known.toXml(), known.status, known.headers)
      if (!incoming.complete) {
        response.setHeader('connection', 'close') // what is left of the body is not waited for
        incoming.resume()
      }
    }
    if (request !== undefined) request.status = answer.status
    await send(response, answer, request, fault)
  }

  async #work(incoming: IncomingMessage, request: S3Request, signable: ReturnType<typeof signableOf>, fault?: S3Fault) {
    if (fault?.delayMs !== undefined) await wait(fault.delayMs)
    await fault?.before?.(request)
    if (fault?.resetBefore === true) throw reset(incoming)
    const received = await receive(incoming, request, fault)
    if (fault?.silent === true) throw new Withdrawn()
    if (fault?.endBefore === true) {
      incoming.socket.end()
      throw new Withdrawn()
    }
    if (fault?.status !== undefined) throw orderedError(fault, fault.status)
    if (fault?.errorInBody !== undefined) return xmlDocument(new S3Error(fault.errorInBody, 200).toXml(), 200)
    const authentication = authenticate(signable, this.credentials, this.region)
    const { operation, headers } = request
    if (authentication === undefined) this.#checkAnonymous(request)
    const { body, checksums } = checkBody(received, headers, authentication, operation !== 'CompleteMultipartUpload')
    if (operation === 'Unknown') throw new S3Error('NotImplemented', 501)
    const copies = operation === 'PutObject' && headers['x-amz-copy-source'] !== undefined
    const answer = PERFORM[copies ? 'CopyObject' : operation]({
      request,
      storage: this.storage,
      quirks: this.quirks,
      region: this.region,
      minPartBytes: this.#minPartBytes,
      body,
      checksums,
    })
    await fault?.after?.(request)
    if (fault?.resetAfter === true) throw reset(incoming)
    return answer
  }

  #checkAnonymous({ operation, bucket }: S3Request): void {
    if (PUBLIC_OPERATIONS.includes(operation) && this.storage.buckets.get(bucket)?.isPublic === true) return
    throw new S3Error('AccessDenied', 403)
  }
}

/** A request that gets no answer. */
class Withdrawn extends Error {}

function reset(incoming: IncomingMessage): Withdrawn {
  incoming.socket.resetAndDestroy()
  return new Withdrawn()
}

function orderedError({ code, message, headers }: S3Fault, status: number): S3Error {
  const usual = status === 503 ? 'SlowDown' : status === 429 ? 'TooManyRequests' : 'InternalError'
  return new S3Error(code ?? usual, status, { message, headers })
}

function signableOf(incoming: IncomingMessage) {
  const url = incoming.url ?? '/'
  const at = url.indexOf('?')
  return {
    method: incoming.method ?? 'GET',
    rawPath: at < 0 ? url : url.slice(0, at),
    // In a query that is signed, a plus is a plus.
    query: new URLSearchParams(at < 0 ? '' : url.slice(at + 1).replaceAll('+', '%2B')),
    headers: incoming.headers,
  }
}

function requestOf(
  { method, rawPath, query, headers }: ReturnType<typeof signableOf>,
  { headers: { range } }: IncomingMessage,
): S3Request {
  const [, bucket = '', ...rest] = rawPath.split('/').map(decodeURIComponent)
  const key = rest.join('/')
  const named = Object.fromEntries(query)
  const operation = operationOf(method, bucket, key, named)
  return { operation, method, bucket, key, query: named, headers, range, sentBytes: 0, receivedBytes: 0 }
}

async function receive(incoming: IncomingMessage, request: S3Request, fault: S3Fault | undefined): Promise<Buffer> {
  const { headers, method } = incoming
  const unmeasured = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
  if (unmeasured && (method === 'PUT' || method === 'POST')) throw new S3Error('MissingContentLength', 411)
  const cut = fault?.resetRequestAfterBytes ?? Number.POSITIVE_INFINITY
  if (cut <= 0) throw reset(incoming)
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    request.receivedBytes += chunk.length
    if (request.receivedBytes >= cut) throw reset(incoming)
  }
  return corrupted(Buffer.concat(chunks), fault?.corruptRequestByte)
}

async function send(
  response: ServerResponse,
  answer: Answer,
  request: S3Request | undefined,
  fault: S3Fault = {},
): Promise<void> {
  const { status, headers = {}, body = Buffer.alloc(0) } = answer
  const id = randomBytes(8).toString('hex')
  const bare = status === 204 || status === 304
  const length = bare ? {} : { 'content-length': String(body.length) }
  response.writeHead(status, { 'x-amz-request-id': id, date: new Date().toUTCString(), ...headers, ...length })
  if (bare || request?.method === 'HEAD') {
    response.end()
    return
  }
  const { resetAfterBytes = Infinity, endAfterBytes = Infinity, stallAfterBytes = Infinity, bytesPerSecond } = fault
  const cut = Math.min(resetAfterBytes, endAfterBytes, stallAfterBytes, body.length)
  const data = corrupted(body, fault.corruptByte)
  const step = bytesPerSecond === undefined ? PIECE_BYTES : Math.ceil(bytesPerSecond / SLOW_PIECES)
  if (cut === 0) response.flushHeaders()
  for (let start = 0; start < cut && !response.destroyed; start += step) {
    const piece = data.subarray(start, Math.min(start + step, cut))
    await written(response, piece)
    if (request !== undefined) request.sentBytes += piece.length
    if (bytesPerSecond !== undefined) await wait(1000 / SLOW_PIECES)
  }
  if (cut === body.length) {
    response.end()
    return
  }
  if (cut === stallAfterBytes) return
  await wait(RESET_DELAY_MS)
  if (cut === resetAfterBytes) response.socket?.resetAndDestroy()
  else response.socket?.end()
}

function corrupted(body: Buffer, at: number | undefined): Buffer {
  if (at === undefined || at >= body.length) return body
  const changed = Buffer.from(body)
  changed[at]! ^= 1
  return changed
}

/** Settles when the kernel has taken the piece, or the client has gone. */
function written(response: ServerResponse, piece: Buffer): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      response.off('close', done)
      resolve()
    }
    response.once('close', done)
    response.write(piece, done)
  })
}
