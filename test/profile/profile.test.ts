/** `profile` against what the same rows give when all of them are kept, on real data and on made-up extremes. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inferSchema, openIterable } from '../../src/index.ts'
import { profile } from '../../src/profile/index.ts'
import type { ColumnProfile, Profile } from '../../src/profile/types.ts'

const DATA = resolve('node_modules/vega-datasets/data')
const NOW = new Date('2026-01-01T00:00:00Z')

const column = ({ columns }: Profile, name: string): ColumnProfile => columns.find(one => one.name === name)!
const finding = (found: Profile, name: string, code: string) =>
  column(found, name).findings.find(one => one.code === code)

/** All rows, and the numbers of a column. */
async function rowsOf(path: string, options = {}): Promise<Record<string, unknown>[]> {
  return openIterable(path, options).toArray()
}

/** What is expected of a column, by keeping all of it. */
function exactly(values: readonly unknown[]) {
  const present = values.filter(value => value !== null && value !== undefined)
  const counts = new Map<unknown, number>()
  for (const value of present) counts.set(value, (counts.get(value) ?? 0) + 1)
  const numbers = present.filter(value => typeof value === 'number').sort((a, b) => a - b)
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length
  const squares = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  const quantile = (share: number): number => {
    const at = (numbers.length - 1) * share
    const low = numbers[Math.floor(at)]!
    return low + ((numbers[Math.floor(at) + 1] ?? low) - low) * (at - Math.floor(at))
  }
  return {
    nulls: values.length - present.length,
    distinct: counts.size,
    most: Math.max(...counts.values()),
    count: numbers.length,
    min: numbers[0]!,
    max: numbers.at(-1)!,
    mean,
    standardDeviation: Math.sqrt(squares / (numbers.length - 1)),
    quantile,
    /** The share of values below a value, and of those up to it. */
    rank: (value: number) => [
      numbers.filter(one => one < value).length / numbers.length,
      numbers.filter(one => one <= value).length / numbers.length,
    ],
  }
}

