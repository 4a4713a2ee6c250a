/** What the golden files cannot say: cuts at every byte, places, policies, limits, cost, real files. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { checkOptions } from '../../src/core/options.ts'
import { CsvDecoder } from '../../src/formats/csv/decoder.ts'
import { compileRowBuilder } from '../../src/formats/csv/generated-rows.ts'
import { resolveReadOptions } from '../../src/formats/csv/read-dialect.ts'
import { CSV_READ_OPTIONS, type CsvReadOptions } from '../../src/formats/csv/read-options.ts'
import { openCsvReader } from '../../src/formats/csv/reader.ts'
import { loopRowBuilder } from '../../src/formats/csv/rows.ts'
import { lendingSource, readCsv } from './csv-reading.ts'

const ENGINES = ['native', 'csv-parse'] as const

const NASTY = {
  'CRLF, quotes and code points': '\ufeff"na""me",b\r\n"é\r\n😀",漢字\r\n\r\n"","""\r\n"""\r\n',
  'CR that CRLF follow': 'a,b\r"1\r\n2",\n\r\n3,4\r\r\n"5",6',
  'an unclosed quote': 'a,b\n1,2\n"x""\ny,é\n5,6\n',
  'text after a quote on a later line': 'a,b\n"x\ny\nz" q,1\n2,3\n',
  'bad bytes in fields of several lines': Buffer.concat([
    Buffer.from('a,b\n"x\ny'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('\nz",1\né,2\n'),
    Buffer.from([0xe6, 0x9d]),
    Buffer.from(',3\n4,5\n'),
  ]),
  'lines before the header': 'one "\r\ntwo\r\na,b\r\n1,2\r\n',
}

describe('cuts between chunks', () => {
  for (const [name, input] of Object.entries(NASTY)) {
    it.each(ENGINES)(`makes no difference anywhere in ${name}: %s`, async engine => {
      const bytes = Buffer.from(input)
      const options = { engine, ...(name === 'lines before the header' ? { fromLine: 3 } : {}) }
      const whole = await readCsv(bytes, options, { skip: true })
      expect(whole.rows.length).toBeGreaterThan(0)
      for (let cut = 1; cut < bytes.length; cut++) {
        expect(await readCsv(bytes, options, { chunkBytes: [cut, bytes.length], skip: true })).toEqual(whole)
      }
      expect(await readCsv(bytes, options, { chunkBytes: 1, skip: true })).toEqual(whole)
    })
  }
})

describe('bad records', () => {
  const text = '\ufeffa,b\r\n1,2\r\n"x\r\ny",é\r\n\r\n3\r\n4,5\r\nx "y",6\r\n"7" 8,9\r\n10,"11\r\n12,13\r\n'

  it.each(ENGINES)('are passed over one by one, with their place and raw text: %s', async engine => {
    const { rows, bad, error } = await readCsv(text, { engine }, { skip: true })
    expect(error).toBeUndefined()
    expect(rows).toEqual([
      { a: '1', b: '2' },
      { a: 'x\r\ny', b: 'é' },
      { a: '4', b: '5' },
      { a: '12', b: '13' },
    ])
    expect(bad).toEqual([
      { code: 'CSV_RAGGED_RECORD', line: 6, column: 1, byte: 26, record: 3, raw: '3' },
      { code: 'CSV_STRAY_QUOTE', line: 8, column: 3, byte: 36, record: 5, raw: 'x "y",6' },
      { code: 'CSV_TEXT_AFTER_QUOTE', line: 9, column: 4, byte: 46, record: 6, raw: '"7" 8,9' },
      { code: 'CSV_QUOTE_NOT_CLOSED', line: 10, column: 4, byte: 55, record: 7, raw: '10,"11' },
    ])
  })

  it('leave the rows before them to be read, then end the reading, again and again', async () => {
    const reader = await openCsvReader(
      lendingSource(Buffer.from('a\n1\n2\n3,4\n5\n'), 1000),
      {},
      {
        label: 'test.csv',
        signal: new AbortController().signal,
        onBadRecord(error) {
          throw error
        },
      },
    )
    expect(await reader.read()).toEqual([{ a: '1' }, { a: '2' }])
    await expect(reader.read()).rejects.toMatchObject({ code: 'CSV_RAGGED_RECORD', line: 4, record: 3 })
  })

  it.each(ENGINES)('in the header end the reading, whatever the policy: %s', async engine => {
    for (const [input, code] of [
      ['a,b"\n1,2\n', 'CSV_STRAY_QUOTE'],
      ['a,"b" c\n1,2\n', 'CSV_TEXT_AFTER_QUOTE'],
      ['"a,b\n1,2\n', 'CSV_QUOTE_NOT_CLOSED'],
      [Buffer.from([0x61, 0xff, 0x0a, 0x31, 0x0a]), 'TEXT_INVALID_UTF8'],
    ] as const) {
      const { rows, error } = await readCsv(input, { engine }, { skip: true })
      expect(error).toMatchObject({ code, line: 1, record: undefined })
      expect(rows).toEqual([])
    }
  })

  it('say what was expected, what was found and what to do', async () => {
    const { error } = await readCsv('a,b\n1,2,3\n')
    expect(error).toMatchObject({ expected: '2 fields', found: '3 fields', label: 'test.csv' })
    expect(error?.message).toBe(
      'test.csv:2:1 [CSV_RAGGED_RECORD] expected 2 fields, found 3; mend the record, or read with { relax: true }',
    )
    const stray = await readCsv('a,b\n1,x"y\n')
    expect(stray.error?.message).toMatch(
      /^test\.csv:2:4 \[CSV_STRAY_QUOTE\] a quote inside an unquoted field: "\\"y"; /,
    )
  })

  it('of csv-parse carry its error as their cause', async () => {
    const { error } = await readCsv('a::b\n1::x"y\n', { delimiter: '::' })
    expect(error).toMatchObject({ code: 'CSV_STRAY_QUOTE', line: 2, column: 5, byte: 9 })
    expect(error?.cause).toMatchObject({ code: 'INVALID_OPENING_QUOTE' })
  })
})

describe('invalid UTF-8', () => {
  const line = Buffer.from('é,"漢\n😀"\n')

  it.each(ENGINES)('is found at each place of a record: %s', async engine => {
    const head = Buffer.from('a,b\n1,2\n')
    // Not the last byte: without its line end, the line would go on in the next one.
    for (let at = 0; at < line.length - 1; at++) {
      const broken = Buffer.from(line)
      broken[at] = 0xff
      const input = Buffer.concat([head, broken, Buffer.from('3,4\n')])
      const { rows, bad } = await readCsv(input, { engine }, { skip: true, chunkBytes: 5 })
      const utf8 = bad.filter(({ code }) => code === 'TEXT_INVALID_UTF8')
      expect(utf8.length).toBeGreaterThan(0)
      // The first invalid byte: the one that was broken, or the one that begins what it was part of.
      const first = utf8[0]!.byte!
      expect(first).toBeLessThanOrEqual(head.length + at)
      expect(first).toBeGreaterThan(head.length + at - 4)
      expect(() => new TextDecoder('utf-8', { fatal: true }).decode(input.subarray(0, first))).not.toThrow()
      expect(() => new TextDecoder('utf-8', { fatal: true }).decode(input.subarray(0, first + 4))).toThrow()
      expect(rows.at(0)).toEqual({ a: '1', b: '2' })
      expect(rows.at(-1)).toEqual({ a: '3', b: '4' })
    }
  })
})

describe('column names', () => {
  it.each([3, 500])('that objects have are data like any other, in %d rows', async count => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '2', '1']
    const text = `${names.join(',')}\n${'p,c,t,h,two,one\n'.repeat(count)}"p","c",t,h,two,one\n`
    const { rows, columns } = await readCsv(text)
    expect(columns).toEqual(names)
    expect(rows.length).toBe(count + 1)
    for (const row of rows as Record<string, string>[]) {
      expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
      expect(new Map(Object.entries(row))).toEqual(
        new Map(
          Object.entries(
            JSON.parse('{"__proto__":"p","constructor":"c","toString":"t","hasOwnProperty":"h","2":"two","1":"one"}'),
          ),
        ),
      )
    }
    expect(({} as Record<string, unknown>).p).toBeUndefined()
  })

  it('by the thousand, all alike, cost no more than others', async () => {
    const count = 20_000
    const { columns } = await readCsv(`${'a,'.repeat(count)}a\n`)
    expect(new Set(columns).size).toBe(count + 1)
  })

  it('are kept as an extra key would be, when that is __proto__', async () => {
    const { rows } = await readCsv('a\n1,2\n', { relax: true, extraKey: '__proto__' })
    expect(Object.entries(rows[0] as object)).toEqual([
      ['a', '1'],
      ['__proto__', ['2']],
    ])
  })
})

describe('row builders', () => {
  const shapes = [
    { width: 1, picks: [0], keys: ['a'], types: null },
    { width: 3, picks: [0, 1, 2], keys: ['a', '__proto__', 'x"\\\u2028'], types: null },
    { width: 4, picks: [3, 0], keys: ['d', 'a'], types: null },
    { width: 3, picks: [0, 1, 2], keys: null, types: null },
  ]

  it.each(shapes)('make the same rows with and without generated code: %j', shape => {
    const loop = loopRowBuilder(shape)
    const compiled = compileRowBuilder(shape)!
    const fields = ['ab', '', 'c', 'd'].slice(0, shape.width)
    const text = `--${fields.join(',')}--`
    const ends = new Int32Array(shape.width)
    let at = 2
    for (let i = 0; i < fields.length - 1; i++) {
      ends[i] = at += fields[i]!.length
      at++
    }
    const entries = (row: object | null) => [Array.isArray(row), Object.entries(row!)]
    const stop = text.length - 2
    expect(entries(compiled.fromText(text, ends, 0, 2, stop))).toEqual(entries(loop.fromText(text, ends, 0, 2, stop)))
    expect(entries(compiled.fromFields(fields))).toEqual(entries(loop.fromFields(fields)))
    const values = shape.picks.map(field => fields[field])
    expect(Object.values(loop.fromFields(fields)!)).toEqual(values)
    expect(Object.values(compiled.fromText(text, ends, 0, 2, stop)!)).toEqual(values)
  })

  it('are not generated beyond 300 fields', async () => {
    const names = Array.from({ length: 301 }, (_, i) => `c${i}`)
    expect(compileRowBuilder({ width: 301, picks: names.map((_, i) => i), keys: names, types: null })).toBeNull()
    const { rows } = await readCsv(`${names.join()}\n${`${names.map((_, i) => i).join()}\n`.repeat(300)}`)
    expect(rows.length).toBe(300)
    expect(rows[299]).toEqual(Object.fromEntries(names.map((name, i) => [name, String(i)])))
  })

  it('do without generated code where Node forbids it', () => {
    // The build, as Node 20 runs no TypeScript; `npm test` makes it first.
    const index = new URL('../../dist/index.js', import.meta.url)
    const script = `
      const { openIterable } = await import(${JSON.stringify(index.href)})
      let generates = true
      try { new Function('') } catch { generates = false }
      const text = 'a,__proto__\\n' + '1,2\\n"3",4\\n'.repeat(400)
      const rows = await openIterable({ text, name: 'x.csv' }).readBulk(5000)
      console.log(generates, rows.length, JSON.stringify(rows.slice(-2)))`
    const flags = ['--disallow-code-generation-from-strings', '--input-type=module']
    expect(execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })).toBe(
      'false 800 [{"a":"1","__proto__":"2"},{"a":"3","__proto__":"4"}]\n',
    )
  })
})

describe('limits', () => {
  it.each(ENGINES)('hold a record to maxRecordBytes, wherever the input is cut: %s', async engine => {
    const row = `"${'x'.repeat(50)}\n${'y'.repeat(41)}",1\n`
    expect(row.length).toBe(97)
    const text = `a,b\n${row}${row}`
    for (const chunkBytes of [1, 10, 60, 1000]) {
      const fits = await readCsv(text, { engine, maxRecordBytes: 97 }, { chunkBytes })
      expect(fits.error).toBeUndefined()
      expect(fits.rows.length).toBe(2)
      const { error, rows } = await readCsv(
        `${text}"${row.slice(1, 20)}${row.slice(1)}1,2\n`,
        { engine, maxRecordBytes: 97 },
        { chunkBytes, skip: true },
      )
      expect(error).toMatchObject({ code: 'RECORD_TOO_LARGE', line: 6, column: 1, byte: 4 + 2 * 97, record: 3 })
      expect(rows.length).toBe(2)
    }
  })

  it.each(ENGINES)('stop an unclosed quote from gathering the whole input: %s', async engine => {
    const lines = 'a,b\n1,2\n3,"4\n'
    let sent = 0
    const reader = await openCsvReader(
      {
        label: 'endless',
        replayable: false,
        async *stream() {
          yield Buffer.from(lines)
          for (;;) yield Buffer.alloc(8192, (sent += 8192) && 'some line\n')
        },
        async [Symbol.asyncDispose]() {},
      },
      { engine, maxRecordBytes: 200_000 },
      { label: 'endless', signal: new AbortController().signal, onBadRecord: () => {} },
    )
    expect(await reader.read()).toEqual([{ a: '1', b: '2' }])
    await expect(reader.read()).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE', line: 3, byte: 8, record: 2 })
    expect(sent).toBeLessThan(300_000)
    await reader[Symbol.asyncDispose]()
  })

  it('hold the first line to maxRecordBytes, before it is known how lines end', async () => {
    const { error } = await readCsv('x'.repeat(5000), { maxRecordBytes: 1000 }, { chunkBytes: 100 })
    expect(error).toMatchObject({ code: 'RECORD_TOO_LARGE', line: 1, byte: 0 })
  })
})

/** Characters that the decoder has looked through, as `String.prototype.indexOf` tells of it. */
async function scanned(read: () => Promise<unknown>): Promise<number> {
  const { indexOf } = String.prototype
  let characters = 0
  String.prototype.indexOf = function (this: string, search: string, from = 0) {
    const found = indexOf.call(this, search, from)
    characters += (found < 0 ? this.length : found) - from
    return found
  }
  try {
    await read()
  } finally {
    String.prototype.indexOf = indexOf
  }
  return characters
}

