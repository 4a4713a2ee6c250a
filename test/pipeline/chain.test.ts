import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryTarget, openIterable, type Row } from '../../src/index.ts'
import type { RowChain } from '../../src/pipeline/chain.ts'
import { sleep } from '../../src/resilience/clock.ts'
import { ManualClock, settled } from '../../src/testing/manual-clock.ts'

interface Item {
  readonly n: number
}
const items = (count: number): Item[] => Array.from({ length: count }, (_, n) => ({ n }))
const numbers = (rows: readonly Item[]) => rows.map(row => row.n)
const csv = (count: number) => ({
  text: `n\n${items(count)
    .map(row => `${row.n}\n`)
    .join('')}`,
  name: 'x.csv',
})

/** An async source that says how often it was released, and how many rows it gave. */
function source(count: number, options: { failsAt?: number } = {}) {
  const seen = { given: 0, released: 0 }
  async function* generate() {
    try {
      for (let n = 0; n < count; n++) {
        if (n === options.failsAt) throw new Error('source')
        seen.given++
        yield { n }
      }
    } finally {
      seen.released++
    }
  }
  return { seen, reader: openIterable(generate()) }
}

describe('a chain', () => {
  it('does what its methods say', async () => {
    const rows = await openIterable(items(20))
      .filter(row => row.n % 2 === 0)
      .map((row, index) => ({ n: row.n * 10, index }))
      .drop(2)
      .take(4)
      .toArray()
    expect(rows).toEqual([
      { n: 40, index: 2 },
      { n: 60, index: 3 },
      { n: 80, index: 4 },
      { n: 100, index: 5 },
    ])
  })

  it.each<[string, (rows: RowChain<Item>) => Promise<unknown>, unknown]>([
    ['map', rows => rows.map(row => row.n + 1).toArray(), [1, 2, 3, 4, 5]],
    ['map, async', rows => rows.map(async row => row.n + 1).toArray(), [1, 2, 3, 4, 5]],
    ['filter', rows => rows.filter(row => row.n > 2).toArray(), [{ n: 3 }, { n: 4 }]],
    ['filter, async', rows => rows.filter(async row => row.n > 2).toArray(), [{ n: 3 }, { n: 4 }]],
    ['flatMap', rows => rows.flatMap(({ n }) => Array(n).fill(n)).toArray(), [1, 2, 2, 3, 3, 3, 4, 4, 4, 4]],
    [
      'flatMap, async',
      rows =>
        rows
          .flatMap(async ({ n }) => new Set([n, -n]))
          .take(3)
          .toArray(),
      [0, 1, -1],
    ],
    [
      'flatMap of async iterables',
      rows =>
        rows
          .flatMap(async function* ({ n }) {
            yield n
            await settled()
            yield n
          })
          .take(4)
          .toArray(),
      [0, 0, 1, 1],
    ],
    ['take', rows => rows.take(2).toArray(), [{ n: 0 }, { n: 1 }]],
    ['take nothing', rows => rows.take(0).toArray(), []],
    [
      'take more than there is',
      rows =>
        rows
          .take(Number.POSITIVE_INFINITY)
          .map(row => row.n)
          .toArray(),
      [0, 1, 2, 3, 4],
    ],
    ['drop', rows => rows.drop(3).toArray(), [{ n: 3 }, { n: 4 }]],
    ['drop everything', rows => rows.drop(9).toArray(), []],
    [
      'batch',
      rows =>
        rows
          .map(row => row.n)
          .batch(2)
          .toArray(),
      [[0, 1], [2, 3], [4]],
    ],
    ['reduce', rows => rows.reduce((sum, row) => sum + row.n, 100), 110],
    ['reduce, async', rows => rows.reduce<number>(async (sum, row) => sum + row.n, 100), 110],
    ['reduce without an initial value', rows => rows.map(row => row.n).reduce((sum, n, i) => sum * 10 + n * i), 1506],
    ['find', rows => rows.find(row => row.n > 1), { n: 2 }],
    ['find, in vain', rows => rows.find(row => row.n > 9), undefined],
    ['find, async', rows => rows.find(async row => row.n > 1), { n: 2 }],
    ['some', rows => rows.some(row => row.n === 4), true],
    ['some, in vain', rows => rows.some(async row => row.n === 9), false],
    ['every', rows => rows.every(row => row.n < 5), true],
    ['every, not', rows => rows.every(async row => row.n < 4), false],
    ['a falsy value', rows => rows.map(() => undefined).toArray(), Array(5).fill(undefined)],
  ])('has %s', async (_name, use, expected) => {
    // `tap` makes a chain of the reader; all methods are those of the reader, too.
    expect(await use(openIterable(items(5)).tap(() => {}))).toEqual(expected)
    expect(await use(openIterable<Item>(items(5)) as unknown as RowChain<Item>)).toEqual(expected)
    expect(await use((await openIterable<Item>(items(5))) as unknown as RowChain<Item>)).toEqual(expected)
  })

  it('has forEach and tap, sync and async', async () => {
    const seen: number[] = []
    await openIterable(items(3)).forEach(row => void seen.push(row.n))
    await openIterable(items(3)).forEach(async (row, index) => void seen.push(row.n + index * 10))
    await openIterable(items(2))
      .tap(async row => void seen.push(row.n))
      .forEach(() => {})
    expect(seen).toEqual([0, 1, 2, 0, 11, 22, 0, 1])
  })

  it('gives what the methods of arrays give', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('map' as const), n: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant('filter' as const), n: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant('flatMap' as const), n: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ kind: fc.constant('take' as const), n: fc.integer({ min: 0, max: 600 }) }),
      fc.record({ kind: fc.constant('drop' as const), n: fc.integer({ min: 0, max: 300 }) }),
      fc.record({ kind: fc.constant('batch' as const), n: fc.integer({ min: 1, max: 7 }) }),
    )
    const options = fc.record({ concurrency: fc.integer({ min: 1, max: 4 }), asynchronous: fc.boolean() })
    const mapped = (row: Item, n: number) => ({ n: (row.n * n) % 1000 })
    const repeated = (row: Item, n: number) => Array.from({ length: (row.n + n) % 3 }, (_, i) => ({ n: row.n + i }))
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 700 }),
        fc.array(fc.tuple(step, options), { maxLength: 4 }),
        async (count, steps) => {
          let expected = items(count)
          let chain = openIterable(items(count)).tap(() => {})
          for (const [{ kind, n }, { concurrency, asynchronous }] of steps) {
            const given = <T>(value: T): T => (asynchronous ? Promise.resolve(value) : value) as T
            if (kind === 'map') {
              expected = expected.map(row => mapped(row, n))
              chain = chain.map(row => given(mapped(row, n)), { concurrency })
            } else if (kind === 'filter') {
              expected = expected.filter(row => row.n % n === 0)
              chain = chain.filter(row => given(row.n % n === 0), { concurrency })
            } else if (kind === 'flatMap') {
              expected = expected.flatMap(row => repeated(row, n))
              chain = chain.flatMap(row => given(repeated(row, n)), { concurrency })
            } else if (kind === 'take') {
              expected = expected.slice(0, n)
              chain = chain.take(n)
            } else if (kind === 'drop') {
              expected = expected.slice(n)
              chain = chain.drop(n)
            } else {
              chain = chain.batch(n).flatMap(batch => new Set(batch))
            }
          }
          expect(await chain.toArray()).toEqual(expected)
        },
      ),
      { seed: 7, numRuns: 150 },
    )
  })

  it('does nothing before its first row is asked for', async () => {
    const { reader, seen } = source(3)
    const chain = reader.map(() => expect.unreachable()).take(0)
    await settled()
    expect(seen).toEqual({ given: 0, released: 0 })
    await chain.toArray()
    expect(reader.closed).toBe(true)
  })

  it('calls functions, and takes rows, only as far as they are asked for', async () => {
    const seen: number[] = []
    const reader = openIterable(csv(1000))
    for await (const row of reader.tap(row => void seen.push(Number(row.n))).take(3)) expect(row).toBeDefined()
    expect(seen).toEqual([0, 1, 2])
    expect(reader.rowsRead).toBe(3)
    expect(reader.closed).toBe(true)
  })

  it('counts on its reader what was taken from it', async () => {
    const reader = openIterable(csv(1000))
    expect(await reader.filter(row => Number(row.n) < 10).toArray()).toHaveLength(10)
    expect(reader.rowsRead).toBe(1000)
  })

  it.each<[string, (chain: RowChain<Item>) => Promise<unknown>, number]>([
    ['the end of the rows', chain => chain.toArray(), 10],
    [
      'break',
      async chain => {
        for await (const row of chain) if (row.n === 4) break
      },
      5,
    ],
    [
      'a throw in the loop',
      async chain => {
        const loop = async () => {
          for await (const row of chain) if (row.n === 4) throw new Error('mine')
        }
        await expect(loop()).rejects.toThrow('mine')
      },
      5,
    ],
    [
      'a throw in a stage',
      chain => {
        const boom = new Error('boom')
        const fail = (row: Item) => {
          if (row.n === 4) throw boom
        }
        return expect(chain.tap(fail).toArray()).rejects.toBe(boom)
      },
      5,
    ],
    [
      'a rejection in a stage',
      chain => {
        const boom = new Error('boom')
        return expect(chain.map(row => (row.n === 4 ? Promise.reject(boom) : 1)).toArray()).rejects.toBe(boom)
      },
      5,
    ],
    ['take', chain => chain.take(5).toArray(), 5],
    ['find', chain => chain.find(row => row.n === 4), 5],
    ['some', chain => chain.some(row => row.n === 4), 5],
    ['every', chain => chain.every(row => row.n < 4), 5],
    [
      'a throw in reduce',
      chain => {
        const fail = (sum: number, row: Item) => {
          if (row.n === 4) throw new Error('boom')
          return sum
        }
        return expect(chain.reduce(fail, 0)).rejects.toThrow('boom')
      },
      5,
    ],
    [
      'an abort',
      chain => {
        const controller = new AbortController()
        const stop = (row: Item) => {
          if (row.n === 4) controller.abort('stop')
        }
        return expect(chain.tap(stop).toArray({ signal: controller.signal })).rejects.toBe('stop')
      },
      5,
    ],
  ])('releases the source once, by %s', async (_name, use, given) => {
    const { reader, seen } = source(10)
    await use(reader.map(row => row))
    expect(seen).toEqual({ given, released: 1 })
    expect(reader.closed).toBe(true)
    await reader.close()
    expect(seen.released).toBe(1)
  })

  it('gives the rows before a failure of its source, and then the failure, again and again', async () => {
    const { reader } = source(10, { failsAt: 3 })
    const rows = reader.map(row => row.n)[Symbol.asyncIterator]()
    for (const n of [0, 1, 2]) expect(await rows.next()).toEqual({ value: n, done: false })
    await expect(rows.next()).rejects.toThrow('source')
    await expect(rows.next()).rejects.toThrow('source')
  })

  it.each([1, 3])('gives the rows before a failure in batches and with concurrency %i', async concurrency => {
    const { reader } = source(10, { failsAt: 5 })
    const seen: number[][] = []
    const read = reader
      .map(async row => row.n, { concurrency })
      .batch(3)
      .forEach(batch => void seen.push(batch))
    await expect(read).rejects.toThrow('source')
    expect(seen).toEqual([
      [0, 1, 2],
      [3, 4],
    ])
  })

  it('answers calls in the order they were made', async () => {
    const clock = new ManualClock()
    const rows = openIterable(items(4))
      .map(row => sleep(10 - row.n, { clock }).then(() => row.n))
      [Symbol.asyncIterator]()
    const order: unknown[] = []
    const calls = Array.from({ length: 6 }, (_, call) => rows.next().then(step => order.push([call, step.value])))
    await clock.advance(100)
    await Promise.all(calls)
    expect(order).toEqual([0, 1, 2, 3, undefined, undefined].map((value, call) => [call, value]))
  })

  it('ends quietly what waits when it is left', async () => {
    const rows = openIterable(items(4))
      .map(() => new Promise<number>(() => {}))
      [Symbol.asyncIterator]()
    const waiting = rows.next()
    await settled()
    expect(await rows.return!()).toEqual({ value: undefined, done: true })
    expect(await waiting).toEqual({ value: undefined, done: true })
    expect(await rows.next()).toEqual({ value: undefined, done: true })
  })

  it('can be left before it began', async () => {
    const { reader, seen } = source(3)
    const rows = reader.map(row => row)[Symbol.asyncIterator]()
    await rows.return!()
    expect(reader.closed).toBe(true)
    expect(seen.given).toBe(0)
    await expect(rows.throw!(new Error('mine'))).rejects.toThrow('mine')
  })

  it('cannot share its reader with another loop', async () => {
    const reader = openIterable(items(3))
    const first = reader.map(row => row.n)
    const rows = first[Symbol.asyncIterator]()
    expect(() => first[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'HANDLE_BUSY' }))
    await rows.return!()
    await expect(first.toArray()).rejects.toMatchObject({ code: 'HANDLE_CLOSED' })
    const other = openIterable(items(3))
    await other.toArray()
    await expect(other.toArray()).rejects.toMatchObject({ code: 'HANDLE_CONSUMED' })
    await other.reset()
    expect(await other.map(row => row.n).toArray()).toEqual([0, 1, 2])
  })

  it('tells errors of opening', async () => {
    await expect(
      openIterable('/nowhere/x.csv')
        .map(row => row)
        .toArray(),
    ).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    })
  })

  it.each([
    ['early', () => AbortSignal.abort('stop')],
    ['late', (controller: AbortController) => controller.signal],
  ])('rejects with the reason of a signal of a stage, %s', async (_name, signalOf) => {
    const controller = new AbortController()
    const { reader, seen } = source(10)
    let inner: AbortSignal | undefined
    const read = expect(
      reader
        .map(
          (_row, _index, { signal }) => {
            inner = signal
            return new Promise(() => {})
          },
          { signal: signalOf(controller) },
        )
        .toArray(),
    ).rejects.toBe('stop')
    await settled()
    controller.abort('stop')
    await read
    if (inner !== undefined) expect(inner.reason).toBe('stop')
    expect(reader.closed).toBe(true)
    expect(seen.released).toBe(seen.given > 0 ? 1 : 0)
  })

  it('ends with its reader', async () => {
    const reader = openIterable(csv(10))
    const rows = reader.map(row => row.n)[Symbol.asyncIterator]()
    await rows.next()
    await reader.abort('no more')
    await expect(rows.next()).rejects.toBe('no more')
  })

  it('gives arrays of rows to a writer, and in batches', async () => {
    const target = new MemoryTarget('y.csv')
    const writer = openIterable(target, { mode: 'w' })
    expect(await writer.writeBulk(openIterable(csv(1000)).map(row => ({ twice: Number(row.n) * 2 })))).toBe(1000)
    await writer.close()
    expect(await openIterable(target).every((row, index) => Number(row.twice) === index * 2)).toBe(true)

    const sizes: number[] = []
    for await (const batch of openIterable(csv(1000)).drop(1).batches(300)) sizes.push(batch.length)
    expect(sizes).toEqual([300, 300, 300, 99])
    let rows = 0
    for await (const batch of openIterable(csv(1000)).drop(1).batches()) rows += batch.length
    expect(rows).toBe(999)
  })

  it('keeps the order of the columns where rows stay as they are', async () => {
    const copy = async (rows: (chain: RowChain<Row>) => RowChain<Row>) => {
      const target = new MemoryTarget('y.csv')
      const writer = openIterable(target, { mode: 'w' })
      await writer.writeBulk(rows(openIterable({ text: 'b,10,2\nx,y,z\n', name: 'x.csv' }).drop(0)))
      await writer.close()
      return target.text()
    }
    expect(await copy(chain => chain.filter(row => row.b === 'x').tap(() => {}))).toBe('b,10,2\nx,y,z\n')
    expect(await copy(chain => chain.map(row => ({ a: 1, ...row })))).toBe('2,10,a,b\nz,y,1,x\n')
  })

  it('awaits what has `then`, but for plain objects, which are rows', async () => {
    class Later {
      // biome-ignore lint/suspicious/noThenProperty: being awaitable is the point
      then(resolve: (value: string) => void) {
        resolve('later')
      }
    }
    // biome-ignore lint/suspicious/noThenProperty: a column may be called so
    const row = { then: () => expect.unreachable() }
    for (const concurrency of [1, 2]) {
      const given = (item: Item) => (item.n === 0 ? (new Later() as unknown as PromiseLike<unknown>) : row)
      const rows = openIterable(items(2)).map(given, { concurrency })[Symbol.asyncIterator]()
      expect(await rows.next()).toEqual({ value: 'later', done: false })
      expect((await rows.next()).value).toBe(row)
    }
  })

  it('can be opened itself', async () => {
    const evens = openIterable(items(10)).filter(row => row.n % 2 === 0)
    const reader = openIterable(evens)
    expect(numbers(await reader.readBulk())).toEqual([0, 2, 4, 6, 8])
  })

  it('refuses wrong arguments at once', () => {
    const reader = openIterable(items(1))
    const invalid = expect.objectContaining({ code: 'OPTION_INVALID' })
    expect(() => reader.map('x' as never)).toThrow(invalid)
    expect(() => reader.take(-1)).toThrow(invalid)
    expect(() => reader.drop(1.5)).toThrow(invalid)
    expect(() => reader.batch(0)).toThrow(invalid)
    expect(() => reader.map(row => row, { concurrency: 0 })).toThrow(invalid)
  })

  it('gives others their turn, also where all rows are in memory', async () => {
    let turns = 0
    let over = false
    const take = () => {
      turns++
      if (!over) setImmediate(take)
    }
    setImmediate(take)
    const started = performance.now()
    const busy = (row: Item) => {
      while (performance.now() - started < row.n / 50) {}
    }
    await openIterable(items(3000)).forEach(busy)
    over = true
    expect(turns).toBeGreaterThan(1)
  })

  it('leaves no listener on a signal that outlives it', async () => {
    const { signal } = new AbortController()
    await openIterable(items(5))
      .map(row => row.n, { signal })
      .toArray({ signal })
    for await (const row of openIterable(items(5)).tap(async () => {}, { signal, concurrency: 2 })) if (row) break
    const fail = () => Promise.reject(new Error('x'))
    await expect(openIterable(items(5)).map(fail, { signal }).toArray()).rejects.toThrow('x')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('has no sum of no rows', async () => {
    await expect(openIterable(items(0)).reduce((a, b) => ({ n: a.n + b.n }))).rejects.toThrow(TypeError)
    expect(await openIterable(items(0)).reduce((sum: number) => sum, 7)).toBe(7)
    await expect(
      openIterable(items(1))
        .flatMap(() => 'text' as unknown as string[])
        .toArray(),
    ).rejects.toThrow(TypeError)
  })
})

