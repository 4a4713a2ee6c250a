import { getEventListeners } from 'node:events'
import { describe, expect, it, vi } from 'vitest'
import { background } from '../../src/resilience/background.ts'
import { sleep, systemClock } from '../../src/resilience/clock.ts'
import { ResourcePool } from '../../src/resilience/resource-pool.ts'
import { RetryPolicy } from '../../src/resilience/retry.ts'
import { Semaphore } from '../../src/resilience/semaphore.ts'
import { TaskRunner } from '../../src/resilience/task-runner.ts'
import { withTimeout } from '../../src/resilience/timeout.ts'
import { Watchdog } from '../../src/resilience/watchdog.ts'
import { ManualClock, settled } from '../../src/testing/manual-clock.ts'

describe('sleep', () => {
  it('settles when its time has come, and not before', async () => {
    const clock = new ManualClock()
    const order: string[] = []
    const waits = [30, 10, 20].map(ms => sleep(ms, { clock }).then(() => order.push(`${ms} at ${clock.now()}`)))
    await clock.advance(9)
    expect(order).toEqual([])
    await clock.advance(21)
    await Promise.all(waits)
    expect(order).toEqual(['10 at 10', '20 at 20', '30 at 30'])
  })

  it('rejects with the reason of its signal, and leaves no timer and no listener', async () => {
    const clock = new ManualClock()
    await expect(sleep(1, { clock, signal: AbortSignal.abort('early') })).rejects.toBe('early')
    const controller = new AbortController()
    const waiting = expect(sleep(1000, { clock, signal: controller.signal })).rejects.toBe('late')
    controller.abort('late')
    await waiting
    expect(clock.pending).toBe(0)
  })

  it('goes by the clock of the system by default', async () => {
    const before = systemClock.now()
    await sleep(1)
    expect(systemClock.now()).toBeGreaterThan(before)
  })

  it('can be called off, also for longer than a timer of Node lasts', () => {
    const cancel = systemClock.schedule(() => expect.unreachable(), 2 ** 40, true)
    expect(cancel).not.toThrow()
  })
})

describe('withTimeout', () => {
  it.each<{ name: string; takesMs: number; limitMs: number; gives: unknown }>([
    { name: 'in time', takesMs: 5, limitMs: 10, gives: 'value' },
    { name: 'too late', takesMs: 10, limitMs: 5, gives: { code: 'TIMEOUT', name: 'LimitError' } },
    { name: 'without a limit', takesMs: 1e9, limitMs: Number.POSITIVE_INFINITY, gives: 'value' },
  ])('$name', async ({ takesMs, limitMs, gives }) => {
    const clock = new ManualClock()
    const outcome = withTimeout(() => sleep(takesMs, { clock }).then(() => 'value'), limitMs, { clock }).catch(e => e)
    await clock.advance(Math.min(takesMs, limitMs))
    const given = await outcome
    if (typeof gives === 'string') expect(given).toBe(gives)
    else expect(given).toMatchObject(gives as object)
  })

  it('says what took too long, and how long it may take', async () => {
    const clock = new ManualClock()
    const outcome = withTimeout(() => new Promise(() => {}), 250, { clock, what: 'connecting' }).catch(e => e.message)
    await clock.advance(250)
    expect(await outcome).toBe('[TIMEOUT] connecting took longer than 250 ms')
  })

  it('aborts the operation with the limit, and hands over what arrives late', async () => {
    const clock = new ManualClock()
    const late: string[] = []
    let seen: AbortSignal | undefined
    const outcome = withTimeout(
      signal => {
        seen = signal
        return sleep(20, { clock }).then(() => 'connection')
      },
      10,
      { clock, onLate: value => late.push(value) },
    ).catch(e => e)
    await clock.advance(10)
    expect(seen!.reason).toBe(await outcome)
    expect(late).toEqual([])
    await clock.advance(10)
    expect(late).toEqual(['connection'])
  })

  it('takes care of a failure that arrives late', async () => {
    const clock = new ManualClock()
    const fail = () => sleep(20, { clock }).then(() => Promise.reject(new Error('late')))
    const outcome = withTimeout(fail, 10, { clock }).catch(e => e.code)
    await clock.advance(30)
    expect(await outcome).toBe('TIMEOUT')
  })

  it('rejects with the reason of its signal, and passes it on', async () => {
    const clock = new ManualClock()
    const controller = new AbortController()
    let seen: AbortSignal | undefined
    const operation = (signal: AbortSignal) => {
      seen = signal
      return new Promise(() => {})
    }
    const outcome = withTimeout(operation, 10, { clock, signal: controller.signal }).catch(e => e)
    controller.abort('stop')
    expect(await outcome).toBe('stop')
    expect(seen!.reason).toBe('stop')
    expect(clock.pending).toBe(0)
    await expect(withTimeout(() => expect.unreachable(), 10, { signal: AbortSignal.abort('no') })).rejects.toBe('no')
  })

  it('passes on what the operation throws, at once or later', async () => {
    const clock = new ManualClock()
    const boom = new Error('boom')
    const thrower = () => {
      throw boom
    }
    await expect(withTimeout(thrower, 10, { clock })).rejects.toBe(boom)
    await expect(withTimeout(() => Promise.reject(boom), 10, { clock })).rejects.toBe(boom)
    expect(clock.pending).toBe(0)
    await expect(withTimeout(thrower, Number.NaN)).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })
})

