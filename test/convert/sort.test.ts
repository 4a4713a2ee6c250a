/** `orderBy` of sources that cannot sort: by DuckDB, from the source itself or by way of a temp file, in the same order. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { sortedBatches } from '../../src/convert/sorted-batches.ts'
import { CalendarDate } from '../../src/core/calendar-date.ts'
import { PreciseDate } from '../../src/core/precise-date.ts'
import { type ConvertOptions, convert, MemoryTarget, planConversion, type Row } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'convert-sort-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const fresh = (extension: string) => join(folder, `${++files}.${extension}`)
const jsonl = (rows: readonly object[]) => ({
  text: rows.map(row => `${JSON.stringify(row)}\n`).join(''),
  name: 'x.jsonl',
})

async function sorted(rows: readonly object[], options: ConvertOptions): Promise<Row[]> {
  const target = new MemoryTarget('out.jsonl')
  const { rowsIn, rowsOut, rowsLeftOut } = await convert(jsonl(rows), target, options)
  expect(rowsIn).toBe(rowsOut + rowsLeftOut)
  return target
    .text()
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
}

async function allOf(rows: readonly Row[], orderBy: ConvertOptions['orderBy']): Promise<Row[]> {
  const batches = (async function* () {
    for (let i = 0; i < rows.length; i += 7) yield rows.slice(i, i + 7)
  })()
  const out: Row[] = []
  const { signal } = new AbortController()
  for await (const batch of sortedBatches(batches, { orderBy, label: 'x', signal })) out.push(...batch)
  return out
}

/** JSON has several forms of one number. */
const rowsOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))

/** Those that this process has made. */
function tempFiles(): string[] {
  const own = join(tmpdir(), `open-iterable-${process.getuid?.() ?? 'temp'}`)
  return existsSync(own) ? readdirSync(own).filter(name => name.includes(`${process.pid}-`)) : []
}

describe('orderBy', () => {
  it('gives the same order from a file that DuckDB reads, and by way of a temp file', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({
      n: (i * 7919) % 100,
      half: i % 3 === 0 ? null : i / 2,
      t: ['é', 'z', 'A', '', '😀', '\ufffd'][i % 6],
      i,
    }))
    const from = fresh('jsonl')
    writeFileSync(from, jsonl(rows).text)
    const csv = fresh('csv')
    await convert(from, csv)
    writeFileSync(`${csv}.gz`, gzipSync(readFileSync(csv)))
    for (const orderBy of [
      'n',
      [{ column: 'n', descending: true }, 't'],
      [{ column: 'half', nulls: 'first' }],
      [{ column: 't', descending: true }],
    ] satisfies ConvertOptions['orderBy'][]) {
      for (const more of [{}, { where: { t: { ne: 'z' } }, columns: ['i'], offset: 10, limit: 1000 }]) {
        const to = [fresh('jsonl'), fresh('jsonl'), fresh('jsonl'), fresh('jsonl')] as const
        expect((await convert(from, to[0], { orderBy, ...more, engine: 'duckdb' })).engine).toBe('duckdb')
        expect((await convert(from, to[1], { orderBy, ...more, engine: 'rows' })).engine).toBe('rows')
        expect(rowsOf(to[1])).toEqual(rowsOf(to[0]))
        const read = { cast: true }
        await convert(csv, to[2], { read, orderBy, ...more, engine: 'duckdb' })
        await convert(`${csv}.gz`, to[3], { read, orderBy, ...more })
        expect(rowsOf(to[3])).toEqual(rowsOf(to[2]))
      }
    }
  })

  it('takes its steps behind the sorting, and those of the rows that lack a value last', async () => {
    const rows = [{ a: 3 }, { b: 1 }, { a: 1, b: { deep: [1, null] } }, { a: 2, __b: 'x' }]
    expect(await sorted(rows, { orderBy: 'a', offset: 1, map: row => ({ ...row, seen: true }) })).toEqual([
      { a: 2, __b: 'x', seen: true },
      { a: 3, seen: true },
      { b: 1, seen: true },
    ])
    expect(await sorted([], { orderBy: 'a' })).toEqual([])
  })

  it('gives rows back as they were', async () => {
    const special = {
      day: new CalendarDate('2024-02-29'),
      at: new PreciseDate(1_700_000_000_000, 123_456),
      plain: new Date(5),
      big: 2n ** 70n,
      bytes: Buffer.from([0, 255]),
      nothing: undefined,
      lone: '\ud800',
      nested: [{ day: new CalendarDate('2000-01-01') }],
      zero: -0,
    }
    Object.defineProperty(special, '__proto__', { value: 1, enumerable: true, writable: true, configurable: true })
    const [row] = await allOf([{ n: 2 }, { n: 1, ...special, ['__proto__']: 1 }], 'n')
    expect(Object.keys(row!)).toEqual(['n', ...Object.keys(special)])
    expect(row).toMatchObject({ big: 2n ** 70n, lone: '\ud800', nothing: undefined })
    expect(Object.is(row!.zero, -0)).toBe(true)
    expect([row!.day, (row!.nested as [{ day: unknown }])[0].day].map(String)).toEqual(['2024-02-29', '2000-01-01'])
    expect(String(row!.at)).toBe('2023-11-14T22:13:20.000123456Z')
    expect((row!.plain as Date).constructor).toBe(Date)
    expect(Buffer.from(row!.bytes as Uint8Array)).toEqual(Buffer.from([0, 255]))
    const days = ['2024-03-01', '1999-12-31', '2024-02-29'].map(day => ({ day: new CalendarDate(day) }))
    expect((await allOf(days, 'day')).map(({ day }) => String(day))).toEqual(['1999-12-31', '2024-02-29', '2024-03-01'])
    const numbers = [2n ** 60n, 3, -(2n ** 62n)].map(n => ({ n }))
    expect((await allOf(numbers, 'n')).map(({ n }) => n)).toEqual([-(2n ** 62n), 3, 2n ** 60n])
  })

  it('refuses values that have no order, and columns that are not there', async () => {
    const refused = (rows: readonly object[]) =>
      sorted(rows, { orderBy: 'a' }).then(
        () => 'not refused',
        ({ code, found }) => `${code}: ${found}`,
      )
    expect(await refused([{ a: 1 }, { a: 'x' }])).toBe('OPTION_INVALID: integer, then text')
    expect(await refused([{ a: [1] }])).toMatch(/^OPTION_INVALID: /)
    const csv = { text: 'a,b\n1,2\n', name: 'x.csv' }
    await expect(convert(csv, new MemoryTarget('x.jsonl'), { orderBy: 'c' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
    await expect(convert([{ a: 1 }], new MemoryTarget('x.jsonl'), { orderBy: 'a' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
  })

  it('says what goes through a temp file, and leaves none behind', async () => {
    const before = tempFiles()
    const plan = await planConversion(jsonl([{ a: 1 }]), join(folder, 'x.csv'), { orderBy: 'a' })
    expect(plan.spools.join()).toContain('into a temp file, which DuckDB sorts')
    const reason = new Error('no more')
    const controller = new AbortController()
    const endless = (async function* () {
      for (let i = 0; ; i++) {
        if (i === 200) controller.abort(reason)
        yield `{"a":${i}}\n`
      }
    })()
    const to = fresh('jsonl')
    const running = convert(endless, to, { read: { format: 'jsonl' }, orderBy: 'a', signal: controller.signal })
    await expect(running).rejects.toBe(reason)
    expect(existsSync(to)).toBe(false)
    expect(tempFiles()).toEqual(before)
  })
})
