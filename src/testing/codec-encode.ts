/** What encoding promises: bytes that others read, levels, backpressure, one end. */
import { describe, expect, it } from 'vitest'
import type { ByteSink } from '../core/types.ts'
import { CollectingSink } from './codec-ports.ts'
import { CHUNK_SIZES, type CodecSubject, decodeBy, encodeBy, LARGE, MEDIUM, SMALL } from './codec-samples.ts'
import { codeOf, noise, table, turns } from './sample.ts'

/** Declares the tests of the encoding half. */
export function encodingContract({ name, codec, reference, facets }: CodecSubject): void {
  const decode = (encoded: Uint8Array) => decodeBy(codec, encoded)
  const encode = (bytes: Uint8Array, chunkBytes?: number, level?: number) => encodeBy(codec, bytes, chunkBytes, level)

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
