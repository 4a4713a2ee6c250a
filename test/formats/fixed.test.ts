import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { OpenIterableError } from '../../src/core/errors.ts'
import {
  CalendarDate,
  inferSchema,
  MemoryTarget,
  openIterable,
  type ReadOptions,
  type Row,
  type WriteOptions,
} from '../../src/index.ts'
import { formatContract } from '../../src/testing/format.ts'

const fields = [
  { name: 'id', width: 5, align: 'right' as const },
  { name: 'name', width: 12 },
  { name: 'note', width: 9 },
]

formatContract({
  id: 'fixed',
  name: 'people.fwf',
  samples: [
    {
      title: 'guessed columns',
      rows: [
        { id: '1', name: 'Ada' },
        { id: '22', name: 'Bob' },
      ],
    },
    {
      title: 'given columns, with blanks and characters beyond ASCII',
      rows: Array.from({ length: 1500 }, (_, i) => ({ id: `${i}`, name: i % 3 === 0 ? '' : `漢 🙂 é${i}`, note: '' })),
      read: { fields },
      write: { fields },
    },
    { title: 'widths', rows: [{ a: 'x y', b: 'z' }], read: { widths: [4, 2] }, write: { widths: [4, 2] } },
    {
      title: 'more rows than the sample, as wide as in it',
      rows: Array.from({ length: 2500 }, (_, i) => ({ n: `${(i * 7) % 997}`, t: `t${i % 10}` })),
    },
    { title: 'names that objects have', rows: [JSON.parse('{"__proto__":"1","constructor":"2"}')] },
  ],
  appends: false,
  bad: {
    text: 'id name\n1  Ada\n\n2\n3  Cid\n',
    code: 'FIXED_RECORD_SHORT',
    before: [{ id: '1', name: 'Ada' }],
    after: [{ id: '3', name: 'Cid' }],
  },
})

async function read(input: string | Uint8Array, options: ReadOptions = {}, chunkBytes?: number) {
  const bytes = Buffer.from(input as string)
  const size = chunkBytes ?? Math.max(bytes.length, 1)
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
  const reader = openIterable(chunks, { format: 'fixed', ...options })
  const rows: unknown[] = []
  let failure: OpenIterableError | undefined
  try {
    for await (const row of reader) rows.push(row)
  } catch (error) {
    failure = error as OpenIterableError
  }
  return { rows, failure, columns: reader.columns }
}

async function write(rows: readonly object[], options: Omit<WriteOptions, 'mode'> = {}, batch = rows.length) {
  const target = new MemoryTarget('x.fwf')
  const out = openIterable(target, { ...options, mode: 'w' })
  for (let at = 0; at < rows.length; at += batch) await out.writeBulk(rows.slice(at, at + batch) as Row[])
  await out.close()
  return target.text()
}

describe('fixtures/fixed', () => {
  const folder = new URL('../../fixtures/fixed/', import.meta.url)
  const names = readdirSync(folder).filter(name => name.endsWith('.json'))
  test('are there', () => expect(names.length).toBeGreaterThanOrEqual(8))

  for (const name of names) {
    const expected = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
    const bytes = readFileSync(new URL(name.replace('.json', '.fwf'), folder))
    test(`${name.slice(0, -5)}, in chunks of every size`, async () => {
      for (let chunkBytes = 1; chunkBytes <= bytes.length; chunkBytes++) {
        const { rows, failure } = await read(bytes, expected.options, chunkBytes)
        expect(rows).toEqual(expected.rows)
        const { code, line, column, byte, record } = failure ?? {}
        expect(failure && { code, line, column, byte, record }).toEqual(expected.failure)
      }
    })
  }
})

