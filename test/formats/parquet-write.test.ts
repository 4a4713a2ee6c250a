import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { describe, expect, it } from 'vitest'
import { CalendarDate } from '../../src/core/calendar-date.ts'
import { PreciseDate } from '../../src/core/precise-date.ts'
import type { ColumnSchema } from '../../src/core/schema.ts'
import { makeTempFolder, removeTempFolder } from '../../src/core/temp-files.ts'
import { MemoryTarget, openIterable } from '../../src/index.ts'
import { makeFolder, openWriter, query, readParquet, writeParquet } from './parquet-writing.ts'

const folder = makeFolder()
let files = 0
const fresh = () => join(folder, `${++files}.parquet`)
const range = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))

async function roundTrip(rows: readonly unknown[], options = {}) {
  const path = fresh()
  const { errors } = await writeParquet(path, [rows], options)
  return { ...(await readParquet(path)), errors, path }
}

describe('types by the values', () => {
  it('are the narrowest that hold every value as it is', async () => {
    const { rows, types } = await roundTrip([
      {
        integer: 1,
        bigint: 2n ** 62n,
        huge: 10n ** 30n,
        number: 1.5,
        zero: -0,
        boolean: true,
        text: 'x',
        long: 'longer than twelve bytes',
        day: new CalendarDate('2024-02-29'),
        instant: new Date('2300-01-01T00:00:00.123Z'),
        fine: new PreciseDate(Date.parse('2024-01-01T00:00:00.001Z'), 2000),
        finest: new PreciseDate(Date.parse('2024-01-01T00:00:00.001Z'), 2003),
        bytes: new Uint8Array([0, 255]),
        nothing: null,
        list: [1, null, 2],
        struct: { x: 1, y: { z: ['a'] } },
        empty: [],
        floats: new Float64Array([1, 2]),
      },
      {},
    ])
    expect(types).toEqual([
      'BIGINT',
      'BIGINT',
      'DECIMAL(38,0)',
      'DOUBLE',
      'DOUBLE',
      'BOOLEAN',
      'VARCHAR',
      'VARCHAR',
      'DATE',
      'TIMESTAMP',
      'TIMESTAMP',
      'TIMESTAMP_NS',
      'BLOB',
      'VARCHAR',
      'BIGINT[]',
      'STRUCT("x" BIGINT, "y" STRUCT("z" VARCHAR[]))',
      'VARCHAR[]',
      'BIGINT[]',
    ])
    expect(rows[0]).toMatchObject({
      integer: 1n,
      bigint: 2n ** 62n,
      number: 1.5,
      boolean: true,
      text: 'x',
      long: 'longer than twelve bytes',
      day: new Date('2024-02-29'),
      instant: new Date('2300-01-01T00:00:00.123Z'),
      nothing: null,
      list: [1n, null, 2n],
      struct: { x: 1n, y: { z: ['a'] } },
      empty: [],
    })
    expect(Object.is(rows[0]!.zero, -0)).toBe(true)
    expect(Object.values(rows[1]!).every(value => value === null)).toBe(true)
    const { rows: exact } = await query(
      'SELECT huge::VARCHAR huge, fine::VARCHAR fine, finest::VARCHAR finest, hex(bytes) bytes FROM read_parquet($1)',
      join(folder, `${files}.parquet`),
    )
    expect(exact[0]).toEqual({
      huge: '1000000000000000000000000000000',
      fine: '2024-01-01 00:00:00.001002',
      finest: '2024-01-01 00:00:00.001002003',
      bytes: '00FF',
    })
  })

  it('are widened in one chunk, in those that wait, and across parts', async () => {
    for (const before of [1, 300, 5000, 40_000]) {
      const rows = [
        ...range(before, i => ({ a: null, b: i, c: i, d: { x: i }, e: [i], f: i })),
        { a: 'text', b: 0.5, c: 2n ** 70n, d: { y: 'new' }, e: ['x'], f: 'word' },
        { a: 'more', b: 1, c: 1, d: null, e: null, f: 1, g: true },
      ]
      const read = await roundTrip(rows)
      expect(read.types).toEqual([
        'VARCHAR',
        'DOUBLE',
        'DECIMAL(38,0)',
        'STRUCT("x" BIGINT, "y" VARCHAR)',
        'VARCHAR[]',
        'VARCHAR',
        'BOOLEAN',
      ])
      expect(read.rows).toHaveLength(rows.length)
      expect(read.rows[0]).toMatchObject({ a: null, b: 0, d: { x: 0n, y: null }, e: ['0'], f: '0', g: null })
      expect(read.rows.every((row, i) => i >= before || (row.b === i && row.f === String(i)))).toBe(true)
      expect(read.rows[before]).toMatchObject({ a: 'text', b: 0.5, d: { x: null, y: 'new' }, e: ['"x"'], f: '"word"' })
      expect(read.rows[before + 1]).toMatchObject({ a: 'more', b: 1, d: null, e: null, f: '1', g: true })
      const { rows: sums } = await query('SELECT sum(c)::VARCHAR s FROM read_parquet($1)', read.path)
      expect(sums[0]!.s).toBe(String((BigInt(before) * BigInt(before - 1)) / 2n + 2n ** 70n + 1n))
    }
  })

  it('keep a column that is null for a million rows and text after', async () => {
    const path = fresh()
    const writer = await openWriter(path)
    for (let i = 0; i < 1_000_000; i += 2000) await writer.write(range(2000, k => ({ id: i + k, late: null })))
    await writer.write([{ id: 1_000_000, late: 'here' }])
    await writer.close()
    const { rows } = await query(
      'SELECT count(*) n, count(late) t, max(late) l, sum(id) s, bool_and(id = r) o FROM (SELECT *, file_row_number r FROM read_parquet($1, file_row_number = true))',
      path,
    )
    expect(rows).toMatchObject([{ n: 1_000_001n, t: 1n, l: 'here', o: true }])
  })

  it('put what has nothing in common into JSON, in the words of our own JSON writers', async () => {
    const values = [
      1,
      2n ** 60n,
      1.5,
      true,
      'text',
      new CalendarDate('2024-02-29'),
      new Date('2024-02-29T12:00:00.120Z'),
      new Uint8Array([1, 2]),
      [1, 'x'],
      { a: { b: 1 } },
      Number.NaN,
    ]
    const texts = [
      '1',
      '1152921504606846976',
      '1.5',
      'true',
      '"text"',
      '"2024-02-29"',
      '"2024-02-29T12:00:00.120Z"',
      '"AQI="',
      '[1,"x"]',
      '{"a":{"b":1}}',
      '"NaN"',
    ]
    for (const [i, value] of values.entries()) {
      // First alone, so that the value was written by its own type before the column became JSON.
      for (const count of [1, 40_000]) {
        const other = typeof value === 'string' ? 7 : 'other'
        const { rows } = await roundTrip([...range(count, () => ({ v: value })), { v: other }])
        expect([rows[0]!.v, rows.at(-1)!.v]).toEqual([texts[i], JSON.stringify(other)])
      }
    }
  })

  it('take back what was told of the columns where values do not agree', async () => {
    const column = (name: string, type: ColumnSchema['type'], format?: string): ColumnSchema => ({
      name,
      type,
      nullable: true,
      source: 'file',
      ...(format === undefined ? {} : { format }),
    })
    const path = fresh()
    const writer = await openWriter(path)
    writer.suggestSchema({
      columns: [
        column('d', 'decimal', 'DECIMAL(10,2)'),
        column('i', 'integer', 'INTEGER'),
        column('u', 'text', 'UUID'),
        column('f', 'number', 'FLOAT'),
        column('z', 'timestamp', 'TIMESTAMP WITH TIME ZONE'),
        column('n', 'date'),
        column('w', 'integer', 'TINYINT'),
      ],
    })
    await writer.write([
      { d: '12.50', i: 5, u: '00000000-0000-4000-8000-000000000001', f: 0.5, z: new Date(0), n: null, w: 1 },
      { d: null, i: null, u: null, f: null, z: null, n: null, w: 1000 },
    ])
    await writer.close()
    const { rows, types } = await readParquet(path)
    expect(types).toEqual(['DECIMAL(10,2)', 'INTEGER', 'UUID', 'FLOAT', 'TIMESTAMP WITH TIME ZONE', 'DATE', 'BIGINT'])
    expect(rows.map(row => [row.d, row.i, row.f, row.w])).toEqual([
      [12.5, 5, 0.5, 1n],
      [null, null, null, 1000n],
    ])
  })

  it('hold any rows of any values', async () => {
    const cell = fc.oneof(
      fc.constant(null),
      fc.integer(),
      fc.double(),
      fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }),
      fc.string({ unit: 'grapheme' }),
      fc.boolean(),
      fc.array(fc.oneof(fc.integer(), fc.constant(null))),
      fc.record({ x: fc.integer(), y: fc.string() }, { requiredKeys: [] }),
    )
    const arbitrary = fc.array(fc.record({ a: cell, b: cell, c: cell }, { requiredKeys: [] }), {
      minLength: 1,
      maxLength: 40,
    })
    await fc.assert(
      fc.asyncProperty(arbitrary, async rows => {
        const path = fresh()
        const { errors } = await writeParquet(
          path,
          [rows.slice(0, 7), rows.slice(7)].filter(part => part.length > 0),
        )
        const empty = rows.slice(0, 7).every(row => Object.keys(row).length === 0)
        if (!empty) expect(errors).toEqual([])
        const { rows: read } = await query('SELECT count(*)::INT n FROM read_parquet($1)', path)
        expect(Number(read[0]!.n) + errors.length).toBe(rows.length)
      }),
      { seed: 7, numRuns: 25 },
    )
  })
})

