/**
 * What every `Codec` promises, as a suite that a plug-in's test calls with an independent implementation:
 *
 *     codecContract('gzip', codec, { encode: gzipSync, decode: gunzipSync }, { members: true, checksummed: true })
 */
import { describe, expect, it } from 'vitest'
import type { Abortable, ByteSink, ByteSource, Codec } from '../core/types.ts'
import { codeOf, drain, noise, table, turns } from './sample.ts'

/** Another implementation of the same codec. */
export interface CodecReference {
  encode(bytes: Uint8Array): Uint8Array
  decode(bytes: Uint8Array): Uint8Array
}

export interface CodecFacets {
  /** Whether one encoded piece may follow another. */
  readonly members: boolean
  /** Whether other implementations read one piece after another too. Default: as `members`. */
  readonly appends?: boolean
  /** Whether damage is always seen. Without a checksum only what cannot be decoded is. */
  readonly checksummed: boolean
  /**
   * For a format without an end: where in an encoded piece a cut cannot be seen. The data before it is given then.
   */
  readonly unseenCuts?: (encoded: Uint8Array) => readonly number[]
  /**
   * The most decoded bytes that the codec can give for an encoded one, where that is below the default of `maxRatio`.
   */
  readonly highestRatio?: number
  /** Whether `encode` is there. Default true. */
  readonly writes?: boolean
  /** A level that the codec does not have. */
  readonly badLevel?: number
  /** Levels to write by. */
  readonly levels?: readonly number[]
}

const CHUNK_SIZES = [1, 7, 65536]
const SMALL = table(300)
const MEDIUM = table(30_000)
const LARGE = Buffer.concat([table(1_500_000), noise(300_000)])
const SECOND = Buffer.from('the second')

/** All that the suite has encoded, by name: a codec without another encoder has files of them. */
export const CODEC_SAMPLES: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'one-byte': Buffer.from('x'),
  small: SMALL,
  medium: MEDIUM,
  large: LARGE,
  second: SECOND,
  /** What makes a bomb; more than the 16 MiB from which the ratio counts. */
  zeros: Buffer.alloc(20 * 1024 * 1024),
}

