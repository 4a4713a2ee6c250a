/** The reader against `JSON.parse` of the whole text, over random documents, chunk sizes and damage. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findSyntaxFault } from '../../src/formats/jsonl/syntax.ts'
import { type Reading, readJson } from './json-reading.ts'
import { placeOf, rowsText } from './reading-by-chunks.ts'

/** More of them at length: `OPEN_ITERABLE_PROPERTY_RUNS=100000 npx vitest run test/formats/json`. */
const runs = (count: number) => Number(process.env.OPEN_ITERABLE_PROPERTY_RUNS ?? count)

const CHUNKS = fc.constantFrom(1, 2, 3, 5, 7, 16, 64, 1000)

const isRow = (value: unknown) => typeof value === 'object' && value !== null

/** What the reader is by definition. `undefined` where the text is no JSON. */
function whole(text: string): { rows: unknown[]; bad: number } | undefined {
  if (text === '') return { rows: [], bad: 0 }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const values: unknown[] = Array.isArray(value) ? value : [value]
  return { rows: values.filter(isRow), bad: values.filter(item => !isRow(item)).length }
}

/** The place of a character, counted over the whole text. */
function placeAt(text: string, at: number): object {
  const before = text.slice(0, at)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: at - lineStart + 1, byte: Buffer.byteLength(before) }
}

function compare(document: string, reading: Reading): void {
  const mark = document.startsWith('\uFEFF') ? 1 : 0
  const text = document.slice(mark)
  const expected = whole(text)
  const { rows, errors, failure } = readJson(document, {
    ...reading,
    bigint: 'number',
    concatenated: false,
    skip: true,
  })
  if (expected !== undefined) {
    expect(failure?.message).toBeUndefined()
    expect(rowsText(rows)).toBe(rowsText(expected.rows))
    expect(errors.map(([error]) => error.code)).toEqual(Array(expected.bad).fill('JSON_NOT_A_ROW'))
    for (const [error, raw] of errors) {
      const from = Buffer.from(document).subarray(0, error.byte).toString().length - mark
      expect(text.startsWith(raw!, from)).toBe(true)
    }
    return
  }
  if (/^[ \t\r\n]*$/.test(text)) {
    expect([failure, rows]).toEqual([undefined, []])
    return
  }
  const fault = findSyntaxFault(text)!
  const place = placeAt(text, fault.at) as { byte: number }
  expect(failure).toMatchObject({ code: 'JSON_INVALID', ...place, byte: place.byte + mark * 3 })
  // Elements that were whole before it, and no others.
  const more = fault.expected === 'the end of the line' ? 'the end of the input' : fault.expected
  expect(failure!.expected!.split(',')[0]).toBe(more.split(',')[0])
  expect(failure!.record! - 1).toBe(rows.length + errors.length)
  if (/^\s*\[/.test(text)) {
    const all = readJson(document.slice(0, fault.at + mark), { skip: true, concatenated: false, bigint: 'number' })
    expect(rowsText(rows)).toBe(rowsText(all.rows.slice(0, rows.length)))
  }
}

const space = fc.constantFrom('', '', '', ' ', '\n', '\r\n  ', '\t')
const { value } = fc.letrec<{ value: string; array: string; object: string }>(tie => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom('0', '-0', '1.5', '-12.5e-3', '1E400', '12345678901234567890', 'true', 'false', 'null', '""'),
    fc.string({ unit: 'binary', maxLength: 12 }).map(text => JSON.stringify(text)),
    fc.constantFrom('"\\u00e9\\ud800"', '"]},{["', '"\\\\"', '"\\""', '"é漢🙂"', '"\\/\\b\\f\\n\\r\\t"'),
    tie('array'),
    tie('object'),
  ),
  array: fc
    .array(fc.tuple(space, tie('value'), space), { maxLength: 5 })
    .chain(items => space.map(inner => `[${items.length === 0 ? inner : items.map(item => item.join('')).join()}]`)),
  object: fc
    .array(
      fc.tuple(
        space,
        fc.constantFrom('"a"', '"b"', '"__proto__"', '"1"', '"é"', '"a\\"}"'),
        space,
        tie('value'),
        space,
      ),
      { maxLength: 5 },
    )
    .map(fields => `{${fields.map(([a, key, b, field, c]) => `${a}${key}${b}:${field}${c}`).join()}}`),
}))
const elements = fc
  .array(fc.tuple(space, value, space), { maxLength: 8 })
  .map(items => `[${items.map(item => item.join('')).join()}]`)
const documents = fc
  .tuple(fc.constantFrom('', '\uFEFF'), space, fc.oneof({ weight: 3, arbitrary: elements }, value), space)
  .map(parts => parts.join(''))