describe('reading', () => {
  test('rows are arrays with header: false, named by a list, or by fields', async () => {
    const text = 'ab1\ncd2\n'
    expect((await read(text, { widths: [2, 1], header: false })).rows).toEqual([
      ['ab', '1'],
      ['cd', '2'],
    ])
    expect(await read(text, { widths: [2, 1], header: ['x', 'y'] })).toMatchObject({
      columns: ['x', 'y'],
      rows: [
        { x: 'ab', y: '1' },
        { x: 'cd', y: '2' },
      ],
    })
    expect((await read('a b\n1 2', { header: ['x', 'y'] })).rows[1]).toEqual({ x: '1', y: '2' })
  })

  test('a header that fits its fields, and headers that fit nothing', async () => {
    const ab = [
      { name: 'a', width: 2 },
      { name: 'b', width: 1 },
    ]
    expect((await read('a b\n1 2', { fields: ab, header: true })).rows).toEqual([{ a: '1', b: '2' }])
    for (const [text, options] of [
      ['a c\n1 2', { fields: ab, header: true }],
      ['a a\n1 2', {}],
      ['a\n1 2', {}],
      ['1 2\n', { header: ['a'] }],
      ['12\n', { widths: [1, 1], header: ['a'] }],
    ] as const) {
      expect((await read(text, options as ReadOptions)).failure).toMatchObject({ code: 'FIXED_HEADER_INVALID' })
    }
  })

  test('without trim blanks stay, and white space other than blanks always does', async () => {
    expect((await read(' x \u00a0\t', { widths: [3, 2], header: false, trim: false })).rows).toEqual([
      [' x ', '\u00a0\t'],
    ])
    expect((await read(' x \u00a0\t', { widths: [3, 2], header: false })).rows).toEqual([['x', '\u00a0\t']])
  })

  test('relax loses nothing', async () => {
    const relaxed = { widths: [2, 2], relax: true }
    expect((await read('a b\n1\n1 2 3 4', relaxed)).rows).toEqual([
      { a: '1', b: null },
      { a: '1', b: '2', _extra: '3 4' },
    ])
    expect((await read('1\n1 2 3', { ...relaxed, header: false })).rows).toEqual([
      ['1', null],
      ['1', '2', '3'],
    ])
    expect((await read('a _extra\n1 22222222', { widths: [2, 6], relax: true })).failure).toMatchObject({
      code: 'FIXED_RECORD_LONG',
    })
    const lines = ['a   b', ...Array.from({ length: 1000 }, () => '1   2'), '1 3 2', '1  32']
    expect((await read(lines.join('\n'))).failure).toMatchObject({ code: 'FIXED_MISALIGNED', line: 1002, column: 2 })
    expect((await read(lines.join('\n'), { relax: true })).rows.slice(-2)).toEqual([
      { a: '1 3', b: '2' },
      { a: '1  3', b: '2' },
    ])
  })

  test.each([1, 2, 7, 100])('a line that is longer than maxRecordBytes ends it, in chunks of %i', async chunkBytes => {
    const { rows, failure } = await read(
      'a b\n1 2\r\n1 2345\n1 23456\n',
      { maxRecordBytes: 6, widths: [2, 5] },
      chunkBytes,
    )
    expect(rows).toEqual([
      { a: '1', b: '2' },
      { a: '1', b: '2345' },
    ])
    expect(failure).toMatchObject({ code: 'RECORD_TOO_LARGE', line: 4, column: 1, byte: 16, record: 3 })
  })
})

