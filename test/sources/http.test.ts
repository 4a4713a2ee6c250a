import { inspect } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openIterable } from '../../src/index.ts'
import { openHttpSource } from '../../src/sources/http/index.ts'
import { codeOf, drain, noise, turns } from '../../src/testing/sample.ts'
import { sourceContract } from '../../src/testing/source.ts'
import { HttpServer } from './http-server.ts'
import { descriptors } from './place.ts'

const server = await new HttpServer().listen()
afterAll(() => server.stop())
beforeEach(() => {
  server.behaviour = {}
  server.requests.length = 0
})

const url = () => `${server.origin}/data.bin`
const quick = { initialDelayMs: 0 }
const failure = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    error => error,
  )

async function serving(bytes: Uint8Array, access?: 'random') {
  server.bytes = Buffer.from(bytes)
  const source = await openHttpSource(url(), { access })
  return { source, openCount: () => source.counters.open }
}

async function blocked() {
  server.bytes = noise(1000)
  server.behaviour = { breaks: { how: 'stall', afterBytes: 0, times: 1 } }
  const source = await openHttpSource(url())
  return { source, openCount: () => source.counters.open }
}

for (const access of [undefined, 'random'] as const) {
  sourceContract(`http, opened for ${access ?? 'stream'}`, bytes => serving(bytes, access), {
    replayable: true,
    random: true,
    size: true,
    makeBlocked: blocked,
  })
}

sourceContract(
  'http without ranges and length',
  async bytes => {
    server.behaviour = { noRanges: true, unmeasured: 'chunked', etag: null }
    return serving(bytes)
  },
  { replayable: true },
)

describe('a connection that breaks', () => {
  const bytes = noise(2_000_000)

  it.each(['reset', 'end', 'stall'] as const)('by %s is resumed from the last byte', async how => {
    server.bytes = bytes
    server.behaviour = { breaks: { how, afterBytes: 300_000, times: 5 } }
    const source = await openHttpSource(url(), { retry: { ...quick, attempts: 3 }, timeoutMs: 200 })
    const read = await drain(() => source.stream())
    expect(read.error).toBeUndefined()
    expect(read.bytes.equals(bytes)).toBe(true)
    expect(source.counters).toMatchObject({ requests: 6, retries: 5, open: 0 })
    for (const request of server.requests.slice(1)) expect(request.headers).toMatchObject({ 'if-match': '"v1"' })
    await source[Symbol.asyncDispose]()
  })

  it('is resumed where the server knows no ranges, by passing over what was read', async () => {
    server.bytes = bytes
    server.behaviour = { noRanges: true, breaks: { how: 'reset', afterBytes: 900_000, times: 2 } }
    const source = await openHttpSource(url(), { retry: quick })
    expect((await drain(() => source.stream())).bytes.equals(bytes)).toBe(true)
    await source[Symbol.asyncDispose]()
  })

  it('is given up after as many attempts as are allowed, and says how far it got', async () => {
    server.bytes = bytes
    server.behaviour = { breaks: { how: 'reset', afterBytes: 100, times: 99 } }
    const source = await openHttpSource(url(), { retry: { ...quick, attempts: 4 } })
    const read = await drain(() => source.stream())
    expect(read.error).toMatchObject({ code: 'SOURCE_FAILED', byte: 400 })
    expect(read.bytes.equals(bytes.subarray(0, 400))).toBe(true)
    expect(server.requests).toHaveLength(4)
    await source[Symbol.asyncDispose]()
  })

  it.each([['W/"v1"'], [null]])('is not resumed on the tag %s', async etag => {
    server.bytes = bytes
    server.behaviour = { etag, breaks: { how: 'reset', afterBytes: 300_000, times: 1 } }
    const source = await openHttpSource(url(), { retry: quick })
    expect(source.random).toBeUndefined()
    const { error, bytes: given } = await drain(() => source.stream())
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', expected: expect.stringContaining('strong ETag') })
    expect(given.equals(bytes.subarray(0, given.length))).toBe(true)
    expect(server.requests).toHaveLength(1)
    await source[Symbol.asyncDispose]()
  })

  it('is never joined to what has taken the place of the file', async () => {
    for (const ignoresIfMatch of [false, true]) {
      server.bytes = bytes
      server.requests.length = 0
      server.behaviour = { breaks: { how: 'reset', afterBytes: 300_000, times: 1 } }
      const source = await openHttpSource(url(), { retry: quick })
      const chunks = source.stream()[Symbol.asyncIterator]()
      await chunks.next()
      server.bytes = noise(2_000_000, 7)
      server.behaviour.etag = '"v2"'
      if (ignoresIfMatch) {
        server.behaviour.intercept = request => {
          delete request.headers['if-match']
          return false
        }
      }
      const error = await failure(
        (async () => {
          while ((await chunks.next()).done !== true);
        })(),
      )
      expect(error).toMatchObject({ code: 'SOURCE_CHANGED' })
      expect(server.requests).toHaveLength(2)
      await source[Symbol.asyncDispose]()
    }
  })

  it('is not resumed on an answer that says nothing of its place', async () => {
    server.bytes = bytes
    server.behaviour = {
      breaks: { how: 'reset', afterBytes: 300_000, times: 1 },
      intercept: (request, response) => {
        if (request.headers.range === undefined) return false
        response.writeHead(206, { etag: '"v1"', 'content-range': 'bytes oops' }).end(bytes.subarray(300_000))
        return true
      },
    }
    const source = await openHttpSource(url(), { retry: quick })
    expect((await drain(() => source.stream())).error).toMatchObject({ code: 'SOURCE_CORRUPT' })
    await source[Symbol.asyncDispose]()
  })

  it('is left alone while the reader takes its time', async () => {
    server.bytes = bytes
    const pending = new Set<() => void>()
    const clock = {
      now: () => 0,
      schedule(callback: () => void) {
        pending.add(callback)
        return () => void pending.delete(callback)
      },
    }
    const source = await openHttpSource(url(), { clock })
    for await (const _ of source.stream()) {
      await turns()
      expect(pending.size).toBe(0)
    }
    expect(source.counters.requests).toBe(1)
    await source[Symbol.asyncDispose]()
  })
})

