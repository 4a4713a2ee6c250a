/** All pairs of formats on both roads: equal rows, types and order; and which of the two is taken, and why. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConvertOptions, convert, openIterable, planConversion } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'convert-pairs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const flights = join(import.meta.dirname, '../../node_modules/vega-datasets/data/flights-3m.parquet')
const FORMATS = ['csv', 'jsonl', 'json', 'parquet']
let files = 0
const fresh = (extension: string) => join(folder, `${++files}.${extension}`)

/** Rows, in their order, and the types of columns. */
async function contentOf(path: string) {
  const reader = openIterable(path)
  const rows = await reader.readBulk(1e9)
  await reader.close()
  return { rows, columns: reader.schema?.columns.map(({ name, type, format }) => ({ name, type, format })) }
}

/** Converts on both roads; DuckDB's throws where it cannot. */
async function onBoth(from: string, extension: string, options: ConvertOptions = {}): Promise<number> {
  const [own, other] = [fresh(extension), fresh(extension)]
  const byDuckDb = await convert(from, other, { ...options, engine: 'duckdb' })
  const byRows = await convert(from, own, { ...options, engine: 'rows' })
  expect([byDuckDb.engine, byRows.engine]).toEqual(['duckdb', 'rows'])
  expect(byDuckDb.rowsOut).toBe(byRows.rowsOut)
  // Where a row is left out by the source nobody counts it, and a limit ends the reading.
  if (options.where === undefined && options.limit === undefined) expect(byDuckDb.rowsIn).toBe(byRows.rowsIn)
  expect(await contentOf(other)).toEqual(await contentOf(own))
  if (extension === 'csv') expect(readFileSync(other, 'utf8')).toBe(readFileSync(own, 'utf8'))
  return byDuckDb.rowsOut
}

describe('all pairs of formats', () => {
  const sources: Record<string, string> = {}
  beforeAll(async () => {
    for (const format of FORMATS) {
      sources[format] = fresh(format)
      await convert(flights, sources[format], { offset: 1_000_000, limit: 20_000, engine: 'rows' })
    }
  })

  const pairs = FORMATS.flatMap(from => FORMATS.map(to => [from, to] as const))
  it.each(pairs)('%s to %s give the same rows, types and order on both roads', async (from, to) => {
    expect(await onBoth(sources[from]!, to)).toBe(20_000)
    const where = { delay: { gt: 60 }, origin: { ne: 'ATL' } }
    // Fields of CSV are text unless the output has types.
    const text = from === 'csv' && to !== 'parquet' ? { origin: { ne: 'ATL' } } : where
    const columns = ['origin', 'delay', 'date']
    expect(await onBoth(sources[from]!, to, { where: text, columns, rename: { delay: 'late' } })).toBeGreaterThan(100)
    expect(await onBoth(sources[from]!, to, { offset: 1000, limit: 500 })).toBe(500)
  })

  it('sort by DuckDB, and equal rows stay in their order', async () => {
    const truth = (await contentOf(sources.jsonl!)).rows as { delay: number; origin: string }[]
    const sorted = truth
      .map((row, i) => ({ row, i }))
      .sort((a, b) => b.row.delay - a.row.delay || a.i - b.i)
      .map(({ row }) => row)
    for (const from of ['csv', 'jsonl', 'json']) {
      const to = fresh('jsonl')
      const options: ConvertOptions = { orderBy: [{ column: 'delay', descending: true }], limit: 3000 }
      const { engine } = await convert(
        sources[from]!,
        to,
        from === 'csv' ? { ...options, read: { cast: true } } : options,
      )
      const { rows } = await contentOf(to)
      const comparable = (list: object[]) => list.map(row => ({ ...row, date: undefined }))
      expect([from, engine, comparable(rows)]).toEqual([from, 'duckdb', comparable(sorted.slice(0, 3000))])
    }
  })

  it('say which road is taken, and why', async () => {
    const said = async (from: string, to: string, options: ConvertOptions = {}) => {
      const { engine, reasons } = await planConversion(from, join(folder, `x.${to}`), options)
      return `${engine}: ${reasons.join(' ')}`
    }
    const big = fresh('jsonl')
    const text = readFileSync(sources.jsonl!, 'utf8')
    writeFileSync(big, text)
    expect(await said(big, 'parquet')).toBe('duckdb: one query of DuckDB reads and writes the same')
    expect(await said(big, 'csv')).toMatch(/^rows: from text to text our own road is as quick/)
    expect(await said(big, 'parquet', { limit: 5 })).toMatch(/^rows: our own reader stops where the limit is reached/)
    expect(await said(big, 'csv', { orderBy: 'delay' })).toMatch(/^duckdb: /)
    expect(await said(sources.parquet!, 'csv', { map: row => row })).toMatch(/^rows: map is a step on rows/)
    writeFileSync(big, `${text}{"date":1}\n`)
    expect(await said(big, 'parquet')).toMatch(
      /^rows: column .* (?:is missing in some rows|has values of several types)/,
    )
  })
})

