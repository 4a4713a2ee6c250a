import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { peek } from '../../src/core/peek.ts'
import type { Abortable, ByteSource } from '../../src/core/types.ts'

/** A source whose chunks, end and releases can be watched. */
class Watched implements ByteSource {
  readonly label = 'watched'
  readonly replayable: boolean
  readonly localPath = '/data/watched'
  readonly size?: number
  readonly random = { size: async () => 0, readRanges: async () => [] }
  streams = 0
  returned = 0
  disposed = 0
  readonly #chunks: readonly Uint8Array[]
  readonly #after: 'end' | 'fail' | 'stall'

  constructor(
    chunks: readonly Uint8Array[],
    replayable: boolean,
    after: 'end' | 'fail' | 'stall' = 'end',
    size?: number,
  ) {
    this.#chunks = chunks
    this.replayable = replayable
    this.#after = after
    if (size !== undefined) this.size = size
  }

  stream({ signal }: Abortable = {}): AsyncIterable<Uint8Array> {
    this.streams++
    let at = 0
    const lent = new Uint8Array(1024)
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      signal?.throwIfAborted()
      const chunk = this.#chunks[at++]
      if (chunk !== undefined) {
        // As sources may: the memory of the last chunk is used again.
        lent.set(chunk)
        return { done: false, value: lent.subarray(0, chunk.length) }
      }
      if (this.#after === 'fail') throw new Error('the line broke')
      if (this.#after === 'end') return { done: true, value: undefined }
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    }
    const iterator = {
      next,
      return: async (): Promise<IteratorResult<Uint8Array>> => {
        this.returned++
        return { done: true, value: undefined }
      },
    }
    return { [Symbol.asyncIterator]: () => iterator }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed++
  }
}

async function drain(source: ByteSource, signal?: AbortSignal): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of source.stream({ signal })) parts.push(Buffer.from(chunk))
  return Buffer.concat(parts)
}

const chunked = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 12 })

describe('peek', () => {
  it('gives the first bytes, and a source of all of them, whatever the chunks are', async () => {
    await fc.assert(
      fc.asyncProperty(chunked, fc.integer({ min: 1, max: 200 }), fc.boolean(), async (chunks, bytes, replayable) => {
        const all = Buffer.concat(chunks)
        const source = new Watched(chunks, replayable)
        const seen = await peek(source, bytes)
        expect(Buffer.from(seen.sample)).toEqual(all.subarray(0, bytes))
        if (seen.complete) expect(all.length).toBeLessThanOrEqual(bytes)
        if (all.length < bytes) expect(seen.complete).toBe(true)
        expect(await drain(seen.source)).toEqual(all)
        await seen.source[Symbol.asyncDispose]()
        expect(source.disposed).toBe(1)
        expect(source.streams).toBe(replayable ? 2 : 1)
      }),
      { seed: 1, numRuns: 400 },
    )
  })

  it('peeks into what a peek gave', async () => {
    const source = new Watched([Buffer.from('abc'), Buffer.from('def')], false)
    const once = await peek(source, 2)
    const twice = await peek(once.source, 5)
    expect(Buffer.from(twice.sample).toString()).toBe('abcde')
    expect((await drain(twice.source)).toString()).toBe('abcdef')
  })

  it('keeps what else the source can do', async () => {
    for (const replayable of [true, false]) {
      const source = new Watched([Buffer.from('abc')], replayable, 'end', 3)
      const { source: peeked, complete } = await peek(source, 3)
      expect(complete).toBe(true)
      expect(peeked).toMatchObject({ label: 'watched', localPath: '/data/watched', size: 3, replayable })
      expect(peeked.random).toBe(source.random)
      await peeked[Symbol.asyncDispose]()
      expect(source.returned).toBe(1)
    }
  })

  it('returns an iterator that is not read to its end, once', async () => {
    const make = async () => {
      const source = new Watched([Buffer.from('abc'), Buffer.from('def'), Buffer.from('ghi')], false)
      return { source, peeked: (await peek(source, 2)).source }
    }
    const never = await make()
    await never.peeked[Symbol.asyncDispose]()
    await never.peeked[Symbol.asyncDispose]()
    expect(never.source.returned).toBe(1)

    const notBegun = await make()
    notBegun.peeked.stream()
    await notBegun.peeked[Symbol.asyncDispose]()
    expect(notBegun.source.returned).toBe(1)

    for (const after of [1, 2]) {
      const left = await make()
      let count = 0
      for await (const _ of left.peeked.stream()) if (++count === after) break
      expect(left.source.returned).toBe(1)
      await left.peeked[Symbol.asyncDispose]()
      expect(left.source.returned).toBe(1)
    }
  })

  it('streams what can be read once only once', async () => {
    const { source } = await peek(new Watched([Buffer.from('abc')], false), 2)
    await drain(source)
    expect(() => source.stream()).toThrow(expect.objectContaining({ code: 'NOT_REPLAYABLE' }))
  })

  it('stops when it is aborted while a chunk is awaited', async () => {
    for (const replayable of [true, false]) {
      const source = new Watched([Buffer.from('abc')], replayable, 'stall')
      const controller = new AbortController()
      const reason = new Error('enough')
      const peeking = peek(source, 10, controller.signal)
      queueMicrotask(() => controller.abort(reason))
      await expect(peeking).rejects.toBe(reason)
    }
    await expect(peek(new Watched([], false), 10, AbortSignal.abort(new Error('no')))).rejects.toThrow('no')
  })

  it('leaves the stream to the signal of whoever reads it', async () => {
    const peeking = new AbortController()
    const reading = new AbortController()
    const { source } = await peek(new Watched([Buffer.from('abc')], false, 'stall'), 2, peeking.signal)
    peeking.abort()
    const iterator = source.stream({ signal: reading.signal })[Symbol.asyncIterator]()
    expect(Buffer.from((await iterator.next()).value!).toString()).toBe('abc')
    const waiting = iterator.next()
    reading.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
  })

  it('fails where the source does: at once without a byte, otherwise after those it gave', async () => {
    await expect(peek(new Watched([], false, 'fail'), 10)).rejects.toThrow('the line broke')
    await expect(peek(new Watched([], true, 'fail'), 10)).rejects.toThrow('the line broke')
    for (const replayable of [true, false]) {
      const seen = await peek(new Watched([Buffer.from('abc')], replayable, 'fail'), 10)
      expect(seen).toMatchObject({ complete: false, failure: new Error('the line broke') })
      const got: string[] = []
      const reading = (async () => {
        for await (const chunk of seen.source.stream()) got.push(Buffer.from(chunk).toString())
      })()
      await expect(reading).rejects.toThrow('the line broke')
      expect(got).toEqual(['abc'])
    }
  })
})
