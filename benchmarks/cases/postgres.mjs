/**
 * Reading Postgres: a table beside the drivers' own ways of streaming and `psql`, latency, concurrency, and resources.
 * The server is started here, from the binaries that the tests use; PGBIN or TEST_DATABASE_URL name another.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { startPostgres } from '../../test/support/postgres-server.mjs'
import { createCanonicalTally } from '../lib/canonical.mjs'
import { compare, measureOnce } from '../lib/measure.mjs'
import { connect, hasPsql } from '../lib/postgres.mjs'
import { chartRates, ratioOf } from '../lib/report.mjs'
import { median } from '../lib/statistics.mjs'
import { loadLibrary } from '../lib/subject.mjs'

const COLUMNS = 'id, big, f, t, ts, n, j, nb, b, ni'
const SQL = `SELECT ${COLUMNS} FROM bench`
const READ = [
  'pg-query-stream',
  'pg-query-stream 1000',
  'pg-cursor 1000',
  'postgres cursor',
  'psql COPY TO',
  'open-iterable',
  'open-iterable batches',
]
/** What a server far away takes for a query, seconds. */
const LATENCY_S = 0.03
const SMALL = 'SELECT id, t FROM small WHERE id = $1'

function canonical(value) {
  if (value === null) return ''
  // To the millisecond, which is all that the drivers keep.
  if (value instanceof Date) return String(value.getTime())
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const createTally = input => createCanonicalTally(input, canonical)

async function readByStream(input, clock, batchSize) {
  const { default: QueryStream } = await import('pg-query-stream')
  const client = await connect(input.url)
  const { take, result } = createTally(input)
  clock.start()
  for await (const row of client.query(new QueryStream(SQL, [], { batchSize }))) take(row)
  clock.stop()
  await client.end()
  return result()
}

async function readByOwn(input, clock, batches) {
  const { closeConnections, openIterable } = await loadLibrary()
  const { take, result } = createTally(input)
  await openIterable(input.url, { query: `${SQL} LIMIT 1` }).readBulk()
  clock.start()
  const reader = openIterable(input.url, { query: SQL })
  if (batches) {
    for await (const batch of reader.batches()) for (const row of batch) take(row)
  } else for await (const row of reader) take(row)
  clock.stop()
  await closeConnections()
  return result()
}

/** @type {Record<string, (input: any, clock: { start(): void, stop(): void }) => Promise<object>>} */
export const variants = {
  'pg-query-stream': (input, clock) => readByStream(input, clock, 100),
  'pg-query-stream 1000': (input, clock) => readByStream(input, clock, 1000),

  async 'pg-cursor 1000'(input, clock) {
    const { default: Cursor } = await import('pg-cursor')
    const client = await connect(input.url)
    const { take, result } = createTally(input)
    clock.start()
    const cursor = client.query(new Cursor(SQL))
    for (let rows = await cursor.read(1000); rows.length > 0; rows = await cursor.read(1000))
      for (const row of rows) take(row)
    clock.stop()
    await client.end()
    return result()
  },

  async 'postgres cursor'(input, clock) {
    const { default: postgres } = await import('postgres')
    const sql = postgres(input.url, { max: 1, onnotice() {} })
    await sql`SELECT 1`
    const { take, result } = createTally(input)
    clock.start()
    for await (const rows of sql.unsafe(SQL).cursor(1000)) for (const row of rows) take(row)
    clock.stop()
    await sql.end()
    return result()
  },

  /** Bytes into nowhere: what the server can give. */
  async 'psql COPY TO'({ url }, clock) {
    clock.start()
    const psql = spawn('psql', [url, '-qAtX', '-c', `COPY (${SQL}) TO STDOUT`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let rows = 0
    for await (const chunk of psql.stdout)
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows++
    clock.stop()
    return { rows }
  },

  'open-iterable': (input, clock) => readByOwn(input, clock, false),
  'open-iterable batches': (input, clock) => readByOwn(input, clock, true),

  /** Small queries, in alternation on two connections in transactions, and by a reader for each. */
  async latency({ url, count }) {
    const { closeConnections, openIterable, withTransaction } = await loadLibrary()
    const client = await connect(url)
    const times = { driver: [], adapter: [], reader: [] }
    const time = async (list, operation) => {
      const startedAt = performance.now()
      const rows = await operation()
      list.push(performance.now() - startedAt)
      if (rows.length !== 1) throw new Error(`a query gave ${rows.length} rows`)
    }
    await client.query('BEGIN')
    await withTransaction(url, async tx => {
      for (let i = 0; i < count; i++) {
        const id = 1 + (i % 1000)
        const byDriver = () => time(times.driver, async () => (await client.query(SMALL, [id])).rows)
        const byAdapter = () => time(times.adapter, async () => (await tx.query(SMALL, [id])).rows)
        // Whoever goes second finds the caches warm.
        for (const run of i % 2 === 0 ? [byDriver, byAdapter] : [byAdapter, byDriver]) await run()
      }
    })
    for (let i = 0; i < count; i++) {
      await time(times.reader, () => openIterable(url, { query: SMALL, params: [1 + (i % 1000)] }).readBulk())
    }
    await client.query('COMMIT')
    await client.end()
    await closeConnections()
    return { rows: count, ...Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)])) }
  },

  async operations({ url, count, concurrent }, clock) {
    const { closeConnections, openIterable } = await loadLibrary()
    const run = i =>
      openIterable(url, { query: `SELECT $1::int AS i, pg_sleep(${LATENCY_S})`, params: [i], poolSize: 20 }).readBulk()
    await Promise.all(Array.from({ length: 20 }, (_, i) => run(i)))
    clock.start()
    if (concurrent) await Promise.all(Array.from({ length: count }, (_, i) => run(i)))
    else for (let i = 0; i < count; i++) await run(i)
    clock.stop()
    await closeConnections()
    return { rows: count }
  },

  /** 100 readers at once of 10,000 rows each: how much memory they take beside one. */
  async tasks({ url, count }) {
    const { closeConnections, openIterable } = await loadLibrary()
    let rows = 0
    const read = async () => {
      for await (const _ of openIterable(url, { query: `${SQL} LIMIT 10000` })) rows++
    }
    await read()
    await Promise.all(Array.from({ length: count }, read))
    await closeConnections()
    return { rows }
  },

  /** What is left of operations of all kinds: descriptors and heap of this process, sessions of the server. */
  async lifecycle({ url, count }) {
    const { closeConnections, openIterable } = await loadLibrary()
    const admin = await connect(url)
    const operate = async i => {
      await openIterable(url, { query: SMALL, params: [1 + (i % 1000)] }).readBulk()
      for await (const _ of openIterable(url, { query: SQL, batchSize: 100 })) break
      await openIterable(url, { query: 'SELECT 1 / 0' })
        .read()
        .catch(() => {})
    }
    const state = async () => {
      for (let i = 0; i < 5; i++) {
        globalThis.gc()
        await setImmediate()
      }
      const { rows } = await admin.query(
        "SELECT count(*)::int AS n, count(*) FILTER (WHERE state <> 'idle')::int AS busy FROM pg_stat_activity WHERE application_name = 'open-iterable'",
      )
      return {
        sessions: rows[0].n,
        busy: rows[0].busy,
        descriptors: readdirSync('/proc/self/fd').length,
        heap: process.memoryUsage().heapUsed,
      }
    }
    for (let i = 0; i < 100; i++) await operate(i)
    const before = await state()
    for (let i = 0; i < count; i++) await operate(i)
    const after = await state()
    await closeConnections()
    await admin.end()
    return { rows: count, before, after }
  },
}

