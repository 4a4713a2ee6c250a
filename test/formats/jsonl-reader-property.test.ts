/** The reader against oracles that are as plain as can be, over random documents, chunk sizes and damage. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Reading, readJsonl } from './jsonl-reading.ts'
import { rowsText } from './reading-by-chunks.ts'

const CHUNKS = fc.constantFrom(1, 2, 3, 5, 7, 16, 64, 1000)

/** What a reader is by definition: each line by itself, by JSON.parse. */
function byLines(document: string): { rows: unknown[]; bad: number[] } {
  const rows: unknown[] = []
  const bad: number[] = []
  const text = document.startsWith('\uFEFF') ? document.slice(1) : document
  for (const [index, line] of text.split('\n').entries()) {
    if (/^[ \t\r]*$/.test(line)) continue
    try {
      const value: unknown = JSON.parse(line)
      if (typeof value === 'object' && value !== null) rows.push(value)
      else bad.push(index + 1)
    } catch {
      bad.push(index + 1)
    }
  }
  return { rows, bad }
}

function compare(document: string, reading: Reading): void {
  const expected = byLines(document)
  const { rows, errors, failure } = readJsonl(document, { ...reading, bigint: 'number', skip: true })
  expect(failure).toBeUndefined()
  expect(rowsText(rows)).toBe(rowsText(expected.rows))
  expect(errors.map(([error]) => error.line)).toEqual(expected.bad)
  const lines = document.split('\n')
  for (const [error, raw] of errors) {
    // The place leads to the line that was refused: by its number, and by its byte.
    const line = lines[error.line! - 1]!
    expect(line.replace(/\r$/, '').endsWith(raw!)).toBe(true)
    const upTo = Buffer.from(document).subarray(0, error.byte).toString()
    expect(upTo.split('\n').length).toBe(error.line)
    const mark = error.line === 1 && document.startsWith('\uFEFF') ? 1 : 0
    expect(upTo.slice(upTo.lastIndexOf('\n') + 1).length - mark + 1).toBe(error.column)
  }
}

describe('equals JSON.parse line by line', () => {
  const ends = fc.constantFrom('\n', '\r\n', '\n\n', ' \n\t\n', '')
  const record = fc.oneof(
    { weight: 6, arbitrary: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { maxKeys: 4 }) },
    { weight: 1, arbitrary: fc.array(fc.jsonValue(), { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.jsonValue() },
  )
  const documents = fc
    .tuple(fc.constantFrom('', '\uFEFF'), fc.array(fc.tuple(record, ends), { maxLength: 8 }))
    .map(([mark, parts]) => mark + parts.map(([value, end]) => JSON.stringify(value) + end).join(''))

  test('documents, well formed and with lines that run into each other', () => {
    fc.assert(
      fc.property(documents, CHUNKS, (document, chunkBytes) => compare(document, { chunkBytes })),
      { seed: 31, numRuns: 3000 },
    )
  })

  test('documents with a piece cut out, doubled or put in', () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.nat(8),
      fc.constantFrom('', '\n', ',', '"', '}', '[', '\\', '1', '\r', '\u0000'),
    )
    fc.assert(
      fc.property(documents, damage, CHUNKS, (document, [place, length, piece], chunkBytes) => {
        const characters = [...document]
        characters.splice(place % (characters.length + 1), length, piece)
        compare(characters.join(''), { chunkBytes })
      }),
      { seed: 32, numRuns: 5000 },
    )
  })

  test('soup of JSON tokens and line ends', () => {
    const token = fc.constantFrom(...'{ } [ ] , : "a" "b\\" "é 1 -2.5e3 01 null tru 🦊 \n \n \r\n \t'.split(' '), ' ')
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }), CHUNKS, (tokens, chunkBytes) => {
        compare(tokens.join(''), { chunkBytes })
      }),
      { seed: 33, numRuns: 10_000 },
    )
  })
})

/** JSON with BigInts for unsafe integers, by recursive descent over regular expressions. */
function parseLossless(text: string, onUnsafe?: () => void): unknown {
  let at = 0
  const take = (pattern: RegExp): string => {
    const sticky = new RegExp(pattern.source, 'y')
    sticky.lastIndex = at
    const match = sticky.exec(text)
    if (match === null) throw new SyntaxError(`at ${at}`)
    at = sticky.lastIndex
    return match[0]
  }
  const list = (close: string, item: () => void): void => {
    at++
    take(/\s*/)
    if (text[at] === close) at++
    else
      do {
        item()
        take(/\s*/)
      } while (take(/[,\]}]/) === ',')
  }
  const value = (): unknown => {
    take(/\s*/)
    if (text[at] === '[') {
      const items: unknown[] = []
      list(']', () => items.push(value()))
      return items
    }
    if (text[at] === '{') {
      const fields: Record<string, unknown> = {}
      list('}', () => {
        take(/\s*/)
        const key: string = JSON.parse(take(/"(?:[^"\\]|\\.)*"/))
        take(/\s*:/)
        Object.defineProperty(fields, key, { value: value(), enumerable: true, configurable: true, writable: true })
      })
      return fields
    }
    const token = take(/"(?:[^"\\]|\\.)*"|[-+.\w]+/)
    if (!/^-?\d+$/.test(token) || Number.isSafeInteger(Number(token))) return JSON.parse(token)
    onUnsafe?.()
    return BigInt(token)
  }
  return value()
}

