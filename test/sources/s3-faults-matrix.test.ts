/**
 * Each fault, in each way to read or write an object, of each kind of content: the rows are the same as without it, or there
 * is a clear error; and the retries are counted. `node scripts/fault-matrix.mjs` prints the table.
 */
import { writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { S3Client } from '@aws-sdk/client-s3'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type S3Location, s3LocationOf } from '../../src/core/target-urls.ts'
import { listIterable, MemoryTarget, OpenIterableError, openIterable } from '../../src/index.ts'
import type { S3ConnectionOptions } from '../../src/sources/s3/options.ts'
import { openS3Sink } from '../../src/sources/s3/sink.ts'
import { openS3Source } from '../../src/sources/s3/source.ts'
import { drain } from '../../src/testing/sample.ts'
import { type S3Fault, type S3Request, type S3Server, startS3Server } from '../support/s3-server/index.ts'
import { createServerIdentity } from '../support/self-signed.ts'
import { startTcpProxy, type TcpFaults } from '../support/tcp-proxy.ts'

type Row = Record<string, unknown>

const BUCKET = 'matrix'
const ROWS = 12_000
/** Rows of a row group of the Parquet file. */
const GROUP_ROWS = 2000
/** Small enough that each object has several. */
const PART_BYTES = 65_536
/** Silence that is a fault: longer than any turn of a busy machine, and not long to wait for. */
const SILENCE_MS = 500

const CONTENTS = ['csv.gz', 'jsonl', 'parquet'] as const
const WAYS = ['stream', 'ranges', 'multipart write'] as const
type Content = (typeof CONTENTS)[number]
type Way = (typeof WAYS)[number]

/** What a fault leads to, beside the rows being there. */
interface Expected {
  /** Fewest retries; 0: none at all. */
  readonly retries: number
  /** The codes of one of which the error is, where there is to be one. */
  readonly codes?: readonly string[]
  /** Whether nothing can tell the fault, so that rows of one row group may be others. */
  readonly unnoticed?: boolean
}

interface FaultCase {
  readonly name: string
  readonly read?: S3Fault
  readonly write?: S3Fault
  /** What the first connections over TLS meet, where it is that. */
  readonly wire?: TcpFaults
  readonly expected: (way: Way, content: Content) => Expected
}

const CORRUPT = ['SOURCE_CORRUPT', 'CODEC_CORRUPT', 'PARQUET_CORRUPT', 'JSON_INVALID', 'TEXT_INVALID_UTF8']
const part = { operation: 'UploadPart' } as const
/** An answer of some size: a fault in the first byte of a file that is looked at would be none. */
const range = { operation: 'GetObject', when: ({ range }: S3Request) => bytesIn(range) > 20_000 } as const
const retried = () => ({ retries: 1 })

const FAULTS: readonly FaultCase[] = [
  {
    name: 'reset',
    read: { ...range, resetAfterBytes: 20_000, times: 2 },
    write: { ...part, resetRequestAfterBytes: 20_000, times: 2 },
    expected: retried,
  },
  {
    name: 'FIN',
    read: { ...range, endAfterBytes: 20_000, times: 2 },
    write: { ...part, endBefore: true, times: 2 },
    expected: retried,
  },
  {
    name: 'stall',
    read: { ...range, stallAfterBytes: 20_000 },
    write: { ...part, silent: true },
    expected: retried,
  },
  {
    name: 'slow',
    read: { ...range, bytesPerSecond: 8_000_000, times: Number.POSITIVE_INFINITY },
    write: { ...part, delayMs: 20, times: Number.POSITIVE_INFINITY },
    expected: () => ({ retries: 0 }),
  },
  {
    name: '503',
    read: { ...range, status: 503, times: 2 },
    write: { ...part, status: 503, times: 2 },
    expected: retried,
  },
  {
    name: '429',
    read: { ...range, status: 429, headers: { 'retry-after': '0' }, times: 2 },
    write: { ...part, status: 429, headers: { 'retry-after': '0' }, times: 2 },
    expected: retried,
  },
  {
    name: 'corrupt byte',
    read: { ...range, skip: 1, corruptByte: 20_000 },
    write: { ...part, corruptRequestByte: 20_000 },
    expected: (way, content) => {
      if (way === 'multipart write') return { retries: 1 }
      // S3 has checksums of objects, and none of ranges: for these TLS alone stands, which is not spoken here.
      if (way === 'ranges' && content === 'parquet') return { retries: 0, unnoticed: true }
      return { retries: 0, codes: CORRUPT }
    },
  },
  {
    name: 'corrupt byte, TLS',
    wire: { corruptByte: 40_000, corruptSentByte: 40_000 },
    expected: () => ({ retries: 1 }),
  },
  {
    name: 'replaced object',
    read: { ...range, resetAfterBytes: 20_000, after: replace },
    write: { ...part, after: replace },
    // Of two writers the one that closes last wins; of what is read nothing is ever joined to another object's.
    expected: way => (way === 'multipart write' ? { retries: 0 } : { retries: 1, codes: ['SOURCE_CHANGED'] }),
  },
  {
    name: 'cut listing',
    read: { operation: 'ListObjectsV2', endAfterBytes: 100, times: 2 },
    write: { operation: 'ListObjectsV2', endAfterBytes: 100, times: 2 },
    expected: retried,
  },
]

