import { describe, expect, it } from 'vitest'
import { CircuitBreaker, type CircuitBreakerOptions, type CircuitEvent } from '../../src/resilience/circuit-breaker.ts'
import { sleep } from '../../src/resilience/clock.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

const BOOM = new Error('boom')

function broken(options: CircuitBreakerOptions = {}) {
  const clock = new ManualClock()
  const events: CircuitEvent[] = []
  const breaker = new CircuitBreaker({ clock, label: 'geo', onStateChange: event => events.push(event), ...options })
  /** What a call comes to. */
  const call = (succeeds: boolean) =>
    breaker
      .run(() => {
        if (!succeeds) throw BOOM
        return 'ok'
      })
      .catch(error => error.code ?? error.message)
  return { breaker, call, clock, events }
}

describe('CircuitBreaker', () => {
  // + succeeds, - fails, x is refused; a number is milliseconds that pass.
  it.each<{ name: string; options?: CircuitBreakerOptions; steps: string; ends: string; changes: string[] }>([
    { name: 'stays closed below five failures', steps: '- - - -', ends: 'closed', changes: [] },
    { name: 'counts failures in a row', steps: '- - - - + - - - -', ends: 'closed', changes: [] },
    { name: 'opens after five', steps: '- - - - - x x', ends: 'open', changes: ['open'] },
    { name: 'stays open for 60 s', steps: '- - - - - 59999 x', ends: 'open', changes: ['open'] },
    { name: 'is half open after 60 s', steps: '- - - - - 60000', ends: 'half-open', changes: ['open', 'half-open'] },
    {
      name: 'waits for a second success',
      steps: '- - - - - 60000 +',
      ends: 'half-open',
      changes: ['open', 'half-open'],
    },
    {
      name: 'closes after two successes',
      steps: '- - - - - 60000 + + -',
      ends: 'closed',
      changes: ['open', 'half-open', 'closed'],
    },
    {
      name: 'opens again with the first failure while half open',
      steps: '- - - - - 60000 + - x 59999 x 1 +',
      ends: 'half-open',
      changes: ['open', 'half-open', 'open', 'half-open'],
    },
    {
      name: 'begins to count again once it is closed',
      steps: '- - - - - 60000 + + - - - - + - - - - -',
      ends: 'open',
      changes: ['open', 'half-open', 'closed', 'open'],
    },
    {
      name: 'takes other numbers',
      options: { failures: 1, recoveryMs: 10, successes: 1 },
      steps: '- x 10 + - 10 +',
      ends: 'closed',
      changes: ['open', 'half-open', 'closed', 'open', 'half-open', 'closed'],
    },
    {
      name: 'counts only what says that the place fails',
      options: { failures: 1, counts: error => error !== BOOM },
      steps: '- - -',
      ends: 'closed',
      changes: [],
    },
  ])('$name: $steps', async ({ options, steps, ends, changes }) => {
    const { breaker, call, clock, events } = broken(options)
    for (const step of steps.split(' ')) {
      if (step === '+') expect(await call(true)).toBe('ok')
      else if (step === '-') expect(await call(false)).toBe('boom')
      else if (step === 'x') expect(await call(true)).toBe('CIRCUIT_OPEN')
      else await clock.advance(Number(step))
    }
    expect(breaker.state).toBe(ends)
    expect(events.map(event => event.to)).toEqual(changes)
    for (const { to, cause } of events) expect(cause).toBe(to === 'open' ? BOOM : undefined)
  })

  it('says why a call was refused, and when the next is let through', async () => {
    const { breaker, call, clock } = broken({ failures: 1 })
    await call(false)
    await clock.advance(500)
    expect(breaker.recoversInMs).toBe(59_500)
    await expect(breaker.run(() => expect.unreachable())).rejects.toMatchObject({
      name: 'LimitError',
      label: 'geo',
      cause: BOOM,
      message: expect.stringContaining('in 59500 ms'),
    })
  })

  it('lets one call at a time try whether the place has recovered', async () => {
    const { breaker, call, clock } = broken({ failures: 1 })
    await call(false)
    await clock.advance(60_000)
    const slow = breaker.run(() => sleep(100, { clock }))
    expect(await call(true)).toBe('CIRCUIT_OPEN')
    await clock.advance(100)
    await slow
    expect(await call(true)).toBe('ok')
    expect(breaker.state).toBe('closed')
  })

  it('learns nothing from a call that began before the circuit changed', async () => {
    const { breaker, call, clock } = broken({ failures: 1 })
    const late = breaker.run(() => sleep(61_000, { clock }).then(() => Promise.reject(BOOM))).catch(error => error)
    await call(false)
    await clock.advance(60_000)
    await call(true)
    await clock.advance(1000)
    expect(await late).toBe(BOOM)
    expect(breaker.state).toBe('half-open')
  })

  it('does not take a call that was called off for a failure', async () => {
    const { breaker } = broken({ failures: 1 })
    const controller = new AbortController()
    const calledOff = breaker.run(
      () => {
        controller.abort(BOOM)
        throw BOOM
      },
      { signal: controller.signal },
    )
    await expect(calledOff).rejects.toBe(BOOM)
    expect(breaker.state).toBe('closed')
    await expect(breaker.run(() => expect.unreachable(), { signal: AbortSignal.abort('no') })).rejects.toBe('no')
  })

  it.each([{ failures: 0 }, { recoveryMs: -1 }, { successes: 0.5 }])('refuses %o', options => {
    expect(() => new CircuitBreaker(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})
