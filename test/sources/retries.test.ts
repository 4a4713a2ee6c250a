/** What was tried again is counted, on the handle and in the result of a conversion. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { convert, MemoryTarget, openIterable } from '../../src/index.ts'

const body = `a,b\n${Array.from({ length: 5000 }, (_, i) => `${i},${'x'.repeat(20)}\n`).join('')}`
let server: Server
let url: string
/** How many more answers break off in their middle. */
let breaks = 0

beforeAll(async () => {
  server = createServer((request, response) => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const rest = Buffer.from(body).subarray(start)
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': rest.length,
      'accept-ranges': 'bytes',
      etag: '"1"',
      ...(start > 0 ? { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` } : {}),
    })
    if (breaks-- > 0) response.write(rest.subarray(0, 30_000), () => response.destroy())
    else response.end(rest)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.csv`
})
afterAll(() => server.close())

const retry = { initialDelayMs: 1 }

it('is 0 where nothing fails, and starts again with the rows', async () => {
  breaks = 2
  await using reader = openIterable(url, { retry })
  let rows = 0
  while ((await reader.read()) !== null) rows++
  expect([rows, reader.retries]).toEqual([5000, 2])
  await reader.reset()
  expect((await reader.readBulk(9000)).length).toBe(5000)
  expect(reader.retries).toBe(0)
})

it('is in the result of a conversion', async () => {
  breaks = 1
  const result = await convert(url, new MemoryTarget('x.jsonl'), { read: { retry } })
  expect([result.rowsOut, result.retries]).toEqual([5000, 1])
})
