import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BlockOptions, BlockSplitter } from '../../src/core/blocks.ts'
import { asBuffer, isUtf8 } from '../../src/core/text.ts'

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenient = new TextDecoder('utf-8', { ignoreBOM: true })

/** A block, copied: its bytes are lent. */
interface Seen {
  readonly text: string
  readonly ascii: boolean
  readonly source: Buffer
  readonly invalidAt: number | undefined
}

class TooLarge extends Error {}

const DEFAULTS: BlockOptions = {
  terminator: 10,
  maxRecordBytes: 1 << 24,
  tooLarge: () => new TooLarge(),
  encodingErrors: 'raise',
}

/** The blocks of `bytes` in chunks of a size. Each chunk is one memory, overwritten by the next as a source may do. */
function split(bytes: Uint8Array, chunkBytes: number, options: Partial<BlockOptions> = {}): Seen[] {
  const splitter = new BlockSplitter({ ...DEFAULTS, ...options })
  const seen: Seen[] = []
  const memory = Buffer.alloc(chunkBytes)
  const take = (blocks: ReturnType<BlockSplitter['flush']>) => {
    for (const { text, bytes, ascii, source, invalidAt } of blocks) {
      expect(source.length).toBe(bytes)
      seen.push({ text, ascii, source: Buffer.from(source), invalidAt })
    }
  }
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes)
    memory.fill(0xee)
    memory.set(part)
    take(splitter.push(memory.subarray(0, part.length)))
  }
  memory.fill(0xee)
  take(splitter.flush())
  return seen
}

/** What holds of all blocks of an input, in whatever chunks it came. */
function check(bytes: Uint8Array, seen: readonly Seen[], terminator: 10 | 13): void {
  expect(Buffer.concat(seen.map(block => block.source)).equals(asBuffer(bytes))).toBe(true)
  for (const [index, { text, ascii, source, invalidAt }] of seen.entries()) {
    expect(source.length).toBeGreaterThan(0)
    if (index < seen.length - 1) expect(source.at(-1)).toBe(terminator)
    expect(text).toBe(lenient.decode(source))
    if (ascii) expect(source.every(byte => byte < 128)).toBe(true)
    if (isUtf8(source)) expect(invalidAt).toBeUndefined()
    else {
      // One line, valid up to there.
      expect(source.subarray(0, -1).includes(terminator)).toBe(false)
      expect(() => strict.decode(source.subarray(0, invalidAt))).not.toThrow()
      for (let end = invalidAt! + 1; end <= source.length; end++) {
        expect(isUtf8(source.subarray(0, end))).toBe(false)
      }
    }
  }
}

const NASTY = Buffer.concat([
  Buffer.from('\uFEFFa,b\r\n1,é\n\n\n漢字,🦊\r\n'),
  Buffer.from([0x62, 0xff, 0x0a]),
  Buffer.from('ok\n'),
  Buffer.from([0xe2, 0x82, 0x0a, 0x80, 0x0a]),
  Buffer.from(`${'long '.repeat(30)}\nпоследняя без конца`),
])

describe('every chunk size', () => {
  for (const terminator of [10, 13] as const) {
    for (const blockBytes of [1, 5, 16, 8192]) {
      test(`terminator ${terminator}, blocks of ${blockBytes}`, () => {
        for (let chunkBytes = 1; chunkBytes <= NASTY.length; chunkBytes++) {
          check(NASTY, split(NASTY, chunkBytes, { terminator, blockBytes }), terminator)
        }
      })
    }
  }

  test('cut in two at every place', () => {
    for (let at = 0; at <= NASTY.length; at++) {
      const splitter = new BlockSplitter(DEFAULTS)
      const seen: Seen[] = []
      for (const part of [NASTY.subarray(0, at), NASTY.subarray(at)]) {
        const chunk = Uint8Array.from(part)
        for (const block of splitter.push(chunk)) {
          seen.push({ ...block, invalidAt: block.invalidAt, source: Buffer.from(block.source) })
        }
        chunk.fill(0xee)
      }
      for (const block of splitter.flush()) seen.push({ ...block, invalidAt: block.invalidAt })
      check(NASTY, seen, 10)
    }
  })

  test('random bytes of few kinds', () => {
    const byte = fc.constantFrom(10, 13, 97, 98, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0xa6, 0x8a, 0xff)
    const bytes = fc.array(byte, { maxLength: 60 }).map(list => Uint8Array.from(list))
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 61 }), fc.integer({ min: 1, max: 20 }), (input, chunk, block) => {
        check(input, split(input, chunk, { blockBytes: block }), 10)
      }),
      { seed: 21, numRuns: 2000 },
    )
  })
})

