import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createError } from '../../src/core/errors.ts'
import { Backoff } from '../../src/resilience/backoff.ts'
import { type RetryEvent, RetryPolicy } from '../../src/resilience/retry.ts'
import { isTransient, parseRetryAfter, retryAfterMsOf } from '../../src/resilience/transient.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

const failure = (fields: object, message = 'failed') => Object.assign(new Error(message), fields)
const RESET = failure({ code: 'ECONNRESET' })

/** An operation that throws these errors, one a call, and then gives `done`. */
function failing(...errors: unknown[]) {
  const operation = async () => {
    operation.calls++
    if (errors.length > 0) throw errors.shift()
    return 'done'
  }
  operation.calls = 0
  return operation
}

describe('Backoff', () => {
  it.each<{ name: string; options: object; delays: number[] }>([
    { name: 'by default', options: {}, delays: [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] },
    { name: 'by another factor', options: { initialDelayMs: 10, factor: 3 }, delays: [10, 30, 90, 270] },
    { name: 'capped', options: { maxDelayMs: 3000 }, delays: [1000, 2000, 3000, 3000] },
    { name: 'constant', options: { initialDelayMs: 5, factor: 1 }, delays: [5, 5, 5] },
    { name: 'without any delay', options: { initialDelayMs: 0, factor: 1e300 }, delays: [0, 0, 0] },
  ])('$name: $delays', ({ options, delays }) => {
    const backoff = new Backoff({ ...options, jitter: 'none' })
    expect(delays.map((_, i) => backoff.delayMs(i + 1))).toEqual(delays)
  })

  it('spreads a delay over all of its length', () => {
    const at = (random: number) => new Backoff({ random: () => random }).delayMs(3)
    expect([at(0), at(0.25), at(0.999)]).toEqual([0, 1000, 3996])
  })

  it('never waits longer than without jitter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (retry, random) => {
          const backoff = new Backoff({ random: () => random })
          expect(backoff.delayMs(retry)).toBeGreaterThanOrEqual(0)
          expect(backoff.delayMs(retry)).toBeLessThanOrEqual(backoff.ceilingMs(retry))
          expect(backoff.ceilingMs(retry)).toBeLessThanOrEqual(30_000)
        },
      ),
      { seed: 7 },
    )
  })

  it.each([{ initialDelayMs: -1 }, { factor: 0.5 }, { maxDelayMs: Number.NaN }, { jitter: 'equal' as 'full' }])(
    'refuses %o',
    options => {
      expect(() => new Backoff(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    },
  )
})

const ERRORS: readonly (readonly [string, unknown, boolean])[] = [
  ...[408, 429, 500, 502, 503, 504].map(
    status => [`status ${status}`, failure({ status }), true] as [string, unknown, boolean],
  ),
  ...[400, 401, 403, 404, 409, 412, 416, 501].map(status => [`status ${status}`, failure({ status }), false] as const),
  ['a status of the AWS SDK', failure({ $metadata: { httpStatusCode: 503 } }), true],
  ['a statusCode', failure({ statusCode: 504 }), true],
  ['a response', failure({ response: { status: 429 } }), true],
  ['ECONNRESET', RESET, true],
  ['ECONNREFUSED', failure({ code: 'ECONNREFUSED' }), true],
  ['EAI_AGAIN', failure({ code: 'EAI_AGAIN' }), true],
  ['ENOTFOUND', failure({ code: 'ENOTFOUND' }), false],
  ['ENOENT', failure({ code: 'ENOENT' }), false],
  ['what fetch makes of a reset', new TypeError('fetch failed', { cause: RESET }), true],
  ['an error of ours around a reset', createError('SOURCE_FAILED', 'broke', { cause: RESET }), true],
  ['a time limit', createError('TIMEOUT', 'silent'), true],
  ['a status above a reset', failure({ status: 404, cause: RESET }), false],
  ['an abort', new DOMException('gone', 'AbortError'), false],
  ['an abort around a reset', failure({ name: 'AbortError', cause: RESET }), false],
  ['all addresses refused', new AggregateError([RESET, failure({ code: 'ECONNREFUSED' })]), true],
  ['some addresses refused', new AggregateError([RESET, new Error('bug')]), false],
  ['a bug', new TypeError('undefined is not a function'), false],
  ['a text', 'ECONNRESET', false],
  ['nothing', undefined, false],
]

describe('isTransient', () => {
  it.each(ERRORS)('%s: %s → %s', (_name, error, transient) => {
    expect(isTransient(error)).toBe(transient)
  })

  it('does not follow a circle of causes for ever', () => {
    const error = new Error('a')
    error.cause = new Error('b', { cause: error })
    expect(isTransient(error)).toBe(false)
  })
})

describe('Retry-After', () => {
  const now = Date.UTC(2024, 0, 1)
  it.each<[string, number | undefined]>([
    ['0', 0],
    ['7', 7000],
    [' 120 ', 120_000],
    ['Mon, 01 Jan 2024 00:00:30 GMT', 30_000],
    ['Sun, 31 Dec 2023 00:00:00 GMT', 0],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
  ])('%j is %s ms', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms)
  })

  it.each<[string, unknown]>([
    ['headers of fetch', failure({ headers: new Headers({ 'Retry-After': '3' }) })],
    ['plain headers', failure({ headers: { 'Retry-After': '3' } })],
    ['a response', failure({ response: { headers: { 'retry-after': 3 } } })],
    ['a response of the AWS SDK', failure({ $response: { headers: { 'retry-after': '3' } } })],
    ['a cause', new Error('outer', { cause: failure({ retryAfterMs: 3000 }) })],
  ])('is found in %s', (_name, error) => {
    expect(retryAfterMsOf(error)).toBe(3000)
  })

  it('is not found where there is none', () => {
    expect(retryAfterMsOf(failure({ headers: new Headers() }))).toBeUndefined()
  })
})

