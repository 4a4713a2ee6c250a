/** Reading Parquet: what comes out, what is not read, and what a file that is not right does. */
import { execFileSync } from 'node:child_process'
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Row } from '../../src/core/types.ts'
import { openDuckDb, openInstances } from '../../src/duckdb/instance.ts'
import { CalendarDate, openIterable, PreciseDate, parquetMetadata, type ReadOptions } from '../../src/index.ts'

const FLIGHTS = fileURLToPath(new URL('../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url))
const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/parquet/${name}`, import.meta.url))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-parquet-test-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  expect(openInstances()).toEqual({ instances: 0, leases: 0 })
})

/** Writes the rows of a query as Parquet. */
async function make(name: string, sql: string, more = ''): Promise<string> {
  const path = join(folder, name)
  const lease = await openDuckDb()
  try {
    await lease.run(`COPY (${sql}) TO $1 (FORMAT parquet${more})`, [path])
  } finally {
    await lease[Symbol.asyncDispose]()
  }
  return path
}

async function rowsOf(target: string, options: ReadOptions = {}): Promise<Row[]> {
  const rows: Row[] = []
  for await (const row of openIterable(target, options)) rows.push(row)
  return rows
}

describe('Parquet', () => {
  it('gives real data as plain rows, all of them, in their order', async () => {
    const reader = await openIterable(FLIGHTS)
    expect([reader.format, reader.engine, reader.columns]).toEqual([
      'parquet',
      'duckdb',
      ['date', 'delay', 'distance', 'origin', 'destination'],
    ])
    expect(reader.schema!.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'date timestamp',
      'delay bigint',
      'distance bigint',
      'origin text',
      'destination text',
    ])
    let count = 0
    let delay = 0
    let distance = 0
    let last = 0
    for await (const batch of reader.batches()) {
      for (const row of batch as { date: Date; delay: number; distance: number }[]) {
        delay += row.delay
        distance += row.distance
        if (row.date.getTime() < last) throw new Error('out of order')
        last = row.date.getTime()
      }
      count += batch.length
    }
    const lease = await openDuckDb()
    const [sums] = await lease.rows(
      'SELECT sum(delay)::DOUBLE AS delay, sum(distance)::DOUBLE AS distance FROM read_parquet($1)',
      [FLIGHTS],
    )
    await lease[Symbol.asyncDispose]()
    expect([count, { delay, distance }]).toEqual([3_000_000, sums])
    expect(reader.rowsRead).toBe(3_000_000)
  })

  it('counts the bytes that it reads', async () => {
    const path = await make(
      'counted.parquet',
      'SELECT i AS a, hash(i) AS b FROM range(100000) t(i)',
      ', ROW_GROUP_SIZE 20480',
    )
    const size = (await readFile(path)).length
    const { rowGroups } = await parquetMetadata(path)
    const bytesOf = async (options: ReadOptions) => {
      const reader = openIterable(path, options)
      let last = 0
      for await (const _ of reader.batches()) {
        expect(reader.bytesRead).toBeGreaterThanOrEqual(last)
        last = reader.bytesRead
      }
      return reader.bytesRead
    }
    expect(await bytesOf({})).toBe(size)
    const chunks = rowGroups.reduce((sum, { columns }) => sum + columns[0]!.bytes.end - columns[0]!.bytes.start, 0)
    const partly = await bytesOf({ columns: ['a'] })
    expect(partly).toBeGreaterThan(chunks)
    expect(partly).toBeLessThan(chunks + 4096)
    expect(await bytesOf({ columns: ['a'], where: { a: 5 } })).toBe(partly)
    expect(await bytesOf({ limit: 10_000 })).toBeLessThan(size / 9)
  })

  it('opens the file again by reset()', async () => {
    const reader = openIterable(FLIGHTS, { limit: 3000 })
    const first = await reader.readBulk(2500)
    await reader.reset()
    expect(await reader.readBulk(2500)).toEqual(first)
    await reader.close()
  })

  it('gives up at any moment, and lets go of DuckDB', async () => {
    for await (const row of openIterable(FLIGHTS)) {
      expect(row.origin).toBe('LAS')
      break
    }
    const reader = openIterable(FLIGHTS)
    expect(await reader.readBulk(10)).toHaveLength(10)
    await reader.close()
    const controller = new AbortController()
    const aborted = openIterable(FLIGHTS, { signal: controller.signal, orderBy: 'delay' })
    const reading = aborted.read()
    controller.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
    await aborted.close()
    expect(openInstances()).toEqual({ instances: 0, leases: 0 })
  })

  it('reads several files side by side, more than queries run at once', async () => {
    const readers = Array.from({ length: 6 }, (_, i) => openIterable(FLIGHTS, { offset: i, limit: 5000 }))
    for (let round = 0; round < 10; round++) {
      const parts = await Promise.all(readers.map(reader => reader.readBulk(500)))
      for (const [i, part] of parts.entries()) expect(part.slice(0, -i || undefined)).toEqual(parts[0]!.slice(i))
    }
    await Promise.all(readers.map(reader => reader.close()))
  })

  it('is known by its first bytes where the name does not tell', async () => {
    const path = join(folder, 'no-extension')
    await copyFile(await make('named.parquet', 'SELECT 1 AS a'), path)
    expect(await rowsOf(path)).toEqual([{ a: 1 }])
  })

  it('has types in the schema, in full', async () => {
    const path = await make(
      'types.parquet',
      `SELECT 1::SMALLINT AS i, 1::BIGINT AS b, 1.5::DECIMAL(9,2) AS c, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS z,
        TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS n, TIME '12:34:56.5' AS t, 'x'::BLOB AS x, [{'a': DATE '2024-01-01'}] AS l,
        MAP {'k': 1} AS m, uuid() AS u, 1::FLOAT AS f`,
    )
    const reader = await openIterable(path)
    expect(reader.schema).toEqual({
      columns: [
        { name: 'i', type: 'integer', format: 'SMALLINT' },
        { name: 'b', type: 'bigint', format: 'BIGINT' },
        { name: 'c', type: 'decimal', format: 'DECIMAL(9,2)' },
        { name: 'z', type: 'timestamp', format: 'TIMESTAMP WITH TIME ZONE' },
        { name: 'n', type: 'timestamp', format: 'TIMESTAMP_NS' },
        { name: 't', type: 'text', format: 'TIME' },
        { name: 'x', type: 'binary', format: 'BLOB' },
        {
          name: 'l',
          type: 'array',
          items: {
            type: 'object',
            nullable: true,
            fields: [{ name: 'a', type: 'date', format: 'DATE', nullable: true, source: 'file' }],
          },
        },
        { name: 'm', type: 'object', format: 'MAP(VARCHAR, INTEGER)' },
        { name: 'u', type: 'text', format: 'UUID' },
        { name: 'f', type: 'number', format: 'FLOAT' },
      ].map(column => ({ ...column, nullable: true, source: 'file' })),
    })
    const [row] = await reader.readBulk(2)
    expect(row).toMatchObject({
      c: '1.50',
      z: new Date('2024-01-01T00:00:00Z'),
      n: new PreciseDate(Date.UTC(2024, 0, 1, 0, 0, 0, 123), 456_789),
      t: '12:34:56.500',
      x: new Uint8Array([120]),
      l: [{ a: new CalendarDate('2024-01-01') }],
      m: { k: 1 },
    })
    await reader.close()
    expect(
      await rowsOf(path, { columns: ['b', 'c', 'm'], bigint: 'bigint', decimals: 'number', maps: 'entries' }),
    ).toEqual([{ b: 1n, c: 1.5, m: [{ key: 'k', value: 1 }] }])
  })

  it('calls columns what the file calls them, also where DuckDB would not', async () => {
    const names = ['id', 'ID', 'a b', '"', "it's", '__proto__', '1', 'Straße', '--']
    const quoted = names.map((name, i) => `${i} AS "${name.replaceAll('"', '""')}"`)
    // DuckDB takes `id` and `ID` for the same, so the second gets its name in the file, by bytes of the same length.
    const path = await make('names.parquet', `SELECT ${quoted.map(one => one.replace('"ID"', '"XY"')).join(', ')}`)
    const bytes = await readFile(path)
    await writeFile(path, Buffer.from(bytes.toString('latin1').replaceAll('XY', 'ID'), 'latin1'))
    const [row] = await rowsOf(path)
    expect(Object.entries(row!).sort()).toEqual(names.map((name, i) => [name, i]).sort())
    expect(Object.entries((await rowsOf(path, { columns: ['ID', '__proto__'], where: { ID: 1 } }))[0]!)).toEqual([
      ['ID', 1],
      ['__proto__', 5],
    ])
    expect(await rowsOf(path, { columns: ['ID', 'id'], orderBy: 'ID', where: { ID: { gt: 1 } } })).toEqual([])
  })
})

