/**
 * What every `ByteSource` promises, as a suite that a plug-in's test calls:
 *
 *     sourceContract('file', async bytes => ({ source: await openFileSource(…), cleanup }), { replayable: true, … })
 */
import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Abortable, ByteSource } from '../core/types.ts'
import { codeOf, drain, noise, turns } from './sample.ts'

/** A source to test. */
export interface SourceCase {
  /** The source, open. */
  readonly source: ByteSource
  /** How many descriptors, sockets or readers the source holds now, where that can be counted. */
  readonly openCount?: () => number
  /** Removes what was made for the case; called after the source is disposed. */
  readonly cleanup?: () => PromiseLike<void> | void
}

/** What the source says it can do. Tests of a facet run where it is declared; one that is there undeclared fails. */
export interface SourceFacets {
  /** Whether it can be streamed again. Default: `false`. */
  readonly replayable?: boolean
  /** Whether it has ranged reads. Default: `false`. */
  readonly random?: boolean
  /** Whether it knows its size without reading. Default: `false`. */
  readonly size?: boolean
  /** Whether it is a local file. Default: `false`. */
  readonly localPath?: boolean
  /** A source whose first chunk never comes, to see that waiting can be called off. Default: none. */
  readonly makeBlocked?: () => Promise<SourceCase>
}

const SIZES = [0, 1, 2, 4095, 4096, 4097, 262143, 262144, 262145, 3 * 262144 + 17]
const LARGE = noise(3 * 1024 * 1024 + 5)