describe('RetryPolicy', () => {
  it('tries six times by default, after 1, 2, 4, 8 and 16 seconds', async () => {
    const clock = new ManualClock()
    const events: RetryEvent[] = []
    const operation = failing(RESET, RESET, RESET, RESET, RESET, RESET)
    const policy = new RetryPolicy({ clock, jitter: 'none', onRetry: event => events.push(event) })
    const running = expect(policy.run(operation)).rejects.toBe(RESET)
    await clock.advance(31_000)
    await running
    expect(events.map(event => event.delayMs)).toEqual([1000, 2000, 4000, 8000, 16_000])
    expect(events.map(event => event.attempt)).toEqual([1, 2, 3, 4, 5])
    expect(events.every(event => event.cause === RESET)).toBe(true)
    expect(operation.calls).toBe(6)
    expect(clock.pending).toBe(0)
  })

  it.each<{ name: string; options: object; errors: unknown[]; waits: number; calls: number; gives?: unknown }>([
    { name: 'gives what succeeds at once', options: {}, errors: [], waits: 0, calls: 1 },
    { name: 'gives what succeeds at last', options: {}, errors: [RESET, RESET], waits: 3000, calls: 3 },
    { name: 'tries once', options: { attempts: 1 }, errors: [RESET], waits: 0, calls: 1, gives: RESET },
    { name: 'leaves a bug alone', options: {}, errors: [failure({ status: 404 })], waits: 0, calls: 1, gives: 'error' },
    { name: 'takes own rules', options: { retries: () => true }, errors: [new Error('bug')], waits: 1000, calls: 2 },
    {
      name: 'waits as long as it is asked to',
      options: {},
      errors: [failure({ status: 429, headers: { 'retry-after': '9' } })],
      waits: 9000,
      calls: 2,
    },
    {
      name: 'waits longer than it is asked to',
      options: { initialDelayMs: 5000 },
      errors: [failure({ status: 503, headers: { 'retry-after': '1' } })],
      waits: 5000,
      calls: 2,
    },
    {
      name: 'gives up where it is asked to wait too long',
      options: {},
      errors: [failure({ status: 503, headers: { 'retry-after': '3600' } })],
      waits: 0,
      calls: 1,
      gives: 'error',
    },
  ])('$name', async ({ options, errors, waits, calls, gives = 'done' }) => {
    const clock = new ManualClock()
    const operation = failing(...errors)
    const outcome = new RetryPolicy({ clock, jitter: 'none', ...options }).run(operation).catch(error => error)
    if (waits > 0) {
      await clock.advance(waits - 1)
      expect(operation.calls).toBe(calls - 1)
      await clock.advance(1)
    }
    expect(await outcome).toEqual(gives === 'error' ? expect.any(Error) : gives)
    expect(operation.calls).toBe(calls)
  })

  it('tells the operation which attempt it is, and of the signal', async () => {
    const clock = new ManualClock()
    const { signal } = new AbortController()
    const seen: unknown[] = []
    const outcome = new RetryPolicy({ clock, initialDelayMs: 1, jitter: 'none' }).run(
      attempt => {
        seen.push(attempt)
        if (attempt.attempt < 3) throw RESET
        return attempt.attempt
      },
      { signal },
    )
    await clock.advance(3)
    expect(await outcome).toBe(3)
    expect(seen).toEqual([1, 2, 3].map(attempt => ({ attempt, signal })))
  })

  it('rejects with the reason of its signal, before and while it waits', async () => {
    const clock = new ManualClock()
    const policy = new RetryPolicy({ clock, jitter: 'none' })
    const operation = failing(RESET)
    await expect(policy.run(operation, { signal: AbortSignal.abort('early') })).rejects.toBe('early')
    expect(operation.calls).toBe(0)

    const controller = new AbortController()
    const running = expect(policy.run(operation, { signal: controller.signal })).rejects.toBe('late')
    await clock.advance(500)
    controller.abort('late')
    await running
    expect(clock.pending).toBe(0)
    expect(operation.calls).toBe(1)
  })

  it('prefers the reason of the signal to what the abort made of the operation', async () => {
    const controller = new AbortController()
    const operation = () => {
      controller.abort('given up')
      throw RESET
    }
    await expect(new RetryPolicy().run(operation, { signal: controller.signal })).rejects.toBe('given up')
  })

  it('begins again with its attempts and delays after progress', async () => {
    const clock = new ManualClock()
    const delays: number[] = []
    const trying = new RetryPolicy({ clock, jitter: 'none', attempts: 3 }).start({
      onRetry: event => delays.push(event.delayMs),
    })
    for (let break_ = 0; break_ < 3; break_++) {
      for (let i = 0; i < 2; i++) {
        const waiting = trying.failed(RESET)
        await clock.advance(2000)
        await waiting
      }
      trying.succeeded()
    }
    expect(delays).toEqual([1000, 2000, 1000, 2000, 1000, 2000])
    expect(trying.attempt).toBe(1)
  })

  it('ends where onRetry throws', async () => {
    const policy = new RetryPolicy({
      onRetry: () => {
        throw new Error('enough')
      },
    })
    await expect(policy.run(failing(RESET))).rejects.toThrow('enough')
  })

  it.each([{ attempts: 0 }, { attempts: 1.5 }, { attempts: Number.NaN }])('refuses %o', options => {
    expect(() => new RetryPolicy(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })
})

it('knows its options, and names the nearest of one that it does not', () => {
  expect(() => new RetryPolicy({ attempt: 3 } as object)).toThrow(
    expect.objectContaining({ code: 'OPTION_UNKNOWN', hint: 'did you mean attempts?' }),
  )
})
