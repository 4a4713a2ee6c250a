/** Types of columns, by way of files and back: what `create` makes of them is what they were. */
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { convert, openIterable, parquetMetadata } from '../../src/index.ts'
import { TestFolder } from './place.ts'
import { errorOf, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
const folder = new TestFolder()
afterAll(() => folder.remove())

/** Type of the column → values of it, in SQL. */
const COLUMNS: readonly (readonly [type: string, ...values: string[]])[] = [
  ['int2 NOT NULL', '-32768', '7'],
  ['int4', '2147483647', 'NULL'],
  ['int8', '-9223372036854775808', '1'],
  ['oid', '4294967295', '0'],
  ['float4', '0.1', '3.4028235e38', '-0', "'NaN'", '1e-45'],
  ['float8', '0.1', "'NaN'", "'Infinity'"],
  ['numeric', '1.50', '123456789012345678901234567890123456789012345678.5', "'NaN'"],
  ['numeric(12,2)', '-9999999999.99', 'NULL'],
  ['numeric(5,2)', '1.25', "'NaN'"],
  ['numeric(3,-2)', '12300', '0'],
  ['numeric(3,5)', '0.00123', '0'],
  ['bool NOT NULL', 'true', 'false'],
  ['text', "'it''s \"é\" 😀'", "''"],
  ['varchar', "'x'", 'NULL'],
  ['varchar(20) NOT NULL', "'twenty'", "' '"],
  ['char(3)', "'a'", "'abc'"],
  ['bpchar', "'a'", "'abc  '"],
  ['"char"', "'a'", "'b'"],
  ['name', "'a'", "'b'"],
  ['uuid', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", 'NULL'],
  ['bytea', "'\\x00ff0a5c'", "''"],
  ['date', "'2024-02-29'", "'0044-03-15 BC'"],
  ['date', "'2024-02-29'", "'infinity'"],
  ['time', "'23:59:59.999999'", "'24:00:00'"],
  ['time(3)', "'23:59:59.999'", "'00:00:00'"],
  ['timetz', "'12:00:00+02'", 'NULL'],
  ['timestamp', "'2024-02-29 12:00:00.123456'", "'-infinity'"],
  ['timestamp(3)', "'2024-02-29 12:00:00.123'", 'NULL'],
  ['timestamptz', "'2024-02-29 12:00:00.123456+02'", 'NULL'],
  ['timestamptz(0)', "'2024-02-29 12:00:00+02'", "'infinity'"],
  ['interval', "'1 year 2 mons 3 days 04:05:06.789'", "'-1 day'"],
  ['interval(3)', "'04:05:06.789'", 'NULL'],
  ['interval year to month', "'1 year 2 mons'", 'NULL'],
  ['json', '\'{"a":1}\'', '\'"x"\''],
  [
    'jsonb NOT NULL',
    '\'{"a": [1, {"b": "x\\ty"}], "n": null, "big": 9007199254740993}\'',
    '\'[1, "two"]\'',
    '\'"x"\'',
    "'1.5'",
  ],
  ['jsonpath', '\'$."a"\'', 'NULL'],
  ['xml', "'<a>1</a>'", 'NULL'],
  ['inet', "'192.168.0.1/24'", "'::1'"],
  ['cidr', "'10.0.0.0/8'", 'NULL'],
  ['macaddr', "'08:00:2b:01:02:03'", 'NULL'],
  ['macaddr8', "'08:00:2b:01:02:03:04:05'", 'NULL'],
  ['bit(3)', "'101'", "'000'"],
  ['bit varying(5)', "'10101'", "''"],
  ['varbit', "'1'", 'NULL'],
  ['money', "'$1,234.50'", 'NULL'],
  ['point', "'(1,2)'", 'NULL'],
  ['box', "'(2,2),(1,1)'", 'NULL'],
  ['circle', "'<(1,2),3>'", 'NULL'],
  ['int4range', "'[1,5)'", "'empty'"],
  ['tstzrange', '\'["2024-01-01 00:00:00+00",)\'', 'NULL'],
  ['datemultirange', "'{[2024-01-01,2024-02-01)}'", 'NULL'],
  ['tsvector', "'''a'':1 ''b'':2'", 'NULL'],
  ['tsquery', "'''a'' & ''b'''", 'NULL'],
  ['pg_lsn', "'16/B374D848'", 'NULL'],
  ['xid8', "'42'", 'NULL'],
  ['regtype', "'int4'", 'NULL'],
  ['kept.mood NOT NULL', "'so, so'", "'sad'"],
  ['kept.percent', '12.50', 'NULL'],
  ['kept.short', "'abc'", 'NULL'],
  ['kept.flags', "'{t,NULL}'", 'NULL'],
  ['kept.pair', '\'(1,"x, y")\'', 'NULL'],
  ['kept.span', "'[1.5,2)'", 'NULL'],
  ['vector(3)', "'[1,2.5,-3]'", 'NULL'],
  ['kept."Odd ""type"', "'a'", 'NULL'],
  ['int2[] NOT NULL', "'{1,NULL,3}'", "'{}'"],
  ['int4[]', "'{{1,2},{3,4}}'", "'{5}'"],
  ['int8[]', "'{9007199254740993}'", 'NULL'],
  ['float4[]', "'{0.1,-2}'", "'{NaN}'"],
  ['float8[]', "'{0.1,Infinity}'", 'NULL'],
  ['numeric(6,2)[]', "'{1.50,2}'", "'{NaN,1.25}'"],
  ['bool[]', "'{t,f}'", 'NULL'],
  ['text[]', '\'{"a,b","\\"",NULL,"NULL","",é,"{}","[1]"}\'', '\'{{"a","[2]"},{"\\"b\\"",c}}\''],
  ['varchar(4)[]', "'{ab}'", 'NULL'],
  ['uuid[]', "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'", 'NULL'],
  ['bytea[]', '\'{"\\\\x0102"}\'', 'NULL'],
  ['date[]', "'{2024-02-29,infinity}'", "'{}'"],
  ['time[]', "'{10:00:00}'", 'NULL'],
  ['timestamp(3)[]', '\'{"2024-02-29 12:00:00.123"}\'', 'NULL'],
  ['timestamptz[]', '\'{"2024-01-02 03:04:05+00"}\'', 'NULL'],
  ['interval[]', '\'{"1 day"}\'', 'NULL'],
  ['jsonb[]', '\'{"{\\"a\\": 1}","\\"x\\"",NULL,"[1]"}\'', 'NULL'],
  ['inet[]', "'{10.0.0.1}'", 'NULL'],
  ['bit(3)[]', "'{101}'", 'NULL'],
  ['money[]', "'{$1.50}'", 'NULL'],
  ['xml[]', "'{<a/>}'", 'NULL'],
  ['int4range[]', '\'{"[1,5)"}\'', 'NULL'],
  ['kept.mood[]', '\'{"so, so",sad}\'', 'NULL'],
  ['kept.percent[]', "'{1.00,2.50}'", 'NULL'],
  ['kept.pair[]', '\'{"(1,x)"}\'', 'NULL'],
  ['vector[]', '\'{"[1,2]"}\'', 'NULL'],
]
const SQL_TYPES = `DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept;
  CREATE TYPE kept.mood AS ENUM ('sad', 'so, so');
  CREATE DOMAIN kept.percent AS numeric(5,2) CHECK (VALUE <= 100);
  CREATE DOMAIN kept.short AS varchar(10);
  CREATE DOMAIN kept.flags AS bool[];
  CREATE TYPE kept.pair AS (a int, b text);
  CREATE TYPE kept.span AS RANGE (subtype = float8);
  CREATE TYPE kept."Odd ""type" AS ENUM ('a')`
/** A type like that of pgvector, with a size. */
const SQL_VECTOR = `CREATE TYPE vector;
  CREATE FUNCTION vector_in(cstring) RETURNS vector AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
  CREATE FUNCTION vector_out(vector) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
  CREATE FUNCTION vector_typmod_in(cstring[]) RETURNS int4 AS 'varchartypmodin' LANGUAGE internal IMMUTABLE STRICT;
  CREATE FUNCTION vector_typmod_out(int4) RETURNS cstring AS 'varchartypmodout' LANGUAGE internal IMMUTABLE STRICT;
  CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out, TYPMOD_IN = vector_typmod_in, TYPMOD_OUT = vector_typmod_out, LIKE = text)`

const url = (table: string) => `${subject.url}?table=${table}`
const back = { write: { create: true } }

beforeAll(async () => {
  await subject.admin.query(SQL_TYPES)
  await subject.admin.query(SQL_VECTOR)
  const most = Math.max(...COLUMNS.map(([, ...values]) => values.length))
  await subject.admin.query(
    `CREATE TABLE original (id int4 NOT NULL, ${COLUMNS.map(([type], i) => `c${i} ${type}`).join(', ')})`,
  )
  for (let row = 0; row < most; row++) {
    const values = COLUMNS.map(([type, ...given]) => given[row] ?? (type.endsWith('NOT NULL') ? given[0] : 'NULL'))
    await subject.admin.query(`INSERT INTO original VALUES (${row}, ${values.join(', ')})`)
  }
})
beforeEach(async () => {
  await subject.admin.query('DROP TABLE IF EXISTS back')
})

const types = async (table: string) =>
  (
    await subject.admin.query(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required
       FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum`,
      [table],
    )
  ).rows
const information = async (table: string) =>
  (
    await subject.admin.query(
      `SELECT column_name, data_type, is_nullable, character_maximum_length, numeric_precision, numeric_scale, datetime_precision,
         interval_type, domain_schema, domain_name, udt_schema, udt_name
       FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position`,
      [table],
    )
  ).rows
const content = async (table: string) => {
  const columns = COLUMNS.map((_, i) => `CASE WHEN c${i} IS NULL THEN NULL ELSE c${i}::text END AS c${i}`)
  return (await subject.admin.query(`SELECT ${columns.join(', ')} FROM ${table} ORDER BY id`)).rows
}

async function expectSame() {
  expect(await types('back')).toEqual(await types('original'))
  expect(await information('back')).toEqual(await information('original'))
  const [expected, found] = [await content('original'), await content('back')]
  expect(found).toHaveLength(expected.length)
  for (const [row, values] of expected.entries()) {
    for (const [i, [type]] of COLUMNS.entries()) {
      // The text of JSON is that of its values.
      const same = (text: string | null) => (type === 'json' && text !== null ? JSON.stringify(JSON.parse(text)) : text)
      expect([type, same(found[row]![`c${i}`])]).toEqual([type, same(values[`c${i}`])])
    }
  }
}

describe('types of columns', () => {
  it('come from one table into another', async () => {
    await convert(url('original'), url('back'), back)
    await expectSame()
  })

  it.each(['duckdb', 'hyparquet'] as const)('come through Parquet, read by %s', async engine => {
    const file = join(folder.path, `${engine}.parquet`)
    await convert(url('original'), file)
    await convert(file, url('back'), { ...back, read: { engine } })
    await expectSame()
  })

  it('come through Parquet of many rows and of none, and through a second file with columns renamed', async () => {
    await subject.admin.query('CREATE TABLE many (a varchar(7) NOT NULL, m kept.mood, f float4); ')
    const [first, second] = [join(folder.path, 'many.parquet'), join(folder.path, 'again.parquet')]
    for (const count of [0, 300_000]) {
      await subject.admin.query(`INSERT INTO many SELECT 'n' || i, 'sad', i * 0.1 FROM generate_series(1, ${count}) i`)
      await convert(url('many'), first)
      await convert(first, second, { rename: { a: 'b' }, columns: ['m', 'a'] })
      await convert(second, url('back'), back)
      expect(await types('back')).toEqual([
        { name: 'm', type: 'kept.mood', required: false },
        { name: 'b', type: 'character varying(7)', required: true },
      ])
      expect((await subject.admin.query('SELECT count(*)::int AS n FROM back')).rows).toEqual([{ n: count }])
      await subject.admin.query('DROP TABLE back')
    }
    await subject.admin.query('DROP TABLE many')
  })

  it('are what Parquet has where it has them', async () => {
    const file = join(folder.path, 'logical.parquet')
    const query = `SELECT 0.1::float4 AS f, '{"a":1}'::jsonb AS j, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u, 1::int2 AS i`
    await convert(subject.url, file, { read: { query } })
    const reader = await openIterable(file)
    expect(reader.schema!.columns.map(({ name, format }) => [name, format])).toEqual([
      ['f', 'FLOAT'],
      ['j', 'JSON'],
      ['u', 'UUID'],
      ['i', 'SMALLINT'],
    ])
    await reader.close()
  })

  it('are those of the base, or text, where the server does not have them', async () => {
    const file = join(folder.path, 'absent.parquet')
    const query = `SELECT m.* FROM (SELECT c${at('kept.mood NOT NULL')} AS mood, c${at('kept.percent')} AS percent,
      c${at('kept.mood[]')} AS moods, c${at('kept.pair')} AS pair FROM original) m`
    await convert(subject.url, file, { read: { query } })
    await subject.admin.query('CREATE DATABASE other')
    const other = subject.url.replace(/\/postgres$/, '/other')
    await convert(file, `${other}?table=back`, back)
    const rows = await openIterable(other, {
      query: `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = 'back'::regclass AND attnum > 0 ORDER BY attnum`,
    }).readBulk()
    expect(rows.map(({ type }) => type)).toEqual(['text', 'numeric(5,2)', 'text[]', 'text'])
  })
})

const at = (type: string) => COLUMNS.findIndex(([one]) => one === type)

describe('whether a column may be null', () => {
  const nullable = async (options: object) => {
    const reader = await openIterable(subject.url, options)
    const found = Object.fromEntries(reader.schema!.columns.map(({ name, nullable }) => [name, nullable]))
    await reader.close()
    return found
  }

  it('is told of tables and of plain columns in a query, and not of what may be null for other reasons', async () => {
    await subject.admin.query(`CREATE TABLE known (a int NOT NULL, b int, c int PRIMARY KEY);
      CREATE VIEW seen AS SELECT * FROM known`)
    const all = { a: false, b: true, c: false }
    expect(await nullable({ table: 'known' })).toEqual(all)
    expect(await nullable({ table: 'known', columns: ['b', 'c'], where: { a: 1 } })).toEqual({ b: true, c: false })
    expect(await nullable({ table: 'known', parallel: 2 })).toEqual(all)
    expect(await nullable({ query: 'SELECT k.a, k.a + 1 AS d, x.b FROM known k JOIN known x USING (c)' })).toEqual({
      a: false,
      d: true,
      b: true,
    })
    expect(await nullable({ query: 'SELECT k.a FROM known x LEFT JOIN known k ON false' })).toEqual({ a: true })
    expect(await nullable({ query: 'SELECT a FROM known GROUP BY ROLLUP (a)' })).toEqual({ a: true })
    expect(await nullable({ query: 'SELECT a FROM known UNION ALL SELECT NULL' })).toEqual({ a: true })
    expect(await nullable({ table: 'seen' })).toEqual({ a: true, b: true, c: true })
  })

  it('is told of rows to come only where it holds for all of them', async () => {
    const { rows } = await subject.admin.query("SELECT current_setting('server_version_num')::int AS version")
    if (rows[0].version < 180_000) return
    await subject.admin.query(`CREATE TABLE late (a int); INSERT INTO late VALUES (NULL);
      ALTER TABLE late ADD CONSTRAINT later NOT NULL a NOT VALID`)
    expect(await nullable({ table: 'late' })).toEqual({ a: true })
  })
})

describe('what a file says of types', () => {
  const KEY = 'open-iterable:types'
  const varchar = (modifier: number) => ({
    system: 'postgres',
    schema: 'pg_catalog',
    name: 'varchar',
    kind: 'b',
    modifier,
  })
  const write = async (name: string, told: unknown, rows: object[] = [{ a: 'x', b: 1 }]) => {
    const file = join(folder.path, name)
    const metadata = { [KEY]: typeof told === 'string' ? told : JSON.stringify(told) }
    await using out = openIterable<object>(file, { mode: 'w', metadata })
    await out.writeBulk(rows)
    await out.close()
    return file
  }
  const one = (column: object) => ({ version: 1, columns: [column] })

  it('counts for columns that are stored as they were, and only where it is whole', async () => {
    const good = { name: 'a', stored: 'VARCHAR', nullable: false, native: varchar(24) }
    await convert(await write('good.parquet', one(good)), url('back'), back)
    expect((await types('back'))[0]).toEqual({ name: 'a', type: 'character varying(20)', required: true })
    const wrong: unknown[] = [
      '{',
      'null',
      [],
      { version: 2, columns: [good] },
      { version: 1, columns: { a: good } },
      one({ ...good, name: 'b' }),
      one({ ...good, stored: 'BIGINT' }),
      one({ ...good, nullable: 'no' }),
      one({ ...good, native: null }),
      one({ ...good, native: { ...varchar(24), system: 'oracle' } }),
      one({ ...good, native: { ...varchar(24), modifier: '20); DROP TABLE original; --' } }),
      one({ ...good, native: { ...varchar(24), modifier: 2.5 } }),
      one({ ...good, native: { ...varchar(24), name: 'var\0char' } }),
      one({ ...good, native: { ...varchar(24), kind: 'p' } }),
    ]
    for (const told of wrong) {
      await subject.admin.query('DROP TABLE back')
      await convert(await write('wrong.parquet', told), url('back'), back)
      expect([told, (await types('back'))[0]]).toEqual([told, { name: 'a', type: 'text', required: false }])
    }
  })

  it('is a name to look up, and never a part of a statement', async () => {
    const hostile = [
      'text); DROP TABLE original; --',
      'text"',
      "text'",
      'int4, x text DEFAULT pg_sleep(10)',
      'cstring',
      'record',
      'original',
    ]
    for (const name of hostile) {
      const native = { ...varchar(-1), name }
      const file = await write('hostile.parquet', one({ name: 'a', stored: 'VARCHAR', nullable: true, native }))
      await convert(file, url('back'), back)
      expect((await types('back')).map(({ type }) => type)).toEqual(['text', 'bigint'])
      await subject.admin.query('DROP TABLE back')
    }
    // Sizes that no server takes, and that it tells only when the table is made.
    for (const native of [varchar(0x7fffffff), { ...varchar(3), name: 'numeric' }, { ...varchar(7), name: 'bit' }]) {
      const told = { name: 'a', stored: 'VARCHAR', nullable: true, native }
      const file = await write('sizes.parquet', one(told), [{ a: '1', b: 1 }])
      const error = await convert(file, url('back'), back).then(
        () => undefined,
        error => error,
      )
      if (error !== undefined) expect(error).toMatchObject({ code: 'ROW_REFUSED' })
      await subject.admin.query('DROP TABLE IF EXISTS back')
    }
    expect((await content('original')).length).toBeGreaterThan(0)
  })

  it('does not stand against what the user says', async () => {
    const file = join(folder.path, 'own.parquet')
    await convert(subject.url, file, { read: { query: "SELECT 'x'::varchar(9) AS a, 1::int2 AS b" } })
    expect(Object.keys((await parquetMetadata(file)).keyValues)).toEqual([KEY])
    await convert(file, url('back'), { write: { create: true, sqlTypes: { a: 'varchar(3)' } } })
    expect((await types('back')).map(({ type }) => type)).toEqual(['character varying(3)', 'smallint'])
    await convert(subject.url, file, {
      read: { query: "SELECT 'x'::varchar(9) AS a, 1::int2 AS b" },
      write: { types: { a: 'text' } },
    })
    await subject.admin.query('DROP TABLE back')
    await convert(file, url('back'), back)
    expect((await types('back')).map(({ type }) => type)).toEqual(['text', 'smallint'])
    await subject.admin.query('DROP TABLE back')
    expect(
      await errorOf(convert(file, url('back'), { write: { create: true, sqlTypes: { a: 'nonsense' } } })),
    ).toBeInstanceOf(Error)
  })
})
