/** The types of Postgres: what their values become, that nothing of them is lost, and what they are sent back as. */
import { describe, expect, it } from 'vitest'
import { CalendarDate } from '../../src/core/calendar-date.ts'
import { openIterable, type ReadOptions } from '../../src/index.ts'
import { CASES, utc } from './postgres-cases.ts'
import { usePostgres } from './postgres-subject.ts'

const subject = usePostgres()

async function one(query: string, options: ReadOptions = {}) {
  const reader = await openIterable<{ v: unknown; told: string; same: boolean }>(subject.url, { query, ...options })
  const { schema } = reader
  const [row] = await reader.readBulk()
  return { ...row!, type: schema!.columns[0]!.type, format: schema!.columns[0]!.format }
}

describe('values', () => {
  it.each(CASES)('%s %s', async (type, literal, value, schemaType) => {
    const quoted = `'${literal.replaceAll("'", "''")}'::${type}`
    const { v, told, type: found } = await one(`SELECT ${quoted} AS v, ${quoted}::text AS told`)
    expect(v).toStrictEqual(value)
    expect(found).toBe(schemaType)
    // The server takes it for the very value it has given; years of more digits it knows in another form than ISO 8601's.
    if (typeof value === 'string' && value.startsWith('+')) return
    const isJson = /^jsonb?$/.test(type)
    const param = isJson ? (value === null ? 'null' : typeof value === 'string' ? JSON.stringify(value) : value) : v
    const back = await one(`SELECT ($1::${type})::text = $2 AS v`, { params: [param, isJson ? '' : told] })
    if (!isJson) expect([told, back.v]).toEqual([told, true])
    else if (type === 'jsonb')
      expect(await one('SELECT $1::jsonb = $2::jsonb AS v', { params: [param, told] })).toMatchObject({ v: true })
  })

  it('are the same by generated code and without it', async () => {
    const columns = CASES.map(([type, literal], i) => `'${literal.replaceAll("'", "''")}'::${type} AS c${i}`).join(', ')
    const rows = await openIterable(subject.url, {
      query: `SELECT ${columns}, NULL::int4 AS n FROM generate_series(1, 400)`,
    }).readBulk(1000)
    const expected = Object.fromEntries([...CASES.map(([, , value], i) => [`c${i}`, value]), ['n', null]])
    expect(rows).toHaveLength(400)
    for (const row of rows) expect(row).toStrictEqual(expected)
  })

  it('come in the form that the options ask for', async () => {
    const query = `SELECT 12::int8 AS small, 9007199254740993 AS large, 1.50::numeric AS n,
      timestamptz '2024-01-02 03:04:05.123456+00' AS ts, timestamp '2024-01-02 03:04:05' AS local, '{"a":9007199254740993}'::json AS j`
    const read = async (options: ReadOptions) => (await openIterable(subject.url, { query, ...options }).readBulk())[0]
    expect(await read({ bigint: 'bigint' })).toMatchObject({ small: 12n, large: 9007199254740993n })
    expect(await read({ bigint: 'string' })).toMatchObject({
      small: 12,
      large: '9007199254740993',
      j: { a: '9007199254740993' },
    })
    expect(await read({ bigint: 'number' })).toMatchObject({ small: 12, large: 9007199254740992 })
    expect(await read({ decimals: 'number' })).toMatchObject({ n: 1.5 })
    expect(await read({ timestamps: 'string' })).toMatchObject({
      ts: '2024-01-02T03:04:05.123456Z',
      local: '2024-01-02T03:04:05.000',
    })
    expect((await read({ timestamps: 'date' }))!.ts).toStrictEqual(utc('2024-01-02T03:04:05.123Z'))
  })

  it('do not depend on the settings of the database', async () => {
    await subject.admin.query('CREATE DATABASE odd')
    for (const setting of ["DateStyle = 'German'", "bytea_output = 'escape'", "TimeZone = 'Asia/Kathmandu'"]) {
      await subject.admin.query(`ALTER DATABASE odd SET ${setting}`)
    }
    const url = subject.url.replace(/\/postgres$/, '/odd')
    const query = `SELECT '\\x00ff5c41'::bytea AS b, date '2024-02-29' AS d, timestamptz '2024-01-02 03:04:05.5+00' AS ts`
    expect(await openIterable(url, { query }).readBulk()).toStrictEqual([
      { b: new Uint8Array([0, 255, 92, 65]), d: new CalendarDate('2024-02-29'), ts: utc('2024-01-02T03:04:05.500Z') },
    ])
  })
})

describe('types that users and extensions make', () => {
  it('enums, domains, composites, ranges, their arrays, and vectors', async () => {
    await subject.admin.query(`CREATE TYPE mood AS ENUM ('sad', 'so, so');
      CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE <= 100);
      CREATE DOMAIN flags AS bool[];
      CREATE TYPE pair AS (a int, b text);
      CREATE TYPE span AS RANGE (subtype = float8);
      CREATE TYPE vector;
      CREATE FUNCTION vector_in(cstring) RETURNS vector AS 'textin' LANGUAGE internal IMMUTABLE STRICT;
      CREATE FUNCTION vector_out(vector) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT;
      CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out, LIKE = text)`)
    const reader = await openIterable(subject.url, {
      query: `SELECT 'so, so'::mood AS m, ARRAY['sad', 'so, so']::mood[] AS ms, 12.5::percent AS p, ARRAY[1, 2]::percent[] AS ps,
        ARRAY[true, NULL]::flags AS f, ROW(1, 'x')::pair AS c, ARRAY[ROW(1, 'x')::pair] AS cs, span(1, 2) AS r,
        '[1,2.5,-3e-05]'::vector AS v, ARRAY['[1]'::vector] AS vs`,
    })
    const types = Object.fromEntries(reader.schema!.columns.map(({ name, type, format }) => [name, [type, format]]))
    expect(await reader.readBulk()).toStrictEqual([
      {
        m: 'so, so',
        ms: ['sad', 'so, so'],
        p: '12.50',
        ps: ['1.00', '2.00'],
        f: [true, null],
        c: '(1,x)',
        cs: ['(1,x)'],
        r: '[1,2)',
        v: [1, 2.5, -0.00003],
        vs: [[1]],
      },
    ])
    expect(types).toMatchObject({
      m: ['text', 'mood'],
      ms: ['array', 'mood[]'],
      p: ['decimal', 'DECIMAL(5,2)'],
      f: ['array', 'BOOLEAN[]'],
      v: ['array', 'vector'],
    })
  })

  it('are learnt when they are new', async () => {
    const query = "SELECT ARRAY['x']::later[] AS v"
    expect(
      await openIterable(subject.url, { query })
        .readBulk()
        .catch(error => error.code),
    ).toBe('QUERY_INVALID')
    await subject.admin.query("CREATE TYPE later AS ENUM ('x')")
    expect(await openIterable(subject.url, { query }).readBulk()).toEqual([{ v: ['x'] }])
  })
})
