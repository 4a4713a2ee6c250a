/** On random documents, dialects and chunk sizes both engines read what csv-parse and a naive reader read. */
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CsvReadOptions } from '../../src/formats/csv/read-options.ts'
import { badOf, naivePlace, naiveRead, readCsv } from './csv-reading.ts'

const RUNS = Number(process.env.OPEN_ITERABLE_PROPERTY_RUNS ?? 3000)
const SEED = Number(process.env.OPEN_ITERABLE_PROPERTY_SEED ?? 20260101)

interface Case {
  readonly tokens: readonly string[]
  readonly bom: boolean
  readonly delimiter: string
  readonly quote: string | null
  readonly escape: 'quote' | '\\' | null
  readonly relaxQuotes: boolean
  readonly relaxColumnCount: boolean
  readonly header: boolean | string[]
  readonly headerLines: number
  readonly fromLine: number
  readonly skipEmptyLines: boolean | undefined
  readonly chunkBytes: number | number[]
}

const token = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(',', '"', '\n') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\r\n', '\r', '""', '"a"', '","', '"\n', '\\', 'a,b\n', '1,2\r\n', ';', '\t'),
  },
  { weight: 3, arbitrary: fc.constantFrom('a', 'bc', ' ', 'é', '漢', '😀', '«', '0123456789abcdef', "'") },
)

const cases: fc.Arbitrary<Case> = fc.record({
  tokens: fc.oneof(
    { weight: 8, arbitrary: fc.array(token, { maxLength: 30 }) },
    // Well-formed for the most part, so that good rows come through as well.
    {
      weight: 4,
      arbitrary: fc
        .array(fc.tuple(fc.constantFrom('a', '"b"', '"c\nd"', '', 'é', '"""x"'), token, fc.boolean()), {
          maxLength: 12,
        })
        .map(rows => rows.flatMap(([a, b, odd]) => [a, ',', odd ? b : 'z', '\n'])),
    },
    { weight: 1, arbitrary: fc.array(token, { minLength: 60, maxLength: 400 }) },
  ),
  bom: fc.boolean(),
  delimiter: fc.constantFrom(',', ',', ';', '\t', 'é', '漢'),
  quote: fc.constantFrom<string | null>('"', '"', '"', "'", '«', null),
  escape: fc.constantFrom<'quote' | '\\' | null>('quote', 'quote', '\\', null),
  relaxQuotes: fc.boolean(),
  relaxColumnCount: fc.boolean(),
  header: fc.constantFrom<boolean | string[]>(true, true, false, ['x', 'y']),
  headerLines: fc.constantFrom(1, 1, 1, 2),
  fromLine: fc.constantFrom(1, 1, 1, 2, 3),
  skipEmptyLines: fc.constantFrom(undefined, true, false),
  chunkBytes: fc.oneof(
    fc.constantFrom(1, 2, 7, 65_536),
    fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 }),
  ),
})

function optionsOf(test: Case): CsvReadOptions {
  const { delimiter, quote, relaxQuotes, relaxColumnCount, header, fromLine, skipEmptyLines } = test
  return {
    delimiter,
    quote,
    escape: escapeOf(test),
    relaxQuotes,
    relaxColumnCount,
    header,
    headerLines: header === true ? test.headerLines : 1,
    fromLine,
    skipEmptyLines,
  }
}

const escapeOf = ({ quote, escape }: Case) => (quote === null || escape === 'quote' ? quote : escape)