describe('texts and lists', () => {
  it('come back whole, whatever their length and characters', async () => {
    const texts = [
      '',
      'a',
      'twelve bytes',
      'thirteen byte',
      'é'.repeat(6),
      'é'.repeat(7),
      '漢字',
      '🙂'.repeat(3),
      '🙂'.repeat(4),
      'a\u0000b',
      'x'.repeat(100_000),
      null,
    ]
    const rows = range(5000, i => ({ t: texts[i % texts.length], l: [texts[i % texts.length], null, texts[0]] }))
    const read = await roundTrip(rows)
    expect(read.rows).toEqual(rows)
  })

  it('are read by others as well', async () => {
    const rows = range(3000, i => ({ id: i, name: `name of the row ${i}`, tags: i % 3 === 0 ? null : ['x', `${i}`] }))
    const path = fresh()
    await writeParquet(path, [rows])
    const bytes = await readFile(path)
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    const read = await parquetReadObjects({ file, compressors })
    expect(read.map(row => ({ ...row, id: Number(row.id), tags: row.tags ?? null }))).toEqual(rows)
  })

  it('may be changed once they are written', async () => {
    const path = fresh()
    const writer = await openWriter(path)
    const row = { list: [1, 2], struct: { x: 'a' }, date: new Date(0), bytes: Buffer.alloc(20, 1) }
    for (let i = 0; i < 3; i++) {
      await writer.write([row])
      row.list[0]!++
      row.struct.x += 'b'
      row.date.setTime(1000 * (i + 1))
      row.bytes.fill(9)
    }
    await writer.close()
    const { rows } = await query(
      'SELECT list[1] l, struct.x x, epoch(date) d, hex(bytes[1:1]) b FROM read_parquet($1)',
      path,
    )
    expect(rows).toEqual([
      { l: 1n, x: 'a', d: 0, b: '01' },
      { l: 2n, x: 'ab', d: 1, b: '09' },
      { l: 3n, x: 'abb', d: 2, b: '09' },
    ])
  })
})

