/** Postgres behind a network that fails: nothing hangs, no row is lost in silence, and the pool recovers. */
import pg from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { openIterable, type ReadOptions } from '../../src/index.ts'
import { countConnections } from '../../src/sources/postgres/pool.ts'
import { startTcpProxy, type TcpProxy, type TcpProxyOptions } from '../support/tcp-proxy.ts'
import { collect, errorOf, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
const ROWS = 100_000
const query = `SELECT i, repeat('x', 100) AS t FROM generate_series(1, ${ROWS}) AS i`
const AFTER_BYTES = 2_000_000

/** What became of each fault, to be looked at. */
const outcomes: Record<string, { outcome: string; rows: number; 'next read': string }> = {}
afterAll(() => console.table(outcomes))

async function withProxy<T>(options: TcpProxyOptions, work: (proxy: TcpProxy, url: string) => Promise<T>): Promise<T> {
  const proxy = await startTcpProxy(subject.server.port, options)
  try {
    return await work(proxy, subject.at(proxy.port))
  } finally {
    await proxy.stop()
  }
}

/** Reads until something happens; rows that come are right, one after the other. */
async function read(url: string, options: ReadOptions): Promise<{ outcome: string; rows: number; error?: unknown }> {
  let rows = 0
  try {
    for await (const { i } of openIterable<{ i: number }>(url, { query, ...options })) {
      expect(i).toBe(++rows)
    }
    return { outcome: 'all rows', rows }
  } catch (error) {
    return { outcome: String((error as { code?: unknown }).code ?? error), rows, error }
  }
}

async function record(name: string, url: string, outcome: Awaited<ReturnType<typeof read>>): Promise<void> {
  const next = await read(url, { query: 'SELECT 1 AS i', retry: { attempts: 5, initialDelayMs: 10 } })
  outcomes[name] = { outcome: outcome.outcome, rows: outcome.rows, 'next read': next.outcome }
  expect(next.outcome).toBe('all rows')
  // The end of a read that is through is not waited for.
  while (countConnections().inUse > 0) await new Promise(setImmediate)
}

describe.each([
  ['row-limited', 1000],
  ['unlimited', 0],
])('a connection that breaks while rows come (%s)', (kind, batchSize) => {
  it.each([
    ['reset', { resetAfterBytes: AFTER_BYTES }],
    ['FIN', { endAfterBytes: AFTER_BYTES }],
    ['stall', { stallAfterBytes: AFTER_BYTES }],
  ] as const)('%s', async (name, faults) => {
    await withProxy({ faults }, async (proxy, url) => {
      const outcome = await read(url, { batchSize, timeoutMs: 300 })
      expect(outcome.outcome).toBe(name === 'stall' ? 'TIMEOUT' : 'SOURCE_FAILED')
      expect(outcome.rows).toBeGreaterThan(0)
      expect(outcome.rows).toBeLessThan(ROWS)
      proxy.faults = {}
      await record(`${name}, ${kind}`, url, outcome)
    })
  })

  it('pg_terminate_backend', async () => {
    await withProxy({}, async (_, url) => {
      const reader = openIterable<{ i: number }>(url, { query, batchSize })
      let rows = 0
      const error = await errorOf(
        (async () => {
          for await (const { i } of reader) {
            expect(i).toBe(++rows)
            if (i !== 1000) continue
            await subject.admin.query(
              `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'open-iterable'`,
            )
          }
        })(),
      )
      expect(error).toMatchObject({ code: 'SOURCE_FAILED' })
      expect(rows).toBeLessThan(ROWS)
      await record(`pg_terminate_backend, ${kind}`, url, { outcome: String(error.code), rows })
    })
  })

  it('a break while the server is silent', async () => {
    await withProxy({ faults: { stallAfterBytes: AFTER_BYTES } }, async (proxy, url) => {
      let rows = 0
      for await (const _ of openIterable(url, { query, batchSize })) if (++rows === 10) break
      proxy.faults = {}
      await record(`break while stalled, ${kind}`, url, { outcome: 'ended', rows })
    })
  })
})

describe('a server that is far or busy', () => {
  it('loses nothing where data comes byte by byte', async () => {
    await withProxy({ faults: { pieceBytes: 1 } }, async (_, url) => {
      const sql = `SELECT i, repeat('é', i % 5) AS t, CASE WHEN i % 3 = 0 THEN NULL ELSE i::text END AS n FROM generate_series(1, 100) AS i`
      const { rows } = await subject.admin.query(sql)
      expect(await collect(openIterable(url, { query: sql, batchSize: 7 }))).toEqual(rows)
    })
  })

  it('takes a query that works long for what it is, however silent', async () => {
    await withProxy({}, async (_, url) => {
      const outcome = await read(url, { query: 'SELECT 1 AS i, pg_sleep(2)', timeoutMs: 500 })
      expect(outcome.outcome).toBe('all rows')
      await record('a slow query, timeoutMs: 500', url, outcome)
    })
  })

  it('does not count the time that a consumer takes', async () => {
    const reader = openIterable(subject.url, { query, timeoutMs: 50, batchSize: 0 })
    await reader.read()
    const since = performance.now()
    while (performance.now() - since < 200) await new Promise(setImmediate)
    expect(await collect(reader)).toHaveLength(ROWS - 1)
  })

  it('gives up a host that never answers, and says so', async () => {
    await withProxy({ faults: { blackHole: true } }, async (proxy, url) => {
      const retries: number[] = []
      const retry = {
        attempts: 3,
        initialDelayMs: 1,
        onRetry: ({ attempt }: { attempt: number }) => void retries.push(attempt),
      }
      const outcome = await read(url, { connectTimeoutMs: 100, retry })
      expect([outcome.outcome, retries, proxy.accepted]).toEqual(['TIMEOUT', [1, 2], 3])
      proxy.faults = {}
      await record('black hole at connect', url, outcome)
    })
  })

  it('tries again to connect, where that may help, and tells of it', async () => {
    await withProxy({ onConnection: n => (n < 3 ? { refuse: true } : {}) }, async (proxy, url) => {
      const outcome = await read(url, { retry: { attempts: 5, initialDelayMs: 1 } })
      expect([outcome.outcome, proxy.accepted]).toEqual(['all rows', 3])
      await record('refused twice at connect', url, outcome)
    })
    const wrong = await errorOf(openIterable(subject.url.replace(/\/postgres$/, '/nowhere'), { query }).read())
    expect(wrong).toMatchObject({ code: 'SOURCE_NOT_FOUND', cause: { sqlState: '3D000' } })
  })

  it('ends waiting for a connection by an abort at once', async () => {
    await withProxy({ faults: { blackHole: true } }, async (_, url) => {
      const controller = new AbortController()
      const waiting = errorOf(openIterable(url, { query, signal: controller.signal }).read())
      await new Promise(setImmediate)
      const reason = new Error('enough')
      controller.abort(reason)
      expect(await waiting).toBe(reason)
    })
  })

  it('waits for the pool no longer than acquireTimeoutMs', async () => {
    const options = { query, poolSize: 1, acquireTimeoutMs: 20 }
    const holder = openIterable(subject.url, options)
    await holder.read()
    expect(await errorOf(openIterable(subject.url, options).read())).toMatchObject({ code: 'POOL_EXHAUSTED' })
    await holder.close()
    expect((await read(subject.url, options)).rows).toBe(ROWS)
  })

  it('waits until a server that is full has room', async () => {
    await withProxy({}, async (_, url) => {
      const others: pg.Client[] = []
      for (;;) {
        const client = new pg.Client(subject.url)
        client.on('error', () => {})
        try {
          await client.connect()
          others.push(client)
        } catch {
          break
        }
      }
      const full = await read(url, { retry: { attempts: 1 } })
      expect(full.error).toMatchObject({ code: 'SOURCE_FAILED', cause: { sqlState: '53300' } })
      const freeing = { attempts: 10, initialDelayMs: 1, onRetry: () => void others.pop()?.end() }
      const outcome = await read(url, { retry: freeing })
      expect(outcome.outcome).toBe('all rows')
      await Promise.all(others.map(client => client.end()))
      await record('too many connections', url, outcome)
    })
  })

  it('recovers from a restart of the server, between reads and during one', async ({ skip }) => {
    if (!subject.server.own) skip('the server of TEST_DATABASE_URL is not ours to restart')
    expect((await read(subject.url, {})).outcome).toBe('all rows')
    await subject.server.restart()
    const between = await read(subject.url, { retry: { attempts: 5, initialDelayMs: 10 } })
    expect(between.outcome).toBe('all rows')
    await record('restart between reads', subject.url, between)
    let rows = 0
    const error = await errorOf(
      (async () => {
        for await (const { i } of openIterable<{ i: number }>(subject.url, { query })) {
          expect(i).toBe(++rows)
          if (i === 1000) await subject.server.restart()
        }
      })(),
    )
    expect(error.code).toBe('SOURCE_FAILED')
    await record('restart during a read', subject.url, { outcome: String(error.code), rows })
  })
})
