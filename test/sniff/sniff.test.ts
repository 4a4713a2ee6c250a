import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDetection } from '../../src/sniff/detection.ts'
import { nameInside, type SniffHints, sniff } from '../../src/sniff/index.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/detect')
const sniffText = (text: string, hints: Partial<SniffHints> = {}) =>
  sniff(Buffer.from(text), { complete: true, ...hints })

describe('signatures', () => {
  const latin = (text: string) => Buffer.from(text, 'latin1')
  it.each([
    ['gzip', Buffer.from([0x1f, 0x8b, 8, 0])],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 4])],
    ['bzip2', latin('BZh91AY&SY\x01\x02')],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0])],
    ['lz4', Buffer.from([4, 0x22, 0x4d, 0x18, 0x60])],
    ['snappy', latin('\xff\x06\0\0sNaPpY\0')],
    ['zip', latin('PK\x03\x04\x14\0\0\0\x08\0')],
    ['deflate', latin('x\x9c\x4b\x4c\x02\0\x01')],
  ])('tell the codec %s', (codec, bytes) => {
    const found = sniff(bytes, { complete: false })
    expect(found.codecs).toEqual([codec])
    expect(found.evidence[0]).toMatch(/^starts with /)
  })

  it.each([
    ['parquet', latin('PAR1\x15\x04\x15\0')],
    ['arrow', latin('ARROW1\0\0\xff\xff\xff\xff')],
    ['avro', latin('Obj\x01\x04\x14')],
    ['orc', latin('ORC\x0a\x03\0\0')],
    ['sqlite', latin('SQLite format 3\0\x10\0')],
    ['xlsx', latin('PK\x03\x04\x14\0\x06\0[Content_Types].xml ... xl/workbook.xml')],
    ['ods', latin('PK\x03\x04\x14\0\0\0mimetypeapplication/vnd.oasis.opendocument.spreadsheetPK')],
  ])('tell the format %s', (format, bytes) => {
    expect(sniff(bytes, { complete: false }).format).toBe(format)
  })

  it.each([
    ['a PDF document', latin('%PDF-1.7\n%\xe2\xe3')],
    ['a PNG image', latin('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR')],
    ['a JPEG image', latin('\xff\xd8\xff\xe0\0\x10JFIF')],
    ['a 7z archive', latin("7z\xbc\xaf'\x1c\0\x04")],
    ['a tar archive', Buffer.concat([latin('people.csv'), Buffer.alloc(247), latin('ustar\x0000'), Buffer.alloc(248)])],
    ['an HTML page', latin('<!-- x --><html><title>Gone</title></html>')],
    ['an XML document', latin('<?xml version="1.0"?>\n<rows><row a="1"/></rows>')],
    ['an SVG image', latin('<svg xmlns="http://www.w3.org/2000/svg"></svg>')],
  ])('name what is no table: %s', (title, bytes) => {
    const found = sniff(bytes, { complete: true })
    expect(found.format).toBeUndefined()
    expect(found.obstacle).toBe(`the content is ${title}, not a table`)
  })

  it.each(['PAR1,b\n1,2\n3,4\n', 'ORC,elf\n1,2\n3,4\n', 'BZh,b\n1,2\n3,4\n', 'MZ,b\n1,2\n3,4\n', 'x,^\n1,2\n3,4\n'])(
    'are not seen in text: %j',
    text => expect(sniffText(text)).toMatchObject({ format: 'csv', codecs: [] }),
  )
})