/** Declares the suite. `makeSource` opens a source that holds exactly `bytes`. */
export function sourceContract(
  name: string,
  makeSource: (bytes: Uint8Array) => Promise<SourceCase>,
  facets: SourceFacets = {},
): void {
  async function use<T>(made: Promise<SourceCase>, work: (source: ByteSource, made: SourceCase) => Promise<T>) {
    const held = await made
    try {
      return await work(held.source, held)
    } finally {
      await held.source[Symbol.asyncDispose]()
      await held.cleanup?.()
    }
  }
  const withSource = <T>(bytes: Uint8Array, work: (source: ByteSource, made: SourceCase) => Promise<T>) =>
    use(makeSource(bytes), work)
  const iterate = (source: ByteSource, options?: Abortable) => source.stream(options)[Symbol.asyncIterator]()
  /** The first step of a new stream, also where `stream()` itself throws. */
  const first = async (source: ByteSource, options?: Abortable) => iterate(source, options).next()

  describe(`source contract: ${name}`, () => {
    it.each(SIZES)('gives all of %i bytes, in order, in chunks that are not empty', async size => {
      const bytes = noise(size, size + 1)
      await withSource(bytes, async source => {
        let at = 0
        for await (const chunk of source.stream()) {
          expect(chunk).toBeInstanceOf(Uint8Array)
          expect(chunk.length).toBeGreaterThan(0)
          expect(Buffer.compare(chunk, bytes.subarray(at, at + chunk.length))).toBe(0)
          at += chunk.length
        }
        expect(at).toBe(size)
      })
    })

    it('leaves a chunk as it is until the next one is asked for', async () => {
      await withSource(LARGE, async source => {
        let at = 0
        for await (const chunk of source.stream()) {
          await turns()
          expect(Buffer.compare(chunk, LARGE.subarray(at, at + chunk.length))).toBe(0)
          at += chunk.length
        }
        expect(at).toBe(LARGE.length)
      })
    })

    it('says the end again when it is asked again', async () => {
      await withSource(noise(10), async source => {
        const chunks = iterate(source)
        while ((await chunks.next()).done !== true);
        expect((await chunks.next()).done).toBe(true)
      })
    })

    it('has the facets that it declares, and no others', async () => {
      await withSource(noise(100), async source => {
        expect({
          replayable: source.replayable,
          random: source.random !== undefined,
          size: source.size !== undefined,
          localPath: source.localPath !== undefined,
        }).toEqual({
          replayable: facets.replayable ?? false,
          random: facets.random ?? false,
          size: facets.size ?? false,
          localPath: facets.localPath ?? false,
        })
      })
    })

    it('has a label without credentials', async () => {
      await withSource(noise(1), async source => {
        expect(source.label).toMatch(/./)
        expect(source.label).not.toMatch(/:\/\/[^/?#]*@/)
        expect(source.label).not.toMatch(/[?&][^=&#]*(key|token|secret|signature|password)[^=&#]*=[^…]/i)
      })
    })

    it('can be given up in the middle', async () => {
      await withSource(LARGE, async source => {
        const chunks = iterate(source)
        expect((await chunks.next()).done).toBe(false)
        expect(await chunks.return?.()).toEqual({ done: true, value: undefined })
        expect((await chunks.next()).done).toBe(true)
        expect(await chunks.return?.()).toEqual({ done: true, value: undefined })
      })
    })

    it('can be given up before it is begun', async () => {
      await withSource(LARGE, async source => {
        const chunks = iterate(source)
        expect((await chunks.return?.())?.done).toBe(true)
        expect((await chunks.next()).done).toBe(true)
      })
    })

    if (facets.replayable === true) {
      it('gives the same bytes again after it has ended or was given up', async () => {
        await withSource(LARGE, async source => {
          for await (const chunk of source.stream()) {
            expect(chunk.length).toBeGreaterThan(0)
            break
          }
          for (let pass = 0; pass < 2; pass++) {
            const { bytes, error } = await drain(() => source.stream())
            expect(error).toBeUndefined()
            expect(bytes.equals(LARGE)).toBe(true)
          }
        })
      })
    } else {
      it('refuses a second stream with NOT_REPLAYABLE', async () => {
        await withSource(noise(100), async source => {
          expect((await drain(() => source.stream())).error).toBeUndefined()
          const again = await drain(() => source.stream())
          expect(codeOf(again.error)).toBe('NOT_REPLAYABLE')
          expect(again.bytes.length).toBe(0)
        })
      })
    }

    it.each([
      ['an error', new Error('enough')],
      ['a text', 'enough'],
    ])('rejects with the reason itself, %s, when it was aborted before', async (_, reason) => {
      await withSource(LARGE, async source => {
        await expect(first(source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      })
    })

    it('rejects with the reason itself when it is aborted in the middle', async () => {
      await withSource(LARGE, async source => {
        const abort = new AbortController()
        const reason = new Error('enough')
        const chunks = iterate(source, { signal: abort.signal })
        expect((await chunks.next()).done).toBe(false)
        abort.abort(reason)
        await expect(chunks.next()).rejects.toBe(reason)
      })
    })

    it('takes no notice of an abort after the end', async () => {
      await withSource(noise(100), async source => {
        const abort = new AbortController()
        const { bytes, error } = await drain(() => source.stream({ signal: abort.signal }))
        expect(error).toBeUndefined()
        expect(bytes.equals(noise(100))).toBe(true)
        abort.abort(new Error('too late'))
        await turns()
      })
    })

    const { makeBlocked } = facets
    if (makeBlocked !== undefined) {
      it('rejects at once when it is aborted while a chunk is awaited', async () => {
        await use(makeBlocked(), async source => {
          const abort = new AbortController()
          const reason = new Error('enough')
          const next = iterate(source, { signal: abort.signal }).next()
          await turns()
          abort.abort(reason)
          await expect(next).rejects.toBe(reason)
        })
      })

      it('can be disposed while a chunk is awaited, and does not pass that off as the end', async () => {
        await use(makeBlocked(), async source => {
          const next = iterate(source).next()
          const failed = expect(next).rejects.toThrow()
          await turns()
          await source[Symbol.asyncDispose]()
          await failed
        })
      })
    }

    it('can be disposed unused, and twice', async () => {
      const { source, openCount, cleanup } = await makeSource(LARGE)
      await source[Symbol.asyncDispose]()
      await source[Symbol.asyncDispose]()
      expect(openCount?.() ?? 0).toBe(0)
      await cleanup?.()
    })

    it('holds nothing after it was disposed: at the end, in the middle, after an abort', async () => {
      for (const way of ['end', 'middle', 'abort', 'under way']) {
        const { source, openCount, cleanup } = await makeSource(LARGE)
        const abort = new AbortController()
        const chunks = iterate(source, { signal: abort.signal })
        let step = await chunks.next()
        while (way === 'end' && step.done !== true) step = await chunks.next()
        if (way === 'middle') await chunks.return?.()
        if (way === 'abort') abort.abort(new Error('enough'))
        const pending = way === 'under way' ? chunks.next().catch(() => {}) : undefined
        await source[Symbol.asyncDispose]()
        await pending
        expect([way, openCount?.() ?? 0]).toEqual([way, 0])
        await cleanup?.()
      }
    })

    if (facets.size === true) {
      it.each([1, 262144, 1000003])('knows that it has %i bytes', async size => {
        await withSource(noise(size), async source => expect(source.size).toBe(size))
      })
    }

    if (facets.localPath === true) {
      it('names a local file that holds the same bytes', async () => {
        await withSource(LARGE, async source => {
          expect(isAbsolute(source.localPath!)).toBe(true)
          expect((await readFile(source.localPath!)).equals(LARGE)).toBe(true)
        })
      })
    }

    if (facets.random === true) randomAccessContract(withSource)
  })
}

function randomAccessContract(
  withSource: <T>(bytes: Uint8Array, work: (source: ByteSource) => Promise<T>) => Promise<T>,
): void {
  it('knows its size by ranged access', async () => {
    await withSource(LARGE, async source => expect(await source.random!.size()).toBe(LARGE.length))
    await withSource(noise(0), async source => expect(await source.random!.size()).toBe(0))
  })

  it.each<[string, readonly (readonly [number, number])[]]>([
    ['none', []],
    ['an empty one', [[5, 5]]],
    ['all', [[0, LARGE.length]]],
    ['the first and the last byte', [[0, 1], [LARGE.length - 1, LARGE.length]]], // biome-ignore format: pairs
    ['neighbours', [[0, 10], [10, 20], [20, 30]]], // biome-ignore format: pairs
    ['near ones with gaps', [[100, 110], [150, 160], [5000, 6000]]], // biome-ignore format: pairs
    ['far ones', [[0, 10], [2_000_000, 2_000_100]]], // biome-ignore format: pairs
    ['out of order, overlapping, twice', [[900, 2000], [0, 1000], [900, 2000], [1_000_000, 1_500_000], [950, 960]]], // biome-ignore format: pairs
  ])('gives ranges as slices, in the order asked for: %s', async (_, ranges) => {
    await withSource(LARGE, async source => {
      const parts = await source.random!.readRanges(ranges.map(([start, end]) => ({ start, end })))
      expect(parts.length).toBe(ranges.length)
      for (const [i, [start, end]] of ranges.entries()) {
        expect(Buffer.compare(parts[i]!, LARGE.subarray(start, end))).toBe(0)
      }
    })
  })

  it('gives ranges that stay as they are, also while a stream is read', async () => {
    await withSource(LARGE, async source => {
      const [part] = await source.random!.readRanges([{ start: 1000, end: 300000 }])
      const { bytes } = await drain(() => source.stream())
      expect(bytes.equals(LARGE)).toBe(true)
      expect(Buffer.compare(part!, LARGE.subarray(1000, 300000))).toBe(0)
    })
  })

  it.each([
    [LARGE.length - 1, LARGE.length + 1],
    [LARGE.length + 10, LARGE.length + 20],
    [10, 5],
    [-1, 5],
  ])('refuses the range %i to %i', async (start, end) => {
    await withSource(LARGE, async source => {
      const reading = source.random!.readRanges([
        { start: 0, end: 1 },
        { start, end },
      ])
      await expect(reading).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
    })
  })

  it('rejects ranged access with the reason itself when it was aborted', async () => {
    await withSource(LARGE, async source => {
      const reason = new Error('enough')
      const signal = AbortSignal.abort(reason)
      await expect(source.random!.readRanges([{ start: 0, end: 10 }], { signal })).rejects.toBe(reason)
      await expect(source.random!.size({ signal })).rejects.toBe(reason)
    })
  })
}
