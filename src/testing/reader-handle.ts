/** The rules of the handle that reads, which hold for every format: opening, order, ending, releasing. */
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Row } from '../core/types.ts'
import { openIterable } from '../index.ts'
import { collect, type HandleSubject, rejectionOf, tick } from './handle-subject.ts'
import { Probe } from './probe.ts'

/**
 * Declares the tests of the handle that reads: opening, order of calls, the end, cancelling, and release, each once.
 */
export function readerContract({ name, row, text }: HandleSubject): void {
  const probeOf = (count: number, replayable = true) => new Probe(name, text(count), replayable)
  const rows = (count: number, from = 0) => Array.from({ length: count }, (_, i) => row(from + i))

  describe(`reader of ${name}: opening`, () => {
    it('does nothing until it is used', async () => {
      const probe = probeOf(3)
      const handle = openIterable(probe)
      await tick()
      expect(probe.opened).toBe(0)
      await handle[Symbol.asyncDispose]()
      expect(probe.opened).toBe(0)
    })

    it('works by for await, by await, by await using, and inside Promise.all, race and allSettled', async () => {
      expect(await collect(openIterable(probeOf(5)))).toEqual(rows(5))

      const opened = await openIterable(probeOf(5))
      expect('then' in opened).toBe(false)
      expect(await collect(opened)).toEqual(rows(5))

      const probe = probeOf(5)
      {
        await using handle = openIterable(probe)
        expect(await handle.read()).toEqual(row(0))
      }
      expect([probe.opened, probe.closed]).toEqual([1, 1])

      const [a, b] = await Promise.all([openIterable(probeOf(1)), openIterable(probeOf(2))])
      expect([(await a.readBulk()).length, (await b.readBulk()).length]).toEqual([1, 2])
      const first = await Promise.race([openIterable(probeOf(1))])
      expect(await first.read()).toEqual(row(0))
      const [settled] = await Promise.allSettled([openIterable(`${name}.missing/x`)])
      expect(settled?.status).toBe('rejected')
    })

    it('opens once, however often it is awaited', async () => {
      const probe = probeOf(2)
      const handle = openIterable(probe)
      const [a, b] = await Promise.all([handle, handle])
      expect(a).toBe(b)
      expect(probe.opened).toBe(1)
      await handle.close()
      expect(probe.closed).toBe(1)
    })

    it('rejects where it is used, and leaves no unhandled rejection where it is not', async () => {
      const unhandled: unknown[] = []
      const listener = (reason: unknown) => unhandled.push(reason)
      process.on('unhandledRejection', listener)
      try {
        openIterable('/nowhere/at/all.csv')
        const used = openIterable('/nowhere/at/all.csv')
        expect(await rejectionOf(Promise.resolve(used))).toBe('SOURCE_NOT_FOUND')
        expect(await rejectionOf(used.read())).toBe('SOURCE_NOT_FOUND')
        await used.close()
        await tick()
        await tick()
      } finally {
        process.off('unhandledRejection', listener)
      }
      expect(unhandled).toEqual([])
    })

    it('lets go of what arrives after an abort or a close while opening', async () => {
      for (const way of ['abort', 'close', 'signal'] as const) {
        const probe = probeOf(3)
        let admit = () => {}
        probe.opening = new Promise(resolve => {
          admit = resolve
        })
        const controller = new AbortController()
        const handle = openIterable(probe, { signal: controller.signal })
        const outcome = rejectionOf(handle.read())
        await tick()
        const reason = new Error('enough')
        const ending =
          way === 'abort' ? handle.abort(reason) : way === 'close' ? handle.close() : controller.abort(reason)
        expect(await outcome).toBe(way === 'close' ? 'HANDLE_CLOSED' : reason)
        admit()
        await ending
        await tick()
        await tick()
        expect([probe.opened, probe.closed]).toEqual([1, 1])
      }
    })
  })

  describe(`reader of ${name}: rows`, () => {
    it('gives the same rows by every way of reading and every chunk size', async () => {
      const expected = rows(100)
      for (const chunkBytes of [1, 7, 64, 100_000]) {
        const probe = () => Object.assign(probeOf(100), { chunkBytes })
        expect(await collect(openIterable(probe()))).toEqual(expected)
        expect((await collect(openIterable(probe()).batches())).flat()).toEqual(expected)
        for (const size of [1, 7, 100, 1000]) {
          const batches = await collect(openIterable(probe()).batches(size))
          expect(batches.flat()).toEqual(expected)
          for (const batch of batches.slice(0, -1)) expect(batch.length).toBe(size)
        }
        const one = openIterable(probe())
        const singles: Row[] = []
        for (let next = await one.read(); next !== null; next = await one.read()) singles.push(next)
        expect(singles).toEqual(expected)
      }
    })

    it('gives [] and null at the end, repeatably, and the rest to whoever asks next', async () => {
      const handle = openIterable(probeOf(25))
      expect(await handle.read()).toEqual(row(0))
      expect(await handle.readBulk(10)).toEqual(rows(10, 1))
      expect(await collect(handle)).toEqual(rows(14, 11))
      expect(await handle.readBulk(10)).toEqual([])
      expect(await handle.readBulk(10)).toEqual([])
      expect(await handle.read()).toBeNull()
      expect(handle.rowsRead).toBe(25)
    })

    it('answers concurrent calls in the order they were made', async () => {
      const handle = openIterable(Object.assign(probeOf(200), { chunkBytes: 33 }))
      const iterator = handle[Symbol.asyncIterator]()
      const calls: Promise<Row[]>[] = []
      for (let i = 0; i < 60; i++) {
        if (i % 3 === 0) calls.push(handle.readBulk(4))
        else if (i % 3 === 1) calls.push(iterator.next().then(step => (step.done ? [] : [step.value as Row])))
        else calls.push(handle.read().then(next => (next === null ? [] : [next])))
        if (i % 11 === 0) await tick()
      }
      expect((await Promise.all(calls)).flat()).toEqual(rows(120))
      await handle.close()
    })

    it('counts rows and bytes', async () => {
      const probe = probeOf(50)
      const handle = openIterable(probe)
      await handle.readBulk(20)
      expect(handle.rowsRead).toBe(20)
      await collect(handle)
      expect([handle.rowsRead, handle.rowsSkipped, handle.rowsFailed]).toEqual([50, 0, 0])
      expect(handle.bytesRead).toBe(probe.bytes.length)
    })

    it('starts again by reset, where the source can be replayed', async () => {
      const probe = probeOf(30)
      const handle = openIterable(probe)
      for await (const first of handle) {
        expect(first).toEqual(row(0))
        break
      }
      await handle.reset()
      expect(await handle.readBulk(5)).toEqual(rows(5))
      await handle.reset()
      expect(handle.rowsRead).toBe(0)
      expect(await collect(handle)).toEqual(rows(30))
      await handle.reset()
      expect(await collect(handle)).toEqual(rows(30))
      expect(probe.opened).toBe(probe.closed)

      const once = openIterable(probeOf(30, false))
      await once.read()
      expect(await rejectionOf(once.reset())).toBe('NOT_REPLAYABLE')
      await once.close()
      expect(await rejectionOf(once.reset())).toBe('HANDLE_CLOSED')
    })
  })

  describe(`reader of ${name}: ending`, () => {
    it('releases the source once by the end, break, a throw, return, close, abort, and a signal', async () => {
      const ways: Record<string, (probe: Probe) => Promise<unknown>> = {
        end: probe => collect(openIterable(probe)),
        break: async probe => {
          for await (const _ of openIterable(probe)) break
        },
        throw: async probe => {
          await expect(
            (async () => {
              for await (const _ of openIterable(probe)) throw new Error('mine')
            })(),
          ).rejects.toThrow('mine')
        },
        return: async probe => {
          const iterator = openIterable(probe)[Symbol.asyncIterator]()
          await iterator.next()
          expect(await iterator.return?.(7)).toEqual({ value: 7, done: true })
          expect(await iterator.next()).toEqual({ value: undefined, done: true })
          await iterator.return?.()
        },
        batches: async probe => {
          for await (const _ of openIterable(probe).batches(2)) break
        },
        close: async probe => {
          const handle = openIterable(probe)
          await handle.read()
          await Promise.all([handle.close(), handle.close()])
          await handle[Symbol.asyncDispose]()
        },
        abort: async probe => {
          const handle = openIterable(probe)
          await handle.read()
          await Promise.all([handle.abort(), handle.abort(new Error('again'))])
          await handle.close()
        },
        signal: async probe => {
          const controller = new AbortController()
          const handle = openIterable(probe, { signal: controller.signal })
          await handle.read()
          controller.abort()
          await handle.close()
        },
        failure: async probe => {
          probe.failAt = { chunk: 2, error: new Error('broken') }
          const handle = openIterable(probe)
          await rejectionOf(collect(handle))
          await handle.close()
        },
      }
      for (const [way, run] of Object.entries(ways)) {
        const probe = probeOf(100)
        await run(probe)
        expect([way, probe.opened, probe.closed]).toEqual([way, 1, 1])
      }
    })

    it('tells a left, a finished and a shared loop apart', async () => {
      const left = openIterable(probeOf(100))
      for await (const _ of left) break
      expect(await rejectionOf(left.read())).toBe('HANDLE_CLOSED')
      expect(() => left[Symbol.asyncIterator]()).toThrow(/HANDLE_CLOSED/)

      const finished = openIterable(probeOf(3))
      await collect(finished)
      await expect(collect(finished)).rejects.toMatchObject({ code: 'HANDLE_CONSUMED' })

      const shared = openIterable(probeOf(100))
      const iterator = shared[Symbol.asyncIterator]()
      await iterator.next()
      await expect(collect(shared)).rejects.toMatchObject({ code: 'HANDLE_BUSY' })
      await iterator.return?.()
    })

    it('rejects what waits with the very reason of the abort, at once', async () => {
      const reason = { any: 'value' }
      for (const way of ['signal', 'abort'] as const) {
        const probe = Object.assign(probeOf(100), { stallAt: 1 })
        const controller = new AbortController()
        const handle = openIterable(probe, { signal: controller.signal })
        const iterator = handle[Symbol.asyncIterator]()
        const outcomes = Array.from({ length: 100 }, () => iterator.next()).map(step =>
          step.then(
            () => 'row',
            error => error,
          ),
        )
        await tick()
        if (way === 'signal') controller.abort(reason)
        else await handle.abort(reason)
        const all = await Promise.all(outcomes)
        expect(all.at(-1)).toBe(reason)
        expect(await rejectionOf(handle.read())).toBe(reason)
        await handle.close()
        expect(probe.closed).toBe(1)
      }
      const aborted = AbortSignal.abort(reason)
      const probe = probeOf(1)
      expect(await rejectionOf(openIterable(probe, { signal: aborted }).read())).toBe(reason)
      expect(probe.opened).toBe(0)
    })

    it('ends a loop that waits when the handle is closed, by an error and not by a silent end', async () => {
      const probe = Object.assign(probeOf(100), { stallAt: 1 })
      const handle = openIterable(probe)
      const loop = rejectionOf(collect(handle))
      await tick()
      await handle.close()
      expect(await loop).toBe('HANDLE_CLOSED')
    })

    it('keeps the rows of a call that was aborted by its own signal', async () => {
      const probe = Object.assign(probeOf(100), { stallAt: 3 })
      const handle = openIterable(probe)
      const controller = new AbortController()
      const bulk = rejectionOf(handle.readBulk(100, { signal: controller.signal }))
      await tick()
      const reason = new Error('too slow')
      controller.abort(reason)
      expect(await bulk).toBe(reason)
      expect(handle.rowsRead).toBe(0)
      await handle.close()

      const other = openIterable(probeOf(10))
      expect(await rejectionOf(other.readBulk(5, { signal: AbortSignal.abort(reason) }))).toBe(reason)
      expect(await other.readBulk(100)).toEqual(rows(10))
    })

    it('delivers the good rows first, then the error, then the error again: never an end of data', async () => {
      const broken = new Error('broken')
      const probe = Object.assign(probeOf(100), { failAt: { chunk: 3, error: broken } })
      const handle = openIterable(probe)
      const good: Row[] = []
      await expect(
        (async () => {
          for await (const next of handle) good.push(next)
        })(),
      ).rejects.toBe(broken)
      expect(good.length).toBeGreaterThan(0)
      expect(good).toEqual(rows(good.length))
      expect(await rejectionOf(handle.read())).toBe(broken)

      const bulk = openIterable(Object.assign(probeOf(100), { failAt: { chunk: 3, error: broken } }))
      expect(await bulk.readBulk(1000)).toEqual(good)
      expect(await rejectionOf(bulk.readBulk(1000))).toBe(broken)
      expect(await rejectionOf(bulk.readBulk(1000))).toBe(broken)
    })

    it('gives a Node stream and a Web stream of rows, which close it when they are given up', async () => {
      expect(await collect(openIterable(probeOf(100)).toReadable())).toEqual(rows(100))
      expect(await collect(openIterable(probeOf(100)).toWeb())).toEqual(rows(100))

      const probe = probeOf(1000)
      const readable = openIterable(probe).toReadable()
      await once(readable, 'readable')
      readable.destroy()
      await once(readable, 'close')
      expect(probe.closed).toBe(1)

      const web = probeOf(1000)
      const reader = openIterable(web).toWeb().getReader()
      await reader.read()
      await reader.cancel()
      expect(web.closed).toBe(1)

      const broken = new Error('broken')
      const failing = Object.assign(probeOf(100), { failAt: { chunk: 1, error: broken } })
      await expect(collect(openIterable(failing).toReadable())).rejects.toBe(broken)
    })
  })
}
