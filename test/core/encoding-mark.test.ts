import { describe, expect, it } from 'vitest'
import { decodeText } from '../../src/core/encoding.ts'
import { decodeMarkedText } from '../../src/core/encoding-mark.ts'
import type { ByteSource } from '../../src/core/types.ts'
import { drain } from '../../src/testing/sample.ts'
import { sourceContract } from '../../src/testing/source.ts'

function sourceOf(bytes: Uint8Array, size = 65_536): ByteSource {
  return {
    label: 'x',
    replayable: true,
    async *stream({ signal } = {}) {
      // One buffer for all chunks: they are only lent.
      const lent = Buffer.alloc(size)
      for (let at = 0; at < bytes.length; at += size) {
        signal?.throwIfAborted()
        const part = bytes.subarray(at, at + size)
        lent.set(part)
        yield lent.subarray(0, part.length)
      }
      signal?.throwIfAborted()
    },
    async [Symbol.asyncDispose]() {},
  }
}

sourceContract('text that may be marked', async bytes => ({ source: decodeMarkedText(sourceOf(bytes), 'raise') }), {
  replayable: true,
})

describe('decodeMarkedText', () => {
  const text = 'é漢🙂\n'
  const swapped = Buffer.from(`\ufeff${text}`, 'utf16le').swap16()
  const inputs: Record<string, Uint8Array> = {
    nothing: Buffer.alloc(0),
    'one byte': Buffer.from('a'),
    'half a mark': Buffer.from([0xff]),
    'three bytes': Buffer.from('abc'),
    'UTF-8': Buffer.from(text),
    'UTF-8 with a mark': Buffer.from(`\ufeff${text}`),
    'UTF-16 LE': Buffer.from(`\ufeff${text}`, 'utf16le'),
    'UTF-16 BE': swapped,
    'UTF-16 LE, the mark alone': Buffer.from([0xff, 0xfe]),
    'UTF-32 LE': Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]),
    'NUL bytes': Buffer.from([0, 0, 0x61]),
    'no text': Buffer.from([0xff, 0x61, 0x62, 0x63]),
  }
  for (const [name, bytes] of Object.entries(inputs)) {
    it(`gives what decodeText gives: ${name}`, async () => {
      for (const size of [1, 2, 3, 4, 5, 100]) {
        const options = { encoding: 'auto', onInvalid: 'raise' } as const
        const expected = await drain(() => decodeText(sourceOf(bytes, size), options).stream())
        const found = await drain(() => decodeMarkedText(sourceOf(bytes, size), 'raise').stream())
        expect([size, found.bytes.toString('hex'), found.failed]).toEqual([
          size,
          expected.bytes.toString('hex'),
          expected.failed,
        ])
      }
    })
  }
})
