import { describe, expect, test } from 'vitest'
import { checkOptions } from '../../src/core/options.ts'
import type { ByteSource } from '../../src/core/types.ts'
import { JSONL_READ_OPTIONS } from '../../src/formats/jsonl/read-options.ts'
import { openJsonlReader } from '../../src/formats/jsonl/reader.ts'
import { readJsonl } from './jsonl-reading.ts'
import { placeOf, rowsText } from './reading-by-chunks.ts'

describe('a line that is no row', () => {
  for (const line of ['null', 'true', 'false', '0', '-1.5e3', '"text"', ' 42 ', '""']) {
    test(line, () => {
      const value: unknown = JSON.parse(line)
      const { failure } = readJsonl(`{}\n${line}\n`)
      expect(failure).toMatchObject({ code: 'JSON_NOT_A_ROW', line: 2, expected: 'an object or an array' })
      expect(failure!.message).toContain("{ wrapValues: 'value' }")
      expect(readJsonl(line, { wrapValues: 'v' }).rows).toEqual([{ v: value }])
    })
  }

  test('a key such as __proto__ is data', () => {
    const [row] = readJsonl('1', { wrapValues: '__proto__' }).rows
    expect(Object.entries(row as object)).toEqual([['__proto__', 1]])
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
  })
})

describe('bigint', () => {
  const line = '{"id":[-9007199254740993,9007199254740991]}'

  test('auto, string, number', () => {
    expect(readJsonl(line).rows).toEqual([{ id: [-9007199254740993n, 9007199254740991] }])
    expect(readJsonl(line, { bigint: 'string' }).rows).toEqual([{ id: ['-9007199254740993', 9007199254740991] }])
    expect(readJsonl(line, { bigint: 'number' }).rows).toEqual([JSON.parse(line)])
  })

  test('error: with the place, the others read on', () => {
    const input = `{"é":1}\n{"é":1234567890123456.5,"b":1234567890123456789}\n["9007199254740993"]\n{"c":9007199254740993\n`
    const { rows, errors } = readJsonl(input, { bigint: 'error', skip: true })
    expect(rows).toEqual([{ é: 1 }, ['9007199254740993']])
    expect(errors.map(([error]) => placeOf(error))).toEqual([
      { code: 'JSON_UNSAFE_INTEGER', line: 2, column: 29, byte: 9 + 28 + 1, record: 2 },
      { code: 'JSON_INVALID', line: 4, column: 22, byte: Buffer.byteLength(input) - 1, record: 4 },
    ])
    expect(errors[0]![0].message).toContain('no number holds the integer 1234567890123456789 exactly')
  })

  test('at the border, on both sides', () => {
    const safe = 2n ** 53n - 1n
    for (let step = -3n; step <= 3n; step++) {
      for (const value of [safe + step, -(safe + step)]) {
        const expected = step > 0n ? value : Number(value)
        expect(readJsonl(`[${value}]`).rows).toEqual([[expected]])
        expect(readJsonl(`${value}`, { wrapValues: 'v' }).rows).toEqual([{ v: expected }])
        expect(readJsonl(`\ufeff${value}`, { wrapValues: 'v' }).rows).toEqual([{ v: expected }])
      }
    }
  })

  test('is found at every offset, after text of any width', () => {
    for (const fill of ['x', 'é', '漢', '🦊', '1']) {
      for (let count = 0; count < 40; count++) {
        const text = fill.repeat(count)
        const input = `{"t":"${text}","n":9007199254740993}\n{"t":"${text}"}\n{"n":-9007199254740993}`
        expect(readJsonl(input).rows).toEqual([
          { t: text, n: 9007199254740993n },
          { t: text },
          { n: -9007199254740993n },
        ])
      }
    }
  })

  test('strings of the control characters that mark integers inside are left as they are', () => {
    const marks = ['\\u0001', '\\u0001\\u0010', '\\u0001\\u0019', '\\u0001123', '\\\\u0001']
    for (let digit = 0; digit < 10; digit++) marks.push(`\\u0001\\u001${digit}5`)
    const line = `{${marks.map((mark, i) => `"${mark}${i}":"${mark}"`).join()},"n":[9007199254740993,"\\u0001"]}`
    const [row] = readJsonl(line).rows as [Record<string, unknown>]
    const expected = JSON.parse(line) as Record<string, unknown>
    expected.n = [9007199254740993n, '\u0001']
    expect(row).toEqual(expected)
  })

  test('a long run of digits is read once over, in strings and as integers', () => {
    const digits = '7'.repeat(300_000)
    const input = `["${digits}"]\n[0.${digits}]\n["x${digits}",${digits}]\n`
    const { rows } = readJsonl(input)
    expect(rows[0]).toEqual([digits])
    expect(rows[1]).toEqual([Number(`0.${digits}`)])
    expect((rows[2] as unknown[])[1] === BigInt(digits)).toBe(true)
  })
})

