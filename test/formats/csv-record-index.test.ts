/** The index of fields and records: what it finds, that it is what its source says, and that there is a way without it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_INDEXED_BYTES, type RecordIndex, recordIndex } from '../../src/formats/csv/simd/record-index.ts'

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