describe('work', () => {
  const cells = {
    'lines in one cell': `"${'one line of text\n'.repeat(60_000)}"`,
    'a record of cells of lines': Array.from({ length: 50_000 }, () => '"a\nb"').join('|'),
    quotes: `"${'""'.repeat(300_000)}"`,
    'quoted pairs and lines': `"${'x""\n'.repeat(200_000)}"`,
    'cells that nothing closes': '"a\n'.repeat(3),
  }

  it.each(Object.entries(cells))('grows with the input only: %s', async (_, cell) => {
    const text = `a|b\n${'1|2\n'.repeat(10)}${cell}|2\n3|4\n`
    for (const chunkBytes of [100, 65_536]) {
      const looked = await scanned(() =>
        readCsv(text, { delimiter: '|', relaxColumnCount: true, engine: 'native' }, { chunkBytes, skip: true }),
      )
      // Once each for the delimiter, the quote and the line end, and once more where a record is put together again.
      expect(looked).toBeLessThan(text.length * 8 + 100_000)
    }
  })

  it('gives the value of a cell of many lines and escapes', async () => {
    const value = 'say "hi"\n漢字, and more\n'.repeat(20_000)
    const text = `a,b\n"${value.replaceAll('"', '""')}",2\n`
    const { rows, error } = await readCsv(text, {}, { chunkBytes: 3000 })
    expect(error).toBeUndefined()
    expect((rows[0] as { a: string }).a === value).toBe(true)
  })
})

