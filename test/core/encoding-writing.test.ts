/** Writing each encoding: what other implementations read, at every chunk boundary, and what it lacks. */
import iconv from 'iconv-lite'
import { describe, expect, it } from 'vitest'
import { encodeText } from '../../src/core/encoding.ts'
import { codeOf } from '../../src/testing/sample.ts'
import { CHUNK_SIZES, isWide, MemorySink, NAMES, read, reference, TEXTS, write } from './encoding-cases.ts'

const MULTI = ['shift_jis', 'euc-jp', 'gbk', 'gb18030', 'big5', 'euc-kr']

describe.each(NAMES)('writing %s', name => {
  const text = TEXTS[name]!
  const wanted = reference(text, name)

  it.each(CHUNK_SIZES)('gives the bytes that iconv-lite gives, in chunks of %i bytes', async chunkBytes => {
    expect((await write(text, name, { chunkBytes, bom: false })).equals(wanted)).toBe(true)
  })

  it('gives them wherever a chunk ends', async () => {
    const bytes = Buffer.from(text)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const inner = new MemorySink()
      const sink = encodeText(inner, { encoding: name, bom: false, onUnmappable: 'raise' })
      await sink.write(bytes.subarray(0, cut))
      await sink.write(bytes.subarray(cut))
      await sink.close()
      expect(inner.content!.equals(wanted)).toBe(true)
    }
  })

  it('is empty where nothing is written', async () => {
    expect((await write('', name)).length).toBe(0)
  })

  it('is read back', async () => {
    const { bytes, error } = await read(await write(text, name), name)
    expect(error).toBeUndefined()
    expect(bytes.toString()).toBe(text)
  })
})

