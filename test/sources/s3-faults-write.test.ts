/** What becomes of an object that is written to S3 while the network, or S3, fails: it is there whole, or not at all. */
import { once } from 'node:events'
import { S3Client } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ByteSink } from '../../src/core/types.ts'
import { openS3Sink, type S3SinkOptions } from '../../src/sources/s3/sink.ts'
import { noise, turns } from '../../src/testing/sample.ts'
import { type Operation, type S3Fault, type S3Server, startS3Server } from '../support/s3-server/index.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const BUCKET = 'faults'
const KEY = 'object.bin'
const PART_BYTES = 65_536
/** Three parts and a bit, and what fits into one. */
const LARGE = noise(3 * PART_BYTES + 1000)
const SMALL = noise(1000)
const OTHER = noise(1000, 2)
const ATTEMPTS = 4
/** Silence that is a fault: longer than any turn of a busy machine, and not long to wait for. */
const SILENCE_MS = 500

let server: S3Server
/** Retries so far. */
let retries: number

beforeEach(async () => {
  server = await startS3Server({ buckets: [BUCKET], minPartBytes: 1 })
  retries = 0
})
afterEach(() => server.stop())

function open({ s3, ...options }: S3SinkOptions = {}): Promise<ByteSink> {
  const onRetry = () => {
    retries++
  }
  const retry = { attempts: ATTEMPTS, initialDelayMs: 1, onRetry }
  const reached = { ...server.clientOptions, partBytes: PART_BYTES, ...s3 }
  return openS3Sink({ bucket: BUCKET, key: KEY }, { timeoutMs: 10_000, retry, ...options, s3: reached })
}

async function write(data: Buffer, options?: S3SinkOptions): Promise<void> {
  const sink = await open(options)
  try {
    for (let at = 0; at < data.length; at += 10_000) await sink.write(data.subarray(at, at + 10_000))
    await sink.close()
  } finally {
    await sink[Symbol.asyncDispose]()
  }
}

const stored = () => server.bytesOf(BUCKET, KEY)
const uploads = () => server.storage.uploads.size
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: Error) => error,
  )

/** A promise and what settles it. */
function gate() {
  let resolve = () => {}
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}

const STEPS: readonly (readonly [string, Operation, Buffer])[] = [
  ['the PUT', 'PutObject', SMALL],
  ['the beginning', 'CreateMultipartUpload', LARGE],
  ['a part', 'UploadPart', LARGE],
  ['the completion', 'CompleteMultipartUpload', LARGE],
]

describe.each(STEPS)('while an object is written to S3, at %s', (_, operation, data) => {
  it.each<[string, S3Fault]>([
    ['503', { status: 503 }],
    ['503 three times', { status: 503, times: 3 }],
    ['429 with Retry-After', { status: 429, headers: { 'retry-after': '0' } }],
    ['500', { status: 500 }],
    ['a reset before the answer', { resetBefore: true }],
    ['a reset in the request', { resetRequestAfterBytes: 0 }],
    ['a connection that was too slow', { status: 400, code: 'RequestTimeout' }],
  ])('%s passes', async (_name, fault) => {
    server.faults.add({ operation, ...fault })
    await write(data)
    expect(stored()?.equals(data)).toBe(true)
    expect(retries).toBe(fault.times ?? 1)
    expect(uploads()).toBe(0)
  })

  it('silence passes', async () => {
    server.faults.add({ operation, silent: true })
    // A completion is waited for longer than anything else.
    const timeoutMs = operation === 'CompleteMultipartUpload' ? SILENCE_MS / 10 : SILENCE_MS
    await write(data, { timeoutMs })
    expect(stored()?.equals(data)).toBe(true)
    expect(retries).toBeGreaterThanOrEqual(1)
    expect(uploads()).toBe(0)
  })

  it('an answer that is lost passes', async () => {
    server.faults.add({ operation, resetAfter: true })
    await write(data)
    expect(stored()?.equals(data)).toBe(true)
    expect(retries).toBe(1)
    // Of a beginning that nobody was told of, an upload without a part is left: nothing says whose it is.
    const left = [...server.storage.uploads.values()].map(({ parts }) => parts.size)
    expect(left).toEqual(operation === 'CreateMultipartUpload' ? [0] : [])
  })

  it.each<[string, S3Fault, string]>([
    ['503', { status: 503 }, 'SINK_FAILED'],
    ['a reset', { resetBefore: true }, 'SINK_FAILED'],
    ['no right to write', { status: 403, code: 'AccessDenied' }, 'SINK_DENIED'],
    ['no room', { status: 403, code: 'QuotaExceeded' }, 'SINK_FULL'],
    ['another region', { status: 301, code: 'PermanentRedirect' }, 'SINK_FAILED'],
    ['a request that S3 does not take', { status: 400, code: 'InvalidRequest' }, 'SINK_FAILED'],
  ])('%s for ever leaves nothing', async (_name, fault, code) => {
    server.put(BUCKET, KEY, OTHER)
    server.faults.add({ operation, ...fault, times: Number.POSITIVE_INFINITY })
    const error = await failure(write(data))
    expect(error).toMatchObject({ code, label: `s3://${BUCKET}/${KEY}` })
    // Parts that go side by side fail side by side.
    const transient = fault.status === undefined || fault.status >= 500
    if (operation !== 'UploadPart') expect(retries).toBe(transient ? ATTEMPTS - 1 : 0)
    expect(stored()?.equals(OTHER)).toBe(true)
    expect(uploads()).toBe(0)
  })
})