describe('JSON', () => {
  const write = (extension: string, lines: readonly string[]) => {
    const path = fresh(extension)
    writeFileSync(
      path,
      extension === 'jsonl' ? lines.map(line => `${line}\n`).join('') : `[\n${lines.join(',\n')}\n]\n`,
    )
    return path
  }

  it('of all types and nested values is the same on both roads', async () => {
    const lines = [
      '{"int":1,"big":9007199254740993,"num":1.5,"text":"x,\\"y\\"\\n","flag":true,"list":[1,null],"of":{"a":[{"b":"é"}],"c":null},"it\'s a.b":"\\u0000"}',
      '{"int":-2,"big":-9223372036854775808,"num":3,"text":"","flag":false,"list":[],"of":null,"it\'s a.b":"2024-01-01T00:00:00.000Z"}',
      '{"int":null,"big":null,"num":0.1,"text":null,"flag":null,"list":null,"of":{"a":[],"c":"007"},"it\'s a.b":"漢字 😀"}',
    ]
    for (const extension of ['jsonl', 'json']) {
      for (const target of FORMATS) expect(await onBoth(write(extension, lines), target)).toBe(3)
    }
    const path = fresh('jsonl')
    writeFileSync(path, `\ufeff\n${lines[0]}\n\n${lines[2]}`)
    for (const target of FORMATS) expect(await onBoth(path, target)).toBe(2)
  })

  /** Behind so many lines that no sample has it. */
  const filler = Array.from({ length: 30_000 }, (_, i) => `{"a":${i},"b":"text ${i}"}`)
  const late: [line: string, why: string][] = [
    ['{"a":1.5,"b":"x"}', 'a fraction among integers'],
    ['{"a":1.0,"b":"x"}', 'an integer in another form'],
    ['{"a":9223372036854775808,"b":"x"}', 'an integer of more than 64 bits'],
    ['{"a":"1","b":"x"}', 'a text that looks like a number'],
    ['{"a":1,"b":2}', 'a number among texts'],
    ['{"a":1}', 'a key that is missing'],
    ['{"a":1,"b":"x","c":2}', 'a key more'],
    ['{"b":"x","a":1}', 'keys in another order'],
    ['{"A":1,"b":"x"}', 'a key in another case'],
    ['{"a":1,"a":2,"b":"x"}', 'a key twice'],
    ['{"a": 1, "b": "x"}', 'white space'],
    ['{"a":1,"b":"\\u00e9"}', 'an escape'],
    ['{"a":1,"b":"\\ud800"}', 'half of a surrogate pair'],
    ['{"a":1,"b":"x"}\r', 'a carriage return'],
    ['{"a":1,\r"b":"x"}', 'a carriage return inside'],
    ['{"a":1,"b":"x"', 'a line that is cut off'],
    ['{"a":1,"b":"x"},', 'a comma'],
    ['[1,2]', 'an array'],
    ['null', 'no row'],
    ['  ', 'nothing but white space'],
  ]

  it.each(late)('with %j behind the sample, %#, is left to our own road', async (line, why) => {
    const lines = [...filler]
    lines.splice(10_000, 0, line)
    const path = fresh('jsonl')
    writeFileSync(path, lines.map(one => `${one}\n`).join(''))
    const [own, other] = [fresh('jsonl'), fresh('jsonl')]
    const outcome = (to: string, options: ConvertOptions) =>
      convert(path, to, options).then(
        ({ rowsOut }) => ({ rowsOut }),
        ({ code, line: at }) => ({ code, at }),
      )
    expect([why, await outcome(other, { engine: 'duckdb' })]).toEqual([
      why,
      { code: 'CONVERT_ENGINE_UNFIT', at: undefined },
    ])
    // A condition that leaves the line out does not leave it unseen.
    const seen = await outcome(other, { engine: 'duckdb', where: { b: 'text 1' }, columns: ['b'] })
    expect([why, seen]).toEqual([why, { code: 'CONVERT_ENGINE_UNFIT', at: undefined }])
    const mustBe = await outcome(own, { engine: 'rows' })
    expect(await outcome(other, { engine: 'auto' })).toEqual(mustBe)
    if ('rowsOut' in mustBe) expect(readFileSync(other, 'utf8')).toBe(readFileSync(own, 'utf8'))
    else expect(mustBe).toEqual({ code: expect.stringMatching(/^(?:JSON|TEXT)_/), at: 10_001 })
  })

  it('of another layout is left to our own road', async () => {
    const path = fresh('json')
    for (const text of [
      '[{"a":1},\n{"a":2}]',
      '[\n{"a":1}\n{"a":2}\n]',
      '[\n{"a":1},\n{"a":2},\n]',
      '[\n{"a":1},,\n{"a":2}\n]',
      '[\n{"a":1}\n]\n[\n{"a":2}\n]',
      '[\n{"a":1},\n{"a":2}\n',
      '{"a":1}\n{"a":2}\n',
      '[\n  {\n    "a": 1\n  }\n]',
    ]) {
      writeFileSync(path, text)
      const unfit = await convert(path, fresh('csv'), { engine: 'duckdb' }).catch(error => error.code)
      expect([text, unfit]).toEqual([text, 'CONVERT_ENGINE_UNFIT'])
    }
  })

  it('types are those of the first rows and of those that are left', async () => {
    const lines = Array.from(
      { length: 500 },
      (_, i) => `{"a":${i === 300 ? 0.5 : i},"b":"x","c":${i === 20 ? 0.5 : i}}`,
    )
    const path = write('jsonl', lines)
    const where = { a: { gte: 2 } }
    const unfit = await convert(path, fresh('parquet'), { where, engine: 'duckdb' }).catch(error => error.message)
    expect(unfit).toContain('the type of column a depends on which rows are left out')
    const to = fresh('parquet')
    expect((await convert(path, to, { where })).engine).toBe('rows')
    expect((await contentOf(to)).columns?.map(({ type }) => type)).toEqual(['bigint', 'text', 'number'])
    expect(await onBoth(path, 'parquet', { where, columns: ['b', 'c'] })).toBe(497)
    expect(await onBoth(path, 'parquet')).toBe(500)
    const nothing = await convert(path, fresh('csv'), { where: { b: 'y' }, engine: 'duckdb' }).catch(
      error => error.message,
    )
    expect(nothing).toContain('no row is left')
  })
})

describe('CSV', () => {
  it('types are those of all rows, also of those that are not wanted', async () => {
    const path = fresh('csv')
    const rows = Array.from({ length: 30_000 }, (_, i) => `${i},${i === 20_000 ? '007' : i},x${i % 5}`)
    writeFileSync(path, `a,b,c\n${rows.join('\n')}\n`)
    const where = { c: 'x1' }
    const unfit = await convert(path, fresh('parquet'), { where, engine: 'duckdb' }).catch(error => error.code)
    expect(unfit).toBe('CONVERT_ENGINE_UNFIT')
    // Of a column that is not read nobody knows.
    expect(await onBoth(path, 'parquet', { where, columns: ['a'] })).toBe(6000)
  })
})
