/** Writing to Postgres: by COPY and by INSERT, conflicts, tables that are made, bad rows, transactions. */
import pg from 'pg'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  CalendarDate,
  MemoryTarget,
  openIterable,
  PreciseDate,
  type Row,
  type WriteOptions,
  withTransaction,
} from '../../src/index.ts'
import { countConnections } from '../../src/sources/postgres/pool.ts'
import { collect, errorOf, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()

/** Writes and closes; what it is called with is in the table then, or nothing. */
async function write(
  rows: Iterable<object> | AsyncIterable<object>,
  options: Omit<WriteOptions, 'mode'> & { mode?: 'w' | 'a' } = {},
  target: string | { postgres: pg.Client | pg.Pool } = subject.url,
) {
  await using out = openIterable<object>(target, { mode: 'w', table: 'people', ...options })
  await out.writeBulk(rows)
  await out.close()
  return out
}

const read = async (sql = 'SELECT * FROM people ORDER BY id'): Promise<Row[]> => (await subject.admin.query(sql)).rows
const count = async (): Promise<number> => Number((await read('SELECT count(*) AS n FROM people'))[0]!.n)
const people = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ id: from + i, name: `name ${from + i}`, age: (from + i) % 90 }))

beforeEach(async () => {
  await subject.admin.query(`DROP TABLE IF EXISTS people, made CASCADE;
    CREATE TABLE people (id int4 PRIMARY KEY, name text NOT NULL, age int2 CHECK (age < 150), note text DEFAULT 'none')`)
})