describe('name, content and what was given', () => {
  const gzip = gzipSync('a,b\n1,2\n')

  it('takes the extension where the content says nothing else', () => {
    expect(sniffText('', { name: 'x.csv' })).toMatchObject({ format: 'csv', confidence: { format: 0.6 } })
    expect(sniffText('a,b\n1,2\n3,4\n', { name: 'x.csv' }).confidence.format).toBe(0.99)
    expect(sniffText('a|b\n1|2\n', { name: 'x.psv' }).dialect).toMatchObject({ delimiter: '|' })
  })

  it('lets the extension win over text, and says what the text looks like', () => {
    const found = sniffText('{"a":1}\n{"a":2}\n', { name: 'x.csv' })
    expect(found).toMatchObject({ format: 'csv', confidence: { format: 0.3 } })
    expect(found.evidence).toContain('the content looks like jsonl instead: 2 of 2 lines are JSON objects or arrays')
    expect(sniffText('a,b\n1,2\n3,4\n', { name: 'x.tsv' }).evidence.at(-1)).toBe(
      ', fits better: 3 of 3 rows have 2 fields',
    )
  })

  it('lets compression that is seen win over a name that has none', () => {
    const found = sniff(gzip, { name: 'x.csv', complete: true })
    expect(found).toMatchObject({ codecs: ['gzip'], format: 'csv', confidence: { codecs: 0.98 } })
    expect(found.evidence[0]).toBe('starts with 1F 8B: gzip, though it is named .csv')
    expect(sniff(gzip, { name: 'x.csv.gz', complete: true }).confidence.codecs).toBe(1)
  })

  it('says where the name promises a codec that is not there', () => {
    const found = sniffText('a,b\n1,2\n', { name: 'x.csv.gz' })
    expect(found).toMatchObject({ codecs: ['gzip'], format: 'csv', confidence: { codecs: 0.1 } })
    expect(found.obstacle).toBe(
      'the name says gzip, but the content does not begin as gzip does; if the name is wrong, give { codecs: [] }',
    )
    // Too short to say so.
    expect(sniffText('', { name: 'x.csv.gz' }).obstacle).toBeUndefined()
  })

  it('never overrides what was given', () => {
    const none = sniff(gzip, { name: 'x.csv.gz', complete: true, given: { codecs: [] } })
    expect(none.codecs).toEqual([])
    expect(sniffText('a,b\n', { given: { codecs: ['gz'] } }).codecs).toEqual(['gzip'])
    expect(sniffText('{"a":1}\n{"a":2}\n', { name: 'x.jsonl', given: { format: 'csv' } })).toMatchObject({
      format: 'csv',
      confidence: { format: 1 },
    })
    expect(sniffText('a,b\n1,2\n', { given: { format: 'tsv' } })).toMatchObject({
      format: 'csv',
      dialect: { delimiter: '\t', columnCount: 1 },
    })
    expect(sniffText('a\tb\n1\t2\n', { name: 'x.tsv', given: { dialect: { delimiter: ';' } } }).dialect).toMatchObject({
      delimiter: ';',
    })
    expect(sniffText('é', { given: { encoding: 'shift_jis' } })).toMatchObject({ encoding: 'shift_jis' })
  })

  it('takes the codec off the name', () => {
    expect(nameInside('a.csv.gz', 'gzip')).toBe('a.csv')
    expect(nameInside('a.csv', 'gzip')).toBe('a.csv')
    expect(nameInside('gz', 'gzip')).toBe('gz')
  })
})

describe('encodings', () => {
  it.each([
    ['utf-8', 1, Buffer.from('\ufeffa,b\n1,2\n')],
    ['utf-16le', 1, Buffer.from('\ufeffa,b\n1,2\n', 'utf16le')],
    ['utf-16be', 1, Buffer.from('\ufeffa,b\n1,2\n', 'utf16le').swap16()],
    ['utf-16le', 0.9, Buffer.from('name,город\nAda,Лондон\n', 'utf16le')],
    ['utf-16be', 0.9, Buffer.from('name,n\nAda,2\n', 'utf16le').swap16()],
    ['utf-32le', 1, Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0])],
    ['utf-32be', 1, Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x61])],
    ['utf-8', 0.95, Buffer.from('a,b\n1,2\n')],
    ['utf-8', 0.99, Buffer.from('ä,b\n1,2\n')],
    ['windows-1252', 0.3, Buffer.from('ä,b\n1,2\n', 'latin1')],
  ])('%s, sure to %f', (encoding, confidence, bytes) => {
    expect(sniff(bytes, { complete: true })).toMatchObject({ encoding, confidence: { encoding: confidence } })
  })

  it('does not take a character that the sample cuts for an invalid one', () => {
    const bytes = Buffer.from('a,b\n1,\u{1f600}')
    for (const cut of [1, 2, 3]) {
      expect(sniff(bytes.subarray(0, -cut), { complete: false }).encoding).toBe('utf-8')
      expect(sniff(bytes.subarray(0, -cut), { complete: true }).encoding).toBe('windows-1252')
    }
  })
})