describe('on real data', () => {
  it.each([
    ['weather.csv', { cast: true }],
    ['seattle-weather.csv', { cast: true }],
    ['penguins.json', {}],
    ['movies.json', {}],
    ['birdstrikes.csv', { cast: true, scan: 'full' }],
    ['flights-2k.json', {}],
  ])('gives the exact figures of %s', async (file, options) => {
    const path = `${DATA}/${file}`
    const found = await profile(path)
    const rows = await rowsOf(path, options)
    expect(found.rows).toBe(rows.length)
    expect(found.duplicates).toEqual({
      rows: rows.length - new Set(rows.map(row => JSON.stringify(row))).size,
      accuracy: { exact: true, note: 'Exact.' },
    })
    const names = [...new Set(rows.flatMap(row => Object.keys(row)))]
    expect(found.columns.map(({ name }) => name)).toEqual(names)
    for (const name of names) {
      const raw = rows.map(row => row[name])
      const expected = exactly(raw.map(value => (value instanceof Date ? value.toISOString() : value)))
      const one = column(found, name)
      expect([name, one.nulls, one.distinct.accuracy.exact]).toEqual([name, expected.nulls, true])
      expect(one.top.values[0]?.count).toBe(expected.most)
      // 0 and 0.0 are two texts, and one number.
      if (!file.endsWith('.csv')) expect(one.distinct.count).toBe(expected.distinct)
      if (one.numbers === undefined) continue
      expect([one.numbers.count, one.numbers.min, one.numbers.max]).toEqual([
        expected.count,
        expected.min,
        expected.max,
      ])
      expect(one.numbers.mean / expected.mean).toBeCloseTo(1, 9)
      expect(one.numbers.standardDeviation! / expected.standardDeviation).toBeCloseTo(1, 9)
      for (const { share, value } of one.numbers.quantiles) expect(value).toBeCloseTo(expected.quantile(share), 6)
      const { counts, below, above } = one.numbers.histogram
      expect(counts.reduce((sum, times) => sum + times, 0) + below + above).toBe(expected.count)
    }
  })

  it('estimates within what it says where there are too many different values', async () => {
    const rows = await rowsOf(`${DATA}/zipcodes.csv`)
    const found = await profile(`${DATA}/zipcodes.csv`)
    for (const name of ['zip_code', 'latitude', 'longitude', 'city']) {
      const one = column(found, name)
      const expected = exactly(rows.map(row => row[name]))
      expect(one.distinct.accuracy).toMatchObject({ exact: false, method: 'hyperloglog' })
      expect(Math.abs(one.distinct.count - expected.distinct) / expected.distinct).toBeLessThan(
        one.distinct.accuracy.error!,
      )
      for (const { value, count, atMost } of one.top.values) {
        const times = rows.filter(row => row[name] === value).length
        expect(times).toBeGreaterThanOrEqual(count)
        expect(times).toBeLessThanOrEqual(atMost)
      }
    }
    for (const name of ['latitude', 'longitude']) {
      const { numbers } = column(found, name)
      const expected = exactly(rows.map(row => Number(row[name])))
      expect([numbers!.min, numbers!.max]).toEqual([expected.min, expected.max])
      expect(numbers!.mean).toBeCloseTo(expected.mean, 9)
      expect(numbers!.standardDeviation).toBeCloseTo(expected.standardDeviation, 9)
      expect(numbers!.accuracy).toMatchObject({ exact: false, method: 'kll' })
      for (const { share, value } of numbers!.quantiles) {
        const [low, high] = expected.rank(value) as [number, number]
        expect(share).toBeGreaterThan(low - numbers!.accuracy.error!)
        expect(share).toBeLessThan(high + numbers!.accuracy.error!)
      }
    }
  })

  it('finds the types that inferSchema finds over all rows', async () => {
    for (const file of ['weather.csv', 'zipcodes.csv', 'birdstrikes.csv', 'movies.json']) {
      const path = `${DATA}/${file}`
      const schema = await inferSchema(path, { rows: 'all' })
      const found = await profile(path)
      expect(found.columns.map(({ name, type }) => [name, type])).toEqual(
        schema.columns.map(({ name, type }) => [name, type]),
      )
    }
  })

  it('correlates as the formula does', async () => {
    const rows = await rowsOf(`${DATA}/cars.json`)
    const { correlations } = await profile(`${DATA}/cars.json`)
    const pairs = rows
      .map(row => [row.Horsepower, row.Weight_in_lbs] as [number | null, number | null])
      .filter((pair): pair is [number, number] => pair[0] !== null && pair[1] !== null)
    const [x, y] = [0, 1].map(side => pairs.reduce((sum, pair) => sum + pair[side]!, 0) / pairs.length) as [
      number,
      number,
    ]
    const sum = (of: (pair: [number, number]) => number) => pairs.reduce((total, pair) => total + of(pair), 0)
    const expected =
      sum(([a, b]) => (a - x) * (b - y)) / Math.sqrt(sum(([a]) => (a - x) ** 2) * sum(([, b]) => (b - y) ** 2))
    const { columns, matrix, accuracy } = correlations!
    expect(accuracy.exact).toBe(true)
    expect(matrix[columns.indexOf('Horsepower')]![columns.indexOf('Weight_in_lbs')]).toBeCloseTo(expected, 10)
  })

  it('tells which columns are missing together', async () => {
    const rows = await rowsOf(`${DATA}/movies.json`)
    const found = await profile(`${DATA}/movies.json`)
    const names = found.columns.map(({ name }) => name)
    const sets = new Map<string, number>()
    for (const row of rows) {
      const key = names.flatMap((name, i) => ((row[name] ?? null) === null ? [i] : [])).join()
      sets.set(key, (sets.get(key) ?? 0) + 1)
    }
    expect(found.missingness!.completeRows).toBe(sets.get(''))
    sets.delete('')
    const expected = [...sets.values()].sort((a, b) => b - a).slice(0, found.missingness!.patterns.length)
    expect(found.missingness!.patterns.map(pattern => pattern.rows)).toEqual(expected)
    for (const pattern of found.missingness!.patterns) expect(sets.get(pattern.columns.join())).toBe(pattern.rows)
  })

  it('is plain data, and the same each time', async () => {
    const options = { now: NOW }
    const { elapsedMs: _, ...first } = await profile(`${DATA}/zipcodes.csv`, options)
    const { elapsedMs: __, ...second } = await profile(`${DATA}/zipcodes.csv`, options)
    expect(second).toEqual(first)
    expect(JSON.parse(JSON.stringify(first))).toEqual(first)
  })
})