describe('writing by COPY', () => {
  it('puts rows into the table, all by close() and none before', async () => {
    const out = openIterable(subject.url, { mode: 'w', table: 'public.people' })
    expect(await out.writeBulk(people(1, 20_000))).toBe(20_000)
    expect(await count()).toBe(0)
    await out.close()
    expect(await count()).toBe(20_000)
    expect(await read('SELECT * FROM people WHERE id = 12345')).toEqual([
      { id: 12_345, name: 'name 12345', age: 15, note: 'none' },
    ])
    const characters = people(1, 20_000).reduce((sum, row) => sum + Object.values(row).join().length + 1, 0)
    // And five bytes for each message of 64 KiB.
    expect(out.bytesWritten - characters).toBe(5 * Math.ceil(characters / 65_536))
    expect([out.rowsWritten, out.engine, out.columns]).toEqual([20_000, 'copy', ['id', 'name', 'age']])
    expect(countConnections().inUse).toBe(0)
  })

  it('adds to what is there in both modes, and empties the table first if it is told to', async () => {
    await write(people(1, 3))
    await write(people(4, 5), { mode: 'a' })
    await write(people(6, 6))
    expect((await read()).map(row => row.id)).toEqual([1, 2, 3, 4, 5, 6])
    await write(people(2, 3), { truncate: true })
    expect((await read()).map(row => row.id)).toEqual([2, 3])
    expect(await errorOf(write(people(8, 8), { truncate: true, mode: 'a' }))).toMatchObject({ code: 'OPTION_INVALID' })
    const failed = errorOf(write([{ id: 'x', name: 'x' }], { truncate: true }))
    expect(await failed).toMatchObject({ code: 'ROW_REFUSED' })
    expect(await count()).toBe(2)
  })

  it('takes the table from the URL, quotes every name, and takes rows as arrays', async () => {
    const odd = 'Odd "table"; DROP TABLE people; --'
    await subject.admin.query(`DROP TABLE IF EXISTS ${pg.escapeIdentifier(odd)};
      CREATE TABLE ${pg.escapeIdentifier(odd)} ("a ""b""" int, "constructor" text, "Ünïcode, \\" text)`)
    const table = `"${odd.replaceAll('"', '""')}"`
    const url = new URL(subject.url)
    url.searchParams.set('table', table)
    await using out = openIterable<object>(url.href, { mode: 'w' })
    await out.writeBulk([
      [1, 'one', 'eins'],
      [2, null, 'zwei'],
    ])
    await out.write({ 'a "b"': 3, 'Ünïcode, \\': 'drei' })
    await out.close()
    expect(await read(`SELECT * FROM ${pg.escapeIdentifier(odd)} ORDER BY 1`)).toEqual([
      { 'a "b"': 1, constructor: 'one', 'Ünïcode, \\': 'eins' },
      { 'a "b"': 2, constructor: null, 'Ünïcode, \\': 'zwei' },
      { 'a "b"': 3, constructor: null, 'Ünïcode, \\': 'drei' },
    ])
  })

  it('keeps every text, and takes columns that come late', async () => {
    const texts = [
      '',
      '\\N',
      '\\.',
      'a\tb',
      'a\nb\r\nc',
      'a\\b',
      '\\x41',
      'quote \' "',
      '😀 é',
      '\b\f\v',
      'NULL',
      ' x ',
    ]
    const rows = texts.map((name, i) => (i < 5 ? { id: i, name } : { id: i, name, note: name }))
    await write(
      (async function* () {
        for (const row of rows) yield row
      })(),
    )
    expect(await read('SELECT id, name, note FROM people ORDER BY id')).toEqual(
      rows.map(row => ({ note: 'none', ...row })),
    )
  })

  it('says which row, column and value the server refuses', async () => {
    const bad = [...people(1, 700), { id: 701, name: 'x', age: 'forty' }, ...people(702, 900)]
    expect(await errorOf(write(bad))).toMatchObject({
      code: 'ROW_REFUSED',
      record: 701,
      found: 'forty',
      message: expect.stringMatching(/row 701, column age, value "forty": invalid input syntax for type smallint/),
      cause: { sqlState: '22P02' },
    })
    expect(await errorOf(write([...people(1, 2), { id: 3, name: null }]))).toMatchObject({
      record: 3,
      message: expect.stringMatching(/row 3, column name: null value in column "name"/),
    })
    expect(await errorOf(write([...people(1, 5), { id: 4, name: 'again' }]))).toMatchObject({
      record: 6,
      message: expect.stringMatching(/row 6: duplicate key .*Key \(id\)=\(4\) already exists/),
    })
    expect(await errorOf(write([...people(1, 5), { id: 6, name: 'old', age: 200 }]))).toMatchObject({
      record: 6,
      expected: 'what people_age_check allows',
    })
    expect(await count()).toBe(0)
  })

  it('refuses what has no form in Postgres before it is sent', async () => {
    for (const [value, why] of [
      ['a\0b', 'zero character'],
      ['\ud800', 'half of a surrogate pair'],
      [new Date(Number.NaN), 'an invalid Date'],
      [() => 1, 'a function'],
      [Symbol('x'), 'a symbol'],
    ] as const) {
      expect(await errorOf(write([...people(1, 2), { id: 3, name: value }]))).toMatchObject({
        code: 'POSTGRES_UNWRITABLE',
        record: 3,
        message: expect.stringContaining(`row 3, column "name" has `) && expect.stringContaining(why),
      })
    }
    expect(await errorOf(write([5 as unknown as object]))).toMatchObject({ code: 'ROW_INVALID' })
  })

  it('tells columns that the table lacks, or that rows do, by the nearest', async () => {
    expect(await errorOf(write([{ id: 1, name: 'x', aeg: 3 }]))).toMatchObject({
      code: 'COLUMN_MISMATCH',
      record: 1,
      message: expect.stringContaining('did you mean "age"?'),
    })
    expect(await errorOf(write([{ id: 1, nmae: 'x' }]))).toMatchObject({
      code: 'COLUMN_MISMATCH',
      message: expect.stringMatching(/needs a value for column "name".*did you mean it by "nmae"/),
    })
    expect(await errorOf(write([{}]))).toMatchObject({ code: 'COLUMN_MISMATCH' })
    expect(await errorOf(write(people(1, 1), { columns: ['id', 'nam'] }))).toMatchObject({
      code: 'OPTION_INVALID',
      hint: 'did you mean "name"?',
    })
    await write([{ id: 1, name: 'x', aeg: 3 }], { extraColumns: 'drop' })
    await write([{ id: 2, name: 'y', age: 3 }], { columns: ['name', 'id'], extraColumns: 'drop' })
    expect(await read('SELECT id, name, age FROM people ORDER BY id')).toEqual([
      { id: 1, name: 'x', age: null },
      { id: 2, name: 'y', age: null },
    ])
    expect(await errorOf(write(people(1, 1), { table: 'peple' }))).toMatchObject({ code: 'SINK_NOT_FOUND' })
    expect(await errorOf(openIterable(subject.url, { mode: 'w' }).close())).toMatchObject({ code: 'OPTION_INVALID' })
  })

  it('writes nothing when it is given up, fails, or is aborted, and gives the connection back', async () => {
    const out = openIterable(subject.url, { mode: 'w', table: 'people' })
    await out.writeBulk(people(1, 5000))
    await out.abort()
    const controller = new AbortController()
    const aborted = openIterable(subject.url, { mode: 'w', table: 'people', signal: controller.signal })
    await aborted.writeBulk(people(1, 5000))
    const reason = new Error('enough')
    controller.abort(reason)
    expect(await errorOf(aborted.close())).toBe(reason)
    await aborted[Symbol.asyncDispose]()
    const boom = new Error('boom')
    const failing = (function* () {
      yield* people(1, 3000)
      throw boom
    })()
    expect(await errorOf(write(failing))).toBe(boom)
    expect([await count(), countConnections().inUse]).toEqual([0, 0])
    expect(await subject.sessions()).not.toContain('idle in transaction')
    await write(people(1, 1))
    expect(await count()).toBe(1)
  })

  it('leaves nothing behind, however often and whichever way it ends', async () => {
    const options = { poolSize: 2, onConflict: 'ignore' as const }
    for (let i = 0; i < 60; i++) {
      await write(people(i, i + 5), options)
      const given = openIterable(subject.url, { mode: 'w', table: 'people', ...options })
      await given.writeBulk(people(1, 300))
      await given.abort()
      expect(await errorOf(write([{ id: 'x', name: 'x' }], options))).toMatchObject({ code: 'ROW_REFUSED' })
    }
    expect([countConnections().inUse, await count()]).toEqual([0, 65])
    const ours = (await subject.sessions()).filter(state => state !== 'idle')
    expect(ours).toEqual([])
    const { rows } = await subject.admin.query(
      `SELECT relname FROM pg_class WHERE relname LIKE 'open_iterable%' AND relkind = 'r'`,
    )
    expect(rows).toEqual([])
  })

  it('holds rows back while the server does not take them', async () => {
    const other = new pg.Client(subject.url)
    await other.connect()
    await other.query('BEGIN; LOCK TABLE people')
    const out = openIterable(subject.url, { mode: 'w', table: 'people', timeoutMs: 200 })
    let taken = 0
    const writing = out.writeBulk(
      (function* () {
        for (let id = 1; id <= 200_000; id++) {
          taken++
          yield { id, name: 'x'.repeat(100) }
        }
      })(),
    )
    // Longer than timeoutMs: a server that waits for a lock is at work.
    while ((await read(`SELECT FROM pg_locks WHERE NOT granted`)).length === 0) await new Promise(setImmediate)
    await read('SELECT pg_sleep(0.6)')
    expect(taken).toBeLessThan(20_000)
    await other.query('COMMIT')
    await writing
    await out.close()
    await other.end()
    expect(await count()).toBe(200_000)
  })
})