describe('typed values', () => {
  const text = [
    'id   zip   born       score ok   ',
    '1    00501 1815-12-10 1.50  true ',
    '2    90210            -2    false',
    '3',
    '',
  ].join('\n')

  test.each([1, 3, 7, 1000])('by cast, in chunks of %i', async chunkBytes => {
    const { rows, failure } = await read(text, { cast: true, relax: true }, chunkBytes)
    expect(failure).toBeUndefined()
    expect(rows).toEqual([
      { id: 1, zip: '00501', born: new CalendarDate('1815-12-10'), score: 1.5, ok: true },
      { id: 2, zip: '90210', born: null, score: -2, ok: false },
      { id: 3, zip: null, born: null, score: null, ok: null },
    ])
  })

  test('the schema is known on opening, and text otherwise', async () => {
    const typesOf = async (options: ReadOptions) => {
      await using reader = await openIterable({ text, name: 'x.fwf' }, { relax: true, ...options })
      return reader.schema?.columns.map(({ name, type, nullable }) => `${name}:${type}${nullable ? '?' : ''}`).join(' ')
    }
    expect(await typesOf({ cast: true })).toBe('id:integer zip:text? born:date? score:number? ok:boolean?')
    expect(await typesOf({ cast: true, scan: 'full' })).toBe(await typesOf({ cast: true }))
    expect(await typesOf({ fields })).toBe('id:text? name:text? note:text?')
    expect((await inferSchema({ text, name: 'x.fwf' }, { relax: true })).columns.map(({ type }) => type)).toEqual(
      'integer text date number boolean'.split(' '),
    )
  })

  test('a value that is not of its declared type is a bad record, with its place', async () => {
    const { rows, failure } = await read('a  b\n1  2\né  x\n', { types: { b: 'integer' } })
    expect(rows).toEqual([{ a: '1', b: 2 }])
    expect(failure).toMatchObject({ code: 'VALUE_TYPE_MISMATCH', line: 3, column: 4, byte: 14, record: 2 })
    const bad = new MemoryTarget('bad.jsonl')
    const left = await read('a  b\n1  2\n3  x\n4  5\n', { types: { b: 'integer' }, cast: true, deadLetters: bad })
    expect(left.rows).toEqual([
      { a: 1, b: 2 },
      { a: 4, b: 5 },
    ])
    expect(JSON.parse(bad.text())).toMatchObject({ raw: '3  x', record: 2 })
    expect((await read('a\n', { types: { b: 'integer' } })).failure).toMatchObject({ code: 'OPTION_INVALID' })
  })

  test('gives what a CSV of the same fields gives, whatever they are', async () => {
    const field = fc.oneof(
      fc.constantFrom('', '1', '-7', '007', '1.5', '1e400', '9007199254740993', 'true', '2024-02-29', 'x', 'null', 'é'),
      fc.integer({ min: -99999, max: 99999 }).map(String),
    )
    const options = fc.record({
      cast: fc.constant(true),
      scan: fc.constantFrom<number | 'full'>(1, 3, 1000, 'full'),
      onWiden: fc.constantFrom<'text' | 'error'>('text', 'error'),
      nullText: fc.constantFrom<string[]>([''], ['', 'null'], []),
      onError: fc.constant('skip' as const),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field), { maxLength: 8 }), options, async (cells, typing) => {
        const rows = async (source: string, name: string, more: ReadOptions = {}) => {
          await using reader = openIterable({ text: source, name }, { ...typing, ...more })
          const all = await reader.readBulk(100)
          return { all, skipped: reader.rowsSkipped, schema: reader.schema }
        }
        const csv = ['a,b', ...cells.map(pair => pair.join())].join('\n')
        const fwf = [['a', 'b'], ...cells].map(pair => pair.map(value => value.padEnd(20)).join('')).join('\n')
        expect(await rows(fwf, 'x.fwf', { widths: [20, 20] })).toEqual(await rows(csv, 'x.csv'))
      }),
      { seed: 62, numRuns: 500 },
    )
  })

  test('are written back as they are', async () => {
    const out = new MemoryTarget('y.fwf')
    await using writer = openIterable(out, { mode: 'w' })
    await writer.writeBulk(openIterable({ text, name: 'x.fwf' }, { relax: true, cast: true }))
    await writer.close()
    const again = await read(out.text(), { cast: true, relax: true })
    expect(again.rows).toEqual((await read(text, { cast: true, relax: true })).rows)
  })
})

