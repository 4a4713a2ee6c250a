import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, it } from 'vitest'
import { channels } from '../../src/core/diagnostics.ts'
import { recordTelemetry } from '../../src/core/telemetry.ts'
import { MemoryTarget, openIterable, type Row } from '../../src/index.ts'
import { RetryPolicy } from '../../src/resilience/retry.ts'

type Event = { readonly event: string } & Record<string, unknown>

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

/** What is published from now on, without the channels that are left out. */
function listen(...leftOut: string[]): Event[] {
  const events: Event[] = []
  for (const { name } of Object.values(channels)) {
    const event = String(name).replace('open-iterable:', '')
    if (leftOut.includes(event)) continue
    const receive = (message: unknown) => events.push({ event, ...(message as object) })
    subscribe(name, receive)
    stops.push(() => unsubscribe(name, receive))
  }
  return events
}

const csv = (count: number) => ({ text: `n\n${'1\n'.repeat(count)}`, name: 'x.csv' })
const names = (events: readonly Event[]) => events.map(event => event.event)

describe('the channels', () => {
  it('are off while nobody listens', () => {
    expect(Object.values(channels).map(channel => channel.hasSubscribers)).toEqual(Array(6).fill(false))
  })

  it('tell of a reader from its opening to its end', async () => {
    const events = listen()
    expect(await openIterable(csv(10)).toArray()).toHaveLength(10)
    expect(names(events)).toEqual(['open', 'first-byte', 'batch', 'close'])
    expect(new Set(events.map(event => event.handle)).size).toBe(1)
    expect(events[0]).toMatchObject({ mode: 'read', label: 'x.csv' })
    expect(events[2]).toMatchObject({ rows: 10 })
    expect(events[3]).toMatchObject({
      format: 'csv',
      codecs: [],
      rows: 10,
      rowsSkipped: 0,
      rowsFailed: 0,
      bytes: 22,
      published: false,
    })
  })

  it('tell of a writer', async () => {
    const events = listen()
    const writer = openIterable(new MemoryTarget('y.csv'), { mode: 'w' })
    await writer.writeBulk([{ n: 1 }, { n: 2 }])
    await writer.close()
    await writer[Symbol.asyncDispose]()
    expect(names(events)).toEqual(['open', 'batch', 'first-byte', 'close'])
    expect(events[3]).toMatchObject({ mode: 'write', format: 'csv', rows: 2, bytes: 6, published: true })
  })

  it.each<[string, () => Promise<unknown>, string[]]>([
    ['a place that is not there', () => openIterable('/nowhere/x.csv').toArray(), ['open', 'error', 'close']],
    [
      'bad data',
      () => openIterable({ text: 'a,b\n1\n', name: 'x.csv' }).toArray(),
      ['open', 'first-byte', 'error', 'close'],
    ],
    [
      'a row that cannot be written',
      () => openIterable(new MemoryTarget('y.csv'), { mode: 'w' }).writeBulk([1 as unknown as Row]),
      ['open', 'error', 'close'],
    ],
  ])('tell of %s', async (_name, use, expected) => {
    const events = listen()
    const error = await use().catch(error => error)
    expect(names(events)).toEqual(expected)
    expect(events.find(event => event.event === 'error')!.error).toBe(error)
  })

  it('tell of an end without a failure where a handle is given up', async () => {
    const events = listen('batch', 'first-byte')
    for await (const row of openIterable(csv(10))) if (row !== undefined) break
    await openIterable(csv(1)).close()
    await openIterable(csv(1), { signal: AbortSignal.abort() })
      .toArray()
      .catch(() => {})
    const writer = openIterable(new MemoryTarget('y.csv'), { mode: 'w' })
    await writer.write({ n: 1 })
    await writer.abort()
    expect(names(events).filter(name => name === 'error')).toEqual([])
    const opened = events.filter(event => event.event === 'open').map(event => event.handle)
    expect(events.filter(event => event.event === 'close').map(event => event.handle)).toEqual(opened)
  })

  it('tell of each reading after a reset', async () => {
    const events = listen('batch', 'first-byte')
    const reader = openIterable(csv(3))
    await reader.toArray()
    await reader.reset()
    await reader.toArray()
    expect(names(events)).toEqual(['open', 'close', 'open', 'close'])
  })

  it('tell of retries', async () => {
    const events = listen()
    const cause = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    const policy = new RetryPolicy({ attempts: 2, initialDelayMs: 0, label: 'http://x/' })
    await policy.run(() => Promise.reject(cause)).catch(() => {})
    await policy.run(() => Promise.reject(cause), { label: 'http://y/' }).catch(() => {})
    expect(events).toEqual([
      { event: 'retry', label: 'http://x/', attempt: 1, delayMs: 0, cause },
      { event: 'retry', label: 'http://y/', attempt: 1, delayMs: 0, cause },
    ])
  })
})