/** Declares the suite. */
export function codecContract(name: string, codec: Codec, reference: CodecReference, facets: CodecFacets): void {
  const decode = (encoded: Uint8Array, chunkBytes = 65536) =>
    drain(() => codec.decode(new ChunkedSource(encoded, chunkBytes), {}).stream())
  const encode = async (bytes: Uint8Array, chunkBytes = 65536, level?: number) => {
    const inner = new CollectingSink()
    const sink = codec.encode(inner, level === undefined ? {} : { level })
    const chunk = Buffer.alloc(chunkBytes)
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const length = Math.min(chunkBytes, bytes.length - at)
      chunk.set(bytes.subarray(at, at + length))
      await sink.write(chunk.subarray(0, length))
      chunk.fill(0xff) // the memory is ours again
    }
    await sink.close()
    expect(inner.events).toEqual(['close'])
    return inner.bytes()
  }
  const expectPrefix = (part: Uint8Array, whole: Uint8Array) =>
    expect(Buffer.compare(part, whole.subarray(0, part.length))).toBe(0)

  describe(`codec contract: ${name}: decode`, () => {
    describe.each(CHUNK_SIZES)('in chunks of %i bytes', chunkBytes => {
      it.each([
        ['nothing', Buffer.alloc(0)],
        ['one byte', Buffer.from('x')],
        ['a small table', SMALL],
        ['a larger one', MEDIUM],
      ])('gives back %s', async (_, bytes) => {
        const result = await decode(reference.encode(bytes), chunkBytes)
        expect(result.error).toBeUndefined()
        expect(result.bytes.equals(bytes)).toBe(true)
      })

      if (facets.members) {
        it('reads members that follow one another, empty ones among them', async () => {
          const parts = [SMALL, Buffer.alloc(0), MEDIUM, Buffer.from('x'), Buffer.alloc(0)]
          const encoded = Buffer.concat(parts.map(part => reference.encode(part)))
          const result = await decode(encoded, chunkBytes)
          expect(result.error).toBeUndefined()
          expect(result.bytes.equals(Buffer.concat(parts))).toBe(true)
        })
      }

      it('tells data after the last member apart, after all that is good', async () => {
        // In a format without an end the second could be the beginning of more.
        for (const tail of ['garbage', ...(facets.unseenCuts === undefined ? ['\x01'] : []), 'x'.repeat(100_000)]) {
          const encoded = Buffer.concat([reference.encode(SMALL), Buffer.from(tail)])
          const result = await decode(encoded, chunkBytes)
          expect(codeOf(result.error)).toBe('CODEC_TRAILING_DATA')
          expect(result.bytes.equals(SMALL)).toBe(true)
        }
      })
    })

    it('gives back what fills many chunks, which are not empty and stay while the next is not asked for', async () => {
      let at = 0
      for await (const chunk of codec.decode(new ChunkedSource(reference.encode(LARGE), 65536), {}).stream()) {
        expect(chunk.length).toBeGreaterThan(0)
        await turns(3)
        expect(Buffer.compare(chunk, LARGE.subarray(at, at + chunk.length))).toBe(0)
        at += chunk.length
      }
      expect(at).toBe(LARGE.length)
    })

    it('refuses an empty input as truncated', async () => {
      expect(codeOf((await decode(new Uint8Array(0))).error)).toBe('CODEC_TRUNCATED')
    })

    it.each(CHUNK_SIZES)('tells input that is cut off at any byte, in chunks of %i bytes', async chunkBytes => {
      const encoded = reference.encode(SMALL)
      const unseen = facets.unseenCuts?.(encoded) ?? []
      for (let cut = 0; cut < encoded.length; cut++) {
        const result = await decode(encoded.subarray(0, cut), chunkBytes)
        expect([cut, codeOf(result.error)]).toEqual([cut, unseen.includes(cut) ? undefined : 'CODEC_TRUNCATED'])
        expectPrefix(result.bytes, SMALL)
      }
    })

    it('delivers what comes before the cut, of a large input, before it tells of the cut', async () => {
      const encoded = reference.encode(LARGE)
      let before = 0
      for (const share of [0.25, 0.5, 0.75, 0.999]) {
        const result = await decode(encoded.subarray(0, Math.floor(encoded.length * share)))
        expect(codeOf(result.error)).toBe('CODEC_TRUNCATED')
        expectPrefix(result.bytes, LARGE)
        expect(result.bytes.length).toBeGreaterThan(before)
        before = result.bytes.length
      }
      for (let missing = 1; missing <= 16; missing++) {
        const result = await decode(encoded.subarray(0, encoded.length - missing))
        expect(codeOf(result.error)).toBe('CODEC_TRUNCATED')
        expectPrefix(result.bytes, LARGE)
      }
    })

    if (facets.members) {
      it('tells a later member that is cut off, at any byte', async () => {
        const first = reference.encode(SMALL)
        const second = reference.encode(SECOND)
        const unseen = facets.unseenCuts?.(second) ?? []
        for (let cut = 1; cut < second.length; cut++) {
          const result = await decode(Buffer.concat([first, second.subarray(0, cut)]), 7)
          expect([cut, codeOf(result.error)]).toEqual([cut, unseen.includes(cut) ? undefined : 'CODEC_TRUNCATED'])
          expect(result.bytes.length).toBeGreaterThanOrEqual(SMALL.length)
        }
      })
    }

    it('never gives wrong data for right: each bit flipped is told, or does not matter', async () => {
      const encoded = reference.encode(SMALL)
      let told = 0
      for (let bit = 0; bit < encoded.length * 8; bit++) {
        const damaged = Buffer.from(encoded)
        damaged[bit >> 3]! ^= 1 << (bit & 7)
        const result = await decode(damaged)
        if (result.failed) {
          expect(codeOf(result.error)).toMatch(/^CODEC_/)
          told++
        } else if (facets.checksummed) expect([bit, result.bytes.equals(SMALL)]).toEqual([bit, true])
      }
      // Without a checksum, a flipped bit of a literal is another literal.
      expect(told).toBeGreaterThan(facets.checksummed ? encoded.length * 4 : 20)
    })

    if (facets.checksummed) {
      it('tells a flipped bit wherever it is in a large input', async () => {
        const encoded = reference.encode(LARGE)
        for (const share of [0.1, 0.35, 0.6, 0.85, 0.99]) {
          const damaged = Buffer.from(encoded)
          damaged[Math.floor(encoded.length * share)]! ^= 0x10
          expect(codeOf((await decode(damaged)).error)).toMatch(/^CODEC_/)
        }
      })
    }

    it('tells input that was never encoded by it', async () => {
      expect(codeOf((await decode(Buffer.from('id,name\n1,Ann\n2,Bob\n'))).error)).toBe('CODEC_CORRUPT')
    })

    it('gives no more than maxDecodedBytes, and is content with exactly so many', async () => {
      const encoded = reference.encode(LARGE)
      const read = (maxDecodedBytes: number) =>
        drain(() => codec.decode(new ChunkedSource(encoded, 65536), { maxDecodedBytes }).stream())
      expect((await read(LARGE.length)).bytes.equals(LARGE)).toBe(true)
      for (const limit of [LARGE.length - 1, 1_000_000, 0]) {
        const result = await read(limit)
        expect(codeOf(result.error)).toBe('CODEC_LIMIT_EXCEEDED')
        expect(result.bytes.length).toBeLessThanOrEqual(limit)
        expectPrefix(result.bytes, LARGE)
      }
    })

    it('stops at a bomb early, and takes it where it is told to', async () => {
      const bomb = reference.encode(CODEC_SAMPLES.zeros!)
      const read = (maxRatio?: number) =>
        drain(() => codec.decode(new ChunkedSource(bomb, 65536), { maxRatio }).stream())
      const stopped = await read(facets.highestRatio === undefined ? undefined : facets.highestRatio / 2)
      expect(codeOf(stopped.error)).toBe('CODEC_LIMIT_EXCEEDED')
      expect(stopped.bytes.length).toBeLessThan(17 * 1024 * 1024)
      const whole = await read(Number.POSITIVE_INFINITY)
      expect(whole.error).toBeUndefined()
      expect(whole.bytes.equals(CODEC_SAMPLES.zeros!)).toBe(true)
      if (facets.highestRatio !== undefined) expect((await read()).error).toBeUndefined()
    })

    it('names the place in its errors', async () => {
      const result = await decode(reference.encode(SMALL).subarray(0, 30))
      expect(result.error).toMatchObject({ label: 'chunks' })
      expect(String(result.error)).toContain('chunks [CODEC_TRUNCATED]')
    })

    it('passes on a failure of the source as it is, after what came before it', async () => {
      const failure = new Error('the disk is gone')
      const encoded = reference.encode(LARGE)
      const source = new ChunkedSource(encoded, 65536, { failAfter: Math.floor(encoded.length / 2), failure })
      const result = await drain(() => codec.decode(source, {}).stream())
      expect(result.error).toBe(failure)
      expect(result.bytes.length).toBeGreaterThan(0)
      expectPrefix(result.bytes, LARGE)
    })

    it('has the label of the source, is replayable as it is, and does not claim its other facets', async () => {
      for (const replayable of [true, false]) {
        const source = new ChunkedSource(reference.encode(SMALL), 7, { replayable })
        const decoded = codec.decode(source, {})
        expect(decoded.label).toBe('chunks')
        expect(decoded.replayable).toBe(replayable)
        expect([decoded.size, decoded.random, decoded.localPath]).toEqual([undefined, undefined, undefined])
        expect((await drain(() => decoded.stream())).bytes.equals(SMALL)).toBe(true)
        const again = await drain(() => decoded.stream())
        if (replayable) expect(again.bytes.equals(SMALL)).toBe(true)
        else expect(codeOf(again.error)).toBe('NOT_REPLAYABLE')
      }
    })

    it('stops the source when it is given up, and disposes it once', async () => {
      const source = new ChunkedSource(reference.encode(LARGE), 4096)
      const decoded = codec.decode(source, {})
      const chunks = decoded.stream()[Symbol.asyncIterator]()
      expect((await chunks.next()).done).toBe(false)
      await chunks.return?.()
      expect(source.live).toBe(0)
      expect((await chunks.next()).done).toBe(true)
      await decoded[Symbol.asyncDispose]()
      await decoded[Symbol.asyncDispose]()
      expect(source.disposals).toBe(1)
    })

    it('can be given up while the source keeps it waiting', async () => {
      const source = new ChunkedSource(reference.encode(LARGE), 4096, { blockAfter: 8192 })
      const chunks = codec.decode(source, {}).stream()[Symbol.asyncIterator]()
      const reading = (async () => {
        while ((await chunks.next()).done !== true);
      })()
      const failed = expect(reading).rejects.toMatchObject({ code: 'HANDLE_CLOSED' })
      await source.blocked
      await chunks.return?.()
      await failed
      expect(source.live).toBe(0)
    })

    it('rejects with the reason itself when it is aborted: before, in the middle, while the source waits', async () => {
      const reason = new Error('enough')
      for (const when of ['before', 'middle', 'waiting']) {
        const source = new ChunkedSource(reference.encode(LARGE), 4096, when === 'waiting' ? { blockAfter: 8192 } : {})
        const abort = new AbortController()
        if (when === 'before') abort.abort(reason)
        const decoded = codec.decode(source, {})
        const reading = (async () => {
          for await (const chunk of decoded.stream({ signal: abort.signal })) {
            expect(chunk.length).toBeGreaterThan(0)
            if (when === 'middle') abort.abort(reason)
          }
        })()
        const failed = expect(reading).rejects.toBe(reason)
        if (when === 'waiting') {
          await source.blocked
          abort.abort(reason)
        }
        await failed
        await decoded[Symbol.asyncDispose]()
        expect([when, source.live, source.disposals]).toEqual([when, 0, 1])
      }
    })

    it('does not read far ahead of a slow consumer', async () => {
      const much = facets.members
        ? Buffer.concat(Array<Uint8Array>(20).fill(reference.encode(LARGE)))
        : reference.encode(noise(16 * 1024 * 1024))
      const source = new ChunkedSource(much, 16384)
      const decoded = codec.decode(source, {})
      const chunks = decoded.stream()[Symbol.asyncIterator]()
      await chunks.next()
      for (let i = 0; i < 20; i++) await turns()
      expect(source.given).toBeLessThan(4 * 1024 * 1024)
      await decoded[Symbol.asyncDispose]()
    })
  })

  if (facets.writes === false) return

  describe(`codec contract: ${name}: encode`, () => {
    describe.each(CHUNK_SIZES)('in chunks of %i bytes', chunkBytes => {
      it.each([
        ['nothing', Buffer.alloc(0)],
        ['one byte', Buffer.from('x')],
        ['a small table', SMALL],
        ['a larger one', table(10_000)],
      ])('writes %s so that others can read it', async (_, bytes) => {
        const encoded = await encode(bytes, chunkBytes)
        expect(Buffer.from(reference.decode(encoded)).equals(bytes)).toBe(true)
        expect((await decode(encoded)).bytes.equals(bytes)).toBe(true)
      })
    })

    it('writes what fills many chunks, the same bytes each time', async () => {
      const encoded = await encode(LARGE)
      expect(Buffer.from(reference.decode(encoded)).equals(LARGE)).toBe(true)
      expect((await encode(LARGE)).equals(encoded)).toBe(true)
    })

    if (facets.appends ?? facets.members) {
      it('writes what can follow another member', async () => {
        const encoded = Buffer.concat([reference.encode(SMALL), await encode(MEDIUM)])
        expect(Buffer.from(reference.decode(encoded)).equals(Buffer.concat([SMALL, MEDIUM]))).toBe(true)
      })
    }

    if (facets.levels !== undefined) {
      it.each(facets.levels)('writes by level %i', async level => {
        expect(Buffer.from(reference.decode(await encode(MEDIUM, 65536, level))).equals(MEDIUM)).toBe(true)
      })
    }

    if (facets.badLevel !== undefined) {
      it.each([facets.badLevel, 1.5, Number.NaN])('refuses the level %d at once', level => {
        let error: unknown
        try {
          codec.encode(new CollectingSink(), { level })
        } catch (caught) {
          error = caught
        }
        expect(codeOf(error)).toBe('OPTION_INVALID')
      })
    }

    it('has the label of the sink', async () => {
      const sink = codec.encode(new CollectingSink(), {})
      expect(sink.label).toBe('collected')
      await sink.abort()
    })

    it.each<[string, (sink: ByteSink) => Promise<void>]>([
      ['abort', sink => sink.abort(new Error('enough'))],
      ['dispose', async sink => sink[Symbol.asyncDispose]()],
    ])('gives the sink up on %s, and takes nothing more', async (_, end) => {
      const inner = new CollectingSink()
      const sink = codec.encode(inner, {})
      await sink.write(MEDIUM)
      await end(sink)
      expect(inner.events).not.toContain('close')
      expect(inner.events[0]).toBe('abort')
      await expect(sink.write(SMALL)).rejects.toThrow()
      await expect(sink.close()).rejects.toThrow()
      expect(inner.events).not.toContain('close')
    })

    it('hands the reason of an abort on to the sink', async () => {
      const inner = new CollectingSink()
      const reason = new Error('enough')
      await codec.encode(inner, {}).abort(reason)
      expect(inner.abortReason).toBe(reason)
    })

    it('leaves the sink closed: abort and dispose after close do nothing, nor does a second close', async () => {
      const inner = new CollectingSink()
      const sink = codec.encode(inner, {})
      await sink.write(SMALL)
      await sink.close()
      await sink.close()
      await sink.abort()
      await expect(sink.write(SMALL)).rejects.toMatchObject({ code: 'HANDLE_CLOSED' })
      expect(inner.events).toEqual(['close'])
      expect(Buffer.from(reference.decode(inner.bytes())).equals(SMALL)).toBe(true)
    })

    it('tells a failure of the sink, by a write or by close, as it is', async () => {
      const failure = new Error('the disk is full')
      const inner = new CollectingSink({ failAfter: 100_000, failure })
      const sink = codec.encode(inner, {})
      await expect(
        (async () => {
          for (let i = 0; i < 40; i++) await sink.write(noise(65536, i + 1))
          await sink.close()
        })(),
      ).rejects.toBe(failure)
      await expect(sink.close()).rejects.toBe(failure)
      await sink[Symbol.asyncDispose]()
      expect(inner.events).toEqual(['abort'])
    })

    it('makes the writer wait for a slow sink, and can be aborted meanwhile', async () => {
      const inner = new CollectingSink({ blockAfter: 0 })
      const sink = codec.encode(inner, {})
      let accepted = 0
      const writing = (async () => {
        for (;;) {
          await sink.write(noise(65536, accepted + 1))
          accepted += 65536
        }
      })()
      const failed = expect(writing).rejects.toThrow()
      await inner.blocked
      for (let i = 0; i < 20; i++) await turns()
      expect(accepted).toBeLessThan(4 * 1024 * 1024)
      await sink.abort(new Error('enough'))
      await failed
      expect(inner.events).toEqual(['abort'])
    })
  })
}