describe('text', () => {
  test('a byte order mark is dropped at the start only', () => {
    expect(readJsonl('\ufeff{"a":1}\n').rows).toEqual([{ a: 1 }])
    expect(readJsonl('\ufeff').rows).toEqual([])
    expect(readJsonl('\ufeff\ufeff{}').failure).toMatchObject({ code: 'JSON_INVALID', line: 1, column: 1, byte: 3 })
    expect(readJsonl('\ufeff{"a":x}').failure).toMatchObject({ line: 1, column: 6, byte: 8, record: 1 })
    expect(readJsonl('{}\n\ufeff{}').failure).toMatchObject({ code: 'JSON_INVALID', line: 2, column: 1, byte: 3 })
  })

  test('no input, and input of blank lines, has no rows', () => {
    for (const input of ['', '\n', '\r\n', ' ', '\n\n \t\r\n\r', '\ufeff\n\n']) {
      for (const chunkBytes of [1, 100]) {
        expect(readJsonl(input, { chunkBytes })).toEqual({ rows: [], errors: [], failure: undefined })
      }
    }
  })

  test('invalid UTF-8 at each position: an error there, or U+FFFD', () => {
    const good = '\ufeff{"é":"漢"}\r\n\n["🦊"]\n{"z":1}'
    const bytes = Buffer.from(good)
    for (let at = 3; at <= bytes.length; at++) {
      const bad = Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff]), bytes.subarray(at)])
      // By another road: the first byte at which the text cannot be decoded, and its line.
      let first = at
      while ((bytes[first] ?? 0) >> 6 === 2) first--
      const before = bytes.subarray(0, first).toString()
      const line = before.split('\n').length
      const column = before.slice(before.lastIndexOf('\n') + 1).length + (line === 1 ? 0 : 1)
      const record = line === 1 ? 1 : line === 2 || line === 3 ? 2 : 3
      for (const chunkBytes of [1, 4, bad.length]) {
        const { rows, errors, failure } = readJsonl(bad, { chunkBytes, skip: true })
        expect(failure).toBeUndefined()
        const invalid = errors.filter(([error]) => error.code === 'TEXT_INVALID_UTF8')
        expect([at, ...invalid.map(([error]) => placeOf(error))]).toEqual([
          at,
          { code: 'TEXT_INVALID_UTF8', line, column, byte: first, record },
        ])
        expect(errors).toHaveLength(1)
        expect(rows).toHaveLength(line === 2 ? 3 : 2)

        const replaced = readJsonl(bad, { chunkBytes, skip: true, encodingErrors: 'replace' })
        const oracle = readJsonl(bad.toString(), { skip: true })
        expect(rowsText(replaced.rows)).toBe(rowsText(oracle.rows))
        expect(replaced.errors.map(([error]) => [error.code, error.line, error.column])).toEqual(
          oracle.errors.map(([error]) => [error.code, error.line, error.column]),
        )
      }
    }
  })

  test('UTF-16 is told of at once', () => {
    const { failure } = readJsonl(Buffer.from('\ufeff{"a":1}\n', 'utf16le'))
    expect(failure).toMatchObject({ code: 'TEXT_INVALID_UTF8', line: 1, column: 1, byte: 0, found: 'the byte 0xff' })
  })
})

