/** Remote sources over an object of the test's own: what happens when, without a network. */
import { describe, expect, it } from 'vitest'
import type { RangeRequest, RemoteBody, RemoteObject } from '../../src/remote/object.ts'
import { openRemoteSource, type RemoteSourceOptions } from '../../src/remote/source.ts'
import { drain, noise, turns } from '../../src/testing/sample.ts'

const CHUNK_BYTES = 50_000

/** What one request does; the default answers it. */
type Answer = (request: RangeRequest, object: FakeObject) => Promise<RemoteBody> | RemoteBody

class FakeObject implements RemoteObject {
  readonly label = 'fake:object'
  readonly requests: RangeRequest[] = []
  open = 0
  bytes: Buffer
  etag: string | undefined = '"1"'
  answers: Answer[] = []

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  async openRange(request: RangeRequest): Promise<RemoteBody> {
    this.requests.push(request)
    return (this.answers.shift() ?? (() => this.body(request)))(request, this)
  }

  /** @param upTo The body breaks there. */
  body(request: RangeRequest, upTo = Number.POSITIVE_INFINITY, more: Partial<RemoteBody> = {}): RemoteBody {
    const { bytes } = this
    const start = request.start
    const end = Math.min(request.end ?? bytes.length, bytes.length)
    let at = start
    let held = true
    const release = () => {
      if (held) this.open--
      held = false
    }
    this.open++
    return {
      start,
      end,
      total: bytes.length,
      etag: this.etag,
      ranges: true,
      endKnown: true,
      next: async () => {
        if (at >= Math.min(end, upTo)) {
          if (at < end) throw Object.assign(new Error('broken'), { code: 'ECONNRESET' })
          release()
          return { done: true, value: undefined }
        }
        const chunk = bytes.subarray(at, (at = Math.min(at + CHUNK_BYTES, end, upTo)))
        return { done: false, value: chunk }
      },
      destroy: release,
      ...more,
    }
  }
}

/** A clock whose timers fire only when they are told to. */
class ManualClock {
  readonly pending = new Map<() => void, number>()
  now = () => 0
  schedule = (callback: () => void, delayMs: number) => {
    this.pending.set(callback, delayMs)
    return () => void this.pending.delete(callback)
  }
  fire(): void {
    for (const callback of [...this.pending.keys()]) {
      this.pending.delete(callback)
      callback()
    }
  }
}

const bytes = noise(1_000_000)
const options = (more: RemoteSourceOptions = {}): RemoteSourceOptions => ({ retry: { initialDelayMs: 0 }, ...more })

