import { describe, expect, test } from 'vitest'
import { DataError } from '../../src/core/errors.ts'
import { findSyntaxFault } from '../../src/formats/jsonl/syntax.ts'
import { readJsonl } from './jsonl-reading.ts'
import { placeOf } from './reading-by-chunks.ts'

/** Lines that are JSON, and at once rows. */
const VALID = [
  '{}',
  '[]',
  '[[]]',
  '[""]',
  '[null,true,false,0]',
  '[-0]',
  '[-1]',
  '[0.1e1]',
  '[1E22]',
  '[1e+2]',
  '[1e-2]',
  '[123.456e78]',
  '[1.7976931348623157e308]',
  '[5e-324]',
  '[1e-400]',
  '[9007199254740993]',
  '{"a":[]}',
  '{"a":{"b":{"c":[[[{}]]]}}}',
  '{"":0}',
  '{"a":1,"a":2}',
  '{"a\\u0000b":"\\u0000"}',
  '["\\"\\\\\\/\\b\\f\\n\\r\\t"]',
  '["\\u0061\\uD834\\uDD1E"]',
  '["\\uD834"]',
  '["\\uDd1e\\uD834"]',
  '["\u007f\u0080\u2028\u2029\ufffe"]',
  '["🦊"]',
  '["a\\\\"]',
  '["\\\\u0061"]',
  ' [1] ',
  '\t{"a" :\t1 }\t\r',
  '[1 ,\r2]',
  '{"a":"}"}',
  '["],["]',
]

/** Lines that are not. */
const INVALID = [
  '{',
  '[',
  ']',
  '}',
  '[1',
  '[1,',
  '[,1]',
  '[1,]',
  '[1,,2]',
  '[1 2]',
  '[1]]',
  '[1}',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  '{"a" 1}',
  '{"a":1 "b":2}',
  '{"a":1]',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '{9007199254740993:1}',
  '{9007199254740993 :1}',
  '{"a":1}x',
  '{"a":1}{"a":2}',
  '{"a":1},',
  '1,2',
  '[3',
  '4]',
  '[01]',
  '[-01]',
  '[012345678901234567890]',
  '[-]',
  '[+1]',
  '[--1]',
  '[-12345678901234567890-]',
  '[1.]',
  '[.5]',
  '[1.e1]',
  '[1e]',
  '[1e+]',
  '[1e1.5]',
  '[1.2.3]',
  '[1.5e2e3]',
  '[1.2e3.4]',
  '[0x10]',
  '[1_000]',
  '[NaN]',
  '[Infinity]',
  '[undefined]',
  '[tru]',
  '[nul',
  '[True]',
  '[truefalse]',
  '["]',
  '["a',
  '["\\"]',
  '["\\x"]',
  '["\\u12"]',
  '["\\u12g4"]',
  '["\\U0061"]',
  '["a\tb"]',
  '["a\u0000b"]',
  '["\u001f"]',
  '"',
  '\ufeff[1]',
  '[1]\ufeff',
  '[\u00a01]',
  '\u001e[1]',
  '\u000b[1]',
  '\f',
  '\u00a0',
  '# comment',
  '[1] // comment',
  '[/* no */]',
  '[12345678901234567890"a"]',
  '[12345678901234567890',
]

function verdict(line: string): unknown {
  try {
    return [JSON.parse(line)]
  } catch {
    return 'not JSON'
  }
}

describe('the same verdict as JSON.parse', () => {
  for (const line of VALID) {
    test(`valid: ${JSON.stringify(line)}`, () => {
      expect(findSyntaxFault(line)).toBeUndefined()
      // Not the first line, where a mark may stand; with neighbours that it must not touch.
      const { rows, failure } = readJsonl(`{"before":1}\n${line}\n{"after":1}\n`, { bigint: 'number' })
      expect(failure).toBeUndefined()
      expect(rows).toEqual([{ before: 1 }, JSON.parse(line), { after: 1 }])
    })
  }

  for (const line of INVALID) {
    test(`invalid: ${JSON.stringify(line)}`, () => {
      expect(verdict(line)).toBe('not JSON')
      for (const bigint of ['auto', 'string', 'number', 'error'] as const) {
        const { rows, errors } = readJsonl(`{"before":1}\n${line}\n{"after":1}\n`, { bigint, skip: true })
        expect(rows).toEqual([{ before: 1 }, { after: 1 }])
        expect(errors.map(([error, raw]) => [error.code, error.line, error.record, raw])).toEqual([
          ['JSON_INVALID', 2, 2, line],
        ])
        expect(errors[0]![0].cause).toBeInstanceOf(SyntaxError)
      }
    })
  }

  test('what is broken over two lines is not joined', () => {
    const { rows, errors } = readJsonl('[3\n4]\n1,2\n["a\nb"]\n{"ok":1}\n', { skip: true })
    expect(rows).toEqual([{ ok: 1 }])
    expect(errors.map(([error]) => error.line)).toEqual([1, 2, 3, 4, 5])
  })

  test('nesting as deep as JSON.parse takes it, for rows, errors and BigInts alike', () => {
    const depth = 100_000
    const open = '['.repeat(depth)
    const close = ']'.repeat(depth)
    const input = `${open}12345678901234567890${close}\n${open}${close}]\n`
    const { rows, errors } = readJsonl(input, { skip: true })
    let value: unknown = rows[0]
    while (Array.isArray(value)) value = value[0]
    expect(value).toBe(12345678901234567890n)
    expect(errors.map(([error]) => [error.line, error.column])).toEqual([[2, 2 * depth + 1]])
  })
})