describe('declared types', () => {
  it('read what stands for a value, and refuse the rest with its row and column', async () => {
    const types = {
      i: 'integer',
      d: 'date',
      t: 'timestamp',
      n: 'decimal',
      m: 'decimal(6,2)',
      s: 'text',
      j: 'json',
    } as const
    const good = { i: '007', d: '2024-02-29', t: '2024-02-29T12:00+02:00', n: '1.250', m: 3, s: 5, j: { a: [1] } }
    const {
      rows,
      types: read,
      errors,
    } = await roundTrip(
      [good, { ...good, i: 'x' }, { ...good, m: '12345.1' }, { ...good, d: new Date(1) }, { ...good, n: '12.5' }],
      { types },
    )
    expect(read).toEqual(['BIGINT', 'DATE', 'TIMESTAMP', 'DECIMAL(5,3)', 'DECIMAL(6,2)', 'VARCHAR', 'VARCHAR'])
    expect(rows).toHaveLength(2)
    expect(rows[0]).toMatchObject({
      i: 7n,
      d: new Date('2024-02-29'),
      t: new Date('2024-02-29T10:00Z'),
      s: '5',
      j: '{"a":[1]}',
    })
    expect(errors.map(error => [error.code, error.record])).toEqual([
      ['VALUE_TYPE_MISMATCH', 2],
      ['VALUE_TYPE_MISMATCH', 3],
      ['VALUE_TYPE_MISMATCH', 4],
    ])
    expect(errors[0]!.message).toContain('row 2: column "i" has "x", expected an integer')
  })

  it('refuse columns that are not declared, or drop them', async () => {
    const rows = [{ a: 1 }, { a: 2, bb: 3 }]
    const strict = await roundTrip(rows, { columns: ['a', 'b'] })
    expect(strict.errors.map(error => [error.code, error.record, error.found])).toEqual([
      ['PARQUET_UNWRITABLE', 2, 'bb'],
    ])
    expect(strict.errors[0]!.hint).toContain('did you mean "b"?')
    const loose = await roundTrip(rows, { columns: ['a', 'b'], extraColumns: 'drop' })
    expect([loose.errors, loose.rows]).toEqual([
      [],
      [
        { a: 1n, b: null },
        { a: 2n, b: null },
      ],
    ])
  })
})

