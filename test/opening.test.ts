/** What the content tells where the name does not, and texts in other encodings, through the handle. */
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { MemoryTarget, openIterable } from '../src/index.ts'

const rows = [
  { id: '007', name: 'Ada' },
  { id: '008', name: 'Bob' },
  { id: '009', name: 'Cid' },
]
const csv = 'id,name\n007,Ada\n008,Bob\n009,Cid\n'
const jsonl = rows.map(row => `${JSON.stringify(row)}\n`).join('')

describe('content', () => {
  it('tells codecs, format and dialect where the name does not', async () => {
    const inputs: [text: string | Uint8Array, format: string, codecs: string[]][] = [
      [csv, 'csv', []],
      [csv.replaceAll(',', ';'), 'csv', []],
      [csv.replaceAll(',', '\t'), 'csv', []],
      [jsonl, 'jsonl', []],
      [JSON.stringify(rows), 'json', []],
      [gzipSync(csv), 'csv', ['gzip']],
      [gzipSync(gzipSync(jsonl)), 'jsonl', ['gzip', 'gzip']],
    ]
    for (const [content, format, codecs] of inputs) {
      for (const target of [
        Buffer.from(content),
        [Buffer.from(content)],
        new Blob([new Uint8Array(Buffer.from(content))]).stream(),
      ]) {
        const reader = await openIterable(target)
        expect([reader.format, reader.codecs]).toEqual([format, codecs])
        expect(await reader.readBulk()).toEqual(rows)
      }
    }
  })

  it('gives names to columns that have none, and keeps every row', async () => {
    const handle = openIterable(Buffer.from('1,2.5,x\n2,3.5,y\n3,4.5,z\n'))
    expect(await handle.readBulk()).toHaveLength(3)
    expect(handle.columns).toEqual(['column_1', 'column_2', 'column_3'])
  })

  it('is looked at under a telling name only when asked, and never against what the user says', async () => {
    const text = csv.replaceAll(',', ';')
    const named = { text, name: 'people.csv' }
    expect(await openIterable(named).read()).toEqual({ 'id;name': '007;Ada' })
    expect(await openIterable(named, { sniff: true }).readBulk()).toEqual(rows)
    expect(await openIterable(named, { sniff: true, delimiter: ',' }).read()).toEqual({ 'id;name': '007;Ada' })
    const packed = new MemoryTarget('people.csv', gzipSync(csv))
    expect(await openIterable(packed, { sniff: true }).readBulk()).toEqual(rows)
    await expect(openIterable(Buffer.from(csv), { sniff: false }).read()).rejects.toMatchObject({
      code: 'FORMAT_UNKNOWN',
    })
    await expect(openIterable(Buffer.from(jsonl), { delimiter: ';' }).read()).rejects.toMatchObject({
      code: 'OPTION_UNKNOWN',
    })
  })

  it('that is no table is told for what it is', async () => {
    const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')
    await expect(openIterable(png).read()).rejects.toMatchObject({ code: 'FORMAT_UNSUPPORTED', message: /PNG/ })
    await expect(openIterable(Buffer.from('just a word')).read()).rejects.toMatchObject({
      code: 'FORMAT_UNKNOWN',
      hint: expect.stringContaining('csv'),
    })
  })

  it('of a target that can be read once is lost by no look', async () => {
    const chunks = (function* () {
      for (const byte of Buffer.from(jsonl)) yield Buffer.from([byte])
    })()
    expect(await openIterable(chunks).readBulk()).toEqual(rows)
  })
})

describe('encodings', () => {
  const text = 'id,name\n007,Ärger €\n'
  const expected = [{ id: '007', name: 'Ärger €' }]

  it('are read by their byte order mark or by name, and written', async () => {
    for (const encoding of ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252']) {
      const target = new MemoryTarget('x.csv')
      const out = openIterable(target, { mode: 'w', encoding })
      await out.writeBulk(expected)
      await out.close()
      expect(
        await openIterable(target, { encoding: encoding === 'windows-1252' ? encoding : 'auto' }).readBulk(),
      ).toEqual(expected)
      if (encoding.startsWith('utf-16')) expect(target.bytes().length).toBe(text.length * 2 + 2)
    }
  })

  it('are appended to by name, and never mixed', async () => {
    const target = new MemoryTarget('x.csv')
    for (const mode of ['w', 'a', 'a'] as const) {
      const out = openIterable(target, { mode, encoding: 'utf-16le' })
      await out.writeBulk(expected)
      await out.close()
    }
    expect(await openIterable(target).readBulk()).toEqual([...expected, ...expected, ...expected])
    await expect(openIterable(target, { mode: 'a' }).writeBulk(expected)).rejects.toMatchObject({
      code: 'ENCODING_MISMATCH',
    })
  })

  it('tell what they cannot read or write', async () => {
    const bad = new MemoryTarget('x.csv', Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x0a, 0x00, 0x00, 0xd8, 0x0a, 0x00]))
    await expect(openIterable(bad).readBulk()).rejects.toMatchObject({ code: 'TEXT_INVALID_ENCODING' })
    const out = openIterable(new MemoryTarget('x.csv'), { mode: 'w', encoding: 'windows-1252' })
    await expect(out.writeBulk([{ a: '漢' }]).then(() => out.close())).rejects.toMatchObject({
      code: 'TEXT_UNMAPPABLE',
    })
    await expect(openIterable({ text, name: 'x.csv' }, { encoding: 'utf8-' }).read()).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
  })
})
