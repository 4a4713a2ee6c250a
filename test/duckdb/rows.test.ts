/** DuckDB's vectors as rows: every type, against what DuckDB's own package says of the same values. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CalendarDate } from '../../src/core/calendar-date.ts'
import { loopColumnRows } from '../../src/core/column-rows.ts'
import { PreciseDate } from '../../src/core/precise-date.ts'
import type { Row } from '../../src/core/types.ts'
import type { StoredValueOptions } from '../../src/core/value-options.ts'
import { type DuckDbLease, openDuckDb } from '../../src/duckdb/instance.ts'
import { StreamRows } from '../../src/duckdb/rows.ts'

let lease: DuckDbLease
beforeAll(async () => {
  lease = await openDuckDb({ threads: 2 })
})
afterAll(() => lease[Symbol.asyncDispose]())

async function rowsOf(sql: string, options: StoredValueOptions = {}): Promise<Row[]> {
  const rows = new StreamRows(lease.duckdb, await lease.stream(sql), options)
  const all: Row[] = []
  for (let batch = await rows.read(); batch !== null; batch = await rows.read()) all.push(...batch)
  return all
}
const valueOf = async (sql: string, options?: StoredValueOptions) => (await rowsOf(`SELECT ${sql} AS v`, options))[0]!.v

describe('values of DuckDB', () => {
  it.each<[sql: string, value: unknown]>([
    ['NULL', null],
    ['true', true],
    ['(-128)::TINYINT', -128],
    ['255::UTINYINT', 255],
    ['4294967295::UINTEGER', 4294967295],
    ['1.5::FLOAT', 1.5],
    ["'NaN'::DOUBLE", Number.NaN],
    ["'-Infinity'::DOUBLE", Number.NEGATIVE_INFINITY],
    ["''", ''],
    ["'zwölf Byte!'", 'zwölf Byte!'],
    ["'einhundertunddreizehn 🙂 Zeichen'", 'einhundertunddreizehn 🙂 Zeichen'],
    ["'DE-AD'::BLOB || '\\xFF\\x00'::BLOB", new Uint8Array([68, 69, 45, 65, 68, 255, 0])],
    ["repeat('ab', 20)::BLOB", new Uint8Array(Buffer.from('ab'.repeat(20)))],
    ["DATE '2024-02-29'", new CalendarDate('2024-02-29')],
    ["DATE '0001-01-01'", new CalendarDate('0001-01-01')],
    ["'infinity'::DATE", 'infinity'],
    ["'-infinity'::DATE", '-infinity'],
    ["'5000000-12-31'::DATE", '+5000000-12-31'],
    ["TIME '23:59:59.000001'", '23:59:59.000001'],
    ["TIME '00:00:00'", '00:00:00'],
    ["'12:00:00.5+01:30'::TIMETZ", '12:00:00.500+01:30'],
    ["TIMESTAMP '2024-02-29 12:34:56.789'", new Date('2024-02-29T12:34:56.789Z')],
    ["TIMESTAMP '1969-12-31 23:59:59.999999'", new PreciseDate(-1, 999_000)],
    ["TIMESTAMP_NS '2024-02-29 12:34:56.123456789'", new PreciseDate(Date.UTC(2024, 1, 29, 12, 34, 56, 123), 456_789)],
    ["TIMESTAMP_S '2024-02-29 12:34:56'", new Date('2024-02-29T12:34:56Z')],
    ["TIMESTAMP_MS '2024-02-29 12:34:56.7'", new Date('2024-02-29T12:34:56.7Z')],
    ["TIMESTAMPTZ '2024-02-29 12:34:56+02'", new Date('2024-02-29T10:34:56Z')],
    ["'infinity'::TIMESTAMP", 'infinity'],
    ["'-infinity'::TIMESTAMPTZ", '-infinity'],
    ["'infinity'::TIMESTAMP_NS", 'infinity'],
    ["'290000-01-01'::TIMESTAMP", '+290000-01-01T00:00:00.000'],
    ["INTERVAL '1 year 2 months -3 days 4 hours 5.000006 seconds'", 'P1Y2M-3DT4H5.000006S'],
    ["INTERVAL '-1 second'", 'PT-1S'],
    ["INTERVAL '0 days'", 'PT0S'],
    ["'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'::UUID", 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'],
    ["'00000000-0000-0000-0000-000000000001'::UUID", '00000000-0000-0000-0000-000000000001'],
    ["'b'::ENUM('a', 'b')", 'b'],
    ['12.50::DECIMAL(4,2)', '12.50'],
    ['(-0.05)::DECIMAL(9,2)', '-0.05'],
    ['123456789012345.678::DECIMAL(18,3)', '123456789012345.678'],
    ["'-12345678901234567890123456789012345.678'::DECIMAL(38,3)", '-12345678901234567890123456789012345.678'],
    ['7::DECIMAL(5,0)', '7'],
    ['[1, NULL, 3]', [1, null, 3]],
    ["['a', 'a longer text than that']", ['a', 'a longer text than that']],
    ['[]::INTEGER[]', []],
    ['[[1], [], NULL]', [[1], [], null]],
    ['[1, 2, 3]::INTEGER[3]', [1, 2, 3]],
    ["{'a': 1, 'b': {'c': [NULL, 'x']}}", { a: 1, b: { c: [null, 'x'] } }],
    ["[{'a': 1}, NULL]", [{ a: 1 }, null]],
    ["MAP {'b': 1, 'a': NULL}", { b: 1, a: null }],
    [
      'MAP {2: true, 1: false}',
      [
        { key: 2, value: true },
        { key: 1, value: false },
      ],
    ],
    ['union_value(n := 1::INTEGER)', { tag: 'n', value: 1 }],
    ["'0101'::BIT", '0101'],
    ["{'a': 1, 'b': [DATE '2024-01-01', 'x'::VARIANT]}::VARIANT", { a: 1, b: [new CalendarDate('2024-01-01'), 'x'] }],
    ['123456789012345678901234567890::BIGNUM', 123456789012345678901234567890n],
  ])('gives %s', async (sql, value) => {
    const got = await valueOf(sql)
    expect(got).toEqual(value)
    if (typeof value === 'object' && value !== null)
      expect(Object.getPrototypeOf(got)).toBe(Object.getPrototypeOf(value))
  })

  it('gives integers of 64 bits and more by the option', async () => {
    const edges = [
      0n,
      1n,
      -1n,
      2n ** 32n,
      -(2n ** 32n),
      2n ** 53n - 1n,
      2n ** 53n,
      -(2n ** 53n) + 1n,
      -(2n ** 53n),
      2n ** 63n - 1n,
    ]
    for (const big of edges) {
      for (const type of ['BIGINT', 'HUGEINT']) {
        const sql = `'${big}'::${type}`
        const safe = Number.isSafeInteger(Number(big))
        expect(await valueOf(sql)).toBe(safe ? Number(big) : big)
        expect(await valueOf(sql, { bigint: 'bigint' })).toBe(big)
        expect(await valueOf(sql, { bigint: 'string' })).toBe(safe ? Number(big) : String(big))
        expect(await valueOf(sql, { bigint: 'number' })).toBe(Number(big))
      }
    }
    expect(await valueOf('18446744073709551615::UBIGINT')).toBe(2n ** 64n - 1n)
    expect(await valueOf("'340282366920938463463374607431768211455'::UHUGEINT")).toBe(2n ** 128n - 1n)
    expect(await valueOf("'-170141183460469231731687303715884105728'::HUGEINT")).toBe(-(2n ** 127n))
  })

  it('gives decimals, timestamps and maps by the options', async () => {
    expect(await valueOf('12.50::DECIMAL(4,2)', { decimals: 'number' })).toBe(12.5)
    const precise = "TIMESTAMP_NS '2024-02-29 12:34:56.123456789'"
    expect(await valueOf(precise, { timestamps: 'string' })).toBe('2024-02-29T12:34:56.123456789')
    expect(await valueOf(precise, { timestamps: 'date' })).toEqual(new Date('2024-02-29T12:34:56.123Z'))
    expect(String(await valueOf(precise))).toBe('2024-02-29T12:34:56.123456789Z')
    expect(JSON.stringify(await valueOf(precise))).toBe('"2024-02-29T12:34:56.123456789Z"')
    expect(await valueOf("TIMESTAMPTZ '2024-02-29 12:34:56.5+02'", { timestamps: 'string' })).toBe(
      '2024-02-29T10:34:56.500Z',
    )
    expect(await valueOf("MAP {'b': 1}", { maps: 'entries' })).toEqual([{ key: 'b', value: 1 }])
  })

  it('has nulls, and values of all lengths, over many chunks, as the package itself', async () => {
    const sql = `
      SELECT i AS id, CASE WHEN i % 7 = 0 THEN NULL ELSE i * 1000003 END AS n,
        CASE WHEN i % 3 = 0 THEN NULL ELSE repeat(chr((97 + i % 26)::INTEGER), (i % 40)::INTEGER) END AS s,
        CASE WHEN i % 5 = 0 THEN NULL ELSE repeat('ö', (i % 9000)::INTEGER) END AS u,
        CASE WHEN i % 4 = 0 THEN NULL ELSE list_transform(range(i % 6), x -> 'item ' || x || ' of many') END AS l,
        CASE WHEN i % 11 = 0 THEN NULL ELSE {'x': i, 'y': [i % 2 = 0, NULL]} END AS t
      FROM range(10000) r(i)`
    const expected = (await lease.run(sql)).getRowObjectsJS()
    const normal = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)
    const rows = await rowsOf(sql)
    expect(rows.length).toBe(10_000)
    const theirs = await expected
    for (const [i, row] of rows.entries()) {
      const other = theirs[i]!
      expect(row.s).toBe(other.s)
      expect(row.u).toBe(other.u)
      expect(row.l).toEqual(other.l)
      expect([row.id, row.n]).toEqual([normal(other.id), normal(other.n)])
      expect(row.t).toEqual(i % 11 === 0 ? null : { x: i, y: [i % 2 === 0, null] })
    }
  })

  it('reads vectors that a filter and a sort have rearranged', async () => {
    const rows = await rowsOf(`SELECT * FROM (
      SELECT i, [i, i + 1] AS l, {'a': 'text number ' || i} AS s, MAP {'k' || i: [i]} AS m FROM range(9000) r(i)
    ) WHERE i % 3 = 1 ORDER BY i DESC`)
    expect(rows).toHaveLength(3000)
    for (const [at, row] of rows.entries()) {
      const i = 8998 - 3 * at
      expect(row).toEqual({ i, l: [i, i + 1], s: { a: `text number ${i}` }, m: { [`k${i}`]: [i] } })
    }
  })

  it('reads very many columns', async () => {
    const columns = Array.from({ length: 300 }, (_, i) => `'text number ' || (i + ${i}) AS c${i}`)
    const rows = await rowsOf(`SELECT ${columns.join(', ')} FROM range(3000) t(i)`)
    expect(rows).toHaveLength(3000)
    for (const [i, row] of rows.entries()) {
      expect(row.c0).toBe(`text number ${i}`)
      expect(row.c299).toBe(`text number ${i + 299}`)
    }
    expect(Object.keys(rows[0]!)).toHaveLength(300)
  })

  it('makes plain rows whatever columns and fields are called', async () => {
    const names = ['__proto__', 'constructor', '2', '1', 'a b', `it's "so"`, 'Ünïcödé']
    const list = names.map((name, i) => `${i} AS "${name.replaceAll('"', '""')}"`).join(', ')
    const [row] = await rowsOf(`SELECT ${list}`)
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
    expect(Object.entries(row!).sort()).toEqual(names.map((name, i) => [name, i]).sort())
    const nested = (await valueOf("{'__proto__': 1, 'b': 2}")) as object
    expect(Object.entries(nested)).toEqual([
      ['__proto__', 1],
      ['b', 2],
    ])
    const map = (await valueOf("MAP {'__proto__': 1}")) as object
    expect(Object.entries(map)).toEqual([['__proto__', 1]])
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype)
  })

  it('makes the same rows without generated code', () => {
    const keys = ['b', '__proto__', 'a']
    const columns = [[1, 2], new Int8Array([3, 4]), ['x', null]]
    const rows = loopColumnRows(keys)(2, columns)
    expect(rows.map(row => Object.entries(row))).toEqual([
      [
        ['b', 1],
        ['__proto__', 3],
        ['a', 'x'],
      ],
      [
        ['b', 2],
        ['__proto__', 4],
        ['a', null],
      ],
    ])
    expect(Object.getPrototypeOf(rows[0])).toBe(Object.prototype)
  })
})