describe('a remote source', () => {
  it('goes on from where it broke, and gives up what makes no headway', async () => {
    const object = new FakeObject(bytes)
    object.answers = Array.from({ length: 9 }, (_, i) => request => object.body(request, (i + 1) * 100_000))
    const source = await openRemoteSource(object, options({ retry: { initialDelayMs: 0, attempts: 2 } }))
    expect((await drain(() => source.stream())).bytes.equals(bytes)).toBe(true)
    expect(object.requests.map(({ start, etag }) => [start, etag])).toEqual([
      [0, undefined],
      ...Array.from({ length: 9 }, (_, i) => [(i + 1) * 100_000, '"1"']),
    ])
    await source[Symbol.asyncDispose]()
    // A byte for each connection is no progress.
    object.requests.length = 0
    object.answers = Array.from({ length: 99 }, (_, i) => request => object.body(request, i + 1))
    const slow = await openRemoteSource(object, options({ retry: { initialDelayMs: 0, attempts: 4 } }))
    expect((await drain(() => slow.stream())).error).toMatchObject({ code: 'SOURCE_FAILED', byte: 4 })
    expect(object.requests).toHaveLength(4)
    await slow[Symbol.asyncDispose]()
  })

  it('notices silence while it waits, and not while nobody reads', async () => {
    const clock = new ManualClock()
    const object = new FakeObject(bytes)
    object.answers = [request => object.body(request, undefined, { next: () => new Promise(() => {}) })]
    const source = await openRemoteSource(object, options({ clock, timeoutMs: 1234 }))
    await turns()
    expect(clock.pending.size).toBe(0)
    const reading = drain(() => source.stream())
    await turns()
    expect([...clock.pending.values()]).toEqual([1234])
    clock.fire()
    expect((await reading).bytes.equals(bytes)).toBe(true)
    expect(source.counters).toMatchObject({ requests: 2, retries: 1 })
    await source[Symbol.asyncDispose]()
  })

  it('lets go of an answer that comes when nobody waits for it any more', async () => {
    const clock = new ManualClock()
    const object = new FakeObject(bytes)
    let answer = () => {}
    object.answers = [
      request =>
        new Promise(resolve => {
          answer = () => resolve(object.body(request))
        }),
    ]
    const opening = openRemoteSource(object, options({ clock, timeoutMs: 1000 }))
    await turns()
    clock.fire()
    const source = await opening
    expect(object.open).toBe(1)
    answer()
    await turns()
    expect(object.open).toBe(1)
    await source[Symbol.asyncDispose]()
    expect(object.open).toBe(0)
  })

  it.each<[string, Partial<RemoteBody>, string]>([
    ['another tag', { etag: '"2"' }, 'SOURCE_CHANGED'],
    ['no tag', { etag: undefined }, 'SOURCE_CHANGED'],
    ['another size', { total: 999_999 }, 'SOURCE_CHANGED'],
    ['a later place', { start: 500_000 }, 'SOURCE_CORRUPT'],
  ])('joins nothing to what it has given that has %s', async (_, wrong, code) => {
    const object = new FakeObject(bytes)
    object.answers = [request => object.body(request, 300_000), request => object.body(request, undefined, wrong)]
    const source = await openRemoteSource(object, options())
    const read = await drain(() => source.stream())
    expect(read.error).toMatchObject({ code })
    expect(read.bytes.equals(bytes.subarray(0, 300_000))).toBe(true)
    expect(object.open).toBe(0)
    await source[Symbol.asyncDispose]()
  })

  it('gives no more bytes than were said to be there', async () => {
    const object = new FakeObject(bytes)
    object.answers = [request => object.body(request, undefined, { total: 120_000, end: 120_000 })]
    const source = await openRemoteSource(object, options())
    expect((await drain(() => source.stream())).error).toMatchObject({ code: 'SOURCE_CORRUPT' })
    await source[Symbol.asyncDispose]()
  })

  it('looks at its beginning and goes on with the same answer', async () => {
    const object = new FakeObject(bytes)
    const source = await openRemoteSource(object, options())
    for (let look = 0; look < 3; look++) {
      const stream = source.stream()
      expect(Buffer.compare((await stream.next()).value!, bytes.subarray(0, CHUNK_BYTES))).toBe(0)
      await stream.return!()
    }
    expect((await drain(() => source.stream())).bytes.equals(bytes)).toBe(true)
    expect(object.requests).toHaveLength(1)
    // Where it was read on, or aborted, or somebody else reads, another answer is needed.
    const first = source.stream()
    await first.next()
    expect((await drain(() => source.stream())).bytes.equals(bytes)).toBe(true)
    await first.return!()
    expect(object.requests).toHaveLength(3)
    await source[Symbol.asyncDispose]()
    expect(object.open).toBe(0)
  })

  it('fetches ahead no more than it may hold', async () => {
    const object = new FakeObject(bytes)
    const source = await openRemoteSource(object, options({ partBytes: 100_000, concurrency: 3 }))
    const stream = source.stream()
    for (let read = 0; read < 150_000; ) read += (await stream.next()).value!.length
    await turns(100)
    // One that is read, and two in advance, whatever time there is.
    expect(object.requests.map(({ start, end }) => [start, end])).toEqual([
      [0, undefined],
      [200_000, 300_000],
      [300_000, 400_000],
    ])
    let given = 0
    for await (const chunk of stream) given += chunk.length
    expect(given).toBe(bytes.length - 150_000)
    expect(object.open).toBe(0)
    await source[Symbol.asyncDispose]()
  })

  it('tries a range again that failed before its turn', async () => {
    const object = new FakeObject(bytes)
    const source = await openRemoteSource(
      object,
      options({ partBytes: 100_000, concurrency: 2, retry: { attempts: 1 } }),
    )
    object.answers = [request => object.body(request, request.start + 50_000)]
    expect((await drain(() => source.stream())).bytes.equals(bytes)).toBe(true)
    await source[Symbol.asyncDispose]()
    expect(object.open).toBe(0)
  })

  it('asks for what it is opened for', async () => {
    const object = new FakeObject(bytes)
    const source = await openRemoteSource(object, options({ access: 'random' }))
    const [part] = await source.random!.readRanges([{ start: 10, end: 20 }])
    expect(Buffer.compare(part!, bytes.subarray(10, 20))).toBe(0)
    const stream = source.stream()
    await stream.next()
    await stream.return!()
    expect(object.requests.map(({ start, end }) => [start, end])).toEqual([
      [0, 1],
      [10, 20],
      [0, 65_536],
    ])
    expect((await drain(() => source.stream())).bytes.equals(bytes)).toBe(true)
    await source[Symbol.asyncDispose]()
    expect(object.open).toBe(0)
  })

  it('has no ranged access where nothing tells one version from another', async () => {
    const object = new FakeObject(bytes)
    object.etag = undefined
    for (const access of ['stream', 'random'] as const) {
      const source = await openRemoteSource(object, options({ access }))
      expect(source.random).toBeUndefined()
      expect((await drain(() => source.stream())).bytes.equals(bytes)).toBe(true)
      await source[Symbol.asyncDispose]()
    }
  })
})