describe('bytes that change on their way to S3', () => {
  it.each([
    ['CRC32', {}],
    ['MD5', { requestChecksumCalculation: 'WHEN_REQUIRED' as const }],
  ])('are refused by their %s, and sent again', async (_, s3) => {
    for (const [operation, data] of [
      ['PutObject', SMALL],
      ['UploadPart', LARGE],
    ] as const) {
      retries = 0
      server.faults.add({ operation, corruptRequestByte: 100 })
      await write(data, { s3 })
      expect(stored()?.equals(data)).toBe(true)
      expect(retries).toBe(1)
    }
  })
})

describe('the completion of an upload to S3', () => {
  it.each(['InternalError', 'SlowDown'])('is tried again where it says 200 and then %s', async code => {
    server.faults.add({ operation: 'CompleteMultipartUpload', errorInBody: code, times: 2 })
    await write(LARGE)
    expect(stored()?.equals(LARGE)).toBe(true)
    expect(retries).toBe(2)
  })

  it('is tried again where its answer is cut', async () => {
    // The first half of an XML document, with the status of success.
    server.faults.add({ operation: 'CompleteMultipartUpload', endAfterBytes: 40 })
    await write(LARGE)
    expect(stored()?.equals(LARGE)).toBe(true)
    expect(retries).toBe(1)
  })

  it('needs no ETag', async () => {
    server.quirks = { emptyCompletionETag: true }
    await write(LARGE)
    expect(stored()?.equals(LARGE)).toBe(true)
  })

  it('is a failure where someone else gave the upload up', async () => {
    server.faults.add({ operation: 'CompleteMultipartUpload', before: () => server.storage.uploads.clear() })
    expect(await failure(write(LARGE))).toMatchObject({ code: 'SINK_FAILED', cause: { name: 'NoSuchUpload' } })
    expect(stored()).toBeUndefined()
  })

  it('is a failure where its answer was lost and what is there is not what was written', async () => {
    const replace = () => server.put(BUCKET, KEY, OTHER)
    server.faults.add({ operation: 'CompleteMultipartUpload', after: replace, resetAfter: true })
    expect(await failure(write(LARGE))).toMatchObject({ code: 'SINK_FAILED', cause: { name: 'NoSuchUpload' } })
    expect(stored()?.equals(OTHER)).toBe(true)
  })

  it('carries a checksum and the size of the whole object', async () => {
    await write(LARGE)
    const [completion] = server.requestsOf('CompleteMultipartUpload')
    expect(completion?.headers['x-amz-mp-object-size']).toBe(String(LARGE.length))
    expect(completion?.headers['x-amz-checksum-crc32']).toMatch(/^[\w+/]{6}==$/)
    expect(server.storage.bucket(BUCKET).find(KEY)?.checksumType).toBe('FULL_OBJECT')
  })
})