describe('where a line is wrong', () => {
  const cases: readonly (readonly [string, number, string, string])[] = [
    ['{"a":1,}', 8, 'a key in double quotes', '"}"'],
    ['{"a" 1}', 6, "':'", '"1}"'],
    ['{a:1}', 2, "a key in double quotes, or '}'", '"a:1}"'],
    ['{"a":1 "b":2}', 8, "',' or '}'", '"\\"b\\":2}"'],
    ['[1 2]', 4, "',' or ']'", '"2]"'],
    ['[1,]', 4, 'a value', '"]"'],
    ['[1] x', 5, 'the end of the line', '"x"'],
    ['[tru]', 5, 'true', '"]"'],
    ['[01]', 3, "',' or ']'", '"1]"'],
    ['[-]', 3, 'a digit', '"]"'],
    ['[1.]', 4, 'a digit', '"]"'],
    ['[1e+]', 5, 'a digit', '"]"'],
    ['["\\x"]', 4, 'one of the escapes " \\ / b f n r t u', '"x\\"]"'],
    ['["\\u12g4"]', 7, 'a hex digit', '"g4\\"]"'],
    ['["a\tb"]', 4, 'an escape, as control characters cannot stand in a string', '"\\tb\\"]"'],
    ['["a', 4, 'a closing quote', 'the end of the line'],
    ['{"a":', 6, 'a value', 'the end of the line'],
    ['{"a":\r', 6, 'a value', 'the end of the line'],
    ['["a\r', 4, 'a closing quote', 'the end of the line'],
    ['[nul', 5, 'null', 'the end of the line'],
  ]
  for (const [line, column, expected, found] of cases) {
    test(JSON.stringify(line), () => {
      const { failure } = readJsonl(`{}\n${line}\n`)
      expect(failure).toBeInstanceOf(DataError)
      expect(failure).toMatchObject({ code: 'JSON_INVALID', line: 2, column, byte: 3 + column - 1, expected, found })
      expect(failure!.message).toContain(
        `in.jsonl:2:${column} [JSON_INVALID] the line is not JSON: expected ${expected}, found ${found}`,
      )
    })
  }

  test('is where the engine says, in those messages that say it', () => {
    let compared = 0
    for (const line of INVALID) {
      try {
        JSON.parse(line)
      } catch (error) {
        const position = / at position (\d+)/.exec(String(error))?.[1]
        if (position === undefined) continue
        compared++
        expect([line, findSyntaxFault(line)!.at]).toEqual([line, Number(position)])
      }
    }
    expect(compared).toBeGreaterThan(20)
  })

  test('a document over several lines, and RFC 7464 sequences, get a hint', () => {
    expect(readJsonl('[\n  {"a":1}\n]\n').failure!.message).toContain('a JSON document over several lines is not JSONL')
    expect(readJsonl('\x1e{"a":1}\n').failure!.message).toContain('RFC 7464')
    expect(readJsonl('{"a":1,}\n').failure!.hint).toBeUndefined()
  })

  test('byte and column differ behind text that is not ASCII, also behind replaced bytes', () => {
    expect(placeOf(readJsonl('{"é":1}\n{"漢🦊":x}\n').failure!)).toEqual({
      code: 'JSON_INVALID',
      line: 2,
      column: 8,
      byte: 9 + 11,
      record: 2,
    })
    const replaced = Buffer.concat([
      Buffer.from('{"a":"'),
      Buffer.from([0xff, 0xfe, 0xe2, 0x82]),
      Buffer.from('\uFFFD漢🦊"}\n["'),
      Buffer.from([0xf0, 0x9f, 0xa6]),
      Buffer.from('é'),
      Buffer.from([0x80]),
      Buffer.from('\uFFFD" x]\n{"b":2}'),
    ])
    const at = replaced.indexOf('x]')
    for (const chunkBytes of [1, 5, 1000]) {
      const { rows, errors } = readJsonl(replaced, { chunkBytes, skip: true, encodingErrors: 'replace' })
      expect(rows).toEqual([{ a: '\uFFFD\uFFFD\uFFFD\uFFFD漢🦊' }, { b: 2 }])
      expect(errors.map(([error]) => placeOf(error))).toEqual([
        { code: 'JSON_INVALID', line: 2, column: '["?é??" '.length + 1, byte: at, record: 2 },
      ])
    }
  })

  test('line, record and byte are right far into a file, after blank lines and many blocks', () => {
    const before = '{"x":"é"}\r\n\r\n{"y":1}\n \n'.repeat(5000)
    const { failure, rows } = readJsonl(`${before}{"z":}\n`, { chunkBytes: 1013 })
    expect(rows).toHaveLength(10_000)
    expect(placeOf(failure!)).toEqual({
      code: 'JSON_INVALID',
      line: 20_001,
      column: 6,
      byte: Buffer.byteLength(before) + 5,
      record: 10_001,
    })
  })
})