describe('Watchdog', () => {
  function watched() {
    const clock = new ManualClock()
    const stalls: Error[] = []
    const watchdog = new Watchdog({ timeoutMs: 100, clock, label: 'db://host/x', onStall: error => stalls.push(error) })
    return { clock, stalls, watchdog }
  }

  it('is armed only while something is pending', async () => {
    const { clock, stalls, watchdog } = watched()
    await clock.advance(1000)
    const wait = watchdog.watch(() => sleep(60, { clock }).then(() => 'chunk'))
    expect(watchdog.armed).toBe(true)
    await clock.advance(60)
    expect(await wait).toBe('chunk')
    expect(watchdog.armed).toBe(false)
    // A consumer that takes its time.
    await clock.advance(100_000)
    expect(await watchdog.watch(async () => 'next')).toBe('next')
    expect(stalls).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('rejects a wait that takes too long, has the connection destroyed once, and stays so', async () => {
    const { clock, stalls, watchdog } = watched()
    const wait = watchdog.watch(() => new Promise(() => {})).catch(e => e)
    await clock.advance(99)
    expect(stalls).toEqual([])
    await clock.advance(1)
    const error = await wait
    expect(error).toMatchObject({ code: 'TIMEOUT', label: 'db://host/x' })
    expect(stalls).toEqual([error])
    await expect(watchdog.watch(() => expect.unreachable())).rejects.toBe(error)
    await clock.advance(1000)
    expect(stalls).toEqual([error])
  })

  it('begins anew with each sign of life', async () => {
    const { clock, stalls, watchdog } = watched()
    const wait = watchdog.watch(() => sleep(250, { clock }))
    for (let i = 0; i < 3; i++) {
      await clock.advance(80)
      watchdog.feed()
    }
    await clock.advance(10)
    await wait
    expect(stalls).toEqual([])
  })

  it('is not fed by those who only begin to wait', async () => {
    const { clock, stalls, watchdog } = watched()
    const waits = [watchdog.watch(() => new Promise(() => {})).catch(e => e.code)]
    await clock.advance(60)
    waits.push(watchdog.watch(() => new Promise(() => {})).catch(e => e.code))
    await clock.advance(40)
    expect(await Promise.all(waits)).toEqual(['TIMEOUT', 'TIMEOUT'])
    expect(stalls).toHaveLength(1)
  })

  it('is fed by a wait that ends beside another', async () => {
    const { clock, stalls, watchdog } = watched()
    const long = watchdog.watch(() => sleep(150, { clock }))
    const short = watchdog.watch(() => sleep(60, { clock }))
    await clock.advance(150)
    await Promise.all([long, short])
    expect(stalls).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('passes failures on, and lets go of its timer', async () => {
    const { clock, watchdog } = watched()
    const boom = new Error('boom')
    await expect(watchdog.watch(() => Promise.reject(boom))).rejects.toBe(boom)
    await expect(
      watchdog.watch(() => {
        throw boom
      }),
    ).rejects.toBe(boom)
    expect(clock.pending).toBe(0)
  })

  it('takes care of a failure after the stall, and of a throw in onStall', async () => {
    const clock = new ManualClock()
    const onStall = () => {
      throw new Error('of no account')
    }
    const watchdog = new Watchdog({ timeoutMs: 10, clock, onStall })
    const wait = watchdog.watch(() => sleep(20, { clock }).then(() => Promise.reject(new Error('late')))).catch(e => e)
    await clock.advance(30)
    expect(await wait).toMatchObject({ code: 'TIMEOUT' })
  })

  it('stops watching when it is disposed', async () => {
    const { clock, stalls, watchdog } = watched()
    const wait = watchdog.watch(() => sleep(500, { clock }))
    watchdog[Symbol.dispose]()
    await clock.advance(500)
    await wait
    watchdog.watch(() => new Promise(() => {}))
    await settled()
    expect(clock.pending).toBe(0)
    expect(stalls).toEqual([])
  })

  it('never stalls with Infinity, and refuses what is no time', () => {
    const watchdog = new Watchdog({ timeoutMs: Number.POSITIVE_INFINITY })
    watchdog.watch(() => new Promise(() => {}))
    expect(watchdog.armed).toBe(false)
    expect(() => new Watchdog({ timeoutMs: 0 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})

describe('a signal that outlives what waits', () => {
  it('has no listener left', async () => {
    const clock = new ManualClock()
    const { signal } = new AbortController()
    const boom = () => Promise.reject(new Error('boom'))
    const policy = new RetryPolicy({ clock, attempts: 2, retries: () => true })
    const semaphore = new Semaphore(1)
    const pool = new ResourcePool({ max: 1, clock, create: () => 1 })
    const runner = new TaskRunner({ concurrency: 1 })
    const all = Promise.allSettled([
      sleep(5, { clock, signal }),
      withTimeout(() => sleep(5, { clock }), 10, { clock, signal }),
      withTimeout(() => sleep(50, { clock }), 10, { clock, signal }),
      policy.run(boom, { signal }),
      semaphore.run(() => sleep(5, { clock, signal }), { signal }),
      semaphore.run(boom, { signal }),
      pool.use(() => sleep(5, { clock, signal }), { signal }),
      pool.use(boom, { signal }),
      runner.submit(() => sleep(5, { clock }), { signal }),
      runner.gather([boom, boom], { signal }),
      runner.idle({ signal }),
      background(boom, { signal }).result,
    ])
    await clock.advance(100_000)
    await all
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('may be that of many at once, without a warning', async () => {
    const warn = vi.spyOn(process, 'emitWarning')
    try {
      const clock = new ManualClock()
      const controller = new AbortController()
      const waits = Array.from({ length: 100 }, () => sleep(5, { clock, signal: controller.signal }).catch(e => e))
      controller.abort('stop')
      expect(new Set(await Promise.all(waits))).toEqual(new Set(['stop']))
      expect(warn).not.toHaveBeenCalled()
    } finally {
      warn.mockRestore()
    }
  })
})
