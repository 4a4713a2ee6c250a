/** Writing to Postgres over a network that fails: the table is as it was or whole, nothing hangs, and the pool recovers. */
import pg from 'pg'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openIterable, type WriteOptions } from '../../src/index.ts'
import { countConnections } from '../../src/sources/postgres/pool.ts'
import { startTcpProxy, type TcpProxy, type TcpProxyOptions } from '../support/tcp-proxy.ts'
import { errorOf, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
const ROWS = 50_000
const AFTER_BYTES = 500_000
/** What became of each fault, to be looked at. */
const outcomes: Record<string, { outcome: string; table: string; 'next write': string }> = {}
afterAll(() => console.table(outcomes))

function* rows(from = 1) {
  for (let id = from; id < from + ROWS; id++) yield { id, name: 'x'.repeat(50) }
}

beforeEach(async () => {
  await subject.admin.query(`DROP TABLE IF EXISTS people CASCADE;
    CREATE TABLE people (id int4 PRIMARY KEY, name text); INSERT INTO people VALUES (0, 'was there')`)
})

const count = async () => (await subject.admin.query('SELECT count(*)::int AS n FROM people')).rows[0].n as number
const open = (url: string, options: Partial<WriteOptions> = {}) =>
  openIterable<object>(url, { mode: 'w', table: 'people', timeoutMs: 300, ...options } as WriteOptions)

async function withProxy<T>(options: TcpProxyOptions, work: (proxy: TcpProxy, url: string) => Promise<T>): Promise<T> {
  const proxy = await startTcpProxy(subject.server.port, options)
  try {
    return await work(proxy, subject.at(proxy.port))
  } finally {
    await proxy.stop()
  }
}

/** Writes until something happens. */
async function write(url: string, options: Partial<WriteOptions> = {}): Promise<string> {
  const out = open(url, options)
  try {
    await out.writeBulk(rows())
    await out.close()
    return 'written'
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error)
  } finally {
    await out[Symbol.asyncDispose]()
  }
}

/** Waits until the server has noticed, then looks, and writes again. */
async function record(name: string, url: string, outcome: string, present = 1): Promise<void> {
  while ((await subject.sessions()).some(state => state !== 'idle')) await new Promise(setImmediate)
  expect(await count()).toBe(present)
  expect(countConnections().inUse).toBe(0)
  const out = open(url, { retry: { attempts: 5, initialDelayMs: 10 } })
  await out.write({ id: -1, name: 'again' })
  await out.close()
  expect(await count()).toBe(present + 1)
  outcomes[name] = { outcome, table: present === 1 ? 'as it was' : 'whole', 'next write': 'written' }
}

