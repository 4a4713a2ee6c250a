/** Two engines, one answer: DuckDB and hyparquet give the same rows, and each stands in where the other cannot. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Row } from '../../src/core/types.ts'
import { openDuckDb } from '../../src/duckdb/instance.ts'
import { CalendarDate, openIterable, PreciseDate, type ReadOptions } from '../../src/index.ts'

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/parquet/${name}.parquet`, import.meta.url))

async function rowsOf(target: string, options: ReadOptions = {}, open = openIterable) {
  const reader = open(target, options)
  try {
    const rows: Row[] = []
    for await (const row of reader) rows.push(row as Row)
    return {
      rows,
      engine: reader.engine,
      types: reader.schema!.columns.map(({ type }) => type),
      columns: reader.columns,
    }
  } finally {
    await reader.close()
  }
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-engines-test-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('both engines', () => {
  it.each([
    ['alltypes_plain.snappy', 2],
    ['binary', 12],
    ['byte_array_decimal', 24],
    ['concatenated_gzip_members', 513],
    ['datapage_v2.snappy', 5],
    ['fixed_length_decimal', 24],
    ['float16_nonzeros_and_nans', 8],
    ['int64_decimal', 24],
    ['lz4_raw_compressed', 4],
    ['nested_lists.snappy', 3],
    ['nested_maps.snappy', 6],
    ['nonnullable.impala', 1],
    ['nullable.impala', 7],
    ['old_list_structure', 1],
    ['repeated_no_annotation', 6],
    ['repeated_primitive_no_list', 4],
    ['rle_boolean_encoding', 68],
  ])('give the same of %s', async (name, count) => {
    const [ours, theirs] = [await rowsOf(fixture(name)), await rowsOf(fixture(name), { engine: 'hyparquet' })]
    expect(ours.rows).toHaveLength(count)
    expect(theirs.rows).toEqual(ours.rows)
    expect(theirs.rows.map(row => JSON.stringify(row, jsonable))).toEqual(
      ours.rows.map(row => JSON.stringify(row, jsonable)),
    )
    expect([theirs.types, theirs.columns]).toEqual([ours.types, ours.columns])
    expect([ours.engine, theirs.engine]).toEqual(['duckdb', 'hyparquet'])
  })

  it('give the same of real data, over several row groups', async () => {
    const flights = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))
    const digestOf = async (options: ReadOptions) => {
      const hash = createHash('sha256')
      let count = 0
      for await (const batch of openIterable(flights, options).batches()) {
        for (const row of batch) hash.update(JSON.stringify(row))
        count += batch.length
      }
      return [count, hash.digest('hex')]
    }
    for (const options of [{ offset: 200_000, limit: 150_000 }, { where: { origin: 'SEA', delay: { gt: 120 } } }]) {
      const ours = await digestOf({ ...options, engine: 'duckdb' })
      expect(ours[0]).toBeGreaterThan(500)
      expect(await digestOf({ ...options, engine: 'hyparquet' })).toEqual(ours)
    }
  }, 60_000)

  it('give the same of all types and options', async () => {
    const path = join(folder, 'types.parquet')
    const lease = await openDuckDb()
    await lease.run(
      `COPY (SELECT i AS id, (i - 5)::TINYINT AS tiny, (i * 1000)::USMALLINT AS small, i * 1000000007 * 1000000007 AS big,
        (18446744073709551615 - i)::UBIGINT AS unsigned, i / 3.0::FLOAT AS single, i / 7.0 AS double, i % 2 = 0 AS flag,
        (i * 1.25)::DECIMAL(4,2) AS d4, (i * -1.25)::DECIMAL(9,3) AS d9, (i * 123456789.5)::DECIMAL(18,1) AS d18, (i * 123456789.5)::DECIMAL(38,10) AS d38,
        DATE '1969-12-25' + i::INTEGER AS day, TIME '00:00:00.000001' + to_seconds(i) AS time,
        TIMESTAMP '1969-12-31 23:59:59.999995' + to_microseconds(i) AS at, make_timestamp_ns(1700000000123456789 + i) AS nanos,
        make_timestamp(1700000000123456 + i)::TIMESTAMPTZ AS zoned, TIMESTAMP_MS '2024-02-29 12:00:00.123' AS millis,
        TIMESTAMP_S '2024-02-29 12:00:00' AS seconds, to_days(i::INTEGER) + to_milliseconds(i) AS span,
        uuid_from_text AS id2, ('text ' || repeat('ö', i::INTEGER)) AS text, encode('bytes ' || i) AS bytes,
        [i, NULL, i + 1] AS list, [[i], []] AS lists, {'a': i, 'b': {'c': 'x' || i}} AS struct, [{'k': i}] AS structs,
        MAP {'k' || i: i, 'none': NULL} AS map, MAP {i: 'v' || i} AS numbers, ('e' || i % 3)::ENUM('e0', 'e1', 'e2') AS enumerated,
        CASE WHEN i % 2 = 0 THEN NULL ELSE {'a': [i]} END AS absent
      FROM range(10) t(i), (SELECT 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'::UUID AS uuid_from_text)) TO $1 (FORMAT parquet)`,
      [path],
    )
    await lease[Symbol.asyncDispose]()
    const all: ReadOptions[] = [
      {},
      { bigint: 'bigint' },
      { bigint: 'string', decimals: 'number', maps: 'entries' },
      { bigint: 'number', timestamps: 'string' },
      { timestamps: 'date' },
      { columns: ['text', 'list'], limit: 3, offset: 4 },
      { where: { id: { gte: 3 }, flag: true } },
      { where: { any: [{ d38: '370370368.5' }, { text: 'text ö' }, { day: new CalendarDate('1969-12-27') }] } },
      { where: { nanos: { gt: new PreciseDate(1_700_000_000_123, 456_795) } }, columns: ['id'], offset: 1 },
      { where: { text: null } },
    ]
    for (const options of all) {
      const ours = await rowsOf(path, { ...options, engine: 'duckdb' })
      const theirs = await rowsOf(path, { ...options, engine: 'hyparquet' })
      expect(theirs.rows).toEqual(ours.rows)
      for (const [i, row] of theirs.rows.entries()) {
        for (const [name, value] of Object.entries(row)) {
          const other = ours.rows[i]![name]
          if (value !== null && typeof value === 'object')
            expect(Object.getPrototypeOf(value)).toBe(Object.getPrototypeOf(other))
          if (value instanceof PreciseDate) expect(value.nanoseconds).toBe((other as PreciseDate).nanoseconds)
        }
      }
    }
    expect((await rowsOf(path, all[6])).rows.map(({ id }) => id)).toEqual([4, 6, 8])
    expect((await rowsOf(path, all[7])).rows.map(({ id }) => id)).toEqual([1, 2, 3])
    expect((await rowsOf(path, all[8])).rows).toEqual([{ id: 8 }, { id: 9 }])
    const wrong = { where: { text: 5 }, engine: 'hyparquet' } satisfies ReadOptions
    await expect(rowsOf(path, wrong)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(rowsOf(path, { columns: ['texd'], engine: 'hyparquet' })).rejects.toThrow(/did you mean "text"/)
  })
})

describe('hyparquet', () => {
  it.each([
    ['hadoop_lz4_compressed', 4],
    ['map_no_value', 3],
  ])('reads %s, which DuckDB does not know', async (name, count) => {
    const { rows, engine } = await rowsOf(fixture(name))
    expect([rows.length, engine]).toEqual([count, 'hyparquet'])
    await expect(rowsOf(fixture(name), { engine: 'duckdb' })).rejects.toMatchObject({ code: 'PARQUET_UNSUPPORTED' })
  })

  it('is not asked for what it would get wrong', async () => {
    expect((await rowsOf(fixture('variant'))).engine).toBe('duckdb')
    await expect(rowsOf(fixture('variant'), { engine: 'hyparquet' })).rejects.toMatchObject({
      code: 'PARQUET_UNSUPPORTED',
    })
    expect((await rowsOf(fixture('variant'), { engine: 'hyparquet', columns: ['id'] })).rows).toHaveLength(1)
    await expect(rowsOf(fixture('variant-array'))).rejects.toMatchObject({ code: 'PARQUET_UNSUPPORTED' })
    await expect(rowsOf(fixture('PARQUET-1481'), { engine: 'hyparquet' })).rejects.toMatchObject({
      code: 'PARQUET_CORRUPT',
    })
  })

  it('reads where DuckDB is not installed; what only DuckDB does then says so', async () => {
    vi.resetModules()
    // From where no package is found.
    vi.doMock('node:module', () => ({ createRequire: () => createRequire(join(tmpdir(), 'none.js')) }))
    try {
      const { openIterable: open } = await import('../../src/index.ts')
      const { rows, engine } = await rowsOf(fixture('datapage_v2.snappy'), { where: { b: { gt: 2 } } }, open)
      expect([rows.map(({ b }) => b), engine]).toEqual([[3, 4, 5], 'hyparquet'])
      const missing = { code: 'PEER_MISSING', hint: 'npm install @duckdb/node-api' }
      await expect(rowsOf(fixture('datapage_v2.snappy'), { orderBy: 'b' }, open)).rejects.toMatchObject(missing)
      await expect(rowsOf(fixture('datapage_v2.snappy'), { where: 'b > 2' }, open)).rejects.toMatchObject(missing)
      await expect(rowsOf(fixture('datapage_v2.snappy'), { engine: 'duckdb' }, open)).rejects.toMatchObject(missing)
      vi.doMock('hyparquet', () => {
        throw new Error('Cannot find package')
      })
      vi.resetModules()
      const { openIterable: neither } = await import('../../src/index.ts')
      await expect(rowsOf(fixture('datapage_v2.snappy'), {}, neither)).rejects.toMatchObject(missing)
      await expect(rowsOf(fixture('datapage_v2.snappy'), { engine: 'hyparquet' }, neither)).rejects.toMatchObject({
        code: 'PEER_MISSING',
        hint: /npm install hyparquet hyparquet-compressors/,
      })
    } finally {
      vi.doUnmock('node:module')
      vi.doUnmock('hyparquet')
      vi.resetModules()
    }
  })
})

/** JSON of what JSON has no word for, so that types are compared as well. */
function jsonable(this: unknown, _: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { bigint: String(value) }
  if (Object.is(value, -0)) return { number: '-0' }
  return typeof value === 'number' && !Number.isFinite(value) ? { number: String(value) } : value
}
