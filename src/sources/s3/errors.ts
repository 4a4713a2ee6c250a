/** What S3 and its SDK say went wrong, as errors of this library, without anything secret. */
import { createError, type ErrorCode, type ErrorDetails, OpenIterableError } from '../../core/errors.ts'
import { type S3Location, s3Label } from '../../core/target-urls.ts'
import { retryAfterMsOf, statusOf } from '../../resilience/transient.ts'

/** What was being done. */
export interface S3Operation {
  readonly location: S3Location
  readonly doing: 'read' | 'write' | 'list'
  /** Texts that must not appear in any message. */
  readonly secrets?: readonly string[] | undefined
}

/** How codes differ between reading and writing. */
const CODES = {
  read: { missing: 'SOURCE_NOT_FOUND', denied: 'SOURCE_DENIED', failed: 'SOURCE_FAILED' },
  list: { missing: 'SOURCE_NOT_FOUND', denied: 'SOURCE_DENIED', failed: 'SOURCE_FAILED' },
  write: { missing: 'SINK_NOT_FOUND', denied: 'SINK_DENIED', failed: 'SINK_FAILED' },
} as const satisfies Record<S3Operation['doing'], Record<string, ErrorCode>>

const WRONG_KEYS = 'the credentials are wrong: check accessKeyId, secretAccessKey and sessionToken'

/** Hints by the error code of S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html). */
const DENIALS: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: WRONG_KEYS,
  SignatureDoesNotMatch: WRONG_KEYS,
  InvalidToken: WRONG_KEYS,
  InvalidClientTokenId: WRONG_KEYS,
  ExpiredToken: 'the session has ended: get new credentials',
  TokenRefreshRequired: 'the session has ended: get new credentials',
  RequestTimeTooSkewed: "this machine's clock is wrong: set it",
  AccountProblem: 'the account is blocked',
  InvalidObjectState: 'the object is archived: restore it first',
  AccessDenied: 'the account may not do this, or the key does not exist and the account may not list the bucket',
}

const WRONG_REGION = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'IllegalLocationConstraintException',
  'AuthorizationHeaderMalformed',
])

/**
 * The error to throw for what the SDK threw. Errors of this library, and so whatever was told before, are given back as
 * they are.
 */
export function s3Error(error: unknown, operation: S3Operation): OpenIterableError {
  if (error instanceof OpenIterableError) return error
  const { location, doing } = operation
  const codes = CODES[doing]
  const cause = cleanCause(error, operation.secrets)
  const details: ErrorDetails = { label: s3Label(location), cause }
  const name = cause.name
  const status = cause.status
  if (
    /^Credentials?(Provider)?Error$|^TokenProviderError$/.test(name) ||
    /could not load credentials/i.test(cause.message)
  ) {
    return createError('CREDENTIALS_MISSING', 'there are no credentials for S3', {
      ...details,
      hint: 'give { s3: { credentials } } or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; { s3: { anonymous: true } } for a bucket that is open to everyone',
    })
  }
  if (/region is missing/i.test(cause.message)) {
    return createError('OPTION_INVALID', 'it is not said in which region the bucket is', {
      ...details,
      hint: "give { s3: { region: 'eu-central-1' } } or set AWS_REGION",
    })
  }
  if (name === 'NoSuchBucket' || name === 'InvalidBucketName') {
    return createError(codes.missing, `there is no bucket ${JSON.stringify(location.bucket)}`, {
      ...details,
      found: name,
      hint: 'check its name, the region and the endpoint',
    })
  }
  const badVersion = name === 'NoSuchVersion' || (name === 'InvalidArgument' && /version/i.test(cause.message))
  if (location.versionId !== undefined && (badVersion || status === 404 || status === 405)) {
    return createError(codes.missing, `the object has no version ${location.versionId}, or it was deleted`, {
      ...details,
      found: name,
    })
  }
  if (name === 'NoSuchKey' || (status === 404 && doing === 'read')) {
    return createError(codes.missing, `there is no such object in bucket ${JSON.stringify(location.bucket)}`, {
      ...details,
      found: name,
      hint: 'check the key: it is case-sensitive, and as it stands, without escapes',
    })
  }
  if (WRONG_REGION.has(name) || status === 301) {
    return createError(codes.failed, 'the bucket is in another region, or behind another endpoint', {
      ...details,
      found: cause.message,
      hint: 'give { s3: { region } } of the bucket',
    })
  }
  if (status === 412 && doing === 'read') {
    return createError('SOURCE_CHANGED', 'the object was replaced while it was read', details)
  }
  const hint = DENIALS[name]
  if (hint !== undefined || status === 401 || status === 403) {
    return createError(codes.denied, `S3 refuses: ${cause.message}`, {
      ...details,
      found: name,
      ...(hint === undefined ? {} : { hint }),
    })
  }
  return createError(codes.failed, `S3 failed: ${cause.message}`, {
    ...details,
    found: status === undefined ? name : `${status} ${name}`,
  })
}

/** What is kept of an error of the SDK. */
export interface S3Cause extends Error {
  readonly code?: string | undefined
  readonly status?: number | undefined
  readonly retryAfterMs?: number | undefined
  readonly requestId?: string | undefined
}

/**
 * A copy with what helps and cannot hold a secret: errors of the SDK hold the response, through it the request, and in
 * it the signature and the session's token.
 */
function cleanCause(error: unknown, secrets: readonly string[] = []): S3Cause {
  const { name, message, code, Code, $metadata } = (error ?? {}) as Record<string, unknown>
  const clean = (text: unknown, otherwise: string): string =>
    secrets.reduce(
      (cleaned, secret) => cleaned.replaceAll(secret, '…').replaceAll(encodeURIComponent(secret), '…'),
      typeof text === 'string' && text !== '' ? text : otherwise,
    )
  const ownName = clean(name, 'Error')
  const cause = new Error(clean(message, clean(Code, ownName)))
  const set = (key: string, value: unknown) => {
    if (value !== undefined) Object.defineProperty(cause, key, { value, enumerable: true, configurable: true })
  }
  Object.defineProperty(cause, 'name', { value: typeof Code === 'string' ? clean(Code, ownName) : ownName })
  set('code', typeof code === 'string' ? clean(code, '') : undefined)
  set('status', statusOf(error))
  set('retryAfterMs', retryAfterMsOf(error))
  set('requestId', ($metadata as Record<string, unknown> | undefined)?.requestId)
  return cause as S3Cause
}
