/** The index of fields and records: what it finds, that it is what its source says, and that there is a way without it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calendarDate, exactInteger, exactNumber } from '../../src/core/values.ts'
import {
  MAX_INDEXED_BYTES,
  NOT_READ,
  type RecordIndex,
  recordIndex,
  valuePlan,
} from '../../src/formats/csv/simd/record-index.ts'

const ROOT = resolve(import.meta.dirname, '../..')

interface Found {
  readonly ends: number[]
  /** For each record: the index of its end, whether it has quotes, and whether it has doubled ones. */
  readonly records: [end: number, quotes: boolean, doubled: boolean][]
  readonly lines: number[]
  readonly bytes: number
}

/** What the index is to find, one character after the other. */
function search(text: string, delimiter: string, quote: string | null, crlf: boolean, open: boolean): Found {
  let found: Found = { ends: [], records: [], lines: [], bytes: 0 }
  const ends: number[] = []
  let inside = open
  let quotes = open
  let doubled = false
  let fieldStart = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (inside) {
      if (character !== quote) continue
      if (text[at + 1] === quote) {
        doubled = true
        at++
        continue
      }
      inside = false
      const next = text[at + 1]
      if (next !== delimiter && next !== '\n' && !(crlf && text.startsWith('\r\n', at + 1))) return found
    } else if (character === quote) {
      if (at !== fieldStart) return found
      inside = quotes = true
    } else if (character === delimiter || character === '\n') {
      ends.push(at)
      fieldStart = at + 1
      if (character === delimiter) continue
      const read = text.slice(0, at + 1)
      found = {
        ends: [...ends],
        records: [...found.records, [ends.length - 1, quotes, doubled]],
        lines: [...found.lines, read.split('\n').length - 1],
        bytes: Buffer.byteLength(read),
      }
      quotes = doubled = false
    }
  }
  return found
}

const resultOf = ({ ends, records, lines, bytes, count }: RecordIndex): Found => ({
  ends: count === 0 ? [] : [...ends.subarray(0, (records[count - 1]! >> 2) + 1)],
  records: [...records.subarray(0, count)].map(item => [item >> 2, (item & 1) === 1, (item & 2) === 2]),
  lines: [...lines.subarray(0, count)],
  bytes,
})

const wellFormed = fc.constantFrom(
  ...['a,', ',', '\n', 'bc\n', '"a"\n', '"",', '"x\ny",', '"""",', '"a""b"\r\n', 'é漢😀,', '"😀\n"\n'],
)
const anything = fc.constantFrom('a', ',', '\n', '"', ';', '\r', '\x7f', '\x00', 'é', '漢', '😀', '"a"')

