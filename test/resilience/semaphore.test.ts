import { describe, expect, it } from 'vitest'
import { RateLimiter, Semaphore } from '../../src/resilience/semaphore.ts'
import { ManualClock, settled } from '../../src/testing/manual-clock.ts'

describe('Semaphore', () => {
  it('lets as many through as it has permits, and the others in their order', async () => {
    const semaphore = new Semaphore(2)
    const order: number[] = []
    const permits = [0, 1, 2, 3].map(async i => {
      const permit = await semaphore.acquire()
      order.push(i)
      return permit
    })
    await settled()
    expect(order).toEqual([0, 1])
    expect([semaphore.available, semaphore.inUse, semaphore.waiting]).toEqual([0, 2, 2])
    ;(await permits[1]!).release()
    await settled()
    expect(order).toEqual([0, 1, 2])
    ;(await permits[0]!)[Symbol.dispose]()
    await settled()
    expect(order).toEqual([0, 1, 2, 3])
  })

  it('takes a permit back once', async () => {
    const semaphore = new Semaphore(1)
    const permit = await semaphore.acquire()
    permit.release()
    permit.release()
    expect(semaphore.available).toBe(1)
  })

  it('lets nobody pass by who waits for more', async () => {
    const semaphore = new Semaphore(3)
    const first = await semaphore.acquire({ weight: 2 })
    const order: string[] = []
    const large = semaphore.acquire({ weight: 3 }).then(permit => {
      order.push('large')
      return permit
    })
    const small = semaphore.acquire().then(() => order.push('small'))
    expect(semaphore.tryAcquire()).toBeUndefined()
    await settled()
    expect(order).toEqual([])
    first.release()
    ;(await large).release()
    await small
    expect(order).toEqual(['large', 'small'])
  })

  it('lets what is larger than everything go alone', async () => {
    const semaphore = new Semaphore(10)
    const permit = await semaphore.acquire({ weight: 1000 })
    expect(semaphore.available).toBe(0)
    permit.release()
    expect(semaphore.available).toBe(10)
  })

  it('forgets who gave up waiting, and serves those behind', async () => {
    const semaphore = new Semaphore(2)
    await semaphore.acquire()
    const controller = new AbortController()
    const large = expect(semaphore.acquire({ weight: 2, signal: controller.signal })).rejects.toBe('gone')
    const small = semaphore.acquire()
    await settled()
    expect(semaphore.waiting).toBe(2)
    controller.abort('gone')
    await large
    await small
    expect([semaphore.available, semaphore.waiting]).toEqual([0, 0])
    await expect(semaphore.acquire({ signal: AbortSignal.abort('early') })).rejects.toBe('early')
  })

  it('gives the permit back whatever becomes of the operation', async () => {
    const semaphore = new Semaphore(1)
    expect(await semaphore.run(() => semaphore.available)).toBe(0)
    await expect(
      semaphore.run(() => {
        throw new Error('boom')
      }),
    ).rejects.toThrow('boom')
    expect(semaphore.available).toBe(1)
  })

  it.each([0, -1, Number.NaN])('refuses %s permits', permits => {
    expect(() => new Semaphore(permits)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})

describe('RateLimiter', () => {
  /** When each of `count` turns came, milliseconds. */
  async function turns(options: { limit: number; intervalMs?: number; burst?: number }, count: number, weight = 1) {
    const clock = new ManualClock()
    const limiter = new RateLimiter({ ...options, clock })
    const times: number[] = []
    const all = Array.from({ length: count }, () =>
      limiter.acquire({ weight }).then(() => times.push(Math.round(clock.now()))),
    )
    await clock.advance(60_000)
    await Promise.all(all)
    expect(clock.pending).toBe(0)
    return times
  }

  it.each<{ options: { limit: number; intervalMs?: number; burst?: number }; weight?: number; times: number[] }>([
    { options: { limit: 2 }, times: [0, 0, 500, 1000, 1500] },
    { options: { limit: 2, burst: 1 }, times: [0, 500, 1000, 1500] },
    { options: { limit: 1, intervalMs: 10_000 }, times: [0, 10_000, 20_000] },
    { options: { limit: 10 }, weight: 5, times: [0, 0, 500, 1000] },
    { options: { limit: 3 }, times: [0, 0, 0, 333, 667, 1000] },
    { options: { limit: 1 }, weight: 50, times: [0, 1000, 2000] },
  ])('$options: turns at $times', async ({ options, weight, times }) => {
    expect(await turns(options, times.length, weight)).toEqual(times)
  })

  it('saves up no more than its burst', async () => {
    const clock = new ManualClock()
    const limiter = new RateLimiter({ limit: 1, burst: 2, clock })
    await clock.advance(100_000)
    const times: number[] = []
    const all = [0, 1, 2].map(() => limiter.acquire().then(() => times.push(clock.now() - 100_000)))
    await clock.advance(5000)
    await Promise.all(all)
    expect(times).toEqual([0, 0, 1000])
  })

  it('forgets who gave up waiting', async () => {
    const clock = new ManualClock()
    const limiter = new RateLimiter({ limit: 1, clock })
    await limiter.acquire()
    const controller = new AbortController()
    const first = expect(limiter.acquire({ signal: controller.signal })).rejects.toBe('gone')
    const second = limiter.acquire().then(() => clock.now())
    expect(limiter.waiting).toBe(2)
    controller.abort('gone')
    await first
    await clock.advance(1000)
    expect(await second).toBe(1000)
    expect(clock.pending).toBe(0)
  })

  it('leaves no timer behind where the last who waited gave up', async () => {
    const clock = new ManualClock()
    const limiter = new RateLimiter({ limit: 1, clock })
    await limiter.acquire()
    const controller = new AbortController()
    const waiting = expect(limiter.acquire({ signal: controller.signal })).rejects.toBe('gone')
    controller.abort('gone')
    await waiting
    expect(clock.pending).toBe(0)
  })

  it.each([{ limit: 0 }, { limit: 1, intervalMs: 0 }, { limit: 1, burst: 0 }])('refuses %o', options => {
    expect(() => new RateLimiter(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})