describe('refusals', () => {
  it('are tried again where that may help, after as long as the server asks', async () => {
    server.bytes = noise(10)
    const delays: number[] = []
    const retry = {
      initialDelayMs: 0,
      clock: {
        now: () => 0,
        schedule(callback: () => void, delayMs: number) {
          delays.push(delayMs)
          setImmediate(callback)
          return () => {}
        },
      },
    }
    server.behaviour = { refusals: { status: 503, headers: { 'retry-after': '7' }, times: 2 } }
    const source = await openHttpSource(url(), { retry })
    expect((await drain(() => source.stream())).bytes).toHaveLength(10)
    expect(delays).toEqual([7000, 7000])
    expect(source.counters.retries).toBe(2)
    await source[Symbol.asyncDispose]()
  })

  it.each([
    [404, 'SOURCE_NOT_FOUND', 1],
    [410, 'SOURCE_NOT_FOUND', 1],
    [401, 'SOURCE_DENIED', 1],
    [403, 'SOURCE_DENIED', 1],
    [400, 'SOURCE_FAILED', 1],
    [429, 'SOURCE_FAILED', 3],
    [500, 'SOURCE_FAILED', 3],
  ])('of status %i are %s after %i attempts', async (status, code, attempts) => {
    server.behaviour = { refusals: { status, times: 99 } }
    const error = await failure(openHttpSource(url(), { retry: { ...quick, attempts: 3 } }))
    expect(error).toMatchObject({ code, found: expect.stringContaining(String(status)) })
    expect(server.requests).toHaveLength(attempts)
  })

  it('tell of a host that nobody knows and of a port where nobody is', async () => {
    const nowhere = await new HttpServer().listen()
    const { origin } = nowhere
    await nowhere.stop()
    const error = await failure(openHttpSource(`${origin}/x.csv`, { retry: { attempts: 1 } }))
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', found: 'ECONNREFUSED' })
  })

  it('hold no secret, wherever one looks', async () => {
    server.behaviour = { refusals: { status: 403, times: 99 } }
    const address = `http://ann:hunter2-secret@127.0.0.1:${server.port}/x.csv?X-Amz-Signature=abc-secret&token=def-secret#ghi-secret`
    const options = { retry: { attempts: 1 }, headers: { 'x-api-key': 'jkl-secret' } }
    const error = await failure(openHttpSource(address, options))
    expect(error).toMatchObject({ code: 'SOURCE_DENIED', label: `${server.origin}/x.csv?…` })
    expect(server.requests[0]!.headers.authorization).toBe(
      `Basic ${Buffer.from('ann:hunter2-secret').toString('base64')}`,
    )
    const bad = [
      failure(openHttpSource(address, { ...options, headers: { 'x-api-key': 'jkl-secret\n' } })),
      failure(openHttpSource(address, { ...options, auth: { token: 'mno-secret\n' } })),
      failure(openHttpSource('http://ann:hunter2-secret@:99999/', options)),
      failure(openHttpSource(address, { ...options, fetch: () => Promise.reject(new TypeError('fetch failed')) })),
    ]
    for (const one of [error, ...(await Promise.all(bad))]) {
      expect(codeOf(one)).toBeDefined()
      expect(inspect(one, { depth: 20, showHidden: true }) + (one as Error).stack).not.toContain('secret')
    }
  })
})