describe('byte order marks', () => {
  it.each(CHUNK_SIZES)('are written by option, once, in chunks of %i bytes', async chunkBytes => {
    const hex = async (text: string, name: string, bom?: boolean) =>
      (await write(text, name, { chunkBytes, ...(bom === undefined ? {} : { bom }) })).toString('hex')
    expect(await hex('é', 'utf-16')).toBe('fffee900')
    expect(await hex('é', 'utf-16le')).toBe('fffee900')
    expect(await hex('é', 'utf-16be')).toBe('feff00e9')
    expect(await hex('é', 'utf-16be', false)).toBe('00e9')
    expect(await hex('é', 'utf-8')).toBe('c3a9')
    expect(await hex('é', 'utf-8', true)).toBe('efbbbfc3a9')
    // A format that writes its own.
    expect(await hex('\ufeffé', 'utf-16be')).toBe('feff00e9')
    expect(await hex('\ufeffé', 'utf-8', true)).toBe('efbbbfc3a9')
    expect(await hex('\ufeffé', 'utf-16le', false)).toBe('fffee900')
    expect(await hex('aé', 'utf-8', true)).toBe('efbbbf61c3a9')
  })

  it('make UTF-16 a file that is read without being told', async () => {
    const { bytes } = await read(await write('é,😀\n', 'utf-16be'), 'auto')
    expect(bytes.toString()).toBe('é,😀\n')
  })

  it.each(['latin1', 'shift_jis'])('are refused where there is none: %s', name => {
    expect(() => encodeText(new MemorySink(), { encoding: name, bom: true, onUnmappable: 'raise' })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})

describe('characters that the encoding lacks', () => {
  const LACKS: readonly (readonly [name: string, character: string, codes: string])[] = [
    ['windows-1252', 'Ł', 'U+0141'],
    ['windows-1252', '😀', 'U+1F600'],
    ['latin1', '€', 'U+20AC'],
    ['latin1', '\x80', 'U+0080'],
    ['iso-8859-9', '€', 'U+20AC'],
    ['ascii', 'é', 'U+00E9'],
    ['koi8-r', 'é', 'U+00E9'],
    ['windows-1253', '\uffff', 'U+FFFF'],
    ['iso-8859-6', '\ufffd', 'U+FFFD'],
    ['shift_jis', 'é', 'U+00E9'],
    ['shift_jis', '😀', 'U+1F600'],
    ['euc-jp', '😀', 'U+1F600'],
    ['gbk', '😀', 'U+1F600'],
    ['big5', '\u0304', 'U+0304'],
    ['euc-kr', 'é', 'U+00E9'],
  ]

  describe.each(LACKS)('in %s: %j', (name, character, codes) => {
    it.each(CHUNK_SIZES)('are told by character, line and byte, in chunks of %i bytes', async chunkBytes => {
      for (const before of ['', 'ab,?\n', 'ab\ncd\nx', `${'z'.repeat(100)}\n`]) {
        const error = await write(`${before}${character}?x`, name, { chunkBytes }).catch((reason: unknown) => reason)
        expect(error).toMatchObject({
          code: 'TEXT_UNMAPPABLE',
          label: 'x.csv',
          byte: before.length,
          line: before.split('\n').length,
        })
        expect(String(error)).toContain(codes)
      }
    })

    it.each(CHUNK_SIZES)('become ? by option, in chunks of %i bytes', async chunkBytes => {
      const text = `a${character}?\n${character}${character}b`
      const bytes = await write(text, name, { chunkBytes, onUnmappable: 'replace' })
      expect(bytes.toString('latin1')).toBe('a??\n??b')
    })
  })

  it('count bytes of the encoding, not of UTF-8', async () => {
    const error = await write('漢字\né漢字\n漢é', 'shift_jis', { chunkBytes: 7 }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'TEXT_UNMAPPABLE', byte: 5, line: 2 })
    const later = await write('漢字\n漢字\n漢é', 'shift_jis', { chunkBytes: 7 }).catch((reason: unknown) => reason)
    expect(later).toMatchObject({ code: 'TEXT_UNMAPPABLE', byte: 12, line: 3 })
  })

  it('leave the sink failed: nothing is published', async () => {
    const inner = new MemorySink()
    const sink = encodeText(inner, { encoding: 'ascii', onUnmappable: 'raise' })
    await sink.write(Buffer.from('a'))
    const error = await sink.write(Buffer.from('é')).catch((reason: unknown) => reason)
    expect(codeOf(error)).toBe('TEXT_UNMAPPABLE')
    await expect(sink.write(Buffer.from('b'))).rejects.toBe(error)
    await expect(sink.close()).rejects.toBe(error)
    expect(inner.content).toBeUndefined()
  })

  it.each(MULTI)('are all that is not written and read back: %s', async name => {
    const characters: string[] = []
    for (let point = 0x80; point < 0x2b000; point += point < 0x10000 ? 1 : 7) {
      if (point < 0xd800 || point >= 0xe000) characters.push(String.fromCodePoint(point))
    }
    const bytes = await write(characters.join('\n'), name, { onUnmappable: 'replace', chunkBytes: 8192 })
    const { bytes: utf8, error } = await read(bytes, name)
    expect(error).toBeUndefined()
    const given = utf8.toString().split('\n')
    expect(given.length).toBe(characters.length)
    let written = 0
    for (const [i, character] of characters.entries()) {
      if (given[i] === '?') continue
      expect(given[i]).toBe(character)
      written++
    }
    expect(written).toBeGreaterThan(6500)
    // Whoever reads by the standard's tables reads the same.
    const other = iconv.decode(bytes, name).split('\n')
    const differ = characters.filter((character, i) => given[i] !== '?' && other[i] !== character)
    expect(differ.length).toBeLessThan(30)
  })
})

describe('one character of Big5 that is two of Unicode', () => {
  it.each(CHUNK_SIZES)('is written as one, in chunks of %i bytes', async chunkBytes => {
    const text = 'aÊ\u0304b ê\u030c, Êx ê'
    expect((await write(text, 'big5', { chunkBytes })).equals(iconv.encode(text, 'big5'))).toBe(true)
    const replaced = await write(`${text}é😀Ê\u0304`, 'big5', { chunkBytes, onUnmappable: 'replace' })
    expect(replaced.equals(iconv.encode(`${text}é?Ê\u0304`, 'big5'))).toBe(true)
  })
})

describe('what is not UTF-8', () => {
  it.each(CHUNK_SIZES)('is told by its byte, in chunks of %i bytes', async chunkBytes => {
    for (const name of ['utf-16le', 'latin1', 'gbk']) {
      for (const wrong of ['\xff', '\xc3\x28', '\xe2\x82', '\xf0\x9f\x98', '\xed\xa0\x80', '\xc3']) {
        const bytes = Buffer.from(`ab\n${wrong}`, 'latin1')
        const error = await write(bytes, name, { chunkBytes }).catch((reason: unknown) => reason)
        expect([wrong, codeOf(error), (error as { byte?: number }).byte]).toEqual([wrong, 'TEXT_INVALID_UTF8', 3])
      }
    }
  })
})

it('knows both orders of UTF-16', () => {
  expect(NAMES.filter(isWide)).toEqual(['utf-16le', 'utf-16be'])
})
