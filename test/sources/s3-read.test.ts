import { inspect } from 'node:util'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { s3LocationOf } from '../../src/core/target-urls.ts'
import { openIterable } from '../../src/index.ts'
import { locationOf, place as s3 } from '../../src/sources/s3/index.ts'
import { openS3Source } from '../../src/sources/s3/source.ts'
import { codeOf, drain, noise, turns } from '../../src/testing/sample.ts'
import { sourceContract } from '../../src/testing/source.ts'
import { S3_PLACES } from '../support/s3-places.ts'
import { startS3Server } from '../support/s3-server/index.ts'
import { descriptors } from './place.ts'

const quick = { initialDelayMs: 0 }
const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    error => error,
  )

function deferred() {
  let resolve = () => {}
  const promise = new Promise<void>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}

for (const kind of S3_PLACES) {
  describe(`S3 ${kind.name}`, async () => {
    const at = await kind.start()
    afterAll(() => at.stop())
    const { bucket: Bucket, client, clientOptions: reached } = at
    const put = (Key: string, Body: Uint8Array, more: object = {}) =>
      client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))

    for (const access of [undefined, 'random'] as const) {
      sourceContract(
        `s3, opened for ${access ?? 'stream'}`,
        async bytes => {
          await put('contract', bytes)
          const source = await openS3Source({ bucket: Bucket, key: 'contract' }, { s3: reached, access })
          return { source, openCount: () => source.counters.open }
        },
        { replayable: true, random: true, size: true },
      )
    }

    it.each(['a b+c%20d.csv', 'ü/€/😀.csv', 'q?a=1&b#c.csv', "it's (1)!*.csv", 'a//b/.csv', '~$@:;,=.csv'])(
      'reads the key %s, as text, as URL and as an object',
      async key => {
        const bytes = noise(20)
        await put(key, bytes)
        const url = new URL(`s3://${Bucket}/${key.split('/').map(encodeURIComponent).join('/')}`)
        for (const target of [`s3://${Bucket}/${key}`, url, { bucket: Bucket, key }]) {
          const source = await openS3Source(locationOf(target), { s3: reached })
          expect((await drain(() => source.stream())).bytes.equals(bytes)).toBe(true)
          await source[Symbol.asyncDispose]()
        }
      },
    )

    it('tells what is missing', async () => {
      const missing = await failure(openS3Source({ bucket: Bucket, key: 'none' }, { s3: reached }))
      expect(missing).toMatchObject({ code: 'SOURCE_NOT_FOUND', found: 'NoSuchKey' })
      const noBucket = await failure(openS3Source({ bucket: `${Bucket}-none`, key: 'none' }, { s3: reached }))
      expect(noBucket).toMatchObject({ code: 'SOURCE_NOT_FOUND', found: 'NoSuchBucket' })
      expect(String(noBucket)).toContain(`${Bucket}-none`)
    })

    it.each([
      [
        'key',
        { accessKeyId: 'AKIANOBODYKNOWSTHIS0', secretAccessKey: 'wrong-secret-text', sessionToken: 'wrong-token-text' },
      ],
      ['secret', { accessKeyId: at.credentials.accessKeyId, secretAccessKey: 'wrong-secret-text' }],
    ])('refuses a wrong %s, and shows no secret', async (_, credentials) => {
      const error = await failure(openS3Source({ bucket: Bucket, key: 'x' }, { s3: { ...reached, credentials } }))
      expect(codeOf(error)).toBe('SOURCE_DENIED')
      const shown = inspect(error, { depth: 20, showHidden: true }) + (error as Error).stack
      expect(shown).not.toMatch(/wrong-(secret|token)-text|Signature=/)
    })

    it('reads by a client of the user, which stays open and untouched', async () => {
      const bytes = noise(300_000)
      await put('mine', bytes)
      const mine = new S3Client({ ...reached, requestHandler: { httpAgent: { maxSockets: 2 } } })
      const before = mine.middlewareStack.identify()
      for (let i = 0; i < 3; i++) {
        const source = await openS3Source({ bucket: Bucket, key: 'mine' }, { s3: { client: mine } })
        expect((await drain(() => source.stream())).bytes.equals(bytes)).toBe(true)
        await source[Symbol.asyncDispose]()
      }
      expect(mine.middlewareStack.identify()).toEqual(before)
      mine.destroy()
    })

    it('holds no connection after 100 early breaks, aborts and unread sources, of two', async () => {
      await put('large', noise(3_000_000))
      const mine = new S3Client({ ...reached, requestHandler: { httpAgent: { maxSockets: 2 }, socketTimeout: 0 } })
      for (let i = 0; i < 100; i++) {
        const abort = new AbortController()
        const source = await openS3Source({ bucket: Bucket, key: 'large' }, { s3: { client: mine } })
        const stream = i % 3 === 2 ? undefined : source.stream({ signal: abort.signal })
        await stream?.next()
        if (i % 3 === 0) await stream!.return!()
        if (i % 3 === 1) abort.abort(new Error('enough'))
        await source[Symbol.asyncDispose]()
        expect(source.counters.open).toBe(0)
      }
      mine.destroy()
    })
  })
}

