/** One `COPY` of DuckDB gives what our own readers and writers give, or is not taken. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, extname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, describe, expect, it } from 'vitest'
import { isUnfit, openDuckDbConversion, refusalOf } from '../../src/convert/duckdb/index.ts'
import { resolveConversion } from '../../src/convert/plan.ts'
import { type ConvertOptions, convert, openIterable } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'convert-duckdb-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const fresh = (extension: string) => join(folder, `${++files}.${extension}`)
const vega = (name: string) => join(import.meta.dirname, '../../node_modules/vega-datasets/data', name)

function csv(text: string | Buffer): string {
  const path = fresh('csv')
  writeFileSync(path, text)
  return path
}

/** A Parquet file of a query. */
async function parquet(sql: string): Promise<string> {
  const path = fresh('parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  await connection.run(`COPY (${sql}) TO '${path}' (FORMAT parquet)`)
  connection.closeSync()
  instance.closeSync()
  return path
}

/** Rows, and the types of columns. */
async function contentOf(path: string) {
  const reader = openIterable(path)
  const rows = await reader.readBulk(1e9)
  await reader.close()
  return { rows, columns: reader.schema?.columns.map(({ name, type, format }) => ({ name, type, format })) }
}

async function byDuckDb(from: string, to: string, options: ConvertOptions = {}) {
  const conversion = await openDuckDbConversion(
    from,
    await resolveConversion(from, to, { engine: 'duckdb', ...options }),
  )
  if (isUnfit(conversion)) return conversion
  try {
    return await conversion.run()
  } finally {
    await conversion[Symbol.asyncDispose]()
  }
}

/** Converts on both roads; says why where DuckDB's was not taken to its end. */
async function onBoth(from: string, extension: string, options: ConvertOptions = {}) {
  const [own, other] = [fresh(extension), fresh(extension)]
  const result = await byDuckDb(from, other, options)
  if (isUnfit(result)) {
    expect(readdirSync(folder)).not.toContain(basename(other))
    return result.reason
  }
  const { rowsOut } = await convert(from, own, { ...options, engine: 'rows' })
  expect(result.rowCount).toBe(rowsOut)
  expect(await contentOf(other)).toEqual(await contentOf(own))
  // A document is laid out otherwise, JSON has several forms of one number, and DuckDB quotes texts that have a `#`.
  const text = readFileSync(own, 'utf8')
  if (extension === 'csv' && !text.includes('#')) expect(readFileSync(other, 'utf8')).toBe(text)
  return undefined
}

const TARGETS = ['csv', 'jsonl', 'json', 'parquet']

describe('both roads', () => {
  const real = readdirSync(vega('.')).filter(name => ['.csv', '.tsv'].includes(extname(name)))

  it.each(real)('give the same of %s', async name => {
    for (const target of TARGETS) {
      expect([target, await onBoth(vega(name), target)]).toEqual([target, undefined])
    }
  })

  it('give the same of flights-3m.parquet, whatever is chosen of it', async () => {
    const from = vega('flights-3m.parquet')
    const options: ConvertOptions = {
      where: { delay: { gt: 600 }, origin: 'SEA' },
      columns: ['origin', 'delay', 'date'],
      rename: { delay: 'late' },
      orderBy: ['date', 'delay', 'origin'],
    }
    for (const target of TARGETS) expect([target, await onBoth(from, target, options)]).toEqual([target, undefined])
    expect(await onBoth(from, 'csv', { limit: 1000, offset: 2_000_000 })).toBeUndefined()
  })

  it('give the same of every type that Parquet has', async () => {
    const from = await parquet(`
      SELECT * FROM (VALUES
        (1::TINYINT, 9007199254740993::BIGINT, 0.1::FLOAT, 1.0::DOUBLE, 12.50::DECIMAL(10,2), true, 'x,"y"', DATE '2024-02-29',
         TIMESTAMP '2024-01-01 00:00:00.120', TIMESTAMPTZ '2024-01-01 12:00:00.000001+02', [1, NULL], {'a': 0.5::FLOAT, 'b': [DATE '2024-01-01']},
         '\\x00\\xFF'::BLOB, '00000000-0000-4000-8000-000000000001'::UUID),
        (-1, -1, -0.0, -123456.789, -0.05, false, '', DATE '1999-12-31',
         TIMESTAMP '1970-01-01 00:00:00', TIMESTAMPTZ '1970-01-01 00:00:00+00', [], {'a': NULL, 'b': []}, ''::BLOB, NULL),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
      ) t(tiny, big, f, d, dec, bool, text, day, ts, tz, list, struct, bytes, id)`)
    expect(await onBoth(from, 'jsonl')).toBeUndefined()
    expect(await onBoth(from, 'json')).toBeUndefined()
    expect(await onBoth(from, 'parquet')).toBeUndefined()
    const flat = ['tiny', 'big', 'f', 'dec', 'bool', 'text', 'day', 'ts', 'tz', 'bytes', 'id']
    expect(await onBoth(from, 'csv', { columns: flat })).toBeUndefined()
    expect(await onBoth(from, 'csv')).toMatch(/column list .* otherwise/)
  })

  it('write numbers in the words of JavaScript, or leave them to JavaScript', async () => {
    const plain = await parquet(
      'SELECT unnest([1.0, 0.1, -2.5, 123456789.25, 0.0001, 0.0, 100000000000000]) AS n, 1 AS m',
    )
    expect(await onBoth(plain, 'csv')).toBeUndefined()
    for (const value of ['1e21', '1e-7', "'NaN'::DOUBLE", "'Infinity'::DOUBLE"]) {
      const from = await parquet(`SELECT ${value}::DOUBLE AS n, 1 AS m`)
      expect(await onBoth(from, 'csv')).toContain('written otherwise')
      expect(await onBoth(from, 'jsonl')).toBeUndefined()
    }
  })

  it('give the same of CSV with quotes, empty fields, CRLF, marks and lines between', async () => {
    const texts = [
      'a,b,c\n1,,x\n2,"",y\n"","q""q","two\nlines"\n',
      'a,b\r\n1,2\r\n\r\n"x\r\ny",3\r\n',
      '\ufeffid,name\n1,é\n2,漢字',
      '"a\nb","c"\n1,2\n',
      'a,b\n1,\n,2\n',
      'a,b\n',
      'a,a,\n1,2,3\n',
    ]
    for (const text of texts) {
      for (const target of TARGETS) {
        expect([text, target, await onBoth(csv(text), target)]).toEqual([text, target, undefined])
      }
    }
  })

  it('read types of CSV as our inference does: 007 stays 007', async () => {
    const rows = Array.from(
      { length: 50 },
      (_, i) => `00${i},${i},${i / 4},${i % 2 === 0},2024-01-0${(i % 9) + 1},x${i}`,
    )
    const from = csv(`code,count,share,flag,day,text\n${rows.join('\n')}\n`)
    expect(await onBoth(from, 'parquet')).toBeUndefined()
    const to = fresh('parquet')
    await byDuckDb(from, to)
    const { rows: read, columns } = await contentOf(to)
    expect(read[7]).toMatchObject({ code: '007', count: 7, share: 1.75, flag: false, text: 'x7' })
    expect(columns?.map(({ type }) => type)).toEqual(['text', 'bigint', 'number', 'boolean', 'date', 'text'])
  })

  it('choose, sort and limit CSV', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => `${(i * 7919) % 100},row ${i}`)
    const from = csv(`n,t\n${rows.join('\n')}\n`)
    expect(
      await onBoth(from, 'jsonl', { where: { t: { startsWith: 'row 1' } }, columns: ['t'], limit: 50 }),
    ).toBeUndefined()
    const to = fresh('jsonl')
    await byDuckDb(from, to, { orderBy: [{ column: 'n', descending: true }], limit: 100, read: { cast: true } })
    const sorted = rows
      .map(row => ({ n: Number(row.split(',')[0]), t: row.split(',')[1] }))
      .map((row, i) => ({ ...row, i }))
      .sort((a, b) => b.n - a.n || a.i - b.i)
    expect((await contentOf(to)).rows).toEqual(sorted.slice(0, 100).map(({ n, t }) => ({ n, t })))
  })
})