interface ChunkedOptions {
  readonly replayable?: boolean
  /** Bytes after which the source fails with `failure`. */
  readonly failAfter?: number
  readonly failure?: unknown
  /** Bytes after which no chunk comes any more, until it is aborted. */
  readonly blockAfter?: number
}

/** Bytes in chunks of a size, lent: each is overwritten when the next is asked for. */
class ChunkedSource implements ByteSource {
  readonly label = 'chunks'
  readonly replayable: boolean
  /** Streams that were begun and not ended. */
  live = 0
  disposals = 0
  /** Bytes given out. */
  given = 0
  /** Settles when the source has stopped giving chunks. */
  readonly blocked: Promise<void>
  readonly #bytes: Uint8Array
  readonly #chunkBytes: number
  readonly #options: ChunkedOptions
  #onBlocked: () => void = () => {}
  #used = false

  constructor(bytes: Uint8Array, chunkBytes: number, options: ChunkedOptions = {}) {
    this.#bytes = bytes
    this.#chunkBytes = chunkBytes
    this.#options = options
    this.replayable = options.replayable ?? true
    this.blocked = new Promise(resolve => {
      this.#onBlocked = resolve
    })
  }

  async *stream({ signal }: Abortable = {}): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#used && !this.replayable) throw Object.assign(new Error('only once'), { code: 'NOT_REPLAYABLE' })
    this.#used = true
    const { failAfter, failure, blockAfter } = this.#options
    const chunk = Buffer.alloc(this.#chunkBytes)
    this.live++
    try {
      for (let at = 0; at < this.#bytes.length; at += this.#chunkBytes) {
        signal?.throwIfAborted()
        if (failAfter !== undefined && at >= failAfter) throw failure
        if (blockAfter !== undefined && at >= blockAfter) {
          this.#onBlocked()
          await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
        }
        const length = Math.min(this.#chunkBytes, this.#bytes.length - at)
        chunk.set(this.#bytes.subarray(at, at + length))
        this.given += length
        yield chunk.subarray(0, length)
        chunk.fill(0xee)
      }
    } finally {
      this.live--
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposals++
  }
}

interface CollectingOptions {
  readonly failAfter?: number
  readonly failure?: unknown
  /** Bytes after which a write does not settle until the sink is aborted. */
  readonly blockAfter?: number
}

/** Keeps what is written, and notes how it was ended. */
class CollectingSink implements ByteSink {
  readonly label = 'collected'
  readonly events: string[] = []
  abortReason: unknown
  readonly blocked: Promise<void>
  readonly #parts: Buffer[] = []
  readonly #options: CollectingOptions
  #bytes = 0
  #onBlocked: () => void = () => {}
  #release: (reason: unknown) => void = () => {}

  constructor(options: CollectingOptions = {}) {
    this.#options = options
    this.blocked = new Promise(resolve => {
      this.#onBlocked = resolve
    })
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  async write(chunk: Uint8Array): Promise<void> {
    const { failAfter, failure, blockAfter } = this.#options
    if (failAfter !== undefined && this.#bytes >= failAfter) throw failure
    if (blockAfter !== undefined && this.#bytes >= blockAfter) {
      this.#onBlocked()
      await new Promise((_, reject) => {
        this.#release = reject
      })
    }
    this.#parts.push(Buffer.from(chunk))
    this.#bytes += chunk.length
  }

  async close(): Promise<void> {
    this.events.push('close')
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.events.length > 0) return
    this.events.push('abort')
    this.abortReason = reason
    this.#release(reason ?? new Error('aborted'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }
}
