/** What is true of S3, as far as this library and its tests rely on it: checks that any server can be held against. */
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { S3Place, S3PlaceKind } from '../s3-places.ts'
import { DATA, type S3Check } from './check.ts'
import { READING } from './reading.ts'
import { SIGNING } from './signing.ts'
import { WRITING } from './writing.ts'

export const S3_CHECKS: readonly S3Check[] = [...READING, ...WRITING, ...SIGNING]

/** Declares a test for each check, but for those in `deviations`. */
export function s3Conformance(kind: S3PlaceKind, deviations: readonly string[]): void {
  describe(`S3 ${kind.name}`, () => {
    let place: S3Place
    beforeAll(async () => {
      place = await kind.start()
      const { bucket: Bucket, client } = place
      const put = { Bucket, Key: 'read/data', Body: DATA, ContentType: 'text/csv', Metadata: { foo: 'bar' } }
      await client.send(new PutObjectCommand(put))
    })
    afterAll(() => place.stop())

    for (const check of S3_CHECKS) {
      if (!deviations.includes(check.name)) it(check.name, () => check.run(place))
    }
  })
}
