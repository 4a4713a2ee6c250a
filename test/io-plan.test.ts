/** What reading asks for: requests made and bytes sent, for the first rows, for some columns, for one member. */

import { zipSync } from 'fflate'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { listMembers, openIterable } from '../src/index.ts'
import { noise, table } from '../src/testing/sample.ts'
import { HttpServer } from './sources/http-server.ts'
import { startS3Server } from './support/s3-server/index.ts'

const ROWS = 800_000
const COLUMNS = 8
/** About 43 MB in 200 row groups, of numbers that nothing compresses. */
const parquet = Buffer.from(
  parquetWriteBuffer({
    columnData: Array.from({ length: COLUMNS }, (_, column) => {
      const bytes = noise(ROWS * 4, column + 1)
      return {
        name: `c${column}`,
        data: Float64Array.from({ length: ROWS }, (_, row) => bytes.readUInt32LE(row * 4) / 7),
        type: 'DOUBLE' as const,
      }
    }),
    rowGroupSize: 4000,
  }),
)
const csv = table(8_000_000)

const s3Server = await startS3Server({ buckets: ['data'] })
const httpServer = await new HttpServer().listen()
afterAll(() => Promise.all([s3Server.stop(), httpServer.stop()]))
beforeEach(() => {
  s3Server.requests.length = httpServer.requests.length = httpServer.sentBytes.length = 0
})

/** Where the same bytes are read from, and what was asked of the server since the test began. */
const places = [
  {
    name: 's3',
    target: (key: string, bytes: Uint8Array) => {
      s3Server.put('data', key, bytes)
      return `s3://data/${key}`
    },
    options: { s3: s3Server.clientOptions },
    requests: () => s3Server.requests.length,
    sentBytes: () => s3Server.requests.reduce((sum, request) => sum + request.sentBytes, 0),
  },
  {
    name: 'http',
    target: (key: string, bytes: Uint8Array) => {
      httpServer.bytes = Buffer.from(bytes)
      return `${httpServer.origin}/${key}`
    },
    options: {},
    requests: () => httpServer.requests.length,
    sentBytes: () => httpServer.sentBytes.reduce((sum, bytes) => sum + bytes, 0),
  },
]

describe.each(places)('$name', ({ target, options, requests, sentBytes }) => {
  it.each<[string, object]>([
    ['by DuckDB', {}],
    ['by DuckDB up to a limit', { limit: 10 }],
    ['by hyparquet', { engine: 'hyparquet' }],
  ])('sends less than 2 %% of a large Parquet file for its first rows %s', async (_, more) => {
    await using reader = openIterable(target('large.parquet', parquet), { ...options, ...more })
    expect(await reader.readBulk(10)).toHaveLength(10)
    expect(sentBytes()).toBeLessThan(parquet.length * 0.02)
    expect(requests()).toBeLessThanOrEqual(6)
  })

  it('sends the chunks of two columns of eight, and little more', async () => {
    await using reader = openIterable(target('large.parquet', parquet), { ...options, columns: ['c1', 'c5'] })
    let rows = 0
    for await (const batch of reader.batches()) rows += batch.length
    expect(rows).toBe(ROWS)
    expect(sentBytes()).toBeLessThan(parquet.length * 0.3)
  })

  it('sends the directory of a ZIP and the member that is meant', async () => {
    const small = Buffer.from('id\n1\n2\n')
    const zip = zipSync(
      { 'one.bin': noise(4_000_000), 'two.csv': small, 'three.bin': noise(4_000_000, 5) },
      { level: 0 },
    )
    const archive = target('all.zip', zip)
    const rows = await openIterable(archive, { ...options, member: 'two.csv' }).readBulk()
    expect(rows).toEqual([{ id: '1' }, { id: '2' }])
    expect(sentBytes()).toBeLessThan(300_000)
    const members = await listMembers(archive, options)
    expect(members.map(({ name }) => name)).toEqual(['one.bin', 'two.csv', 'three.bin'])
    expect(sentBytes()).toBeLessThan(600_000)
  })

  it('asks once for a file that is read from its start to its end', async () => {
    let rows = 0
    for await (const batch of openIterable(target('all.csv', csv), options).batches()) rows += batch.length
    expect(rows).toBeGreaterThan(100_000)
    expect([requests(), sentBytes()]).toEqual([1, csv.length])
  })

  it('asks once for a file that is left early, and lets it be', async () => {
    for await (const row of openIterable(target('all.csv', csv), options)) {
      expect(row.id).toBe('0')
      break
    }
    expect(requests()).toBe(1)
    // What the system holds in its buffers is sent in any case.
    expect(sentBytes()).toBeLessThan(csv.length)
  })

  it('asks once for a file whose content has to be looked at', async () => {
    const reader = await openIterable(target('all', csv), options)
    expect(reader.format).toBe('csv')
    let rows = 0
    for await (const batch of reader.batches()) rows += batch.length
    expect(rows).toBeGreaterThan(100_000)
    expect([requests(), sentBytes()]).toEqual([1, csv.length])
  })
})