describe('values', () => {
  const columns = {
    i: 'int8',
    n: 'numeric',
    f: 'float8',
    b: 'bool',
    t: 'timestamptz',
    d: 'date',
    j: 'jsonb',
    y: 'bytea',
    a: 'int4[]',
    s: 'text[]',
    o: 'text',
    js: 'json[]',
  }
  const rows = [
    {
      i: -(2n ** 63n),
      n: '12345678901234567890.123456789',
      f: -0,
      b: true,
      t: new Date('2024-02-29T12:00:00.123Z'),
      d: new CalendarDate('2024-02-29'),
      j: { a: [1, { b: 'tab\t"\\' }], big: 2n ** 60n },
      y: new Uint8Array([0, 9, 10, 92, 255]),
      a: [1, null, -3],
      s: ['a,b', '"q"', 'NULL', null, '\\', '{}', ''],
      o: 'x',
      js: [{ a: 1 }, [1, 2]],
    },
    {
      i: 5,
      n: 1e21,
      f: Number.NaN,
      b: false,
      t: new PreciseDate(Date.UTC(2024, 0, 1), 123_000),
      d: new Date('2024-03-01'),
      j: [1, 'two', null],
      y: new Uint8Array(),
      a: [],
      s: [],
      o: null,
      js: [],
    },
    {
      f: Number.NEGATIVE_INFINITY,
      n: Number.NaN,
      a: [
        [1, 2],
        [3, 4],
      ],
      t: new Date('-000043-03-15T00:00:00Z'),
    },
    { t: new CalendarDate('2024-01-01'), d: 'infinity', j: '{"as": "text"}', i: '7', n: 3n, b: 'yes' },
    { o: { text: ['of', 'an', 'object'] }, j: 5, f: 0.1 + 0.2 },
  ]

  it.each([true, false])('come back as they were (copy: %s)', async copy => {
    await write(rows, { table: 'made', create: true, sqlTypes: columns, columns: Object.keys(columns), copy })
    const back = await collect(openIterable(subject.url, { table: 'made' }))
    const wanted = (index: number, row: object) =>
      expect(back[index]).toEqual({ ...Object.fromEntries(Object.keys(columns).map(name => [name, null])), ...row })
    wanted(0, { ...rows[0], js: [{ a: 1 }, [1, 2]], j: { a: [1, { b: 'tab\t"\\' }], big: 2n ** 60n } })
    expect(Object.is(back[0]!.f, -0)).toBe(true)
    wanted(1, { ...rows[1], n: '1000000000000000000000', d: new CalendarDate('2024-03-01') })
    wanted(2, { ...rows[2], n: 'NaN' })
    wanted(3, { t: new Date('2024-01-01'), d: 'infinity', j: { as: 'text' }, i: 7, n: '3', b: true })
    wanted(4, { o: '{"text":["of","an","object"]}', j: 5, f: 0.1 + 0.2 })
  })

  it('refuses an instant for a day, and nanoseconds', async () => {
    const options = { table: 'made', create: true, sqlTypes: { d: 'date', t: 'timestamptz' } }
    expect(await errorOf(write([{ d: new Date(2024, 0, 1, 5) }], options))).toMatchObject({
      code: 'POSTGRES_UNWRITABLE',
      hint: expect.stringContaining('new CalendarDate'),
    })
    expect(await errorOf(write([{ t: new PreciseDate(0, 1) }], options))).toMatchObject({ code: 'POSTGRES_UNWRITABLE' })
  })
})

