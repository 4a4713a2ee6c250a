/** A block parsed at once is what its lines are one by one, or it is not parsed at once. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Block } from '../../src/core/blocks.ts'
import { BlockParser } from '../../src/formats/jsonl/block-parse.ts'
import { readJsonl } from './jsonl-reading.ts'
import { rowsText } from './reading-by-chunks.ts'

const RUNS = Number(process.env.OPEN_ITERABLE_PROPERTY_RUNS ?? 20_000)

function blockOf(text: string): Block {
  const source = Buffer.from(text)
  return { text, source, bytes: source.length, ascii: source.length === text.length }
}

function parse(text: string): unknown[] | undefined {
  return new BlockParser().parse(blockOf(text))
}

/** What each line is by itself; null for a line that is none. */
function byLines(text: string): (object | null)[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map(line => {
    try {
      const value: unknown = JSON.parse(line)
      return typeof value === 'object' && !Array.isArray(value) ? value : null
    } catch {
      return null
    }
  })
}

/** The array that the lines make, joined by commas and nothing else, if they do. */
function joined(text: string): unknown[] | undefined {
  try {
    return JSON.parse(`[${text.replace(/\n$/, '').replaceAll('\n', ',')}]`)
  } catch {
    return undefined
  }
}

/** Blocks that are taken, and blocks that look as if they could be: as many elements as lines, but other ones. */
const seen = { taken: 0, traps: 0 }

function check(text: string): void {
  const lines = byLines(text)
  const rows = parse(text)
  if (rows !== undefined) {
    seen.taken++
    expect(rowsText(rows)).toBe(rowsText(lines))
  }
  const array = joined(text)
  if (array?.length === lines.length && rowsText(array) !== rowsText(lines)) {
    seen.traps++
    expect(rows).toBeUndefined()
  }
}

/** Values as text: what parts lines and records is all over in strings and keys. */
const piece = fc.constantFrom(
  'a',
  '}',
  '{',
  ',',
  '},{',
  '}\\n{',
  ':',
  '[',
  ']',
  '\\"',
  '\\\\',
  'é',
  '🦊',
  '1',
  '\\u007d',
)
const string = fc.array(piece, { maxLength: 4 }).map(pieces => `"${pieces.join('')}"`)
const key = fc.oneof(string, fc.constantFrom('"a"', '"b"', '"__proto__"', '"1"'))
const scalar = fc.oneof(string, fc.constantFrom('1', '-0', 'null', 'true', '1e400', '12345678901234567890'))
const space = fc.constantFrom('', '', '', '', ' ', '\r', '\t')
const { value } = fc.letrec<{ value: string; object: string }>(tie => ({
  value: fc.oneof(
    { maxDepth: 2 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }).map(items => `[${items.join()}]`),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(key, space, tie('value'), space), { maxLength: 3 })
    .map(members => `{${members.map(([name, a, member, b]) => `${name}:${a}${member}${b}`).join()}}`),
}))
const flat = fc
  .array(fc.tuple(key, fc.oneof(scalar, fc.constantFrom('[1,2]', '[]', '["a",[1]]'))), { maxLength: 3 })
  .map(members => `{${members.map(member => member.join(':')).join()}}`)

/** A text that is an array but for its brackets, with line ends in the place of some commas, wherever they stand. */
const brokenAtCommas = fc
  .tuple(
    fc.array(fc.oneof({ weight: 6, arbitrary: flat }, { weight: 2, arbitrary: value }), { minLength: 1, maxLength: 6 }),
    fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
    fc.constantFrom('\n', '\n', '\r\n'),
    fc.constantFrom('', '\n'),
  )
  .map(([items, chances, lineEnd, end]) => {
    const text = items.join()
    let broken = ''
    for (const [at, character] of [...text].entries()) {
      // Mostly where records could part, in strings too; sometimes elsewhere; sometimes not even there.
      const parts = text[at - 1] === '}' && text[at + 1] === '{'
      const chance = chances.next().value
      broken += character === ',' && (parts ? chance > 0 : chance > 8) ? lineEnd : character
    }
    return broken + end
  })

const token = fc.constantFrom(
  ...[
    '{',
    '}',
    '{',
    '}',
    '"',
    '"a":',
    '"b":1',
    ',',
    '[',
    ']',
    '"}',
    '{"',
    '},{',
    '\\',
    '\r',
    ' ',
    '1',
    'é',
    '\n',
    '\n',
  ],
)
const soup = fc
  .array(
    fc.array(token, { maxLength: 6 }).map(tokens => `{${tokens.join('')}}`),
    { minLength: 1, maxLength: 5 },
  )
  .map(lines => lines.join('\n'))

