/** The server in memory is what it claims to be; the checks themselves are held against Ceph's radosgw. */
import { knownDeviations } from './s3-conformance/deviations.ts'
import { s3Conformance } from './s3-conformance/index.ts'
import { S3_PLACES } from './s3-places.ts'

for (const kind of S3_PLACES) s3Conformance(kind, await knownDeviations(kind))
