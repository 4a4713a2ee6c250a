import { describe, expect, test } from 'vitest'
import { openIterable } from '../../src/index.ts'
import { type Reading, readJson } from './json-reading.ts'
import { placeOf, rowsText } from './reading-by-chunks.ts'

const SIZES = [1, 2, 3, 7, 64, undefined]

/** The outcome, proven to be the same in chunks of every size. */
function read(input: string | Uint8Array, reading: Reading = {}) {
  const [first, ...others] = SIZES.map(chunkBytes =>
    readJson(input, chunkBytes === undefined ? reading : { ...reading, chunkBytes }),
  )
  for (const other of others) {
    expect(rowsText(other.rows)).toBe(rowsText(first!.rows))
    expect(placeOf(other.failure)).toEqual(placeOf(first!.failure))
    expect(other.errors.map(([error]) => placeOf(error))).toEqual(first!.errors.map(([error]) => placeOf(error)))
  }
  return others.at(-1)!
}

describe('what the rows are', () => {
  test('the elements of an array, one object, or objects behind each other', () => {
    expect(read('[{"a":1},{"a":2}]').rows).toEqual([{ a: 1 }, { a: 2 }])
    expect(read(' [ ] ').rows).toEqual([])
    expect(read('{"a":[1,2]}').rows).toEqual([{ a: [1, 2] }])
    expect(read('{"a":1}{"a":2}\n{"a":\n3}\n').rows).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
  })

  test('nothing in empty input, with a byte order mark or without', () => {
    for (const text of ['', ' \n', '\uFEFF', '\uFEFF\n']) {
      expect(read(text)).toMatchObject({ rows: [], failure: undefined })
    }
  })

  test('of duplicate keys the last one, __proto__ a key, a lone surrogate as it is', () => {
    const { rows } = read('[{"a":1,"a":2,"__proto__":{"x":1},"s":"\\ud800"}]')
    expect(rowsText(rows)).toBe('[{"a":2,"__proto__":{"x":1},"s":"\\ud800"}]')
    expect(Object.getPrototypeOf(rows[0])).toBe(Object.prototype)
  })

  test('values only where they are wrapped', () => {
    const { rows, errors } = read('[1,{"a":1},"x",[2],null]', { skip: true })
    expect(rows).toEqual([{ a: 1 }, [2]])
    expect(errors.map(([error, raw]) => [error.code, error.column, error.record, raw])).toEqual([
      ['JSON_NOT_A_ROW', 2, 1, '1'],
      ['JSON_NOT_A_ROW', 12, 3, '"x"'],
      ['JSON_NOT_A_ROW', 20, 5, 'null'],
    ])
    expect(read('[1,"x",{"a":1}]', { wrapValues: '__proto__' }).rows.map(row => Object.keys(row as object))).toEqual([
      ['__proto__'],
      ['__proto__'],
      ['a'],
    ])
    expect(read('42', { wrapValues: 'v' }).rows).toEqual([{ v: 42 }])
    expect(read('42').failure).toMatchObject({ code: 'JSON_NOT_A_ROW', line: 1, column: 1, record: 1 })
  })

  test('members, with entries', () => {
    const text = '{"b":{"x":1},"2":[],"b":null,"1":9007199254740993,"__proto__":"é"}'
    expect(rowsText(read(text, { entries: true }).rows)).toBe(
      rowsText([
        { key: 'b', value: { x: 1 } },
        { key: '2', value: [] },
        { key: 'b', value: null },
        { key: '1', value: 9007199254740993n },
        { key: '__proto__', value: 'é' },
      ]),
    )
    expect(read('{"a":1,"b":12345678901234567890}', { entries: true, bigint: 'error' }).failure).toMatchObject({
      code: 'JSON_UNSAFE_INTEGER',
      byte: 11,
      record: 2,
    })
    expect(read('{"a":1,}', { entries: true })).toMatchObject({
      rows: [{ key: 'a', value: 1 }],
      failure: { code: 'JSON_INVALID', byte: 7, expected: 'a key in double quotes' },
    })
  })
})