describe('bad rows', () => {
  it('are told one by one, and the good ones around them written', async () => {
    const rows = [
      { a: 1 },
      { a: () => 1 },
      null,
      { a: 'half \ud800' },
      { a: new Map() },
      { a: new Date(Number.NaN) },
      new Date(0),
      { a: 2 },
    ]
    const { rows: read, errors } = await roundTrip(rows)
    expect(read).toEqual([{ a: 1n }, { a: 2n }])
    expect(errors.map(error => [error.code, error.record])).toEqual([
      ['ROW_INVALID', 3],
      ['ROW_INVALID', 7],
      ['PARQUET_UNWRITABLE', 2],
      ['PARQUET_UNWRITABLE', 4],
      ['PARQUET_UNWRITABLE', 5],
      ['PARQUET_UNWRITABLE', 6],
    ])
    expect(errors[2]!.message).toContain('row 2: column "a" has a function, which Parquet cannot hold')
  })

  it('are those without columns, too', async () => {
    const { errors } = await roundTrip([{}, {}])
    expect(errors.map(error => [error.code, error.record])).toEqual([
      ['PARQUET_UNWRITABLE', 1],
      ['PARQUET_UNWRITABLE', 2],
    ])
  })
})

describe('options', () => {
  const rows = range(10_000, i => ({ id: i, group: `g${i % 3}`, value: (i * 7919) % 100 }))

  it('set compression, row groups and metadata', async () => {
    for (const compression of ['zstd', 'snappy', 'gzip', 'lz4', 'brotli', 'none'] as const) {
      const { rows: read, path } = await roundTrip(rows, {
        compression,
        rowGroupSize: 4096,
        metadata: { "it's": 'k"ey' },
      })
      expect(read).toHaveLength(rows.length)
      const bytes = await readFile(path)
      const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
      const metadata = await parquetMetadataAsync(file)
      expect(metadata.row_groups.map(group => Number(group.num_rows))).toEqual([4096, 4096, 1808])
      expect(metadata.key_value_metadata).toContainEqual({ key: "it's", value: 'k"ey' })
      const codec = metadata.row_groups[0]!.columns[0]!.meta_data!.codec
      expect(codec).toBe(
        compression === 'none' ? 'UNCOMPRESSED' : compression === 'lz4' ? 'LZ4_RAW' : compression.toUpperCase(),
      )
    }
  })

  it('sort, and leave equal rows in their order', async () => {
    const { rows: read } = await roundTrip(rows, { orderBy: ['group', { column: 'value', descending: true }] })
    const expected = rows.toSorted((a, b) => a.group.localeCompare(b.group) || b.value - a.value || a.id - b.id)
    expect(read.map(row => Number(row.id))).toEqual(expected.map(row => row.id))
  })

  it('part the rows into files of a folder', async () => {
    const path = join(folder, 'parted')
    await writeParquet(path, [rows.map(row => ({ ...row, value: row.id === 9999 ? 'late' : row.value }))], {
      partitionBy: 'group',
    })
    expect(readdirSync(path).sort()).toEqual(['group=g0', 'group=g1', 'group=g2'])
    const { rows: read } = await query(
      'SELECT count(*)::INT n, count(DISTINCT "group")::INT g FROM read_parquet($1 || \'/**/*.parquet\', hive_partitioning = false)',
      path,
    )
    expect(read).toEqual([{ n: 10_000, g: 3 }])
    expect(readdirSync(folder).filter(name => name.startsWith('.'))).toEqual([])
    await expect(writeParquet(path, [rows], { partitionBy: 'group' })).rejects.toMatchObject({ code: 'SINK_FAILED' })
  })
})

