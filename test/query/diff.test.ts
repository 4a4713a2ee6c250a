/** `diff`: two targets row by row, against a comparison in plain JavaScript. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DiffOptions, diff, openIterable, type RowChange, type TableTarget } from '../../src/index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-diff-'))
})
afterAll(() => rm(folder, { recursive: true }))

const csv = (text: string) => ({ text, name: 'x.csv' })
const changesOf = async (changes: AsyncIterable<RowChange>): Promise<RowChange[]> => {
  const all: RowChange[] = []
  for await (const change of changes) all.push(change)
  return all
}
const all = (before: TableTarget, after: TableTarget, options?: DiffOptions) => changesOf(diff(before, after, options))
const parquet = async (
  name: string,
  rows: readonly object[],
  types?: Record<string, 'decimal' | 'date' | 'bigint'>,
) => {
  const path = join(folder, name)
  const writer = await openIterable<object>(path, { mode: 'w', types: types as never })
  await writer.writeBulk(rows)
  await writer.close()
  return path
}

describe('diff', () => {
  const before = csv('id,name,n\n1,Ada,10\n2,Bob,20\n3,Cid,30\n')
  const after = csv('n,id,name\n30,3,Cid\n21,2,Bob\n40,4,Dan\n')

  it('tells what was added, removed and changed, sorted by the key', async () => {
    expect(await all(before, after, { key: 'id' })).toEqual([
      { change: 'removed', key: { id: 1 }, before: { id: 1, name: 'Ada', n: 10 }, after: undefined, columns: [] },
      {
        change: 'changed',
        key: { id: 2 },
        before: { id: 2, name: 'Bob', n: 20 },
        after: { id: 2, name: 'Bob', n: 21 },
        columns: ['n'],
      },
      { change: 'added', key: { id: 4 }, before: undefined, after: { id: 4, name: 'Dan', n: 40 }, columns: [] },
    ])
  })

  it('sums up, with a loop and without one', async () => {
    const summary = {
      equal: false,
      rowsBefore: 3,
      rowsAfter: 3,
      added: 1,
      removed: 1,
      changed: 1,
      unchanged: 1,
      columnsAdded: [],
      columnsRemoved: [],
    }
    expect(await diff(before, after, { key: ['id'] })).toEqual(summary)
    const one = diff(before, after, { key: 'id' })
    for await (const _ of one);
    expect(await one).toEqual(summary)
    await expect(changesOf(one)).rejects.toMatchObject({ code: 'HANDLE_CONSUMED' })
    expect(await diff(before, before)).toMatchObject({ equal: true, unchanged: 3 })
  })

  it('rejects the summary where the loop was left or failed', async () => {
    const left = diff(before, after, { key: 'id' })
    for await (const _ of left) break
    await expect(left).rejects.toMatchObject({ code: 'HANDLE_CLOSED' })
    const failed = diff(before, join(folder, 'none.csv'))
    await expect(changesOf(failed)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    await expect(failed).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
  })

  it('compares whole rows, and how often they occur', async () => {
    const changes = await all(csv('a,b\n1,x\n1,x\n2,y\n'), csv('a,b\n1,x\n3,z\n3,z\n'))
    expect(changes.map(({ change, before, after }) => [change, before ?? after])).toEqual([
      ['removed', { a: 1, b: 'x' }],
      ['removed', { a: 2, b: 'y' }],
      ['added', { a: 3, b: 'z' }],
      ['added', { a: 3, b: 'z' }],
    ])
  })

  it('tells columns of one side, and compares the others', async () => {
    const other = csv('id,name,extra\n1,Ada,x\n2,Bob,y\n3,Cid,z\n')
    expect(await diff(before, other, { key: 'id' })).toMatchObject({
      equal: false,
      changed: 0,
      columnsAdded: ['extra'],
      columnsRemoved: ['n'],
    })
    expect(await diff(before, other, { key: 'id', columns: ['name'] })).toMatchObject({ equal: true })
  })

  it('refuses a key that occurs twice, and columns that are not there', async () => {
    await expect(all(csv('id,v\n7,a\n7,b\n'), before, { key: 'id' })).rejects.toMatchObject({
      code: 'DIFF_KEY_REPEATED',
      message: expect.stringMatching(/^x\.csv \[DIFF_KEY_REPEATED\] 2 rows have the key id "?7"?; name more columns/),
    })
    await expect(all(before, after, { key: 'idd' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('did you mean "id"?'),
    })
    await expect(all(before, csv('other\n1\n'))).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(all(before, after, { keys: 'id' } as never)).rejects.toMatchObject({ code: 'OPTION_UNKNOWN' })
  })

  it('takes null for a value, in keys too', async () => {
    const left = { text: '{"k":null,"v":1}\n{"k":1,"v":null}\n', name: 'a.jsonl' }
    const right = { text: '{"k":1,"v":null}\n{"k":null,"v":2}\n', name: 'b.jsonl' }
    expect(await all(left, right, { key: 'k' })).toMatchObject([
      { change: 'changed', key: { k: null }, columns: ['v'] },
    ])
  })

  it('compares values, whatever the formats call their types', async () => {
    const day = new Date('2020-01-02T03:04:05.678Z')
    const rows = [
      { id: 1, whole: 1, real: 0.1, small: 1e-7, big: 2 ** 40, flag: true, at: day, text: 'x', price: '12.50' },
      {
        id: 2,
        whole: 2,
        real: -0,
        small: 2.5e-9,
        big: 9007199254740993n,
        flag: false,
        at: day,
        text: '007',
        price: '-3.00',
      },
    ]
    const file = await parquet('typed.parquet', rows, { price: 'decimal', big: 'bigint' })
    const text = csv(
      'id,whole,real,small,big,flag,at,text,price\n' +
        '1,1.0,0.1,0.0000001,1099511627776,TRUE,2020-01-02 03:04:05.678,x,12.5\n' +
        '2,2,0,2.5e-9,9007199254740993,False,2020-01-02T03:04:05.678Z,007,-3\n',
    )
    expect(await all(file, text, { key: 'id' })).toEqual([])
    const wrong = csv(
      'id,whole,real,small,big,flag,at,text,price\n' +
        '1,1.5,0.10000000000000001,0.0000002,1099511627777,false,2020-01-02 03:04:05.679,X,12.51\n' +
        '2,02,0.5,2.5e-8,9007199254740992,False,2020-01-03T03:04:05.678Z,7,-30\n',
    )
    expect((await all(file, wrong, { key: 'id' })).map(({ columns }) => columns)).toEqual([
      ['whole', 'real', 'small', 'big', 'flag', 'at', 'text', 'price'],
      ['whole', 'real', 'small', 'big', 'at', 'text', 'price'],
    ])
  })

  it('compares what is nested', async () => {
    const left = { text: '{"id":1,"o":{"a":1,"b":[1,2]}}\n{"id":2,"o":{"a":1,"b":[]}}\n', name: 'a.jsonl' }
    const right = { text: '{"id":1,"o":{"a":1,"b":[1,2]}}\n{"id":2,"o":{"a":1,"b":[3]}}\n', name: 'b.jsonl' }
    expect(await all(left, right, { key: 'id' })).toMatchObject([{ key: { id: 2 }, columns: ['o'] }])
  })

  it('keeps names as they are', async () => {
    const rows = [{ id: 1, 'a"b': 1, __proto__x: 2, 'select *': 'x' }]
    const left = { text: `${JSON.stringify(rows[0])}\n`, name: 'a.jsonl' }
    const right = { text: `${JSON.stringify({ ...rows[0], 'a"b': 3 })}\n`, name: 'b.jsonl' }
    expect(await all(left, right, { key: 'id' })).toMatchObject([{ before: rows[0], columns: ['a"b'] }])
    // Names that the statements use themselves.
    const own = ['k0', 'v0', 'r0', 'c0', 'n', 'here', 'before', 'after', 'a', 'b']
    const row = Object.fromEntries(own.map((name, i) => [name, i]))
    expect(await all([row], [{ ...row, n: -1 }], { key: ['k0', 'here'] })).toMatchObject([{ columns: ['n'] }])
    expect(await all([row], [{ ...row, n: -1 }])).toHaveLength(2)
  })

  it('agrees with a comparison in JavaScript', async () => {
    const row = fc.record({ v: fc.integer({ min: 0, max: 3 }), w: fc.constantFrom('x', 'y', null) })
    const side = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), row, {
      minKeys: 1,
      noNullPrototype: true,
    })
    await fc.assert(
      fc.asyncProperty(side, side, async (left, right) => {
        const jsonl = (rows: typeof left, name: string) => ({
          text: Object.entries(rows)
            .map(([k, value]) => `${JSON.stringify({ k, ...value })}\n`)
            .join(''),
          name,
        })
        const changes = await all(jsonl(left, 'l.jsonl'), jsonl(right, 'r.jsonl'), { key: 'k' })
        const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()
        const expected = keys.flatMap(k => {
          const [one, other] = [left[k], right[k]]
          if (one === undefined) return [['added', k, []]]
          if (other === undefined) return [['removed', k, []]]
          const columns = (['v', 'w'] as const).filter(name => one[name] !== other[name])
          return columns.length === 0 ? [] : [['changed', k, columns]]
        })
        expect(changes.map(({ change, key, columns }) => [change, key!.k, columns])).toEqual(expected)
      }),
      { seed: 8, numRuns: 25 },
    )
  }, 60_000)

  it('stops when it is aborted', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const big = Array.from({ length: 5000 }, (_, id) => ({ id }))
    const changes = diff(big, csv('id\n-1\n'), { key: 'id', signal: controller.signal })
    const run = (async () => {
      for await (const _ of changes) controller.abort(reason)
    })()
    await expect(run).rejects.toBe(reason)
  })
})
