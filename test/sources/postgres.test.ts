/** Reading Postgres: queries and tables, ending early, transactions, snapshots, pools and clients of the user's. */
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import {
  closeConnections,
  type LazyReader,
  listTables,
  openIterable,
  type Row,
  withTransaction,
} from '../../src/index.ts'
import { countConnections } from '../../src/sources/postgres/pool.ts'
import { collect, errorOf, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
const numbers = (count: number) => `SELECT i, 'name ' || i AS name FROM generate_series(1, ${count}) AS i`

/** The only row. */
const only = async (reader: LazyReader): Promise<Row> => {
  const rows = await reader.readBulk()
  expect(rows).toHaveLength(1)
  return rows[0]!
}

async function seed(): Promise<void> {
  await subject.admin.query(`
    CREATE TABLE IF NOT EXISTS people (id int4 PRIMARY KEY, "Full name" text, born date, score float8);
    TRUNCATE people;
    INSERT INTO people VALUES (1, 'Ada', '1815-12-10', 9.5), (2, 'Bob "B"', NULL, NULL), (3, 'Çelik', '1990-01-01', -1)`)
}

describe('reading', () => {
  it('gives the rows of a query, with parameters, in order and with its columns', async () => {
    const reader = await openIterable(subject.url, {
      query: 'SELECT i, $2::text AS t FROM generate_series(1, $1) AS i',
      params: [5000, 'é'],
    })
    expect(reader.columns).toEqual(['i', 't'])
    expect(reader.schema?.columns.map(({ name, type }) => [name, type])).toEqual([
      ['i', 'integer'],
      ['t', 'text'],
    ])
    const rows = await collect(reader)
    expect(rows).toEqual(Array.from({ length: 5000 }, (_, i) => ({ i: i + 1, t: 'é' })))
  })

  it.each([1, 2, 7, 100, 5000, 5001, 0])('gives all rows once with a batchSize of %i', async batchSize => {
    const rows = await collect(
      openIterable(subject.url, { query: numbers(batchSize < 3 && batchSize > 0 ? 50 : 5000), batchSize }),
    )
    expect(rows.map(row => row.i)).toEqual(Array.from({ length: rows.length }, (_, i) => i + 1))
    expect(rows).toHaveLength(batchSize < 3 && batchSize > 0 ? 50 : 5000)
  })

  it('takes results without rows and without columns for what they are', async () => {
    expect(await collect(openIterable(subject.url, { query: 'SELECT 1 AS a WHERE false' }))).toEqual([])
    expect(await collect(openIterable(subject.url, { query: '' }))).toEqual([])
    expect(await openIterable(subject.url, { query: 'SELECT FROM generate_series(1, 3)' }).readBulk()).toEqual([
      {},
      {},
      {},
    ])
    const { rows } = await subject.admin.query("SELECT to_regclass('made') AS made")
    expect(rows[0].made).toBe(null)
    expect(await collect(openIterable(subject.url, { query: 'CREATE TABLE made (a int)', readOnly: false }))).toEqual(
      [],
    )
    await subject.admin.query('DROP TABLE made')
  })

  it('keeps each value of columns that have the same name, and a column named __proto__', async () => {
    const reader = await openIterable(subject.url, { query: 'SELECT 1 AS a, 2 AS a, 3 AS a_2, 4 AS "__proto__", 5' })
    expect(reader.columns).toEqual(['a', 'a_3', 'a_2', '__proto__', '?column?'])
    const [row = {}] = await reader.readBulk()
    expect(Object.entries(row)).toEqual([
      ['a', 1],
      ['a_3', 2],
      ['a_2', 3],
      ['__proto__', 4],
      ['?column?', 5],
    ])
    const many = await collect(
      openIterable(subject.url, { query: 'SELECT i AS "__proto__" FROM generate_series(1, 500) i' }),
    )
    expect(many.map(one => Object.getOwnPropertyDescriptor(one, '__proto__')?.value)).toEqual(
      Array.from({ length: 500 }, (_, i) => i + 1),
    )
  })

  it('reads values larger than any chunk, and many columns', async () => {
    const rows = await collect(
      openIterable<{ size: number; text: string; bytes: Uint8Array }>(subject.url, {
        query: `SELECT n AS size, repeat('é', n) AS text, decode(repeat('0f', n), 'hex') AS bytes FROM unnest($1::int[]) AS n`,
        params: [[0, 1, 65_530, 65_536, 3_000_000]],
      }),
    )
    for (const { size, text, bytes } of rows) {
      expect(text).toBe('é'.repeat(size))
      expect([bytes.length, bytes.every(byte => byte === 15)]).toEqual([size, true])
    }
    const wide = Array.from({ length: 1600 }, (_, i) => `${i} AS c${i}`).join(', ')
    const [row] = await openIterable(subject.url, { query: `SELECT ${wide} FROM generate_series(1, 300)` }).readBulk()
    expect(Object.values(row!)).toEqual(Array.from({ length: 1600 }, (_, i) => i))
  })

  it('reads tables by columns, conditions, order, limit and offset, every name quoted', async () => {
    await seed()
    const table = 'public.people'
    const read = (options: object) => collect(openIterable(subject.url, { table, ...options }))
    expect(await read({ columns: ['Full name'], where: 'id >= $1', params: [2], orderBy: 'id' })).toEqual([
      { 'Full name': 'Bob "B"' },
      { 'Full name': 'Çelik' },
    ])
    expect(
      await read({ columns: ['id'], where: ['id < $1', 3], orderBy: [{ column: 'id', descending: true }] }),
    ).toEqual([{ id: 2 }, { id: 1 }])
    expect(
      await read({ columns: ['id'], orderBy: [{ column: 'score', nulls: 'first' }], limit: 2, offset: 1 }),
    ).toEqual([{ id: 3 }, { id: 1 }])
    expect(await read({ columns: ['id'], orderBy: { column: 'score' } }).catch(e => e.code)).toBe('OPTION_INVALID')
    expect(await collect(openIterable(`${subject.url}?table=people`, { limit: 1, columns: ['id'] }))).toEqual([
      { id: 1 },
    ])
    await subject.admin.query(
      'CREATE SCHEMA "od.d"; CREATE TABLE "od.d"."t""x" ("sel;ect" int); INSERT INTO "od.d"."t""x" VALUES (7)',
    )
    expect(await collect(openIterable(subject.url, { table: '"od.d"."t""x"', columns: ['sel;ect'] }))).toEqual([
      { 'sel;ect': 7 },
    ])
    await subject.admin.query('DROP SCHEMA "od.d" CASCADE')
  })

  it('reads what a filter object means', async () => {
    await seed()
    const ids = async (where: object) =>
      (await collect(openIterable(subject.url, { table: 'people', where: where as never, orderBy: 'id' }))).map(
        row => row.id,
      )
    expect(await ids({ id: 2 })).toEqual([2])
    expect(await ids({ score: { gt: -1.5 } })).toEqual([1, 3])
    expect(await ids({ score: { ne: 9.5 } })).toEqual([2, 3])
    expect(await ids({ score: null })).toEqual([2])
    expect(await ids({ id: { gt: 1.5, lt: 3_000_000_000 } })).toEqual([2, 3])
    expect(await ids({ none: [{ score: { gt: 0 } }] })).toEqual([2, 3])
    expect(await ids({ any: [{ id: { in: [1, 99] } }, { born: null }] })).toEqual([1, 2])
    expect(await ids({ score: { notIn: [9.5] } })).toEqual([2, 3])
    expect(await ids({ 'Full name': { startsWith: 'Bob "' } })).toEqual([2])
    expect(await ids({ 'Full name': { startsWith: '%' } })).toEqual([])
    expect(await ids({ born: { lt: new Date('1900-01-01') } })).toEqual([1])
  })

  it('refuses options that contradict each other, and says which', async () => {
    const codes = async (options: object, target: string = subject.url) => {
      const error = await errorOf(openIterable(target, options).read())
      return [error.code, error.message]
    }
    expect(await codes({})).toEqual(['OPTION_INVALID', expect.stringContaining('neither query and table')])
    expect(await codes({ query: 'SELECT 1', table: 'x' })).toEqual(['OPTION_INVALID', expect.stringContaining('both')])
    expect(await codes({ query: 'SELECT 1', limit: 3 })).toEqual(['OPTION_INVALID', expect.stringContaining('limit')])
    expect(await codes({ tabel: 'x' })).toEqual(['OPTION_UNKNOWN', expect.stringContaining('did you mean table?')])
    expect(await codes({ table: 'a..b' })).toEqual(['OPTION_INVALID', expect.stringContaining('a..b')])
    expect(await codes({ query: 'SELECT $1::int', params: [() => 1] })).toEqual([
      'OPTION_INVALID',
      expect.stringContaining('params[0]'),
    ])
  })
})

describe('errors', () => {
  it('tell the SQLSTATE, the place in the SQL, and what to do next', async () => {
    const error = await errorOf(openIterable(subject.url, { query: "SELECT 'é',\n  nam FROM pg_class" }).read())
    expect(error).toMatchObject({ code: 'QUERY_INVALID', line: 2, column: 3, cause: { sqlState: '42703' } })
    expect(error.message).toContain('column "nam" does not exist (SQLSTATE 42703)')
    const missing = await errorOf(openIterable(subject.url, { table: 'nowhere' }).read())
    expect(missing).toMatchObject({ code: 'SOURCE_NOT_FOUND', cause: { sqlState: '42P01' } })
    const write = await errorOf(openIterable(subject.url, { query: 'CREATE TABLE no (a int)' }).read())
    expect(write).toMatchObject({ code: 'QUERY_FAILED', cause: { sqlState: '25006' } })
    expect(write.hint).toContain('readOnly: false')
  })

  it('come behind the rows before them, and leave the connection usable', async () => {
    const reader = openIterable<{ a: number }>(subject.url, {
      query: 'SELECT 1000 / (3000 - i) AS a FROM generate_series(1, 5000) AS i',
      batchSize: 500,
    })
    let rows = 0
    const error = await errorOf(
      (async () => {
        for await (const _ of reader) rows++
      })(),
    )
    expect(error).toMatchObject({ code: 'QUERY_FAILED', cause: { sqlState: '22012' } })
    expect(rows).toBe(2999)
    expect(await subject.sessions()).not.toContain('idle in transaction (aborted)')
    expect(await only(openIterable(subject.url, { query: 'SELECT 1 AS one' }))).toEqual({ one: 1 })
  })

  it('never tell a password', async () => {
    const { inspect } = await import('node:util')
    const secret = 's3cr3t/p@ss'
    const targets = [
      `postgres://someone:${encodeURIComponent(secret)}@127.0.0.1:1/db`,
      `postgres://someone:${secret}@127.0.0.1:1/db`,
      subject.url.replace('postgres@', `nobody:${encodeURIComponent(secret)}@`),
    ]
    for (const target of targets) {
      const error = await errorOf(openIterable(target, { query: 'SELECT 1', retry: { attempts: 1 } }).read())
      const told = `${error.stack} ${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)}`
      expect(told).not.toContain('s3cr3t')
      expect(told).not.toContain('p@ss')
    }
  })
})

describe('ending early', () => {
  const slow = "SELECT i, pg_sleep(0.001), repeat('x', 4000) FROM generate_series(1, 100000) AS i"

  it.each([
    ['limited', 1000],
    ['unlimited', 0],
  ])('gives the connection back by break, throw, close and abort (%s)', async (_, batchSize) => {
    const url = `${subject.url}?application_name=ending-${batchSize}`
    const open = (signal?: AbortSignal) =>
      openIterable<{ i: number }>(url, { query: numbers(2_000_000), batchSize, poolSize: 1, signal })
    for await (const { i } of open()) if (i === 10) break
    await expect(
      (async () => {
        for await (const { i } of open()) if (i === 3000) throw new Error('mine')
      })(),
    ).rejects.toThrow('mine')
    const closed = open()
    await closed.read()
    await closed.close()
    const controller = new AbortController()
    const aborted = open(controller.signal)
    await aborted.read()
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await errorOf(aborted.read())).toBe(reason)
    // One connection did all of that, and is still the one.
    expect(await only(openIterable(url, { query: 'SELECT 1 AS one', poolSize: 1 }))).toEqual({ one: 1 })
    const { rows } = await subject.admin.query('SELECT state FROM pg_stat_activity WHERE application_name = $1', [
      `ending-${batchSize}`,
    ])
    expect(rows).toHaveLength(1)
  })

  it('cancels a query that works, also before its first row', async () => {
    const controller = new AbortController()
    const query = 'SELECT pg_sleep(600)'
    const waiting = openIterable(subject.url, { query, signal: controller.signal }).read()
    const running = async (text: string) => {
      const { rows } = await subject.admin.query(
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query = $1 AND state = 'active'",
        [text],
      )
      return rows[0].n as number
    }
    while ((await running(query)) === 0);
    const reason = new Error('no more')
    controller.abort(reason)
    expect(await errorOf(waiting)).toBe(reason)
    while ((await running(query)) > 0);
    for await (const _ of openIterable(subject.url, { query: slow, batchSize: 1000 })) break
    expect(await running(slow)).toBe(0)
    expect(await only(openIterable(subject.url, { query: 'SELECT 1 AS one' }))).toEqual({ one: 1 })
  })

  it('counts every connection back, whatever ends a read', async () => {
    for (let i = 0; i < 100; i++) {
      for await (const _ of openIterable(subject.url, { query: numbers(20) })) if (i % 2 === 0) break
      await errorOf(openIterable(subject.url, { query: 'SELECT 1 / 0' }).read())
    }
    await openIterable(subject.url, { query: 'SELECT 1' })[Symbol.asyncDispose]()
    await closeConnections()
    expect(countConnections()).toEqual({ inUse: 0, idle: 0 })
    while ((await subject.sessions()).length > 0);
  })

  it('lets the process end while connections lie idle', async () => {
    const { execFile } = await import('node:child_process')
    const { promisify } = await import('node:util')
    const script = `
      import { openIterable } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}
      const rows = await openIterable(${JSON.stringify(subject.url)}, { query: 'SELECT 1 AS one', idleTimeoutMs: 3600000 }).readBulk()
      console.log(JSON.stringify(rows))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 50_000,
    })
    expect(JSON.parse(stdout)).toEqual([{ one: 1 }])
  })

  it('holds the server back when nobody takes rows', async () => {
    const reader = openIterable(subject.url, {
      query: `SELECT repeat('x', 1000) AS t FROM generate_series(1, 200000)`,
      batchSize: 0,
    })
    await reader.read()
    const waits = async () => {
      const { rows } = await subject.admin.query(
        "SELECT wait_event FROM pg_stat_activity WHERE query LIKE '%repeat(''x''%' AND pid <> pg_backend_pid()",
      )
      return rows[0]?.wait_event
    }
    while ((await waits()) !== 'ClientWrite');
    let rows = 1
    for await (const _ of reader) rows++
    expect(rows).toBe(200_000)
  })
})

describe('transactions and snapshots', () => {
  it('commits what it returns from, and rolls back what it throws from', async () => {
    await subject.admin.query('DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (n int)')
    const total = await withTransaction(subject.url, async tx => {
      await tx.query('INSERT INTO ledger VALUES ($1), ($2)', [1, 2])
      const rows = await collect(tx.read({ table: 'ledger', orderBy: 'n' }))
      for await (const _ of tx.read({ query: numbers(100_000), batchSize: 100 })) break
      await tx.query('INSERT INTO ledger VALUES (3)')
      return rows
    })
    expect(total).toEqual([{ n: 1 }, { n: 2 }])
    const mine = new Error('mine')
    expect(
      await errorOf(
        withTransaction(subject.url, async tx => {
          await tx.query('INSERT INTO ledger VALUES (4)')
          throw mine
        }),
      ),
    ).toBe(mine)
    const failed = await errorOf(
      withTransaction(subject.url, async tx => {
        await tx.query('INSERT INTO ledger VALUES (5)')
        await errorOf(tx.read({ query: 'SELECT 1 / 0' }).read())
      }),
    )
    expect(failed.code).toBe('QUERY_FAILED')
    expect(await collect(openIterable(subject.url, { table: 'ledger', orderBy: 'n' }))).toEqual([
      { n: 1 },
      { n: 2 },
      { n: 3 },
    ])
  })

  it('does not let two readers wait for one connection for ever', async () => {
    const error = await errorOf(
      withTransaction(
        subject.url,
        async tx => {
          for await (const _ of tx.read({ query: numbers(100_000) })) await tx.read({ query: 'SELECT 1' }).read()
        },
        { acquireTimeoutMs: 50 },
      ),
    )
    expect(error.code).toBe('POOL_EXHAUSTED')
    expect(error.hint).toContain('one connection serves one reader at a time')
  })

  it('shows the same to all who read one snapshot', async () => {
    await subject.admin.query('DROP TABLE IF EXISTS seen; CREATE TABLE seen (n int); INSERT INTO seen VALUES (1)')
    await withTransaction(
      subject.url,
      async tx => {
        const snapshot = await tx.exportSnapshot()
        await subject.admin.query('INSERT INTO seen VALUES (2)')
        const both = [1, 2].map(() => collect(openIterable(subject.url, { table: 'seen', snapshot })))
        expect(await Promise.all(both)).toEqual([[{ n: 1 }], [{ n: 1 }]])
      },
      { isolation: 'repeatable read', readOnly: true },
    )
    expect(await collect(openIterable(subject.url, { table: 'seen' }))).toHaveLength(2)
  })

  it('runs a statement that writes and gives rows, where that is allowed', async () => {
    await subject.admin.query('DROP TABLE IF EXISTS jobs; CREATE TABLE jobs AS SELECT generate_series(1, 5) AS id')
    const taken = await collect(
      openIterable<{ id: number }>(subject.url, {
        query: 'DELETE FROM jobs WHERE id > 2 RETURNING id',
        readOnly: false,
      }),
    )
    expect(taken.map(({ id }) => id).sort()).toEqual([3, 4, 5])
    expect(await collect(openIterable(subject.url, { table: 'jobs', orderBy: 'id' }))).toEqual([{ id: 1 }, { id: 2 }])
  })

  it('tells what is wrong with the end of a statement that writes', async () => {
    await subject.admin.query(`DROP TABLE IF EXISTS child, parent; CREATE TABLE parent (id int PRIMARY KEY);
      CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)`)
    const query = 'INSERT INTO child VALUES (7) RETURNING id'
    const error = await errorOf(collect(openIterable(subject.url, { query, readOnly: false })))
    expect(error).toMatchObject({ code: 'QUERY_FAILED', cause: { sqlState: '23503' } })
    expect((await subject.admin.query('SELECT * FROM child')).rows).toEqual([])
  })

  it('reads a table over several connections, each row once, in order when asked', async () => {
    await subject.admin.query(`DROP TABLE IF EXISTS wide; CREATE TABLE wide AS
      SELECT i AS id, repeat('x', 200) AS t FROM generate_series(1, 40000) AS i; DELETE FROM wide WHERE id % 7 = 0`)
    const expected = Array.from({ length: 40_000 }, (_, i) => i + 1).filter(id => id % 7 !== 0)
    const read = async (options: object) =>
      (await collect(openIterable<{ id: number }>(subject.url, { table: 'wide', columns: ['id'], ...options }))).map(
        ({ id }) => id,
      )
    expect(await read({ parallel: 4, ordered: true })).toEqual(expected)
    expect((await read({ parallel: 4 })).sort((a, b) => a - b)).toEqual(expected)
    expect(await read({ parallel: 3, ordered: true, where: 'id <= $1', params: [1000] })).toEqual(
      expected.filter(id => id <= 1000),
    )
    // More than the pool has: those who are there do it.
    expect(await read({ parallel: 8, ordered: true, poolSize: 1 })).toEqual(expected)
    for await (const _ of openIterable(subject.url, { table: 'wide', parallel: 4 })) break
    expect((await errorOf(read({ parallel: 2, limit: 3 }))).code).toBe('OPTION_INVALID')
    expect((await errorOf(read({ parallel: 2, where: '1 / (id - 20000) > 5' }))).code).toBe('QUERY_FAILED')
    expect(await subject.sessions()).not.toContain('idle in transaction')
  })

  it('lists the tables that can be read', async () => {
    await subject.admin.query('CREATE OR REPLACE VIEW some_view AS SELECT 1 AS a')
    const tables = await listTables(subject.url)
    expect(tables).toContainEqual({ schema: 'public', name: 'some_view', kind: 'view', estimatedRows: undefined })
    expect(tables.map(({ schema }) => schema)).not.toContain('pg_catalog')
  })
})

describe('pools and clients of the user', () => {
  it('reads through a pool, and gives its clients back', async () => {
    const pool = new pg.Pool({ connectionString: subject.url, max: 2 })
    expect(await openIterable({ postgres: pool }, { query: 'SELECT 1 AS one' }).readBulk()).toEqual([{ one: 1 }])
    for await (const _ of openIterable({ postgres: pool }, { query: numbers(1_000_000) })) break
    await errorOf(openIterable({ postgres: pool }, { query: 'SELECT 1 / 0' }).read())
    expect([pool.totalCount, pool.idleCount]).toEqual([1, 1])
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await pool.end()
  })

  it('reads through a client, one reader after the other, also inside its own transaction', async () => {
    const client = new pg.Client(subject.url)
    await client.connect()
    const target = { postgres: client }
    const both = [1, 2].map(n => openIterable(target, { query: 'SELECT $1::int AS n', params: [n] }).readBulk())
    expect(await Promise.all(both)).toEqual([[{ n: 1 }], [{ n: 2 }]])
    await client.query('BEGIN')
    await client.query('CREATE TABLE uncommitted (a int)')
    await client.query('INSERT INTO uncommitted VALUES (1)')
    expect(await collect(openIterable(target, { table: 'uncommitted' }))).toEqual([{ a: 1 }])
    for await (const _ of openIterable(target, { query: numbers(100_000), batchSize: 10 })) break
    expect((await errorOf(withTransaction(target, () => {}))).code).toBe('OPTION_INVALID')
    await client.query('ROLLBACK')
    expect((await client.query("SELECT to_regclass('uncommitted') AS it")).rows).toEqual([{ it: null }])
    expect(await withTransaction(target, async tx => (await tx.query('SELECT 1 AS one')).rows)).toEqual([{ one: 1 }])
    await client.end()
    expect((await errorOf(openIterable(target, { query: 'SELECT 1' }).read())).code).toBe('SOURCE_FAILED')
  })

  it('honours parsers that are set for the driver, a pool, a client, or in the options', async () => {
    const query = 'SELECT 12::int8 AS big, 1.5::numeric AS num, true AS yes'
    const client = new pg.Client(subject.url)
    await client.connect()
    client.setTypeParser(20, text => `client ${text}`)
    expect(await only(openIterable({ postgres: client }, { query }))).toEqual({
      big: 'client 12',
      num: '1.5',
      yes: true,
    })
    await client.end()
    const pool = new pg.Pool({
      connectionString: subject.url,
      types: {
        getTypeParser: ((oid: number, format?: 'text') =>
          oid === 1700 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
      },
    })
    expect(await only(openIterable({ postgres: pool }, { query }))).toEqual({ big: 12, num: 1.5, yes: true })
    await pool.end()
    expect(
      await only(openIterable(subject.url, { query, typeParsers: { bool: text => text.toUpperCase(), 20: BigInt } })),
    ).toEqual({
      big: 12n,
      num: '1.5',
      yes: 'T',
    })
    const before = pg.types.getTypeParser(20)
    pg.types.setTypeParser(20, text => `global ${text}`)
    try {
      expect(await only(openIterable(subject.url, { query }))).toEqual({ big: 'global 12', num: '1.5', yes: true })
    } finally {
      pg.types.setTypeParser(20, before)
    }
  })

  it('makes a row whose parser throws a bad record', async () => {
    const fails = (text: string) => {
      if (text === '500') throw new Error('not this one')
      return Number(text)
    }
    const options = { query: numbers(1000), typeParsers: { int4: fails } }
    const skipping = openIterable(subject.url, { ...options, onError: 'skip' })
    expect(await collect(skipping)).toHaveLength(999)
    expect(skipping.rowsSkipped).toBe(1)
    const raising = openIterable(subject.url, options)
    let rows = 0
    const error = await errorOf(
      (async () => {
        for await (const _ of raising) rows++
      })(),
    )
    expect([rows, error.record]).toEqual([499, 500])
    // The connection is given back as it was, not destroyed.
    const pid = 'SELECT pg_backend_pid() AS pid'
    const url = `${subject.url}?application_name=bad-rows`
    const [before] = await openIterable(url, { query: pid, poolSize: 1 }).readBulk()
    await errorOf(collect(openIterable(url, { ...options, poolSize: 1 })))
    expect(await openIterable(url, { query: pid, poolSize: 1 }).readBulk()).toEqual([before])
  })
})
