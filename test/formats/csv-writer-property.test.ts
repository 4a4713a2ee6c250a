import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CHUNK_BYTES, OutputBuffer } from '../../src/core/bytes.ts'
import { CsvEncoder } from '../../src/formats/csv/encoder.ts'
import { NativeRecords } from '../../src/formats/csv/native-records.ts'
import { type CsvWriteOptions, resolveCsvWriteOptions } from '../../src/formats/csv/write-options.ts'
import { writeCsv } from './writing.ts'

const SEED = { seed: 20_240_501 }

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom(
      'a',
      '"',
      "'",
      ',',
      ';',
      '|',
      '\n',
      '\r',
      ' ',
      '\\',
      '\ufeff',
      'é',
      '日',
      '😀',
      '=',
      '-',
      '§',
      '“',
    ),
    maxLength: 12,
  }),
  fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀', '"', ','), minLength: 90, maxLength: 110 }),
  fc.constantFrom('', ' ', '""', 'null', '\\"', '\\'),
)

const table = fc
  .integer({ min: 1, max: 5 })
  .chain(width => fc.array(fc.array(text, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }))

const dialect = fc
  .record({
    delimiter: fc.constantFrom(',', ';', '\t', '|', ' ', '§', '日'),
    quote: fc.constantFrom('"', "'", '“'),
    escape: fc.constantFrom(undefined, '\\', '^'),
    recordDelimiter: fc.constantFrom('\n', '\r\n', '\r'),
    quoted: fc.boolean(),
    quotedString: fc.boolean(),
    quotedEmpty: fc.constantFrom(undefined, true, false),
    bom: fc.boolean(),
  })
  .map((options): CsvWriteOptions => options)

/** What csv-parse, which shares no code with the writer, reads. */
function readBack(bytes: Buffer, options: CsvWriteOptions): string[][] {
  return parse(bytes, {
    delimiter: options.delimiter ?? ',',
    quote: options.quote ?? '"',
    escape: options.escape ?? options.quote ?? '"',
    record_delimiter: options.recordDelimiter ?? '\n',
    bom: true,
  })
}

describe('what is written', () => {
  it('is read back equal by csv-parse, in every dialect of the native engine', async () => {
    await fc.assert(
      fc.asyncProperty(table, dialect, fc.integer({ min: 1, max: 9 }), async (rows, options, batchSize) => {
        const written = await writeCsv(rows, { ...options, header: false }, { batchSize })
        expect(written.engine).toBe('native')
        expect(readBack(written.bytes, options)).toEqual(rows)
      }),
      { ...SEED, numRuns: 1500 },
    )
  })

  it('is read back equal with a header and rows that are objects', async () => {
    const named = fc
      .uniqueArray(text, { minLength: 1, maxLength: 5 })
      .chain(names =>
        fc.tuple(fc.constant(names), fc.array(fc.array(text, { minLength: names.length, maxLength: names.length }))),
      )
    await fc.assert(
      fc.asyncProperty(named, dialect, async ([names, table], options) => {
        const rows = table.map(values => {
          const row: Record<string, string> = Object.create(null)
          for (const [i, name] of names.entries()) row[name] = values[i]!
          return row
        })
        const { bytes } = await writeCsv(rows, { ...options, columns: names })
        expect(readBack(bytes, options)).toEqual([names, ...table])
      }),
      { ...SEED, numRuns: 1500 },
    )
  })

  it('is read back equal by csv-parse with marks of several characters', async () => {
    const marks = fc.constantFrom<CsvWriteOptions>(
      { delimiter: '::' },
      { delimiter: '\t|\t', recordDelimiter: ';;' },
      { recordDelimiter: '\u001e' },
      { recordDelimiter: 'a|a' },
      { delimiter: 'aé', recordDelimiter: '\r\n' },
      { delimiter: '::', escape: '\\' },
    )
    const units = fc.constantFrom('a', ':', '|', ';', '\t', '"', '\\', 'é', '\n', '\r', '\u001e', ',')
    const rows = fc.array(
      fc.tuple(fc.string({ unit: units, maxLength: 6 }), fc.string({ unit: units, maxLength: 6 })),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    await fc.assert(
      fc.asyncProperty(rows, marks, async (rows, options) => {
        const written = await writeCsv(rows, { ...options, header: false })
        expect(written.engine).toBe('csv-stringify')
        expect(readBack(written.bytes, { ...options })).toEqual(rows)
      }),
      { ...SEED, numRuns: 2000 },
    )
  })

  const value = fc.oneof(
    text,
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.date({ noInvalidDate: true }),
    fc.constantFrom(null, undefined, '=1+1', '-1', 'NULL', '1'),
    fc.uint8Array({ maxLength: 5 }),
    fc.array(fc.integer(), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 3 }), fc.oneof(fc.integer(), text), { maxKeys: 3 }),
  )
  const values = fc
    .integer({ min: 1, max: 5 })
    .chain(width => fc.array(fc.array(value, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }))

  it('is the same by either engine, for values of every type', async () => {
    const more = fc.record({ nullText: fc.constantFrom('', 'NULL', '1', 'a,b'), escapeFormulas: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(values, dialect, more, async (rows, options, moreOptions) => {
        const both = { ...options, ...moreOptions }
        const native = await writeCsv(rows, { ...both, engine: 'native' })
        const peer = await writeCsv(rows, { ...both, engine: 'csv-stringify' })
        expect(native.engine).toBe('native')
        expect(peer.engine).toBe('csv-stringify')
        expect(native.text).toBe(peer.text)
      }),
      { ...SEED, numRuns: 1500 },
    )
  })

  it('is what csv-stringify itself writes, where nothing but its defaults for types differs', async () => {
    const plain = text.filter(t => !t.startsWith('\ufeff'))
    const rows = fc.array(fc.tuple(plain, fc.oneof(plain, fc.double(), fc.integer(), fc.boolean())), { minLength: 1 })
    await fc.assert(
      fc.asyncProperty(rows, dialect, async (rows, given) => {
        const options = { ...given, escape: undefined }
        const { bytes } = await writeCsv(rows, { ...options, columns: ['a', 'b,c'] })
        const { delimiter, quote, recordDelimiter, quoted, quotedString, bom } = options
        const expected = stringify(rows, {
          header: true,
          columns: ['a', 'b,c'],
          delimiter: delimiter!,
          quote: quote!,
          escape: quote!,
          record_delimiter: recordDelimiter!,
          quoted: quoted!,
          quoted_string: quotedString!,
          quoted_empty: options.quotedEmpty ?? (quoted === true || quotedString === true),
          quote_record_delimiter: true,
          bom: bom!,
          cast: { boolean: String },
        })
        expect(bytes.toString()).toBe(expected)
      }),
      { ...SEED, numRuns: 1500 },
    )
  })
})