describe('integers beyond 2^53', () => {
  const digits = fc.stringMatching(/^-?[1-9][0-9]{13,24}$/)
  const nearBorder = fc
    .bigInt(2n ** 53n - 20n, 2n ** 53n + 20n)
    .chain(value => fc.constantFrom(`${value}`, `-${value}`))
  const number = fc.oneof(
    digits,
    nearBorder,
    fc.tuple(digits, fc.constantFrom('.5', 'e3', '.25E-2', 'e+1')).map(parts => parts.join('')),
    fc.constantFrom('0', '-0', '1.5', '0.12345678901234567890', '1e400'),
  )
  const text = fc
    .oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      digits,
      fc
        .tuple(fc.string({ unit: fc.constantFrom('\\', '"', ',', ':', ' ', '\u0001', '\u0010', 'é') }), digits)
        .map(parts => parts.join('')),
    )
    .map(value => JSON.stringify(value))
  const space = fc.constantFrom('', '', '', ' ', '\t', ' \r ')
  const { value } = fc.letrec<{ value: string; array: string; object: string }>(tie => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      number,
      text,
      fc.constantFrom('null', 'true'),
      tie('array'),
      tie('object'),
    ),
    array: fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
      .map(items => `[${items.map(item => item.join('')).join()}]`),
    object: fc
      .array(
        fc.tuple(space, fc.oneof(text, fc.constant('"__proto__"'), fc.constant('"a"')), space, tie('value'), space),
      )
      .map(fields => `{${fields.map(([a, key, b, field, c]) => `${a}${key}${b}:${field}${c}`).join()}}`),
  }))
  const documents = fc.array(value, { maxLength: 6 })

  test('auto: equals a parser that loses nothing', () => {
    fc.assert(
      fc.property(documents, CHUNKS, (lines, chunkBytes) => {
        const { rows, errors } = readJsonl(lines.join('\n'), { chunkBytes, wrapValues: 'w' })
        expect(errors).toEqual([])
        const expected = lines
          .map(line => parseLossless(line))
          .map(row => (typeof row === 'object' && row !== null ? row : { w: row }))
        expect(rowsText(rows)).toBe(rowsText(expected))
      }),
      { seed: 41, numRuns: 4000 },
    )
  })

  test('string: the same, as digits; number: as JSON.parse; error: the lines that have one', () => {
    const asText = (line: string) =>
      JSON.parse(JSON.stringify(parseLossless(line), (_, field) => (typeof field === 'bigint' ? `${field}` : field)))
    fc.assert(
      fc.property(documents, CHUNKS, (lines, chunkBytes) => {
        // Infinity and -0 do not survive the oracle's way over text: left to the test above.
        const plain = lines.map(line => `[${line.replaceAll('1e400', '1').replace(/-0(?![.\d])/g, '0')}]`)
        const document = plain.join('\r\n')
        const text = readJsonl(document, { chunkBytes, bigint: 'string' })
        expect(rowsText(text.rows)).toBe(rowsText(plain.map(asText)))
        const rounded = readJsonl(document, { chunkBytes, bigint: 'number' })
        expect(rowsText(rounded.rows)).toBe(rowsText(plain.map(line => JSON.parse(line))))
        const strict = readJsonl(document, { chunkBytes, bigint: 'error', skip: true })
        expect(strict.errors.map(([error]) => [error.code, error.line])).toEqual(
          plain.flatMap((line, index) => (holdsUnsafe(line) ? [['JSON_UNSAFE_INTEGER', index + 1]] : [])),
        )
        expect(rowsText(strict.rows)).toBe(
          rowsText(plain.filter(line => !holdsUnsafe(line)).map(line => JSON.parse(line))),
        )
      }),
      { seed: 42, numRuns: 3000 },
    )
  })

  test('of a damaged line, the verdict is that of JSON.parse', () => {
    fc.assert(
      fc.property(
        value,
        fc.nat(),
        fc.nat(3),
        fc.constantFrom('', '"', ':', ',', '0', '-', '}', '\\', '.'),
        (line, at, length, piece) => {
          const place = at % (line.length + 1)
          const damaged = line.slice(0, place) + piece + line.slice(place + length)
          const { bad } = byLines(`[${damaged}]`)
          for (const bigint of ['auto', 'string', 'error'] as const) {
            const { errors } = readJsonl(`[${damaged}]`, { bigint, skip: true })
            const invalid = errors.filter(([error]) => error.code === 'JSON_INVALID')
            expect(invalid.map(([error]) => error.line)).toEqual(bad)
          }
        },
      ),
      { seed: 43, numRuns: 8000 },
    )
  })
})

/** Whether one is written there, also where a later field of the same name hides it. */
function holdsUnsafe(line: string): boolean {
  let unsafe = false
  parseLossless(line, () => {
    unsafe = true
  })
  return unsafe
}