const server = await startS3Server({ buckets: ['data'] })
afterAll(() => server.stop())
beforeEach(() => {
  server.faults.clear()
  server.requests.length = 0
})
const open = (key: string, options: Parameters<typeof openS3Source>[1] = {}) =>
  openS3Source({ bucket: 'data', key }, { retry: quick, ...options, s3: { ...server.clientOptions, ...options.s3 } })

describe('an object that is read while things go wrong', () => {
  const bytes = noise(3_000_000)

  it.each([
    ['reset', { resetAfterBytes: 700_000 }],
    ['closed', { endAfterBytes: 700_000 }],
    ['silent', { stallAfterBytes: 700_000 }],
  ])('is resumed where a connection is %s', async (_, fault) => {
    server.put('data', 'k', bytes)
    server.faults.add({ ...fault, operation: 'GetObject', times: Number.POSITIVE_INFINITY })
    const source = await open('k', { timeoutMs: 200 })
    const read = await drain(() => source.stream())
    expect(read.error).toBeUndefined()
    expect(read.bytes.equals(bytes)).toBe(true)
    // What was sent just before a reset may be lost with it.
    const { requests, retries, open: held } = source.counters
    expect([requests, held]).toEqual([retries + 1, 0])
    expect(retries).toBeGreaterThanOrEqual(4)
    const etag = `"${server.storage.bucket('data').find('k')!.etag}"`
    expect(server.requests[0]!.range).toBeUndefined()
    for (const { range, headers } of server.requests.slice(1)) {
      expect([range, headers['if-match']]).toEqual([expect.stringMatching(/^bytes=\d+-$/), etag])
    }
    await source[Symbol.asyncDispose]()
  })

  it.each([503, 500, 429])('is asked for again after status %i, and no more often than was said', async status => {
    server.put('data', 'k', bytes)
    server.faults.add({ status, times: 2 })
    const source = await open('k')
    expect((await drain(() => source.stream())).bytes.equals(bytes)).toBe(true)
    expect(source.counters).toMatchObject({ requests: 3, retries: 2 })
    await source[Symbol.asyncDispose]()
    server.requests.length = 0
    server.faults.add({ status, times: Number.POSITIVE_INFINITY })
    // A client of the user, who has the SDK try three times: the two policies do not multiply.
    const mine = new S3Client(server.clientOptions)
    const error = await failure(open('k', { retry: { ...quick, attempts: 5 }, s3: { client: mine } }))
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', found: expect.stringContaining(String(status)) })
    expect(server.requests).toHaveLength(5)
    mine.destroy()
  })

  it('is waited for as long as S3 asks', async () => {
    server.put('data', 'k', bytes)
    server.faults.add({ status: 503, headers: { 'retry-after': '3' } })
    const delays: number[] = []
    const clock = {
      now: () => 0,
      schedule(callback: () => void, delayMs: number) {
        delays.push(delayMs)
        setImmediate(callback)
        return () => {}
      },
    }
    const source = await open('k', { retry: { ...quick, clock } })
    expect(delays).toEqual([3000])
    await source[Symbol.asyncDispose]()
  })

  it('is an error when it was replaced midway, never a splice of two', async () => {
    server.put('data', 'k', bytes)
    server.faults.add({ resetAfterBytes: 1_000_000 })
    const source = await open('k')
    const stream = source.stream()
    await stream.next()
    server.put('data', 'k', noise(3_000_000, 9))
    const { error } = await drain(() => stream)
    expect(error).toMatchObject({ code: 'SOURCE_CHANGED' })
    await source[Symbol.asyncDispose]()
  })

  it.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)(
    'is told from one with a wrong byte by its %s, also where it was resumed',
    async ChecksumAlgorithm => {
      const client = new S3Client(server.clientOptions)
      await client.send(new PutObjectCommand({ Bucket: 'data', Key: 'k', Body: bytes, ChecksumAlgorithm }))
      client.destroy()
      for (const [resumed, corrupt] of [
        [false, false],
        [true, false],
        [false, true],
        [true, true],
      ]) {
        if (resumed) server.faults.add({ operation: 'GetObject', resetAfterBytes: 500_000 })
        if (corrupt) server.faults.add({ operation: 'GetObject', corruptByte: 100_000 })
        const source = await open('k')
        const read = await drain(() => source.stream())
        if (corrupt) expect(read.error).toMatchObject({ code: 'SOURCE_CORRUPT' })
        else expect([read.error, read.bytes.equals(bytes)]).toEqual([undefined, true])
        expect(source.counters.retries).toBe(resumed ? 1 : 0)
        await source[Symbol.asyncDispose]()
      }
    },
  )

  it('is fetched in ranges side by side, in order, with each of them resumed', async () => {
    server.put('data', 'k', bytes)
    for (const faulty of [false, true]) {
      server.requests.length = 0
      // None is answered before there are as many under way as there may be: with fewer this would never end.
      let waiting = 0
      const { promise: together, resolve: meet } = deferred()
      server.faults.add({
        when: ({ range }) => range !== undefined,
        times: 2,
        before: () => {
          if (++waiting === 2) meet()
          return together
        },
        ...(faulty ? { resetAfterBytes: 150_000 } : {}),
      })
      if (faulty) server.faults.add({ when: ({ range }) => range !== undefined, resetAfterBytes: 150_000, times: 4 })
      const source = await open('k', { s3: { partBytes: 400_000, concurrency: 3 } })
      const read = await drain(() => source.stream())
      expect(read.error).toBeUndefined()
      expect(read.bytes.equals(bytes)).toBe(true)
      expect(source.counters.retries).toBe(faulty ? 6 : 0)
      const { etag } = server.storage.bucket('data').find('k')!
      for (const request of server.requests.slice(1)) expect(request.headers['if-match']).toBe(`"${etag}"`)
      await source[Symbol.asyncDispose]()
      expect(source.counters.open).toBe(0)
    }
  })

  it('is fetched in ranges only once more than the first of it was read', async () => {
    server.put('data', 'k', bytes)
    const source = await open('k', { s3: { partBytes: 400_000, concurrency: 4 } })
    const stream = source.stream()
    for (let read = 0; read < 300_000; ) read += (await stream.next()).value!.length
    await stream.return!()
    expect(server.requests).toHaveLength(1)
    await source[Symbol.asyncDispose]()
  })

  it('gives ranges that are whole, whatever happens to each', async () => {
    server.put('data', 'k', bytes)
    const source = await open('k', { access: 'random', s3: { partBytes: 100_000, concurrency: 3 } })
    server.faults.add({ when: ({ range }) => range !== 'bytes=0-0', resetAfterBytes: 30_000, times: 20 })
    const ranges = [
      { start: 5, end: 500_000 },
      { start: 2_000_000, end: 2_100_000 },
    ]
    const parts = await source.random!.readRanges(ranges)
    for (const [i, { start, end }] of ranges.entries()) {
      expect(Buffer.compare(parts[i]!, bytes.subarray(start, end))).toBe(0)
    }
    server.faults.clear()
    server.put('data', 'k', noise(3_000_000, 3))
    expect(await failure(source.random!.readRanges(ranges))).toMatchObject({ code: 'SOURCE_CHANGED' })
    expect(source.counters.open).toBe(0)
    await source[Symbol.asyncDispose]()
  })
})

