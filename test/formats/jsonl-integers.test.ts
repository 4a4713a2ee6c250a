/** The look at the bytes that tells where an integer may be that no number holds. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { indexOfUnsafeInteger } from '../../src/core/json-integers.ts'

/** The same by a regular expression: where it may begin, its digits, and what may follow. */
const INTEGER = /(?<=(?:^|[ \t\r\n,:[])-?)[0-9]+(?=[ \t\r\n,\]}]|$)/g

function indexByExpression(bytes: Buffer, from: number): number {
  for (const { 0: digits, index } of bytes.toString('latin1', from).matchAll(INTEGER)) {
    if (!digits.startsWith('0') && BigInt(digits) > BigInt(Number.MAX_SAFE_INTEGER)) return from + index
  }
  return -1
}

const digits = fc
  .tuple(fc.constantFrom(1, 4, 9, 15, 16, 17, 18, 22, 33), fc.constantFrom('9', '9007199254740991', '12345678'))
  .map(([length, pattern]) => pattern.repeat(length).slice(0, length))
const parts = fc.array(fc.oneof(digits, fc.constantFrom(...':,- "a.;<?[]\n{}0é', '9007199254740992')), {
  maxLength: 12,
})

test('finds what a regular expression finds, wherever in memory the bytes begin', () => {
  let found = 0
  fc.assert(
    fc.property(parts, fc.nat(8), fc.nat(8), fc.nat(), (texts, before, behind, skipped) => {
      const text = Buffer.from(texts.join(''))
      // Digits all around: they are none of its own.
      const memory = Buffer.concat([Buffer.alloc(before, '7'), text, Buffer.alloc(behind, '7')])
      const bytes = memory.subarray(before, before + text.length)
      const from = skipped % (text.length + 1)
      for (const start of [0, from]) {
        const expected = indexByExpression(bytes, start)
        if (expected >= 0) found++
        expect(indexOfUnsafeInteger(bytes, start)).toBe(expected)
      }
    }),
    { seed: 20240611, numRuns: 20_000 },
  )
  expect(found).toBeGreaterThan(5000)
})