describe('what is asked of Parquet', () => {
  let path: string
  beforeAll(async () => {
    path = await make(
      'asked.parquet',
      `SELECT i AS id, i % 10 AS digit, CASE WHEN i % 3 = 0 THEN NULL ELSE 'name ' || i END AS name FROM range(10000) t(i)`,
      ', ROW_GROUP_SIZE 2048',
    )
  })

  it('is columns, in the order in which they are named', async () => {
    const reader = openIterable(path, { columns: ['name', 'id'], limit: 2 })
    const rows = await reader.readBulk(5)
    expect([reader.columns, rows.map(row => Object.entries(row))]).toEqual([
      ['name', 'id'],
      [
        [
          ['name', null],
          ['id', 0],
        ],
        [
          ['name', 'name 1'],
          ['id', 1],
        ],
      ],
    ])
    await reader.close()
  })

  it.each<[title: string, options: ReadOptions, ids: (all: number[]) => number[]]>([
    ['a filter', { where: { digit: 3, id: { gte: 9000 } } }, all => all.filter(i => i % 10 === 3 && i >= 9000)],
    ['any of several', { where: { any: [{ id: 5 }, { name: 'name 7' }] } }, () => [5, 7]],
    ['nulls', { where: { name: null }, limit: 3 }, () => [0, 3, 6]],
    ['SQL', { where: 'digit = 4 AND id < 30 -- and no more' }, () => [4, 14, 24]],
    ['SQL with parameters', { where: ['id BETWEEN $1 AND $2', 10, 12] }, () => [10, 11, 12]],
    ['a limit', { limit: 3 }, () => [0, 1, 2]],
    ['no rows', { limit: 0 }, () => []],
    ['an offset', { offset: 9998 }, () => [9998, 9999]],
    ['limit and offset', { limit: 2, offset: 4095 }, () => [4095, 4096]],
    ['more than there is', { offset: 20_000 }, () => []],
    ['an order', { orderBy: [{ column: 'digit', descending: true }, 'id'], limit: 3 }, () => [9, 19, 29]],
    ['an order with nulls first', { orderBy: [{ column: 'name', nulls: 'first' }, 'id'], limit: 2 }, () => [0, 3]],
    [
      'all of it',
      { where: { digit: 1 }, orderBy: [{ column: 'id', descending: true }], limit: 1, offset: 2 },
      () => [9971],
    ],
  ])('is %s', async (_, options, expected) => {
    const ids = (await rowsOf(path, options)).map(({ id }) => id as number)
    expect(ids).toEqual(expected(Array.from({ length: 10_000 }, (_, i) => i)))
  })

  it('is refused before rows are read where it cannot be', async () => {
    const code = async (options: ReadOptions) =>
      openIterable(path, options)
        .read()
        .catch(error => `${error.code} ${error.message}`)
    expect(await code({ columns: ['nam'] })).toMatch(/^OPTION_INVALID .*did you mean "name"/)
    expect(await code({ columns: ['id', 'id'] })).toMatch(/^OPTION_INVALID/)
    expect(await code({ columns: [] })).toMatch(/^OPTION_INVALID/)
    expect(await code({ where: { id: 'x' } })).toMatch(/^OPTION_INVALID .*compares column "id" with "x"/)
    expect(await code({ where: { idd: 1 } })).toMatch(/^OPTION_INVALID .*did you mean "id"/)
    expect(await code({ where: 'idd > 1' })).toMatch(/^QUERY_INVALID .*idd/)
    expect(await code({ where: ['id > $1'] })).toMatch(/^QUERY_INVALID/)
    expect(await code({ where: "CAST('x' || id AS INTEGER) = 1" })).toMatch(/^DUCKDB_FAILED .*Could not convert/)
    expect(await code({ where: 'true); SELECT (1' })).toMatch(/^QUERY_INVALID/)
    expect(await code({ orderBy: 'nme' })).toMatch(/^OPTION_INVALID/)
    expect(await code({ limit: -1 })).toMatch(/^OPTION_INVALID/)
    expect(await code({ engine: 'hyparquet', orderBy: 'id' })).toMatch(/^OPTION_INVALID .*orderBy/)
    expect(await code({ duckdb: { threads: 0 } })).toMatch(/^OPTION_INVALID/)
    expect(await code({ collumns: ['id'] } as ReadOptions)).toMatch(/^OPTION_UNKNOWN .*did you mean columns/)
  })
})