describe('an end', () => {
  it('that only the closed connection tells is not accepted in silence', async () => {
    const bytes = noise(200_000)
    server.bytes = bytes
    server.behaviour = { unmeasured: 'close', noRanges: true }
    const source = await openHttpSource(url())
    const read = await drain(() => source.stream())
    expect(read.error).toMatchObject({ code: 'SOURCE_END_UNKNOWN', byte: 200_000 })
    expect(read.bytes.equals(bytes)).toBe(true)
    await source[Symbol.asyncDispose]()
    const trusting = await openHttpSource(url(), { allowUnknownEnd: true })
    expect(await drain(() => trusting.stream())).toMatchObject({ error: undefined, bytes })
    await trusting[Symbol.asyncDispose]()
  })

  it('that is marked is one, and a cut before it is not', async () => {
    server.bytes = noise(200_000)
    server.behaviour = { unmeasured: 'chunked' }
    const source = await openHttpSource(url())
    expect((await drain(() => source.stream())).bytes.equals(server.bytes)).toBe(true)
    server.behaviour = { unmeasured: 'chunked', etag: null, breaks: { how: 'end', afterBytes: 100_000, times: 1 } }
    const cut = await openHttpSource(url())
    expect((await drain(() => cut.stream())).error).toMatchObject({ code: 'SOURCE_FAILED' })
    await source[Symbol.asyncDispose]()
    await cut[Symbol.asyncDispose]()
  })
})

describe('redirects', () => {
  it('are followed, and secrets stay with the origin they were given for', async () => {
    const other = await new HttpServer(noise(500)).listen()
    const headers = { 'x-api-key': 'k', 'user-agent': 'test' }
    server.behaviour = {
      intercept: (request, response) => {
        const to = request.url === '/first' ? '/second' : `${other.origin}/there.csv.gz`
        response.writeHead(302, { location: to }).end('moved')
        return true
      },
    }
    const source = await openHttpSource(`${server.origin}/first`, { headers, auth: { token: 't' } })
    expect((await drain(() => source.stream())).bytes.equals(other.bytes)).toBe(true)
    expect(source.fileName).toBe('there.csv.gz')
    const sent = server.requests.map(({ headers: sent }) => [sent['x-api-key'], sent.authorization])
    expect(sent).toEqual([
      ['k', 'Bearer t'],
      ['k', 'Bearer t'],
    ])
    expect(other.requests[0]!.headers).toMatchObject({ 'user-agent': 'test', 'accept-encoding': 'identity' })
    expect(other.requests[0]!.headers).not.toHaveProperty('x-api-key')
    expect(other.requests[0]!.headers).not.toHaveProperty('authorization')
    await source[Symbol.asyncDispose]()
    await other.stop()
  })

  it('come to an end, and lead nowhere else', async () => {
    server.behaviour = {
      intercept: (_, response) => {
        response.writeHead(302, { location: '/again' }).end()
        return true
      },
    }
    const error = await failure(openHttpSource(url(), { maxRedirects: 3 }))
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', message: expect.stringContaining('more than 3 times') })
    expect(server.requests).toHaveLength(4)
    server.behaviour.intercept = (_, response) => {
      response.writeHead(302, { location: 'file:///etc/passwd' }).end()
      return true
    }
    expect(await failure(openHttpSource(url()))).toMatchObject({ code: 'SOURCE_FAILED', found: 'file:' })
  })
})

describe('what the headers tell', () => {
  it.each([
    ['attachment; filename="people.csv"', 'people.csv'],
    ['attachment; filename=people.csv; size=3', 'people.csv'],
    [`attachment; filename="x.csv"; filename*=UTF-8''m%C3%BCll.csv`, 'müll.csv'],
    ['attachment; filename="../../etc/passwd.csv"', 'passwd.csv'],
    ['attachment; filename="a \\"b\\".csv"', 'a "b".csv'],
    ['inline', undefined],
  ])('of the disposition %s is the name %s', async (header, fileName) => {
    server.bytes = noise(5)
    server.behaviour = { headers: { 'content-disposition': header, 'content-type': 'Text/CSV; charset=utf-8' } }
    const source = await openHttpSource(`${server.origin}/export`)
    expect([source.fileName, source.mediaType]).toEqual([fileName, 'text/csv'])
    await source[Symbol.asyncDispose]()
  })

  it('is taken into account where the server encodes against our asking', async () => {
    const text = Buffer.from('a,b\n1,2\n')
    server.bytes = gzipSync(text)
    server.behaviour = { headers: { 'content-encoding': 'gzip' } }
    const source = await openHttpSource(`${server.origin}/people.csv.gz`)
    expect([source.size, source.random, source.fileName]).toEqual([undefined, undefined, 'people.csv'])
    expect((await drain(() => source.stream())).bytes.equals(text)).toBe(true)
    await source[Symbol.asyncDispose]()
  })
})

