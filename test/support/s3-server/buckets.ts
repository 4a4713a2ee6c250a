/** Operations on buckets, and the listings of what is in them. */
import { elements, escapeXml, S3Error, unescapeXml } from './errors.ts'
import { bucketOf, type Perform, xmlAnswer } from './request.ts'
import { encodeComponent } from './signature.ts'
import { type Bucket, compareBytes } from './storage.ts'

const MAX_KEYS = 1000

export const listBuckets: Perform = ({ storage }) => {
  const names = [...storage.buckets.keys()].map(name => `<Bucket><Name>${name}</Name></Bucket>`)
  return xmlAnswer('ListAllMyBucketsResult', `<Buckets>${names.join('')}</Buckets>`)
}

export const createBucket: Perform = ({ storage, request: { bucket } }) => {
  if (storage.buckets.has(bucket)) throw new S3Error('BucketAlreadyOwnedByYou', 409)
  storage.createBucket(bucket)
  return { status: 200, headers: { location: `/${bucket}` } }
}

export const headBucket: Perform = call => {
  bucketOf(call)
  return { status: 200, headers: { 'x-amz-bucket-region': call.region } }
}

export const deleteBucket: Perform = call => {
  const bucket = bucketOf(call)
  if (bucket.versions().length > 0) throw new S3Error('BucketNotEmpty', 409)
  call.storage.buckets.delete(bucket.name)
  return { status: 204 }
}

export const putBucketVersioning: Perform = call => {
  bucketOf(call).versioned = elements(call.body.toString(), 'Status')[0] === 'Enabled'
  return { status: 200 }
}

export const deleteObjects: Perform = call => {
  const bucket = bucketOf(call)
  const keys = elements(call.body.toString(), 'Object').map(xml => {
    const key = unescapeXml(elements(xml, 'Key')[0] ?? '')
    bucket.delete(key, elements(xml, 'VersionId')[0])
    return key
  })
  return xmlAnswer('DeleteResult', keys.map(key => `<Deleted><Key>${escapeXml(key)}</Key></Deleted>`).join(''))
}

export const listObjectsV2: Perform = call => {
  const bucket = bucketOf(call)
  const { query } = call.request
  const { prefix = '', delimiter = '', 'continuation-token': token, 'start-after': startAfter = '' } = query
  if (token === '')
    throw new S3Error('InvalidArgument', 400, { message: 'The continuation token provided is incorrect' })
  const after = token === undefined ? startAfter : Buffer.from(token, 'base64url').toString()
  const maxKeys = Math.min(Number(query['max-keys'] ?? MAX_KEYS), MAX_KEYS)
  const url = query['encoding-type'] === 'url'
  const encode = url ? (text: string) => encodeComponent(text).replaceAll('%2F', '/') : escapeXml
  const page = pageOf(bucket, { prefix, delimiter, after, maxKeys })
  const contents = page.keys.map(key => {
    const { modified, etag, bytes } = bucket.find(key)!
    return `<Contents><Key>${encode(key)}</Key><LastModified>${modified.toISOString()}</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${bytes.length}</Size><StorageClass>STANDARD</StorageClass></Contents>`
  })
  const prefixes = page.prefixes.map(one => `<CommonPrefixes><Prefix>${encode(one)}</Prefix></CommonPrefixes>`)
  return xmlAnswer(
    'ListBucketResult',
    [
      `<Name>${bucket.name}</Name><Prefix>${encode(prefix)}</Prefix>`,
      delimiter === '' ? '' : `<Delimiter>${encode(delimiter)}</Delimiter>`,
      `<MaxKeys>${maxKeys}</MaxKeys><KeyCount>${page.keys.length + page.prefixes.length}</KeyCount>`,
      `<IsTruncated>${page.next !== undefined}</IsTruncated>`,
      token === undefined ? '' : `<ContinuationToken>${token}</ContinuationToken>`,
      page.next === undefined
        ? ''
        : `<NextContinuationToken>${Buffer.from(page.next).toString('base64url')}</NextContinuationToken>`,
      url ? '<EncodingType>url</EncodingType>' : '',
      ...contents,
      ...prefixes,
    ].join(''),
  )
}

interface PageRequest {
  readonly prefix: string
  readonly delimiter: string
  /** The last key or common prefix of the page before. */
  readonly after: string
  readonly maxKeys: number
}

function pageOf(bucket: Bucket, { prefix, delimiter, after, maxKeys }: PageRequest) {
  const keys: string[] = []
  const prefixes: string[] = []
  let last = ''
  for (const key of bucket.keys()) {
    if (!key.startsWith(prefix)) continue
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const common = at < 0 ? undefined : key.slice(0, at + delimiter.length)
    const shown = common ?? key
    if (after !== '' && compareBytes(shown, after) <= 0) continue
    if (common !== undefined && prefixes.includes(common)) continue
    if (keys.length + prefixes.length >= maxKeys) return { keys, prefixes, next: last }
    if (common === undefined) keys.push(key)
    else prefixes.push(common)
    last = shown
  }
  return { keys, prefixes, next: undefined }
}

export const listObjectVersions: Perform = call => {
  const bucket = bucketOf(call)
  const { prefix = '' } = call.request.query
  const listed = bucket.versions().flatMap(([key, versions]) =>
    (key.startsWith(prefix) ? versions.toReversed() : []).map((version, i) => {
      const { versionId, modified, etag, bytes, deleted } = version
      const head = `<Key>${escapeXml(key)}</Key><VersionId>${versionId}</VersionId><IsLatest>${i === 0}</IsLatest><LastModified>${modified.toISOString()}</LastModified>`
      return deleted === true
        ? `<DeleteMarker>${head}</DeleteMarker>`
        : `<Version>${head}<ETag>&quot;${etag}&quot;</ETag><Size>${bytes.length}</Size></Version>`
    }),
  )
  return xmlAnswer(
    'ListVersionsResult',
    `<Name>${bucket.name}</Name><IsTruncated>false</IsTruncated>${listed.join('')}`,
  )
}