describe('concatenated', () => {
  test('true: any values, but no two scalars that touch', () => {
    expect(read('[1][2]{"a":1}', { concatenated: true }).rows).toEqual([[1], [2], { a: 1 }])
    expect(read('1 "a""b"true\n{}', { concatenated: true, wrapValues: 'v' }).rows).toEqual([
      { v: 1 },
      { v: 'a' },
      { v: 'b' },
      { v: true },
      {},
    ])
    expect(read('01', { concatenated: true, wrapValues: 'v' })).toMatchObject({
      rows: [{ v: 0 }],
      failure: { code: 'JSON_INVALID', column: 2 },
    })
  })

  test('with a pointer, the rows of each', () => {
    const text = '{"r":[{"a":1}],"x":0}\n{"r":{"a":2}}{"x":[3],"r":[{"a":3},{"a":4}]}'
    expect(read(text, { pointer: '/r', concatenated: true }).rows).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }])
    expect(read(text, { pointer: '/r' })).toMatchObject({ rows: [{ a: 1 }], failure: { line: 2, column: 1 } })
  })

  test('false, and behind an array: one value', () => {
    const { rows, failure } = read('{"a":1}{"a":2}', { concatenated: false })
    expect(rows).toEqual([{ a: 1 }])
    expect(failure).toMatchObject({ code: 'JSON_INVALID', byte: 7, expected: 'the end of the input' })
    expect(read('[{"a":1}]\n[]').failure).toMatchObject({
      line: 2,
      column: 1,
      hint: 'several values in one input are read with { concatenated: true }',
    })
  })
})

describe('pointer', () => {
  const document =
    '{"meta":{"n":[1,{"data":[]}],"data":"]}"},"data":{"it/ms":[{"a":1}, {"a":2}],"m~":{"x":1}},"last":[1]}'

  test('leads to an array or an object', () => {
    expect(read(document, { pointer: '/data/it~1ms' }).rows).toEqual([{ a: 1 }, { a: 2 }])
    expect(read(document, { pointer: '/data/m~0' }).rows).toEqual([{ x: 1 }])
    expect(read(document, { pointer: '/data/it~1ms/1' }).rows).toEqual([{ a: 2 }])
    expect(read(document, { pointer: '/meta/n/1/data' }).rows).toEqual([])
    expect(read('{"":[{"a":1}]}', { pointer: '/' }).rows).toEqual([{ a: 1 }])
    expect(read('{"\\u0064ata":[{"a":1}]}', { pointer: '/data' }).rows).toEqual([{ a: 1 }])
  })

  test.each([
    ['/data/items', 'an object with the keys "it/ms", "m~"'],
    ['/nothing', 'an object with the keys "meta", "data", "last"'],
    ['/meta/n/2', 'an array of 2 elements'],
    ['/meta/n/01', 'an array of 2 elements'],
    ['/meta/n/-', 'an array of 2 elements'],
    ['/meta/n/0', 'a number'],
    ['/meta/data/x', 'a text'],
    ['/meta/n/1/data/0', 'an array of 0 elements'],
  ])('that leads nowhere: %s', (pointer, found) => {
    const { rows, failure } = read(document, { pointer })
    expect(rows).toEqual([])
    expect(failure).toMatchObject({ code: 'JSON_POINTER_NOT_FOUND', expected: pointer, found, line: 1 })
    expect(failure!.message).toContain(found)
  })

  test('that leads nowhere in empty input', () => {
    expect(read('', { pointer: '/a' }).failure).toMatchObject({ code: 'JSON_POINTER_NOT_FOUND', found: 'empty input' })
  })

  test('that leads to two places is an error, once the second is met', () => {
    const { rows, failure } = read('{"a":[{"x":1}],\n"b":0,"a":[{"x":2}]}', { pointer: '/a' })
    expect(rows).toEqual([{ x: 1 }])
    expect(failure).toMatchObject({ code: 'JSON_POINTER_AMBIGUOUS', line: 2, found: '"a"' })
  })

  test('checks what it skips, before and behind the rows', () => {
    for (const [text, byte] of [
      ['{"x":[1,],"a":[{}]}', 8],
      ['{"x":tru,"a":[{}]}', 8],
      ['{"a":[{}],"x":"\\q"}', 16],
      ['{"a":[{}],}', 10],
      ['{"a":[{}]', 9],
      ['{"a":[{}]}]', 10],
    ] as const) {
      expect(read(text, { pointer: '/a' }).failure).toMatchObject({ code: 'JSON_INVALID', byte })
    }
  })

  test('checks that what it skips is UTF-8, unless it replaces', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"é":"漢🙂'),
      Buffer.from([0xf0, 0x9f, 0x99]),
      Buffer.from('","a":[{"b":1}]}'),
    ])
    expect(read(bytes, { pointer: '/a' })).toMatchObject({
      rows: [],
      failure: { code: 'TEXT_INVALID_UTF8', line: 1, column: 10, byte: 14 },
    })
    expect(read(bytes, { pointer: '/a', encodingErrors: 'replace' }).rows).toEqual([{ b: 1 }])
  })

  test.each(['data', '/a~', '/a~2', '#/a', 3])('that is none is refused: %s', async pointer => {
    const options = { pointer: pointer as string, format: 'json' }
    await expect(openIterable({ text: '[]' }, options).read()).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })
})