let plainServer: S3Server
/** The one that is reached. */
let server: S3Server
/** How it is reached. */
let connection: S3ConnectionOptions
let retries = 0
const rows: readonly Row[] = Array.from({ length: ROWS }, (_, i) => ({
  id: String(i),
  // Hard to compress, so that each object has many parts.
  noise: Array.from({ length: 6 }, (_, j) => Math.abs(Math.imul(i * 6 + j + 1, 0x9e3779b1)).toString(36)).join(''),
}))
const stored = new Map<Content, Uint8Array>()
const outcomes = new Map<string, string>()

beforeAll(async () => {
  plainServer = await startS3Server({ buckets: [BUCKET], minPartBytes: 1 })
  for (const content of CONTENTS) {
    const bytes = await encoded(content)
    expect(bytes.length).toBeGreaterThan(4 * PART_BYTES)
    stored.set(content, bytes)
  }
})
afterAll(async () => {
  await plainServer.stop()
  const { FAULT_MATRIX } = process.env
  if (FAULT_MATRIX !== undefined) writeFileSync(FAULT_MATRIX, tableOf(outcomes))
})
beforeEach(() => {
  plainServer.faults.clear()
  server = plainServer
  connection = server.clientOptions
  retries = 0
})

/** Works on a server that speaks TLS, by way of a proxy that meddles with the first connections. */
async function overTls<T>(wire: TcpFaults, work: () => Promise<T>): Promise<T> {
  const tls = createServerIdentity()
  server = await startS3Server({ buckets: [BUCKET], minPartBytes: 1, tls })
  const proxy = await startTcpProxy(server.port, { onConnection: n => (n <= 3 ? wire : undefined) })
  const endpoint = `https://127.0.0.1:${proxy.port}`
  const requestHandler = { httpsAgent: new Agent({ keepAlive: true, ca: tls.cert }) }
  const client = new S3Client({ ...server.clientOptions, endpoint, requestHandler })
  connection = { client }
  try {
    return await work()
  } finally {
    client.destroy()
    await proxy.stop()
    await server.stop()
  }
}

async function encoded(content: Content): Promise<Uint8Array> {
  if (content === 'parquet') {
    const columnData = ['id', 'noise'].map(name => ({
      name,
      data: rows.map(row => row[name]),
      type: 'STRING' as const,
    }))
    return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: GROUP_ROWS }))
  }
  const target = new MemoryTarget(`rows.${content}`)
  const writer = openIterable(target, { mode: 'w' })
  await writer.writeBulk(rows)
  await writer.close()
  return target.bytes()
}

/** Another object takes the place of the one that is read or written. */
function replace({ key }: { readonly key: string }): void {
  server.put(BUCKET, key, Buffer.alloc(500_000, 'other'))
}

const NETWORK = {
  timeoutMs: SILENCE_MS,
  retry: {
    attempts: 5,
    initialDelayMs: 1,
    onRetry: () => {
      retries++
    },
  },
} as const

const reached = (way: Way) => ({
  ...connection,
  partBytes: PART_BYTES,
  concurrency: way === 'stream' ? 1 : 3,
})

/** Bytes that a `Range` header asks for. */
function bytesIn(header: string | undefined): number {
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(header ?? '') ?? []
  return start === undefined ? Number.POSITIVE_INFINITY : Number(end) - Number(start) + 1
}

/** The objects below a prefix. */
async function targetsBelow(prefix: string) {
  const targets = []
  for await (const { target } of listIterable(`s3://${BUCKET}/${prefix}/**/*`, {
    ...NETWORK,
    s3: connection,
  })) {
    targets.push(s3LocationOf(target)!)
  }
  return targets
}