/** What the reader is to make of a case, from the naive reader's records. */
function expected(test: Case, text: string) {
  const { delimiter, quote, relaxQuotes, relaxColumnCount, header, fromLine, skipEmptyLines } = test
  const naive = naiveRead(text, { delimiter, quote, escape: escapeOf(test), relaxQuotes, fromLine })
  const place = (at: number) => naivePlace(text, at, naive.ending, test.bom)
  let columns = Array.isArray(header) ? header : undefined
  let width = columns?.length
  const headerRecords: string[][] = []
  const rows: unknown[] = []
  let error: { code: string; line: number; column: number | undefined; byte: number } | undefined
  for (const record of naive.records) {
    const inHeader = header === true && columns === undefined
    const skipBlank = inHeader || (skipEmptyLines ?? (width === undefined || width > 1))
    if (record.blank && skipBlank) continue
    const { fields } = record
    if (inHeader) {
      const first = headerRecords[0]
      if (first !== undefined && first.length !== fields.length && !relaxColumnCount) {
        error = { code: 'CSV_RAGGED_RECORD', ...place(record.at) }
        break
      }
      headerRecords.push(fields)
      if (headerRecords.length < test.headerLines) continue
      width = Math.max(...headerRecords.map(parts => parts.length))
      columns = naiveNames(
        Array.from({ length: width }, (_, i) => headerRecords.flatMap(parts => parts[i] || []).join(' ')),
      )
      continue
    }
    width ??= fields.length
    if (fields.length !== width && !relaxColumnCount) {
      error = { code: 'CSV_RAGGED_RECORD', ...place(record.at) }
      break
    }
    if (columns === undefined) rows.push(fields)
    else {
      const row: [string, unknown][] = columns.map((name, i) => [name, fields[i] ?? null])
      if (fields.length > width) row.push(['_extra', fields.slice(width)])
      rows.push(Object.fromEntries(row))
    }
  }
  if (error === undefined && naive.fault !== undefined) error = { code: naive.fault.code, ...place(naive.fault.at) }
  if (error === undefined && header === true && columns === undefined) {
    if (headerRecords.length > 0) error = { code: 'CSV_HEADER_MISSING', ...place(text.length), column: undefined }
    else columns = []
  }
  return { naive, columns, rows, error }
}

function naiveNames(names: readonly string[]): string[] {
  const out: string[] = []
  names.forEach((name, i) => {
    let unique = name
    if (name === '' || out.includes(name)) {
      const base = name === '' ? `column_${i + 1}` : name
      unique = name === '' && !names.includes(base) && !out.includes(base) ? base : ''
      for (let k = 2; unique === ''; k++) if (![...names, ...out].includes(`${base}_${k}`)) unique = `${base}_${k}`
    }
    out.push(unique)
  })
  return out
}

/** What csv-parse makes of the data: its records, or that it raises an error. */
function byCsvParse(test: Case, data: string, ending: '\n' | '\r'): string[][] | 'error' {
  try {
    return parse(data, {
      delimiter: test.delimiter,
      quote: test.quote,
      escape: escapeOf(test),
      record_delimiter: ['\r\n', ending],
      relax_quotes: test.relaxQuotes,
      relax_column_count: true,
    })
  } catch {
    return 'error'
  }
}

const compatible = ({ delimiter, quote, tokens }: Case) => delimiter !== quote && tokens.length > 0