describe('recordTelemetry', () => {
  /** A tracer and a meter that write down what they are told. */
  function recorder() {
    const log: unknown[] = []
    const counts: Record<string, number> = {}
    const tracer = {
      startSpan(name: string, options?: { attributes?: object }) {
        log.push(['start', name, options?.attributes])
        return {
          setAttributes: (attributes: object) => log.push(['attributes', attributes]),
          addEvent: (event: string, attributes?: object) => log.push(['event', event, attributes]),
          recordException: (error: Error) => log.push(['exception', error.message]),
          setStatus: (status: { code: number }) => log.push(['status', status.code]),
          end: () => void log.push(['end']),
        }
      },
    }
    const meter = {
      createCounter: (name: string) => ({
        add: (value: number) => {
          counts[name] = (counts[name] ?? 0) + value
        },
      }),
    }
    return { counts, log, meter, tracer }
  }

  it('makes a span of a handle, and counts', async () => {
    const { counts, log, meter, tracer } = recorder()
    const watching = recordTelemetry({ tracer, meter })
    const reader = openIterable(csv(10))
    const rows = reader[Symbol.asyncIterator]()
    await rows.next()
    const cause = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    const policy = new RetryPolicy({ attempts: 2, initialDelayMs: 0 })
    for (const label of ['x.csv', 'another']) {
      await policy.run(() => Promise.reject(cause), { label }).catch(() => {})
    }
    await rows.return!()
    expect(log).toEqual([
      ['start', 'open-iterable read', { 'open_iterable.target': 'x.csv' }],
      ['event', 'first byte', undefined],
      ['event', 'retry', { 'open_iterable.attempt': 1, 'open_iterable.delay_ms': 0, 'exception.message': 'reset' }],
      [
        'attributes',
        {
          'open_iterable.format': 'csv',
          'open_iterable.codecs': [],
          'open_iterable.rows': 10,
          'open_iterable.rows_skipped': 0,
          'open_iterable.rows_failed': 0,
          'open_iterable.bytes': 22,
        },
      ],
      ['end'],
    ])
    expect(counts).toEqual({ 'open_iterable.rows': 10, 'open_iterable.bytes': 22, 'open_iterable.retries': 2 })
    watching[Symbol.dispose]()
  })

  it('marks the span of a handle that fails', async () => {
    const { log, tracer } = recorder()
    const watching = recordTelemetry({ tracer })
    await openIterable('/nowhere/x.csv')
      .toArray()
      .catch(() => {})
    watching[Symbol.dispose]()
    expect(log.map(entry => (entry as unknown[])[0])).toEqual(['start', 'exception', 'status', 'attributes', 'end'])
    expect(log).toContainEqual(['status', 2])
  })

  it('stops when it is disposed, and ends the spans that are open', async () => {
    const { counts, log, meter, tracer } = recorder()
    const watching = recordTelemetry({ tracer, meter })
    const reader = openIterable(csv(10))
    await reader.read()
    watching[Symbol.dispose]()
    expect(log.at(-1)).toEqual(['end'])
    const { length } = log
    await reader.close()
    await openIterable(csv(10)).toArray()
    expect(log).toHaveLength(length)
    expect(counts['open_iterable.rows']).toBe(10)
    expect(Object.values(channels).map(channel => channel.hasSubscribers)).toEqual(Array(6).fill(false))
  })
})
