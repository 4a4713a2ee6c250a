/** Reading each encoding: whole, at every chunk boundary, and where it is wrong. */
import iconv from 'iconv-lite'
import { describe, expect, it } from 'vitest'
import { decodeText } from '../../src/core/encoding.ts'
import { charactersOf } from '../../src/core/encoding-single-byte.ts'
import { codeOf } from '../../src/testing/sample.ts'
import { CHUNK_SIZES, iconvName, isWide, NAMES, read, reference, sourceOfChunks, TEXTS } from './encoding-cases.ts'

const MULTI = ['shift_jis', 'euc-jp', 'gbk', 'gb18030', 'big5', 'euc-kr']
const SINGLE = NAMES.filter(name => !isWide(name) && !MULTI.includes(name))

describe.each(NAMES)('reading %s', name => {
  const text = TEXTS[name]!
  const bytes = reference(text, name)

  it.each(CHUNK_SIZES)('gives the text, in chunks of %i bytes', async chunkBytes => {
    const result = await read(bytes, name, { chunkBytes })
    expect(result.error).toBeUndefined()
    expect(result.bytes.toString()).toBe(text)
  })

  it('gives it wherever a chunk ends, each time whole characters', async () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)].filter(chunk => chunk.length > 0)
      let given = ''
      for await (const chunk of decodeText(sourceOfChunks(chunks), { encoding: name, onInvalid: 'raise' }).stream()) {
        expect(chunk.length).toBeGreaterThan(0)
        given += Buffer.from(chunk).toString()
      }
      expect(given).toBe(text)
    }
  })

  it('gives large inputs, of which each chunk stays until the next', async () => {
    const times = Math.ceil(600_000 / bytes.length)
    const result = await read(Buffer.concat(Array<Buffer>(times).fill(bytes)), name, { chunkBytes: 65537 })
    expect(result.error).toBeUndefined()
    expect(result.bytes.equals(Buffer.from(text.repeat(times)))).toBe(true)
  })

  it('takes the name in any case', async () => {
    expect((await read(bytes, name.toUpperCase())).bytes.toString()).toBe(text)
  })
})

describe('the tables of one byte', () => {
  /** Where iconv-lite has older tables than the standard. */
  const NEWER: Readonly<Record<string, readonly number[]>> = {
    'koi8-u': [0xae, 0xbe],
    macintosh: [0xbd, 0xdb, 0xf0],
    'x-mac-cyrillic': [0xa2, 0xb6, 0xff],
  }

  it.each(SINGLE)('are those of iconv-lite wherever that has a character: %s', name => {
    let compared = 0
    for (const [byte, unit] of charactersOf(name).entries()) {
      const other = iconv.decode(Buffer.of(byte), iconvName(name)).charCodeAt(0)
      if (NEWER[name]?.includes(byte)) expect(unit).not.toBe(other)
      else if (other !== 0xfffd) expect([byte, unit]).toEqual([byte, other])
      // The standard reads bytes without a character in Windows' code pages as control characters, which keeps them.
      else expect([0xfffd, byte < 0xa0 ? byte : 0xfffd]).toContain(unit)
      if (other !== 0xfffd) compared++
    }
    expect(compared).toBeGreaterThan(180)
  })

  it('read windows-1252 as Windows does, whatever this version of Node makes of it', async () => {
    const { bytes } = await read(
      Uint8Array.of(0x80, 0x91, 0x92, 0x93, 0x94, 0x96, 0x97, 0x99, 0x9f, 0xa4, 0xff),
      'latin1',
    )
    expect(bytes.toString()).toBe('€‘’“”–—™Ÿ¤ÿ')
  })

  it('read koi8-u and macintosh by the newer tables', async () => {
    expect((await read(Uint8Array.of(0xae, 0xbe), 'koi8-u')).bytes.toString()).toBe('ўЎ')
    expect((await read(Uint8Array.of(0xbd, 0xdb), 'macintosh')).bytes.toString()).toBe('Ω€')
  })
})

