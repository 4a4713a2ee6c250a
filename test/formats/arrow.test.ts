import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RecordBatch, tableFromIPC } from 'apache-arrow'
import { afterAll, expect, it } from 'vitest'
import { CalendarDate } from '../../src/core/calendar-date.ts'
import { PreciseDate } from '../../src/core/precise-date.ts'
import { fromRecordBatches, toRecordBatches } from '../../src/formats/arrow/record-batches.ts'
import { fromArrow, MemoryTarget, openIterable, toArrow, type WriteOptions } from '../../src/index.ts'
import { formatContract } from '../../src/testing/format.ts'

const folder = mkdtempSync(join(tmpdir(), 'arrow-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function write(name: string, rows: readonly object[], options: Omit<WriteOptions, 'mode'> = {}) {
  const target = new MemoryTarget(name)
  const out = openIterable(target, { ...options, mode: 'w' })
  await out.writeBulk(rows as Record<string, unknown>[])
  await out.close()
  return target
}

const ROWS = [
  {
    integer: 1,
    big: 2n ** 62n,
    number: -1.5,
    flag: true,
    text: 'é 漢字 🙂',
    day: new CalendarDate('2024-02-29'),
    moment: new Date('2300-01-01T00:00:00.123Z'),
    precise: new PreciseDate(Date.parse('2024-01-01T00:00:00.001Z'), 2000),
    bytes: new Uint8Array([0, 255]),
    list: [1, null, 2],
    nested: { a: 'x', b: [{ c: 1.5 }] },
  },
  {
    integer: null,
    big: 5,
    number: 0.25,
    flag: false,
    text: '',
    day: null,
    moment: null,
    precise: null,
    bytes: new Uint8Array(),
    list: [],
    nested: null,
  },
]

it('gives back every type of value, from files and streams, by every chunk size', async () => {
  for (const name of ['x.arrow', 'x.feather', 'x.arrows', 'x.arrow.gz']) {
    const target = await write(name, ROWS)
    expect(await openIterable(target).readBulk(1e9)).toEqual(ROWS)
    if (name.endsWith('.gz')) continue
    for (const size of [7, 65_536]) {
      const chunks = function* () {
        const bytes = target.bytes()
        for (let start = 0; start < bytes.length; start += size) yield bytes.slice(start, start + size)
      }
      expect(await openIterable(chunks(), { format: 'arrow' }).readBulk(1e9)).toEqual(ROWS)
    }
  }
})

it('is read by apache-arrow itself', async () => {
  const target = await write('x.arrow', ROWS)
  const table = tableFromIPC(target.bytes())
  expect(table.numRows).toBe(2)
  expect(table.schema.fields.map(({ name, type }) => `${name}: ${type}`)).toEqual([
    'integer: Int64',
    'big: Int64',
    'number: Float64',
    'flag: Bool',
    'text: Utf8',
    'day: Date32<DAY>',
    'moment: Timestamp<MICROSECOND>',
    'precise: Timestamp<MICROSECOND>',
    'bytes: Binary',
    'list: List<Int64>',
    'nested: Struct<{a:Utf8, b:List<Struct<{c:Float64}>>}>',
  ])
})

it('reads a file by its own list of record batches, and tells its columns first', async () => {
  const path = join(folder, 'many.arrow')
  const out = openIterable(path, { mode: 'w', recordBatchSize: 1000 })
  const rows = Array.from({ length: 25_000 }, (_, i) => ({ id: i, text: `row ${i}` }))
  await out.writeBulk(rows)
  await out.close()
  const reader = await openIterable(path)
  expect(reader.columns).toEqual(['id', 'text'])
  expect(reader.schema?.columns.map(({ type }) => type)).toEqual(['bigint', 'text'])
  expect(await reader.readBulk(1e9)).toEqual(rows)
  await reader.close()
  expect(tableFromIPC(await readFile(path)).batches).toHaveLength(25)
  const stream = join(folder, 'many.arrows')
  const copy = openIterable(stream, { mode: 'w' })
  await copy.writeBulk(openIterable(path))
  await copy.close()
  expect(await openIterable(stream).readBulk(1e9)).toEqual(rows)
})

it('reads what others wrote: vega-datasets flights-200k.arrow', async () => {
  const path = join(import.meta.dirname, '../../node_modules/vega-datasets/data/flights-200k.arrow')
  const table = tableFromIPC(await readFile(path))
  const rows = await openIterable(path).readBulk(1e9)
  expect(rows).toHaveLength(table.numRows)
  for (const i of [0, 77_777, table.numRows - 1]) {
    expect(JSON.stringify(rows[i])).toBe(JSON.stringify(table.get(i)))
  }
})

it('refuses later values of another type, with row and column', async () => {
  const target = new MemoryTarget('x.arrow')
  const errors: unknown[] = []
  const out = openIterable(target, {
    mode: 'w',
    onError: error => {
      errors.push([error.code, error.record])
      return 'skip'
    },
  })
  await out.writeBulk(Array.from({ length: 10_000 }, (_, i) => ({ id: i })))
  await out.writeBulk([{ id: 'x' }, { id: 1 }, { id: 2, more: 1 }])
  await out.close()
  expect(errors).toEqual([
    ['VALUE_TYPE_MISMATCH', 10_001],
    ['VALUE_TYPE_MISMATCH', 10_003],
  ])
  expect(await openIterable(target).readBulk(1e9)).toHaveLength(10_001)
})

it('tells damaged input', async () => {
  const target = await write('x.arrow', ROWS)
  const path = join(folder, 'cut.arrow')
  await writeFile(path, target.bytes().subarray(0, 300))
  await expect(openIterable(path).readBulk(1e9)).rejects.toMatchObject({ code: 'ARROW_CORRUPT', label: path })
  await expect(openIterable({ text: 'no arrow at all', name: 'x.arrow' }).readBulk(1e9)).rejects.toMatchObject({
    code: 'ARROW_CORRUPT',
  })
})

it('has no rows where none were written', async () => {
  const target = await write('x.arrow', [], { columns: ['a', 'b'] })
  const reader = await openIterable(target)
  expect([reader.columns, await reader.readBulk(1e9)]).toEqual([['a', 'b'], []])
})

it('turns batches of rows into record batches, and back', async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => ({ id: i, name: `n${i}` }))
  const batches = toRecordBatches([rows.slice(0, 2000), rows.slice(2000)], { recordBatchSize: 1500 })
  const sizes: number[] = []
  const back: object[] = []
  const counted = async function* () {
    for await (const batch of batches) {
      sizes.push(batch.numRows)
      yield batch
    }
  }
  for await (const part of fromRecordBatches(counted())) back.push(...part)
  expect(sizes).toEqual([1500, 1500, 1500, 500])
  expect(back).toEqual(rows)
})

formatContract({
  id: 'arrow',
  name: 'people.arrow',
  samples: [
    { title: 'rows of every type', rows: ROWS },
    { title: 'many rows', rows: Array.from({ length: 3000 }, (_, i) => ({ n: i, t: `t${i % 7}` })) },
    { title: 'names that objects have', rows: [JSON.parse('{"__proto__":"1","constructor":"2"}')] },
  ],
  appends: false,
  binary: { emptyCode: 'ARROW_CORRUPT', mistyped: ['bigin', 'bigint'] },
})

it('gives record batches of any reader, and takes them as one', async () => {
  const csv = { text: 'a,b\n1,x\n2,\n', name: 'x.csv' }
  const batches: RecordBatch[] = []
  for await (const batch of toArrow(openIterable(csv, { cast: true }), { recordBatchSize: 1 })) batches.push(batch)
  expect(batches.map(batch => batch.numRows)).toEqual([1, 1])
  expect(batches[0]!.schema.fields.map(field => `${field.name}:${field.type}`)).toEqual(['a:Int64', 'b:Utf8'])
  await using reader = fromArrow(batches)
  expect(await reader.readBulk()).toEqual([
    { a: 1, b: 'x' },
    { a: 2, b: null },
  ])
})