describe('maxRecordBytes', () => {
  test('a line of that many bytes passes, of one more it does not, whatever the line end and the chunks', () => {
    for (const fill of ['x', 'é']) {
      const line = `{"a":"${fill.repeat(50)}"}`
      const maxRecordBytes = Buffer.byteLength(line)
      for (const end of ['\n', '\r\n', '']) {
        for (const chunkBytes of [1, 7, 1000]) {
          const input = `{}\n${line}${end}`
          expect(readJsonl(input, { maxRecordBytes, chunkBytes }).rows).toHaveLength(2)
          const { rows, failure } = readJsonl(input, { maxRecordBytes: maxRecordBytes - 1, chunkBytes, skip: true })
          expect(rows).toEqual([{}])
          expect(placeOf(failure!)).toEqual({ code: 'RECORD_TOO_LARGE', line: 2, column: 1, byte: 3, record: 2 })
        }
      }
    }
  })

  test('an endless line stops the reading: little more than the limit is taken', () => {
    const source = endless()
    const reader = open(source, { maxRecordBytes: 100_000 })
    return (async () => {
      expect(await reader.read()).toEqual([{ first: 1 }])
      await expect(reader.read()).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE', line: 2, record: 2, byte: 12 })
      expect(source.given()).toBeLessThan(100_000 + 3 * 4096)
      await reader[Symbol.asyncDispose]()
      expect(source.disposed()).toBe(1)
    })()
  })

  test('is 16 MiB unless set', () => {
    const line = `["${'x'.repeat(16 * 1024 * 1024 - 4)}"]`
    expect(readJsonl(line).rows).toHaveLength(1)
    expect(readJsonl(`${line} `).failure).toMatchObject({ code: 'RECORD_TOO_LARGE' })
  })
})

describe('bad records', () => {
  test('when onBadRecord throws, the rows before are given first, and then nothing more', async () => {
    const stop = new Error('enough')
    const text = '{"a":1}\n{"a":2}\nbad\n{"a":3}\n'
    const reader = openJsonlReader(
      fixed([text, text]),
      {},
      context(() => {
        throw stop
      }),
    )
    expect(await reader.read()).toEqual([{ a: 1 }, { a: 2 }])
    await expect(reader.read()).rejects.toBe(stop)
    // What was not read of the chunk must not be passed over by reading on.
    await expect(reader.read()).rejects.toBe(stop)
  })

  test('when it returns, reading goes on with the next line, across chunks', async () => {
    const seen: (string | undefined)[] = []
    const reader = openJsonlReader(
      fixed(['{"a":1}\r\nba', 'd\r\n{"a":', '2}\nnull\n']),
      {},
      context((_, raw) => seen.push(raw)),
    )
    const rows: unknown[] = []
    for (let batch = await reader.read(); batch !== null; batch = await reader.read()) rows.push(...batch)
    expect(rows).toEqual([{ a: 1 }, { a: 2 }])
    expect(seen).toEqual(['bad', 'null'])
    expect(await reader.read()).toBeNull()
    expect(reader.columns).toBeUndefined()
  })
})

describe('options', () => {
  test('values are checked by the table', () => {
    const good = [{}, { maxRecordBytes: 1 }, { bigint: 'error' }, { encodingErrors: 'replace' }, { wrapValues: '' }]
    for (const options of good) expect(() => checkOptions(options, [JSONL_READ_OPTIONS], 'jsonl')).not.toThrow()
    const bad = [
      { maxRecordBytes: 0 },
      { maxRecordBytes: 1.5 },
      { bigint: 'bigint' },
      { encodingErrors: 'ignore' },
      { wrapValues: true },
      { wrap: 'x' },
    ]
    for (const options of bad) expect(() => checkOptions(options, [JSONL_READ_OPTIONS], 'jsonl')).toThrow(/option/)
  })
})

function context(onBadRecord: (error: Error, raw?: string) => void) {
  return { label: 'in.jsonl', signal: new AbortController().signal, onBadRecord }
}

function open(source: ByteSource, options: Parameters<typeof openJsonlReader>[1]) {
  return openJsonlReader(
    source,
    options,
    context(error => {
      throw error
    }),
  )
}

function fixed(chunks: readonly string[]): ByteSource {
  return {
    label: 'in.jsonl',
    replayable: true,
    async *stream() {
      for (const chunk of chunks) yield Buffer.from(chunk)
    },
    async [Symbol.asyncDispose]() {},
  }
}

function endless() {
  let given = 0
  let disposed = 0
  return {
    label: 'in.jsonl',
    replayable: false,
    async *stream() {
      yield Buffer.from('{"first":1}\n')
      for (;;) {
        given += 4096
        yield Buffer.alloc(4096, '[')
      }
    },
    async [Symbol.asyncDispose]() {
      disposed++
    },
    given: () => given,
    disposed: () => disposed,
  }
}