describe('connections', () => {
  it('are not held by 100 reads that break, of two', async () => {
    server.put('data', 'broken', noise(1_000_000))
    const mine = new S3Client({ ...server.clientOptions, requestHandler: { httpAgent: { maxSockets: 2 } } })
    const faults = [
      { resetAfterBytes: 300_000 },
      { endAfterBytes: 300_000 },
      { status: 404, code: 'NoSuchKey' },
      { resetBefore: true },
    ]
    for (let i = 0; i < 100; i++) {
      server.faults.add({ ...faults[i % faults.length]!, key: 'broken' })
      const read = openS3Source({ bucket: 'data', key: 'broken' }, { s3: { client: mine }, retry: { attempts: 1 } })
      const error = await failure(
        (async () => {
          const source = await read
          const { error } = await drain(() => source.stream())
          await source[Symbol.asyncDispose]()
          throw error
        })(),
      )
      expect([i, codeOf(error)]).toEqual([i, i % faults.length === 2 ? 'SOURCE_NOT_FOUND' : 'SOURCE_FAILED'])
    }
    await turns(50)
    expect(server.openSockets).toBeLessThanOrEqual(2)
    mine.destroy()
  })

  it('are as many as are read at once, and more than the SDK would open by itself', async () => {
    server.put('data', 'k', noise(100))
    const sources = await Promise.all(Array.from({ length: 60 }, () => open('k')))
    for (const source of sources) {
      expect((await drain(() => source.stream())).bytes).toHaveLength(100)
      await source[Symbol.asyncDispose]()
    }
  })
})