describe('openIterable', () => {
  const rows = [
    { id: '1', name: 'Ada' },
    { id: '2', name: 'Bob' },
  ]
  const csv = 'id,name\n1,Ada\n2,Bob\n'
  const open = async (path: string, content: string | Uint8Array, headers: Record<string, string>, options = {}) => {
    server.bytes = Buffer.from(content)
    server.behaviour = { headers }
    const reader = await openIterable(`${server.origin}${path}`, options)
    return { format: reader.format, codecs: reader.codecs, rows: await reader.readBulk() }
  }

  it.each<[string, string, string | Uint8Array, Record<string, string>, string, string[]]>([
    ['the path', '/people.csv?x=1#y', csv, { 'content-type': 'text/plain' }, 'csv', []],
    ['the path, escaped', '/m%C3%BCll%20people.tsv', csv.replaceAll(',', '\t'), {}, 'csv', []],
    ['the disposition', '/export?id=7', csv, { 'content-disposition': 'attachment; filename=p.csv' }, 'csv', []],
    [
      'the disposition, with codecs',
      '/export.php',
      gzipSync(csv),
      { 'content-disposition': `attachment; filename*=UTF-8''p.csv.gz` },
      'csv',
      ['gzip'],
    ],
    ['the type', '/export', '{"id":"1","name":"Ada"}\n{"id":"2","name":"Bob"}\n', { 'content-type': 'application/x-ndjson' }, 'jsonl', []], // biome-ignore format: a table
    ['the content', '/export', csv.replaceAll(',', ';'), { 'content-type': 'application/octet-stream' }, 'csv', []],
    ['what was encoded on the way', '/people.csv.gz', gzipSync(csv), { 'content-encoding': 'gzip' }, 'csv', []],
  ])('tells the format by %s', async (_, path, content, headers, format, codecs) => {
    expect(await open(path, content, headers)).toEqual({ format, codecs, rows })
  })

  it('takes the word of the user before that of the server', async () => {
    const headers = { 'content-disposition': 'attachment; filename=p.json', 'content-type': 'application/json' }
    expect(await open('/export', csv, headers, { format: 'csv' })).toEqual({ format: 'csv', codecs: [], rows })
  })

  it('refuses options that are none, before it asks', async () => {
    const attempt = (options: object) => failure(openIterable(url(), { format: 'csv', ...options }).readBulk())
    expect(await attempt({ header: false, s3: {} })).toMatchObject({ code: 'OPTION_UNKNOWN' })
    expect(await attempt({ timeoutMs: 0 })).toMatchObject({ code: 'OPTION_INVALID' })
    expect(await attempt({ auth: { token: 't', username: 'u' } })).toMatchObject({ code: 'OPTION_INVALID' })
    expect(await attempt({ retry: { attempts: 0 } })).toMatchObject({ code: 'OPTION_INVALID' })
    expect(server.requests).toHaveLength(0)
  })
})

describe('connections', () => {
  it('are let go of at once by 1,000 early breaks, aborts and unread sources', async () => {
    server.bytes = noise(3_000_000)
    const before = descriptors()
    for (let i = 0; i < 1000; i++) {
      const abort = new AbortController()
      const source = await openHttpSource(url())
      const stream = source.stream({ signal: abort.signal })
      if (i % 3 === 0) {
        for await (const chunk of stream) {
          expect(chunk.length).toBeGreaterThan(0)
          break
        }
      } else if (i % 3 === 1) {
        await stream.next()
        abort.abort(new Error('enough'))
      }
      await source[Symbol.asyncDispose]()
      expect(source.counters.open).toBe(0)
    }
    await turns(50)
    expect(descriptors() - before).toBeLessThanOrEqual(4) // of both ends
  })

  it('are not opened when it was aborted before, and given up when it is aborted meanwhile', async () => {
    const reason = new Error('enough')
    expect(await failure(openHttpSource(url(), { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(server.requests).toHaveLength(0)
    const abort = new AbortController()
    server.behaviour = {
      intercept: () => {
        abort.abort(reason)
        return true
      },
    }
    expect(await failure(openHttpSource(url(), { signal: abort.signal }))).toBe(reason)
  })
})
