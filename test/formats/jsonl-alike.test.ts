/** Lines that are alike, read by a scan of their bytes, are what `JSON.parse` makes of them, or are left to it. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Block } from '../../src/core/blocks.ts'
import type { Row } from '../../src/core/types.ts'
import { AlikeParser } from '../../src/formats/jsonl/alike-parse.ts'
import { JsonlDecoder } from '../../src/formats/jsonl/decoder.ts'
import { rowScan } from '../../src/formats/jsonl/simd/row-scan.ts'
import { readJsonl } from './jsonl-reading.ts'
import { placeOf, rowsText } from './reading-by-chunks.ts'

const ROOT = join(import.meta.dirname, '../..')
const RUNS = Number(process.env.OPEN_ITERABLE_PROPERTY_RUNS ?? 20_000)

function blockOf(text: string): Block {
  const source = Buffer.from(text)
  return { text, source, bytes: source.length, ascii: source.length === text.length }
}

/** What is taken of a block after its first line was learned from, up to the first line that is not taken. */
function take(text: string): { rows: Row[]; bytes: number } | undefined {
  const parser = new AlikeParser(true)
  const block = blockOf(text)
  parser.learn(block)
  if (!parser.ready) return undefined
  expect(parser.begin(block)).toBe(true)
  const rows: Row[] = []
  parser.take(rows)
  return { rows, bytes: parser.at }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** All that is taken is what its lines are one by one. Gives the number of lines that were taken. */
function check(text: string): number {
  const taken = take(text)
  if (taken === undefined) return -1
  const { rows, bytes } = taken
  const lines = Buffer.from(text).subarray(0, bytes).toString().split('\n')
  if (lines.at(-1) === '') lines.pop()
  expect(rowsText(rows)).toBe(rowsText(lines.map(parsed)))
  return rows.length
}

describe('what a line may be', () => {
  const first = '{"a":0,"b":""}\n'
  test.each([
    '{"a":1,"b":"x"}\n',
    '{"a":-1,"b":"x"}\r\n',
    '{"a":"0123456789abcde","b":"0123456789abcdef"}\n',
    '{"a":"0123456789abcdefg","b":"漢字🎬é and so on, and on, and on"}\n',
    '{"a":null,"b":true}\n',
    '{"a":false,"b":-0}\n',
    '{"a":0.5,"b":-0.0}\n',
    '{"a":1073741823,"b":1073741824}\n',
    '{"a":-1073741824,"b":-2147483648}\n',
    '{"a":9007199254740991,"b":-9007199254740991}\n',
    '{"a":0.00000000000000001,"b":123456789.0123456}\n',
    '{"a":0.1,"b":0.30000000000004}\n',
    '{"a":5.0,"b":1.10}\n',
    '{"a":"\\u00e9\\n\\"","b":"\\\\"}\n',
    '{"a":"é\\u00e9🎬\\/","b":"after it"}\n',
    '{"a":1,"b":2}',
    '{"a":{},"b":[]}\n',
    '{"a":{"n":[1,"}]",{"m":"\\"]é🎬"}]},"b":"x"}\n',
    '{"a":[ 1e3, {"__proto__" : 1} ],"b":{"\\"":"0123456789012345678é"}}\n',
  ])('%j is taken', line => {
    expect(check(first + line)).toBe(2)
  })

  test.each([
    '{"a":9007199254740992,"b":1}\n',
    '{"a":9007199254740993,"b":1}\n',
    '{"a":0.12345678901234567890,"b":1}\n',
    '{"a":1e3,"b":1}\n',
    '{"a":1.5E3,"b":1}\n',
    '{"a":01,"b":1}\n',
    '{"a":-,"b":1}\n',
    '{"a":1.,"b":1}\n',
    '{"a":.5,"b":1}\n',
    '{"a":+1,"b":1}\n',
    '{"a":nul,"b":1}\n',
    '{"a":nulll,"b":1}\n',
    '{"a":True,"b":1}\n',
    '{"a":"x,"b":1}\n',
    '{"a":"\t","b":1}\n',
    '{"a":"\\é","b":1}\n',
    '{"a":"x","b":"y\n',
    '{"a":"x","b":"y"\n',
    '{"a":"x","b":"y"} \n',
    '{"a":"x","b":"y"}}\n',
    '{"a":"x","b":"y"},\n',
    ' {"a":"x","b":"y"}\n',
    '{"a":"x", "b":"y"}\n',
    '{"b":"x","a":"y"}\n',
    '{"a":"x","b":"y","c":1}\n',
    '{"a":"x"}\n',
    '{"a":{"n":\t1},"b":1}\n',
    '{"a":{"n":1,"b":1}\n',
    '{"a":["\\é"],"b":1}\n',
    '\n',
    '{}\n',
    '[1,2]\n',
  ])('%j is not', line => {
    expect(check(`${first}${line}`)).toBe(1)
    // A line that is like the first one behind it changes nothing.
    expect(check(`${first}${line}\n${first}`)).toBe(1)
  })

  test('a carriage return alone ends no line', () => {
    expect(check(`${first}{"a":"x","b":"y"}\r`)).toBe(1)
    expect(check(`${first}{"a":"x","b":"y"}\r${first}`)).toBe(1)
  })

  test('of a line with an escape that there is none of it is left to say where', () => {
    expect(check(`${first}${first}{"a":"\\x","b":1}\n`)).toBe(0)
    expect(check(`${first}${first}{"a":"\\u12g4","b":1}\n`)).toBe(0)
  })

  test('integers in objects inside that no number holds are left with the lines around them', () => {
    expect(check(`${first}${first}{"a":{"n":9007199254740993},"b":1}\n`)).toBe(0)
  })

  test('so it is of what is wrong with an object inside', () => {
    for (const value of ['{]', '[}', '{"n"}', '{"n":01}', '[1,]', '[1 2]', '{n:1}']) {
      expect(check(`${first}${first}{"a":${value},"b":1}\n`)).toBe(0)
    }
  })

  test.each([
    ['keys that are numbers, in their order', '{"1":1,"2":2,"b":3}\n', 2],
    ['keys that are numbers, in another order', '{"b":3,"1":1}\n', -1],
    ['keys of a prototype', '{"__proto__":1,"constructor":2,"toString":3}\n', 2],
    ['a key that is empty', '{"":1}\n', 2],
    ['keys with escapes as we write them', '{"a\\"b":1,"\\\\":2,"\\n":3}\n', 2],
    ['keys with other escapes', '{"\\u0061":1}\n', -1],
    ['keys beyond ASCII', '{"название":"фы","監督":"🎬","x":1}\n', 2],
    ['a key twice', '{"a":1,"a":2}\n', -1],
    ['spaces as Python puts them', '{"a": 1, "b": "x"}\n', 2],
    ['spaces behind colons', '{"a": 1,"b": "x"}\n', 2],
    ['other spaces', '{"a":  1,"b":"x"}\n', -1],
    ['a small object inside', '{"a":{"b":1},"c":"a text that is longer than the object"}\n', 2],
    ['a large object inside', '{"a":{"b":"a text that is longer than all the rest"},"c":1}\n', -1],
    ['no keys', '{}\n', -1],
    ['an array', '[1,2]\n', -1],
    ['no JSON', '{"a":1,}\n', -1],
  ])('%s', (_name, line, expected) => {
    expect(check(line + line)).toBe(expected)
    const rows = take(line + line)?.rows ?? []
    for (const row of rows) expect(Object.entries(row)).toEqual(Object.entries(JSON.parse(line)))
  })

  test('up to 300 keys, of any length', () => {
    const line = (count: number, length = 0) =>
      `${JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}${'é'.repeat(length)}`, i])))}\n`
    expect(check(line(300).repeat(20))).toBe(20)
    expect(check(line(301))).toBe(-1)
    expect(check(line(1, 10_000).repeat(3))).toBe(3)
    expect(check(line(2, 20_000))).toBe(-1)
    // More cells than the scan has room for.
    expect(check(line(1).repeat(6000) + line(1))).toBe(6001)
    expect(check('{"":1,"a":2,"b":3}\n'.repeat(3400))).toBe(3400)
  })
})

const key = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '1', '2', '__proto__', 'a long key, longer than a step', '🎬', 'é"', ''),
  fc.string({ unit: 'binary', maxLength: 40 }),
)
const scalar = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom('"', '\\', '\u2028', '🎬', 'é', '}\n{', '","', '\\u0041').map(text => text.repeat(7)),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
  fc.integer({ min: -99_999, max: 99_999 }).map(number => number / 1000),
  fc.constantFrom(null, true, false, 0, -0, 1e21, 2 ** 53),
  fc.jsonValue({ maxDepth: 3 }),
)
const table = fc.uniqueArray(key, { minLength: 1, maxLength: 6 }).chain(keys =>
  fc.array(
    fc
      .tuple(...keys.map(() => scalar))
      .map(values => `{${keys.map((name, i) => `${JSON.stringify(name)}:${JSON.stringify(values[i])}`).join(',')}}`),
    { minLength: 1, maxLength: 8 },
  ),
)
const damage = fc.tuple(
  fc.nat(),
  fc.nat(3),
  fc.constantFrom(
    '',
    '\n',
    ',',
    '"',
    '}',
    '{',
    '\\',
    '1',
    '.',
    '-',
    ':',
    'e',
    ' ',
    '\r',
    '\u0000',
    'é',
    '🎬',
    ']',
    '[',
  ),
)

describe('random lines', () => {
  test('what is taken is what the lines are one by one', () => {
    const seen = { lines: 0, taken: 0 }
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), (lines, lineEnd) => {
        seen.lines += lines.length
        seen.taken += Math.max(0, check(lines.join(lineEnd) + lineEnd))
      }),
      { seed: 41, numRuns: RUNS / 4 },
    )
    expect(seen.taken).toBeGreaterThan(seen.lines / 8)
  })

  test('also of lines that are damaged behind the first', () => {
    fc.assert(
      fc.property(table, damage, (lines, [place, length, piece]) => {
        const line = `${lines[0]}\n`
        const characters = [...`${lines.join('\n')}\n`]
        characters.splice(place % characters.length, length, piece)
        check(line + characters.join(''))
      }),
      { seed: 42, numRuns: RUNS / 2 },
    )
  })
})

/** All of a block: what is taken, and what is left to be parsed, of which more shapes are learned. */
function readAll(text: string): { rows: Row[]; left: number } {
  const parser = new AlikeParser(true)
  const block = blockOf(text)
  parser.learn(block)
  const rows: Row[] = []
  let left = 0
  parser.begin(block)
  while (parser.ready) {
    parser.take(rows)
    if (parser.ended) break
    for (const line of parser.leave().text.split('\n')) {
      if (line === '') continue
      left++
      rows.push(parsed(line) as Row)
    }
    if (parser.ended) break
  }
  return { rows, left }
}

describe('several shapes', () => {
  const keys = ['a', 'b', 'bb', 'a long key, longer than a step', 'a long key, longer than a stem', 'é', '1']
  const lineOf = (names: readonly string[], value: (i: number) => unknown) =>
    JSON.stringify(Object.fromEntries(names.map((name, i) => [name, value(i)])))

  test('that begin alike, end early or go on differently are told apart', () => {
    const shapes = [
      ['a'],
      ['a', 'b'],
      ['a', 'b', 'é'],
      ['a', 'bb'],
      ['b'],
      [keys[3]!, 'a'],
      [keys[4]!, 'a'],
      [keys[4]!],
    ]
    const lines = Array.from({ length: 400 }, (_, n) => lineOf(shapes[(n * n + (n >> 3)) % shapes.length]!, i => n + i))
    const { rows, left } = readAll(`${lines.join('\n')}\n`)
    expect(rowsText(rows)).toBe(rowsText(lines.map(parsed)))
    // Each shape is left once, but for the first one, which was learned before.
    expect(left).toBe(new Set(lines.map(line => Object.keys(JSON.parse(line)).join())).size - 1)
  })

  test('more than it pays to learn are left', () => {
    const lines = Array.from({ length: 500 }, (_, n) => `{"key ${n}":${n}}`)
    const { rows, left } = readAll(`${lines.join('\n')}\n`)
    expect(rowsText(rows)).toBe(rowsText(lines.map(parsed)))
    expect(left).toBe(499)
  })

  test('random ones, in random order', () => {
    let left = 0
    let count = 0
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.constantFrom(...keys), { minLength: 1 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.tuple(fc.nat(), fc.array(scalar, { minLength: 7, maxLength: 7 })), { minLength: 5, maxLength: 40 }),
        (shapes, picks) => {
          // In the order of the shape also where JavaScript has another one: such lines are never taken.
          const lines = picks.map(([pick, values]) => {
            const names = shapes[pick % shapes.length]!
            return `{${names.map((name, i) => `${JSON.stringify(name)}:${JSON.stringify(values[i])}`).join()}}`
          })
          const read = readAll(`${lines.join('\n')}\n`)
          left += read.left
          count += lines.length
          if (read.rows.length > 0) expect(rowsText(read.rows)).toBe(rowsText(lines.map(parsed)))
        },
      ),
      { seed: 44, numRuns: RUNS / 20 },
    )
    expect(left).toBeLessThan(count / 2)
  })
})

describe('in a file', () => {
  /** As many lines as are read before it is asked whether they are alike, and more, in the same shape as `lines`. */
  const prelude = (lines: readonly string[]) => {
    const line = lines[0]!
    return Array.from({ length: Math.ceil(150_000 / Buffer.byteLength(line)) }, () => line)
  }
  const chunks = fc.constantFrom(1 << 20, 70_001, 9973)

  test('the rows, the bad lines and their places are those of a reading that knows nothing of likeness', () => {
    fc.assert(
      fc.property(table, damage, damage, chunks, (lines, first, second, chunkBytes) => {
        const before = prelude(lines)
        const characters = [...lines, ...lines, ...lines].join('\n').split('')
        for (const [place, length, piece] of [first, second])
          characters.splice(place % characters.length, length, piece)
        const tail = characters.join('').toWellFormed()
        const whole = readJsonl(`${before.join('\n')}\n${tail}\n${before.join('\n')}`, {
          chunkBytes,
          bigint: 'number',
          skip: true,
        })
        const expected = readJsonl(tail, { bigint: 'number', skip: true })
        const own = before.map(parsed)
        expect(whole.failure).toBeUndefined()
        expect(rowsText(whole.rows) === rowsText([...own, ...expected.rows, ...own])).toBe(true)
        const bytes = before.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)
        expect(
          whole.errors.map(([error, raw]) => [placeOf(error), error.message.split('\n')[0]!.replace(/\d+/g, ''), raw]),
        ).toEqual(
          expected.errors.map(([error, raw]) => [
            {
              ...placeOf(error),
              line: error.line! + before.length,
              byte: error.byte! + bytes,
              record: error.record! + before.length,
            },
            error.message.split('\n')[0]!.replace(/\d+/g, ''),
            raw,
          ]),
        )
      }),
      { seed: 43, numRuns: RUNS / 100 },
    )
  })

  const lines = Array.from({ length: 9000 }, (_, n) => `{"n":${n},"text":"row ${n}${n % 3 === 0 ? ' é' : ''}"}`)

  test.each(['auto', 'string', 'number'] as const)('integers beyond 2^53 in objects inside: %s', bigint => {
    const nested = lines.map(line => line.replace('}', ',"o":{"i":1}}'))
    const input = nested.with(8000, '{"n":1,"text":"x","o":{"i":9007199254740993}}').join('\n')
    const { rows } = readJsonl(input, { bigint })
    const i = { auto: 9007199254740993n, string: '9007199254740993', number: 9007199254740992 }[bigint]
    expect(rows[8000]).toEqual({ n: 1, text: 'x', o: { i } })
    expect(rowsText(rows.toSpliced(8000, 1))).toBe(rowsText(nested.toSpliced(8000, 1).map(parsed)))
  })

  test.each(['auto', 'string', 'number', 'error'] as const)('integers beyond 2^53: %s', bigint => {
    const input = lines.with(8000, '{"n":9007199254740993,"text":"x"}').join('\n')
    const { rows, errors } = readJsonl(input, { bigint, skip: true })
    expect(rows.length).toBe(bigint === 'error' ? 8999 : 9000)
    if (bigint === 'error') expect(placeOf(errors[0]![0])).toMatchObject({ code: 'JSON_UNSAFE_INTEGER', line: 8001 })
    else {
      const n = { auto: 9007199254740993n, string: '9007199254740993', number: 9007199254740992 }[bigint]
      expect(rows[8000]).toEqual({ n, text: 'x' })
    }
  })

  test('invalid UTF-8 is told with its place, or replaced', () => {
    const bytes = Buffer.from(lines.join('\n'))
    const at = bytes.indexOf('é', 200_000)
    bytes[at] = 0xff
    const { rows, errors } = readJsonl(bytes, { skip: true })
    expect(rows.length).toBe(8999)
    expect(placeOf(errors[0]![0])).toMatchObject({ code: 'TEXT_INVALID_UTF8', byte: at })
    const replaced = readJsonl(bytes, { encodingErrors: 'replace' })
    expect(rowsText(replaced.rows)).toBe(rowsText(bytes.toString().split('\n').map(parsed)))
  })

  test('lines of other kinds in between, blank ones, and such that stay', () => {
    const input = lines.flatMap((line, i) => {
      if (i % 100 === 0) return [line, '', ' \t']
      if (i % 1000 === 501) return [line, '{"other":{"n":[1]}}', '{"text":"x"}', '{"n":1}']
      return i > 6000 && i < 7000 ? ['{"text":"é","n":1}'] : [line]
    })
    const expected = input.filter(line => line.trim() !== '').map(parsed)
    for (const lineEnd of ['\n', '\r\n']) {
      expect(rowsText(readJsonl(input.join(lineEnd), { chunkBytes: 50_000 }).rows)).toBe(rowsText(expected))
    }
  })

  test('a line that is too long is found', () => {
    const input = lines.with(8000, `{"n":1,"text":"${'x'.repeat(3000)}"}`).join('\n')
    const { failure } = readJsonl(input, { maxRecordBytes: 2000 })
    expect(failure).toMatchObject({ code: 'RECORD_TOO_LARGE', line: 8001 })
  })

  test('another reader may read where a bad line is told of', () => {
    const input = Buffer.from(lines.with(8000, '{"n":,"text":"x"}').join('\n'))
    const create = (onBadRecord: () => void) => new JsonlDecoder({}, { label: 'in.jsonl', onBadRecord })
    const all = (decoder: JsonlDecoder) => [...decoder.decode(input), ...decoder.flush()].flat()
    let inside: unknown[] = []
    const rows = all(
      create(() => {
        inside = all(create(() => {}))
      }),
    )
    expect(inside.length).toBe(8999)
    expect(rowsText(rows)).toBe(rowsText(inside))
  })

  test('a row that is kept holds on to a small part of its file only', () => {
    const decoder = new JsonlDecoder({}, { label: 'in.jsonl', onBadRecord: () => {} })
    const batches = [...decoder.decode(Buffer.from(`${lines.join('\n')}\n`))]
    // What is read before it is known that lines are alike is parsed, which keeps nothing.
    const small = batches.filter(batch => JSON.stringify(batch).length < 9000)
    expect(small.flat().length).toBeGreaterThan(lines.length / 2)
    expect(batches.flat().length).toBe(lines.length)
  })
})

test('is compiled from its source (node scripts/build-wasm.mjs)', async () => {
  const { renderModule } = await import('../../scripts/build-wasm.mjs')
  const module = readFileSync(join(ROOT, 'src/formats/jsonl/simd/row-scan-wasm.ts'), 'utf8')
  expect(module).toBe(await renderModule('formats/jsonl/simd/row-scan'))
  expect(rowScan()).not.toBeNull()
})

test('is not needed: without WebAssembly, and without generated code, the rows are the same', () => {
  const script = `
    import { openIterable } from ${JSON.stringify(join(ROOT, 'dist/index.js'))}
    import { createHash } from 'node:crypto'
    const text = Array.from({ length: 9000 }, (_, n) => JSON.stringify({ n, t: 'row ' + n, f: n / 4 })).join('\\n')
    const rows = await openIterable({ text, name: 'x.jsonl' }).readBulk(20_000)
    const digest = createHash('sha1').update(JSON.stringify(rows)).digest('hex')
    console.log(typeof WebAssembly, rows.length, digest)`
  const run = (...flags: string[]) =>
    execFileSync(process.execPath, [...flags, '--input-type=module', '-e', script], { encoding: 'utf8' }).trim()
  const [kind, count, digest] = run().split(' ')
  expect([kind, count]).toEqual(['object', '9000'])
  expect(run('--jitless')).toBe(`undefined 9000 ${digest}`)
  expect(run('--disallow-code-generation-from-strings')).toBe(`object 9000 ${digest}`)
})