describe('a chain with concurrency', () => {
  /** A service whose answers take the given times, and that knows how busy it was. */
  function service(clock: ManualClock, takesMs: (n: number) => number) {
    const seen = { most: 0, busy: 0, calls: 0 }
    const call = async ({ n }: Item) => {
      seen.calls++
      seen.most = Math.max(seen.most, ++seen.busy)
      await sleep(takesMs(n), { clock })
      seen.busy--
      return n
    }
    return { call, seen }
  }

  it('keeps order and its bound', async () => {
    const clock = new ManualClock()
    const { call, seen } = service(clock, n => 1 + ((n * 7) % 13))
    const rows = openIterable(items(100)).map(call, { concurrency: 8 }).toArray()
    await clock.advance(1000)
    expect(await rows).toEqual(numbers(items(100)))
    expect(seen).toEqual({ most: 8, busy: 0, calls: 100 })
  })

  it('takes as long as it has to', async () => {
    const clock = new ManualClock()
    const { call } = service(clock, () => 10)
    const done = openIterable(items(100))
      .map(call, { concurrency: 10 })
      .toArray()
      .then(() => clock.now())
    await clock.advance(1000)
    expect(await done).toBe(100)
  })

  it('gives rows as they become ready, where order is not asked for', async () => {
    const clock = new ManualClock()
    const { call, seen } = service(clock, n => 100 - n * 10)
    const rows = openIterable(items(5)).map(call, { concurrency: 5, ordered: false }).toArray()
    await clock.advance(100)
    expect(await rows).toEqual([4, 3, 2, 1, 0])
    expect(seen.most).toBe(5)
  })

  it.each([true, false])('holds no more than twice its bound for a slow consumer, ordered: %s', async ordered => {
    const clock = new ManualClock()
    const { call, seen } = service(clock, () => 1)
    const { reader, seen: given } = source(1000)
    const rows = reader.map(call, { concurrency: 4, ordered })[Symbol.asyncIterator]()
    const first = rows.next()
    await clock.advance(100)
    await first
    await clock.advance(100)
    expect(seen.calls).toBeLessThanOrEqual(9)
    expect(given.given).toBeLessThanOrEqual(10)
    await rows.return!()
    expect(given.released).toBe(1)
  })

  it.each([true, false])(
    'stops at the first failure, and tells the others by their signal, ordered: %s',
    async ordered => {
      const clock = new ManualClock()
      const { reader, seen } = source(100)
      const aborted: number[] = []
      const got: number[] = []
      const boom = new Error('boom')
      const read = reader
        .map(
          async (row, _, { signal }) => {
            signal.addEventListener('abort', () => aborted.push(row.n))
            await sleep(row.n === 5 ? 3 : 10, { clock })
            if (row.n === 5) throw boom
            return row.n
          },
          { concurrency: 4, ordered },
        )
        .forEach(n => void got.push(n))
        .catch(error => error)
      await clock.advance(100)
      expect(await read).toBe(boom)
      // 0 to 3 take 10 ms; 5 fails 3 ms after it began, beside 4, 6 and 7.
      expect(got).toEqual(ordered ? [0, 1, 2, 3, 4] : [0, 1, 2, 3])
      expect(aborted).toEqual(expect.arrayContaining([6, 7]))
      expect(seen.released).toBe(1)
    },
  )

  it('filters, taps and flattens', async () => {
    const clock = new ManualClock()
    const late = <T>(value: T) => sleep(5, { clock }).then(() => value)
    const rows = openIterable(items(30))
      .filter(row => late(row.n % 3 === 0), { concurrency: 5 })
      .tap(() => late(undefined), { concurrency: 5 })
      .flatMap(row => late([row.n, -row.n]), { concurrency: 5 })
      .toArray()
    await clock.advance(1000)
    expect(await rows).toEqual(numbers(items(30)).flatMap(n => (n % 3 === 0 ? [n, -n] : [])))
  })

  it('takes functions that are not async as well', async () => {
    const rows = await openIterable(items(1000))
      .map(row => row.n, { concurrency: 4 })
      .map(n => n, { concurrency: 4, ordered: false })
      .toArray()
    expect(rows).toEqual(numbers(items(1000)))
  })

  it('leaves no rejection behind that nobody takes', async () => {
    const unhandled: unknown[] = []
    const listener = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', listener)
    try {
      const read = openIterable(items(10)).map(row => Promise.reject(new Error(`${row.n}`)), { concurrency: 5 })
      await expect(read.toArray()).rejects.toThrow('0')
      await settled()
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', listener)
    }
  })
})
