/** Multipart uploads: parts are kept apart until they are completed to an object. */
import { CHECKSUM_NAMES, type Checksums, checksum, checksumOfHeader, compositeChecksum } from './checksums.ts'
import { elements, escapeXml, S3Error, unescapeXml } from './errors.ts'
import { checkWriteConditions, keptHeaders, versionHeader } from './objects.ts'
import { bucketOf, type Call, type Perform, xmlAnswer } from './request.ts'
import { encodeComponent } from './signature.ts'
import { md5, type Part, type Upload } from './storage.ts'

const MAX_PARTS = 10_000

export const createMultipartUpload: Perform = call => {
  const { bucket, key, headers } = call.request
  bucketOf(call)
  const algorithm = String(headers['x-amz-checksum-algorithm'] ?? '').toLowerCase()
  const checksumName = CHECKSUM_NAMES.find(name => name === algorithm)
  const type = headers['x-amz-checksum-type'] ?? (checksumName === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE')
  const checksumType = type === 'FULL_OBJECT' ? 'FULL_OBJECT' : 'COMPOSITE'
  const upload = call.storage.createUpload({ bucket, key, headers: keptHeaders(headers), checksumName, checksumType })
  return xmlAnswer(
    'InitiateMultipartUploadResult',
    `<Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${upload.id}</UploadId>`,
  )
}

export const uploadPart: Perform = call => {
  const upload = uploadOf(call)
  const number = Number(call.request.query.partNumber)
  if (!(Number.isInteger(number) && number >= 1 && number <= MAX_PARTS)) {
    throw new S3Error('InvalidArgument', 400, {
      message: 'Part number must be an integer between 1 and 10000, inclusive',
    })
  }
  const { checksumName } = upload
  const other = Object.keys(call.checksums).find(name => name !== checksumName)
  if (checksumName !== undefined && other !== undefined) {
    const message = `Checksum Type mismatch occurred, expected checksum Type: ${checksumName}, actual checksum Type: ${other}`
    throw new S3Error('InvalidRequest', 400, { message })
  }
  const part = { bytes: call.body, etag: md5(call.body), checksums: call.checksums }
  upload.parts.set(number, part)
  const sums = Object.entries(part.checksums).map(([name, value]) => [`x-amz-checksum-${name}`, value])
  return { status: 200, headers: { etag: `"${part.etag}"`, ...Object.fromEntries(sums) } }
}

function uploadOf({ storage, request }: Call): Upload {
  return storage.upload(request.query.uploadId, request.bucket, request.key)
}

export const completeMultipartUpload: Perform = call => {
  const { request, storage, quirks } = call
  const bucket = bucketOf(call)
  const upload = uploadOf(call)
  const parts = chosenParts(call, upload)
  if (quirks.ignoresCompletionConditions !== true) checkWriteConditions(request.headers, bucket.find(request.key))
  const bytes = Buffer.concat(parts.map(part => part.bytes))
  const size = request.headers['x-amz-mp-object-size']
  if (size !== undefined && Number(size) !== bytes.length) throw new S3Error('InvalidRequest', 400)
  const etag = `${md5(Buffer.concat(parts.map(part => Buffer.from(part.etag, 'hex'))))}-${parts.length}`
  const stored = bucket.put(request.key, {
    bytes,
    etag,
    headers: upload.headers,
    checksums: checksumsOf(call, upload, parts, bytes),
    checksumType: upload.checksumType,
    parts: parts.map(part => part.bytes.length),
  })
  storage.uploads.delete(upload.id)
  const shown = quirks.emptyCompletionETag === true ? '' : `&quot;${etag}&quot;`
  const location = `http://${request.headers.host}/${request.bucket}/${encodeComponent(request.key)}`
  const answer = xmlAnswer(
    'CompleteMultipartUploadResult',
    `<Location>${escapeXml(location)}</Location><Bucket>${request.bucket}</Bucket><Key>${escapeXml(request.key)}</Key><ETag>${shown}</ETag>`,
  )
  return { ...answer, headers: { ...answer.headers, ...versionHeader(stored) } }
}

/** The parts that a completion names, each held against what was uploaded. */
function chosenParts({ body, minPartBytes }: Call, upload: Upload): Part[] {
  const wanted = elements(body.toString(), 'Part')
  if (wanted.length === 0) throw new S3Error('MalformedXML', 400)
  let last = 0
  return wanted.map((xml, i) => {
    const number = Number(elements(xml, 'PartNumber')[0])
    const part = upload.parts.get(number)
    const etag = unescapeXml(elements(xml, 'ETag')[0] ?? '').replaceAll('"', '')
    if (part === undefined || part.etag !== etag) throw new S3Error('InvalidPart', 400)
    if (number <= last) throw new S3Error('InvalidPartOrder', 400)
    last = number
    for (const name of CHECKSUM_NAMES) {
      const given = elements(xml, `Checksum${name.toUpperCase()}`)[0]
      if (given !== undefined && given !== part.checksums[name]) throw new S3Error('InvalidPart', 400)
      const needed = upload.checksumName === name && upload.checksumType === 'COMPOSITE'
      if (needed && given === undefined) {
        const message = `The upload was created using a ${name} checksum. The complete request must include the checksum for each part.`
        throw new S3Error('InvalidRequest', 400, { message })
      }
    }
    if (i < wanted.length - 1 && part.bytes.length < minPartBytes) throw new S3Error('EntityTooSmall', 400)
    return part
  })
}

function checksumsOf(
  { request }: Call,
  { checksumName: name, checksumType }: Upload,
  parts: Part[],
  bytes: Buffer,
): Checksums {
  if (name === undefined) return {}
  const whole =
    checksumType === 'FULL_OBJECT'
      ? checksum(name, bytes)
      : compositeChecksum(
          name,
          parts.map(part => part.checksums[name]!),
        )
  const given = Object.entries(request.headers).find(([header]) => checksumOfHeader(header) === name)?.[1]
  if (given !== undefined && given !== whole && given !== whole.split('-')[0]) throw new S3Error('BadDigest', 400)
  return { [name]: whole }
}

export const abortMultipartUpload: Perform = call => {
  call.storage.uploads.delete(uploadOf(call).id)
  return { status: 204 }
}

export const listParts: Perform = call => {
  const { id, key, parts } = uploadOf(call)
  const listed = [...parts]
    .sort(([one], [other]) => one - other)
    .map(
      ([n, part]) =>
        `<Part><PartNumber>${n}</PartNumber><ETag>&quot;${part.etag}&quot;</ETag><Size>${part.bytes.length}</Size></Part>`,
    )
  return xmlAnswer(
    'ListPartsResult',
    `<Bucket>${call.request.bucket}</Bucket><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId><IsTruncated>false</IsTruncated>${listed.join('')}`,
  )
}

export const listMultipartUploads: Perform = call => {
  const { name } = bucketOf(call)
  const { prefix = '' } = call.request.query
  const uploads = [...call.storage.uploads.values()].filter(
    ({ bucket, key }) => bucket === name && key.startsWith(prefix),
  )
  const listed = uploads.map(
    ({ id, key, initiated }) =>
      `<Upload><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId><Initiated>${initiated.toISOString()}</Initiated></Upload>`,
  )
  return xmlAnswer(
    'ListMultipartUploadsResult',
    `<Bucket>${name}</Bucket><IsTruncated>false</IsTruncated>${listed.join('')}`,
  )
}
