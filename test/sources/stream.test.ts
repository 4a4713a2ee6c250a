import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { ByteSink, ByteSource } from '../../src/core/types.ts'
import { openIterable } from '../../src/index.ts'
import { place } from '../../src/sources/stream.ts'
import { sinkContract } from '../../src/testing/sink.ts'
import { sourceContract } from '../../src/testing/source.ts'

const { signal } = new AbortController()
const source = async (target: unknown) => (await place.openSource!(target, { signal, options: {} })) as ByteSource
const sink = async (target: unknown) =>
  (await place.openSink!(target, { signal, options: {}, append: false })) as ByteSink
const pieces = (bytes: Uint8Array) =>
  Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, i) => bytes.slice(i * 65_536, (i + 1) * 65_536))

/** Not `Readable.toWeb()`: cancelling what that gives ends the process on Node 20. */
function webStream(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const left = [...chunks]
  return new ReadableStream({
    pull(controller) {
      const chunk = left.shift()
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
  })
}

sourceContract('Node Readable', async bytes => ({ source: await source(Readable.from(pieces(bytes))) }), {
  makeBlocked: async () => ({ source: await source(new PassThrough()) }),
})
sourceContract('Web ReadableStream', async bytes => ({ source: await source(webStream(pieces(bytes))) }), {
  makeBlocked: async () => ({ source: await source(new ReadableStream()) }),
})
sourceContract('fetch Response', async bytes => ({ source: await source(new Response(bytes)) }))

/** A Writable that takes a turn for each chunk. */
function collector(): { stream: Writable; chunks: Buffer[] } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    highWaterMark: 1000,
    write(chunk, _encoding, callback) {
      chunks.push(Buffer.from(chunk))
      setImmediate(callback)
    },
  })
  return { stream, chunks }
}

sinkContract(
  'Node Writable',
  async () => {
    const { stream, chunks } = collector()
    return { sink: await sink(stream), content: () => Buffer.concat(chunks) }
  },
  { atomic: false },
)
sinkContract(
  'Web WritableStream',
  async () => {
    const { stream, chunks } = collector()
    return { sink: await sink(Writable.toWeb(stream)), content: () => Buffer.concat(chunks) }
  },
  { atomic: false },
)

describe('streams', () => {
  it('read text chunks too, also where one is split inside a character', async () => {
    const bytes = Buffer.from('a\né漢🙂\n')
    const rows = await openIterable(Readable.from([...bytes].map(byte => Buffer.from([byte]))), {
      format: 'csv',
    }).readBulk()
    expect(rows).toEqual([{ a: 'é漢🙂' }])
    expect(await openIterable(Readable.from(['a\n', 'é\n']), { format: 'csv' }).readBulk()).toEqual([{ a: 'é' }])
  })

  it('ask for the format where no name tells it', async () => {
    await expect(openIterable(Readable.from(['a\n1\n'])).read()).rejects.toMatchObject({
      code: 'FORMAT_UNKNOWN',
      message: expect.stringMatching(/csv.*jsonl/),
    })
  })

  it('destroy what they read when the loop is left', async () => {
    const stream = new PassThrough()
    stream.write('a\n1\n2\n3\n')
    for await (const _ of openIterable(stream, { format: 'csv' })) break
    expect(stream.destroyed).toBe(true)
  })

  it('stop a source that waits when they are aborted', async () => {
    const stream = new PassThrough()
    const controller = new AbortController()
    const next = openIterable(stream, { format: 'csv', signal: controller.signal }).read()
    const reason = new Error('enough')
    setImmediate(() => controller.abort(reason))
    await expect(next).rejects.toBe(reason)
    expect(stream.destroyed).toBe(true)
  })

  it('tell a stream that failed, was read before, or is of the other direction', async () => {
    const broken = new Error('broken')
    const failing = new Readable({
      read() {
        this.destroy(broken)
      },
    })
    await expect(openIterable(failing, { format: 'csv' }).read()).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      cause: broken,
    })
    await expect(openIterable(failing, { format: 'csv' }).read()).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
    await expect(openIterable(collector().stream as never, { format: 'csv' }).read()).rejects.toMatchObject({
      code: 'TARGET_UNSUPPORTED',
    })
    await expect(openIterable(Readable.from([]) as never, { format: 'csv', mode: 'w' }).close()).rejects.toMatchObject({
      code: 'TARGET_UNSUPPORTED',
    })
  })

  it('tell a reader that has gone away from another failure', async () => {
    const gone = new PassThrough()
    const out = openIterable(gone, { mode: 'w', format: 'csv' })
    await out.write({ a: 1 })
    gone.destroy()
    await once(gone, 'close')
    await expect(out.close()).rejects.toMatchObject({ code: 'SINK_CLOSED' })

    const full = new Writable({ write: (_chunk, _encoding, callback) => callback(new Error('full')) })
    const other = openIterable(full, { mode: 'w', format: 'csv' })
    await other.write({ a: 1 })
    await expect(other.close()).rejects.toMatchObject({ code: 'SINK_FAILED', cause: new Error('full') })
  })

  it('read a response, and no response that is an error', async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/people.csv?token=secret' ? 200 : 404
      response.end('a\n1\n')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const good = openIterable(await fetch(`${url}/people.csv?token=secret`))
      expect(good.label).not.toContain('secret')
      expect(await good.readBulk()).toEqual([{ a: '1' }])
      const missing = openIterable(await fetch(`${url}/missing.csv`))
      await expect(missing.read()).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND', found: '404' })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})

describe('standard input and output', () => {
  const copy = `
    import { openIterable } from ${JSON.stringify(resolve(import.meta.dirname, '../../dist/index.js'))}
    const out = openIterable('-', { mode: 'w', format: 'jsonl' })
    await out.writeBulk(openIterable('-', { format: 'csv' }))
    await out.close()
    console.error('closed')`
  const run = () => spawn(process.execPath, ['--input-type=module', '-e', copy], { stdio: 'pipe' })

  it("are '-'", async () => {
    const child = run()
    child.stdin.end('a,b\n1,2\n')
    const [out, err] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()])
    expect(Buffer.concat(out).toString()).toBe('{"a":"1","b":"2"}\n')
    expect(Buffer.concat(err).toString()).toBe('closed\n')
  })

  it('report that the reader of the output has gone away', async () => {
    const child = run()
    child.stdout.destroy()
    const feed = Readable.from(
      (function* () {
        yield 'a,b\n'
        for (let i = 0; i < 200_000; i++) yield '1,2\n'
      })(),
    )
    child.stdin.on('error', () => {}) // it exits before it has read everything
    feed.pipe(child.stdin)
    const err = Buffer.concat(await child.stderr.toArray()).toString()
    expect(err).toContain('SINK_CLOSED')
  })
})