describe('equals JSON.parse of the whole', () => {
  test('documents', () => {
    fc.assert(
      fc.property(documents, CHUNKS, (document, chunkBytes) => compare(document, { chunkBytes })),
      { seed: 41, numRuns: runs(3000) },
    )
  })

  test('documents with a piece cut out, doubled or put in, the fault at its place', () => {
    const pieces = [
      '',
      '',
      '\n',
      ',',
      '"',
      '}',
      ']',
      '[',
      '{',
      '\\',
      '1',
      '-',
      '.',
      'e',
      ':',
      '\r',
      '\u0000',
      'é',
      't',
      ' ',
    ]
    fc.assert(
      fc.property(
        documents,
        fc.nat(),
        fc.nat(6),
        fc.constantFrom(...pieces),
        CHUNKS,
        (document, place, length, piece, chunkBytes) => {
          const characters = [...document]
          characters.splice(place % (characters.length + 1), length, piece)
          compare(characters.join('').replace(/^\uFEFF+/, '\uFEFF'), { chunkBytes })
        },
      ),
      { seed: 42, numRuns: runs(6000) },
    )
  })

  test('documents cut short anywhere', () => {
    fc.assert(
      fc.property(documents, fc.nat(), CHUNKS, (document, place, chunkBytes) => {
        compare(document.slice(0, place % (document.length + 1)).replace(/[\ud800-\udbff]$/, ''), { chunkBytes })
      }),
      { seed: 43, numRuns: runs(3000) },
    )
  })

  test('soup of tokens', () => {
    const token = fc.constantFrom(
      ...'{ } [ ] , : "a" "b\\" "é 1 -2.5e3 01 - 1. 2e null tru 🦊 \n \t'.split(' '),
      ' ',
      '[',
      '{"a":',
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 20 }), CHUNKS, (tokens, chunkBytes) => {
        compare(tokens.join(''), { chunkBytes })
      }),
      { seed: 44, numRuns: runs(10_000) },
    )
  })
})

test('every reading is the same in chunks of every size', () => {
  const options = fc.record(
    {
      pointer: fc.constantFrom('', '/a', '/b', '/a/b', '/0', '/1/a', '/é'),
      entries: fc.boolean(),
      concatenated: fc.boolean(),
      bigint: fc.constantFrom('auto' as const, 'string' as const, 'error' as const),
      wrapValues: fc.constant('value'),
      maxRecordBytes: fc.constantFrom(1, 8, 30, 10_000),
    },
    { requiredKeys: [] },
  )
  const bytes = fc
    .tuple(
      fc.array(documents, { minLength: 1, maxLength: 3 }),
      fc.nat(),
      fc.constantFrom(-1, -1, 0xff, 0xc3, 0xe2, 0x22, 0x5d),
    )
    .map(([parts, place, byte]) => {
      const buffer = Buffer.from(parts.join(''))
      if (byte >= 0 && buffer.length > 0) buffer[place % buffer.length] = byte
      return buffer
    })
  fc.assert(
    fc.property(bytes, options, CHUNKS, (input, reading, chunkBytes) => {
      const one = readJson(input, { ...reading, skip: true })
      const many = readJson(input, { ...reading, chunkBytes, skip: true })
      expect(rowsText(many.rows)).toBe(rowsText(one.rows))
      expect(placeOf(many.failure)).toEqual(placeOf(one.failure))
      expect(many.errors.map(([error, raw]) => [placeOf(error), raw])).toEqual(
        one.errors.map(([error, raw]) => [placeOf(error), raw]),
      )
    }),
    { seed: 45, numRuns: runs(6000) },
  )
})

/** What a pointer leads to, in a value that is in memory. */
function resolve(value: unknown, tokens: readonly string[]): unknown {
  let at = value
  for (const token of tokens) {
    if (Array.isArray(at) && !/^(0|[1-9][0-9]*)$/.test(token)) return undefined
    if (!isRow(at) || !Object.hasOwn(at as object, token)) return undefined
    at = (at as Record<string, unknown>)[token]
  }
  return at
}

describe('pointer and entries', () => {
  const token = fc.constantFrom('a', 'b', 'a/b', 'm~n', '', '0', '1', '2', 'é"', '~1')
  const { node } = fc.letrec<{ node: unknown }>(tie => ({
    node: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom(1, 'x', null, true),
      fc.dictionary(token, tie('node'), { maxKeys: 5, noNullPrototype: true }),
      fc.array(tie('node'), { maxLength: 4 }),
    ),
  }))
  const pointerOf = (tokens: readonly string[]) =>
    tokens.map(part => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  const indent = fc.constantFrom(undefined, 1, '\t')

  test('equal what is found in the whole', () => {
    fc.assert(
      fc.property(
        node,
        fc.array(token, { maxLength: 3 }),
        fc.boolean(),
        indent,
        CHUNKS,
        (document, tokens, entries, layout, chunkBytes) => {
          const pointer = pointerOf(tokens)
          const text = JSON.stringify(document, null, layout)
          const { rows, failure } = readJson(text, { pointer, entries, chunkBytes, wrapValues: 'w' })
          const target = resolve(document, tokens)
          if (target === undefined) {
            expect([failure?.code, rows]).toEqual(['JSON_POINTER_NOT_FOUND', []])
            return
          }
          const wrap = (value: unknown) => (isRow(value) ? value : { w: value })
          const members = () => Object.entries(target as object).map(([key, value]) => ({ key, value }))
          expect(failure).toBeUndefined()
          expect(rows).toEqual(
            Array.isArray(target) ? target.map(wrap) : entries && isRow(target) ? members() : [wrap(target)],
          )
        },
      ),
      { seed: 46, numRuns: runs(5000) },
    )
  })

  test('values behind each other', () => {
    const parts = fc.array(fc.tuple(node.filter(isRow), fc.constantFrom('', ' ', '\n', '\r\n\n')), { maxLength: 6 })
    fc.assert(
      fc.property(parts, indent, CHUNKS, (values, layout, chunkBytes) => {
        const text = values.map(([value, space]) => JSON.stringify(value, null, layout) + space).join('')
        const { rows, failure } = readJson(text, { concatenated: true, chunkBytes })
        expect(failure).toBeUndefined()
        expect(rows).toEqual(values.map(([value]) => value))
      }),
      { seed: 47, numRuns: runs(2000) },
    )
  })
})