async function rowsOf(target: S3Location, way: Way, content: Content): Promise<Row[]> {
  const s3 = reached(way)
  if (content !== 'parquet' || way === 'ranges') return all(openIterable(target, { ...NETWORK, s3 }))
  // Parquet is read from its end; what streams is its bytes.
  const source = await openS3Source(target, { ...NETWORK, s3 })
  const { bytes, failed, error } = await drain(() => source.stream())
  await source[Symbol.asyncDispose]()
  if (failed) throw error
  return rowsIn(bytes, content)
}

const rowsIn = (bytes: Uint8Array, content: Content) => all(openIterable({ bytes, name: `rows.${content}` }))

async function all(iterable: AsyncIterable<Row>): Promise<Row[]> {
  const found: Row[] = []
  for await (const row of iterable) found.push(row)
  return found
}

/** Reads rows by way of a listing, as the fault may be of either. */
async function read(prefix: string, way: Way, content: Content): Promise<Row[]> {
  for (const name of ['a', 'b']) server.put(BUCKET, `${prefix}/${name}/rows.${content}`, stored.get(content)!)
  const [first, second, ...others] = await targetsBelow(prefix)
  expect(others).toEqual([])
  const found = await rowsOf(first!, way, content)
  expect(await rowsOf(second!, way, content)).toEqual(rows)
  return found
}

/** Writes what a listing tells to be there into one object, and gives its rows. */
async function write(prefix: string, content: Content): Promise<Row[]> {
  server.put(BUCKET, `${prefix}/from/rows.${content}`, stored.get(content)!)
  const [from] = await targetsBelow(`${prefix}/from`)
  const bytes = server.bytesOf(BUCKET, from!.key)!
  const key = `${prefix}/rows.${content}`
  const sink = await openS3Sink({ bucket: BUCKET, key }, { ...NETWORK, s3: reached('multipart write') })
  try {
    for (let at = 0; at < bytes.length; at += 50_000) await sink.write(bytes.subarray(at, at + 50_000))
    await sink.close()
  } finally {
    await sink[Symbol.asyncDispose]()
  }
  return rowsIn(server.bytesOf(BUCKET, key)!, content)
}

describe.each(FAULTS)('$name', ({ name, read: readFault, write: writeFault, wire, expected }) => {
  for (const way of WAYS) {
    for (const content of CONTENTS) {
      it(`${way} of ${content}`, async () => {
        const prefix = `${name}/${way}/${content}`
        const fault = way === 'multipart write' ? writeFault : readFault
        if (fault !== undefined) server.faults.add(fault)
        const wanted = expected(way, content)
        const work = () => (way === 'multipart write' ? write(prefix, content) : read(prefix, way, content))
        const result = await (wire === undefined ? work() : overTls(wire, work)).then(
          found => ({ found }),
          (error: unknown) => ({ error }),
        )
        const error = 'error' in result ? result.error : undefined
        if (error !== undefined && !(error instanceof OpenIterableError)) throw error
        const differing = 'found' in result ? rowsThatDiffer(result.found) : []
        const outcome = error?.code ?? (differing.length === 0 ? 'same rows' : 'other rows, unnoticed')
        outcomes.set(`${name}|${way}|${content}`, `${outcome}, ${retries}`)
        if (wanted.codes === undefined) expect(error).toBeUndefined()
        else expect(wanted.codes, `${error?.message}`).toContain(error?.code)
        if ('found' in result) expect(result.found.length).toBe(ROWS)
        if (wanted.unnoticed !== true) expect(differing).toEqual([])
        else expect(new Set(differing.map(index => Math.floor(index / GROUP_ROWS))).size).toBeLessThanOrEqual(1)
        if (wanted.retries === 0) expect(retries).toBe(0)
        else expect(retries).toBeGreaterThanOrEqual(wanted.retries)
        expect(server.storage.uploads.size).toBe(0)
      })
    }
  }
})

const rowsThatDiffer = (found: readonly Row[]) =>
  rows.flatMap(({ id, noise }, i) => (found[i]?.id === id && found[i]?.noise === noise ? [] : [i]))

function tableOf(cells: ReadonlyMap<string, string>): string {
  const columns = WAYS.flatMap(way => CONTENTS.map(content => [way, content] as const))
  const lines = [
    ['fault', ...columns.map(([way, content]) => `${way}, ${content}`)],
    ['---', ...columns.map(() => '---')],
    ...FAULTS.map(({ name }) => [
      name,
      ...columns.map(([way, content]) => cells.get(`${name}|${way}|${content}`) ?? '?'),
    ]),
  ]
  return lines.map(line => `| ${line.join(' | ')} |\n`).join('')
}