describe('temp files', () => {
  it('go with the writer, and those of a killed process with the next one', async () => {
    const temp = join(folder, 'temp')
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    const mine = await makeTempFolder(temp)
    // A folder is looked through once by each process, when it is first used.
    const other = join(folder, 'temp-of-others')
    const left = join(other, basename(mine).replace(`${process.pid}-`, `${dead}-`))
    const foreign = join(other, `${dead}-1-0123456789ab-0123456789ab.tmp`)
    await mkdir(left, { recursive: true })
    await mkdir(foreign)
    await removeTempFolder(await makeTempFolder(other))
    expect(existsSync(left)).toBe(false)
    // Of another machine, or before a restart: nobody here can know whether its process lives.
    expect(existsSync(foreign)).toBe(true)
    expect(existsSync(mine)).toBe(true)
    await removeTempFolder(mine)

    const path = fresh()
    const writer = await openWriter(path, { duckdb: { tempDirectory: temp } })
    for (let i = 0; i < 40; i++) await writer.write(range(2000, k => ({ id: k, v: i < 10 ? k : 'text' })))
    const folders = () =>
      readdirSync(temp, { recursive: true }).filter(name => String(name).includes(`${process.pid}-`))
    expect(folders().some(name => String(name).endsWith('.parquet'))).toBe(true)
    await writer.abort()
    expect(folders()).toEqual([])
  })
})

describe('openIterable', () => {
  const samples: Record<string, unknown>[] = [
    {
      id: 1,
      big: 2n ** 60n,
      number: 0.5,
      flag: true,
      text: 'é',
      day: new CalendarDate('2024-02-29'),
      moment: new PreciseDate(0, 1000),
      bytes: new Uint8Array([1]),
      list: [1, null],
      struct: { a: 'x', b: null },
    },
    {
      id: 2,
      big: null,
      number: null,
      flag: null,
      text: null,
      day: null,
      moment: null,
      bytes: null,
      list: null,
      struct: null,
    },
  ]

  it('gives back what it wrote, to files and to memory, compressed once more or not', async () => {
    for (const target of [fresh(), new MemoryTarget('x.parquet'), new MemoryTarget('x.parquet.gz')]) {
      const out = openIterable(target, { mode: 'w', rowGroupSize: 10_000, metadata: { by: 'us' } })
      for (const row of samples) await out.write(row)
      await out.close()
      expect([out.rowsWritten, out.engine, out.columns]).toEqual([2, 'duckdb', Object.keys(samples[0]!)])
      expect(out.bytesWritten).toBeGreaterThan(100)
      expect(await openIterable(target).readBulk()).toEqual(samples)
    }
  })

  it('takes the types of a file over, those that values do not tell as well', async () => {
    const from = fresh()
    await query(
      `COPY (SELECT 1::TINYINT AS tiny, NULL::DATE AS day, 12.50::DECIMAL(9,3) AS price, 0.5::FLOAT AS part, uuid() AS id,
        TIMESTAMPTZ '2024-01-01 00:00:00+00' AS moment, [1.5::FLOAT] AS list) TO '${from}' (FORMAT parquet)`,
    )
    const to = fresh()
    const out = openIterable(to, { mode: 'w' })
    await out.writeBulk(openIterable(from))
    await out.close()
    const [before, after] = [await readParquet(from), await readParquet(to)]
    expect(after).toEqual(before)
    expect(after.types.slice(0, 4)).toEqual(['TINYINT', 'DATE', 'DECIMAL(9,3)', 'FLOAT'])
  })

  it('leaves bad rows out when told so, and refuses to append', async () => {
    const path = fresh()
    const out = openIterable(path, { mode: 'w', onError: 'skip' })
    await out.writeBulk([{ a: 1 }, { a: Symbol('x') }, { a: 2 }])
    await out.close()
    expect([out.rowsWritten, out.rowsSkipped]).toEqual([2, 1])
    await expect(openIterable(path, { mode: 'a' }).write({ a: 3 })).rejects.toMatchObject({
      code: 'FORMAT_UNSUPPORTED',
    })
  })

  it('is aborted at once, and leaves nothing', async () => {
    const path = fresh()
    const controller = new AbortController()
    const reason = new Error('enough')
    const endless = function* () {
      for (let i = 0; ; i++) {
        if (i === 50_000) controller.abort(reason)
        yield { id: i, text: `some text of the row ${i}` }
      }
    }
    const out = openIterable(path, { mode: 'w', signal: controller.signal })
    await expect(out.writeBulk(endless())).rejects.toBe(reason)
    await out.abort()
    const name = basename(path)
    expect(readdirSync(folder).filter(file => file.includes(name))).toEqual([])
  })
})