describe('parquetMetadata', () => {
  it('counts rows and tells of the file without reading any', async () => {
    const path = await make(
      'metadata.parquet',
      "SELECT i AS id, {'x, y': i} AS nested FROM range(5000) t(i)",
      ", ROW_GROUP_SIZE 2048, COMPRESSION zstd, KV_METADATA {origin: 'Süden'}",
    )
    const metadata = await parquetMetadata(path)
    expect(metadata).toMatchObject({
      rowCount: 5000,
      rowGroupCount: 3,
      keyValues: { origin: 'Süden' },
      formatVersion: 1,
    })
    expect(metadata.createdBy).toMatch(/DuckDB/)
    expect(metadata.fileSize).toBe((await readFile(path)).length)
    expect(
      metadata.rowGroups.map(({ rowCount, columns }) => [rowCount, columns.map(({ path: leaf }) => leaf)]),
    ).toEqual([2048, 2048, 904].map(count => [count, [['id'], ['nested', 'x, y']]]))
    expect(metadata.rowGroups[0]!.columns[0]).toMatchObject({ compression: 'ZSTD', valueCount: 2048 })
    // Only the footer is whole.
    const bytes = await readFile(path)
    const end = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
    await writeFile(path, Buffer.concat([Buffer.alloc(end, 0xff), bytes.subarray(end)]))
    expect(await parquetMetadata(path)).toEqual(metadata)
    expect(await parquetMetadata({ bytes: await readFile(path) })).toEqual(metadata)
    expect(await parquetMetadata({ bytes: gzipSync(await readFile(path)), name: 'x.parquet.gz' })).toEqual(metadata)
    await expect(parquetMetadata({ bytes: bytes.subarray(0, -1) })).rejects.toMatchObject({ code: 'PARQUET_CORRUPT' })
    await expect(parquetMetadata(join(folder, 'none.parquet'))).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
  })
})