describe('the tables of several bytes', () => {
  /** Characters that iconv-lite writes and reads back, which it does by the standard's tables. */
  const charactersIn = (name: string) => {
    const found: string[] = []
    for (let point = 0x80; point < 0x2b000; point++) {
      if (point >= 0xd800 && point < 0xf900) continue
      const character = String.fromCodePoint(point)
      const bytes = iconv.encode(character, name)
      if (bytes[0] !== 0x3f && iconv.decode(bytes, name) === character) found.push(character)
    }
    return found
  }

  it.each([
    ['shift_jis', 7000, 12],
    ['euc-jp', 13000, 5],
    ['gbk', 21000, 5],
    ['gb18030', 100_000, 30],
    ['big5', 17000, 0],
    ['euc-kr', 17000, 0],
  ])('of %s have the characters of the standard', async (name, atLeast, otherwise) => {
    const characters = charactersIn(name)
    expect(characters.length).toBeGreaterThan(atLeast)
    const text = characters.join('\n')
    const { bytes } = await read(iconv.encode(text, name), name, { onInvalid: 'replace', chunkBytes: 4097 })
    const given = bytes.toString().split('\n')
    expect(given.length).toBe(characters.length)
    const differ = characters.filter((character, i) => given[i] !== character)
    expect(differ.length, differ.join(' ')).toBeLessThanOrEqual(otherwise)
  })

  it('have what ICU lacks: the euro of GBK, Hangul beyond KS X 1001, the characters of Hong Kong', async () => {
    expect((await read(Uint8Array.of(0x80, 0xa2, 0xe3), 'gbk')).bytes.toString()).toBe('€€')
    expect((await read(Uint8Array.of(0x8c, 0x63, 0xb6, 0xca), 'euc-kr')).bytes.toString()).toBe('똠똘')
    expect((await read(Uint8Array.of(0x9d, 0xee, 0x88, 0x62), 'big5')).bytes.toString()).toBe('㗎Ê\u0304')
  })

  it.each(MULTI)('have every character of ASCII at its place, beside others: %s', async name => {
    const ascii = String.fromCharCode(...Array.from({ length: 0x80 }, (_, byte) => byte))
    const other = reference('一', name)
    const bytes = Buffer.concat([Buffer.from(ascii), other, Buffer.from(ascii)])
    expect((await read(bytes, name)).bytes.toString()).toBe(`${ascii}一${ascii}`)
  })

  it('read U+FFFD where it is a character: GB 18030', async () => {
    const { bytes, error } = await read(Uint8Array.of(0x41, 0x84, 0x31, 0xa4, 0x37, 0x42), 'gb18030')
    expect(error).toBeUndefined()
    expect(bytes.toString()).toBe('A\ufffdB')
  })
})

