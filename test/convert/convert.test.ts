/** `convert`: every row is accounted for, the output is whole or not there, and steps do what they say. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type ConvertOptions,
  type ConvertProgress,
  type ConvertResult,
  convert,
  MemoryTarget,
  openIterable,
  planConversion,
  type Row,
} from '../../src/index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-convert-'))
})
afterAll(() => rm(folder, { recursive: true }))

const jsonl = (rows: readonly object[]) => ({
  text: rows.map(row => `${JSON.stringify(row)}\n`).join(''),
  name: 'x.jsonl',
})
const balance = (result: ConvertResult) => {
  const { rowsIn, rowsAdded, rowsOut, rowsLeftOut, rowsSkipped, rowsFailed } = result
  expect(rowsIn + rowsAdded).toBe(rowsOut + rowsLeftOut + rowsSkipped + rowsFailed)
  return [rowsIn, rowsAdded, rowsOut, rowsLeftOut, rowsSkipped, rowsFailed]
}
async function run(rows: readonly object[], options: ConvertOptions = {}, name = 'out.jsonl') {
  const target = new MemoryTarget(name)
  const result = await convert(jsonl(rows), target, options)
  balance(result)
  const made: Row[] = []
  for await (const row of openIterable({ text: target.text(), name })) made.push(row)
  return { made, result, text: target.text() }
}
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('it did not fail'),
    error => error,
  )

describe('convert', () => {
  it('goes from any format and codec to any other', async () => {
    const rows = [
      { id: '1', name: 'Ada, "A"' },
      { id: '2', name: 'Grace\nH' },
    ]
    let from = join(folder, 'a.csv')
    await writeFile(from, 'id,name\n1,"Ada, ""A"""\n2,"Grace\nH"\n')
    for (const name of ['b.jsonl.gz', 'c.json', 'd.tsv.zst', 'e.ndjson', 'f.csv.br', 'g.jsonl.gz.br']) {
      const to = join(folder, name)
      const result = await convert(from, to)
      expect(balance(result)).toEqual([2, 0, 2, 0, 0, 0])
      expect(result).toMatchObject({ from, to, engine: expect.any(String) })
      const back: Row[] = []
      for await (const row of openIterable(to)) back.push(row)
      expect(back).toEqual(rows)
      from = to
    }
  })

  it('keeps the columns of a source without rows, and the order of columns that look like numbers', async () => {
    const target = new MemoryTarget('x.csv')
    await convert({ text: '2,1,a\n', name: 'y.csv' }, target)
    expect(target.text()).toBe('2,1,a\n')
    await convert({ text: '2,1,a\nx,y,z\n', name: 'y.csv' }, target)
    expect(target.text()).toBe('2,1,a\nx,y,z\n')
  })

  it('appends', async () => {
    const to = join(folder, 'appended.csv')
    await convert({ text: '{"a":1}\n', name: 'x.jsonl' }, to, { mode: 'a' })
    await convert({ text: '{"a":2}\n', name: 'x.jsonl' }, to, { mode: 'a' })
    expect(await readFile(to, 'utf8')).toBe('a\n1\n2\n')
  })

  it('gives the options of reading and writing to where they belong', async () => {
    const target = new MemoryTarget('x.csv')
    await convert({ text: 'a;b\n1;"2"\n', name: 'y.csv' }, target, {
      read: { delimiter: ';', cast: true },
      write: { quoted: true },
    })
    expect(target.text()).toBe('"a","b"\n"1","2"\n')
  })
})

describe('steps', () => {
  const rows = [1, 2, 3, 4, 5].map(n => ({ n, at: { x: n, tags: ['t'] } }))

  it('are taken in their order, at once or waited for', async () => {
    for (const later of [false, true]) {
      const wrap = <T>(value: T) => (later ? Promise.resolve(value) : value)
      const { made, result } = await run(rows, {
        offset: 1,
        flatten: '_',
        filter: row => wrap(row.n !== 3),
        map: (row, { row: number }) => wrap({ ...row, number }),
        flatMap: row => wrap([row, { ...row, n: -(row.n as number) }]),
        columns: ['n', 'at_x', 'number', 'none'],
        rename: { at_x: 'x' },
        limit: 5,
      } as ConvertOptions)
      expect(made).toEqual([
        { n: 2, x: 2, number: 2, none: null },
        { n: -2, x: 2, number: 2, none: null },
        { n: 4, x: 4, number: 4, none: null },
        { n: -4, x: 4, number: 4, none: null },
        { n: 5, x: 5, number: 5, none: null },
      ])
      expect(balance(result)).toEqual([5, 3, 5, 3, 0, 0])
    }
  })

  it('keep the order of rows that are waited for, unless it does not matter', async () => {
    const many = Array.from({ length: 200 }, (_, n) => ({ n }))
    let underWay = 0
    let most = 0
    const slow: ConvertOptions['map'] = async row => {
      most = Math.max(most, ++underWay)
      for (let turns = (Number(row.n) * 7) % 11; turns > 0; turns--) await new Promise(setImmediate)
      underWay--
      return row
    }
    const ordered = await run(many, { map: slow, rowConcurrency: 8 })
    expect(ordered.made).toEqual(many)
    expect(most).toBe(8)
    most = 0
    const loose = await run(many, { map: slow, rowConcurrency: 8, ordered: false })
    expect(most).toBe(8)
    expect(loose.made).not.toEqual(many)
    expect(loose.made.sort((a, b) => Number(a.n) - Number(b.n))).toEqual(many)
    // One at once, mixed with some that are ready at once.
    const mixed = await run(many, {
      map: (row, info) => (Number(row.n) % 3 === 0 ? slow(row, info) : row),
      rowConcurrency: 1,
    })
    expect(mixed.made).toEqual(many)
  })

  it("flatten and unflatten are each other's mirror, and lose nothing", async () => {
    const { made } = await run([{ a: { b: { c: 1 }, d: [{ e: 1 }] }, f: {}, g: null }], { flatten: true })
    expect(made).toEqual([{ 'a.b.c': 1, 'a.d': [{ e: 1 }], f: {}, g: null }])
    const nested = await run(made, { unflatten: true })
    expect(nested.made).toEqual([{ a: { b: { c: 1 }, d: [{ e: 1 }] }, f: {}, g: null }])
    for (const [bad, options] of [
      [{ 'a.b': 1, a: { b: 2 } }, { flatten: true }],
      [{ a: 1, 'a.b': 2 }, { unflatten: true }],
      [{ 'a.b': 2, a: 1 }, { unflatten: true }],
    ] as const) {
      expect(await failure(run([bad], options))).toMatchObject({ code: 'ROW_NESTING' })
    }
    const key = fc.constantFrom('a', 'b', '__proto__', 'constructor', '0')
    const value = fc.letrec(tie => ({
      tree: fc.oneof(
        { maxDepth: 3 },
        fc.integer(),
        fc.constant(null),
        fc.array(fc.integer(), { maxLength: 2 }),
        tie('node'),
      ),
      node: fc.dictionary(key, tie('tree'), { maxKeys: 3, noNullPrototype: true }),
    }))
    await fc.assert(
      fc.asyncProperty(fc.array(value.node as fc.Arbitrary<object>, { minLength: 1, maxLength: 3 }), async trees => {
        const source = trees.map(tree => JSON.parse(JSON.stringify(tree)) as object)
        const flat = await run(source, { flatten: '/' })
        expect((await run(flat.made, { unflatten: '/' })).made).toEqual(source)
      }),
      { seed: 71, numRuns: 200 },
    )
  })

  it('fail a row by itself, as the error policy says', async () => {
    const map: ConvertOptions['map'] = row => {
      if (row.n === 2) throw new RangeError('no twos')
      return row.n === 4 ? (Promise.reject(new Error('no fours')) as never) : row
    }
    const error = await failure(run(rows, { map }))
    expect(error).toMatchObject({ code: 'STAGE_FAILED', record: 2, cause: expect.any(RangeError) })
    const skipped = await run(rows, { map, onError: 'skip' })
    expect(skipped.made.map(row => row.n)).toEqual([1, 3, 5])
    expect(balance(skipped.result)).toEqual([5, 0, 3, 0, 2, 0])
    const letters = new MemoryTarget('bad.jsonl')
    const put = await run(rows, { map, deadLetters: letters })
    expect(balance(put.result)).toEqual([5, 0, 3, 0, 0, 2])
    expect(
      letters
        .text()
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).raw),
    ).toEqual([JSON.stringify(rows[1]), JSON.stringify(rows[3])])
    for (const wrong of [{ map: () => 1 as never }, { flatMap: () => 7 as never }, { rename: { n: 'at' } }]) {
      expect(await failure(run(rows, wrong))).toMatchObject({ code: 'STAGE_FAILED', record: 1 })
    }
  })
})

describe('selection', () => {
  const text = 'n,s\n1,x\n2,y\n3,x\n4,x\n5,\n'
  const csv = { text, name: 'x.csv' }
  const select = async (options: ConvertOptions) => {
    const target = new MemoryTarget('out.jsonl')
    const result = await convert(csv, target, { read: { cast: true }, ...options })
    balance(result)
    return target.text().trim().split('\n').join(' ')
  }

  it('takes the rows that are meant, then passes over some, then takes some', async () => {
    expect(await select({ where: { s: 'x' } })).toBe('{"n":1,"s":"x"} {"n":3,"s":"x"} {"n":4,"s":"x"}')
    expect(await select({ where: { s: 'x' }, offset: 1, limit: 1 })).toBe('{"n":3,"s":"x"}')
    expect(await select({ where: { n: { gte: 4 } }, columns: ['s'] })).toBe('{"s":"x"} {"s":null}')
    expect(await select({ where: { any: [{ s: null }, { n: 1 }] }, columns: ['n'], rename: { n: 'N' } })).toBe(
      '{"N":1} {"N":5}',
    )
    expect(await select({ limit: 0 })).toBe('')
  })

  it('refuses what is no column, no comparison, and what the source cannot do', async () => {
    for (const options of [
      { columns: ['m'] },
      { rename: { m: 'x' } },
      { where: { m: 1 } },
      { where: { n: { gt: 'text' } } },
      { where: 'n > 1' },
      { orderBy: 'm' },
    ] satisfies ConvertOptions[]) {
      expect(await failure(select(options))).toMatchObject({ code: 'OPTION_INVALID' })
    }
    expect(await failure(select({ where: { n: { above: 1 } as never } }))).toMatchObject({ code: 'OPTION_UNKNOWN' })
  })
})

describe('errors', () => {
  it('of reading, steps and writing share one policy, one limit and one place for dead letters', async () => {
    const from = { text: '{"a":1}\nno\n{"a":2}\n{"a":3}\n{"a":4}\n', name: 'x.jsonl' }
    const options: ConvertOptions = {
      map: row => {
        if (row.a === 2) throw new Error('in a step')
        return row.a === 3 ? { a: () => 1 } : row
      },
    }
    const letters = new MemoryTarget('bad.jsonl')
    const target = new MemoryTarget('x.csv')
    const result = await convert(from, target, { ...options, deadLetters: letters })
    expect(balance(result)).toEqual([5, 0, 2, 0, 0, 3])
    expect(target.text()).toBe('a\n1\n4\n')
    const codes = letters
      .text()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).code)
      .sort()
    expect(codes).toEqual(['CSV_UNWRITABLE', 'JSON_INVALID', 'STAGE_FAILED'].sort())
    const skip = { ...options, onError: 'skip' as const }
    expect(balance(await convert(from, target, { ...skip, maxErrors: 3 }))).toEqual([5, 0, 2, 0, 3, 0])
    expect(await failure(convert(from, new MemoryTarget('y.csv'), { ...skip, maxErrors: 2 }))).toMatchObject({
      code: 'TOO_MANY_ERRORS',
    })
    expect(await failure(convert(from, target, { onError: 'quarantine' }))).toMatchObject({ code: 'OPTION_INVALID' })
  })

  it('leave the old output as it was, and nothing beside it', async () => {
    const home = await mkdtemp(join(folder, 'atomic-'))
    const to = join(home, 'out.csv')
    await writeFile(to, 'old\n')
    const bad = { text: `${'{"a":1}\n'.repeat(5000)}no\n`, name: 'x.jsonl' }
    expect(await failure(convert(bad, to))).toMatchObject({ code: 'JSON_INVALID', line: 5001 })
    const controller = new AbortController()
    const reason = new Error('enough')
    const map: ConvertOptions['map'] = (row, info) => {
      if (info.row === 3000) controller.abort(reason)
      return row
    }
    const good = { text: '{"a":1}\n'.repeat(9000), name: 'x.jsonl' }
    expect(await failure(convert(good, to, { map, signal: controller.signal }))).toBe(reason)
    const hanging = new AbortController()
    const never: ConvertOptions['map'] = () => {
      setImmediate(() => hanging.abort(reason))
      return new Promise(() => {})
    }
    expect(await failure(convert(good, to, { map: never, signal: hanging.signal }))).toBe(reason)
    expect(await failure(convert(good, to, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(await failure(convert(join(home, 'none.csv'), to))).toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    expect(await readdir(home)).toEqual(['out.csv'])
    expect(await readFile(to, 'utf8')).toBe('old\n')
  })

  it.each([
    [{ nonsense: 1 }, 'OPTION_UNKNOWN'],
    [{ limit: -1 }, 'OPTION_INVALID'],
    [{ columns: ['a', 'a'] }, 'OPTION_INVALID'],
    [{ read: { delimeter: ';' } }, 'OPTION_UNKNOWN'],
    [{ write: { format: 'none' } }, 'FORMAT_UNKNOWN'],
  ])('of options come first: %o', async (options, code) => {
    expect(
      await failure(convert(jsonl([{ a: 1 }]), new MemoryTarget('x.csv'), options as ConvertOptions)),
    ).toMatchObject({ code })
  })
})

describe('progress', () => {
  it('is told as it goes, not too often, and at the end', async () => {
    const from = join(folder, 'progress.jsonl')
    await writeFile(from, '{"a":1}\n'.repeat(100_000))
    const seen: ConvertProgress[] = []
    const options: ConvertOptions = {
      engine: 'rows',
      onProgress: progress => seen.push(progress),
      progressIntervalMs: 0,
    }
    await convert(from, join(folder, 'progress.csv'), options)
    expect(seen.length).toBeGreaterThan(3)
    expect(seen.every((one, i) => i === 0 || one.rowsOut >= seen[i - 1]!.rowsOut)).toBe(true)
    expect(seen.at(-1)).toMatchObject({
      rowsIn: 100_000,
      rowsOut: 100_000,
      bytesRead: 800_000,
      bytesTotal: 800_000,
      fraction: 1,
      remainingMs: 0,
    })
    seen.length = 0
    await convert(from, join(folder, 'progress.csv'), { ...options, progressIntervalMs: 1e9 })
    expect(seen).toHaveLength(1)
  })

  it('may be waited for, and what its callback throws ends the conversion', async () => {
    const from = { text: '{"a":1}\n'.repeat(50_000), name: 'x.jsonl' }
    let open = 0
    const slow = async () => {
      expect(++open).toBe(1)
      await new Promise(setImmediate)
      open--
    }
    await convert(from, new MemoryTarget('x.csv'), { onProgress: slow, progressIntervalMs: 0 })
    const error = new Error('the bar broke')
    const target = new MemoryTarget('y.csv')
    const broken = () => Promise.reject(error)
    expect(await failure(convert(from, target, { onProgress: broken, progressIntervalMs: 0 }))).toBe(error)
    expect(target.text()).toBe('')
  })
})

describe('planConversion', () => {
  it('says what will be done, and what cannot be kept', async () => {
    const from = jsonl([{ a: 1, b: { c: 1 }, d: [1] }])
    const plan = await planConversion(from, 'out.csv.gz', { engine: 'rows' })
    expect(plan).toMatchObject({
      engine: 'rows',
      from: { format: 'jsonl', codecs: [] },
      to: { label: 'out.csv.gz', format: 'csv', codecs: ['gzip'] },
      losses: ['column b: objects are written as JSON text', 'column d: arrays are written as JSON text'],
    })
    expect(plan.reasons.length).toBeGreaterThan(0)
    expect(plan.spools).toEqual([])
    expect((await planConversion(from, 'out.csv', { flatten: true, columns: ['a', 'b'] })).losses).toEqual([])
  })

  it('says what goes through a temp file', async () => {
    const spools = async (from: Parameters<typeof planConversion>[0], to: string | MemoryTarget, read = {}) =>
      (await planConversion(from, to, { read, engine: 'rows' })).spools.map(text => text.replace(/^\S+ /, ''))
    const stream = new ReadableStream<Uint8Array>()
    const twice = 'is copied to a temp file, as it is read twice: for the types, and for the rows'
    expect(await spools(stream, 'x.parquet', { format: 'csv' })).toEqual([twice])
    expect(await spools(stream, 'x.csv', { format: 'csv' })).toEqual([])
    const jumps = 'is copied to a temp file, as Parquet is not read from its start to its end'
    expect(await spools(stream, 'x.csv', { format: 'parquet' })).toEqual([jumps])
    const made = 'is made in a temp file first, as DuckDB writes files only'
    expect(await spools({ text: 'a\n1\n', name: 'x.csv' }, new MemoryTarget('y.parquet'))).toEqual([made])
  })
})
