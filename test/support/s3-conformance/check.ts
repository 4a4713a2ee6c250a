/** What a check of an S3 server is given, and what the checks share. */
import { createHash } from 'node:crypto'
import type { GetObjectCommandOutput, S3ServiceException } from '@aws-sdk/client-s3'
import { expect } from 'vitest'
import type { S3Place } from '../s3-places.ts'

/** One thing that is true of S3. */
export interface S3Check {
  readonly name: string
  run(place: S3Place): Promise<void>
}

/** 100 kB of which no two places are alike. */
export const DATA = noiseOf(100_000, 'data')
/** Two full parts and a short one. */
export const PARTS = [noiseOf(5 << 20, 'one'), noiseOf(5 << 20, 'two'), noiseOf(2_000_017, 'three')]
/** Keys that encoding gets wrong easily. */
export const ODD_KEYS = [
  'odd/a b.csv',
  'odd/ä+ö&=%20.csv',
  'odd/x?y#z',
  "odd/it's(1)!*.csv",
  'odd/日本.csv',
  'odd/a//b',
  'odd/a/b/c',
  'odd/Z',
  'odd/a',
]

function noiseOf(length: number, seed: string): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 64) }, (_, i) =>
    createHash('sha512')
      .update(seed + i)
      .digest(),
  )
  return Buffer.concat(blocks).subarray(0, length)
}

export const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex')
export const quoted = (etag: string) => `"${etag}"`

export async function bytesOf({ Body }: GetObjectCommandOutput): Promise<Buffer> {
  return Buffer.from(await Body!.transformToByteArray())
}

/** Waits for a refusal with one of these codes and this status. */
export async function refused(
  work: Promise<unknown>,
  code: string | readonly string[] | undefined,
  status: number,
): Promise<void> {
  const error = await work.then(
    () => undefined,
    (thrown: S3ServiceException) => thrown,
  )
  expect(error, 'an error').toBeDefined()
  expect(error?.$metadata?.httpStatusCode, error?.message).toBe(status)
  if (code !== undefined) expect([code].flat()).toContain(error?.name)
}
