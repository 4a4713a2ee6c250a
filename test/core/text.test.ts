import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asBuffer, utf8Text, validUtf8Length } from '../../src/core/text.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function isValid(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** By the plainest means: the longest prefix that is valid as a whole. */
function longestValidPrefix(bytes: Uint8Array): number {
  let length = bytes.length
  while (!isValid(bytes.subarray(0, length))) length--
  return length
}

const SCRIPTS = {
  ascii: 'plain text, with "quotes" and\tcontrols',
  latin: 'Grüße aus Zürich, ça va? Ærø',
  cyrillic: 'Быстрая коричневая лиса',
  japanese: '素早い茶色の狐がのろまな犬を飛び越える',
  astral: '🦊🐶𝒳𐍈',
  marks: '\uFEFFa\uFEFF\u2028\u2029\u0000\uFFFD',
}

describe('asBuffer', () => {
  test('is a view of the same memory, of part of it too', () => {
    const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
    const buffer = asBuffer(bytes)
    expect([...buffer]).toEqual([2, 3])
    buffer[0] = 9
    expect(bytes[0]).toBe(9)
    expect(asBuffer(buffer)).toBe(buffer)
  })
})

describe('utf8Text', () => {
  for (const [name, text] of Object.entries(SCRIPTS)) {
    for (const times of [1, 50, 3000]) {
      test(`${name} × ${times}, within a larger buffer`, () => {
        const whole = Buffer.from(`«${text.repeat(times)}»`)
        const start = Buffer.byteLength('«')
        const result = utf8Text(whole, start, whole.length - start)
        expect(result === text.repeat(times)).toBe(true)
      })
    }
  }

  test('a byte order mark stays, also before text dense enough for another road', () => {
    const text = `\uFEFF${'яшма'.repeat(200)}`
    const bytes = Buffer.from(text)
    expect(utf8Text(bytes, 0, bytes.length) === text).toBe(true)
  })

  test('equals TextDecoder on random text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.nat(50), (text, before) => {
        const bytes = Buffer.from('x'.repeat(before) + text)
        expect(utf8Text(bytes, before, bytes.length)).toBe(strict.decode(bytes.subarray(before)))
      }),
      { seed: 11, numRuns: 2000 },
    )
  })
})

describe('validUtf8Length', () => {
  const WRONG: readonly (readonly [string, readonly number[]])[] = [
    ['a continuation without a lead', [0x80]],
    ['a byte that never occurs', [0xff]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong three-byte form', [0xe0, 0x80, 0xaf]],
    ['an overlong four-byte form', [0xf0, 0x80, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a lead of five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ['two bytes, cut short', [0xc3]],
    ['three bytes, cut short', [0xe2, 0x82]],
    ['four bytes, cut short', [0xf0, 0x9f, 0xa6]],
    ['a lead before a lead', [0xe2, 0xc3, 0xa9]],
  ]
  const text = Buffer.from('aé€🦊,b"漢\n')

  for (const [name, wrong] of WRONG) {
    test(`${name}, at every position of a text`, () => {
      for (let at = 0; at <= text.length; at++) {
        const bytes = Buffer.concat([text.subarray(0, at), Buffer.from(wrong), text.subarray(at)])
        expect([at, validUtf8Length(bytes)]).toEqual([at, longestValidPrefix(bytes)])
      }
    })
  }

  test('all of it, where it is valid', () => {
    for (const script of Object.values(SCRIPTS)) {
      const bytes = Buffer.from(script.repeat(30))
      expect(validUtf8Length(bytes)).toBe(bytes.length)
    }
    expect(validUtf8Length(Buffer.alloc(0))).toBe(0)
  })

  test('at every cut of valid text', () => {
    const bytes = Buffer.from(SCRIPTS.astral + SCRIPTS.japanese + SCRIPTS.latin)
    for (let end = 0; end <= bytes.length; end++) {
      const part = bytes.subarray(0, end)
      expect(validUtf8Length(part)).toBe(longestValidPrefix(part))
    }
  })

  test('equals the plainest means on random bytes, and on text with one byte changed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
        expect(validUtf8Length(bytes)).toBe(longestValidPrefix(bytes))
      }),
      { seed: 12, numRuns: 3000 },
    )
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.nat(255),
        (text, at, byte) => {
          const bytes = Buffer.from(text)
          bytes[at % bytes.length] = byte
          expect(validUtf8Length(bytes)).toBe(longestValidPrefix(bytes))
        },
      ),
      { seed: 13, numRuns: 2000 },
    )
  })
})
