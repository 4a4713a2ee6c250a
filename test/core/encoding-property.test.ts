/** Random texts and random bytes, in random chunks: the chunks never matter, and nothing is lost in silence. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeText, encodeText } from '../../src/core/encoding.ts'
import { codeOf, drain } from '../../src/testing/sample.ts'
import { MemorySink, NAMES, read, sourceOfChunks, TEXTS } from './encoding-cases.ts'

const RUNS = Number(process.env.OPEN_ITERABLE_PROPERTY_RUNS ?? 300)
const SEED = Number(process.env.OPEN_ITERABLE_PROPERTY_SEED ?? 20260301)
const ALL = [...NAMES, 'utf-32le', 'utf-32be', 'iso-2022-jp']

const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 })

function split(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length]!
    chunks.push(Uint8Array.from(bytes.subarray(at, at + length)))
    at += length
  }
  return chunks
}

describe.each(ALL)('%s', name => {
  const text = TEXTS[name] ?? 'ab\n'
  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...new Set(text), ',', '\n', '"', '|', '0') },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
  )
  // Bytes that mean something in one of the encodings, besides any others.
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0x0a, 0x2c, 0x30, 0x7c, 0x81, 0x8e, 0x8f, 0xa1, 0xd8, 0xdc, 0xfe, 0x1b, 0x24, 0x28, 0x42, 0x21),
  )
  const randomBytes = fc.array(byte, { maxLength: 60 }).map(bytes => Uint8Array.from([0x61, ...bytes]))

  it('reads bytes the same in any chunks, strictly and leniently', async () => {
    await fc.assert(
      fc.asyncProperty(randomBytes, cuts, async (bytes, lengths) => {
        for (const onInvalid of ['raise', 'replace'] as const) {
          const whole = await read(bytes, name, { onInvalid })
          const source = sourceOfChunks(split(bytes, lengths))
          const parts = await drain(() => decodeText(source, { encoding: name, onInvalid }).stream())
          expect(parts.bytes.toString('hex')).toBe(whole.bytes.toString('hex'))
          expect(String(parts.error)).toBe(String(whole.error))
          if (onInvalid === 'replace') expect(whole.error).toBeUndefined()
          else if (whole.error !== undefined) {
            expect(codeOf(whole.error)).toBe('TEXT_INVALID_ENCODING')
            const { byte: at } = whole.error as { byte: number }
            // Up to there it is right, and the text up to there is what was given.
            const before = await read(bytes.subarray(0, at), name)
            if (name !== 'iso-2022-jp') expect(before.error).toBeUndefined()
            expect(before.bytes.equals(whole.bytes)).toBe(true)
          }
        }
      }),
      { numRuns: RUNS, seed: SEED },
    )
  })

  if (!TEXTS[name]) return

  it('writes in any chunks what it reads back, or tells the first character that it lacks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), cuts, async (pieces, lengths) => {
        const input = pieces.join('').toWellFormed()
        const attempt = async (chunks: readonly Uint8Array[], onUnmappable: 'raise' | 'replace') => {
          const inner = new MemorySink()
          const sink = encodeText(inner, { encoding: name, bom: false, onUnmappable })
          try {
            for (const chunk of chunks) await sink.write(chunk)
            await sink.close()
          } catch (error) {
            return { error }
          }
          return { bytes: inner.content! }
        }
        const chunks = split(Buffer.from(input), lengths)
        const whole = await attempt([Buffer.from(input)], 'raise')
        const parts = await attempt(chunks, 'raise')
        expect(String(parts.error)).toBe(String(whole.error))
        if (whole.bytes !== undefined) {
          expect(parts.bytes!.equals(whole.bytes)).toBe(true)
          const back = await drain(() =>
            decodeText(sourceOfChunks(split(Buffer.concat([Buffer.from(whole.bytes!)]), lengths)), {
              encoding: name,
              onInvalid: 'raise',
            }).stream(),
          )
          // A text may begin with what is a byte order mark.
          if (codeOf(back.error) !== 'ENCODING_MISMATCH')
            expect(back.bytes.toString()).toBe(input.replace(name.startsWith('utf-16') ? /^\ufeff/ : /^$/, ''))
        } else {
          expect(codeOf(whole.error)).toBe('TEXT_UNMAPPABLE')
          const lenient = await attempt(chunks, 'replace')
          const again = await attempt([Buffer.from(input)], 'replace')
          expect(lenient.bytes!.equals(again.bytes!)).toBe(true)
          const { byte: at } = whole.error as { byte: number }
          expect(lenient.bytes![at]).toBe(0x3f)
        }
      }),
      { numRuns: RUNS, seed: SEED },
    )
  })
})
