/** What decoding promises: every byte, every damage told, limits, release. */
import { describe, expect, it } from 'vitest'
import { ChunkedSource } from './codec-ports.ts'
import {
  CHUNK_SIZES,
  CODEC_SAMPLES,
  type CodecSubject,
  decodeBy,
  LARGE,
  MEDIUM,
  SECOND,
  SMALL,
} from './codec-samples.ts'
import { codeOf, drain, noise, turns } from './sample.ts'

/** Declares the tests of the decoding half. */
export function decodingContract({ name, codec, reference, facets }: CodecSubject): void {
  const decode = (encoded: Uint8Array, chunkBytes?: number) => decodeBy(codec, encoded, chunkBytes)
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
}