describe('DuckDB is not taken', () => {
  it('where it would read a CSV otherwise without a word', async () => {
    const many = Array.from({ length: 2000 }, (_, i) => `${i},${i}`).join('\n')
    const cases: [tail: string, reason: RegExp][] = [
      ['1"x,2\n', /quotes in the middle/],
      ['1, "2"\n', /quotes in the middle/],
      ['"1"x,2\n', /quotes in the middle/],
      ['1,2,\n', /more fields/],
      ['1,2,', /more fields/],
      ['"x",\n', /lines that end in a delimiter/],
      ['1,2\r\n', /line ends/],
      ['1,2\r3,4\n', /line ends/],
      ['"1,2\n', /inside of quotes/],
      ['1\n', /DuckDB/],
      ['1,2,3\n', /DuckDB/],
    ]
    for (const [tail, reason] of cases) {
      expect([tail, await onBoth(csv(`a,b\n${many}\n${tail}`), 'jsonl')]).toEqual([tail, expect.stringMatching(reason)])
    }
    expect(await onBoth(csv('a\n1\n\n2\n'), 'jsonl')).toMatch(/one column/)
    expect(await onBoth(csv('a,A\n1,2\n'), 'jsonl')).toMatch(/nothing but case/)
    // What the sample did not show.
    expect(await onBoth(csv(`a,b\n${many}\n007,1\n`), 'parquet')).toMatch(/a value that is no integer/)
    expect(await onBoth(csv(`a,b\n${many}\n1.5,1\n`), 'parquet')).toMatch(/a value that is no integer/)
    expect(
      await onBoth(csv(Buffer.concat([Buffer.from(`a,b\n${many}\n`), Buffer.from([0xff, 0x2c, 0x31, 0x0a])])), 'jsonl'),
    ).toMatch(/DuckDB/)
  })

  it('where there is more to do than a query does', async () => {
    const reasonFor = async (from: string, to: string, options: ConvertOptions = {}) =>
      refusalOf(await resolveConversion(from, to, options))?.reason
    expect(await reasonFor('a.csv', 'b.jsonl')).toBeUndefined()
    expect(await reasonFor('a.parquet', 'b.csv', { columns: ['a'], limit: 1 })).toBeUndefined()
    expect(await reasonFor('a.csv', 'b.jsonl', { map: row => row })).toContain('map is a step on rows')
    expect(await reasonFor('a.csv', 'b.jsonl', { flatten: true })).toContain('flatten')
    expect(await reasonFor('a.csv', 'b.jsonl', { onError: 'skip' })).toContain('bad records')
    expect(await reasonFor('a.csv', 'b.jsonl', { mode: 'a' })).toContain('append')
    expect(await reasonFor('a.csv.gz', 'b.jsonl')).toContain('compressed')
    expect(await reasonFor('a.csv', 'b.jsonl', { read: { relax: true } })).toContain('relax')
    expect(await reasonFor('a.csv', 'b.jsonl', { read: { encoding: 'latin1' } })).toContain('encoding')
    expect(await reasonFor('a.csv', 'b.json', { write: { indent: 2 } })).toContain('indent')
    expect(await reasonFor('a.jsonl', 'b.csv', { read: { bigint: 'string' } })).toContain('bigint')
    expect(await reasonFor('a.arrow', 'b.csv')).toContain('arrow')
    expect(await reasonFor('a.parquet', 'b.parquet', { write: { partitionBy: 'x' } })).toContain('partitionBy')
  })
})