describe('a block at once', () => {
  test('is what its lines are one by one: arrays that are broken at their commas', () => {
    seen.taken = seen.traps = 0
    fc.assert(fc.property(brokenAtCommas, check), { seed: 61, numRuns: RUNS })
    expect(seen.taken).toBeGreaterThan(RUNS / 20)
    expect(seen.traps).toBeGreaterThan(RUNS / 10_000)
  })

  test('is what its lines are one by one: soup of tokens between braces', () => {
    fc.assert(fc.property(soup, check), { seed: 62, numRuns: RUNS })
  })

  test.each([
    ['a string over two lines, and two records on one', '{"a":"}\n{"}\n{"a":1},{"b":2}\n'],
    ['an array over two lines, and two records on one', '{"a":[{}\n{}]}\n{"a":1},{"b":2}\n'],
    ['a record over two lines, and two on one', '{"a":1\n"b":2}\n{"a":1},{"b":2}\n'],
    ['a record over two lines that both have braces, and two on one', '{"a":{}\n"b":2}\n{"a":1},{"b":2}\n'],
    ['a line end inside of a record', '{"a":\n1}\n'],
    ['a line end inside of a record, before a brace', '{"a":\n{}}\n'],
    ['a line end inside of a string', '{"a":"x\n{y"}\n'],
    ['a repeated key that hides what was nested', '{"a":[{"b":1}\n{"c":2}],"a":5}\n{"x":1},{"y":2}\n'],
    ['values that are no objects', '1\n{"a":1}\n'],
    ['values that are no objects, behind an object', '{"a":1}\n"}"\n'],
    ['two values on a line', '{"a":1},2\n{"a":1}\n'],
    ['an empty line', '{"a":1}\n\n{"a":1}\n'],
    ['a byte order mark', '\uFEFF{"a":1}\n'],
    ['a comma at the end of a line', '{"a":1},\n{"b":2}\n'],
    ['a bracket behind the last line', '{"a":1}\n{"b":2}]\n'],
    ['a line that is cut off', '{"a":1}\n{"b":2'],
    ['a line end inside of a string, with a letter that is not ASCII', '{"é":"x\n{y"}\n'],
    ['a record over two lines, with a letter that is not ASCII', '{"é":"}\n{"}\n{"a":1},{"b":2}\n'],
  ])('is not taken: %s', (_, text) => {
    expect(parse(text)).toBeUndefined()
  })

  test.each([
    ['{"a":1}'],
    ['{"a":1}\n'],
    ['{"a":1}\r\n{"a":2}\r\n'],
    ['{ "a" : [1,[2]] }\n{}\n{"__proto__":1,"a":1,"a":2}'],
    ['{"é":"{"}\n{"🦊":"[,"}\n'],
    ['{"é":1}\r\n{"é":2}\r'],
  ])('is taken: %j', text => {
    const rows = parse(text)
    expect(rows).toBeDefined()
    expect(rowsText(rows!)).toBe(rowsText(byLines(text)))
  })

  test('is tried again some blocks after one that was parsed in vain', () => {
    const parser = new BlockParser()
    expect(parser.parse(blockOf('{"a":tru}\n'))).toBeUndefined()
    let blocks = 0
    while (parser.parse(blockOf('{"a":1}\n')) === undefined) blocks++
    expect(blocks).toBe(16)
  })

  test('gives counts and places that go on behind it', () => {
    const good = '{"a":"x"}\n'.repeat(5000)
    const document = `${good}{"a":tru}\n${good}{"a":"é"}\n{"a":12345678901234567890}\n${good}[1\n`
    for (const chunkBytes of [1000, 65_536, document.length * 2]) {
      const { rows, errors } = readJsonl(document, { chunkBytes, skip: true })
      expect(rows.length).toBe(15_002)
      expect(rows[10_001]).toEqual({ a: 12345678901234567890n })
      expect(errors.map(([{ line, column, byte, record }]) => ({ line, column, byte, record }))).toEqual([
        { line: 5001, column: 9, byte: good.length + 8, record: 5001 },
        { line: 15_004, column: 3, byte: Buffer.byteLength(document) - 1, record: 15_004 },
      ])
    }
  })
})