async function seed(url, rows) {
  const client = await connect(url)
  await client.query(`CREATE TABLE bench (id int4, big int8, f float8, t text, ts timestamptz, n numeric(12,2), j jsonb, nb text, b bool, ni int4);
    CREATE TABLE small (id int4 PRIMARY KEY, t text);
    INSERT INTO small SELECT i, 'name of row ' || i FROM generate_series(1, 1000) AS i`)
  await client.query(
    `INSERT INTO bench SELECT i, i::int8 * 1234567, i * 0.37 + 0.1, 'name of row ' || i || ' é',
      '2024-01-01Z'::timestamptz + i * interval '1.003 second', (i * 1.01)::numeric(12,2), jsonb_build_object('k', i, 's', 'v' || (i % 100)),
      CASE WHEN i % 2 = 0 THEN NULL ELSE 'text with, comma and "quote" ' || i % 1000 END, i % 3 = 0,
      CASE WHEN i % 5 = 0 THEN NULL ELSE i % 100000 END FROM generate_series(1, $1::int) AS i`,
    [rows],
  )
  await client.query('VACUUM ANALYZE')
  await client.end()
}

/** @param {import('../run.mjs').Context} context */
export async function run({ report, quick, rounds, choose }) {
  const server = await startPostgres({ settings: { max_connections: '120' } })
  try {
    const { url } = server
    const rows = quick ? 500_000 : 1_000_000
    await seed(url, rows)
    await compareReading({ report, rounds, choose, url, rows })
    await measureLatency(report, url, quick ? 2000 : 10_000)
    await measureConcurrency(report, url, rounds)
    await measureResources(report, url, quick ? 200 : 1000)
  } finally {
    await server.stop()
  }
}