describe('csv engines on random documents', () => {
  it(`read what csv-parse and a naive reader read (${RUNS} documents)`, { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(cases.filter(compatible), async test => {
        const text = test.tokens.join('')
        const input = (test.bom ? '\ufeff' : '') + text
        const options = optionsOf(test)
        const { naive, columns, rows, error } = expected(test, text)

        // csv-parse loses bytes of a misplaced quote that is longer than one byte.
        const peerReads = !(test.relaxQuotes && Buffer.byteLength(test.quote ?? '') > 1)
        if (peerReads) {
          const records = byCsvParse(test, text.slice(naive.start), naive.ending)
          expect(records).toEqual(naive.fault === undefined ? naive.records.map(record => record.fields) : 'error')
        }

        const { chunkBytes } = test
        const native = await readCsv(input, { ...options, engine: 'native' }, { chunkBytes })
        expect(native.engine).toBe('native')
        expect(native.rows).toEqual(rows)
        expect(native.columns).toEqual(error !== undefined && columns === undefined ? undefined : columns)
        if (native.error === undefined || error === undefined) expect(native.error).toBe(error)
        else {
          const { code, line, column, byte } = badOf(native.error)
          expect({ code, line, column, byte }).toEqual(error)
        }

        // What is passed over is the same in both engines, record by record, however the input is cut.
        const skipping = await readCsv(input, { ...options, engine: 'native' }, { chunkBytes, skip: true })
        const whole = await readCsv(input, { ...options, engine: 'native' }, { skip: true })
        expect({ ...skipping, error: skipping.error && badOf(skipping.error) }).toEqual({
          ...whole,
          error: whole.error && badOf(whole.error),
        })
        if (!peerReads) return
        const peer = await readCsv(input, { ...options, engine: 'csv-parse' }, { chunkBytes })
        expect({ ...peer, error: peer.error && badOf(peer.error) }).toEqual({
          ...native,
          engine: 'csv-parse',
          error: native.error && badOf(native.error),
        })
        const peerSkipping = await readCsv(input, { ...options, engine: 'csv-parse' }, { chunkBytes, skip: true })
        expect(peerSkipping.bad).toEqual(skipping.bad)
        expect(peerSkipping.rows).toEqual(skipping.rows)
      }),
      { numRuns: RUNS, seed: SEED, endOnFailure: false },
    )
  })

  it('read long documents alike, in blocks or record by record, wherever a fault is', {
    timeout: 3_600_000,
  }, async () => {
    const record = fc.constantFrom(
      ...['1,2,3\n', 'a,,"b"\n', '"x, y","",z\r\n', '"line\nand ""line""\n",2,3\n', 'é,漢,"😀"\n', ',,\n'],
      ...['"a\r\nb",2,3\r\n', `"${'long '.repeat(300)}\n",2,${'wide '.repeat(40)}\n`],
    )
    const oddity = fc.constantFrom(
      ...['1,2\n', '1,2,3,4\n', '\n', '1,a"b,3\n', '"a"b,2,3\n', '"', '"a" ,2,3\r\n', 'a\r,"b"\r,c\n', '"a",2,\xff\n'],
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(record, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 40 })), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.array(fc.tuple(oddity, fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 3 }),
        fc.boolean(),
        fc.constantFrom<CsvReadOptions>(
          {},
          {},
          { relax: true },
          { header: false },
          { cast: true, scan: 5 },
          { escape: '\\' },
        ),
        fc.constantFrom(undefined, undefined, 20_000, 1700, 30),
        fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 4 }),
        async (parts, oddities, skip, more, maxRecordBytes, chunkBytes) => {
          const records = parts.flatMap(([some, times]) => Array<string[]>(times).fill(some).flat())
          for (const [odd, where] of oddities) records.splice(Math.floor(where * records.length), 0, odd)
          const input = Buffer.from(`a,b,c\n${records.join('')}`, 'utf8')
          // The one that is not UTF-8.
          for (let at = input.indexOf('ÿ'); at >= 0; at = input.indexOf('ÿ', at)) input.set([0xff, 0x78], at)
          const options: CsvReadOptions = { ...more, maxRecordBytes }
          const read = async (engine: 'native' | 'csv-parse', bytes: number | number[]) => {
            const { rows, bad, error } = await readCsv(input, { ...options, engine }, { chunkBytes: bytes, skip })
            return { rows, bad, error: error && badOf(error) }
          }
          const byRecord = await read('native', input.length < 20_000 ? 1 : 251)
          expect(await read('native', chunkBytes)).toEqual(byRecord)
          // Of a record that is malformed and too large each engine tells what it sees first.
          if (maxRecordBytes === undefined) expect(await read('csv-parse', 65_536)).toEqual(byRecord)
        },
      ),
      { numRuns: Math.max(60, RUNS / 100), seed: SEED, endOnFailure: false },
    )
  })
})