describe('a Parquet file that is not right', () => {
  const failure = async (target: string, options: ReadOptions = {}) => {
    const reader = openIterable(target, { format: 'parquet', ...options })
    let rows = 0
    try {
      for await (const batch of reader.batches()) rows += batch.length
    } catch (error) {
      return { rows, error: error as { code: string; label: string; message: string } }
    }
    throw new Error(`${rows} rows were read of ${target}`)
  }

  it('is told where a page in its middle is damaged, after rows before it', async () => {
    const path = await make(
      'damaged.parquet',
      "SELECT i AS id, 'row number ' || i AS s FROM range(1000000) t(i)",
      ', COMPRESSION snappy',
    )
    const bytes = await readFile(path)
    const middle = Math.floor(bytes.length / 2)
    bytes.fill(0xff, middle, middle + 2000)
    await writeFile(path, bytes)
    const { rows, error } = await failure(path)
    expect(error).toMatchObject({ code: 'PARQUET_CORRUPT', label: path })
    expect(error.message).toMatch(/Snappy decompression failure; fetch or copy the file again$/)
    expect(rows).toBeGreaterThan(0)
    // A filter leaves rows out, so nothing can be counted; the failure is seen all the same.
    expect((await failure(path, { where: { id: { gte: 0 } } })).error.code).toBe('PARQUET_CORRUPT')
    expect((await failure(path, { where: ['id >= $1', 0] })).error.code).toBe('PARQUET_CORRUPT')
    // What is not asked for is not looked at, be it before or behind it.
    expect(await rowsOf(path, { offset: 999_998, columns: ['id'] })).toEqual([{ id: 999_998 }, { id: 999_999 }])
    const reader = openIterable(path)
    expect(await reader.readBulk(10)).toHaveLength(10)
    await reader.close()
    expect(await rowsOf(path, { limit: 2, columns: ['id'] })).toEqual([{ id: 0 }, { id: 1 }])
  })

  it('is told where it is cut short, anywhere, or is something else', async () => {
    const whole = await readFile(await make('whole.parquet', 'SELECT i FROM range(1000) t(i)'))
    const path = join(folder, 'cut.parquet')
    for (const length of [0, 3, 4, 11, 12, 100, whole.length - 100, whole.length - 9, whole.length - 1]) {
      await writeFile(path, whole.subarray(0, length))
      const { rows, error } = await failure(path)
      expect([length, rows, error.code, error.label]).toEqual([length, 0, 'PARQUET_CORRUPT', path])
    }
    await writeFile(path, 'id,name\n1,Ada\n')
    expect((await failure(path)).error.code).toBe('PARQUET_CORRUPT')
  })

  it('is told where its footer says more rows than there are', async () => {
    const path = await make('fewer.parquet', 'SELECT 1 AS a FROM range(77)')
    const bytes = await readFile(path)
    // num_rows of the file, a zigzag varint of two bytes: 77 becomes 99.
    const at = bytes.lastIndexOf(Buffer.from([0x16, 0x9a, 0x01]), bytes.length - 8)
    const first = bytes.indexOf(
      Buffer.from([0x16, 0x9a, 0x01]),
      bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8),
    )
    for (const place of new Set([at, first])) bytes.writeUInt16LE(0x01c6, place + 1)
    await writeFile(path, bytes)
    expect((await failure(path)).error).toMatchObject({ code: 'PARQUET_CORRUPT' })
  })

  it.each([
    ['PARQUET-1481.parquet', 'PARQUET_CORRUPT'],
    ['ARROW-GH-47662.parquet', 'PARQUET_CORRUPT'],
    ['encrypted.parquet', 'PARQUET_UNSUPPORTED'],
    ['large_string_map.brotli.parquet', 'DUCKDB_OUT_OF_MEMORY'],
  ])('%s is told as %s', async (name, code) => {
    const { rows, error } = await failure(fixture(name))
    expect([rows, error.code, error.label]).toEqual([0, code, fixture(name)])
  })

  it('takes no more memory than DuckDB may have, though 4 kB decode to gigabytes', async () => {
    const before = process.memoryUsage().rss
    await failure(fixture('large_string_map.brotli.parquet'), { duckdb: { memoryLimitBytes: 256 * 2 ** 20 } })
    expect(process.memoryUsage().rss - before).toBeLessThan(600e6)
  })

  it('costs its own read and no other, where it breaks the instance of DuckDB', async () => {
    const path = await make('good.parquet', 'SELECT i FROM range(300000) t(i)')
    const good = openIterable(path)
    const rows = await good.readBulk(1000)
    const { error } = await failure(fixture('variant-array.parquet'))
    expect(error.code).toBe('PARQUET_UNSUPPORTED')
    // The read beside it goes on where it was, and the next one knows of nothing.
    for await (const row of good) rows.push(row)
    expect(rows.map(({ i }) => i)).toEqual(Array.from({ length: 300_000 }, (_, i) => i))
    expect(await rowsOf(path, { limit: 1 })).toEqual([{ i: 0 }])
  })
})

