import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryTarget, openIterable } from '../../src/index.ts'
import { failure, writeJson } from './writing.ts'

const text = async (rows: readonly unknown[], options: Parameters<typeof writeJson>[1] = {}) =>
  (await writeJson(rows, options)).text

describe('the document', () => {
  it('is an array, each row on a line of its own', async () => {
    expect(await text([])).toBe('[]\n')
    expect(await text([{ a: 1 }])).toBe('[\n{"a":1}\n]\n')
    expect(await text([{ a: 1 }, [2]])).toBe('[\n{"a":1},\n[2]\n]\n')
  })

  it('stands where a pointer says', async () => {
    expect(await text([{ a: 1 }], { pointer: '/data/a~1b' })).toBe('{"data":{"a/b":[\n{"a":1}\n]}}\n')
    expect(await text([], { pointer: '/"' })).toBe('{"\\"":[]}\n')
    expect(await text([[1]], { pointer: '/a/0', indent: 1 })).toBe(`${JSON.stringify({ a: { 0: [[1]] } }, null, 1)}\n`)
    expect(await text([], { pointer: '/a', indent: '\t' })).toBe(`${JSON.stringify({ a: [] }, null, '\t')}\n`)
  })

  it('is laid out as JSON.stringify does it', async () => {
    const rows = fc.array(fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue())))
    const indents = fc.constantFrom<number | string>(0, 1, 2, 10, '\t', ' \t', '')
    await fc.assert(
      fc.asyncProperty(rows, indents, fc.integer({ min: 1, max: 5 }), async (values, indent, batchSize) => {
        const written = await writeJson(values, { indent }, { batchSize })
        const compact = indent === 0 || indent === ''
        if (compact) expect(JSON.parse(written.text)).toEqual(JSON.parse(JSON.stringify(values)))
        else expect(written.text).toBe(`${JSON.stringify(values, null, indent)}\n`)
      }),
      { seed: 51, numRuns: 1500 },
    )
  })

  it('is whole in chunks of bounded size, however many rows', async () => {
    const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, text: 'x'.repeat(id % 50) }))
    const { chunks, bytes } = await writeJson(rows, { indent: 2 }, { batchSize: 700 })
    expect(chunks.length).toBeGreaterThan(5)
    expect(Math.max(...chunks.map(chunk => chunk.length))).toBeLessThan(256 * 1024)
    expect(JSON.parse(bytes.toString())).toEqual(rows)
  })
})

describe('values', () => {
  it('bigints and what is not finite go by the options', async () => {
    expect(await text([{ a: 2n ** 64n, b: Number.NaN }])).toBe('[\n{"a":18446744073709551616,"b":null}\n]\n')
    expect(await text([{ a: 1n, b: Number.NaN }], { bigint: 'string', nonFinite: 'string' })).toBe(
      '[\n{"a":"1","b":"NaN"}\n]\n',
    )
    const error = await failure(text([{ a: Number.NaN }], { nonFinite: 'error' }))
    expect(error).toMatchObject({ code: 'JSON_UNWRITABLE', record: 1 })
  })

  it('a bad row is left out with its comma, wherever it stands', async () => {
    const bad = { a: [() => 1] }
    for (const [rows, expected] of [
      [[bad, { a: 1 }, bad, { a: 2 }, bad], '[\n{"a":1},\n{"a":2}\n]\n'],
      [[bad], '[]\n'],
      [[7, { a: 1 }], '[\n{"a":1}\n]\n'],
    ] as const) {
      const written = await writeJson(rows, {}, { skip: true })
      expect(written.text).toBe(expected)
      expect(written.bad.length).toBe(rows.length - (expected.match(/a/g)?.length ?? 0))
    }
    expect(await failure(text([{ a: 1 }, bad]))).toMatchObject({ code: 'JSON_UNWRITABLE', record: 2 })
  })
})

it.each([{ indent: 11 }, { indent: -1 }, { indent: 'x' }, { pointer: 'a' }])('refuses %o', async options => {
  const out = openIterable(new MemoryTarget('x.json'), { mode: 'w', ...options })
  await expect(out.write({ a: 1 })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
})
