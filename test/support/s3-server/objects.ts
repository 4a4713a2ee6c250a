/** Operations on one object: GET, HEAD, PUT, copy, delete. */
import type { IncomingHttpHeaders } from 'node:http'
import { CHECKSUM_NAMES, checksum } from './checksums.ts'
import { escapeXml, S3Error } from './errors.ts'
import { type Answer, bucketOf, type Call, type Perform, xmlAnswer } from './request.ts'
import { describeBytes, type StoredObject } from './storage.ts'

/** Headers of a PUT that come back with a GET, beside `x-amz-meta-*`. */
const KEPT = ['content-encoding', 'content-disposition', 'content-language', 'cache-control', 'expires']

export const getObject: Perform = call => {
  const object = findObject(call)
  const notModified = checkReadConditions(call.request.headers, object)
  if (notModified !== undefined) return notModified
  const headers = objectHeaders(object, call.request.headers)
  for (const [name, value] of Object.entries(call.request.query)) {
    if (name.startsWith('response-')) headers[name.slice('response-'.length)] = value
  }
  const range = call.quirks.ignoresRange === true ? undefined : rangeOf(call, object)
  if (range === undefined) return { status: 200, headers, body: object.bytes }
  const { start, end } = range
  headers['content-range'] = `bytes ${start}-${end - 1}/${object.bytes.length}`
  // A checksum is of the whole object.
  for (const name of CHECKSUM_NAMES) delete headers[`x-amz-checksum-${name}`]
  delete headers['x-amz-checksum-type']
  return { status: 206, headers, body: object.bytes.subarray(start, end) }
}

function findObject(call: Call): StoredObject {
  const { key, query } = call.request
  const { versionId } = query
  const bucket = bucketOf(call)
  const object = bucket.find(key, versionId)
  if (object !== undefined) return object
  if (versionId === undefined) throw new S3Error('NoSuchKey', 404, { extra: `<Key>${escapeXml(key)}</Key>` })
  if (!/^([\w-]{16}|null)$/.test(versionId)) {
    throw new S3Error('InvalidArgument', 400, { message: 'Invalid version id specified' })
  }
  throw new S3Error('NoSuchVersion', 404, { message: 'The specified version does not exist.' })
}

/** RFC 9110, section 13.2.2. */
function checkReadConditions(headers: IncomingHttpHeaders, { etag, modified }: StoredObject): Answer | undefined {
  const ifMatch = headers['if-match']
  const since = headers['if-unmodified-since']
  const failed = ifMatch !== undefined ? !matches(ifMatch, etag) : since !== undefined && modified > new Date(since)
  if (failed) throw new S3Error('PreconditionFailed', 412, { extra: '<Condition>If-Match</Condition>' })
  const ifNoneMatch = headers['if-none-match']
  const modifiedSince = headers['if-modified-since']
  const unchanged =
    ifNoneMatch !== undefined
      ? matches(ifNoneMatch, etag)
      : modifiedSince !== undefined && modified <= new Date(modifiedSince)
  return unchanged ? { status: 304, headers: { etag: `"${etag}"` } } : undefined
}