describe('what is asked for', () => {
  it('is read at the version that is named', async () => {
    const bucket = server.storage.createBucket('versions')
    bucket.versioned = true
    const first = server.put('versions', 'k', 'first')
    server.put('versions', 'k', 'second')
    const read = async (target: string | URL) => {
      const source = await openS3Source(locationOf(target), { s3: server.clientOptions })
      const { bytes } = await drain(() => source.stream())
      await source[Symbol.asyncDispose]()
      return bytes.toString()
    }
    expect(await read('s3://versions/k')).toBe('second')
    expect(await read(`s3://versions/k?versionId=${first.versionId}`)).toBe('first')
    expect(await read(new URL(`s3://versions/k?versionId=${first.versionId}`))).toBe('first')
    const error = await failure(read('s3://versions/k?versionId=AAAAAAAAAAAAAAAAAAAAAAAA'))
    expect(error).toMatchObject({ code: 'SOURCE_NOT_FOUND' })
  })

  it('is open to everyone where it is public, and only there', async () => {
    const bucket = server.storage.createBucket('public')
    server.put('public', 'k', 'for all')
    const { credentials: _, ...nameless } = server.clientOptions
    const location = { bucket: 'public', key: 'k' }
    const anonymous = { ...nameless, anonymous: true }
    expect(await failure(openS3Source(location, { s3: anonymous }))).toMatchObject({ code: 'SOURCE_DENIED' })
    bucket.isPublic = true
    const source = await openS3Source(location, { s3: anonymous })
    expect((await drain(() => source.stream())).bytes.toString()).toBe('for all')
    expect(server.requests.at(-1)!.headers).not.toHaveProperty('authorization')
    await source[Symbol.asyncDispose]()
  })

  it('is refused before anything is sent where it cannot be', async () => {
    const signal = new AbortController().signal
    const attempt = (target: unknown, options: object = {}) =>
      failure(s3.openSource!(target, { signal, options: { s3: server.clientOptions, ...options } }))
    expect(await attempt('s3://data')).toMatchObject({ code: 'OPTION_INVALID' })
    expect(await attempt('s3://data/')).toMatchObject({ code: 'OPTION_INVALID' })
    expect(await attempt('s3:///k')).toMatchObject({ code: 'OPTION_INVALID' })
    const secret = await attempt('s3://AKIA:hidden-secret@data/k')
    expect(secret).toMatchObject({ code: 'OPTION_INVALID' })
    expect(inspect(secret, { depth: 9, showHidden: true })).not.toContain('hidden-secret')
    expect(await attempt('s3://data/k', { s3: { regoin: 'x' } })).toMatchObject({ code: 'OPTION_UNKNOWN' })
    const both = { ...server.clientOptions, anonymous: true }
    expect(await attempt('s3://data/k', { s3: both })).toMatchObject({ code: 'OPTION_INVALID' })
    expect(server.requests).toHaveLength(0)
  })

  it('needs credentials, and says so', async () => {
    const fails = async () => {
      throw Object.assign(new Error('Could not load credentials from any providers'), {
        name: 'CredentialsProviderError',
      })
    }
    const error = await failure(open('k', { s3: { credentials: fails } }))
    expect(error).toMatchObject({ code: 'CREDENTIALS_MISSING', hint: expect.stringContaining('anonymous') })
  })

  it('is parsed from texts as it stands', () => {
    expect(s3LocationOf('s3://b/k?versionId=v1')).toEqual({ bucket: 'b', key: 'k', versionId: 'v1' })
    expect(s3LocationOf('s3://b/k?versionId=')).toEqual({ bucket: 'b', key: 'k?versionId=' })
    expect(s3LocationOf('s3://b/a%20b?x=1#y')).toEqual({ bucket: 'b', key: 'a%20b?x=1#y' })
    expect(s3LocationOf('S3://b/k')).toEqual({ bucket: 'b', key: 'k' })
    expect(s3LocationOf('b/k')).toBeUndefined()
  })
})

