/** Typed reading of CSV, case by case: what is inferred and what is not, nulls, widening, declared types, what goes wrong. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { ColumnTypes } from '../../src/core/column-types.ts'
import { resolveTyping } from '../../src/core/typing.ts'
import { compileRowBuilder } from '../../src/formats/csv/generated-rows.ts'
import { openCsvReader } from '../../src/formats/csv/reader.ts'
import { loopRowBuilder } from '../../src/formats/csv/rows.ts'
import type { Widening } from '../../src/index.ts'
import { CalendarDate, MemoryTarget, openIterable, type ReadOptions } from '../../src/index.ts'
import { lendingSource } from './csv-reading.ts'
import { ENGINES, readTyped, typesOf } from './csv-typing.ts'
import { failure, writeCsv } from './writing.ts'

describe.each(ENGINES)('cast, by %s', engine => {
  const cast = (text: string, options = {}, how = {}) => readTyped(text, { cast: true, engine, ...options }, how)

  // Each is a column whose values stand below each other; text stays as it is.
  const texts: [string, string[]][] = [
    ['leading zeros', ['007', '8']],
    ['phone numbers', ['+1 555 123', '+44 20']],
    ['a plus', ['+1', '+2']],
    ['beyond all doubles', ['1e400', '1.5']],
    ['more digits than a double has', ['0.1000000000000000055', '1.5']],
    ['a large integer beside a decimal', ['9007199254740993', '1.5']],
    ['NaN, the name', ['NaN', '1']],
    ['Infinity', ['Infinity', '1']],
    ['hexadecimal', ['0x10', '0x11']],
    ['underscores', ['1_000', '2_000']],
    ['commas in numbers', ['"1,000"', '"2,000"']],
    ['codes that look like exponents', ['12E4', '1E5']],
    ['a leading space', [' 1', '2']],
    ['a trailing space', ['1 ', '2']],
    ['dates that are only maybe dates', ['01/02/03', '04/05/06']],
    ['Feb 31', ['2023-02-31', '2023-02-01']],
    ['times without a zone', ['2024-01-01 10:00:00', '2024-01-01T10:00:00']],
    ['times with another zone than UTC', ['2024-01-01T10:00:00+02:00', '2024-01-01T10:00:00Z']],
    ['microseconds', ['2024-01-01T10:00:00.123456Z', '2024-01-01T10:00:00Z']],
    ['a mixed column', ['1', 'x', 'true']],
    ['dates and numbers', ['2024-01-01', '20240101']],
    ['numbers and booleans', ['1', 'true']],
    ['other words for yes', ['yes', 'no']],
    ['null, the word', ['null', '1']],
    ['quoted nothing among numbers', ['""', '1']],
    ['JSON', ['[1]', '[2]']],
  ]
  it.each(texts)('leaves %s alone', async (_, column) => {
    const { rows, schema } = await cast(`a,b\n${column.map(value => `${value},1\n`).join('')}`)
    expect(schema![0]).toEqual({ name: 'a', type: 'text', nullable: false, source: 'inferred' })
    const plain = column.map(value => value.replace(/^"|"$/g, ''))
    expect(rows).toEqual(plain.map(a => ({ a, b: 1 })))
  })

  it('gives values their types', async () => {
    const header = 'integer,number,bigint,boolean,date,timestamp'
    const text = `${header}\n1,1.50,9007199254740993,TRUE,2024-02-29,2024-01-01 10:00Z\n-2,3,4,false,0001-01-01,1969-12-31T23:59:59.999Z\n`
    const { rows, schema } = await cast(text)
    expect(schema!.map(({ name, type }) => [name, type])).toEqual(header.split(',').map(name => [name, name]))
    expect(rows).toStrictEqual([
      {
        integer: 1,
        number: 1.5,
        bigint: 9007199254740993n,
        boolean: true,
        date: new CalendarDate('2024-02-29'),
        timestamp: new Date('2024-01-01T10:00:00Z'),
      },
      {
        integer: -2,
        number: 3,
        bigint: 4n,
        boolean: false,
        date: new CalendarDate('0001-01-01'),
        timestamp: new Date(-1),
      },
    ])
  })

  it('tells nothing from quoted nothing, and both from a text that means null', async () => {
    const text = 'n,t\n,\n1,""\n2,NA\n"3","NA"\n'
    expect((await cast(text)).rows).toEqual([
      { n: null, t: null },
      { n: 1, t: '' },
      { n: 2, t: 'NA' },
      { n: 3, t: 'NA' },
    ])
    const { rows, schema } = await cast(text, { nullText: ['NA', '2'] })
    // Nothing is no null now, and no number.
    expect(rows.map(row => Object.values(row as object))).toEqual([
      ['', ''],
      ['1', ''],
      [null, null],
      ['3', 'NA'],
    ])
    expect(typesOf(schema)).toBe('n:text? t:text?')
    const quoted = await cast('n,t\n"",""\n"1","x"\n', { quotedNulls: true })
    expect(quoted.rows).toEqual([
      { n: null, t: null },
      { n: 1, t: 'x' },
    ])
    expect((await cast('n,t\n,x\n1,y\n', { nullText: [] })).rows[0]).toEqual({ n: '', t: 'x' })
  })

  it('takes other texts for true and false', async () => {
    const options = { trueText: ['yes', '1'], falseText: 'no' }
    const { rows, schema } = await cast('a,b\nyes,1\nno,2\n1,true\n', options)
    expect(typesOf(schema)).toBe('a:boolean b:text')
    expect(rows).toEqual([
      { a: true, b: '1' },
      { a: false, b: '2' },
      { a: true, b: 'true' },
    ])
  })

  it('has text for a column without a value in the sample', async () => {
    const { rows, schema } = await cast('a,b\n1,\n2,\n3,7\n', { scan: 2 })
    expect(typesOf(schema)).toBe('a:integer b:text?')
    expect(rows[2]).toEqual({ a: 3, b: '7' })
  })

  it('decides by the whole input with scan: full', async () => {
    const text = `a,b\n${'1,\n'.repeat(5000)}x,7\n`
    const { rows, schema, opened } = await cast(text, { scan: 'full' }, { chunkBytes: 1000 })
    expect(typesOf(opened)).toBe('a:text b:integer?')
    expect(schema).toEqual(opened)
    expect([rows.length, rows[0], rows[5000]]).toEqual([5001, { a: '1', b: null }, { a: 'x', b: 7 }])
  })

  it('copies what can be read only once to a temp file for scan: full, and says so', async () => {
    const once = async function* () {
      yield 'a,b\n1,2\n'
      yield 'x,3\n'
    }
    await using reader = await openIterable(once(), { format: 'csv', cast: true, scan: 'full', engine })
    expect(typesOf(reader.schema?.columns)).toBe('a:text b:integer')
    expect(reader.spooled).toMatchObject({ bytes: 12, reason: expect.stringContaining('read only once') })
    expect(await reader.readBulk()).toEqual([
      { a: '1', b: 2 },
      { a: 'x', b: 3 },
    ])
    const small = { format: 'csv', cast: true, scan: 'full', engine, maxSpoolBytes: 5 } as const
    expect(await failure(openIterable(once(), small).read())).toMatchObject({ code: 'SPOOL_LIMIT_EXCEEDED' })
  })

  describe('a value that contradicts the sample', () => {
    const sample = 3
    const table = (odd: string, before: number, after = 2) =>
      `a,b\n${'1,x\n'.repeat(before)}${odd},x\n${'2,x\n'.repeat(after)}`
    const values = (rows: readonly unknown[]) => rows.map(row => (row as { a: unknown }).a)

    it.each([
      ['right after it', 3, 2],
      ['later', 700, 2],
      ['in the last record', 700, 0],
    ])('%s, is given as text, and the schema says so', async (_, before, after) => {
      for (const chunkBytes of [1, 7, Infinity]) {
        const { rows, schema, opened } = await cast(table('n/a', before, after), { scan: sample }, { chunkBytes })
        expect(values(rows)).toEqual([...Array(before).fill(1), 'n/a', ...Array(after).fill(2)])
        const widened = { widenedFrom: 'integer', widenedAt: before + 1 }
        expect(schema![0]).toEqual({ name: 'a', type: 'text', nullable: false, source: 'inferred', ...widened })
        if (chunkBytes === 1) expect(opened![0]!.type).toBe('integer')
      }
    })

    it('within it, makes the column text from the start', async () => {
      const { rows, schema } = await cast(table('n/a', 2), { scan: sample })
      expect(values(rows)).toEqual(['1', '1', 'n/a', '2', '2'])
      expect(schema![0]).not.toHaveProperty('widenedAt')
    })

    it('is a number or a bigint where the column has integers', async () => {
      const { rows, schema } = await cast(`${table('1.5', 5)}9007199254740993,x\n3,x\n`, { scan: sample })
      expect(values(rows)).toEqual([1, 1, 1, 1, 1, 1.5, 2, 2, '9007199254740993', 3])
      expect(schema![0]).toMatchObject({ type: 'text', widenedFrom: 'number', widenedAt: 9 })
      const large = await cast(`${table('9007199254740993', 5)}`, { scan: sample })
      expect(values(large.rows)).toEqual([1, 1, 1, 1, 1, 9007199254740993n, 2, 2])
      expect(large.schema![0]).toMatchObject({ type: 'bigint', widenedFrom: 'integer', widenedAt: 6 })
    })

    it('is told to a function, once for each change', async () => {
      const told: Widening[] = []
      const onWiden = (widening: Widening) => void told.push(widening)
      const { rows } = await cast(`${table('1.5', 5)}x,x\ny,x\n2.5,x\n`, { scan: sample, onWiden })
      expect(values(rows).slice(-4)).toEqual([2, 'x', 'y', 2.5])
      const common = { label: 'test.csv', column: 'a' }
      expect(told).toEqual([
        { ...common, record: 6, from: 'integer', to: 'number', found: '1.5' },
        { ...common, record: 9, from: 'number', to: 'text', found: 'x' },
      ])
    })

    it('is a bad record if so wished', async () => {
      const options = { scan: sample, onWiden: 'error' as const }
      const { rows, bad } = await cast(table('n/a', 5), options, { skip: true })
      expect(values(rows)).toEqual([1, 1, 1, 1, 1, 2, 2])
      expect(bad).toEqual([{ code: 'VALUE_TYPE_MISMATCH', line: 7, column: 1, byte: 24, record: 6, raw: 'n/a,x' }])
      const raised = await cast(table('n/a', 5), options)
      expect(values(raised.rows)).toEqual([1, 1, 1, 1, 1])
      expect(raised.error!.message).toContain('[VALUE_TYPE_MISMATCH] column "a" has "n/a", expected an integer')
    })
  })

  it('delivers the rows of a sample that an error cuts short, then the error', async () => {
    const text = '1,x\n2,y\n3\n4,z\n'
    for (const chunkBytes of [1, Infinity]) {
      const { rows, error, columns, schema } = await cast(`a,b\n${text}`, {}, { chunkBytes })
      expect(rows).toEqual([
        { a: 1, b: 'x' },
        { a: 2, b: 'y' },
      ])
      expect(error).toMatchObject({ code: 'CSV_RAGGED_RECORD', record: 3, line: 4 })
      expect([columns, typesOf(schema)]).toEqual([['a', 'b'], 'a:integer b:text'])
      const skipped = await cast(`a,b\n${text}`, {}, { chunkBytes, skip: true })
      expect(skipped.rows.length).toBe(3)
      expect(skipped.bad.map(({ record }) => record)).toEqual([3])
    }
    const large = await cast(`a,b\n1,x\n${'9'.repeat(50)},y\n`, { maxRecordBytes: 20 }, { chunkBytes: 5 })
    expect([large.rows, large.error?.code]).toEqual([[{ a: 1, b: 'x' }], 'RECORD_TOO_LARGE'])
  })

  it('delivers the rows of a sample that a failing source cuts short, then the failure', async () => {
    const broken = new Error('the disk is gone')
    const reader = await openCsvReader(
      {
        ...lendingSource(Buffer.from(''), 1),
        async *stream() {
          yield Buffer.from('a,b\n1,x\n2,y\n3,z\n')
          throw broken
        },
      },
      { cast: true, engine },
      { label: 'x', signal: new AbortController().signal, onBadRecord: () => {} },
    )
    await reader.ready!()
    expect(reader.schema!.columns.map(({ type }) => type)).toEqual(['integer', 'text'])
    // csv-parse holds the last record back until it sees what comes after it.
    expect((await reader.read())?.slice(0, 2)).toEqual([
      { a: 1, b: 'x' },
      { a: 2, b: 'y' },
    ])
    for (let i = 0; i < 2; i++) await expect(reader.read()).rejects.toBe(broken)
    await reader[Symbol.asyncDispose]()
  })

  it('samples no more than a megabyte of text', async () => {
    const row = `${'x'.repeat(100_000)},1\n`
    let pulled = 0
    const reader = await openCsvReader(
      {
        ...lendingSource(Buffer.from(''), 1),
        async *stream() {
          yield Buffer.from('a,b\n')
          for (; pulled < 100; pulled++) yield Buffer.from(row)
        },
      },
      { cast: true, engine },
      { label: 'x', signal: new AbortController().signal, onBadRecord: () => {} },
    )
    await reader.ready!()
    expect(pulled).toBeLessThan(15)
    await reader[Symbol.asyncDispose]()
  })

  it('goes with no header, chosen columns, ragged records and onRecord', async () => {
    const arrays = await cast('1,x\n2,y\n', { header: false })
    expect(arrays.rows).toEqual([
      [1, 'x'],
      [2, 'y'],
    ])
    expect([arrays.columns, typesOf(arrays.schema)]).toEqual([undefined, 'column_1:integer column_2:text'])

    const chosen = await cast('a,b,c\n1,"",3\n4,,6\n', { columns: ['c', 'b'] })
    expect(chosen.rows).toEqual([
      { c: 3, b: '' },
      { c: 6, b: null },
    ])
    expect(typesOf(chosen.schema)).toBe('c:integer b:text?')

    const ragged = 'a,b\n1,2\n3\n4,5,6,7\n'
    for (const scan of [1, 1000]) {
      const objects = await cast(ragged, { relax: true, scan })
      expect(objects.rows).toEqual([
        { a: 1, b: 2 },
        { a: 3, b: null },
        { a: 4, b: 5, _extra: ['6', '7'] },
      ])
      expect(typesOf(objects.schema)).toBe('a:integer b:integer?')
      const rows = (await cast('1,2\n3\n4,5,6,7\nx\n', { relax: true, header: false, scan })).rows
      expect(rows).toEqual(
        scan === 1 ? [[1, 2], [3], [4, 5, '6', '7'], ['x']] : [['1', 2], ['3'], ['4', 5, '6', '7'], ['x']],
      )
    }

    const seen: unknown[] = []
    const onRecord = (row: Record<string, unknown>, info: object) => {
      seen.push(info)
      return row.a === 2 ? null : row
    }
    for (const scan of [1, 2, 1000]) {
      seen.length = 0
      const { rows, error } = await cast('a\n1\n2\n"3"\n4\n', { onRecord, scan })
      expect([error, rows]).toEqual([undefined, [{ a: 1 }, { a: 3 }, { a: 4 }]])
      expect(seen).toEqual([1, 2, 3, 4].map(record => ({ line: record + 1, record })))
    }
    const thrown = new Error('mine')
    const own = await failure(
      cast('a\n1\n2\n', {
        onRecord: (row: Record<string, unknown>) => {
          if (row.a === 2) throw thrown
          return row
        },
      }).then(({ error, rows }) => {
        expect(rows).toEqual([{ a: 1 }])
        throw error
      }),
    )
    expect(own).toBe(thrown)
  })

  it('reads empty input, a header alone, and names that objects have', async () => {
    expect(await cast('')).toMatchObject({ rows: [], columns: [], error: undefined })
    const header = await cast('a,b\n')
    expect([header.rows, header.columns, typesOf(header.schema)]).toEqual([[], ['a', 'b'], 'a:text b:text'])
    const { rows } = await cast(`__proto__,constructor\n${'1,2\n'.repeat(300)}`, { scan: 5 })
    for (const row of [rows[0], rows[299]]) {
      expect(Object.entries(row as object)).toEqual([
        ['__proto__', 1],
        ['constructor', 2],
      ])
    }
  })

  describe('declared types', () => {
    const types = {
      i: 'integer',
      n: 'number',
      d: 'decimal',
      j: 'json',
      t: 'text',
      at: 'timestamp',
      b: 'bigint',
    } as const
    const header = 'i,n,d,j,t,at,b,other'
    const good = '007,1e3,1.50,"{""a"":[1]}",1,2024-01-01 10:00,+5,1'

    it('are read as they are declared, the rest as text', async () => {
      const { rows, schema } = await readTyped(`${header}\n${good}\n,,,null,"",,,\n`, { types, engine })
      const at = new Date('2024-01-01T10:00:00Z')
      expect(rows).toStrictEqual([
        { i: 7, n: 1000, d: '1.50', j: { a: [1] }, t: '1', at, b: 5n, other: '1' },
        { i: null, n: null, d: null, j: null, t: '', at: null, b: null, other: null },
      ])
      expect(schema!.map(({ source }) => source)).toEqual([...Array(7).fill('declared'), 'file'])
      expect(schema!.map(({ nullable }) => nullable)).toEqual([true, true, true, false, false, true, true, true])
    })

    it.each([
      ['i', '1.5', 'an integer'],
      ['i', '9007199254740993', 'an integer'],
      ['n', 'NaN', 'a number'],
      ['n', '1e400', 'a number'],
      ['d', '1_000', 'a decimal'],
      ['j', '{', 'a json'],
      ['at', '2024-02-30T00:00', 'a timestamp'],
      ['b', '1.0', 'a bigint'],
    ])('make a record with another value a bad one: %s: %s', async (name, value, expected) => {
      const odd = good.split(',')
      // The JSON has no comma.
      odd[header.split(',').indexOf(name)] = value
      const text = `${header}\n${good}\n${odd.join(',')}\n${good}\n`
      for (const cast of [false, true]) {
        for (const [chunkBytes, scan] of [
          [1, 1],
          [Infinity, 1000],
          [50, 'full'],
        ] as const) {
          const { rows, error } = await readTyped(text, { types, engine, cast, scan }, { chunkBytes })
          expect(rows.length).toBe(1)
          expect(error).toMatchObject({
            code: 'VALUE_TYPE_MISMATCH',
            label: 'test.csv',
            line: 3,
            column: 1,
            byte: header.length + good.length + 2,
            record: 2,
            expected: `${expected} in column "${name}"`,
            found: JSON.stringify(value),
          })
          const skipped = await readTyped(text, { types, engine, cast, scan }, { chunkBytes, skip: true })
          expect(skipped.rows.length).toBe(2)
          expect(skipped.bad.map(({ raw, record }) => [raw, record])).toEqual([[odd.join(','), 2]])
        }
      }
    })

    it('of columns that are not there are an error that names the nearest', async () => {
      const { error } = await readTyped('amount,b\n1,2\n', { types: { amuont: 'integer' }, engine })
      expect(error).toMatchObject({ code: 'OPTION_INVALID', found: 'amuont', hint: 'did you mean "amount"?' })
    })

    it('decide beside inferred ones', async () => {
      const { rows, schema } = await cast('zip,n\n12345,1\n02134,2\n', { types: { zip: 'text' }, scan: 1 })
      expect(rows).toEqual([
        { zip: '12345', n: 1 },
        { zip: '02134', n: 2 },
      ])
      expect(schema!.map(({ source }) => source)).toEqual(['declared', 'inferred'])
    })
  })

  it('without any of it leaves fields as they are, and says so', async () => {
    const { rows, schema } = await readTyped('a,b\n1,\n', { engine })
    expect(rows).toEqual([{ a: '1', b: '' }])
    expect(schema).toEqual(['a', 'b'].map(name => ({ name, type: 'text', nullable: false, source: 'file' })))
    expect((await readTyped('a,b\n1,\n', { engine, nullText: '' })).rows).toEqual([{ a: '1', b: null }])
  })
})

describe('options that contradict each other', () => {
  it.each([
    [{ cast: true, trueText: 'x', falseText: ['x'] }, 'falseText'],
    [{ cast: true, trueText: 'x', nullText: 'x' }, 'trueText'],
    [{ header: false, types: { a: 'integer' } }, 'types'],
    [{ types: { a: 'int' } }, 'types'],
    [{ cast: true, scan: 0 }, 'scan'],
    [{ cast: true, scan: 'all' }, 'scan'],
    [{ cast: 'yes' }, 'cast'],
    [{ onWiden: 'skip' }, 'onWiden'],
    [{ trueText: '' }, 'trueText'],
  ])('%j', async (options, name) => {
    const error = await failure(openIterable({ text: 'a\n1\n', name: 'x.csv' }, options as ReadOptions).read())
    expect(error).toMatchObject({ code: 'OPTION_INVALID' })
    expect(error.message).toContain(`option ${name} `)
  })
})

describe('the handle', () => {
  it('has the schema once it is open, and its counters balance', async () => {
    const letters = new MemoryTarget('bad.jsonl')
    const text = 'a,b\n1,x\n2,y\nz,w\n3,v\n'
    const lazy = openIterable({ text, name: 'x.csv' }, { types: { a: 'integer' }, deadLetters: letters })
    expect(lazy.schema).toBeUndefined()
    const reader = await lazy
    expect(typesOf(reader.schema!.columns)).toBe('a:integer b:text')
    expect(await reader.readBulk()).toEqual([1, 2, 3].map((a, i) => ({ a, b: 'xyv'[i] })))
    expect([reader.rowsRead, reader.rowsSkipped, reader.rowsFailed]).toEqual([3, 0, 1])
    expect(lazy.schema).toEqual(reader.schema)
    const [letter] = await openIterable(letters).readBulk()
    expect(letter).toMatchObject({ code: 'VALUE_TYPE_MISMATCH', raw: 'z,w', line: 4, record: 3 })
  })

  it('samples anew after reset', async () => {
    const reader = openIterable({ text: `a\n${'1\n'.repeat(3)}x\n`, name: 'x.csv' }, { cast: true, scan: 2 })
    for (let i = 0; i < 2; i++) {
      expect(await reader.readBulk()).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }, { a: 'x' }])
      expect(reader.schema!.columns[0]).toMatchObject({ type: 'text', widenedAt: 4 })
      await reader.reset()
    }
    await reader.close()
  })

  it('rejects with the reason of an abort while it samples, and while it scans', async () => {
    for (const scan of [1000, 'full'] as const) {
      const controller = new AbortController()
      const reason = new Error('enough')
      const endless = {
        [Symbol.iterator]: function* () {
          yield Buffer.from('a\n')
          for (let i = 0; ; i++) {
            if (i === 20) controller.abort(reason)
            yield Buffer.from('1\n')
          }
        },
      }
      const target = scan === 'full' ? new Set([...Array(50).keys()].map(i => Buffer.from(`${i}\n`))) : endless
      if (scan === 'full') queueMicrotask(() => controller.abort(reason))
      const options = { format: 'csv', cast: true, scan, signal: controller.signal } as const
      expect(await failure(openIterable(target, options).readBulk())).toBe(reason)
    }
  })
})

describe('typed rows', () => {
  const shapes = [
    { width: 3, picks: [0, 1, 2], keys: ['a', '__proto__', 'c'] },
    { width: 3, picks: [2, 0], keys: ['c', 'a'] },
    { width: 3, picks: [0, 1, 2], keys: null },
  ]
  const options = [
    { types: { a: 'integer', c: 'date' } as const },
    { types: { a: 'json' } as const, nullText: ['', 'NA', '1'] },
    { types: { a: 'boolean' } as const, nullText: [] },
  ]
  const records = [
    ['1', '', '2024-02-29'],
    ['NA', 'x', ''],
    ['', '', 'NA'],
    ['null', '1', '1'],
    ['x', 'y', 'z'],
    ['true', 'false', '2023-02-31'],
  ]

  it.each(shapes)('are the same with and without generated code: %j', shape => {
    for (const option of options) {
      const build = (make: typeof loopRowBuilder | typeof compileRowBuilder) => {
        const types = new ColumnTypes(
          resolveTyping(option)!,
          shape.picks.map(field => 'abc'[field]!),
          'x',
        )
        const builder = make({ ...shape, types })!
        return records.map(fields => {
          const text = `<${fields.join(',')}>`
          const ends = Int32Array.of(1 + fields[0]!.length, 2 + fields[0]!.length + fields[1]!.length)
          const rows = [
            builder.fromText(text, ends, 0, 1, text.length - 1),
            builder.fromFields(fields),
            builder.fromFields(fields, [0, 2]),
          ]
          return [rows.map(row => row && [Array.isArray(row), Object.entries(row)]), types.fault, types.columns]
        })
      }
      expect(build(compileRowBuilder)).toEqual(build(loopRowBuilder))
    }
  })

  it('of a column that was widened early are not those of a column that is text', async () => {
    const read = (cells: string[]) =>
      openIterable({ text: `early\n${cells.join('\n')}\n`, name: 'x.csv' }, { cast: true, scan: 2 }).readBulk(5000)
    const count = 4000
    const text = Array<string>(count).fill('t')
    const numbers = Array<string>(count).fill('1').with(2, 'x')
    expect(await read(text)).toEqual(text.map(early => ({ early })))
    expect(await read(numbers)).toEqual(numbers.map(cell => ({ early: cell === 'x' ? cell : 1 })))
  })

  it('come without generated code where Node forbids it', () => {
    const index = new URL('../../dist/index.js', import.meta.url)
    const script = `
      const { openIterable } = await import(${JSON.stringify(index.href)})
      let generates = true
      try { new Function('') } catch { generates = false }
      const text = 'a,d\\n' + '1,2024-02-29\\n"2",\\n'.repeat(800) + 'x,\\n'
      const reader = openIterable({ text, name: 'x.csv' }, { cast: true })
      const rows = await reader.readBulk(5000)
      console.log(generates, rows.length, JSON.stringify(rows.slice(-3)), reader.schema.columns[0].widenedAt)`
    const flags = ['--disallow-code-generation-from-strings', '--input-type=module']
    expect(execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' })).toBe(
      'false 1601 [{"a":1,"d":"2024-02-29"},{"a":2,"d":null},{"a":"x","d":null}] 1601\n',
    )
  })
})

describe('writing', () => {
  it('gives a CalendarDate as a day, and a Date as an instant', async () => {
    const rows = [{ day: new CalendarDate('2024-02-29'), at: new Date('2024-02-29T00:00:00Z') }]
    for (const engine of ['native', 'csv-stringify'] as const) {
      expect((await writeCsv(rows, { engine })).text).toBe('day,at\n2024-02-29,2024-02-29T00:00:00.000Z\n')
    }
    const out = new MemoryTarget('x.jsonl')
    const writer = openIterable(out, { mode: 'w' })
    await writer.writeBulk(rows)
    await writer.close()
    expect(Buffer.from(out.bytes()).toString()).toBe('{"day":"2024-02-29","at":"2024-02-29T00:00:00.000Z"}\n')
  })

  it('by types gives values so that they are read back', async () => {
    const types = { day: 'date', at: 'timestamp', j: 'json', n: 'number', t: 'text' } as const
    const rows = [
      { day: new Date('2024-02-29'), at: new CalendarDate('2024-02-29'), j: 'x', n: '1.50', t: '' },
      { day: '2024-03-01', at: '2024-03-01 10:00', j: null, n: null, t: null },
      ['2024-03-02', null, { a: 1 }, 5n, 'y'],
    ]
    for (const engine of ['native', 'csv-stringify'] as const) {
      expect((await writeCsv(rows, { types, engine })).text).toBe(
        'day,at,j,n,t\n2024-02-29,2024-02-29T00:00:00.000Z,"""x""",1.50,""\n2024-03-01,2024-03-01 10:00,,,\n2024-03-02,,"{""a"":1}",5,y\n',
      )
    }
  })

  it.each([
    ['integer', 1.5],
    ['integer', '1.0'],
    ['integer', 2 ** 53],
    ['bigint', 1.5],
    ['number', Number.NaN],
    ['number', 9007199254740993n],
    ['decimal', 'x'],
    ['boolean', 'true'],
    ['date', new Date('2024-01-01T10:00:00Z')],
    ['date', '01/02/03'],
    ['date', new Date(Number.NaN)],
    ['timestamp', 'yesterday'],
    ['timestamp', 5],
    ['json', () => 1],
    ['json', Number.NaN],
  ] as const)('by types refuses what would not be: %s: %s', async (type, value) => {
    const rows = [{ a: null }, { a: value }, { a: null, b: 1 }]
    const { bad, text } = await writeCsv(rows, { types: { a: type }, columns: ['a', 'b'] }, { skip: true })
    expect(text).toBe('a,b\n,\n,1\n')
    expect(bad.map(({ error }) => error)).toMatchObject([{ code: 'VALUE_TYPE_MISMATCH', record: 2 }])
    expect(bad[0]!.error.message).toContain('[VALUE_TYPE_MISMATCH] row 2: column "a" has ')
    const raised = await failure(writeCsv(rows, { types: { a: type }, columns: ['a', 'b'] }))
    expect(raised.message).toBe(bad[0]!.error.message)
  })

  it('by types needs names, and knows the nearest', async () => {
    expect(await failure(writeCsv([[1]], { types: { a: 'integer' } }))).toMatchObject({ code: 'OPTION_INVALID' })
    expect(await failure(writeCsv([{ amount: 1 }], { types: { amuont: 'integer' } }))).toMatchObject({
      code: 'OPTION_INVALID',
      hint: 'did you mean "amount"?',
    })
  })

  it('writes other texts for true and false', async () => {
    const options = { trueText: 'yes', falseText: 'n,o' }
    for (const engine of ['native', 'csv-stringify'] as const) {
      expect((await writeCsv([{ a: true, b: false }], { ...options, engine })).text).toBe('a,b\nyes,"n,o"\n')
    }
    for (const bad of [{ trueText: 'false' }, { trueText: 'x', nullText: 'x' }]) {
      expect(await failure(writeCsv([], bad))).toMatchObject({ code: 'OPTION_INVALID' })
    }
  })
})