const csv = (text: string) => ({ text, name: 'x.csv' })

describe('what looks wrong', () => {
  it('is found with its rows', async () => {
    const lines = [
      'name,zip,price,when,mixed',
      ' Ada,01234,"1,200.50",2025-01-01,1',
      'Bob\u0000,01235,"$5",2999-12-31,2',
      'C\ufffdd,98765,"7%",2025-01-02,x',
      'D\u200be,00001,"3.5",2025-01-03,4',
      'JosÃ©,00002,"4",2025-01-04,5',
      'N/A,00003,"5",2025-01-05,6',
      '"   ",00004,"6",2025-01-06,7',
    ]
    const found = await profile(csv(`${lines.join('\n')}\n`), { now: NOW })
    const expected: [string, string, number, number][] = [
      ['name', 'surrounding-space', 1, 1],
      ['name', 'control-characters', 1, 2],
      ['name', 'replacement-characters', 1, 3],
      ['name', 'invisible-characters', 1, 4],
      ['name', 'mojibake', 1, 5],
      ['name', 'null-text', 1, 6],
      ['name', 'blank', 1, 7],
      ['zip', 'leading-zeros', 6, 1],
      ['price', 'formatted-numbers', 3, 1],
      ['when', 'future-dates', 1, 2],
      ['mixed', 'mixed-types', 1, 3],
    ]
    for (const [name, code, count, row] of expected) {
      const one = finding(found, name, code)
      expect([name, code, one?.count, one?.exact, one?.samples[0]?.row]).toEqual([name, code, count, true, row])
    }
    expect(finding(found, 'name', 'surrounding-space')!.samples).toEqual([{ row: 1, value: ' Ada' }])
    // Codes are not mixed with numbers, and have no mean.
    expect(finding(found, 'zip', 'mixed-types')).toBeUndefined()
    expect(column(found, 'zip')).toMatchObject({ type: 'text', lengths: { min: 5, max: 5 } })
    expect(column(found, 'zip').numbers).toBeUndefined()
    expect(column(found, 'mixed').numbers).toMatchObject({ count: 6, min: 1, max: 7 })
  })

  it('has the farthest outliers first, and says how many', async () => {
    const rows = Array.from({ length: 100 }, (_, i) => ({ n: i % 10, big: i === 50 ? 1000 : i === 60 ? -500 : i % 10 }))
    const found = await profile(rows)
    expect(finding(found, 'n', 'outliers')).toBeUndefined()
    expect(finding(found, 'big', 'outliers')).toMatchObject({
      count: 2,
      samples: [
        { row: 51, value: '1000' },
        { row: 61, value: '-500' },
      ],
    })
  })

  it('tells columns without values, with few, and with one', async () => {
    const rows = Array.from({ length: 10 }, (_, i) => ({ none: null, few: i < 4 ? i : null, same: 'x' }))
    const found = await profile(rows)
    expect(found.columns.map(({ findings }) => findings.map(({ code }) => code))).toEqual([
      ['only-nulls'],
      ['mostly-nulls'],
      ['constant'],
    ])
    expect(column(found, 'none')).toMatchObject({ type: 'null', nulls: 10, min: null, max: null })
  })
})

