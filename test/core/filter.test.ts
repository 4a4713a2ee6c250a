/** Filters: what they mean for rows, and that DuckDB means the same by their SQL. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CalendarDate } from '../../src/core/calendar-date.ts'
import { checkCondition, type Filter, parseFilter, rowPredicate } from '../../src/core/filter.ts'
import { PreciseDate } from '../../src/core/precise-date.ts'
import type { SchemaType } from '../../src/core/schema.ts'
import type { Row } from '../../src/core/types.ts'
import { conditionSql } from '../../src/duckdb/filter-sql.ts'
import { type DuckDbLease, openDuckDb } from '../../src/duckdb/instance.ts'
import { quoteIdentifier } from '../../src/duckdb/names.ts'
import { StreamRows } from '../../src/duckdb/rows.ts'

const rows: Row[] = [
  { n: 1, t: 'a' },
  { n: null, t: 'b' },
  { n: 3, t: null },
  { n: Number.NaN, t: '' },
]
const kept = (filter: Filter) => rows.filter(rowPredicate(parseFilter(filter))).map(row => rows.indexOf(row))

describe('a filter', () => {
  it.each<[Filter, number[]]>([
    [{}, [0, 1, 2, 3]],
    [{ n: 1 }, [0]],
    [{ n: null }, [1]],
    [{ n: { ne: 1 } }, [1, 2, 3]],
    [{ n: { ne: null } }, [0, 2, 3]],
    [{ n: { gt: 1 } }, [2, 3]],
    [{ n: { gte: 1, lt: 4 } }, [0, 2]],
    [{ n: { in: [1, null] } }, [0, 1]],
    [{ n: { notIn: [1] } }, [1, 2, 3]],
    [{ n: { in: [] } }, []],
    [{ n: Number.NaN }, [3]],
    [{ t: { startsWith: 'a' } }, [0]],
    [{ n: { gt: 0 }, t: 'a' }, [0]],
    [{ any: [{ n: 3 }, { t: 'b' }] }, [1, 2]],
    [{ none: [{ n: 3 }, { t: 'b' }] }, [0, 3]],
    [{ all: [{ n: { lt: 4 } }, { t: { ne: null } }] }, [0]],
    [{ any: [] }, []],
    [{ none: [] }, [0, 1, 2, 3]],
    [{ n: undefined }, [0, 1, 2, 3]],
  ])('%j keeps %j', (filter, expected) => expect(kept(filter)).toEqual(expected))

  it('compares columns that are called as a combination is', () => {
    const predicate = rowPredicate(parseFilter({ any: 1, all: { gt: 1 } }))
    expect([predicate({ any: 1, all: 2 }), predicate({ any: 1, all: 1 })]).toEqual([true, false])
  })

  it('compares instants to the nanosecond, decimals by their value, texts by code point', () => {
    const precise = rowPredicate(parseFilter({ at: { gt: new PreciseDate(5, 10) } }))
    expect([precise({ at: new PreciseDate(5, 11) }), precise({ at: new Date(5) })]).toEqual([true, false])
    const types = new Map<string, SchemaType>([['price', 'decimal']])
    const decimal = (filter: Filter) => rowPredicate(parseFilter(filter), types)
    expect(decimal({ price: { gt: 9 } })({ price: '12.50' })).toBe(true)
    expect(decimal({ price: '12.5' })({ price: '12.50' })).toBe(true)
    expect(decimal({ price: { lt: '0.30000000000000000001' } })({ price: '0.30000000000000000000' })).toBe(true)
    expect(rowPredicate(parseFilter({ t: { gt: '\uffff' } }))({ t: '\u{1f600}' })).toBe(true)
  })

  it('is refused where it is none', () => {
    const refused = (filter: unknown) => {
      try {
        parseFilter(filter as Filter)
      } catch (error) {
        return (error as { code: string; hint?: string }).code
      }
      return undefined
    }
    for (const filter of [
      null,
      'x',
      [],
      new Date(),
      { n: { in: 1 } },
      { n: { lt: null } },
      { n: { startsWith: 1 } },
      { n: () => 1 },
    ]) {
      expect([filter, refused(filter)]).toEqual([filter, 'OPTION_INVALID'])
    }
    expect(() => parseFilter({ n: { gte_: 1 } as never })).toThrow(/did you mean gte/)
    const columns = [
      { name: 'n', type: 'integer' as const },
      { name: 'text', type: 'text' as const },
    ]
    const check = (filter: Filter) => () => checkCondition(parseFilter(filter), columns, 'x.parquet')
    expect(check({ txt: 'a' })).toThrow(/"txt", which is not a column; did you mean "text"/)
    expect(check({ any: [{ n: 'a' }] })).toThrow(/compares column "n" with "a"/)
    expect(check({ n: { in: [1, null, 2n] }, text: { startsWith: 'x' } })).not.toThrow()
  })
})

describe('the SQL of a filter', () => {
  let lease: DuckDbLease
  beforeAll(async () => {
    lease = await openDuckDb()
    await lease.run(`CREATE TABLE samples AS SELECT * FROM (VALUES
      (1, 9007199254740993, 1.5::DOUBLE, 'a', true, DATE '2024-01-01', TIMESTAMP '2024-01-01 00:00:00.000001', '\\x01'::BLOB, 12.50::DECIMAL(9,2)),
      (-5, 0, 'NaN'::DOUBLE, '', false, DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59.999', ''::BLOB, 0::DECIMAL(9,2)),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      (7, -1, 'infinity'::DOUBLE, 'ab', true, DATE '2000-02-29', TIMESTAMP '2000-02-29 12:00:00', '\\x01\\x02'::BLOB, -3.07::DECIMAL(9,2)),
      (1, 5, 0.1, '🙂', false, DATE '2024-01-01', TIMESTAMP '2024-01-01 00:00:00', 'x'::BLOB, 12.49::DECIMAL(9,2))
    ) t(i, b, d, t, f, day, moment, bytes, price)`)
  })
  afterAll(() => lease[Symbol.asyncDispose]())

  const NAMES = ['i', 'b', 'd', 't', 'f', 'day', 'moment', 'bytes', 'price'] as const
  const number = fc.constantFrom(-5, 0, 1, 1.5, 0.1, 7, Number.NaN, 5n, 9007199254740993n, 2n ** 70n)
  const VALUES: Record<(typeof NAMES)[number], fc.Arbitrary<never>> = {
    i: number as never,
    b: fc.constantFrom(0, -1, 5, 5n, 9007199254740993n, 9007199254740992n) as never,
    d: number as never,
    t: fc.constantFrom('', 'a', 'ab', 'b', '🙂', '\uffff') as never,
    f: fc.boolean() as never,
    day: fc.constantFrom(new CalendarDate('2024-01-01'), new CalendarDate('2000-02-29')) as never,
    moment: fc.constantFrom(
      new PreciseDate(Date.UTC(2024, 0, 1), 1000),
      new Date(Date.UTC(2024, 0, 1)),
      new Date(-1),
      new PreciseDate(Date.UTC(2024, 0, 1), 999),
    ) as never,
    bytes: fc.constantFrom(new Uint8Array([1]), new Uint8Array()) as never,
    price: fc.constantFrom(12.5, '12.5', '12.49', '-3.070', 0, 0n) as never,
  }
  const comparison = fc.constantFrom(...NAMES).chain(name => {
    const value = VALUES[name]
    const ordered = name === 'bytes' ? [] : (['lt', 'lte', 'gt', 'gte'] as const)
    return fc
      .oneof(
        fc.tuple(fc.constantFrom('eq', 'ne'), fc.option(value)),
        fc.tuple(fc.constantFrom('in', 'notIn'), fc.array(fc.option(value), { maxLength: 3 })),
        ...(ordered.length === 0 ? [] : [fc.tuple(fc.constantFrom(...ordered), value)]),
        ...(name === 't' ? [fc.tuple(fc.constant('startsWith'), value)] : []),
      )
      .map(([word, given]) => ({ [name]: { [word]: given } }) as Filter)
  })
  const filter: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>(tie => ({
    filter: fc.oneof(
      { maxDepth: 2, withCrossShrink: true },
      comparison,
      fc
        .tuple(fc.constantFrom('any', 'all', 'none'), fc.array(tie('filter'), { maxLength: 3 }))
        .map(([word, parts]) => ({ [word]: parts }) as Filter),
    ),
  })).filter

  it('keeps the rows that the filter keeps', async () => {
    const all = await read('SELECT * FROM samples')
    const types = new Map(
      (await lease.stream('SELECT * FROM samples')).columnTypes.map((type, i) => [NAMES[i]! as string, type]),
    )
    const columns = { typeOf: (name: string) => types.get(name), nameOf: (name: string) => name }
    const meanings = new Map<string, SchemaType>([['price', 'decimal']])
    await fc.assert(
      fc.asyncProperty(filter, async given => {
        const condition = parseFilter(given)
        const { sql, parameters, types: bound } = conditionSql(lease.duckdb, condition, columns)
        const theirs = await read(`SELECT * FROM samples WHERE ${sql}`, parameters, [...bound])
        expect(theirs).toEqual(all.filter(rowPredicate(condition, meanings)))
      }),
      { seed: 7, numRuns: 400 },
    )
  })

  async function read(
    sql: string,
    parameters: readonly never[] | readonly unknown[] = [],
    types?: never[] | unknown[],
  ): Promise<Row[]> {
    const stream = await lease.stream(sql, parameters as never, { types: types as never })
    const found = new StreamRows(lease.duckdb, stream)
    const batches: Row[] = []
    for (let batch = await found.read(); batch !== null; batch = await found.read()) batches.push(...batch)
    return batches
  }

  it('quotes what columns are called', async () => {
    const name = 'a"; --'
    const columns = { typeOf: () => lease.duckdb.api.INTEGER, nameOf: (column: string) => column }
    const { sql, parameters, types } = conditionSql(lease.duckdb, parseFilter({ [name]: 1 }), columns)
    const found = await lease.rows(`SELECT * FROM (SELECT 1 AS ${quoteIdentifier(name)}) WHERE ${sql}`, parameters, {
      types: [...types],
    })
    expect(found).toEqual([{ [name]: 1 }])
  })
})
