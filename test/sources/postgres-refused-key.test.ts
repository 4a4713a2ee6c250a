/** What is checked only when a COPY or a transaction ends: the error says which row, column and value all the same. */
import { readdirSync } from 'node:fs'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { openIterable, type WriteOptions, withTransaction } from '../../src/index.ts'
import { countConnections } from '../../src/sources/postgres/pool.ts'
import { TestFolder } from './place.ts'
import { errorOf, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()

async function write(rows: Iterable<object>, options: Omit<WriteOptions, 'mode'> = {}) {
  await using out = openIterable<object>(subject.url, { mode: 'w', table: 'child', ...options })
  await out.writeBulk(rows)
  await out.close()
}
const count = async () => Number((await subject.admin.query('SELECT count(*) AS n FROM child')).rows[0].n)
/** Rows that refer to parents from 1 to 100; `bad` has other values by record. */
function* rowsWith(count: number, bad: Readonly<Record<number, object>> = {}, note = '') {
  for (let record = 1; record <= count; record++) yield { id: record, a: 1 + (record % 100), note, ...bad[record] }
}
/** As many bytes as make several COPYs. */
const NOTE = 'x'.repeat(200)

beforeEach(async () => {
  await subject.admin.query(`DROP TABLE IF EXISTS child, parent CASCADE; DROP SCHEMA IF EXISTS "Other ""schema" CASCADE;
    CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE, UNIQUE (id, code));
    INSERT INTO parent SELECT i, 'code ' || i FROM generate_series(1, 100) i`)
})

describe('a foreign key', () => {
  it('that is checked at the end of a COPY', async () => {
    await subject.admin.query('CREATE TABLE child (id int, a int CONSTRAINT of_parent REFERENCES parent, note text)')
    await write(rowsWith(3))
    expect(await count()).toBe(3)
    const error = await errorOf(write(rowsWith(5000, { 4321: { a: 777 }, 4700: { a: 888 } })))
    expect(error).toMatchObject({
      code: 'ROW_REFUSED',
      record: 4321,
      found: '777',
      expected: 'what of_parent allows',
      cause: { sqlState: '23503' },
      message: expect.stringContaining('row 4321, column a, value "777": '),
    })
    expect(await count()).toBe(3)
    expect(countConnections().inUse).toBe(0)
  })

  it('in a table of any size, by as many COPYs as it takes', async () => {
    await subject.admin.query('CREATE TABLE child (id int, a int REFERENCES parent, note text)')
    const rows = 100_000
    expect(await errorOf(write(rowsWith(rows, { 90001: { a: 0 } }, NOTE)))).toMatchObject({
      record: 90_001,
      found: '0',
    })
    expect(await errorOf(write(rowsWith(rows, { 2: { a: 0 } }, NOTE)))).toMatchObject({ record: 2 })
    expect(await errorOf(write(rowsWith(rows, { 70000: { id: 'x' } }, NOTE)))).toMatchObject({
      record: 70_000,
      message: expect.stringMatching(/row 70000, column id, value "x"/),
    })
    expect(await count()).toBe(0)
    await write(rowsWith(rows, {}, NOTE))
    expect(await count()).toBe(rows)
  })

  it('of several columns, of odd names, in any form that the server takes', async () => {
    await subject.admin.query(`CREATE SCHEMA "Other ""schema"; CREATE TABLE "Other ""schema"."Par, ent" ("x ""y" timestamptz, "," text, PRIMARY KEY ("x ""y", ","));
      INSERT INTO "Other ""schema"."Par, ent" VALUES ('2024-01-01Z', 'a'), ('2024-01-02Z', 'b, c)=(d');
      CREATE TABLE child (id int, at timestamptz, "it, em" text, FOREIGN KEY (at, "it, em") REFERENCES "Other ""schema"."Par, ent")`)
    const at = new Date('2024-01-01')
    const rows = [
      { id: 1, at, 'it, em': 'a' },
      { id: 2, at: null, 'it, em': 'nothing' },
      { id: 3, at: '2024-01-02T00:00:00.000Z', 'it, em': 'b, c)=(d' },
      { id: 4, at, 'it, em': 'b, c)=(d' },
    ]
    expect(await errorOf(write(rows))).toMatchObject({
      record: 4,
      message: expect.stringMatching(/row 4, column at, it, em, value "2024-01-01 00:00:00\+00, b, c\)=\(d"/),
    })
    await write(rows.slice(0, 3))
    await subject.admin.query(`ALTER TABLE child DROP CONSTRAINT "child_at_it, em_fkey"; TRUNCATE child;
      ALTER TABLE child ADD CONSTRAINT whole FOREIGN KEY (at, "it, em") REFERENCES "Other ""schema"."Par, ent" MATCH FULL`)
    expect(await errorOf(write(rows))).toMatchObject({ record: 2, found: 'NULL, nothing' })
  })

  it('of a table to itself, where a parent may come behind its children', async () => {
    await subject.admin.query('CREATE TABLE child (id int PRIMARY KEY, a int REFERENCES child, note text)')
    const chain = (last: number, note: string) =>
      Array.from({ length: last }, (_, i) => ({ id: i + 1, a: i + 2 === last + 1 ? null : i + 2, note }))
    // More than is kept in memory.
    await write(chain(60_000, NOTE))
    expect(await count()).toBe(60_000)
    const rows = chain(60_000, NOTE).map(({ id, ...row }) => ({
      ...row,
      id: id + 100_000,
      a: row.a === null ? null : row.a + 100_000,
    }))
    rows[50_000]!.a = 99_999
    const folder = new TestFolder()
    vi.stubEnv('TMPDIR', folder.path)
    expect(await errorOf(write(rows))).toMatchObject({ record: 50_001, found: '99999' })
    expect(filesIn(folder.path)).toEqual([])
    vi.unstubAllEnvs()
    folder.remove()
    expect(await count()).toBe(60_000)
    rows[50_000]!.a = 1
    await write(rows)
    // What was there counts no more where the table is emptied first.
    expect(await errorOf(write(rows, { truncate: true }))).toMatchObject({ record: 50_001, found: '1' })
    expect(await count()).toBe(120_000)
  })

  it('of a part of a table', async () => {
    await subject.admin.query(`CREATE TABLE child (id int, a int REFERENCES parent, note text) PARTITION BY RANGE (id);
      CREATE TABLE low PARTITION OF child FOR VALUES FROM (0) TO (10);
      CREATE TABLE high (note text, a int, id int); ALTER TABLE child ATTACH PARTITION high FOR VALUES FROM (10) TO (1000)`)
    expect(await errorOf(write(rowsWith(20, { 15: { a: 500 } })))).toMatchObject({ record: 15, found: '500' })
  })

  it('inside a transaction of the user, which goes on', async () => {
    await subject.admin.query('CREATE TABLE child (id int, a int REFERENCES parent, note text)')
    await withTransaction(subject.url, async tx => {
      await tx.query('INSERT INTO parent VALUES (1000, NULL)')
      const out = tx.write<object>({ table: 'child' })
      await out.writeBulk(rowsWith(50, { 10: { a: 1000 }, 20: { a: 2000 } }))
      expect(await errorOf(out.close())).toMatchObject({ record: 20, found: '2000' })
      await tx.query('INSERT INTO child VALUES (1, 1000)')
    })
    expect(await count()).toBe(1)
  })
})

describe('what is checked when the transaction ends', () => {
  it('a foreign key', async () => {
    await subject.admin.query(
      'CREATE TABLE child (id int, a int REFERENCES parent DEFERRABLE INITIALLY DEFERRED, note text)',
    )
    expect(await errorOf(write(rowsWith(80_000, { 79000: { a: -5 } }, NOTE)))).toMatchObject({
      code: 'ROW_REFUSED',
      record: 79_000,
      found: '-5',
      message: expect.stringContaining('row 79000, column a, value "-5": '),
    })
    expect(await count()).toBe(0)
    expect(countConnections().inUse).toBe(0)
  })

  it('a key that is there already, in the table or among the rows', async () => {
    await subject.admin.query('CREATE TABLE child (id int UNIQUE DEFERRABLE INITIALLY DEFERRED, a int, note text)')
    expect(await errorOf(write(rowsWith(500, { 400: { id: 7 } })))).toMatchObject({ record: 400, found: '7' })
    await write(rowsWith(10))
    expect(await errorOf(write([{ id: 100 }, { id: 5 }]))).toMatchObject({ record: 2, found: '5' })
    await write([{ id: 5 }], { truncate: true })
    expect(await count()).toBe(1)
  })

  it('is told as the server does where the rows do not say it', async () => {
    await subject.admin.query(`CREATE TABLE child (id int, a int DEFAULT 500 REFERENCES parent, note text)`)
    const error = await errorOf(write([{ id: 1 }]))
    expect(error).toMatchObject({
      code: 'ROW_REFUSED',
      message: expect.stringMatching(/Key \(a\)=\(500\) is not present/),
    })
    expect(error.record).toBeUndefined()
    expect(countConnections().inUse).toBe(0)
  })
})

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).filter(one => one.isFile())