describe.each([true, false])('conflicts (copy: %s)', copy => {
  const both = [
    { id: 2, name: 'new' },
    { id: 3, name: 'first' },
    { id: 3, name: 'last' },
  ]
  beforeEach(() => write(people(1, 2)))

  it('are errors', async () => {
    expect(await errorOf(write(both, { copy }))).toMatchObject({ code: 'ROW_REFUSED', cause: { sqlState: '23505' } })
    expect(await count()).toBe(2)
  })

  it('say which row is refused by something else', async () => {
    const rows = [...people(3, 800), { id: 801, name: 'old', age: 150 }, ...people(802, 1000)]
    expect(await errorOf(write(rows, { copy, onConflict: 'update' }))).toMatchObject({
      code: 'ROW_REFUSED',
      record: 799,
      message: expect.stringMatching(/row 799: .*people_age_check/),
    })
    expect(await count()).toBe(2)
  })

  it('leave what is there', async () => {
    await write(both, { copy, onConflict: 'ignore' })
    expect((await read()).map(row => row.name)).toEqual(['name 1', 'name 2', 'first'])
  })

  it('update what is there, the last one last', async () => {
    await write(both, { copy, onConflict: 'update' })
    expect(await read('SELECT id, name, age FROM people ORDER BY id')).toEqual([
      { id: 1, name: 'name 1', age: 1 },
      { id: 2, name: 'new', age: 2 },
      { id: 3, name: 'last', age: null },
    ])
  })

  it('are told by the columns that are named', async () => {
    await subject.admin.query('CREATE UNIQUE INDEX ON people (name)')
    const row = [{ id: 9, name: 'name 1', age: 50 }]
    await write(row, { copy, onConflict: 'update', conflictColumns: ['name'] })
    expect(await read('SELECT id, age FROM people ORDER BY id')).toEqual([
      { id: 2, age: 2 },
      { id: 9, age: 50 },
    ])
    expect(await errorOf(write(row, { copy, onConflict: 'ignore', conflictColumns: ['nam'] }))).toMatchObject({
      code: 'OPTION_INVALID',
      hint: 'did you mean "name"?',
    })
    await subject.admin.query('ALTER TABLE people DROP CONSTRAINT people_pkey')
    expect(await errorOf(write(row, { copy, onConflict: 'update' }))).toMatchObject({ code: 'OPTION_INVALID' })
  })
})

