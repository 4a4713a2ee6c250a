/** `sql`: queries over targets of any kind. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openInstances } from '../../src/duckdb/instance.ts'
import { type OpenedTable, openIterable, sql } from '../../src/index.ts'
import { placeOf } from '../../src/query/sql-errors.ts'

let folder: string
const at = (name: string) => join(folder, name)
const writeParquet = async (name: string, rows: readonly object[]) => {
  const writer = await openIterable<object>(at(name), { mode: 'w' })
  await writer.writeBulk(rows)
  await writer.close()
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-sql-'))
  await writeParquet('cities.parquet', [
    { city: 'Rome', people: 2_800_000 },
    { city: 'Oslo', people: 700_000 },
  ])
  await writeFile(at('trips.csv.gz'), gzipSync('id,to,cost\n1,Rome,10.5\n2,Oslo,20\n3,Rome,\n'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('sql', () => {
  it('joins targets of several formats, and tells how each became a table', async () => {
    const tables: OpenedTable[] = []
    const reader = await sql(
      'select city, count(*) as trips, sum(cost) as cost from trips join cities on "to" = city group by 1 order by 1',
      [at('trips.csv.gz'), at('cities.parquet')],
      { onTable: table => tables.push(table) },
    )
    expect(reader.columns).toEqual(['city', 'trips', 'cost'])
    expect(reader.schema?.columns.map(({ type }) => type)).toEqual(['text', 'bigint', 'number'])
    expect([reader.label, reader.engine, reader.format]).toEqual(['<sql>', 'duckdb', undefined])
    expect(await reader.readBulk()).toEqual([
      { city: 'Oslo', trips: 1, cost: 20 },
      { city: 'Rome', trips: 2, cost: 10.5 },
    ])
    expect(tables).toMatchObject([
      { name: 'trips', by: 'copy', rows: 3 },
      { name: 'cities', by: 'file', rows: 2, tempBytes: 0 },
    ])
    expect(tables[0]!.tempBytes).toBeGreaterThan(0)
    expect(openInstances()).toEqual({ instances: 0, leases: 0 })
  })

  it('reads iterables, streams and text, each with options of its own', async () => {
    const rows = await sql('select a.id, b.n from a join b using (id) order by 1', {
      a: [{ id: 1 }, { id: 2 }],
      b: { target: { text: 'id;n\n1;7\n2;8\n' }, read: { format: 'csv', delimiter: ';' } },
    }).readBulk()
    expect(rows).toEqual([
      { id: 1, n: 7 },
      { id: 2, n: 8 },
    ])
  })

  it('answers without a table, and gives columns of one name room', async () => {
    expect(await sql('select 1 as a, 2 as a, 3 as a_2;', {}).readBulk()).toEqual([{ a: 1, a_3: 2, a_2: 3 }])
  })

  it('binds parameters', async () => {
    const query = 'select $1::int + $2::int as n, $3 as t, $4 as nothing, $5 as at, $6 as flag'
    const at = new Date('2020-01-02T03:04:05.006Z')
    expect(await sql(query, {}, { parameters: [1, 2n, "it's", null, at, true] }).readBulk()).toEqual([
      { n: 3, t: "it's", nothing: null, at, flag: true },
    ])
  })

  it('can be started again', async () => {
    const reader = sql('select * from cities order by 1', [at('cities.parquet')])
    const first = await reader.readBulk()
    await reader.reset()
    expect(await reader.readBulk()).toEqual(first)
    await reader.close()
  })

  it('is written by a writer, column order and all', async () => {
    const writer = openIterable(at('out.csv'), { mode: 'w' })
    await writer.writeBulk(sql('select people, city from cities order by 1', [at('cities.parquet')]))
    await writer.close()
    expect(await readFile(at('out.csv'), 'utf8')).toBe('people,city\n700000,Oslo\n2800000,Rome\n')
  })

  it.each(["it's.parquet", 'a[1].parquet', 'b*.parquet', 'c"d.parquet', '; drop table x; --.parquet'])(
    'takes the file name %j for what it is',
    async name => {
      const inside = at('names')
      await mkdir(inside, { recursive: true })
      await writeParquet(join('names', name), [{ name }])
      // What the name means as a pattern must not be read.
      await writeParquet(join('names', 'a1.parquet'), [{ name: 'another' }])
      await writeParquet(join('names', 'bb.parquet'), [{ name: 'another' }])
      expect(await sql('select * from t', { t: join(inside, name) }).readBulk()).toEqual([{ name }])
      await rm(inside, { recursive: true })
    },
  )

  it('takes any name for a table', async () => {
    const name = 'we"ird; name'
    expect(await sql('select * from "we""ird; name"', { [name]: [{ a: 1 }] }).readBulk()).toEqual([{ a: 1 }])
    await expect(sql('select 1', { a: [{ a: 1 }], A: [{ a: 1 }] }).readBulk()).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
  })

  it.each([
    [
      'selec * from cities',
      { line: 1, column: 1, message: expect.stringContaining('syntax error at or near "selec"') },
    ],
    ['select city,\n  peple\nfrom cities', { line: 2, column: 3, message: expect.stringContaining('"people"') }],
    ['select * from citys', { line: 1, column: 15, message: expect.stringContaining('did you mean cities?') }],
    ['select 1; select 2', { message: expect.stringContaining('one statement is asked for, not 2') }],
    ["copy cities to 'x.csv'", { message: expect.stringContaining('reads its tables and no files') }],
    ["select * from read_csv('/etc/passwd')", { message: expect.stringContaining('reads its tables and no files') }],
    ["select * from '/etc/passwd.csv'", { message: expect.stringContaining('reads its tables and no files') }],
    ['create table x as select 1', { message: expect.stringContaining('CREATE is not for reading') }],
    ['set threads = 1', { message: expect.stringMatching(/SET is not for reading/) }],
    ['', { code: 'OPTION_INVALID' }],
  ])('refuses %j, and says where', async (query, expected) => {
    await expect(sql(query, [at('cities.parquet')]).readBulk()).rejects.toMatchObject({
      code: 'QUERY_INVALID',
      ...expected,
    })
  })

  it('finds the place in a long line, and none where it is not sure', () => {
    const query = `select '${'x'.repeat(100)}', abc, '${'y'.repeat(100)}'`
    const shown = `...${query.slice(60, 140)}...`
    const caret = ' '.repeat('LINE 1: '.length + 3 + query.indexOf('abc') - 60)
    expect(placeOf(`Binder Error: no\n\nLINE 1: ${shown}\n${caret}^`, query)).toEqual({
      line: 1,
      column: query.indexOf('abc') + 1,
    })
    expect(placeOf('Binder Error: no\n\nLINE 1: 選 x\n           ^', '選 x')).toEqual({ line: 1 })
    expect(placeOf('Binder Error: no', 'select')).toEqual({})
  })

  it('rejects in the middle of the rows where a value cannot be cast', async () => {
    const query = "select case when i = 50000 then 'x' else '1' end::int as n from range(100000) t(i)"
    let rows = 0
    const run = (async () => {
      for await (const _ of sql(query, {})) rows++
    })()
    await expect(run).rejects.toMatchObject({ code: 'DUCKDB_FAILED', message: expect.stringContaining("'x'") })
    expect(rows).toBeLessThan(50_000)
  })

  it('rejects with what reading a table throws', async () => {
    await expect(sql('select 1', [at('none.csv')]).readBulk()).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    await expect(sql('select 1', [at('none.parquet')]).readBulk()).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    const ragged = { text: 'a,b\n1\n', name: 'bad.csv' }
    await expect(sql('select 1', { t: ragged }).readBulk()).rejects.toMatchObject({
      code: 'CSV_RAGGED_RECORD',
      line: 2,
    })
    await writeFile(at('bad.parquet'), 'PAR1 this is none PAR1')
    await expect(sql('select 1', [at('bad.parquet')]).readBulk()).rejects.toMatchObject({ code: 'PARQUET_CORRUPT' })
  })

  it('is interrupted by its signal', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const query = 'select count(*) from range(100000) a(i), range(100000) b(j) where hash(i) = hash(j) + 1'
    const reader = sql(query, [at('cities.parquet')], {
      signal: controller.signal,
      onTable: () => setImmediate(() => controller.abort(reason)),
    })
    await expect(reader.readBulk()).rejects.toBe(reason)
  })

  it('leaves no temp file, however it ends', async () => {
    const home = join(tmpdir(), `open-iterable-${process.getuid?.() ?? 'temp'}`)
    const own = async () => (await readdir(home)).filter(name => name.startsWith(`${process.pid}-`))
    const target = [{ a: 1 }]
    for await (const _ of sql('select * from t, range(10000)', { t: target })) break
    await expect(sql('select b from t', { t: target }).readBulk()).rejects.toMatchObject({ code: 'QUERY_INVALID' })
    await sql('select * from t', { t: target }).readBulk()
    expect(await own()).toEqual([])
  })

  it('refuses options that it does not have', async () => {
    await expect(sql('select 1', {}, { paramters: [] } as never).readBulk()).rejects.toMatchObject({
      code: 'OPTION_UNKNOWN',
      message: expect.stringContaining('did you mean parameters?'),
    })
  })
})
