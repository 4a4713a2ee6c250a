import { describe, expect, it } from 'vitest'
import { background } from '../../src/resilience/background.ts'
import { sleep } from '../../src/resilience/clock.ts'
import { partitionSettled } from '../../src/resilience/partition-settled.ts'
import { type Priority, TaskRunner } from '../../src/resilience/task-runner.ts'
import { ManualClock, settled } from '../../src/testing/manual-clock.ts'

describe('TaskRunner', () => {
  it('runs as many at once as it may', async () => {
    const clock = new ManualClock()
    const runner = new TaskRunner({ concurrency: 3 })
    let most = 0
    const done = runner.gather(
      Array.from({ length: 10 }, (_, i) => async () => {
        most = Math.max(most, runner.running)
        await sleep(10 - i, { clock })
        return i
      }),
    )
    expect([runner.running, runner.waiting]).toEqual([3, 7])
    await clock.advance(100)
    expect(await done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(most).toBe(3)
    expect([runner.running, runner.waiting]).toEqual([0, 0])
  })

  it('takes the more urgent first, and among equals who came first', async () => {
    const runner = new TaskRunner({ concurrency: 1 })
    const clock = new ManualClock()
    const order: string[] = []
    const busy = runner.submit(() => sleep(1, { clock }))
    const submit = (name: string, priority?: Priority) => runner.submit(() => void order.push(name), { priority })
    const all = [
      submit('low 1', 'LOW'),
      submit('normal 1'),
      submit('high 1', 'HIGH'),
      submit('low 2', 'LOW'),
      submit('critical 1', 'CRITICAL'),
      submit('normal 2', 'NORMAL'),
      submit('critical 2', 'CRITICAL'),
    ]
    await clock.advance(1)
    await Promise.all([busy, ...all])
    expect(order).toEqual(['critical 1', 'critical 2', 'high 1', 'normal 1', 'normal 2', 'low 1', 'low 2'])
  })

  it('passes on what a task throws, and goes on', async () => {
    const runner = new TaskRunner({ concurrency: 1 })
    const outcomes = await Promise.allSettled([
      runner.submit(() => {
        throw new Error('at once')
      }),
      runner.submit(() => Promise.reject(new Error('later'))),
      runner.submit(() => 'fine'),
    ])
    expect(outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message))).toEqual([
      'at once',
      'later',
      'fine',
    ])
  })

  it('takes a task that waits out of the line when its signal aborts', async () => {
    const clock = new ManualClock()
    const runner = new TaskRunner({ concurrency: 1 })
    const busy = runner.submit(() => sleep(1, { clock }))
    const controller = new AbortController()
    const gone = expect(runner.submit(() => expect.unreachable(), { signal: controller.signal })).rejects.toBe('gone')
    controller.abort('gone')
    await gone
    expect(runner.waiting).toBe(0)
    await clock.advance(1)
    await busy
    await expect(runner.submit(() => 1, { signal: AbortSignal.abort('early') })).rejects.toBe('early')
  })

  it('keeps the place of a task that is aborted until it has ended', async () => {
    const clock = new ManualClock()
    const runner = new TaskRunner({ concurrency: 1 })
    const controller = new AbortController()
    const stubborn = expect(runner.submit(() => sleep(50, { clock }), { signal: controller.signal })).rejects.toBe(
      'stop',
    )
    const next = runner.submit(() => clock.now())
    controller.abort('stop')
    await stubborn
    expect([runner.running, runner.waiting]).toEqual([1, 1])
    await clock.advance(50)
    expect(await next).toBe(50)
  })

  it('cancels the others after the first failure of a gathering, and waits for their end', async () => {
    const clock = new ManualClock()
    const runner = new TaskRunner({ concurrency: 2 })
    const log: string[] = []
    const gathered = runner
      .gather([
        () => sleep(10, { clock }).then(() => Promise.reject(new Error('first'))),
        async ({ signal }) => {
          await sleep(1000, { clock, signal }).catch(() => log.push('aborted'))
          await sleep(5, { clock })
          log.push('cleaned up')
        },
        () => expect.unreachable(),
      ])
      .catch(error => error.message)
    await clock.advance(14)
    expect(log).toEqual(['aborted'])
    await clock.advance(1)
    expect(await gathered).toBe('first')
    expect(log).toEqual(['aborted', 'cleaned up'])
    expect([runner.running, runner.waiting, clock.pending]).toEqual([0, 0, 0])
  })

  it('cancels a gathering by its signal', async () => {
    const clock = new ManualClock()
    const runner = new TaskRunner({ concurrency: 2 })
    const controller = new AbortController()
    const tasks = [1, 2, 3].map(
      () =>
        ({ signal }: { readonly signal: AbortSignal }) =>
          sleep(100, { clock, signal }),
    )
    const gathered = expect(runner.gather(tasks, { signal: controller.signal })).rejects.toBe('enough')
    await clock.advance(10)
    controller.abort('enough')
    await gathered
    expect(clock.pending).toBe(0)
    await expect(runner.gather(tasks, { signal: controller.signal })).rejects.toBe('enough')
    expect(await runner.gather([])).toEqual([])
  })

  it('cancels when it is disposed, and waits for what runs', async () => {
    const clock = new ManualClock()
    const runner = new TaskRunner({ concurrency: 1 })
    let reason: unknown
    let ended = false
    const running = runner.submit(async ({ signal }) => {
      await sleep(1000, { clock, signal }).catch(error => {
        reason = error
      })
      await sleep(5, { clock })
      ended = true
    })
    const waiting = runner.submit(() => expect.unreachable())
    const disposing = runner[Symbol.asyncDispose]()
    await expect(waiting).rejects.toMatchObject({ code: 'RUNNER_CLOSED' })
    await expect(running).rejects.toMatchObject({ code: 'RUNNER_CLOSED' })
    expect(ended).toBe(false)
    await clock.advance(5)
    await disposing
    expect(reason).toMatchObject({ code: 'RUNNER_CLOSED' })
    expect(ended).toBe(true)
    await expect(runner.submit(() => 1)).rejects.toMatchObject({ code: 'RUNNER_CLOSED' })
  })

  it('leaves no rejection behind that nobody takes when it is disposed', async () => {
    const unhandled: unknown[] = []
    const listener = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', listener)
    try {
      const runner = new TaskRunner({ concurrency: 1 })
      runner.submit(({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)))
      runner.submit(() => 1)
      await runner[Symbol.asyncDispose]()
      await settled()
      expect(unhandled).toEqual([])
    } finally {
      process.off('unhandledRejection', listener)
    }
  })

  it('tells when nothing is left to do', async () => {
    const clock = new ManualClock()
    const runner = new TaskRunner({ concurrency: 1 })
    await runner.idle()
    for (const ms of [10, 20, 30]) runner.submit(() => sleep(ms, { clock }))
    const idle = runner.idle().then(() => clock.now())
    await expect(runner.idle({ signal: AbortSignal.abort('no') })).rejects.toBe('no')
    await clock.advance(100)
    expect(await idle).toBe(60)
  })

  it('refuses what it cannot do', async () => {
    expect(() => new TaskRunner({ concurrency: 0 })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    const runner = new TaskRunner({ concurrency: 1 })
    await expect(runner.submit(() => 1, { priority: 'URGENT' as 'HIGH' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
  })
})

describe('background', () => {
  it('is awaited at the end of its block', async () => {
    const log: string[] = []
    {
      await using task = background(async () => {
        await settled()
        log.push('task')
      })
      expect(task.running).toBe(true)
      log.push('block')
    }
    expect(log).toEqual(['block', 'task'])
  })

  it('is cancelled at the end of its block, where that is asked for', async () => {
    const clock = new ManualClock()
    const task = background(signal => sleep(1e6, { clock, signal }), { onDispose: 'cancel' })
    await settled()
    await task[Symbol.asyncDispose]()
    expect([task.running, clock.pending]).toEqual([false, 0])
  })

  it.each<{ name: string; look: boolean; outcome: string }>([
    { name: 'by disposing', look: false, outcome: 'boom' },
    { name: 'by its result, once', look: true, outcome: 'nothing' },
  ])('tells its failure $name', async ({ look, outcome }) => {
    const task = background(() => Promise.reject(new Error('boom')))
    if (look) await expect(task.result).rejects.toThrow('boom')
    const disposed = await task[Symbol.asyncDispose]().then(
      () => 'nothing',
      error => error.message,
    )
    expect(disposed).toBe(outcome)
  })

  it('gives its result', async () => {
    const task = background(() => 42)
    expect(await task.result).toBe(42)
    expect(task.running).toBe(false)
  })

  it('has not failed when it was called off, by whomever', async () => {
    const clock = new ManualClock()
    const controller = new AbortController()
    const byCancel = background(signal => sleep(10, { clock, signal }))
    const bySignal = background(signal => sleep(10, { clock, signal }), { signal: controller.signal })
    const tooLate = background(() => expect.unreachable(), { signal: AbortSignal.abort('early') })
    await settled()
    byCancel.cancel('enough')
    controller.abort('stop')
    for (const task of [byCancel, bySignal, tooLate]) await task[Symbol.asyncDispose]()
    await expect(bySignal.result).rejects.toBe('stop')
    expect(clock.pending).toBe(0)
  })
})

describe('partitionSettled', () => {
  it('tells what was given from what failed, with its place', async () => {
    const results = await Promise.allSettled([1, Promise.reject('a'), 2, Promise.reject('b')])
    expect(partitionSettled(results)).toEqual({
      succeeded: [1, 2],
      failed: [
        { index: 1, reason: 'a' },
        { index: 3, reason: 'b' },
      ],
    })
    expect(partitionSettled([])).toEqual({ succeeded: [], failed: [] })
  })
})