describe('blocks', () => {
  test('end at the last line end within their size, and hold one line that is longer', () => {
    const lines = ['aaaa\n', 'bbbb\n', 'cccccccccccccccccccc\n', 'dd\n', 'ee\n']
    const texts = split(Buffer.from(lines.join('')), 1000, { blockBytes: 10 }).map(block => block.text)
    expect(texts).toEqual(['aaaa\nbbbb\n', 'cccccccccccccccccccc\n', 'dd\nee\n'])
  })

  test('of 8 KiB, about, unless told otherwise', () => {
    const seen = split(Buffer.from('0123456789abcde\n'.repeat(4096)), 65536)
    expect(seen.map(block => block.source.length)).toEqual(Array.from({ length: 8 }, () => 8192))
  })

  test('of another size from the next one on, where that is changed on the way', () => {
    const splitter = new BlockSplitter({ ...DEFAULTS, blockBytes: 2 })
    const texts: string[] = []
    for (const { text } of splitter.push(Buffer.from('a\nb\nc\nd\ne\nf\n'))) {
      texts.push(text)
      splitter.blockBytes = 4
    }
    expect(texts).toEqual(['a\n', 'b\nc\n', 'd\ne\n', 'f\n'])
  })

  test('say where text is ASCII', () => {
    const seen = split(Buffer.from('plain\ncaf\u00e9\nplain\n'), 100, { blockBytes: 1 })
    expect(seen.map(block => block.ascii)).toEqual([true, false, true])
  })

  test('nothing comes of nothing', () => {
    expect(split(new Uint8Array(0), 1)).toEqual([])
    const splitter = new BlockSplitter(DEFAULTS)
    expect([...splitter.push(new Uint8Array(0))]).toEqual([])
    expect([...splitter.flush()]).toEqual([])
  })
})

describe('invalid UTF-8', () => {
  const lines = ['один\n', 'two\n', 'три\n', 'four']
  const text = Buffer.from(lines.join(''))

  test('at each position: the line alone is marked, with the place', () => {
    for (let at = 0; at <= text.length; at++) {
      const bytes = Buffer.concat([text.subarray(0, at), Buffer.from([0xff]), text.subarray(at)])
      for (const chunkBytes of [1, 3, bytes.length]) {
        const seen = split(bytes, chunkBytes)
        check(bytes, seen, 10)
        const marked = seen.filter(block => block.invalidAt !== undefined)
        expect(marked).toHaveLength(1)
        expect(marked[0]!.text).toContain('\uFFFD')
      }
    }
  })

  test('is replaced without a mark where that is wanted', () => {
    const bytes = Buffer.concat([Buffer.from('a\n'), Buffer.from([0x62, 0xff, 0xfe]), Buffer.from('\nпривет\n')])
    for (const chunkBytes of [1, 2, 100]) {
      const seen = split(bytes, chunkBytes, { encodingErrors: 'replace' })
      expect(seen.map(block => block.text).join('')).toBe('a\nb\uFFFD\uFFFD\nпривет\n')
      expect(seen.every(block => block.invalidAt === undefined)).toBe(true)
    }
  })
})

describe('a line without end', () => {
  test('stops at maxRecordBytes, whatever the chunks, after the lines before it were given', () => {
    for (const chunkBytes of [1, 7, 64]) {
      const splitter = new BlockSplitter({ ...DEFAULTS, maxRecordBytes: 100 })
      const texts: string[] = []
      let fed = 0
      const feed = (bytes: Buffer) => {
        for (let at = 0; at < bytes.length; at += chunkBytes) {
          const chunk = bytes.subarray(at, at + chunkBytes)
          fed += chunk.length
          for (const block of splitter.push(chunk)) texts.push(block.text)
        }
      }
      feed(Buffer.from('first\nsecond\n'))
      expect(() => feed(Buffer.alloc(10_000, 'x'))).toThrow(TooLarge)
      expect(texts.join('')).toBe('first\nsecond\n')
      expect(fed).toBeLessThanOrEqual(13 + 100 + chunkBytes)
    }
  })

  test('of exactly maxRecordBytes passes, one byte more does not', () => {
    for (const chunkBytes of [1, 7]) {
      expect(split(Buffer.alloc(100, 'x'), chunkBytes, { maxRecordBytes: 100 })).toHaveLength(1)
      expect(() => split(Buffer.alloc(101, 'x'), chunkBytes, { maxRecordBytes: 100 })).toThrow(TooLarge)
    }
  })

  test('a long one in small chunks is copied a few times, not once for each chunk', () => {
    const splitter = new BlockSplitter(DEFAULTS)
    const chunk = Buffer.alloc(1024, 'x')
    let copied = 0
    const copy = Buffer.prototype.copy
    Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<Buffer['copy']>): number {
      const bytes = copy.apply(this, args)
      copied += bytes
      return bytes
    }
    try {
      for (let i = 0; i < 10_240; i++) for (const block of splitter.push(chunk)) expect(block).toBeUndefined()
      const [block] = [...splitter.push(Buffer.from('\n'))]
      expect(block!.bytes).toBe(10 * 1024 * 1024 + 1)
    } finally {
      Buffer.prototype.copy = copy
    }
    expect(copied).toBeGreaterThan(10 * 1024 * 1024)
    expect(copied).toBeLessThan(4 * 10 * 1024 * 1024)
  })
})