describe('writing', () => {
  const rows = [
    { id: 1, name: 'Ada', on: new Date(0) },
    { id: 20n, name: null, on: null },
  ]

  test('columns are as wide as what they hold, numbers on the right', async () => {
    const text = [
      'id name on                      ',
      ' 1 Ada  1970-01-01T00:00:00.000Z',
      '20                              ',
      '',
    ]
    for (const batch of [1, 2]) expect(await write(rows, {}, batch)).toBe(text.join('\n'))
    expect(await write([{ n: 5, t: true }], { header: false })).toBe('5 true\n')
    expect(await write([])).toBe('')
  })

  test('given columns stand one behind the other', async () => {
    expect(await write([{ id: 7, name: 'é🙂' }], { fields: fields.slice(0, 2) })).toBe(`    7é🙂${' '.repeat(10)}\n`)
    expect(await write([], { fields: fields.slice(0, 2), header: true })).toBe('   idname        \n')
  })

  test.each([
    ['too long', { a: 'xyz' }, 'xy'],
    ['too long, by characters', { a: '🙂🙂🙂' }, '🙂🙂'],
    ['blanks before it', { a: ' x' }, 'x '],
    ['a line break', { a: '\n' }, undefined],
    ['an object', { a: { b: 1 } }, '{"'],
    ['a function', { a: () => 1 }, undefined],
    ['an invalid date', { a: new Date(Number.NaN) }, undefined],
    ['half a pair', { a: '\ud800' }, undefined],
    ['another column', { b: 1 }, undefined],
  ])('%s does not go in silence', async (_, row, truncated) => {
    const options = { fields: [{ name: 'a', width: 2 }] }
    await expect(write([{ a: 1 }, row], options)).rejects.toMatchObject({ code: 'FIXED_UNWRITABLE', record: 2 })
    expect(await write([{ a: 1 }, row], { ...options, onError: 'skip' })).toBe('1 \n')
    const cut = write([row], { ...options, overflow: 'truncate' })
    if (truncated === undefined) await expect(cut).rejects.toMatchObject({ code: 'FIXED_UNWRITABLE' })
    else expect(await cut).toBe(`${truncated}\n`)
  })

  test('a value that is longer than those of the first 1000 rows is an error', async () => {
    const many = Array.from({ length: 1001 }, (_, i) => ({ a: i === 1000 ? 'xx' : 'x' }))
    await expect(write(many)).rejects.toMatchObject({ code: 'FIXED_UNWRITABLE', record: 1001 })
  })

  test('widths that are not as many as the columns, and names that do not fit', async () => {
    await expect(write([{ a: 1 }], { widths: [1, 1] })).rejects.toMatchObject({ code: 'FIXED_UNWRITABLE' })
    await expect(write([{ long: 1 }], { widths: [2] })).rejects.toMatchObject({ code: 'FIXED_UNWRITABLE' })
  })
})

it('gives back what it wrote, or refuses it', async () => {
  const cell = fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ maxLength: 4 }), fc.constant(''))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell), { maxLength: 6 }),
      fc.constantFrom(1, 3, 1000),
      async (cells, chunkBytes) => {
        const columns = [
          { name: 'a', width: 5 },
          { name: 'b', width: 6, align: 'right' as const },
        ]
        const all = cells.map(([a, b]) => ({ a, b }))
        const fits = ({ a, b }: { a: string; b: string }) =>
          [a, b].every((text, i) => [...text].length <= 5 + i && !/^ | $|[\r\n]|\p{Surrogate}/u.test(text))
        const text = await write(all, { fields: columns, onError: 'skip' })
        const { rows, failure } = await read(text, { fields: columns }, chunkBytes)
        expect(failure).toBeUndefined()
        expect(rows).toEqual(all.filter(fits))
      },
    ),
    { seed: 61, numRuns: 1500 },
  )
})

it.each([
  [{ widths: [] }],
  [{ widths: [0] }],
  [{ fields: [{ name: 'a' }] }],
  [{ fields: [{ name: 'a', width: 1, align: 'middle' }] }],
  [
    {
      fields: [
        { name: 'a', width: 1 },
        { name: 'a', width: 2 },
      ],
    },
  ],
])('refuses %o', async options => {
  expect((await read('x', options as ReadOptions)).failure).toMatchObject({ code: 'OPTION_INVALID' })
})