describe('not overwriting on S3', () => {
  it.each([
    ['one PUT', SMALL, 'PutObject'],
    ['parts', LARGE, 'CompleteMultipartUpload'],
  ] as const)('knows its own object when an answer was lost: %s', async (_, data, operation) => {
    server.faults.add({ operation, resetAfter: true })
    await write(data, { s3: { ifNoneMatch: '*' } })
    expect(stored()?.equals(data)).toBe(true)
    expect(retries).toBe(1)
  })

  it("does not take another's object for its own", async () => {
    server.faults.add({ operation: 'PutObject', resetBefore: true, before: () => server.put(BUCKET, KEY, OTHER) })
    expect(await failure(write(SMALL, { s3: { ifNoneMatch: '*' } }))).toMatchObject({ code: 'SINK_EXISTS' })
    expect(stored()?.equals(OTHER)).toBe(true)
  })

  it.each([
    ['by the server', {}],
    ['by itself, where the server does not look', { ignoresCompletionConditions: true }],
  ])('tells an object that came while it wrote: %s', async (_, quirks) => {
    server.quirks = quirks
    server.faults.add({ operation: 'UploadPart', after: () => server.put(BUCKET, KEY, OTHER) })
    expect(await failure(write(LARGE, { s3: { ifNoneMatch: '*' } }))).toMatchObject({ code: 'SINK_EXISTS' })
    expect(stored()?.equals(OTHER)).toBe(true)
    expect(uploads()).toBe(0)
  })

  it('works for those who may write and not look', async () => {
    server.faults.add({ operation: 'HeadObject', status: 403, times: Number.POSITIVE_INFINITY })
    await write(LARGE, { s3: { ifNoneMatch: '*' } })
    expect(stored()?.equals(LARGE)).toBe(true)
  })
})

describe('giving up an object that is written to S3', () => {
  /** A sink whose third part never gets an answer, once it is under way. */
  async function stuckSink(options?: S3SinkOptions) {
    const reached = gate()
    const held = gate()
    const hold = () => {
      reached.resolve()
      return held.promise
    }
    server.faults.add({ operation: 'UploadPart', skip: 2, before: hold })
    const sink = await open({ ...options, s3: { concurrency: 3 } })
    await sink.write(LARGE)
    await reached.promise
    return { sink, let: held.resolve }
  }

  it.each<[string, (sink: ByteSink, abort: AbortController) => unknown]>([
    ['abort', sink => sink.abort(new Error('enough'))],
    ['dispose', sink => sink[Symbol.asyncDispose]()],
    ['its signal', (_, abort) => abort.abort(new Error('enough'))],
    ['abort while it closes', sink => [failure(sink.close()), sink.abort()]],
  ])('leaves no upload: by %s', async (_, end) => {
    const abort = new AbortController()
    const { sink, let: letGo } = await stuckSink({ signal: abort.signal })
    end(sink, abort)
    await sink[Symbol.asyncDispose]()
    expect(uploads()).toBe(0)
    expect(stored()).toBeUndefined()
    await expect(sink.write(SMALL)).rejects.toThrow()
    letGo()
  })

  it('rejects what waits with the reason of the signal', async () => {
    const abort = new AbortController()
    const reason = new Error('enough')
    const { sink, let: letGo } = await stuckSink({ signal: abort.signal })
    const closing = failure(sink.close())
    const writing = failure(sink.write(LARGE))
    abort.abort(reason)
    expect(await closing).toBe(reason)
    expect(await writing).toMatchObject({ code: 'HANDLE_CLOSED' })
    expect(await failure(sink.write(SMALL))).toBe(reason)
    await sink[Symbol.asyncDispose]()
    letGo()
  })

  it('holds no connection', async () => {
    const { sink, let: letGo } = await stuckSink()
    await sink.abort()
    // Idle connections are kept for the next; that of the part is not.
    const [, , stuck] = server.requestsOf('UploadPart')
    expect(stuck?.status).toBeUndefined()
    letGo()
    await expect.poll(() => server.openSockets).toBeLessThanOrEqual(3)
  })

  it('holds none of two connections after a hundred aborts and failures', async () => {
    const requestHandler = { httpAgent: { keepAlive: true, maxSockets: 2 } }
    const client = new S3Client({ ...server.clientOptions, requestHandler })
    for (let i = 0; i < 100; i++) {
      const sink = await open({ s3: { client, concurrency: 2 } })
      if (i % 2 === 0) server.faults.add({ operation: 'UploadPart', status: 400, code: 'InvalidRequest' })
      await failure(sink.write(LARGE))
      await sink.abort()
    }
    server.faults.clear()
    await write(LARGE, { s3: { client } })
    expect(stored()?.equals(LARGE)).toBe(true)
    expect(uploads()).toBe(0)
    expect(server.openSockets).toBeLessThanOrEqual(2)
    client.destroy()
  })

  it('is tried again, also where a part that was on its way has kept the upload', async () => {
    const { sink, let: letGo } = await stuckSink()
    const kept = [...server.storage.uploads][0]!
    server.faults.add(
      { operation: 'AbortMultipartUpload', status: 503 },
      { operation: 'AbortMultipartUpload', after: () => server.storage.uploads.set(...kept) },
    )
    await sink.abort()
    expect(uploads()).toBe(0)
    expect(server.requestsOf('AbortMultipartUpload').length).toBe(3)
    letGo()
  })

  it('warns with the id of the upload where S3 does not do it', async () => {
    server.faults.add({ operation: 'AbortMultipartUpload', status: 403, code: 'AccessDenied', times: 9 })
    const { sink, let: letGo } = await stuckSink()
    const warned = once(process, 'warning')
    await sink.abort()
    const [warning] = (await warned) as [Error & { code: string }]
    expect(warning.code).toBe('UPLOAD_LEFT')
    expect(warning.message).toContain([...server.storage.uploads.keys()][0])
    letGo()
  })
})