describe('the output', () => {
  it('of hostile names is exactly that file', async () => {
    const name = "it's a[1]*? -- ;.csv"
    const from = join(folder, name)
    writeFileSync(from, 'a,b\n1,2\n')
    writeFileSync(join(folder, "it's a1xx -- ;.csv"), 'a,b\n8,9\n')
    const to = join(folder, `${name}.jsonl`)
    expect(await byDuckDb(from, to)).toMatchObject({ rowCount: 1 })
    expect((await contentOf(to)).rows).toEqual([{ a: '1', b: '2' }])
  })

  it('keeps what a Parquet file has kept of the types of a database, for the columns that are chosen', async () => {
    const native = { system: 'postgres', schema: 'pg_catalog', name: 'varchar', kind: 'b', modifier: 24 }
    const kept = JSON.stringify({ version: 1, columns: [{ name: 'a', stored: 'VARCHAR', nullable: false, native }] })
    const from = fresh('parquet')
    const to = fresh('parquet')
    const duckdb = await (await DuckDBInstance.create()).connect()
    await duckdb.run(
      `COPY (SELECT 'x' AS a, 1 AS b, 2 AS c) TO '${from}' (FORMAT parquet, KV_METADATA {'open-iterable:types': '${kept}'})`,
    )
    duckdb.closeSync()
    await convert(from, to, { columns: ['b', 'a'], engine: 'duckdb' })
    await using reader = await openIterable(to)
    expect(reader.schema?.columns).toMatchObject([{ name: 'b' }, { name: 'a', nullable: false, native }])
    expect(reader.schema?.columns[0]).not.toHaveProperty('native')
  })

  it('is not there after an abort, and the old one is', async () => {
    const to = fresh('jsonl')
    writeFileSync(to, 'old')
    const controller = new AbortController()
    const reason = new Error('no more')
    const request = await resolveConversion(vega('flights-3m.parquet'), to, {
      signal: controller.signal,
      engine: 'duckdb',
    })
    const conversion = await openDuckDbConversion(vega('flights-3m.parquet'), request)
    if (isUnfit(conversion)) throw new Error(conversion.reason)
    const running = conversion.run(() => controller.abort(reason))
    await expect(running).rejects.toBe(reason)
    await conversion[Symbol.asyncDispose]()
    expect(readFileSync(to, 'utf8')).toBe('old')
    expect(readdirSync(folder).filter(file => file.startsWith('.'))).toEqual([])
  })

  it('is not there after a damaged page', async () => {
    const bytes = readFileSync(vega('flights-3m.parquet'))
    bytes.fill(0x55, 5_000_000, 5_100_000)
    const from = fresh('parquet')
    writeFileSync(from, bytes)
    expect(await onBoth(from, 'jsonl')).toMatch(/DuckDB/)
  })
})
