/** Targets that are URLs of remote places: which they are, and what to call them. Does no I/O. */

/** Whether a text has what only a pattern has: see `core/glob.ts`. */
export function hasGlob(text: string): boolean {
  return /[*?]|\[[^\]]+\]|\{[^{}]*,[^{}]*\}/s.test(text)
}

/** An object in a bucket. Any key is allowed, as it stands: a place in a URL would have to escape some. */
export interface S3Location {
  /** The name of the bucket. */
  readonly bucket: string
  /** The object's key, not percent-encoded. */
  readonly key: string
  /** A version other than the latest. */
  readonly versionId?: string | undefined
}

/**
 * The location that a target names, or undefined. In a text, `s3://bucket/key`, everything after the bucket is the key
 * as it is, except for `?versionId=…` at its end. In a `URL` the key is percent-encoded. An object
 * `{ bucket, key, versionId? }` is taken as it is.
 */
export function s3LocationOf(target: unknown): S3Location | undefined {
  if (typeof target === 'string') {
    const match = /^s3:\/\/([^/?#]*)(?:\/(.*?))?(?:\?versionId=([^?&=#/]+))?$/is.exec(target)
    return match === null ? undefined : location(match[1]!, match[2] ?? '', match[3])
  }
  if (target instanceof URL) {
    if (target.protocol !== 's3:') return undefined
    return location(target.host, decodePath(target.pathname.replace(/^\//, '')), target.searchParams.get('versionId'))
  }
  if (typeof target !== 'object' || target === null || !('bucket' in target) || !('key' in target)) return undefined
  const { bucket, key, versionId } = target as Record<string, unknown>
  if (typeof bucket !== 'string' || typeof key !== 'string') return undefined
  return location(bucket, key, typeof versionId === 'string' ? versionId : undefined)
}

function location(bucket: string, key: string, versionId: string | null | undefined): S3Location {
  return { bucket, key, ...(versionId === null || versionId === undefined ? {} : { versionId }) }
}

/** Without percent-encoding, where it has one. */
export function decodePath(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a lone % stands for itself
  }
}

/** `s3://bucket/key`, as messages have it. What stands before an @ of the bucket is no part of it, and may be a secret. */
export function s3Label({ bucket, key, versionId }: S3Location): string {
  const version = versionId === undefined ? '' : `?versionId=${versionId}`
  const path = `${bucket}/${key}`
  // A secret may have a slash in it.
  const hidden = bucket.includes('@') || bucket.includes(':') ? path.lastIndexOf('@') + 1 : 0
  return `s3://${path.slice(hidden)}${version}`
}

/** The `http:` or `https:` URL that a target is, or undefined. */
export function httpUrlOf(target: unknown): string | undefined {
  const text = target instanceof URL ? target.href : target
  return typeof text === 'string' && /^https?:\/\//i.test(text) ? text : undefined
}

/** Scheme, host and path: user, password, query and fragment may hold secrets. */
export function httpLabel(url: string): string {
  const path = url.replace(/[?#].*$/s, '').replace(/^([a-z]+:\/\/)[^/]*@/i, '$1')
  return /^[^#]*\?/s.test(url) ? `${path}?…` : path
}

/** The last part of the path, decoded: what extensions are read from. */
export function httpFileName(url: string): string {
  const path = url.replace(/^[a-z]+:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  return decodePath(path.slice(path.lastIndexOf('/') + 1))
}

/** The `postgres:` or `postgresql:` URL that a target is, or undefined. */
export function postgresUrlOf(target: unknown): string | undefined {
  const text = target instanceof URL ? target.href : target
  return typeof text === 'string' && /^postgres(?:ql)?:\/\//i.test(text) ? text : undefined
}

/** Host, port and database. Of what is no URL nothing is told: a password with a slash in it may be anywhere. */
export function postgresLabel(url: string | undefined): string {
  if (url === undefined) return '<postgres>'
  try {
    const { host, pathname, search, hash } = new URL(url)
    if (!`${pathname}${search}${hash}`.includes('@')) return `postgres://${host}${pathname}`
  } catch {} // told by whoever opens it
  return 'postgres://…'
}