describe('values', () => {
  it('of all kinds are told apart', async () => {
    const rows = [
      { v: 1, d: new Date('2020-01-01T10:00:00Z'), b: true, o: { a: [1n] }, u: new Uint8Array([1, 2]), i: 2n ** 70n },
      { v: '1', d: new Date('2021-01-01T10:00:00Z'), b: false, o: { a: [2n] }, u: null, i: 2n ** 70n + 1n },
      { v: Number.NaN, d: null, b: true, o: { a: [1n] }, u: new Uint8Array([1, 2]), i: 5n },
    ]
    const found = await profile(rows, { now: NOW })
    expect(column(found, 'v')).toMatchObject({ type: 'json', distinct: { count: 3 }, kinds: { integer: 1, text: 1 } })
    expect(finding(found, 'v', 'not-finite')).toMatchObject({ count: 1, samples: [{ row: 3, value: 'NaN' }] })
    expect(column(found, 'd')).toMatchObject({ type: 'timestamp', dates: { min: '2020-01-01T10:00:00.000Z' } })
    expect(column(found, 'b').top.values).toEqual([
      { value: 'true', count: 2, atMost: 2 },
      { value: 'false', count: 1, atMost: 1 },
    ])
    expect(column(found, 'o')).toMatchObject({ type: 'object', distinct: { count: 2 } })
    expect(column(found, 'u')).toMatchObject({ type: 'binary', top: { values: [{ value: '0x0102', count: 2 }] } })
    // To the last digit, though no number has it.
    expect(column(found, 'i')).toMatchObject({ type: 'bigint', max: String(2n ** 70n + 1n), min: '5' })
  })

  it('that are empty or null are told apart', async () => {
    const found = await profile(csv('a,b\n1,\n2,""\n3,x\n'))
    expect(column(found, 'b')).toMatchObject({ nulls: 1, empty: 1, count: 2 })
  })

  it('of a file without types that is told by its content are read the same', async () => {
    const text = 'a,b\n1,\n2,x\n3,y\n'
    const named = await profile(csv(text), { now: NOW })
    const sniffed = await profile({ text }, { now: NOW, read: { sniff: true } })
    expect(sniffed.columns.map(({ type, nulls }) => [type, nulls])).toEqual(
      named.columns.map(({ type, nulls }) => [type, nulls]),
    )
  })

  it('of long texts are told apart to their last character', async () => {
    const long = 'x'.repeat(5000)
    const found = await profile([{ t: `${long}a` }, { t: `${long}b` }, { t: `${long}a` }])
    expect(column(found, 't').distinct.count).toBe(2)
    expect(column(found, 't').top.values[0]!.count).toBe(2)
    expect(column(found, 't').top.values[0]!.value.length).toBeLessThanOrEqual(200)
    expect(column(found, 't').lengths).toMatchObject({ min: 5001, max: 5001 })
  })

  it('count characters, not units of UTF-16', async () => {
    const found = await profile([{ t: '👍👍' }, { t: 'é' }])
    expect(column(found, 't').lengths).toMatchObject({ min: 1, max: 2 })
  })

  it('declared by the user are not inferred', async () => {
    const found = await profile(csv('zip,n\n12345,1\n23456,2\n'), { read: { types: { zip: 'text' } } })
    expect(column(found, 'zip')).toMatchObject({ type: 'text', source: 'declared' })
    expect(column(found, 'n')).toMatchObject({ type: 'integer', source: 'inferred' })
  })

  it('of columns named like parts of objects are those of the rows', async () => {
    const rows = [{ constructor: 1, a: 1 }, JSON.parse('{"__proto__": 5, "a": 2}')]
    const found = await profile(rows)
    expect(column(found, 'constructor')).toMatchObject({ count: 1, nulls: 1 })
    expect(column(found, '__proto__')).toMatchObject({ count: 1, nulls: 1, min: '5' })
  })
})

describe('rows', () => {
  it('that bring new columns are told by all of them', async () => {
    const found = await profile([{ a: 1 }, { a: 1, b: 2 }, { b: null, a: 1 }, { b: 2, a: 1 }])
    // A column that is not there is null; the order of columns is nothing.
    expect(found.duplicates.rows).toBe(2)
    expect(column(found, 'b')).toMatchObject({ nulls: 2, count: 2 })
    expect(found.missingness).toMatchObject({ completeRows: 2, patterns: [{ columns: [1], rows: 2 }] })
  })

  it('that are arrays have numbered columns', async () => {
    const found = await profile({ text: '1,a\n2,b\n', name: 'x.csv' }, { read: { header: false } })
    expect(found.columns.map(({ name, type }) => [name, type])).toEqual([
      ['column_1', 'integer'],
      ['column_2', 'text'],
    ])
  })

  it('beyond a limit are not looked at, and it says so', async () => {
    const rows = Array.from({ length: 50 }, (_, n) => ({ n }))
    const some = await profile(rows, { rows: 20 })
    expect([some.rows, some.scope.complete]).toEqual([20, false])
    expect(some.scope.note).toContain('first 20')
    expect(column(some, 'n').numbers!.max).toBe(19)
    expect((await profile(rows, { rows: 50 })).scope.complete).toBe(true)
    const none = await profile(csv('a,b\n'))
    expect([none.rows, none.columns.length, none.columns[0]!.count]).toEqual([0, 2, 0])
  })

  it('that cannot be read are counted', async () => {
    const found = await profile(csv('a,b\n1,2\n3\n5,6\n'), { read: { onError: 'skip' } })
    expect([found.rows, found.rowsLeftOut]).toEqual([2, 1])
    await expect(profile(csv('a,b\n1,2\n3\n'))).rejects.toMatchObject({ code: 'CSV_RAGGED_RECORD', line: 3 })
  })
})