describe('record index', () => {
  it('finds each field and each record, up to a quote in the wrong place, at every alignment', () => {
    const index = recordIndex()!
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 30, arbitrary: wellFormed }, { weight: 1, arbitrary: anything }), {
          maxLength: 150,
        }),
        fc.array(anything, { maxLength: 20 }),
        fc.constantFrom(',', ',', ';', '\t', '\x7f'),
        fc.constantFrom<string | null>('"', '"', '"', "'", null),
        fc.boolean(),
        fc.boolean(),
        (good, odd, delimiter, quote, crlf, mayBeOpen) => {
          const open = mayBeOpen && quote !== null
          const text = [...good, ...odd].join('')
          const dialect = {
            delimiter: delimiter.charCodeAt(0),
            quote: quote === null ? -1 : quote.charCodeAt(0),
            crlf,
          }
          index.index(Buffer.from(text), dialect, open)
          const found = search(text, delimiter, quote, crlf, open)
          expect(resultOf(index)).toEqual(found)
          const indexed = Buffer.from(text).subarray(0, found.bytes)
          if (index.ascii) expect(indexed.every(byte => byte < 128)).toBe(true)
        },
      ),
      { seed: 20260101, numRuns: 5000 },
    )
  })

  it('reads values as they are read one by one, or does not read them', () => {
    const index = recordIndex()!
    const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength })
    const sign = fc.constantFrom('', '', '-')
    const two = (max: number) => fc.nat(max).map(n => String(n).padStart(2, '0'))
    const limits = ['2147483647', '2147483648', '-2147483648', '9007199254740991', '9007199254740993', '-0', '-0.0']
    const cell = fc.oneof(
      fc.tuple(sign, digits(17)).map(parts => parts.join('')),
      fc.tuple(sign, digits(9), fc.constantFrom('', '.', '..'), digits(9)).map(parts => parts.join('')),
      fc.tuple(fc.nat(9999), two(13), two(32)).map(([y, m, d]) => `${String(y).padStart(4, '0')}-${m}-${d}`),
      fc.integer({ min: -60_000_000_000, max: 250_000_000_000 }).map(s => new Date(s * 1000).toJSON().slice(0, 10)),
      fc.string({ unit: fc.constantFrom(...'0123456789-+.e/:; \x00\x7f'), maxLength: 20 }),
      fc.constantFrom(...limits, '2024-02-29', '1900-02-29', '2000-02-29', '0000-01-01', '0001-01-01', '1e5', ''),
    )
    const kinds = ['int32', 'integer', 'number', 'date'] as const
    const fields = kinds.flatMap(kind => [0, 1, 2].map(field => ({ field, kind })))
    let read = 0
    const check = (text: string, { field, kind }: (typeof fields)[number], record: number): boolean => {
      const slot = fields.findIndex(planned => planned.field === field && planned.kind === kind)
      const first = index.bases[record]! & -2
      const inInt32s = kind === 'int32' || kind === 'date'
      const found = inInt32s ? index.int32s[first + 2 * slot]! : index.doubles[first / 2 + slot]!
      const isRead = inInt32s ? found !== NOT_READ : !Number.isNaN(found)
      const expected =
        kind === 'date'
          ? calendarDate(text, 0, text.length)?.getTime()
          : kind === 'number'
            ? exactNumber(text, 0, text.length)
            : exactInteger(text, 0, text.length)
      if (isRead) {
        read++
        expect([text, kind === 'date' ? found * 86_400_000 : found]).toEqual([text, expected])
      } else if (expected !== undefined) {
        // Only what is long, or does not fit.
        const isLong = text.replace('-', '').length > 15 || (kind === 'int32' && Math.abs(expected) > 2 ** 31 - 1)
        expect([text, isLong || (kind === 'number' && /e/i.test(text))]).toEqual([text, true])
      }
      return isRead
    }
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        fc.boolean(),
        (rows, crlf, pairs) => {
          const text = rows.map(row => `${row.join(',')}${pairs ? '\r\n' : '\n'}`).join('')
          index.index(Buffer.from(text), { delimiter: 0x2c, quote: 0x22, crlf }, false)
          index.readValues(valuePlan(3, fields))
          for (const [record, row] of rows.entries()) {
            if (row.length !== 3) continue
            const cells = pairs && !crlf ? row.with(2, `${row[2]}\r`) : row
            const whole = fields.map(planned => check(cells[planned.field]!, planned, record)).every(Boolean)
            expect((index.bases[record]! & 1) === 0).toBe(whole)
          }
        },
      ),
      { seed: 20260101, numRuns: 5000 },
    )
    expect(read).toBeGreaterThan(10_000)
  })

  it('reads the values of the largest block, and of records that are not as wide as planned', () => {
    const index = recordIndex()!
    const dialect = { delimiter: 0x2c, quote: 0x22, crlf: true }
    const plan = valuePlan(2, [
      { field: 0, kind: 'int32' },
      { field: 1, kind: 'int32' },
    ])
    index.index(Buffer.from('1,2\n'.repeat(MAX_INDEXED_BYTES / 4)), dialect, false)
    index.readValues(plan)
    const last = index.bases[MAX_INDEXED_BYTES / 4 - 1]!
    expect([index.count, index.int32s[last], index.int32s[last + 2]]).toEqual([MAX_INDEXED_BYTES / 4, 1, 2])
    index.index(Buffer.from(`${'\n'.repeat(MAX_INDEXED_BYTES - 4)}3,4\n`), dialect, false)
    index.readValues(plan)
    const only = index.bases[MAX_INDEXED_BYTES - 4]!
    expect([only, index.int32s[only], index.int32s[only + 2]]).toEqual([0, 3, 4])
  })

  it('holds the largest block there may be', () => {
    const index = recordIndex()!
    for (const byte of [',', '\n']) {
      index.index(Buffer.alloc(MAX_INDEXED_BYTES, byte), { delimiter: 0x2c, quote: 0x22, crlf: true }, false)
      expect(index.count).toBe(byte === '\n' ? MAX_INDEXED_BYTES : 0)
      expect(index.ends.at(-1)).toBe(MAX_INDEXED_BYTES - 1)
    }
  })

  it('is compiled from its source (node scripts/build-wasm.mjs)', async () => {
    const { renderModule } = await import('../../scripts/build-wasm.mjs')
    const module = readFileSync(join(ROOT, 'src/formats/csv/simd/record-index-wasm.ts'), 'utf8')
    expect(module).toBe(await renderModule())
  })

  it('is not needed: without WebAssembly, and without generated code, the rows are the same', () => {
    const text = `a,b\n${'1,2\n3,"4"\r\n"é\n""",漢\n'.repeat(5000)}`
    const script = `
      import { openIterable } from ${JSON.stringify(join(ROOT, 'dist/index.js'))}
      import { createHash } from 'node:crypto'
      const rows = await openIterable({ text: ${JSON.stringify(text)}, name: 'x.csv' }).readBulk(20_000)
      const digest = createHash('sha1').update(JSON.stringify(rows)).digest('hex')
      console.log(typeof WebAssembly, rows.length, digest, JSON.stringify(rows.slice(-3)))`
    const run = (...flags: string[]) =>
      execFileSync(process.execPath, [...flags, '--input-type=module', '-'], { encoding: 'utf8', input: script })
    const found = run()
    expect(found).toMatch(/^object 15000 /)
    expect(found.slice(found.indexOf('['))).toBe('[{"a":"1","b":"2"},{"a":"3","b":"4"},{"a":"é\\n\\"","b":"漢"}]\n')
    expect(run('--disallow-code-generation-from-strings')).toBe(found)
    expect(run('--jitless')).toBe(found.replace('object', 'undefined'))
  })
})
