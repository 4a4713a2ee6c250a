/** The body of a request: read, taken out of `aws-chunked`, and held against each digest and checksum that came with it. */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type Checksums, checksum, checksumOfHeader } from './checksums.ts'
import { S3Error } from './errors.ts'
import { type Authentication, chunkSignature, sha256 } from './signature.ts'

export interface ReceivedBody {
  readonly body: Buffer
  /** Those that the client sent, all of which are right. */
  readonly checksums: Checksums
}

/**
 * Decodes and checks a body that was received whole. `ofBody` says whether checksums are those of the body; those of a
 * completion are of the object.
 */
export function checkBody(
  received: Buffer,
  headers: IncomingHttpHeaders,
  authentication: Authentication | undefined,
  ofBody: boolean,
): ReceivedBody {
  const payload = authentication?.payload ?? ''
  let body = received
  let trailers: Readonly<Record<string, string>> = {}
  if (payload.startsWith('STREAMING-')) ({ body, trailers } = decodeChunked(received, headers, authentication!))
  else if (/^[0-9a-f]{64}$/.test(payload) && sha256(received) !== payload) {
    throw new S3Error('XAmzContentSHA256Mismatch', 400)
  }
  const digest = headers['content-md5']
  if (digest !== undefined && createHash('md5').update(body).digest('base64') !== digest) {
    throw new S3Error('BadDigest', 400)
  }
  return { body, checksums: ofBody ? checkSums(body, { ...headers, ...trailers }) : {} }
}

function checkSums(body: Buffer, headers: IncomingHttpHeaders): Checksums {
  const sums: Checksums = {}
  for (const [header, value] of Object.entries(headers)) {
    const name = checksumOfHeader(header)
    if (name === undefined) continue
    if (checksum(name, body) !== value) throw new S3Error('BadDigest', 400)
    sums[name] = value
  }
  return sums
}

/** `aws-chunked`: `size[;chunk-signature=…]\r\n data \r\n` …, a chunk of size 0, and trailers. */
function decodeChunked(received: Buffer, headers: IncomingHttpHeaders, authentication: Authentication) {
  const announced = headers['x-amz-decoded-content-length']
  if (announced === undefined) throw new S3Error('MissingContentLength', 411)
  const signed = authentication.payload.includes('AWS4-HMAC')
  const pieces: Buffer[] = []
  let previous = authentication.signature
  let at = 0
  for (;;) {
    const lineEnd = received.indexOf('\r\n', at)
    if (lineEnd < 0) throw new S3Error('IncompleteBody', 400)
    const line = /^([0-9a-fA-F]+)(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(received.toString('latin1', at, lineEnd))
    if (line === null || signed !== (line[2] !== undefined)) throw malformed('malformed chunk header')
    const size = Number.parseInt(line[1]!, 16)
    at = lineEnd + 2
    const data = received.subarray(at, at + size)
    if (data.length < size) throw new S3Error('IncompleteBody', 400)
    if (signed) {
      previous = chunkSignature(authentication, previous, data)
      if (previous !== line[2]) throw new S3Error('SignatureDoesNotMatch', 403)
    }
    if (size === 0) break
    pieces.push(data)
    at += size
    if (received.toString('latin1', at, at + 2) !== '\r\n') throw malformed('malformed chunk')
    at += 2
  }
  const body = Buffer.concat(pieces)
  if (body.length !== Number(announced)) throw new S3Error('IncompleteBody', 400)
  return { body, trailers: trailersOf(received.toString('latin1', at), headers) }
}

function trailersOf(text: string, headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const trailers: Record<string, string> = {}
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) trailers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  const announced = String(headers['x-amz-trailer'] ?? '').split(',')
  if (announced.some(name => name.trim() !== '' && trailers[name.trim()] === undefined)) {
    throw new S3Error('MalformedTrailerError', 400)
  }
  return trailers
}

const malformed = (message: string) => new S3Error('InvalidRequest', 400, { message })