describe.each([true, false])('bad rows that are left out (copy: %s)', copy => {
  it('are found among the good ones, and put aside', async () => {
    const bad = new Map<number, object>([
      [1, { id: 1, name: null }],
      [17, { id: 17, name: 'x', age: 'old' }],
      [18, { id: 18, name: 'y', age: 40_000 }],
      [2000, { id: 5, name: 'again' }],
      [2500, { id: 2500, name: 'z', age: 151 }],
      [2999, { id: 2999, name: 'a\0b' }],
      [3000, { id: 3000, name: 'c', more: 1 }],
    ])
    const rows = people(1, 3000).map(row => bad.get(row.id) ?? row)
    const letters = new MemoryTarget('bad.jsonl')
    const out = await write(rows, { copy, onError: 'quarantine', deadLetters: letters, batchSize: 700 })
    expect((await read('SELECT id FROM people ORDER BY id')).map(row => row.id)).toEqual(
      people(1, 3000)
        .map(row => row.id)
        .filter(id => !bad.has(id)),
    )
    expect([out.rowsWritten, out.rowsFailed]).toEqual([2993, 7])
    const told = await collect(openIterable<{ record: number; code: string; raw: string }>(letters))
    expect(told.map(({ record }) => record).toSorted((a, b) => a - b)).toEqual([...bad.keys()])
    expect(JSON.parse(told.find(({ record }) => record === 17)!.raw)).toEqual(bad.get(17))
  })

  it('are skipped, however many they are, and a foreign key is one of them', async () => {
    await subject.admin.query('CREATE TABLE made (person int REFERENCES people (id), n int)')
    await write(people(1, 10))
    const rows = Array.from({ length: 400 }, (_, n) => ({ person: n % 20, n }))
    const out = await write(rows, { copy, table: 'made', onError: 'skip' })
    const good = rows.filter(({ person }) => person >= 1 && person <= 10)
    expect(await read('SELECT * FROM made ORDER BY n')).toEqual(good)
    expect([out.rowsWritten, out.rowsSkipped]).toEqual([good.length, 400 - good.length])
  })

  it('end the writing by a function or by their number, and nothing is written', async () => {
    const rows = people(1, 100).map(row => (row.id % 10 === 0 ? { ...row, age: 'old' } : row))
    expect(await errorOf(write(rows, { copy, onError: 'skip', maxErrors: 3 }))).toMatchObject({
      code: 'TOO_MANY_ERRORS',
    })
    const seen: unknown[] = []
    const onError = (_: Error, { row }: { row: unknown }) => {
      seen.push(row)
      return seen.length < 3 ? ('skip' as const) : ('raise' as const)
    }
    expect(await errorOf(write(rows, { copy, onError }))).toMatchObject({ code: 'ROW_REFUSED', record: 30 })
    expect(seen).toEqual([rows[9], rows[19], rows[29]])
    expect(await count()).toBe(0)
  })

  it('goes with conflicts', async () => {
    await write(people(1, 50))
    const rows = people(1, 100).map(row => (row.id % 7 === 0 ? { ...row, age: 999 } : { ...row, name: 'new' }))
    const out = await write(rows, { copy, onError: 'skip', onConflict: 'update', batchSize: 30 })
    expect(out.rowsSkipped).toBe(14)
    expect(await read("SELECT count(*)::int AS n FROM people WHERE name = 'new'")).toEqual([{ n: 86 }])
    expect(await count()).toBe(86 + 7)
  })
})

