/** The programs in examples/ run, as users would run them, and do what they say. Need dist/ (`npm run build`). */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { openIterable } from '../src/index.ts'

const ROOT = resolve(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'open-iterable-examples-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs an example with a folder of its own; gives what it printed, and the folder. */
async function run(name: string): Promise<{ readonly printed: string; readonly at: string }> {
  const at = join(folder, name)
  mkdirSync(at)
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(ROOT, 'examples', name), at])
  expect(stderr).toBe('')
  return { printed: stdout, at }
}
const count = async (path: string) => {
  let rows = 0
  for await (const batch of openIterable(path).batches()) rows += batch.length
  return rows
}

describe('examples', () => {
  it('clean-csv makes a small file of a large one', async () => {
    const { printed, at } = await run('clean-csv.mjs')
    const [, rowsIn, rowsOut, leftOut] = /(\d+) rows in, (\d+) out, (\d+) without/.exec(printed)!.map(Number)
    expect(rowsIn).toBe(10_000)
    expect(rowsOut! + leftOut!).toBe(10_000)
    const cleaned = await openIterable(join(at, 'birdstrikes.csv.gz'), { cast: true })
    expect(cleaned.columns).toEqual(['airport', 'date', 'state', 'species', 'cost'])
    expect(await cleaned.filter(row => !(Number(row.cost) > 0)).toArray()).toEqual([])
    expect(cleaned.rowsRead).toBe(rowsOut)
  })

  it('csv-to-parquet keeps all rows, and answers', async () => {
    const { printed, at } = await run('csv-to-parquet.mjs')
    expect(printed).toContain('1461 rows by ')
    expect(printed).toContain('date: date, temp_max: number, wind: number')
    expect(printed.match(/: at most -?[\d.]+ °C, wind/g)).toHaveLength(3)
    expect(await count(join(at, 'weather.parquet'))).toBe(1461)
  })

  it('many-files parts a file, reads the parts as one, and does nothing twice', async () => {
    const { printed, at } = await run('many-files.mjs')
    expect(readdirSync(join(at, 'stocks')).sort()).toEqual(['AAPL.csv', 'AMZN.csv', 'GOOG.csv', 'IBM.csv', 'MSFT.csv'])
    expect(printed).toContain('560 rows of 5 files')
    expect(printed).toContain('first run: 5 files, 0 of them unchanged, 0 failed, 560 rows')
    expect(printed).toContain('second run: 5 files, 5 of them unchanged, 0 failed')
    expect(await count(join(at, 'jsonl/*.jsonl.gz'))).toBe(560)
  })

  it('async-service has every row in one of two places, in order', async () => {
    const { printed, at } = await run('async-service.mjs')
    const [, out, aside, retries] = /(\d+) airports, (\d+) put aside, (\d+) calls/.exec(printed)!.map(Number)
    expect(out! + aside!).toBe(500)
    expect(aside).toBeGreaterThan(0)
    expect(retries).toBeGreaterThan(50)
    const airports = await openIterable<{ iata: string; state: string; hour: number }>(
      join(at, 'airports.jsonl'),
    ).toArray()
    expect(airports).toHaveLength(out!)
    expect(airports.some(({ state }) => state === 'AK')).toBe(false)
    const wanted = await openIterable(join(ROOT, 'node_modules/vega-datasets/data/airports.csv'))
      .filter(row => row.country === 'USA')
      .take(500)
      .filter(row => row.state !== 'AK')
      .map(row => row.iata)
      .toArray()
    expect(airports.map(({ iata }) => iata)).toEqual(wanted)
    expect(await count(join(at, 'unknown.jsonl'))).toBe(aside)
  })

  it('dead-letters loses no row', async () => {
    const { printed, at } = await run('dead-letters.mjs')
    expect(printed).toContain('1461 records, 1457 rows, 4 put aside')
    expect(printed).toContain('1461 rows in the end')
    const rows = readFileSync(join(at, 'weather.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(rows.map(row => row.date.slice(0, 10)).sort()).toEqual(
      (await openIterable(join(ROOT, 'node_modules/vega-datasets/data/seattle-weather.csv')).toArray()).map(
        row => row.date,
      ),
    )
  })

  it('are all run: here, or by the tests that name them', () => {
    const here = readFileSync(import.meta.filename, 'utf8')
    const others: Readonly<Record<string, string>> = {
      'stream-query.mjs': readFileSync(join(ROOT, 'test/sources/postgres-example.test.ts'), 'utf8'),
      // The command that .ci/run and the workflow run.
      'demo.mjs': readFileSync(join(ROOT, 'package.json'), 'utf8'),
    }
    const names = readdirSync(join(ROOT, 'examples')).filter(name => name.endsWith('.mjs'))
    expect(names.filter(name => !(others[name] ?? here).includes(name))).toEqual([])
  })
})