describe('options', () => {
  it('are all in the table, and known to the reader', () => {
    expect(() => checkOptions({ delimiter: ';', header: ['a'], escape: null }, [CSV_READ_OPTIONS], 'csv')).not.toThrow()
    expect(() => checkOptions({ delimeter: ';' }, [CSV_READ_OPTIONS], 'csv')).toThrow(/did you mean delimiter/)
    for (const bad of [
      { delimiter: '' },
      { quote: '' },
      { header: [] },
      { fromLine: 0 },
      { maxRecordBytes: 0 },
      { columns: [] },
    ]) {
      expect(() => checkOptions(bad, [CSV_READ_OPTIONS], 'csv')).toThrow(/expected/)
    }
  })

  const contradictions: [string, CsvReadOptions, RegExp][] = [
    ['quote that is the delimiter', { delimiter: ',', quote: ',' }, /something else than delimiter/],
    ['escape without a quote', { quote: null, escape: '\\' }, /as quote is null/],
    ['delimiter with a line end', { delimiter: '\n' }, /give recordDelimiter/],
    ['half a character', { delimiter: '\ud83d' }, /surrogate/],
    ['header lines without a header', { header: false, headerLines: 2 }, /header is not read/],
    ['columns without names', { header: false, columns: ['a'] }, /no names/],
    ['a column twice', { columns: ['a', 'a'] }, /each name once/],
    ['the native engine for comments', { engine: 'native', comment: '#' }, /does not do comments/],
    ['misplaced long quotes', { quote: '««', relax: true }, /csv-parse/],
  ]

  it.each(contradictions)('that contradict each other are refused: %s', (_, options, message) => {
    expect(() => resolveReadOptions(options)).toThrow(message)
    expect(() => resolveReadOptions(options)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  })

  it('choose the engine', async () => {
    for (const options of [
      {},
      { delimiter: 'é', quote: '«', escape: '\\' },
      { relax: true },
      { recordDelimiter: '\r' },
    ]) {
      expect((await readCsv('a\n', options)).engine).toBe('native')
    }
    for (const options of [{ comment: '#' }, { trim: true }, { delimiter: '::' }, { recordDelimiter: '\r\n' }]) {
      expect((await readCsv('a\r\n', options)).engine).toBe('csv-parse')
    }
  })

  it.each(ENGINES)('onRecord changes rows and leaves rows out: %s', async engine => {
    const seen: unknown[] = []
    const { rows, error } = await readCsv('a\n"1\n1"\n2\n3\n4,5\n', {
      engine,
      onRecord(row, info) {
        seen.push(info)
        return row.a === '2' ? null : { ...row, n: info.record }
      },
    })
    expect(rows).toEqual([
      { a: '1\n1', n: 1 },
      { a: '3', n: 3 },
    ])
    expect(seen).toEqual([
      { line: 2, record: 1 },
      { line: 4, record: 2 },
      { line: 5, record: 3 },
    ])
    expect(error).toMatchObject({ code: 'CSV_RAGGED_RECORD', line: 6, record: 4 })
  })

  it('onRecord: what it throws ends the reading, as it is', async () => {
    const failure = new RangeError('no more')
    const onRecord = () => {
      throw failure
    }
    for (const engine of ENGINES) await expect(readCsv('a\n1\n', { engine, onRecord })).rejects.toBe(failure)
  })
})

describe('columns', () => {
  it.each(ENGINES)('are known after ready(), before any row is read: %s', async engine => {
    const input = Buffer.from(`x,y\n${'1,2\n'.repeat(50_000)}`)
    const context = { label: 'x', signal: new AbortController().signal, onBadRecord: () => {} }
    const reader = await openCsvReader(lendingSource(input, 1000), { engine }, context)
    expect(reader.columns).toBeUndefined()
    await reader.ready?.()
    expect(reader.columns).toEqual(['x', 'y'])
    let count = 0
    for (let batch = await reader.read(); batch !== null; batch = await reader.read()) count += batch.length
    expect(count).toBe(50_000)
  })

  it('come as soon as the header line does', () => {
    const context = { label: 'x', signal: new AbortController().signal, onBadRecord: () => {} }
    const decoder = new CsvDecoder(resolveReadOptions({}), context)
    expect([...decoder.decode(Buffer.from('a,b'))]).toEqual([])
    expect(decoder.columns).toBeNull()
    expect([...decoder.decode(Buffer.from('\n'))]).toEqual([])
    expect(decoder.columns).toEqual(['a', 'b'])
    expect([...decoder.decode(Buffer.from('1,2\n3'))]).toEqual([[{ a: '1', b: '2' }]])
    expect([...decoder.flush()]).toEqual([])
  })
})

describe('real files', () => {
  const folder = new URL('../../node_modules/vega-datasets/data/', import.meta.url)
  const files = readdirSync(folder).filter(file => /\.(csv|tsv)$/.test(file))

  it.each(files)('%s is read as csv-parse reads it', async file => {
    const bytes = readFileSync(new URL(file, folder))
    const delimiter = file.endsWith('.tsv') ? '\t' : ','
    const rows = parse(bytes, { delimiter, columns: true, bom: true, skip_empty_lines: true })
    const read = await readCsv(bytes, { delimiter }, { chunkBytes: 65_536 })
    expect(read.error).toBeUndefined()
    expect(read.engine).toBe('native')
    expect(read.rows.length).toBe(rows.length)
    expect(JSON.stringify(read.rows) === JSON.stringify(rows)).toBe(true)
  })
})