describe('what is wrong', () => {
  test.each([
    ['an array cut short', '[{"a":1},\n{"a":2}', 1, { line: 2, column: 8, byte: 17, record: 3 }, "',' or ']'"],
    ['in a row', '[{"a":1},\n{"a"', 1, { line: 2, column: 5, byte: 14, record: 2 }, "':'"],
    ['in a string', '[{"a":1},\n{"é🙂', 1, { line: 2, column: 6, byte: 18, record: 2 }, 'a closing quote'],
    ['no value', '[{"a":1},\n', 1, { line: 2, column: 1, byte: 10, record: 2 }, 'a value'],
  ] as const)('%s', (_, text, count, place, expected) => {
    const { rows, failure } = read(text)
    // The row before the end is whole in the first case, as its brace is there.
    expect(rows.length).toBe(place.record - 1)
    expect(rows.length).toBeGreaterThanOrEqual(count)
    expect(failure).toMatchObject({ code: 'JSON_INVALID', ...place, expected, found: 'the end of the input' })
    expect(failure!.hint).toContain('cut short')
  })

  test.each([
    ['garbage behind the document', '[{"a":1}] x', 1, 10, 'the end of the input', '"x"'],
    ['a comma too many', '[{"a":1},]', 1, 9, 'a value', '"]"'],
    ['no comma', '[{"a":1}{"a":2}]', 1, 8, "',' or ']'", '"{\\"a\\":2}]"'],
    [
      'a missing quote',
      '[{"a":1},{"b:2},\n{"c":3}]',
      1,
      16,
      'an escape, as control characters cannot stand in a string',
      undefined,
    ],
    ['brackets that do not match', '[{"a":[1}]', 0, 8, "',' or ']'", '"}]"'],
    ['single quotes', "[{'a':1}]", 0, 2, "a key in double quotes, or '}'", undefined],
    ['NaN', '[{"a":NaN}]', 0, 6, 'a value', undefined],
    ['a leading zero', '[{"a":012}]', 0, 7, "',' or '}'", undefined],
    ['a comment', '[{"a":1}, // one\n]', 1, 10, 'a value', undefined],
    ['a second byte order mark', '\uFEFF\uFEFF[]', 0, 3, 'a value', undefined],
    ['half a byte order mark', Buffer.from([0xef, 0xbb, 0x5b, 0x5d]), 0, 2, 'a value', undefined],
  ] as const)('%s', (_, text, rows, byte, expected, found) => {
    const outcome = read(text)
    expect(outcome.rows.length).toBe(rows)
    expect(outcome.failure).toMatchObject({ code: 'JSON_INVALID', byte, expected })
    if (found !== undefined) expect(outcome.failure!.found).toBe(found)
  })

  test('many rows before it are delivered, and none behind it', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => `{"id":${i}}`)
    rows[3000] = '{"id":}'
    const outcome = readJson(`[${rows.join(',\n')}]`)
    expect(outcome.rows).toEqual(Array.from({ length: 3000 }, (_, id) => ({ id })))
    expect(outcome.failure).toMatchObject({ code: 'JSON_INVALID', line: 3001, column: 7, record: 3001 })
  })

  test('a decoder that failed does not go on', () => {
    const bytes = Buffer.from('[{"a":1},x')
    const outcome = readJson(Buffer.concat([bytes, Buffer.from(',{"a":2}]')]), { chunkBytes: bytes.length })
    expect(outcome.rows).toEqual([{ a: 1 }])
  })

  test('bytes that are not UTF-8: a bad row, or replaced', () => {
    const bytes = Buffer.concat([Buffer.from('[{"é":1},\n{"ü":"'), Buffer.from([0xff]), Buffer.from('"}, {"a":3}]')])
    const { rows, errors } = read(bytes, { skip: true })
    expect(rows).toEqual([{ é: 1 }, { a: 3 }])
    expect(errors.map(([error]) => placeOf(error))).toEqual([
      { code: 'TEXT_INVALID_UTF8', line: 2, column: 7, byte: 18, record: 2 },
    ])
    expect(read(bytes, { encodingErrors: 'replace' }).rows[1]).toEqual({ ü: '\uFFFD' })
  })

  test('a row that is larger than maxRecordBytes, in any chunks', () => {
    const row = '{"a":"1234567890"}'
    expect(read(`[${row},\n  ${row} ]`, { maxRecordBytes: 18 }).rows.length).toBe(2)
    const { rows, failure } = read(`[{"a":1},\n  ${row} ]`, { maxRecordBytes: 17 })
    expect(rows).toEqual([{ a: 1 }])
    expect(failure).toMatchObject({ code: 'RECORD_TOO_LARGE', line: 2, column: 3, byte: 12, record: 2 })
    expect(read('{"data":[{"a":1},{"a":2}]}', { maxRecordBytes: 10 }).failure!.hint).toContain('pointer')
    expect(read('{"data":[{"a":1},{"a":2}]}', { maxRecordBytes: 10, pointer: '/data' }).rows.length).toBe(2)
    expect(read(`{"a"${' '.repeat(20)}:1}`, { maxRecordBytes: 20, entries: true }).failure).toMatchObject({
      code: 'RECORD_TOO_LARGE',
      byte: 1,
    })
  })

  test('white space between rows is not counted, however much there is', () => {
    const space = ' \n'.repeat(50_000)
    expect(
      readJson(`[${space}{"a":1}${space},${space}{"a":2}${space}]`, { chunkBytes: 1000, maxRecordBytes: 7 }).rows,
    ).toEqual([{ a: 1 }, { a: 2 }])
  })

  test('nesting, deep in a row, and without end in what is skipped', () => {
    const deep = '['.repeat(100_000)
    expect(readJson(`[${deep}${deep.replaceAll('[', ']')}]`).rows.length).toBe(1)
    const { failure } = readJson(`{"x":${'['.repeat(2 ** 24 + 1)}`, { pointer: '/a' })
    expect(failure).toMatchObject({ code: 'JSON_INVALID', expected: 'at most 16777216 levels', byte: 5 + 2 ** 24 })
  })
})

describe('integers beyond 2^53', () => {
  const text =
    '[{"a":9007199254740991,"b":9007199254740992},{"s":"9007199254740993"},{"c":[-9007199254740993,1.5,12345678901234567890.5]}]'

  test('auto, string, number, error', () => {
    expect(read(text).rows).toEqual([
      { a: 9007199254740991, b: 9007199254740992n },
      { s: '9007199254740993' },
      { c: [-9007199254740993n, 1.5, 12345678901234567000] },
    ])
    expect((read(text, { bigint: 'string' }).rows[2] as { c: unknown[] }).c[0]).toBe('-9007199254740993')
    expect(rowsText(read(text, { bigint: 'number' }).rows)).toBe(rowsText(JSON.parse(text)))
    const { rows, errors } = read(text, { bigint: 'error', skip: true })
    expect(rows).toEqual([{ s: '9007199254740993' }])
    expect(errors.map(([error]) => [error.code, error.byte, error.record])).toEqual([
      ['JSON_UNSAFE_INTEGER', 27, 1],
      ['JSON_UNSAFE_INTEGER', 76, 3],
    ])
  })
})
