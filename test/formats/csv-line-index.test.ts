/** The index of where fields end: what it finds, that it is what its source says, and that there is a way without it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lineIndex, MAX_INDEXED_BYTES } from '../../src/formats/csv/simd/line-index.ts'

const ROOT = resolve(import.meta.dirname, '../..')

describe('line index', () => {
  it('finds each delimiter and each line end, at every alignment', () => {
    const index = lineIndex()!
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', ',', '\n', ';', '\r', '\x7f', '\x00'), maxLength: 400 }),
        fc.constantFrom(',', ';', '\t', '\x7f'),
        (text, delimiter) => {
          const ends = [...text].flatMap((c, i) => (c === delimiter || c === '\n' ? [i] : []))
          const records = ends.flatMap((at, i) => (text[at] === '\n' ? [i] : []))
          const count = index.index(Buffer.from(text), delimiter.charCodeAt(0))
          expect(count).toBe(records.length)
          expect([...index.records.subarray(0, count)]).toEqual(records)
          expect([...index.ends.subarray(0, ends.length)]).toEqual(ends)
        },
      ),
      { seed: 20260101, numRuns: 1000 },
    )
  })

  it('holds the largest block there may be', () => {
    const index = lineIndex()!
    for (const byte of [',', '\n']) {
      const count = index.index(Buffer.alloc(MAX_INDEXED_BYTES, byte), 0x2c)
      expect(count).toBe(byte === '\n' ? MAX_INDEXED_BYTES : 0)
      expect(index.ends.at(-1)).toBe(MAX_INDEXED_BYTES - 1)
    }
  })

  it('is compiled from its source (node scripts/build-wasm.mjs)', async () => {
    const { renderModule } = await import('../../scripts/build-wasm.mjs')
    const module = readFileSync(join(ROOT, 'src/formats/csv/simd/line-index-wasm.ts'), 'utf8')
    expect(module).toBe(await renderModule())
  })

  it('is not needed: without WebAssembly the rows are the same', () => {
    const script = `
      import { openIterable } from ${JSON.stringify(join(ROOT, 'dist/index.js'))}
      const text = 'a,b\\\\n' + '1,2\\\\n3,"4"\\\\r\\\\n'.repeat(5000)
      const rows = await openIterable({ text, name: 'x.csv' }).readBulk(20_000)
      console.log(typeof WebAssembly, rows.length, JSON.stringify(rows.slice(-2)))`
    const run = (...flags: string[]) =>
      execFileSync(process.execPath, [...flags, '--input-type=module', '-e', script.replaceAll('\\\\', '\\')], {
        encoding: 'utf8',
      })
    const rows = '10000 [{"a":"1","b":"2"},{"a":"3","b":"4"}]\n'
    expect(run()).toBe(`object ${rows}`)
    expect(run('--jitless')).toBe(`undefined ${rows}`)
  })
})