describe('chunks', () => {
  it.each(['a', 'é', '日', '😀', '"'])('lose nothing of fields of any length, made of %s', async unit => {
    const sizes = [1, 90, 95, 96, 97, 100, 1000, CHUNK_BYTES - 3, CHUNK_BYTES, CHUNK_BYTES * 2 + 1, CHUNK_BYTES * 5]
    const rows = sizes.flatMap(size => [
      [unit.repeat(size), 'next'],
      ['short', unit.repeat(3)],
    ])
    const { bytes, chunks } = await writeCsv(rows)
    expect(readBack(bytes, {})).toEqual(rows)
    expect(chunks.length).toBeGreaterThan(3)
  })

  it('are full but for the last, however the rows come', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ id: i, text: `row é ${i}`, 'a,b': 'x"y' }))
    const whole = await writeCsv(rows)
    expect(readBack(whole.bytes, {})).toEqual([
      ['id', 'text', 'a,b'],
      ...rows.map(row => [String(row.id), row.text, row['a,b']]),
    ])
    for (const batchSize of [1, 7, 1000]) {
      const written = await writeCsv(rows, { columns: ['id', 'text', 'a,b'] }, { batchSize })
      expect(written.bytes.equals(whole.bytes)).toBe(true)
      for (const chunk of written.chunks.slice(0, -1)) {
        expect(chunk.length).toBeGreaterThanOrEqual(CHUNK_BYTES)
        expect(chunk.length).toBeLessThan(2 * CHUNK_BYTES)
      }
    }
  })

  it('may end anywhere in the buffer: one row more or less at each byte', async () => {
    for (let shift = 0; shift < 12; shift++) {
      const rows = [['x'.repeat(shift)], ...Array.from({ length: 6000 }, () => ['0123456é"9'])]
      const { bytes } = await writeCsv(rows, { quotedEmpty: true })
      expect(bytes.length).toBe((shift === 0 ? 2 : shift) + 1 + 6000 * 15)
      expect(readBack(bytes, {})).toEqual(rows)
    }
  })

  it('are lent until the chunk after the next is asked for', () => {
    const resolved = resolveCsvWriteOptions({})
    const out = new OutputBuffer()
    const context = {
      label: 'x',
      appending: false,
      onBadRecord(error: Error) {
        throw error
      },
    }
    const encoder = new CsvEncoder(out, new NativeRecords(out, resolved), resolved, context)
    const batch = Array.from({ length: 30_000 }, (_, i) => [i, 'some text to fill it'])
    let previous: { lent: Uint8Array; copy: Buffer } | undefined
    let seen = 0
    for (const lent of encoder.encode(batch)) {
      // The chunk before this one is still whole, although this one was filled since.
      if (previous !== undefined) expect(previous.copy.equals(previous.lent)).toBe(true)
      previous = { lent, copy: Buffer.from(lent) }
      seen++
    }
    expect(seen).toBeGreaterThan(5)
  })

  it('are not made of one row at a time', () => {
    const resolved = resolveCsvWriteOptions({})
    const out = new OutputBuffer()
    const encoder = new CsvEncoder(out, new NativeRecords(out, resolved), resolved, {
      label: 'x',
      appending: false,
      onBadRecord() {},
    })
    for (let i = 0; i < 100; i++) expect([...encoder.encode([{ a: i }])]).toEqual([])
    expect([...encoder.flush()].length).toBe(1)
    expect([...encoder.flush()]).toEqual([])
  })
})
