/** AWS Signature Version 4: checking a request's, and presigning a URL. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { S3Error } from './errors.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** A request as far as it is signed. */
export interface Signable {
  readonly method: string
  /** As it stands in the request line. */
  readonly rawPath: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
}

/** Who signed, and what the signatures of the body's chunks follow from. Undefined for a request without a signature. */
export interface Authentication {
  /** `x-amz-content-sha256`: a digest, `UNSIGNED-PAYLOAD`, or `STREAMING-…`. */
  readonly payload: string
  readonly signingKey: Buffer
  readonly date: string
  readonly scope: string
  readonly signature: string
}

interface Claim {
  readonly credential: string
  readonly signedHeaders: string
  readonly signature: string
  readonly date: string
  readonly payload: string
  readonly presigned: boolean
}

const MAX_SKEW_MS = 15 * 60_000

/** Checks a request. Throws the S3 errors of a wrong one; undefined where there is no signature at all. */
export function authenticate(request: Signable, credentials: Credentials, region: string): Authentication | undefined {
  const claim = claimOf(request)
  if (claim === undefined) return undefined
  const { headers, query } = request
  const [accessKeyId, day, scopeRegion, service, terminator] = claim.credential.split('/')
  if (accessKeyId !== credentials.accessKeyId) throw new S3Error('InvalidAccessKeyId', 403)
  const token = headers['x-amz-security-token'] ?? query.get('X-Amz-Security-Token') ?? undefined
  if (token !== credentials.sessionToken) throw new S3Error('InvalidToken', 400)
  if (scopeRegion !== region || service !== 's3' || terminator !== 'aws4_request') {
    throw new S3Error('AuthorizationHeaderMalformed', 400, {
      message: `The authorization header is malformed; the region '${scopeRegion}' is wrong; expecting '${region}'`,
      extra: `<Region>${region}</Region>`,
    })
  }
  checkSignedHeaders(claim, headers)
  const scope = `${day}/${scopeRegion}/s3/aws4_request`
  const signingKey = deriveKey(credentials.secretAccessKey, day!, region)
  const wanted = sign(signingKey, claim.date, scope, canonicalRequest(request, claim.signedHeaders, claim.payload))
  if (!timingSafeEqual(Buffer.from(wanted), Buffer.from(claim.signature)))
    throw new S3Error('SignatureDoesNotMatch', 403)
  return { payload: claim.payload, signingKey, date: claim.date, scope, signature: claim.signature }
}

function claimOf({ headers, query }: Signable): Claim | undefined {
  if (query.has('X-Amz-Algorithm')) return presignedClaim(query, headers)
  const { authorization } = headers
  if (authorization === undefined) return undefined
  const found = /^AWS4-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
    authorization,
  )
  if (found === null) throw new S3Error('AuthorizationHeaderMalformed', 400)
  const date = String(headers['x-amz-date'])
  const payload = headers['x-amz-content-sha256']
  if (typeof payload !== 'string') {
    throw new S3Error('InvalidRequest', 400, {
      message: 'Missing required header for this request: x-amz-content-sha256',
    })
  }
  if (!(Math.abs(timeOf(date) - Date.now()) < MAX_SKEW_MS)) throw new S3Error('RequestTimeTooSkewed', 403)
  return { credential: found[1]!, signedHeaders: found[2]!, signature: found[3]!, date, payload, presigned: false }
}

function presignedClaim(query: URLSearchParams, headers: IncomingHttpHeaders): Claim {
  const need = (name: string) => {
    const value = query.get(name)
    if (value === null) throw new S3Error('AuthorizationQueryParametersError', 400)
    return value
  }
  if (need('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') throw new S3Error('AuthorizationQueryParametersError', 400)
  const date = need('X-Amz-Date')
  const signature = need('X-Amz-Signature')
  if (!(Date.now() < timeOf(date) + 1000 * Number(need('X-Amz-Expires')))) {
    throw new S3Error('AccessDenied', 403, { message: 'Request has expired' })
  }
  if (!/^[0-9a-f]{64}$/.test(signature)) throw new S3Error('SignatureDoesNotMatch', 403)
  return {
    credential: need('X-Amz-Credential'),
    signedHeaders: need('X-Amz-SignedHeaders'),
    signature,
    date,
    payload: String(headers['x-amz-content-sha256'] ?? query.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD'),
    presigned: true,
  }
}

function checkSignedHeaders({ signedHeaders, presigned }: Claim, headers: IncomingHttpHeaders): void {
  const names = signedHeaders.split(';')
  if (!names.includes('host')) throw new S3Error('SignatureDoesNotMatch', 403)
  const unsigned = Object.keys(headers).find(name => name.startsWith('x-amz-') && !names.includes(name))
  if (unsigned === undefined || presigned) return
  const message = `There were headers present in the request which were not signed: ${unsigned}`
  throw new S3Error('AccessDenied', 403, { message })
}

function canonicalRequest(
  { method, rawPath, query, headers }: Signable,
  signedHeaders: string,
  payload: string,
): string {
  const pairs = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeComponent(name), encodeComponent(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
  return [
    method,
    rawPath
      .split('/')
      .map(part => encodeComponent(decodeURIComponent(part)))
      .join('/'),
    pairs.map(pair => pair.join('=')).join('&'),
    ...signedHeaders.split(';').map(
      name =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`,
    ),
    '',
    signedHeaders,
    payload,
  ].join('\n')
}

/** The signature of a chunk of an `aws-chunked` body, which follows from that of the chunk before it. */
export function chunkSignature(authentication: Authentication, previous: string, data: Uint8Array): string {
  const { signingKey, date, scope } = authentication
  const text = ['AWS4-HMAC-SHA256-PAYLOAD', date, scope, previous, sha256(''), sha256(data)].join('\n')
  return hmac(signingKey, text).toString('hex')
}

export interface PresignOptions {
  readonly method?: string
  /** Default: 60. */
  readonly expiresSeconds?: number
  /** Default: now. */
  readonly date?: Date
  /** Parameters of the request itself, as `versionId`. */
  readonly query?: Readonly<Record<string, string>>
}

/** A URL that carries its signature, for an object at `endpoint`. */
export function presign(
  endpoint: string,
  bucket: string,
  key: string,
  credentials: Credentials,
  region: string,
  { method = 'GET', expiresSeconds = 60, date = new Date(), query: own = {} }: PresignOptions = {},
): string {
  const time = date.toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`
  const rawPath = `/${bucket}/${key.split('/').map(encodeComponent).join('/')}`
  const { host } = new URL(endpoint)
  const query = new URLSearchParams({
    ...own,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(expiresSeconds),
    'X-Amz-SignedHeaders': 'host',
    ...(credentials.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': credentials.sessionToken }),
  })
  const canonical = canonicalRequest({ method, rawPath, query, headers: { host } }, 'host', 'UNSIGNED-PAYLOAD')
  const signature = sign(deriveKey(credentials.secretAccessKey, time.slice(0, 8), region), time, scope, canonical)
  const pairs = [...query, ['X-Amz-Signature', signature] as const]
  return `${endpoint}${rawPath}?${pairs.map(pair => pair.map(encodeComponent).join('=')).join('&')}`
}

function deriveKey(secret: string, day: string, region: string): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request')
}

function sign(key: Buffer, date: string, scope: string, canonical: string): string {
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex')
}

const timeOf = (date: string) =>
  Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
export const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** Percent-encoded as AWS wants it: all but letters, digits and `-._~`. */
export function encodeComponent(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
