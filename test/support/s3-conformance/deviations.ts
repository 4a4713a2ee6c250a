/** What servers other than Amazon's are known to do otherwise; newer versions of them may do it right. */
import type { S3PlaceKind } from '../s3-places.ts'

/** Ceph's radosgw 16, as Debian 12 has it. Writing through this library copes with each of them. */
const RADOSGW = [
  'put a stream of known length, in aws-chunked with the checksum in a trailer', // 411
  'put with a checksum that is wrong: 400', // not looked at
  'put If-Match that is right', // 412, for the quotes
  'multipart upload: completion tells the ETag', // empty
  'multipart upload with CRC32 of each part and of the object', // not kept
  'multipart upload If-None-Match: * over an object: 412', // not looked at
]

/** The checks that the server is known not to pass. */
export async function knownDeviations({ endpoint }: S3PlaceKind): Promise<readonly string[]> {
  if (endpoint === undefined) return []
  const { headers } = await fetch(endpoint)
  return /^tx[0-9a-f]+-[0-9a-f]+-[0-9a-f]+-/.test(headers.get('x-amz-request-id') ?? '') ? RADOSGW : []
}