describe('the memory of an upload to S3', () => {
  it('holds as many parts as may be on their way, and one', async () => {
    const held = gate()
    server.faults.add({ operation: 'UploadPart', before: () => held.promise, times: Number.POSITIVE_INFINITY })
    const sink = await open({ s3: { concurrency: 2 } })
    let written = 0
    const writing = (async () => {
      for (let i = 0; i < 100; i++) {
        await sink.write(noise(PART_BYTES / 4))
        written++
      }
    })()
    await expect.poll(() => server.requestsOf('UploadPart').length).toBe(2)
    await turns()
    // Two parts on their way, one full, and a write that waits.
    expect(written).toBe(12)
    held.resolve()
    await writing
    await sink.close()
    expect(stored()?.length).toBe(100 * (PART_BYTES / 4))
  })
})

describe('the network between a sink and S3', () => {
  it('may break each connection once', async () => {
    const proxy = await startTcpProxy(server.port, {
      onConnection: n => (n <= 3 ? { resetAfterSentBytes: 20_000 } : undefined),
    })
    await write(LARGE, { s3: { endpoint: `http://127.0.0.1:${proxy.port}`, concurrency: 1 } })
    await proxy.stop()
    expect(stored()?.equals(LARGE)).toBe(true)
    expect(retries).toBe(3)
    expect(uploads()).toBe(0)
  })

  it('may swallow what is sent', async () => {
    const proxy = await startTcpProxy(server.port, {
      onConnection: n => (n === 1 ? { stallAfterSentBytes: 100_000 } : undefined),
    })
    const endpoint = `http://127.0.0.1:${proxy.port}`
    await write(LARGE, { timeoutMs: SILENCE_MS, s3: { endpoint, concurrency: 1 } })
    await proxy.stop()
    expect(stored()?.equals(LARGE)).toBe(true)
    expect(retries).toBe(1)
  })

  it('may lead nowhere', async () => {
    const proxy = await startTcpProxy(server.port, { faults: { blackHole: true } })
    const s3 = { endpoint: `http://127.0.0.1:${proxy.port}` }
    expect(await failure(write(SMALL, { timeoutMs: 50, s3 }))).toMatchObject({ code: 'TIMEOUT' })
    expect(retries).toBe(ATTEMPTS - 1)
    await proxy.stop()
  })
})