function matches(header: string, etag: string): boolean {
  return header === '*' || header.split(',').some(one => one.trim().replace(/^W\//, '').replaceAll('"', '') === etag)
}

function objectHeaders(object: StoredObject, asked: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {
    ...object.headers,
    etag: `"${object.etag}"`,
    'last-modified': object.modified.toUTCString(),
    'accept-ranges': 'bytes',
  }
  if (object.versionId !== 'null') headers['x-amz-version-id'] = object.versionId
  if (String(asked['x-amz-checksum-mode']).toUpperCase() === 'ENABLED') {
    for (const [name, value] of Object.entries(object.checksums)) {
      headers[`x-amz-checksum-${name}`] = value
      headers['x-amz-checksum-type'] = object.checksumType
    }
  }
  return headers
}

/** The bytes that are asked for, end exclusive; undefined where a range is not asked for, or is to be ignored. */
function rangeOf(call: Call, object: StoredObject): { start: number; end: number } | undefined {
  const { range, query } = call.request
  const size = object.bytes.length
  if (query.partNumber !== undefined) return partRange(Number(query.partNumber), object)
  const found = /^bytes=(\d*)-(\d*)$/.exec(range ?? '')
  if (found === null) return undefined
  const [, first, last] = found
  if ((first === '' && last === '') || (first !== '' && last !== '' && Number(last) < Number(first))) return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size)
  if (start < size && start < end) return { start, end }
  throw new S3Error('InvalidRange', 416, {
    message: 'The requested range is not satisfiable',
    extra: `<RangeRequested>${escapeXml(range!)}</RangeRequested><ActualObjectSize>${size}</ActualObjectSize>`,
    headers: { 'content-range': `bytes */${size}` },
  })
}

function partRange(number: number, { parts, bytes }: StoredObject): { start: number; end: number } {
  const sizes = parts ?? [bytes.length]
  if (!(number >= 1 && number <= sizes.length)) throw new S3Error('InvalidPartNumber', 416)
  const start = sizes.slice(0, number - 1).reduce((sum, size) => sum + size, 0)
  return { start, end: start + sizes[number - 1]! }
}

export const putObject: Perform = call => {
  const { request, body } = call
  const bucket = bucketOf(call)
  checkWriteConditions(request.headers, bucket.find(request.key))
  const checksums = Object.keys(call.checksums).length > 0 ? call.checksums : { crc32: checksum('crc32', body) }
  const stored = bucket.put(request.key, { ...describeBytes(body), headers: keptHeaders(request.headers), checksums })
  return { status: 200, headers: { ...versionHeader(stored), etag: `"${stored.etag}"` } }
}

export function versionHeader({ versionId }: { readonly versionId: string }): Record<string, string> {
  return versionId === 'null' ? {} : { 'x-amz-version-id': versionId }
}

/** `If-Match` and `If-None-Match: *`, as S3 has them for writing. */
export function checkWriteConditions(headers: IncomingHttpHeaders, current: StoredObject | undefined): void {
  const ifNoneMatch = headers['if-none-match']
  const ifMatch = headers['if-match']
  const failed = (condition: string) =>
    new S3Error('PreconditionFailed', 412, { extra: `<Condition>${condition}</Condition>` })
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') throw new S3Error('NotImplemented', 501)
  if (ifNoneMatch !== undefined && current !== undefined) throw failed('If-None-Match')
  if (ifMatch === undefined) return
  if (current === undefined) throw new S3Error('NoSuchKey', 404)
  if (!matches(ifMatch, current.etag)) throw failed('If-Match')
}

/** The headers that are stored with an object. */
export function keptHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = { 'content-type': String(headers['content-type'] ?? 'application/octet-stream') }
  for (const [name, value] of Object.entries(headers)) {
    if (KEPT.includes(name) || name.startsWith('x-amz-meta-')) kept[name] = String(value)
  }
  // How the body travelled is not how the object is encoded.
  const encodings = (kept['content-encoding'] ?? '').split(',').map(encoding => encoding.trim())
  const own = encodings.filter(encoding => encoding !== '' && encoding !== 'aws-chunked').join(',')
  if (own === '') delete kept['content-encoding']
  else kept['content-encoding'] = own
  return kept
}

export const copyObject: Perform = call => {
  const { request, storage } = call
  const [from, version] = decodeURIComponent(String(request.headers['x-amz-copy-source'])).split('?versionId=')
  const [, name, key] = /^\/?([^/]+)\/(.+)$/s.exec(from!) ?? []
  const source = name === undefined ? undefined : storage.bucket(name).find(key!, version)
  if (source === undefined) throw new S3Error('NoSuchKey', 404)
  const replaces = request.headers['x-amz-metadata-directive'] === 'REPLACE'
  const { parts: _, ...copied } = source
  const headers = replaces ? keptHeaders(request.headers) : source.headers
  const stored = bucketOf(call).put(request.key, { ...copied, ...describeBytes(source.bytes), headers })
  return xmlAnswer(
    'CopyObjectResult',
    `<ETag>&quot;${stored.etag}&quot;</ETag><LastModified>${stored.modified.toISOString()}</LastModified>`,
  )
}

export const deleteObject: Perform = call => {
  const deleted = bucketOf(call).delete(call.request.key, call.request.query.versionId)
  return {
    status: 204,
    headers: { ...versionHeader(deleted), ...(deleted.marker ? { 'x-amz-delete-marker': 'true' } : {}) },
  }
}