describe('a table that is made', () => {
  const types = async () =>
    Object.fromEntries(
      (
        await read(
          `SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'made'::regclass AND attnum > 0 ORDER BY attnum`,
        )
      ).map(row => [row.attname, row.type]),
    )

  it('has types that hold the values, and is not there before close()', async () => {
    const rows = [
      { i: 1, f: 1, big: 2n ** 40n, n: 2n ** 70n, b: true, d: new CalendarDate('2024-01-01'), x: null, m: 1 },
      { i: 2, f: 1.5, big: 3n, n: 1n, b: null, t: new Date(0), j: { a: 1 }, y: new Uint8Array([1]), l: [1], m: 'x' },
    ]
    const out = openIterable<object>(subject.url, { mode: 'w', table: 'made', create: true })
    await out.writeBulk(rows)
    expect(await read("SELECT to_regclass('made') AS made")).toEqual([{ made: null }])
    await out.close()
    expect(await types()).toEqual({
      i: 'bigint',
      f: 'double precision',
      big: 'bigint',
      n: 'numeric',
      b: 'boolean',
      d: 'date',
      x: 'text',
      m: 'text',
      t: 'timestamp with time zone',
      j: 'jsonb',
      y: 'bytea',
      l: 'jsonb',
    })
    expect(await collect(openIterable(subject.url, { table: 'made', columns: ['i', 'j', 'l', 'm'] }))).toEqual([
      { i: 1, j: null, l: null, m: '1' },
      { i: 2, j: { a: 1 }, l: [1], m: 'x' },
    ])
  })

  it('has the types that are declared, a key, and those of the reader; a later contradiction is an error', async () => {
    await write([{ id: 1, price: '1.5', note: 'x' }], {
      table: 'made',
      create: true,
      sqlTypes: { price: 'numeric(12,2) NOT NULL' },
      conflictColumns: ['id'],
    })
    expect(await types()).toEqual({ id: 'bigint', price: 'numeric(12,2)', note: 'text' })
    await write([{ id: 1, price: 2, note: 'y' }], { table: 'made', create: true, onConflict: 'update' })
    expect(await read('SELECT * FROM made')).toEqual([{ id: '1', price: '2.00', note: 'y' }])
    await subject.admin.query('DROP TABLE made')
    const late = [...people(1, 1500), { id: 1501.5, name: 'x', age: 1 }]
    expect(await errorOf(write(late, { table: 'made', create: true }))).toMatchObject({
      code: 'ROW_REFUSED',
      record: 1501,
    })
    expect(await read("SELECT to_regclass('made') AS made")).toEqual([{ made: null }])
    await write([{ name: 'x' }], { table: 'made', create: true, sqlTypes: { id: 'bigserial PRIMARY KEY' } })
    expect(await read('SELECT * FROM made')).toEqual([{ name: 'x', id: '1' }])
    await subject.admin.query('DROP TABLE made')
    const none = errorOf(write([], { table: 'made', create: true }))
    expect(await none).toMatchObject({ code: 'COLUMN_MISMATCH' })
  })
})

describe('whose connection it is', () => {
  it('writes and reads within one transaction, and takes back only its own part', async () => {
    await withTransaction(subject.url, async tx => {
      const out = tx.write({ table: 'people' })
      await out.writeBulk(people(1, 10))
      await out.close()
      expect(await collect(tx.read({ query: 'SELECT count(*)::int AS n FROM people' }))).toEqual([{ n: 10 }])
      const bad = tx.write({ table: 'people' })
      expect(
        await errorOf(bad.writeBulk([...people(11, 12), { id: 13, name: 5, age: 'x' }]).then(() => bad.close())),
      ).toMatchObject({
        record: 3,
      })
      const left = tx.write({ table: 'people' })
      await left.writeBulk(people(20, 30))
      await left.abort()
      const more = tx.write({ table: 'people', onConflict: 'update' })
      await more.writeBulk([{ id: 1, name: 'changed' }])
      await more.close()
      expect(await count()).toBe(0)
    })
    expect((await read()).map(row => row.id)).toEqual(people(1, 10).map(row => row.id))
    expect((await read('SELECT name FROM people WHERE id = 1'))[0]).toEqual({ name: 'changed' })
    const boom = new Error('boom')
    const failing = withTransaction(subject.url, async tx => {
      const out = tx.write({ table: 'people', truncate: true })
      await out.close()
      throw boom
    })
    expect(await errorOf(failing)).toBe(boom)
    expect(await count()).toBe(10)
  })

  it('takes a client, with a transaction of its own or not, and a pool', async () => {
    const client = new pg.Client(subject.url)
    await client.connect()
    await write(people(1, 2), {}, { postgres: client })
    expect(await count()).toBe(2)
    await client.query('BEGIN')
    await write(people(3, 4), {}, { postgres: client })
    expect(await count()).toBe(2)
    await client.query('ROLLBACK')
    expect(await count()).toBe(2)
    expect(await errorOf(write([{ id: 1, name: 'x' }], {}, { postgres: client }))).toMatchObject({
      code: 'ROW_REFUSED',
    })
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await client.end()
    const pool = new pg.Pool({ connectionString: subject.url, max: 1 })
    await write(people(5, 6), {}, { postgres: pool })
    await write(people(7, 8), {}, { postgres: pool })
    await pool.end()
    expect(await count()).toBe(6)
  })
})
