import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  batchStage,
  DataError,
  dropStage,
  filterStage,
  flatMapStage,
  MemoryTarget,
  mapConcurrent,
  mapStage,
  openIterable,
  type PipelineOptions,
  type PipelineProgress,
  type PipelineResult,
  pipeline,
  type Row,
  takeStage,
  tapStage,
} from '../../src/index.ts'
import { sleep } from '../../src/resilience/clock.ts'
import { ManualClock, settled } from '../../src/testing/manual-clock.ts'

interface Item {
  readonly n: number
}
const items = (count: number): Item[] => Array.from({ length: count }, (_, n) => ({ n }))
const csv = (count: number) => ({
  text: `n\n${items(count)
    .map(row => `${row.n}\n`)
    .join('')}`,
  name: 'x.csv',
})
const read = (target: MemoryTarget | string) => openIterable(target).toArray()
const double = mapStage((row: Item) => ({ n: row.n * 2 }))
const even = filterStage((row: Item) => row.n % 2 === 0)
/** Throws on the rows whose number can be divided by this. */
const failEach = (divisor: number) =>
  mapStage((row: Item) => {
    if (row.n % divisor === 0) throw new Error(`cannot do ${row.n}`)
    return row
  })

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pipeline-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('pipeline', () => {
  it('moves rows through stages, and says what it did', async () => {
    const target = new MemoryTarget('y.jsonl')
    const result = await pipeline(items(1000), even, double, target)
    expect(await read(target)).toEqual(items(500).map(row => ({ n: row.n * 4 })))
    expect(result).toMatchObject({
      rowsIn: 1000,
      rowsOut: 500,
      rowsLeftOut: 500,
      rowsSkipped: 0,
      rowsFailed: 0,
      state: undefined,
      stages: [
        { name: 'filter', rowsIn: 1000, rowsOut: 500, rowsFailed: 0 },
        { name: 'map', rowsIn: 500, rowsOut: 500, rowsFailed: 0 },
      ],
    })
    expect(result.bytesWritten).toBeGreaterThan(5000)
    expect(result).not.toHaveProperty('error')
  })

  it.each<[string, () => Promise<PipelineResult>]>([
    ['a target', () => pipeline(csv(10), collect)],
    ['a reader', () => pipeline(openIterable(csv(10)), collect)],
    ['an open reader', async () => pipeline(await openIterable(csv(10)), collect)],
    ['a chain', () => pipeline(openIterable(csv(20)).take(10), collect)],
    ['an array', () => pipeline(items(10), collect)],
    ['a set', () => pipeline(new Set(items(10)), collect)],
    [
      'an async iterable',
      () =>
        pipeline(
          (async function* () {
            yield* items(10)
          })(),
          collect,
        ),
    ],
    [
      'rows of a service',
      () =>
        pipeline(
          mapConcurrent(items(10), async row => ({ ...row })),
          collect,
        ),
    ],
  ])('takes %s', async (_name, run) => {
    rows = []
    const result = await run()
    expect(rows.map(row => Number((row as Item).n))).toEqual(items(10).map(row => row.n))
    expect(result).toMatchObject({ rowsOut: 10, rowsFailed: 0 })
  })
  let rows: unknown[] = []
  const collect = (batch: unknown[]) => void rows.push(...batch)

  it('has stages of all kinds, which can be used again', async () => {
    const seen: number[] = []
    const stages = [
      dropStage<Item>(1),
      takeStage<Item>(6),
      tapStage((row: Item) => void seen.push(row.n)),
      flatMapStage((row: Item) => [row.n, -row.n]),
      batchStage<number>(5),
    ] as const
    for (let i = 0; i < 2; i++) {
      const got: number[][] = []
      const result = await pipeline(items(10), ...stages, batches => void got.push(...batches))
      expect(got).toEqual([
        [1, -1, 2, -2, 3],
        [-3, 4, -4, 5, -5],
        [6, -6],
      ])
      expect(result.stages.map(stage => [stage.name, stage.rowsIn, stage.rowsOut])).toEqual([
        ['drop', 7, 6],
        ['take', 6, 6],
        ['tap', 6, 6],
        ['flatMap', 6, 12],
        ['batch', 12, 3],
      ])
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6])
  })

  it('keeps the order of the columns where rows stay as they are', async () => {
    const target = new MemoryTarget('y.csv')
    await pipeline(
      { text: 'b,10,2\nx,y,z\n', name: 'x.csv' },
      filterStage(() => true),
      target,
    )
    expect(target.text()).toBe('b,10,2\nx,y,z\n')
  })

  it('counts what source, stages and destination left out', async () => {
    const target = new MemoryTarget('y.csv')
    const text = 'n,m\n0,0\n1\n2,2\n3,3\n4,4\n'
    const extra = mapStage((row: Item) => (Number(row.n) === 4 ? { ...row, x: 1 } : row))
    const result = await pipeline({ text, name: 'x.csv' }, failEach(3), extra, target, {
      onError: 'skip',
      read: { onError: 'skip' },
      write: { onError: 'skip', columns: ['n', 'm'] },
    })
    expect(target.text()).toBe('n,m\n2,2\n')
    // One record is ragged; 0 and 3 fail in a stage; 4 has a column that the output does not.
    expect(result).toMatchObject({ rowsIn: 5, rowsOut: 1, rowsLeftOut: 0, rowsSkipped: 4, rowsFailed: 0 })
    expect(result.stages[0]).toEqual({ name: 'map', rowsIn: 4, rowsOut: 2, rowsFailed: 2 })
  })

  describe('whose stage fails on a row', () => {
    const options = { write: { format: 'jsonl' } } satisfies PipelineOptions

    it('raises that by default, with the place, and publishes nothing', async () => {
      const path = join(folder, 'raise.jsonl')
      const error = await pipeline(items(100).slice(1), even, failEach(8), path).catch(error => error)
      expect(error).toBeInstanceOf(DataError)
      expect(error).toMatchObject({ code: 'STAGE_FAILED', record: 4 })
      expect(error.message).toContain('stage 2 (map) failed on its row 4: cannot do 8')
      expect(error.cause.message).toBe('cannot do 8')
      expect(readdirSync(folder)).not.toContain('raise.jsonl')
    })

    it.each([1, 4])('skips and counts it with `skip`, concurrency %i', async concurrency => {
      const target = new MemoryTarget('y.jsonl')
      const failing = mapStage(
        async (row: Item) => {
          await settled()
          if (row.n % 10 === 0) throw new Error('no')
          return row
        },
        { concurrency },
      )
      const result = await pipeline(items(50), failing, target, { onError: 'skip', ...options })
      expect(await read(target)).toEqual(items(50).filter(row => row.n % 10 !== 0))
      expect(result).toMatchObject({ rowsIn: 50, rowsOut: 45, rowsSkipped: 5, rowsFailed: 0 })
    })

    it('writes it to the dead letters, however many there are', async () => {
      const letters = new MemoryTarget('bad.jsonl')
      const target = new MemoryTarget('y.jsonl')
      const result = await pipeline(items(1000), failEach(1), target, { deadLetters: letters })
      expect(result).toMatchObject({ rowsIn: 1000, rowsOut: 0, rowsSkipped: 0, rowsFailed: 1000 })
      const written = await read(letters)
      expect(written).toHaveLength(1000)
      expect(written[7]).toMatchObject({ code: 'STAGE_FAILED', record: 8, raw: '{"n":7}' })
      expect(await read(target)).toEqual([])
    })

    it('asks a function', async () => {
      const asked: unknown[] = []
      const result = await pipeline(items(6), failEach(2), new MemoryTarget('y.jsonl'), {
        onError: (error, record) => {
          asked.push([error.code, record.row])
          return 'skip'
        },
      })
      expect(asked).toEqual([0, 2, 4].map(n => ['STAGE_FAILED', { n }]))
      expect(result.rowsSkipped).toBe(3)
    })

    it('gives up after `maxErrors`', async () => {
      const run = pipeline(items(100), failEach(2), new MemoryTarget('y.jsonl'), { onError: 'skip', maxErrors: 3 })
      await expect(run).rejects.toMatchObject({ code: 'TOO_MANY_ERRORS', cause: { code: 'STAGE_FAILED' } })
    })

    it('counts a failure inside what flatMap gives', async () => {
      const half = flatMapStage(function* (row: Item) {
        yield row
        if (row.n === 1) throw new Error('half')
        yield row
      })
      const got: number[] = []
      const result = await pipeline(items(3), half, rows => void got.push(...rows.map(row => row.n)), {
        onError: 'skip',
      })
      expect(got).toEqual([0, 0, 1, 2, 2])
      expect(result).toMatchObject({ rowsSkipped: 1, stages: [{ rowsIn: 3, rowsOut: 5, rowsFailed: 1 }] })
    })
  })

  it('never writes a batch twice that could not be written', async () => {
    const calls: number[] = []
    const boom = new Error('disk')
    const run = pipeline(items(1000), rows => {
      calls.push(rows.length)
      if (calls.length === 2) throw boom
    })
    await expect(run).rejects.toBe(boom)
    expect(calls).toEqual([256, 256])
  })

  it('fails with the destination, and lets go of the source', async () => {
    const reader = openIterable(csv(1000))
    const run = pipeline(
      reader,
      mapStage(() => 1 as unknown as Item),
      new MemoryTarget('y.csv'),
    )
    await expect(run).rejects.toMatchObject({ code: 'ROW_INVALID' })
    expect(reader.closed).toBe(true)
  })

  it('fails with its source before it touches the destination', async () => {
    const path = join(folder, 'untouched.csv')
    await expect(pipeline(join(folder, 'none.csv'), even, path)).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    expect(readdirSync(folder)).not.toContain('untouched.csv')
  })

  describe('atomic', () => {
    async function* breaking() {
      yield* items(10)
      throw new Error('broke')
    }
    it('publishes nothing by default', async () => {
      const path = join(folder, 'atomic.jsonl')
      await expect(pipeline(breaking(), path)).rejects.toThrow('broke')
      expect(readdirSync(folder).filter(name => name.includes('atomic'))).toEqual([])
    })
    it('publishes what came before the failure where that is asked for, and fails', async () => {
      const path = join(folder, 'parts.jsonl')
      let ended: PipelineResult<unknown> | undefined
      const run = pipeline(breaking(), even, path, { atomic: false, onEnd: result => void (ended = result) })
      await expect(run).rejects.toThrow('broke')
      expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(5)
      expect(ended).toMatchObject({ rowsIn: 10, rowsOut: 5, rowsLeftOut: 5, error: expect.any(Error) })
    })
  })

  describe('into a writer', () => {
    it('closes it', async () => {
      const target = new MemoryTarget('y.jsonl')
      const writer = openIterable<Item>(target, { mode: 'w' })
      await pipeline(items(3), writer)
      expect(writer.closed).toBe(true)
      expect(await read(target)).toEqual(items(3))
    })
    it('leaves it open with `end: false`, also where a stage fails, and counts only its own rows', async () => {
      const target = new MemoryTarget('y.jsonl')
      const writer = openIterable<Item>(target, { mode: 'w' })
      const first = await pipeline(items(3), writer, { end: false })
      const failing = pipeline(items(10).slice(1), failEach(3), writer, { end: false })
      await expect(failing).rejects.toMatchObject({ code: 'STAGE_FAILED' })
      const last = await pipeline(items(2), writer)
      expect([first.rowsOut, last.rowsOut]).toEqual([3, 2])
      expect((await read(target)).map(row => row.n)).toEqual([0, 1, 2, 1, 2, 0, 1])
    })
    it('aborts it by a failure', async () => {
      const target = new MemoryTarget('y.jsonl')
      const writer = openIterable<Item>(target, { mode: 'w' })
      await expect(pipeline(items(3), failEach(2), writer)).rejects.toMatchObject({ code: 'STAGE_FAILED' })
      expect(writer.closed).toBe(true)
      await expect(writer.close()).rejects.toMatchObject({ code: 'WRITER_FAILED', cause: { code: 'STAGE_FAILED' } })
    })
  })

  it('has a state, made anew for each run, that everything shares', async () => {
    const running = mapStage((row: Item, _index: number, { state }: { state: { sum: number } }) => {
      state.sum += row.n
      return { ...row, sum: state.sum }
    })
    const sums: number[] = []
    const run = () =>
      pipeline(items(5), running, new MemoryTarget('y.jsonl'), {
        state: () => ({ sum: 0 }),
        triggers: [{ everyRows: 2, call: (_progress, state) => void sums.push(state.sum) }],
        onEnd: ({ state }) => void sums.push(state.sum),
      })
    expect((await run()).state).toEqual({ sum: 10 })
    expect((await run()).state).toEqual({ sum: 10 })
    expect(sums.filter(sum => sum === 10)).toHaveLength(2)
    const given = { sum: 5 }
    await pipeline(items(2), running, new MemoryTarget('y.jsonl'), { state: given })
    expect(given).toEqual({ sum: 6 })
  })

  it('pulls its triggers when exactly so many rows are written', async () => {
    let written = 0
    const pulled: unknown[] = []
    const result = await pipeline(csv(1000), async rows => void (written += rows.length), {
      triggers: [
        { everyRows: 300, call: ({ rowsOut }) => void pulled.push([300, rowsOut, written]) },
        { everyRows: 450, call: async ({ rowsOut }) => void pulled.push([450, rowsOut, written]) },
      ],
    })
    expect(pulled).toEqual([
      [300, 300, 300],
      [450, 450, 450],
      [300, 600, 600],
      [300, 900, 900],
      [450, 900, 900],
    ])
    expect(result.rowsOut).toBe(1000)
  })

  it('fails with a trigger', async () => {
    const call = () => {
      throw new Error('pulled')
    }
    const target = new MemoryTarget('y.jsonl')
    await expect(pipeline(items(10), target, { triggers: [{ everyRows: 5, call }] })).rejects.toThrow('pulled')
  })

  it('tells its progress no more often than it is asked to, and at the end', async () => {
    const clock = new ManualClock()
    const told: PipelineProgress[] = []
    const slow = mapStage((row: Item) => sleep(10, { clock }).then(() => row))
    const running = pipeline(csv(100), slow, new MemoryTarget('y.csv'), {
      clock,
      progressIntervalMs: 300,
      onProgress: async progress => void told.push(progress),
    })
    await clock.advance(2000)
    await running
    expect(told.map(({ elapsedMs, rowsOut }) => [elapsedMs, rowsOut])).toEqual([
      [300, 30],
      [600, 60],
      [900, 90],
      [1000, 100],
    ])
    expect(told[3]).toMatchObject({ rowsIn: 100, rowsPerSecond: 100, bytesRead: csv(100).text.length })
    expect(told[3]!.bytesTotal).toBe(csv(100).text.length)
  })

  it.each<[string, unknown, object]>([
    ['a success', undefined, {}],
    ['a failure', new Error('boom'), { error: { code: 'STAGE_FAILED' } }],
  ])('calls onEnd once after %s', async (_name, boom, expected) => {
    const ends: PipelineResult[] = []
    const stage = tapStage(() => {
      if (boom !== undefined) throw boom
    })
    const onEnd = async (result: PipelineResult) => {
      await settled()
      ends.push(result)
    }
    await pipeline(items(3), stage, new MemoryTarget('y.jsonl'), { onEnd }).catch(() => {})
    expect(ends).toHaveLength(1)
    expect(ends[0]).toMatchObject(expected)
  })

  it('fails with onEnd, but not in place of an earlier failure', async () => {
    const onEnd = () => Promise.reject(new Error('end'))
    await expect(pipeline(items(3), () => {}, { onEnd })).rejects.toThrow('end')
    await expect(pipeline(items(3), failEach(1), () => {}, { onEnd })).rejects.toMatchObject({ code: 'STAGE_FAILED' })
  })

  it.each<[string, (clock: ManualClock) => (row: Row) => unknown]>([
    ['a stage is waited for', clock => row => sleep(1000, { clock }).then(() => row)],
    ['the destination is waited for', () => row => row],
  ])('rejects with the reason of its signal while %s', async (_name, stage) => {
    const clock = new ManualClock()
    const controller = new AbortController()
    const reader = openIterable(csv(100))
    const run = expect(
      pipeline(reader, mapStage(stage(clock)), () => sleep(1000, { clock }), { signal: controller.signal }),
    ).rejects.toBe('stop')
    await clock.advance(500)
    controller.abort('stop')
    await run
    expect(reader.closed).toBe(true)
    await expect(pipeline(items(1), () => {}, { signal: controller.signal })).rejects.toBe('stop')
  })

  it('publishes nothing when it is aborted', async () => {
    const controller = new AbortController()
    const path = join(folder, 'aborted.jsonl')
    const stop = tapStage((row: Item) => {
      if (row.n === 500) controller.abort('stop')
    })
    await expect(pipeline(items(1000), stop, path, { signal: controller.signal })).rejects.toBe('stop')
    expect(readdirSync(folder).filter(name => name.includes('aborted'))).toEqual([])
  })

  it.each<[string, unknown[]]>([
    ['no destination', [even]],
    ['a stage behind the destination', [() => {}, even]],
    ['too much', [() => {}, {}, {}]],
    ['an unknown option', [() => {}, { onErrors: 'skip' }]],
    ['a trigger that never comes', [() => {}, { triggers: [{ everyRows: 0, call: () => {} }] }]],
    ['quarantine without a target', [() => {}, { onError: 'quarantine' }]],
  ])('refuses %s', async (_name, rest) => {
    const call = pipeline as (...given: unknown[]) => Promise<unknown>
    await expect(call(items(1), ...rest)).rejects.toMatchObject({ code: expect.stringMatching(/^OPTION_/) })
  })
})