describe('openIterable', () => {
  it('reads rows of s3: and http: targets, through codecs', async () => {
    const { gzipSync } = await import('node:zlib')
    server.put('data', 'people.csv.gz', gzipSync('id,name\n1,Ada\n2,Bob\n'))
    const rows = [
      { id: '1', name: 'Ada' },
      { id: '2', name: 'Bob' },
    ]
    const s3 = server.clientOptions
    expect(await openIterable('s3://data/people.csv.gz', { s3 }).readBulk()).toEqual(rows)
    const url = server.presign('data', 'people.csv.gz')
    const reader = await openIterable(url)
    expect(reader.label).not.toContain('Signature=')
    expect(await reader.readBulk()).toEqual(rows)
    const expired = await failure(openIterable(url.replace(/Signature=\w+/, 'Signature=0000secret')).readBulk())
    expect(expired).toMatchObject({ code: 'SOURCE_DENIED' })
    expect(inspect(expired, { depth: 20, showHidden: true })).not.toContain('0000secret')
  })

  it('leaves no descriptor behind 1,000 opens', async () => {
    server.put('data', 'k.csv', 'a\n1\n')
    const s3 = server.clientOptions
    await openIterable('s3://data/k.csv', { s3 }).readBulk()
    const before = descriptors()
    for (let i = 0; i < 100; i++) {
      await using reader = await openIterable('s3://data/k.csv', { s3 })
      expect(reader.columns).toEqual(['a'])
    }
    for (let i = 0; i < 1000; i++) {
      // Credentials that are made anew for each call are the same account's.
      const credentials = { ...s3.credentials }
      await (await open('k.csv', { s3: { credentials } }))[Symbol.asyncDispose]()
    }
    await turns(50)
    expect(descriptors() - before).toBeLessThanOrEqual(2)
  })
})
