import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CHUNK_BYTES, OutputBuffer } from '../../src/core/bytes.ts'

const textOf = (out: OutputBuffer) => out.bytes.toString('utf8', 0, out.length)

function numberText(value: number): string {
  const out = new OutputBuffer()
  out.appendNumber(value)
  return textOf(out)
}

describe('OutputBuffer', () => {
  it('lends a chunk until the chunk after the next', () => {
    const out = new OutputBuffer()
    out.appendAscii('first')
    const first = out.take()
    out.appendAscii('second')
    expect(Buffer.from(first).toString()).toBe('first')
    const second = out.take()
    expect(Buffer.from(first).toString()).toBe('first')
    out.appendAscii('third')
    expect(Buffer.from(second).toString()).toBe('second')
    expect(Buffer.from(first).toString()).toBe('third')
  })

  it('grows with what is in it, and gives a large buffer back', () => {
    const out = new OutputBuffer()
    const small = out.bytes.length
    out.appendAscii('start ')
    const long = 'é'.repeat(CHUNK_BYTES * 16)
    out.appendText(long)
    expect(textOf(out)).toBe(`start ${long}`)
    out.take()
    out.take()
    expect(out.bytes.length).toBe(small)
  })

  it('takes back what is written since a length', () => {
    const out = new OutputBuffer()
    out.appendAscii('kept')
    const start = out.length
    out.appendText('x'.repeat(CHUNK_BYTES * 3))
    out.length = start
    out.appendAscii('!')
    expect(textOf(out)).toBe('kept!')
  })

  it.each([
    0,
    7,
    10,
    99,
    100,
    12_345,
    999_999_999,
    -1,
    -999_999_999,
    1e9,
    -1e9,
    1_700_000_000_000,
    -1_000_000_000_001,
    1e15 - 1,
    1e15,
    2 ** 53,
    1e21,
    1e-7,
    0.5,
    -0.25,
    0.0001,
    0.00001,
    99_999.9999,
    -99_999.9999,
    100_000.5,
    1 / 3,
    0.1 + 0.2,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    Number.EPSILON,
  ])('writes %d in its shortest form', value => {
    expect(numberText(value)).toBe(String(value))
  })

  it('writes -0 as String does', () => {
    expect(numberText(-0)).toBe('0')
  })

  it('writes every number as String does', () => {
    const decimals = fc.tuple(fc.integer(), fc.constantFrom(1, 10, 100, 1e3, 1e4, 1e5)).map(([n, d]) => n / d)
    const numbers = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger(), decimals)
    fc.assert(
      fc.property(numbers, value => numberText(value) === String(value)),
      { seed: 1, numRuns: 20_000 },
    )
  })

  it('appends bytes and text of every length', () => {
    const out = new OutputBuffer()
    let expected = ''
    for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 1000, CHUNK_BYTES]) {
      out.appendAscii('a'.repeat(length))
      out.append(Buffer.from('b'.repeat(length)))
      expected += 'a'.repeat(length) + 'b'.repeat(length)
    }
    expect(textOf(out)).toBe(expected)
  })
})