describe('file names of Parquet', () => {
  it('mean exactly that file', async () => {
    const names = [
      '*.parquet',
      'a[1].parquet',
      'a1.parquet',
      '?.parquet',
      "it's.parquet",
      '--.parquet',
      'new\nline.parquet',
      '"$1".parquet',
      '[!a].parquet',
      'day=1.parquet',
    ]
    const places = await mkdtemp(join(folder, 'names-'))
    for (const [i, name] of names.entries())
      await copyFile(await make(`${i}.parquet`, `SELECT ${i} AS i`), join(places, name))
    for (const [i, name] of names.entries()) {
      expect([name, await rowsOf(join(places, name))]).toEqual([name, [{ i }]])
      expect((await parquetMetadata(join(places, name))).rowCount).toBe(1)
    }
    await expect(rowsOf(join(places, 'b*.parquet'))).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    expect(await readdir(places)).toHaveLength(names.length)
  })
})

describe('a process that ends', () => {
  it('does not wait for a query that runs', async () => {
    const path = await make('endless.parquet', 'SELECT i FROM range(10) t(i)')
    const library = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href
    const script = `
      import { openIterable } from ${JSON.stringify(library)}
      const where = '(SELECT count(*) FROM range(10000000) a(x), range(10000000) b(y) WHERE a.x * b.y = i + 17) > 0'
      openIterable(${JSON.stringify(path)}, { where }).read().catch(() => {})
      setTimeout(() => process.exit(3), 300)`
    let status: unknown
    try {
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 60_000, stdio: 'pipe' })
    } catch (error) {
      status = (error as { status?: unknown }).status
    }
    expect(status).toBe(3)
  }, 90_000)
})