const terminate = () =>
  subject.admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'open-iterable'`)

const ROADS: [string, Partial<WriteOptions>][] = [
  ['COPY', {}],
  ['COPY by batches', { onError: 'skip' }],
  ['staging', { onConflict: 'update' }],
  ['INSERT', { copy: false }],
]

describe.each(ROADS)('a connection that breaks while rows go (%s)', (road, options) => {
  it('reset', async () => {
    await withProxy({ faults: { resetAfterSentBytes: AFTER_BYTES } }, async (proxy, url) => {
      const outcome = await write(url, options)
      expect(outcome).toBe('SINK_FAILED')
      proxy.faults = {}
      await record(`reset, ${road}`, url, outcome)
    })
  })

  it('stall', async () => {
    await withProxy({ faults: { stallAfterSentBytes: AFTER_BYTES } }, async (proxy, url) => {
      const outcome = await write(url, options)
      expect(outcome).toBe('TIMEOUT')
      proxy.faults = {}
      await record(`stall, ${road}`, url, outcome)
    })
  })

  it('FIN', async () => {
    await withProxy({}, async (proxy, url) => {
      const first = open(url, options)
      await first
      const bytes = proxy.receivedBytes
      await first.abort()
      proxy.resetAll()
      proxy.faults = { endAfterBytes: bytes }
      const outcome = await write(url, options)
      expect(outcome).toBe('SINK_FAILED')
      proxy.faults = {}
      await record(`FIN, ${road}`, url, outcome)
    })
  })

  it('pg_terminate_backend', async () => {
    const out = open(subject.url, options)
    await out.writeBulk(rows())
    await terminate()
    const error = await errorOf(out.writeBulk(rows(ROWS + 1)).then(() => out.close()))
    expect(error.code).toBe('SINK_FAILED')
    await record(`pg_terminate_backend, ${road}`, subject.url, String(error.code))
  })

  it('abort while the server is silent', async () => {
    await withProxy({ faults: { stallAfterSentBytes: AFTER_BYTES } }, async (proxy, url) => {
      const controller = new AbortController()
      const out = open(url, { ...options, signal: controller.signal, timeoutMs: Number.POSITIVE_INFINITY })
      const writing = errorOf(out.writeBulk(rows()).then(() => out.close()))
      while (proxy.receivedBytes === 0) await new Promise(setImmediate)
      const reason = new Error('enough')
      controller.abort(reason)
      expect(await writing).toBe(reason)
      await out[Symbol.asyncDispose]()
      proxy.faults = {}
      await record(`abort while stalled, ${road}`, url, 'aborted')
    })
  })

  it('an error like that of a full disk', async () => {
    await subject.admin.query(`CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.id = 30000 THEN RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION full_disk()`)
    const outcome = await write(subject.url, options)
    expect(outcome).toBe('SINK_FULL')
    await record(`disk full, ${road}`, subject.url, outcome)
  })
})

describe('the end of a transaction', () => {
  /** COMMIT waits for a lock that we hold. */
  async function whileCommitting(work: (lock: pg.Client, closing: Promise<void>, proxy: TcpProxy) => Promise<void>) {
    await subject.admin.query(`CREATE OR REPLACE FUNCTION wait_for_lock() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_for_lock()`)
    const lock = new pg.Client(subject.url)
    await lock.connect()
    await lock.query('SELECT pg_advisory_lock(7)')
    await withProxy({}, async (proxy, url) => {
      const out = open(url)
      await out.write({ id: 1, name: 'x' })
      const closing = out.close()
      closing.catch(() => {})
      const waits = `SELECT FROM pg_stat_activity WHERE wait_event = 'advisory' AND query = 'COMMIT'`
      while ((await subject.admin.query(waits)).rowCount === 0) await new Promise(setImmediate)
      await work(lock, closing, proxy)
      await out[Symbol.asyncDispose]()
    })
    await lock.end()
  }

  it('is looked up where its answer was lost, and was a commit', async () => {
    await whileCommitting(async (lock, closing, proxy) => {
      proxy.resetAll()
      await lock.query('SELECT pg_advisory_unlock(7)')
      await closing
      await record('answer to COMMIT lost', subject.url, 'written', 2)
    })
  })

  it('is looked up where its answer was lost, and was none', async () => {
    await whileCommitting(async (lock, closing) => {
      await terminate()
      const error = await errorOf(closing)
      expect(error.code).toBe('SINK_FAILED')
      await lock.query('SELECT pg_advisory_unlock(7)')
      await subject.admin.query('DROP TRIGGER waits ON people')
      await record('terminated while committing', subject.url, String(error.code))
    })
  })

  it('says what a deferred constraint refuses, and leaves nothing', async () => {
    await subject.admin.query(
      `ALTER TABLE people ADD COLUMN boss int REFERENCES people (id) DEFERRABLE INITIALLY DEFERRED`,
    )
    const out = open(subject.url)
    await out.writeBulk([
      { id: 1, name: 'x', boss: 2 },
      { id: 2, name: 'y', boss: 3 },
    ])
    const error = await errorOf(out.close())
    expect(error).toMatchObject({ code: 'ROW_REFUSED', message: expect.stringContaining('Key (boss)=(3)') })
    await record('deferred constraint at COMMIT', subject.url, String(error.code))
  })
})

describe('a server that is far or busy', () => {
  it('gets every byte where data goes slowly', async () => {
    await withProxy({ faults: { pieceBytes: 1 } }, async (_, url) => {
      const out = open(url)
      await out.writeBulk([...rows()].slice(0, 1000))
      await out.close()
    })
    expect(await count()).toBe(1001)
  })

  it('recovers from a restart of the server during a write', async ({ skip }) => {
    if (!subject.server.own) skip('the server of TEST_DATABASE_URL is not ours to restart')
    const out = open(subject.url)
    await out.writeBulk(rows())
    await subject.server.restart()
    const error = await errorOf(out.writeBulk(rows(ROWS + 1)).then(() => out.close()))
    expect(error.code).toBe('SINK_FAILED')
    await out[Symbol.asyncDispose]()
    const admin = new pg.Client(subject.url)
    await admin.connect()
    const { rows: found } = await admin.query('SELECT count(*)::int AS n FROM people')
    expect(found).toEqual([{ n: 1 }])
    const again = open(subject.url, { retry: { attempts: 5, initialDelayMs: 10 } })
    await again.write({ id: 1, name: 'again' })
    await again.close()
    expect((await admin.query('SELECT count(*)::int AS n FROM people')).rows).toEqual([{ n: 2 }])
    await admin.end()
    outcomes['restart during a write'] = {
      outcome: String(error.code),
      table: 'as it was',
      'next write': 'written',
    }
  })
})