describe('options', () => {
  it('choose columns, in this order', async () => {
    for (const target of [
      csv('a,b,c\n1,2,\n1,,6\n'),
      { text: '{"a":1,"b":2,"c":null}\n{"a":1,"c":6}\n', name: 'x.jsonl' },
    ]) {
      const found = await profile(target, { columns: ['c', 'a'] })
      expect(found.columns.map(({ name, nulls }) => [name, nulls])).toEqual([
        ['c', 1],
        ['a', 0],
      ])
      expect(found.missingness!.patterns).toEqual([{ columns: [0], rows: 1 }])
      await expect(profile(target, { columns: ['cc'] })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    }
  })

  it('that are wrong are refused', async () => {
    await expect(profile([], { rows: 0 })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(profile([], { row: 5 } as never)).rejects.toMatchObject({
      code: 'OPTION_UNKNOWN',
      hint: 'did you mean rows?',
    })
  })

  it('stop it at an abort, with its reason', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    async function* rows() {
      for (let n = 0; ; n++) {
        if (n === 5000) controller.abort(reason)
        yield { n }
      }
    }
    await expect(profile(rows(), { signal: controller.signal })).rejects.toBe(reason)
    await expect(profile([], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  it('tell how far it is', async () => {
    const told: number[] = []
    const found = await profile(`${DATA}/flights-20k.json`, {
      progressIntervalMs: 0,
      onProgress: ({ rows, bytesRead, bytesTotal }) => {
        expect(bytesRead).toBeLessThanOrEqual(bytesTotal!)
        told.push(rows)
      },
    })
    expect(told.length).toBeGreaterThan(5)
    expect(told.at(-1)).toBe(found.rows)
    expect(found.source.bytesRead).toBe(readFileSync(`${DATA}/flights-20k.json`).length)
    const failure = new Error('of the callback')
    const failing = profile([{ a: 1 }], {
      onProgress: () => {
        throw failure
      },
    })
    await expect(failing).rejects.toBe(failure)
  })
})

describe('memory', () => {
  it('does not grow with the rows: what is kept has a bound', async () => {
    let live = 0
    async function* rows(count: number) {
      for (let i = 0; i < count; i++) {
        live = i
        yield { id: `key-${i}-${'x'.repeat(20)}`, n: Math.sin(i), t: new Date(i * 1000), s: `value ${i % 100}` }
      }
    }
    const found = await profile(rows(150_000))
    expect(live).toBe(149_999)
    const id = column(found, 'id')
    expect(id.distinct.accuracy.exact).toBe(false)
    expect(Math.abs(id.distinct.count - 150_000) / 150_000).toBeLessThan(id.distinct.accuracy.error!)
    expect(column(found, 's').distinct).toMatchObject({ count: 100, accuracy: { exact: true } })
    expect(column(found, 's').top.values.every(({ count }) => count === 1500)).toBe(true)
    // And so has what is told.
    expect(JSON.stringify(found).length).toBeLessThan(30_000)
  })

  it('is shared by all columns, and columns beyond a bound are only counted', async () => {
    const names = Array.from({ length: 500 }, (_, i) => `c${i}`)
    function* rows() {
      for (let r = 0; r < 700; r++) yield Object.fromEntries(names.map((name, c) => [name, r * 1000 + c]))
    }
    const found = await profile(rows())
    const estimated = found.columns.filter(({ distinct }) => !distinct.accuracy.exact)
    expect(estimated.length).toBeGreaterThan(0)
    for (const { distinct } of estimated) expect(Math.abs(distinct.count - 700) / 700).toBeLessThan(0.05)
    expect(found.correlations).toMatchObject({ columnsLeftOut: 440 })
    const few = await profile(rows(), { maxColumns: 10 })
    expect([few.columns.length, few.columnsLeftOut]).toEqual([10, 490])
  })
})
