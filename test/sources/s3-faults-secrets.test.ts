/** Whatever goes wrong with S3: no secret is in what is thrown, told or warned of, wherever one looks in it. */
import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { listIterable, openIterable } from '../../src/index.ts'
import { openS3Sink } from '../../src/sources/s3/sink.ts'
import { noise } from '../../src/testing/sample.ts'
import {
  type Operation,
  type S3Fault,
  type S3Server,
  startS3Server,
  TEST_CREDENTIALS,
} from '../support/s3-server/index.ts'

const BUCKET = 'secrets'
const KEY = 'rows.csv'
const PART_BYTES = 65_536
const credentials = { ...TEST_CREDENTIALS, sessionToken: 'session/token+that/nobody=may/see' }
const { secretAccessKey, sessionToken } = credentials
/** What S3 tells of a signature that is wrong has in it all that was signed. */
const TOLD = `the canonical request was x-amz-security-token:${sessionToken} with ${secretAccessKey}`
const FAULTS: readonly S3Fault[] = [
  { status: 403, code: 'SignatureDoesNotMatch', message: TOLD },
  { status: 503, message: TOLD },
  { status: 400, code: 'InvalidRequest', message: TOLD, headers: { 'x-amz-security-token': sessionToken } },
  { resetBefore: true },
  { endBefore: true },
]

let server: S3Server
/** Every text of every error, event and warning. */
let seen: string[]

const look = (thrown: unknown) => {
  const { message, stack } = thrown as Error
  const shown = inspect(thrown, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true })
  seen.push(shown, String(message), String(stack), JSON.stringify(thrown), String(thrown))
}
const network = { timeoutMs: 10_000, retry: { attempts: 2, initialDelayMs: 1, onRetry: look } }

beforeEach(async () => {
  server = await startS3Server({ buckets: [BUCKET], minPartBytes: 1, credentials })
  server.put(BUCKET, KEY, `id,name\n${'1,one\n'.repeat(20_000)}`)
  seen = []
  process.on('warning', look)
})
afterEach(async () => {
  process.off('warning', look)
  await server.stop()
})

/** Runs what is to fail, and looks at how. */
async function fail(work: () => Promise<unknown>): Promise<void> {
  const error: unknown = await work().then(
    () => undefined,
    thrown => thrown,
  )
  expect(error).toBeInstanceOf(Error)
  look(error)
}

function expectNone(secrets: readonly string[], atLeast: number): void {
  expect(seen.length).toBeGreaterThanOrEqual(atLeast * 5)
  for (const secret of secrets) {
    const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]
    for (const form of forms) expect(seen.filter(text => text.includes(form))).toEqual([])
  }
}

async function all(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows);
}

it('when it is written', async () => {
  const steps: readonly (readonly [Operation, number])[] = [
    ['PutObject', 1000],
    ['CreateMultipartUpload', 3 * PART_BYTES],
    ['UploadPart', 3 * PART_BYTES],
    ['CompleteMultipartUpload', 3 * PART_BYTES],
  ]
  for (const [operation, length] of steps) {
    for (const fault of FAULTS) {
      server.faults.clear()
      server.faults.add({ operation, ...fault, times: Number.POSITIVE_INFINITY })
      // The warning of an upload that stays is looked at too.
      server.faults.add({
        operation: 'AbortMultipartUpload',
        status: 403,
        message: TOLD,
        times: Number.POSITIVE_INFINITY,
      })
      await fail(async () => {
        const s3 = { ...server.clientOptions, partBytes: PART_BYTES }
        const sink = await openS3Sink({ bucket: BUCKET, key: KEY }, { ...network, s3 })
        await sink.write(noise(length))
        await sink.close()
      })
    }
  }
  expect(seen.some(text => text.includes('the canonical request was'))).toBe(true)
  expectNone([secretAccessKey, sessionToken], steps.length * FAULTS.length)
})

it('when it is read or listed', async () => {
  const options = { ...network, s3: server.clientOptions }
  for (const fault of [...FAULTS, { resetAfterBytes: 100 }, { corruptByte: 50_000 }]) {
    server.faults.clear()
    server.faults.add({ ...fault, times: Number.POSITIVE_INFINITY })
    await fail(() => all(openIterable(`s3://${BUCKET}/${KEY}`, options)))
    if (fault.corruptByte === undefined) await fail(() => all(listIterable(`s3://${BUCKET}/*.csv`, options)))
  }
  expect(seen.some(text => text.includes('the canonical request was'))).toBe(true)
  expectNone([secretAccessKey, sessionToken], 2 * FAULTS.length)
})

it('when credentials are wrong, or stand where they should not', async () => {
  const wrong = {
    ...credentials,
    secretAccessKey: 'WrongSecret+/mustNeverBeSeenEither',
    sessionToken: 'wrong+token/too',
  }
  const options = { ...network, s3: { ...server.clientOptions, credentials: wrong } }
  await fail(() => all(openIterable(`s3://${BUCKET}/${KEY}`, options)))
  await fail(async () => {
    const writer = openIterable(`s3://${BUCKET}/${KEY}`, { ...options, mode: 'w' })
    await writer.writeBulk([{ a: 1 }])
    await writer.close()
  })
  for (const secret of [secretAccessKey, encodeURIComponent(secretAccessKey)]) {
    const target = `s3://${credentials.accessKeyId}:${secret}@${BUCKET}/${KEY}`
    await fail(() => all(openIterable(target, options)))
    await fail(async () => {
      const writer = openIterable(target, { ...options, mode: 'w' })
      await writer.writeBulk([{ a: 1 }])
      await writer.close()
    })
  }
  expectNone([secretAccessKey, sessionToken, wrong.secretAccessKey, wrong.sessionToken], 6)
})

it('when a presigned URL does not lead to an object', async () => {
  const signatureOf = (url: string) => new URL(url).searchParams.get('X-Amz-Signature')!
  const signatures: string[] = []
  const readFailing = async (url: string, fault?: S3Fault) => {
    signatures.push(signatureOf(url))
    server.faults.clear()
    if (fault !== undefined) server.faults.add({ ...fault, times: Number.POSITIVE_INFINITY })
    await fail(() => all(openIterable(url, network)))
  }
  await readFailing(server.presign(BUCKET, 'none.csv'))
  await readFailing(server.presign(BUCKET, KEY, { date: new Date(Date.now() - 120_000) }))
  await readFailing(server.presign(BUCKET, KEY).replace('rows', 'other'))
  for (const fault of [...FAULTS, { resetAfterBytes: 100 }]) await readFailing(server.presign(BUCKET, KEY), fault)
  expectNone([secretAccessKey, sessionToken, ...signatures], 3 + FAULTS.length)
})