describe('the output', () => {
  it('has no rows where none were written, with or without columns', async () => {
    expect((await roundTrip([])).rows).toEqual([])
    const path = fresh()
    const writer = await openWriter(path)
    writer.suggestColumns(['a', 'b'])
    await writer.close()
    expect(await readParquet(path)).toMatchObject({ rows: [], types: ['VARCHAR', 'VARCHAR'] })
  })

  it('takes rows that are arrays', async () => {
    expect((await roundTrip([[1, 'x'], [2], [3, 'y', true]])).rows).toEqual([
      { column_1: 1n, column_2: 'x', column_3: null },
      { column_1: 2n, column_2: null, column_3: null },
      { column_1: 3n, column_2: 'y', column_3: true },
    ])
  })

  it('keeps hostile names', async () => {
    const names = ['"', "'; DROP TABLE x; --", '__proto__', 'constructor', 'a\nb', '日本', '', ' ', 'c0', 'c1']
    const row = Object.fromEntries(names.map((name, i) => [name, i]))
    const path = join(folder, "it's [1]*?.parquet")
    await writeParquet(path, [[row], [{ late: { '"x': 1, "y'": [1] } }, { late: 'word' }]])
    const bytes = await readFile(path)
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    const metadata = await parquetMetadataAsync(file)
    expect(metadata.schema.slice(1).map(({ name }) => name)).toEqual([...names, 'late'])
    expect(Number(metadata.num_rows)).toBe(3)
  })

  it('replaces the old file whole, and leaves it as it was when given up', async () => {
    const path = fresh()
    await writeFile(path, 'old')
    const writer = await openWriter(path)
    for (let i = 0; i < 30; i++) await writer.write(range(1000, k => ({ id: k, text: `some text ${k}` })))
    expect(await readFile(path, 'utf8')).toBe('old')
    await writer.abort(new Error('no more'))
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(readdirSync(folder).filter(name => name.startsWith('.'))).toEqual([])
    const { mode } = await stat(path)
    await writeParquet(path, [[{ a: 1 }]])
    expect((await readParquet(path)).rows).toEqual([{ a: 1n }])
    expect((await stat(path)).mode).toBe(mode)
  })

  it('of more writers than the pool has threads is written at once', async () => {
    const paths = range(6, fresh)
    const writers = await Promise.all(paths.map(path => openWriter(path)))
    for (let i = 0; i < 20; i++) {
      for (const writer of writers) await writer.write(range(1000, k => ({ id: i * 1000 + k })))
      // A read of a file would wait for ever if the writers held all of the pool's threads.
      await stat(folder)
    }
    await Promise.all(writers.map(writer => writer.close()))
    for (const path of paths) expect((await readParquet(path)).rows).toHaveLength(20_000)
  })

  it('works in a process that was started with an option of V8', async () => {
    process.execArgv.push('--max-old-space-size=4096')
    try {
      const path = fresh()
      // Settings of its own, and so a thread that starts now.
      await writeParquet(path, [[{ a: 1 }]], { duckdb: { memoryLimitBytes: 321 * 2 ** 20 } })
      expect((await readParquet(path)).rows).toEqual([{ a: 1n }])
    } finally {
      process.execArgv.pop()
    }
  })

  it('does not hold up a process that exits without closing it', () => {
    const dist = (name: string) => JSON.stringify(new URL(`../../dist/${name}`, import.meta.url).href)
    const script = `
      import { openIterable } from ${dist('index.js')}
      const out = openIterable(${JSON.stringify(fresh())}, { mode: 'w' })
      for (let i = 0; i < 30; i++) await out.writeBulk(Array.from({ length: 1000 }, (_, k) => ({ id: k })))
      process.exit(7)`
    let status: unknown
    try {
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000, stdio: 'pipe' })
    } catch (error) {
      status = (error as { status: unknown }).status
    }
    expect(status).toBe(7)
  })
})
