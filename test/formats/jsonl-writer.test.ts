import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { CHUNK_BYTES } from '../../src/core/bytes.ts'
import { checkOptions } from '../../src/core/options.ts'
import { JSONL_WRITE_OPTIONS, type JsonlWriteOptions } from '../../src/formats/jsonl/write-options.ts'
import { failure, writeJsonl } from './writing.ts'

const SEED = { seed: 20_240_501 }
const line = async (row: unknown, options?: JsonlWriteOptions) => (await writeJsonl([row], options)).text.slice(0, -1)

describe('JSONL writer', () => {
  it('writes one line per row, and nothing without rows', async () => {
    const written = await writeJsonl([{ a: 1, b: 'x' }, [1, null], {}, []])
    expect(written.text).toBe('{"a":1,"b":"x"}\n[1,null]\n{}\n[]\n')
    expect(written.engine).toBe('native')
    expect(written.columns).toBeUndefined()
    expect((await writeJsonl([])).text).toBe('')
  })

  describe('values that JSON.stringify writes', () => {
    it.each([
      [{ a: '"\\\b\f\n\r\t\u0000\u001f\u007f' }],
      [{ a: '\u2028\u2029é日😀' }],
      [{ a: '\ud800', b: '\udc00\ud800', c: `${'x'.repeat(200)}\ud800` }],
      [{ a: 'x'.repeat(96), b: 'x'.repeat(97), c: 'é"'.repeat(100) }],
      [{ a: 0, b: -0, c: 1.5, d: -1e21, e: 5e-324, f: 1e15, g: 0.0001 }],
      [{ a: true, b: false, c: null }],
      [{ a: undefined, b: 1, c: undefined }],
      [{ a: undefined }],
      [[undefined, null, 1]],
      [new Array(3)],
      [{ deep: { er: [{}, [], [[1]], { x: { y: 'z' } }] } }],
      [{ 'ke"y': 1, '': 2, 'é\n': 3, '\u2028': 4 }],
      [{ 2: 'b', 1: 'a', c: 'c' }],
      [{ date: new Date(0), url: new URL('https://example.org/') }],
      [{ number: Object(5), text: Object('x'), yes: Object(true) }],
      [Object.assign(Object.create({ inherited: 1 }), { own: 2 })],
      [Object.assign(Object.create(null), { a: 1 })],
      [{ toJSON: () => ({ a: [1] }) }],
      [{ list: [{ toJSON: () => 'x' }, { toJSON: () => undefined }] }],
      [JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":"x"}')],
      [
        {
          empty: new (class Empty {})(),
          made: new (class Made {
            x = 1
          })(),
        },
      ],
      [{ a: Array.from({ length: 500 }, (_, i) => ({ i, [`k${i % 7}`]: `v${i}` })) }],
    ])('%o', async row => {
      expect(await line(row)).toBe(JSON.stringify(row))
    })

    it('an object that gives itself as its JSON', async () => {
      const row = { a: 1, toJSON: () => row }
      const self = Object.defineProperty({ a: 1 } as object, 'toJSON', { value: () => self })
      expect(await line(self)).toBe('{"a":1}')
      expect(await line({ self })).toBe('{"self":{"a":1}}')
      expect(await failure(writeJsonl([row]))).toMatchObject({ code: 'JSON_UNWRITABLE' })
    })

    it('all that fast-check makes, and JSON.parse reads it back', async () => {
      const rows = fc.array(
        fc.oneof(
          fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' })),
          fc.array(fc.oneof(fc.jsonValue(), fc.constant(undefined))),
          fc.object({
            withNullPrototype: true,
            values: [fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.date()],
          }),
        ),
        { minLength: 1, maxLength: 5 },
      )
      await fc.assert(
        fc.asyncProperty(rows, async rows => {
          const { text } = await writeJsonl(rows)
          expect(text).toBe(rows.map(row => `${JSON.stringify(row)}\n`).join(''))
          expect(
            text
              .trimEnd()
              .split('\n')
              .map(part => JSON.parse(part)),
          ).toEqual(JSON.parse(JSON.stringify(rows)))
        }),
        { ...SEED, numRuns: 1500 },
      )
    })

    it('every UTF-16 unit, alone and in pairs', async () => {
      const units = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd700, max: 0xe100 })))
      await fc.assert(
        fc.asyncProperty(units, async codes => {
          const row = { text: String.fromCharCode(...codes) }
          const written = await line(row)
          expect(written).toBe(JSON.stringify(row))
          expect(JSON.parse(written)).toEqual(row)
        }),
        { ...SEED, numRuns: 1500 },
      )
    })
  })

  describe('values that JSON.stringify loses', () => {
    it.each<[unknown, string]>([
      [{ a: 2n ** 80n, b: -1n }, '{"a":1208925819614629174706176,"b":-1}'],
      [{ a: Object(5n) }, '{"a":5}'],
      [{ a: Uint8Array.of(1, 2, 255), b: Buffer.from('hi') }, '{"a":"AQL/","b":"aGk="}'],
      [
        { a: new Uint8Array(0), b: Uint8Array.of(9).buffer, c: new DataView(Uint8Array.of(7).buffer) },
        '{"a":"","b":"CQ==","c":"Bw=="}',
      ],
      [{ a: Float64Array.of(1.5, 2), b: BigInt64Array.of(3n) }, '{"a":[1.5,2],"b":[3]}'],
      [
        { a: Number.NaN, b: -Infinity, c: new Date(Number.NaN), d: [Number.NaN] },
        '{"a":null,"b":null,"c":null,"d":[null]}',
      ],
    ])('%o', async (row, expected) => {
      expect(await line(row)).toBe(expected)
    })

    it('an object that stands for nothing', async () => {
      expect(await line({ a: { toJSON: () => undefined } })).toBe('{"a":null}')
    })

    it('by options', async () => {
      expect(await line({ a: 1n, b: [2n] }, { bigint: 'string' })).toBe('{"a":"1","b":["2"]}')
      const row = { a: Number.NaN, b: Infinity, c: -Infinity, d: new Date(Number.NaN) }
      expect(await line(row, { nonFinite: 'string' })).toBe(
        '{"a":"NaN","b":"Infinity","c":"-Infinity","d":"Invalid Date"}',
      )
      const error = await failure(writeJsonl([{ a: { b: [1, Number.NaN] } }], { nonFinite: 'error' }))
      expect(error).toMatchObject({ code: 'JSON_UNWRITABLE', record: 1 })
      expect(error.message).toContain('row 1, at .a.b[1] cannot be written: NaN has no JSON form')
    })

    it.each([
      [new Map([[1, 2]]), 'a Map'],
      [new Set([1]), 'a Set'],
      [/x/, 'a RegExp'],
      [new Error('x'), 'an Error'],
      [Promise.resolve(), 'a Promise'],
      [new WeakMap(), 'a weak collection'],
      [[1].values(), undefined],
      [new Map().keys(), 'an iterator'],
      [() => 1, 'a function'],
      [Symbol('s'), 'a symbol'],
    ])('refuses %o, and says where', async (value, kind) => {
      if (kind === undefined) return expect(await line({ value })).toBe('{"value":{}}')
      const error = await failure(writeJsonl([{ ok: 1 }, { list: [1, { 'my key': value }] }]))
      expect(error).toMatchObject({ code: 'JSON_UNWRITABLE', record: 2, label: 'out.file' })
      expect(error.message).toContain(
        `out.file [JSON_UNWRITABLE] row 2, at .list[1]["my key"] cannot be written: ${kind} has no JSON form`,
      )
    })

    it('a Map that says what it is in JSON is written so', async () => {
      expect(await line({ a: Object.assign(new Map(), { toJSON: () => [1] }) })).toBe('{"a":[1]}')
    })

    it('a JSON.rawJSON number keeps its digits', async () => {
      const raw = Object.assign(Object.create(null), { rawJSON: '1.000000000000000000001' })
      vi.stubGlobal('JSON', {
        ...{ parse: JSON.parse, stringify: JSON.stringify },
        isRawJSON: (value: unknown) => value === raw,
      })
      try {
        expect(await line({ a: raw })).toBe('{"a":1.000000000000000000001}')
      } finally {
        vi.unstubAllGlobals()
      }
    })
  })

  it('refuses a circle, with its place', async () => {
    const circle: Record<string, unknown> = { name: 'x' }
    circle.list = [{ self: circle }]
    const error = await failure(writeJsonl([{ a: 1 }, circle]))
    expect(error).toMatchObject({ code: 'JSON_UNWRITABLE', record: 2 })
    expect(error.message).toContain('cannot be written: it is circular')
    const shared = { x: 1 }
    expect(await line([shared, shared, { shared }])).toBe('[{"x":1},{"x":1},{"shared":{"x":1}}]')
  })

  it('writes what is nested deeply, and refuses what is nested too deeply', async () => {
    const nest = (depth: number) => {
      let row: unknown[] = []
      for (let i = 1; i < depth; i++) row = [row]
      return row
    }
    expect(await line(nest(1000))).toBe('['.repeat(1000) + ']'.repeat(1000))
    const error = await failure(writeJsonl([nest(200_000)]))
    expect(error).toMatchObject({ code: 'JSON_UNWRITABLE', record: 1 })
    expect(error.message).toContain('it is nested too deeply')
  })

  it('names what a row itself throws', async () => {
    const cause = new Error('no luck')
    const throwing = {
      toJSON() {
        throw cause
      },
    }
    const error = await failure(writeJsonl([{ a: [throwing] }]))
    expect(error).toMatchObject({ code: 'JSON_UNWRITABLE', cause, record: 1 })
    expect(error.message).toContain('row 1, at .a[0] cannot be written')
  })

  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    ['text', 'a string'],
    [1n, 'a bigint'],
    [() => {}, 'a function'],
    [new Date(0), 'a Date'],
    [Uint8Array.of(1), 'an Uint8Array'],
    [Object('x'), 'a String'],
    [{ toJSON: () => 5 }, 'an Object'],
  ])('refuses %o as a row', async (row, found) => {
    const error = await failure(writeJsonl([{ a: 1 }, row]))
    expect(error).toMatchObject({ code: 'ROW_INVALID', record: 2, found })
    expect(error.message).toContain(`out.file [ROW_INVALID] row 2 is ${found}, expected an object or an array`)
  })

  it('refuses a Map as a row', async () => {
    expect(await failure(writeJsonl([new Map([['a', 1]])]))).toMatchObject({ code: 'JSON_UNWRITABLE', record: 1 })
  })

  it('leaves a bad row out wholly, and goes on', async () => {
    const bad = { a: 'x'.repeat(300_000), b: [1, Symbol('s')] }
    const written = await writeJsonl([{ a: 1 }, bad, 'text', { a: 2 }], {}, { skip: true })
    expect(written.text).toBe('{"a":1}\n{"a":2}\n')
    expect(written.bad.map(({ error, row }) => [(error as Error & { record: number }).record, row])).toEqual([
      [2, bad],
      [3, 'text'],
    ])
  })

  describe('chunks', () => {
    it.each(['a', 'é', '日', '😀', '"', '\n'])('lose nothing of strings of any length, made of %s', async unit => {
      const sizes = [1, 90, 95, 96, 97, 1000, CHUNK_BYTES - 3, CHUNK_BYTES, CHUNK_BYTES * 2 + 1, CHUNK_BYTES * 5]
      const rows = sizes.map(size => ({ size, text: unit.repeat(size) }))
      const { text, chunks } = await writeJsonl(rows)
      expect(text).toBe(rows.map(row => `${JSON.stringify(row)}\n`).join(''))
      expect(chunks.length).toBeGreaterThan(3)
    })

    it('are full but for the last, however the rows come', async () => {
      const rows = Array.from({ length: 20_000 }, (_, i) => ({ id: i, text: `row é ${i}`, [`k${i % 3}`]: i / 4 }))
      const expected = rows.map(row => `${JSON.stringify(row)}\n`).join('')
      for (const batchSize of [1, 7, 20_000]) {
        const { text, chunks } = await writeJsonl(rows, {}, { batchSize })
        expect(text).toBe(expected)
        for (const chunk of chunks.slice(0, -1)) {
          expect(chunk.length).toBeGreaterThanOrEqual(CHUNK_BYTES)
          expect(chunk.length).toBeLessThan(2 * CHUNK_BYTES)
        }
      }
    })

    it('keep ever new keys apart', async () => {
      const rows = Array.from({ length: 10_000 }, (_, i) => ({ [`key${i}`]: i, same: 1 }))
      const { text } = await writeJsonl(rows)
      expect(text).toBe(rows.map(row => `${JSON.stringify(row)}\n`).join(''))
    })
  })

  it.each([
    ['bigint', 'bare'],
    ['nonFinite', false],
  ])('the table refuses %s: %o', (name, value) => {
    expect(() => checkOptions({ [name]: value }, [JSONL_WRITE_OPTIONS], 'writing jsonl')).toThrow(`option ${name}`)
  })
})
