/** The types of Postgres: what their values become, that nothing of them is lost, and what they are sent back as. */
import { describe, expect, it } from 'vitest'
import { CalendarDate } from '../../src/core/calendar-date.ts'
import { PreciseDate } from '../../src/core/precise-date.ts'
import { openIterable, type ReadOptions } from '../../src/index.ts'
import { usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
const utc = (text: string) => new Date(text)

/** Type, literal, value, and the type in the schema. */
const CASES: readonly (readonly [type: string, literal: string, value: unknown, schema: string])[] = [
  ['bool', 'true', true, 'boolean'],
  ['bool', 'false', false, 'boolean'],
  ['int2', '-32768', -32768, 'integer'],
  ['int4', '2147483647', 2147483647, 'integer'],
  ['int4', '-2147483648', -2147483648, 'integer'],
  ['int4', '0', 0, 'integer'],
  ['oid', '4294967295', 4294967295, 'integer'],
  ['int8', '9007199254740991', 9007199254740991, 'bigint'],
  ['int8', '9007199254740993', 9007199254740993n, 'bigint'],
  ['int8', '-9223372036854775808', -9223372036854775808n, 'bigint'],
  ['int8', '999999999999999', 999999999999999, 'bigint'],
  ['numeric', '0.10', '0.10', 'decimal'],
  ['numeric', '-123456789012345678901234567890.123456789', '-123456789012345678901234567890.123456789', 'decimal'],
  ['numeric', 'NaN', 'NaN', 'decimal'],
  ['numeric', '-Infinity', '-Infinity', 'decimal'],
  ['float8', '0.1', 0.1, 'number'],
  ['float8', '-1.7976931348623157e+308', -1.7976931348623157e308, 'number'],
  ['float8', '5e-324', 5e-324, 'number'],
  ['float8', '-0', -0, 'number'],
  ['float8', '123456789012345.67', 123456789012345.67, 'number'],
  ['float8', '1e15', 1e15, 'number'],
  ['float8', 'NaN', Number.NaN, 'number'],
  ['float8', 'Infinity', Number.POSITIVE_INFINITY, 'number'],
  ['float4', '3.4028235e+38', 3.4028235e38, 'number'],
  ['text', '', '', 'text'],
  ['text', 'NULL', 'NULL', 'text'],
  ['text', 'a\tb\nc\\d"é€😀', 'a\tb\nc\\d"é€😀', 'text'],
  ['varchar(5)', 'é', 'é', 'text'],
  ['char(3)', 'a', 'a  ', 'text'],
  ['uuid', '11111111-2222-3333-4444-555555555555', '11111111-2222-3333-4444-555555555555', 'text'],
  ['bytea', '\\x', new Uint8Array(), 'binary'],
  ['bytea', '\\x00ff5c27', new Uint8Array([0, 255, 92, 39]), 'binary'],
  ['date', '2024-02-29', new CalendarDate('2024-02-29'), 'date'],
  ['date', '0001-01-01', new CalendarDate('0001-01-01'), 'date'],
  ['date', '0044-03-15 BC', new CalendarDate('-000043-03-15'), 'date'],
  ['date', '0001-12-31 BC', new CalendarDate('0000-12-31'), 'date'],
  ['date', '4713-01-01 BC', new CalendarDate('-004712-01-01'), 'date'],
  ['date', '99999-12-31', new CalendarDate('+099999-12-31'), 'date'],
  ['date', '5874897-12-31', '+5874897-12-31', 'date'],
  ['date', 'infinity', 'infinity', 'date'],
  ['date', '-infinity', '-infinity', 'date'],
  ['timestamptz', '2024-01-02 03:04:05+00', utc('2024-01-02T03:04:05Z'), 'timestamp'],
  ['timestamptz', '2024-01-02 03:04:05.5+00', utc('2024-01-02T03:04:05.500Z'), 'timestamp'],
  [
    'timestamptz',
    '2024-01-02 03:04:05.123456+00',
    new PreciseDate(Date.UTC(2024, 0, 2, 3, 4, 5, 123), 456_000),
    'timestamp',
  ],
  ['timestamptz', '1969-12-31 23:59:59.999999+00', new PreciseDate(-1, 999_000), 'timestamp'],
  ['timestamptz', '0044-03-15 12:00:00+00 BC', utc('-000043-03-15T12:00:00Z'), 'timestamp'],
  ['timestamptz', '12345-06-07 08:09:10+00', utc('+012345-06-07T08:09:10Z'), 'timestamp'],
  ['timestamptz', '294276-12-31 23:59:59.999999+00', '+294276-12-31T23:59:59.999999Z', 'timestamp'],
  ['timestamptz', 'infinity', 'infinity', 'timestamp'],
  ['timestamp', '2024-07-01 12:30:00', utc('2024-07-01T12:30:00Z'), 'timestamp'],
  ['timestamp', '-infinity', '-infinity', 'timestamp'],
  ['time', '23:59:59.999999', '23:59:59.999999', 'text'],
  ['timetz', '12:00:00+02', '12:00:00+02', 'text'],
  ['interval', '1 year 2 mons 3 days 04:05:06.789', 'P1Y2M3DT4H5M6.789S', 'text'],
  ['interval', '-1 years -2 mons +3 days -04:05:06', 'P-1Y-2M3DT-4H-5M-6S', 'text'],
  ['interval', '00:00:00', 'PT0S', 'text'],
  ['json', '{"a": [1, null, "é"], "b": 1.50}', { a: [1, null, 'é'], b: 1.5 }, 'json'],
  ['jsonb', '{"a": 9007199254740993}', { a: 9007199254740993n }, 'json'],
  ['jsonb', '"text"', 'text', 'json'],
  ['jsonb', 'null', null, 'json'],
  ['xml', '<a>1</a>', '<a>1</a>', 'text'],
  ['inet', '192.168.0.1/24', '192.168.0.1/24', 'text'],
  ['macaddr', '08:00:2b:01:02:03', '08:00:2b:01:02:03', 'text'],
  ['bit(3)', '101', '101', 'text'],
  ['point', '(1,2)', '(1,2)', 'text'],
  ['money', '$1,234.50', '$1,234.50', 'text'],
  ['int4range', '[1,5)', '[1,5)', 'text'],
  ['tstzrange', '["2024-01-01 00:00:00+00",)', '["2024-01-01 00:00:00+00",)', 'text'],
  ['int4multirange', '{[1,3),[5,8)}', '{[1,3),[5,8)}', 'text'],
  ['tsvector', "'a':1 'b':2", "'a':1 'b':2", 'text'],
  ['int4[]', '{1,NULL,3}', [1, null, 3], 'array'],
  ['int4[]', '{}', [], 'array'],
  [
    'int4[]',
    '{{1,2},{3,4}}',
    [
      [1, 2],
      [3, 4],
    ],
    'array',
  ],
  ['int8[]', '{1,9007199254740993}', [1, 9007199254740993n], 'array'],
  ['text[]', '{"a,b","c\\"d\\\\","NULL",NULL,"",é,"{}"}', ['a,b', 'c"d\\', 'NULL', null, '', 'é', '{}'], 'array'],
  ['numeric[]', '{1.50,NaN}', ['1.50', 'NaN'], 'array'],
  ['bool[]', '{t,f}', [true, false], 'array'],
  ['date[]', '{2024-02-29,infinity}', [new CalendarDate('2024-02-29'), 'infinity'], 'array'],
  ['timestamptz[]', '{"2024-01-02 03:04:05+00"}', [utc('2024-01-02T03:04:05Z')], 'array'],
  ['bytea[]', '{"\\\\x0102"}', [new Uint8Array([1, 2])], 'array'],
  ['uuid[]', '{11111111-2222-3333-4444-555555555555}', ['11111111-2222-3333-4444-555555555555'], 'array'],
]

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