describe('mapConcurrent', () => {
  it('takes anything iterable, keeps order, and bounds what is under way', async () => {
    const clock = new ManualClock()
    let busy = 0
    let most = 0
    const call = async (n: number) => {
      most = Math.max(most, ++busy)
      await sleep(10 - (n % 7), { clock })
      busy--
      return n * 2
    }
    const numbers = new Set(Array.from({ length: 1000 }, (_, i) => i))
    const rows = mapConcurrent(numbers, call).toArray()
    await clock.advance(10_000)
    expect(await rows).toEqual([...numbers].map(n => n * 2))
    expect(most).toBe(8)
  })

  it('ends the iterable that it is given when it is left', async () => {
    let returned = 0
    function* endless() {
      try {
        for (let n = 0; ; n++) yield n
      } finally {
        returned++
      }
    }
    for await (const n of mapConcurrent(endless(), async n => n, { concurrency: 3 })) if (n === 5) break
    expect(returned).toBe(1)
  })

  it('gives others their turn while all its rows are at hand', async () => {
    let turns = 0
    let over = false
    const take = () => {
      turns++
      if (!over) setImmediate(take)
    }
    setImmediate(take)
    const started = performance.now()
    const busy = (n: number) => {
      while (performance.now() - started < n) {}
      return n
    }
    await mapConcurrent(
      Array.from({ length: 3000 }, (_, i) => i / 50),
      busy,
    ).toArray()
    over = true
    expect(turns).toBeGreaterThan(1)
  })
})
