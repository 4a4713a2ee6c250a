import { describe, expect, it, vi } from 'vitest'
import { sleep } from '../../src/resilience/clock.ts'
import { ResourcePool, type ResourcePoolOptions } from '../../src/resilience/resource-pool.ts'
import { ManualClock, settled } from '../../src/testing/manual-clock.ts'

/** A pool of numbers: the first one made is 1. */
function pooled(options: Partial<ResourcePoolOptions<number>> = {}) {
  const clock = new ManualClock()
  const log: string[] = []
  let made = 0
  const pool = new ResourcePool<number>({
    max: 2,
    clock,
    create: () => {
      log.push(`+${++made}`)
      return made
    },
    destroy: resource => {
      log.push(`-${resource}`)
    },
    ...options,
  })
  const counts = () => ({ inUse: pool.inUse, idle: pool.idle, waiting: pool.waiting })
  return { clock, counts, log, pool }
}

describe('ResourcePool', () => {
  it('makes resources when they are asked for, at most `max`, and uses the last one again', async () => {
    const { counts, log, pool } = pooled()
    expect(log).toEqual([])
    const first = await pool.acquire()
    const second = await pool.acquire()
    expect(counts()).toEqual({ inUse: 2, idle: 0, waiting: 0 })
    await first.release()
    await second.release()
    expect(counts()).toEqual({ inUse: 0, idle: 2, waiting: 0 })
    expect((await pool.acquire()).resource).toBe(2)
    expect(log).toEqual(['+1', '+2'])
  })

  it('serves those who wait in their order', async () => {
    const { counts, pool } = pooled({ max: 1 })
    const held = await pool.acquire()
    const order: number[] = []
    const waiting = [0, 1, 2].map(i =>
      pool.use(async () => {
        order.push(i)
      }),
    )
    await settled()
    expect(counts()).toEqual({ inUse: 1, idle: 0, waiting: 3 })
    await held.release()
    await Promise.all(waiting)
    expect(order).toEqual([0, 1, 2])
  })

  it('releases a lease once, also by `await using`', async () => {
    const { counts, pool } = pooled()
    {
      await using lease = await pool.acquire()
      expect(lease.resource).toBe(1)
      await lease.release()
      await lease.discard()
    }
    expect(counts()).toEqual({ inUse: 0, idle: 1, waiting: 0 })
  })

  it.each<{ name: string; validate: (resource: number) => boolean | Promise<boolean>; log: string[] }>([
    { name: 'uses what is good', validate: async () => true, log: ['+1'] },
    { name: 'replaces what is not', validate: () => false, log: ['+1', '-1', '+2'] },
    { name: 'takes a throw for no', validate: () => Promise.reject(new Error('x')), log: ['+1', '-1', '+2'] },
  ])('validates what lay idle: $name', async ({ validate, log: expected }) => {
    const { log, pool } = pooled({ validate })
    await (await pool.acquire()).release()
    await pool.acquire()
    expect(log).toEqual(expected)
  })

  it('lets go of what is discarded before another takes its place', async () => {
    const { log, pool } = pooled({ max: 1 })
    const lease = await pool.acquire()
    const next = pool.acquire()
    await lease.discard()
    await next
    expect(log).toEqual(['+1', '-1', '+2'])
  })

  it('lets go of what lay idle for its time', async () => {
    const { clock, log, pool } = pooled({ idleTimeoutMs: 100 })
    const leases = [await pool.acquire(), await pool.acquire()]
    await leases[0]!.release()
    await clock.advance(60)
    await leases[1]!.release()
    await clock.advance(40)
    expect(log).toEqual(['+1', '+2', '-1'])
    await clock.advance(59)
    expect(pool.idle).toBe(1)
    await (await pool.acquire()).release()
    await clock.advance(99)
    expect(pool.idle).toBe(1)
    await clock.advance(1)
    expect(log).toEqual(['+1', '+2', '-1', '-2'])
    expect(clock.pending).toBe(0)
  })

  it('gives up waiting after its time, and says how things stand', async () => {
    const { clock, counts, pool } = pooled({ max: 1, acquireTimeoutMs: 50, label: 'db' })
    const held = await pool.acquire()
    const waiting = pool.acquire().catch(error => error)
    await clock.advance(50)
    expect(await waiting).toMatchObject({
      name: 'LimitError',
      code: 'POOL_EXHAUSTED',
      message: expect.stringContaining('db [POOL_EXHAUSTED] no resource became free within 50 ms: 1 of 1 are in use'),
    })
    await held.release()
    expect(counts()).toEqual({ inUse: 0, idle: 1, waiting: 0 })
  })

  it('rejects with the reason of a signal, and serves those behind', async () => {
    const { clock, pool } = pooled({ max: 1 })
    const held = await pool.acquire()
    const controller = new AbortController()
    const gone = expect(pool.acquire({ signal: controller.signal })).rejects.toBe('gone')
    const next = pool.acquire()
    controller.abort('gone')
    await gone
    await held.release()
    expect((await next).resource).toBe(1)
    await expect(pool.acquire({ signal: AbortSignal.abort('early') })).rejects.toBe('early')
    expect(clock.pending).toBe(0)
  })

  it('keeps for the next what arrives when nobody waits for it any more', async () => {
    const clock = new ManualClock()
    const pool = new ResourcePool({ max: 1, clock, create: () => sleep(100, { clock }).then(() => 'late') })
    const controller = new AbortController()
    const gone = expect(pool.acquire({ signal: controller.signal })).rejects.toBe('gone')
    await clock.advance(50)
    controller.abort('gone')
    await gone
    const next = pool.acquire()
    await settled()
    expect([pool.inUse, pool.waiting]).toEqual([1, 1])
    await clock.advance(50)
    expect((await next).resource).toBe('late')
  })

  it('tells the failure of making one to who asked for it, and goes on', async () => {
    let calls = 0
    const create = () => {
      if (++calls === 1) throw new Error('refused')
      return calls
    }
    const { counts, pool } = pooled({ max: 1, create })
    const outcomes = await Promise.allSettled([pool.acquire(), pool.acquire()])
    expect(outcomes.map(outcome => outcome.status)).toEqual(['rejected', 'fulfilled'])
    expect(counts()).toEqual({ inUse: 1, idle: 0, waiting: 0 })
  })

  it('keeps or discards by `use` what an operation failed on', async () => {
    const { log, pool } = pooled()
    const fail = () => {
      throw new Error('boom')
    }
    await expect(pool.use(fail)).rejects.toThrow('boom')
    expect(log).toEqual(['+1'])
    await expect(pool.use(fail, { discardOnError: true })).rejects.toThrow('boom')
    expect(log).toEqual(['+1', '-1'])
    expect(await pool.use(resource => resource * 10)).toBe(20)
  })

  it('drains when it is disposed', async () => {
    const { clock, counts, log, pool } = pooled()
    const leases = [await pool.acquire(), await pool.acquire()]
    await leases[0]!.release()
    const blocked = await pool.acquire()
    const waiting = expect(pool.acquire()).rejects.toMatchObject({ name: 'StateError', code: 'POOL_CLOSED' })
    let disposed = false
    const disposing = pool[Symbol.asyncDispose]().then(() => {
      disposed = true
    })
    await waiting
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'POOL_CLOSED' })
    await blocked.release()
    await settled()
    expect(disposed).toBe(false)
    await leases[1]!.release()
    await disposing
    await pool[Symbol.asyncDispose]()
    expect(log).toEqual(['+1', '+2', '-1', '-2'])
    expect(counts().idle).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('tells by a warning that letting go of a resource failed', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    try {
      const { pool } = pooled({
        label: 'db',
        destroy: () => {
          throw new Error('stuck')
        },
      })
      await (await pool.acquire()).release()
      await pool[Symbol.asyncDispose]()
      expect(warn).toHaveBeenCalledWith('db: letting go of a resource failed: Error: stuck', {
        type: 'OpenIterableWarning',
        code: 'RESOURCE_CLEANUP',
      })
    } finally {
      warn.mockRestore()
    }
  })

  it('never has more than `max`, whatever happens in which order', async () => {
    const clock = new ManualClock()
    let living = 0
    let most = 0
    const pool = new ResourcePool({
      max: 3,
      clock,
      idleTimeoutMs: 7,
      create: async () => {
        living++
        most = Math.max(most, living)
        await sleep(5, { clock })
        return {}
      },
      destroy: async () => {
        await sleep(3, { clock })
        living--
      },
    })
    const users = Array.from({ length: 40 }, async (_, i) => {
      await sleep(i, { clock })
      const lease = await pool.acquire()
      await sleep((i * 7) % 11, { clock })
      await (i % 3 === 0 ? lease.discard() : lease.release())
    })
    await clock.advance(1000)
    await Promise.all(users)
    expect(most).toBe(3)
    expect(pool.inUse).toBe(0)
    expect(living).toBe(0)
  })

  it.each([{ max: 0 }, { max: 1.5 }, { max: 1, idleTimeoutMs: -1 }, { max: 1, acquireTimeoutMs: Number.NaN }])(
    'refuses %o',
    options => {
      expect(() => new ResourcePool({ create: () => 1, ...options })).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      )
    },
  )
})
