/**
 * What every `ByteSink` promises, as a suite that a plug-in's test calls:
 *
 *     sinkContract('file', async old => ({ sink: await openFileSink(…), content, cleanup }), { atomic: true })
 */
import { describe, expect, it } from 'vitest'
import type { ByteSink } from '../core/types.ts'
import { noise, table, turns } from './sample.ts'

/** A sink to test. */
export interface SinkCase {
  /** The sink, open. */
  readonly sink: ByteSink
  /** What a reader of the place finds there now; undefined where nothing is. */
  content(): Promise<Uint8Array | undefined> | Uint8Array | undefined
  /** How many descriptors, sockets, temp files the sink holds now, where that can be counted. */
  readonly openCount?: () => number | Promise<number>
  /** Removes what was made for the case; called after the sink is disposed. */
  readonly cleanup?: () => PromiseLike<void> | void
}

/** What the place can do. Tests of a facet run where it is declared. */
export interface SinkFacets {
  /** Whether nothing is visible before `close()`, and the old content stays after an abort. */
  readonly atomic: boolean
  /** Opens a sink that continues `old`, where the place can. Default: none. */
  readonly makeAppending?: (old: Uint8Array) => Promise<SinkCase>
}

const OLD = table(5000)
const CHUNKS = [table(70), noise(1), noise(0), noise(65536), noise(3), noise(1024 * 1024 + 1), table(200_000)]
const WHOLE = Buffer.concat(CHUNKS)

/** Declares the suite. `makeSink` opens a sink to a place that holds `old`, or nothing. */
export function sinkContract(
  name: string,
  makeSink: (old: Uint8Array | undefined) => Promise<SinkCase>,
  facets: SinkFacets,
): void {
  async function use(made: Promise<SinkCase>, work: (sink: ByteSink, held: SinkCase) => Promise<void>) {
    const held = await made
    try {
      await work(held.sink, held)
    } finally {
      await held.sink[Symbol.asyncDispose]()
      expect((await held.openCount?.()) ?? 0).toBe(0)
      await held.cleanup?.()
    }
  }
  const withSink = (old: Uint8Array | undefined, work: (sink: ByteSink, held: SinkCase) => Promise<void>) =>
    use(makeSink(old), work)
  const writeAll = async (sink: ByteSink) => {
    for (const chunk of CHUNKS) await sink.write(chunk)
  }
  const expectContent = async ({ content }: SinkCase, wanted: Uint8Array | undefined) => {
    const found = await content()
    if (wanted === undefined) expect(found).toBeUndefined()
    else {
      expect(found?.length).toBe(wanted.length)
      expect(Buffer.compare(found!, wanted)).toBe(0)
    }
  }
  /** Where the place cannot take back what it has sent, only the sink's own state is promised. */
  const expectOld = (held: SinkCase, old: Uint8Array | undefined) =>
    facets.atomic ? expectContent(held, old) : Promise.resolve()

  describe(`sink contract: ${name}`, () => {
    it.each([
      ['nothing', undefined],
      ['other content', OLD],
    ])('has everything in order after close, over %s', async (_, old) => {
      await withSink(old, async (sink, held) => {
        await writeAll(sink)
        await sink.close()
        await expectContent(held, WHOLE)
      })
    })

    it('is empty after close without a write', async () => {
      await withSink(OLD, async (sink, held) => {
        await sink.close()
        await expectContent(held, new Uint8Array(0))
      })
    })

    it('lets the chunk be overwritten once the write has settled', async () => {
      await withSink(undefined, async (sink, held) => {
        const chunk = Buffer.alloc(100_000)
        const wanted: Buffer[] = []
        for (let i = 0; i < 20; i++) {
          noise(chunk.length, i + 1).copy(chunk)
          wanted.push(Buffer.from(chunk))
          await sink.write(chunk)
          chunk.fill(0xff)
        }
        await sink.close()
        await expectContent(held, Buffer.concat(wanted))
      })
    })

    if (facets.atomic) {
      it.each([
        ['nothing', undefined],
        ['the old content', OLD],
      ])('shows %s until close', async (_, old) => {
        await withSink(old, async (sink, held) => {
          await expectContent(held, old)
          await writeAll(sink)
          await turns()
          await expectContent(held, old)
          await sink.close()
          await expectContent(held, WHOLE)
        })
      })
    }

    it.each<[string, (sink: ByteSink) => Promise<void>]>([
      ['abort', sink => sink.abort(new Error('enough'))],
      ['abort without a reason', sink => sink.abort()],
      ['dispose without close', async sink => sink[Symbol.asyncDispose]()],
    ])('leaves the old content after %s, and takes nothing more', async (_, end) => {
      for (const old of [undefined, OLD]) {
        await withSink(old, async (sink, held) => {
          await writeAll(sink)
          await end(sink)
          await expectOld(held, old)
          await expect(sink.write(noise(10))).rejects.toThrow()
          await expect(sink.close()).rejects.toThrow()
          await expectOld(held, old)
        })
      }
    })

    it('can be aborted while a write is under way', async () => {
      await withSink(OLD, async (sink, held) => {
        const writing = sink.write(noise(8 * 1024 * 1024)).then(
          () => 'settled',
          () => 'settled',
        )
        await sink.abort(new Error('enough'))
        expect(await writing).toBe('settled')
        await expectOld(held, OLD)
        await expect(sink.close()).rejects.toThrow()
      })
    })

    it('can be aborted twice, and at once from two sides', async () => {
      await withSink(OLD, async (sink, held) => {
        await sink.write(noise(10))
        await Promise.all([sink.abort(new Error('one')), sink.abort(new Error('two'))])
        await sink.abort()
        await expectOld(held, OLD)
      })
    })

    it('can be aborted before the first write', async () => {
      await withSink(OLD, async (sink, held) => {
        await sink.abort()
        await expectOld(held, OLD)
      })
    })

    it('keeps what it has published: abort and dispose after close do nothing', async () => {
      await withSink(OLD, async (sink, held) => {
        await writeAll(sink)
        await sink.close()
        await sink.abort(new Error('too late'))
        await sink[Symbol.asyncDispose]()
        await expectContent(held, WHOLE)
      })
    })

    it('refuses a write after close, and a second close does nothing', async () => {
      await withSink(undefined, async (sink, held) => {
        await writeAll(sink)
        await sink.close()
        await expect(sink.write(noise(10))).rejects.toMatchObject({ code: 'HANDLE_CLOSED' })
        await sink.close()
        await expectContent(held, WHOLE)
      })
    })

    it('has a label without credentials', async () => {
      await withSink(undefined, async sink => {
        expect(sink.label).toMatch(/./)
        expect(sink.label).not.toMatch(/:\/\/[^/?#]*@/)
      })
    })

    const { makeAppending } = facets
    if (makeAppending !== undefined) {
      it.each([
        ['content', OLD],
        ['nothing', new Uint8Array(0)],
      ])('continues %s', async (_, old) => {
        await use(makeAppending(old), async (sink, held) => {
          await writeAll(sink)
          if (facets.atomic) await expectContent(held, old)
          await sink.close()
          await expectContent(held, Buffer.concat([old, WHOLE]))
        })
      })

      it('leaves the content as it was when appending is aborted', async () => {
        await use(makeAppending(OLD), async (sink, held) => {
          await writeAll(sink)
          await sink.abort(new Error('enough'))
          await expectOld(held, OLD)
        })
      })
    }
  })
}