/** Encoding, a wrong sequence, what else must come for it to be wrong, and how it reads when it is replaced. */
const WRONG: readonly (readonly [name: string, sequence: readonly number[], then: string, replaced: string])[] = [
  ['utf-16le', [0x3d, 0xd8], 'x', '\ufffdx'],
  ['utf-16le', [0x00, 0xde], 'x', '\ufffdx'],
  ['utf-16le', [0x3d, 0xd8], '😀', '\ufffd😀'],
  ['utf-16be', [0xd8, 0x3d], 'x', '\ufffdx'],
  ['utf-16be', [0xde, 0x00], '', '\ufffd'],
  ['utf-32le', [0, 0xd8, 0, 0], 'x', '\ufffdx'],
  ['utf-32be', [0, 0x11, 0, 0], 'x', '\ufffdx'],
  ['utf-32le', [0, 0, 0, 0xff], '', '\ufffd'],
  ['windows-1257', [0xa1], 'x', '\ufffdx'],
  ['windows-1255', [0xd9], '', '\ufffd'],
  ['iso-8859-6', [0xa1], 'x', '\ufffdx'],
  ['windows-874', [0xdb], 'x', '\ufffdx'],
  ['shift_jis', [0xfd], 'x', '\ufffdx'],
  ['shift_jis', [0x81], '\n', '\ufffd\n'],
  ['shift_jis', [0x81], ',', '\ufffd,'],
  ['shift_jis', [0x85, 0x7c], 'x', '\ufffd|x'],
  ['euc-jp', [0x81], 'x', '\ufffdx'],
  ['euc-jp', [0xa4], ',', '\ufffd,'],
  ['euc-jp', [0x8f, 0xa1], ',', '\ufffd,'],
  ['euc-jp', [0xa9, 0xa1], 'x', '\ufffdx'],
  ['gbk', [0xff], 'x', '\ufffdx'],
  ['gbk', [0x81], '\n', '\ufffd\n'],
  ['gb18030', [0x81], '0"', '\ufffd0"'],
  ['gb18030', [0xe3, 0x32, 0x9a, 0x36], 'x', '\ufffdx'],
  ['big5', [0x80], 'x', '\ufffdx'],
  ['big5', [0xa4], ',', '\ufffd,'],
  ['big5', [0x81, 0x7c], 'x', '\ufffd|x'],
  ['euc-kr', [0xff], 'x', '\ufffdx'],
  ['euc-kr', [0xb0], ';', '\ufffd;'],
  ['iso-2022-jp', [0xa4], 'x', '\ufffdx'],
  ['iso-2022-jp', [0x1b, 0x24, 0x42, 0x29, 0x21], '', '\ufffd'],
]

function encode(text: string, name: string): Buffer {
  if (name.startsWith('utf-32')) {
    const bytes = Buffer.concat(
      Array.from(text, character => {
        const one = Buffer.alloc(4)
        one.writeUInt32LE(character.codePointAt(0)!)
        return one
      }),
    )
    return name === 'utf-32le' ? bytes : bytes.swap32()
  }
  return name === 'iso-2022-jp' ? Buffer.from(text, 'latin1') : reference(text, name)
}

describe.each(WRONG)('wrong %s: %j before %j', (name, sequence, then, replaced) => {
  const escape = name === 'iso-2022-jp' && sequence.length > 1 ? 3 : 0
  const after = encode(then, name)

  it.each(CHUNK_SIZES)(
    'is told by its byte and line, after all that comes before, in chunks of %i',
    async chunkBytes => {
      for (const lines of [0, 1, 3]) {
        for (let more = 0; more < 9; more++) {
          const text = 'ab,cd\n'.repeat(lines) + 'z'.repeat(more)
          const before = encode(text, name)
          const result = await read(Buffer.concat([before, Buffer.from(sequence), after]), name, { chunkBytes })
          expect(codeOf(result.error)).toBe('TEXT_INVALID_ENCODING')
          expect(result.bytes.toString()).toBe(text)
          expect(result.error).toMatchObject({
            byte: before.length + escape,
            line: lines + 1,
            expected: name,
            label: 'x.csv',
          })
        }
      }
    },
  )

  it.each(CHUNK_SIZES)('is replaced by option, in chunks of %i bytes', async chunkBytes => {
    for (const text of ['', 'ab,cd\n', 'z'.repeat(70)]) {
      const one = Buffer.concat([encode(text, name), Buffer.from(sequence), after])
      const result = await read(Buffer.concat([one, one]), name, { chunkBytes, onInvalid: 'replace' })
      expect(result.error).toBeUndefined()
      // The state of ISO-2022-JP goes on: the second time it is two bytes that make another character.
      const whole = result.bytes.toString()
      if (escape === 0) expect(whole).toBe((text + replaced).repeat(2))
      else expect(whole.startsWith(text + replaced)).toBe(true)
    }
  })
})

describe('a byte order mark and an error', () => {
  it('count the mark', async () => {
    const { error, bytes } = await read(Buffer.from([0xff, 0xfe, 0x41, 0, 0, 0xd8, 0x42, 0]), 'auto')
    expect(bytes.toString()).toBe('A')
    expect(error).toMatchObject({ code: 'TEXT_INVALID_ENCODING', byte: 4, line: 1, found: 'bytes 00 D8' })
    expect(String(error)).toContain('half of a surrogate pair of utf-16le')
  })
})