async function compareReading({ report, rounds, choose, url, rows }) {
  const withPsql = hasPsql(report)
  const names = choose(READ.filter(name => withPsql || name !== 'psql COPY TO'))
  const summaries = await compare(
    {
      case: 'postgres',
      variants: names,
      reference: 'pg-query-stream',
      input: { url },
      sample: { url, prove: true },
      repetitions: 1,
      rounds,
    },
    (message, variant) => {
      if (variant.startsWith('open-iterable')) report.fail(message)
      else report.finding('postgres', variant, message)
    },
  )
  const reference = summaries['pg-query-stream']?.ms
  report.table(
    `${rows.toLocaleString('en')} rows of 10 columns`,
    ['', 'ms', 'rows/s', '× pg-query-stream', 'peak MB'],
    Object.entries(summaries).map(([name, { ms, peakRss }]) => [
      name,
      ms.toFixed(0),
      Math.round((rows / ms) * 1000).toLocaleString('en'),
      reference === undefined ? '' : (reference / ms).toFixed(2),
      name === 'psql COPY TO' ? '' : (peakRss / 2 ** 20).toFixed(0),
    ]),
  )
  report.ratios('read', summaries, { base: 'pg-query-stream' })
  report.chart(
    chartRates(summaries, {
      amount: rows,
      unit: 'thousand rows/s',
      file: 'postgres.svg',
      title: `Postgres → row objects, ${rows.toLocaleString('en')} rows of 10 columns`,
      subtitle: 'psql only copies text and throws it away',
    }),
  )
  const own = summaries['open-iterable']
  report.headline('Postgres by row, × pg-query-stream', ratioOf(summaries, 'pg-query-stream', 'open-iterable'))
  report.target('rows over pg-query-stream(100)', reference / own?.ms, { atLeast: 2 })
  report.target('rows over psql COPY TO', summaries['psql COPY TO']?.ms / own?.ms, { atLeast: 0.7 })
  report.target('peak memory', own?.peakRss / 2 ** 20, { atMost: 110, unit: ' MB' })
}

async function measureLatency(report, url, count) {
  const { driver, adapter, reader } = await measureOnce({ case: 'postgres', variant: 'latency', input: { url, count } })
  const micro = ms => (ms * 1000).toFixed(0)
  report.table(
    `${count.toLocaleString('en')} small queries, median`,
    ['', 'µs'],
    [
      ['client.query of the driver, in a transaction', micro(driver)],
      ['query() of withTransaction', micro(adapter)],
      ['openIterable, BEGIN READ ONLY and COMMIT included', micro(reader)],
    ],
  )
  report.target('latency of query() over that of the driver', adapter / driver, { atMost: 1.1 })
}

async function measureConcurrency(report, url, rounds) {
  const measure = async (count, concurrent) => {
    const all = []
    for (let i = 0; i < rounds; i++) {
      const { ms } = await measureOnce({ case: 'postgres', variant: 'operations', input: { url, count, concurrent } })
      all.push(ms / count)
    }
    return median(all)
  }
  const sequential = await measure(10, false)
  const concurrent = await measure(20, true)
  report.table(
    `operations that a server takes ${LATENCY_S * 1000} ms for`,
    ['', 'ms each'],
    [
      ['10, one after the other', sequential.toFixed(1)],
      ['20 at once', concurrent.toFixed(1)],
    ],
  )
  report.target('20 at once over 10 in turn', sequential / concurrent, { atLeast: 4 })
}

async function measureResources(report, url, count) {
  const one = await measureOnce({ case: 'postgres', variant: 'tasks', input: { url, count: 1 } })
  const many = await measureOnce({ case: 'postgres', variant: 'tasks', input: { url, count: 100 } })
  report.target('100 readers at once over one', (many.peakRss - one.peakRss) / 2 ** 20, {
    atMost: 100,
    unit: ' MB more',
  })
  const input = { url, count }
  const { before, after } = await measureOnce({ case: 'postgres', variant: 'lifecycle', input }, ['--expose-gc'])
  report.table(
    `before and after ${3 * count} operations: whole, left early, failed`,
    ['', 'before', 'after'],
    [
      ['sessions of the server', String(before.sessions), String(after.sessions)],
      ['of these busy', String(before.busy), String(after.busy)],
      ['descriptors', String(before.descriptors), String(after.descriptors)],
      ['heap, MB', (before.heap / 2 ** 20).toFixed(1), (after.heap / 2 ** 20).toFixed(1)],
    ],
  )
  report.target('descriptors', after.descriptors - before.descriptors, { atMost: 2, unit: ' more' })
  report.target('sessions', after.sessions - before.sessions, { atMost: 2, unit: ' more' })
  report.target('heap', (after.heap - before.heap) / 2 ** 20, { atMost: 2, unit: ' MB more' })
}