describe('JSON', () => {
  it.each([
    ['jsonl', '{"a":1}\n{"a":2}\n', true],
    ['jsonl', '{"a":1}\r\n{"a":2}\r\n{"a":', false],
    ['jsonl', '{"a":1}\n{"a', false],
    ['jsonl', '{"a":1}\n{"a', true],
    ['jsonl', '[1,2]\n[3,4]\n', true],
    ['json', '[{"a":1},{"a":2}]', true],
    ['json', '[{"a":1},{"a":', false],
    ['json', '[\n{"a":1},\n{"a":2}\n]\n', true],
    ['json', '{"rows":[{"a":1}]}', true],
    ['jsonl', '{"a":1,"b":[1,2]}', true],
    ['json', '{\n"a":1}\n{\n"a":2}\n', true],
    ['json', '{"a":[1,2', false],
  ])('%s: %j', (format, text, complete) => {
    expect(sniffText(text, { complete }).format).toBe(format)
  })

  it('is not every text with a bracket', () => {
    for (const text of ['[section]\nkey=value\n', '{not json}\n', '{"a":1,}', '[1,2}', '{"a" "b"}']) {
      expect(sniffText(text).candidates.filter(({ format }) => format === 'json')).toEqual([])
    }
  })
})

describe('samples that are cut', () => {
  const names = readdirSync(FIXTURES).filter(name => !/\.(md)$|^expected/.test(name))

  it.each(names)('never throw: %s at every byte', name => {
    const bytes = readFileSync(join(FIXTURES, name)).subarray(0, 700)
    for (let end = 0; end <= bytes.length; end++) {
      for (const complete of [true, false]) {
        const found = sniff(bytes.subarray(0, end), { name, complete })
        expect(formatDetection(found)).toMatch(/^format {4}/)
      }
    }
  })

  it('never throw, whatever the bytes are', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .string({ maxLength: 300, unit: fc.constantFrom(...'ab1.,;\t|"\'\\\r\n #{}[]:<é'.split('')) })
        .map(text => Buffer.from(text)),
    )
    fc.assert(
      fc.property(bytes, fc.boolean(), (sample, complete) => {
        const found = sniff(sample, { complete })
        for (const sure of Object.values(found.confidence)) {
          expect(sure).toBeGreaterThanOrEqual(0)
          expect(sure).toBeLessThanOrEqual(1)
        }
        expect(formatDetection(found)).not.toContain('undefined')
      }),
      { seed: 5, numRuns: 3000 },
    )
  })
})

describe('formatDetection', () => {
  it('prints what was decided, how surely and why', () => {
    expect(formatDetection(sniffText('# by hand\nid;name\n1;Ada\n2;"G;H"\n3;Al\n'))).toBe(
      [
        'format    csv: CSV, TSV, PSV (RFC 4180 and its dialects) (0.96)',
        'encoding  utf-8 (0.95)',
        'columns   2',
        'delimiter ; (0.96)',
        'quote     " (0.96)',
        'escape    doubled quote',
        'records   end with LF',
        'header    yes (0.86)',
        'from line 2 (0.67)',
        'because   the content is delimited text: csv',
        '          all bytes are ASCII: utf-8',
        '          4 of 4 rows have 2 fields with ;',
        '          1 field in " quotes',
        '          lines end with LF',
        '          the table begins at line 2, after 1 comment line',
        '          header: 1 of 2 columns hold values such as numbers or dates, and the first row names there',
        '',
      ].join('\n'),
    )
  })
})