/** What is begun and not ended, byte by byte. */
const CUT: readonly (readonly [name: string, character: readonly number[], replaced: readonly string[]])[] = [
  ['utf-16le', [0x3d, 0xd8, 0x00, 0xde], ['\ufffd', '\ufffd', '\ufffd\ufffd']],
  ['utf-16be', [0xd8, 0x3d, 0xde, 0x00], ['\ufffd', '\ufffd', '\ufffd\ufffd']],
  ['utf-32le', [0x41, 0, 0, 0], ['\ufffd', '\ufffd', '\ufffd']],
  ['shift_jis', [0x82, 0xa0], ['\ufffd']],
  ['euc-jp', [0x8f, 0xb0, 0xa1], ['\ufffd', '\ufffd\ufffd']],
  ['gbk', [0xb0, 0xa1], ['\ufffd']],
  ['gb18030', [0x81, 0x39, 0xef, 0x30], ['\ufffd', '\ufffd9', '\ufffd9\ufffd']],
  ['big5', [0xa4, 0x40], ['\ufffd']],
  ['euc-kr', [0xb0, 0xa1], ['\ufffd']],
  ['iso-2022-jp', [0x1b, 0x24, 0x42, 0x24], ['\ufffd', '\ufffd$']],
]

describe.each(CUT)('%s that ends inside %j', (name, character, replaced) => {
  it.each(CHUNK_SIZES)('is told by the byte where it begins, or replaced, in chunks of %i', async chunkBytes => {
    for (const [i, wanted] of replaced.entries()) {
      const before = encode('ab\nc', name)
      const bytes = Buffer.concat([before, Buffer.from(character.slice(0, i + 1))])
      const { error, bytes: given } = await read(bytes, name, { chunkBytes })
      expect(error).toMatchObject({ code: 'TEXT_INVALID_ENCODING', byte: before.length, line: 2 })
      expect(String(error)).toContain('ends inside a character')
      expect(given.toString()).toBe('ab\nc')
      const lenient = await read(bytes, name, { chunkBytes, onInvalid: 'replace' })
      expect(lenient.error).toBeUndefined()
      expect(lenient.bytes.toString()).toBe(`ab\nc${wanted}`)
    }
  })
})

describe('ISO-2022-JP', () => {
  /** 名前 in two bytes, ASCII, Roman with yen and overline, Katakana of one byte. */
  const bytes = Buffer.from('id,\x1b$BL>A0\x1b(B\n1,\x1b(J\\~a\x1b(B,\x1b(I1_\x1b(B\n\x1b$@0!\x1b(B', 'latin1')
  const text = 'id,名前\n1,¥‾a,ｱﾟ\n亜'

  it.each(CHUNK_SIZES)('is read, in chunks of %i bytes', async chunkBytes => {
    const result = await read(bytes, 'iso-2022-jp', { chunkBytes })
    expect(result.error).toBeUndefined()
    expect(result.bytes.toString()).toBe(text)
  })

  it('is what TextDecoder reads', () => {
    expect(new TextDecoder('iso-2022-jp').decode(bytes)).toBe(text)
  })

  it.each(CHUNK_SIZES)('tells a line that ends in the state of two bytes, in chunks of %i', async chunkBytes => {
    const forgotten = Buffer.from('a\n\x1b$BL>\nb,c\n', 'latin1')
    const result = await read(forgotten, 'iso-2022-jp', { chunkBytes })
    expect(result.bytes.toString()).toBe('a\n名')
    expect(result.error).toMatchObject({ code: 'TEXT_INVALID_ENCODING', byte: 7, line: 2, found: 'byte 0A' })
    const lenient = await read(forgotten, 'iso-2022-jp', { chunkBytes, onInvalid: 'replace' })
    expect(lenient.bytes.toString()).toBe('a\n名\ufffd\nb,c\n')
  })
})
