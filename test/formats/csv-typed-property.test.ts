/** Typed reading held against an oracle that reads column by column: on real files, and on tables that fast-check makes. */
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ColumnType } from '../../src/core/values.ts'
import { ENGINES, oracleColumn, readTyped } from './csv-typing.ts'
import { writeCsv } from './writing.ts'

const RUNS = { seed: 20_260_103, numRuns: Number(process.env.OPEN_ITERABLE_PROPERTY_RUNS ?? 400) }
const VEGA = new URL('../../node_modules/vega-datasets/data/', import.meta.url)

/** Cells as texts; null where the file has nothing, not even quotes. */
function readCells(text: string): { names: string[]; cells: (string | null)[][] } {
  const records = parse(text, {
    bom: true,
    cast: (value, { quoting }) => (value === '' && !quoting ? null : value),
  }) as unknown as (string | null)[][]
  const [names = [], ...cells] = records
  return { names: names.map(String), cells }
}

/** Columns of values from rows, in order. */
const columnOf = (rows: readonly unknown[], name: string) => rows.map(row => (row as Record<string, unknown>)[name])

describe('cast on the real files of vega-datasets', () => {
  const files = readdirSync(VEGA).filter(name => name.endsWith('.csv'))

  it('has files with each type', () => {
    const types = files.flatMap(file => {
      const { names, cells } = readCells(readFileSync(new URL(file, VEGA), 'utf8'))
      return names.map(
        (_, i) =>
          oracleColumn(
            cells.map(row => row[i]!),
            Infinity,
          ).type,
      )
    })
    expect(files.length).toBeGreaterThan(20)
    for (const type of ['integer', 'number', 'date', 'text']) expect(types).toContain(type)
  })

  it.each(files)('%s', async file => {
    const text = readFileSync(new URL(file, VEGA), 'utf8')
    const { names, cells } = readCells(text)
    for (const scan of [1000, 7, 'full'] as const) {
      const sample = scan === 'full' ? Infinity : scan
      for (const engine of ENGINES) {
        // The second engine is slow, and the largest files show nothing that others do not.
        if (engine === 'csv-parse' && (scan === 7 || text.length > 400_000)) continue
        const { rows, schema, error } = await readTyped(text, { cast: true, scan, engine }, { chunkBytes: 65_536 })
        expect(error).toBeUndefined()
        expect(rows.length).toBe(cells.length)
        for (const [i, name] of names.entries()) {
          const expected = oracleColumn(
            cells.map(row => row[i]!),
            sample,
          )
          const { values, ...typing } = expected
          const nullable = values.includes(null)
          expect(schema![i]).toEqual({ name, nullable, source: 'inferred', ...typing })
          expect(columnOf(rows, name)).toEqual(values)
        }
      }
    }
  })

  it.each(files)('%s is written back as it was, but for what is documented to be the same', async file => {
    const text = readFileSync(new URL(file, VEGA), 'utf8')
    const { names, cells } = readCells(text)
    const { rows } = await readTyped(text, { cast: true })
    const again = readCells((await writeCsv(rows)).text)
    expect(again.names).toEqual(names)
    const same = again.cells.every((row, r) => row.every((cell, i) => isSame(cells[r]![i]!, cell)))
    expect([again.cells.length, same]).toEqual([cells.length, true])
  })
})

/** Equal, or the same number, boolean or instant in another form; the empty text is written as nothing. */
function isSame(before: string | null, after: string | null): boolean {
  if (before === after || (before === '' && after === null)) return true
  if (before === null || after === null) return false
  if (/^(true|false)$/i.test(before)) return before.toLowerCase() === after
  if (/^\d{4}-\d\d-\d\d[T ]/.test(before)) {
    return /Z$/.test(after) && Date.parse(before.replace(' ', 'T').replace(/\+00(:?00)?$/, 'Z')) === Date.parse(after)
  }
  return (
    /^-?[\d.]+(e[+-]?\d+)?$/i.test(before) &&
    Number(before) === Number(after) &&
    oracleColumn([before], 1).type === 'number'
  )
}

const HOSTILE = [
  ...[
    '',
    '0',
    '-0',
    '1',
    '-1',
    '007',
    '+1 555',
    '1.50',
    '.5',
    '5.',
    '1e400',
    '1e-400',
    '12E4',
    '1e+5',
    '0x10',
    '1_000',
    '1,5',
  ],
  ...[
    'NaN',
    'Infinity',
    '-Infinity',
    'null',
    'NULL',
    'NA',
    'undefined',
    ' 1',
    '1 ',
    '\t1',
    '9007199254740991',
    '9007199254740992',
  ],
  ...[
    '9007199254740993',
    '123456789012345678901234567890',
    '0.1000000000000000055',
    '0.30000000000000004',
    'true',
    'False',
    'TRUE',
  ],
  ...[
    'yes',
    't',
    '2024-02-29',
    '2023-02-29',
    '2023-02-31',
    '01/02/03',
    '2024-01-01T00:00:00Z',
    '2024-01-01 10:00',
    '2024-01-01 10:00:00Z',
  ],
  ...[
    '2024-01-01T00:00:00+02:00',
    '2024-01-01T00:00:00.123456Z',
    '{"a":1}',
    '[]',
    'a"b',
    'a,b',
    'x\ny',
    '漢',
    '__proto__',
    'text',
  ],
]
const cell = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 2, arbitrary: fc.integer().map(String) },
  { weight: 1, arbitrary: fc.double().map(String) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...'0123456789.-+eE: TZ'), maxLength: 12 }) },
)
/** Columns that mostly have one kind of value, as those of real tables do. */
const column = fc.oneof(
  fc.array(cell, { minLength: 12, maxLength: 12 }),
  ...[
    ['1', '2', '-3', '40'],
    ['1', '2.5', '.5', '1e+5'],
    ['9007199254740993', '5', '-1'],
    ['true', 'FALSE', 'True'],
    ['2024-02-29', '1969-07-20'],
    ['2024-01-01T00:00:00Z', '2024-01-01 10:00:00.5Z'],
  ].map(kind =>
    fc
      .tuple(
        fc.array(fc.constantFrom(...kind, ''), { minLength: 12, maxLength: 12 }),
        fc.option(fc.tuple(fc.nat(11), cell)),
      )
      .map(([values, odd]) => (odd === null ? values : values.with(odd[0], odd[1]))),
  ),
)
const table = fc.record({
  columns: fc.array(column, { minLength: 1, maxLength: 4 }),
  rows: fc.integer({ min: 0, max: 12 }),
  quoteAll: fc.boolean(),
  quoteOdd: fc.nat(5),
  crlf: fc.boolean(),
  scan: fc.constantFrom<(number | 'full')[]>(1, 3, 6, 12, 1000, 'full'),
  chunkBytes: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(Infinity)),
})

/** The CSV of a table, and its cells as a reader must see them. */
function print({
  columns,
  rows,
  quoteAll,
  quoteOdd,
  crlf,
}: Omit<typeof table extends fc.Arbitrary<infer T> ? T : never, 'scan' | 'chunkBytes'>) {
  const height = columns[0]!.length
  const names = columns.map((_, i) => `c${i}`)
  const cells: (string | null)[][] = []
  const lines = [names.join(',')]
  for (let r = 0; r < rows; r++) {
    const values = columns.map(values => values[r % height]!)
    const quoted = values.map(
      (value, i) =>
        quoteAll ||
        /[",\r\n]/.test(value) ||
        (quoteOdd > 0 && (r * 7 + i) % quoteOdd === 0) ||
        (columns.length === 1 && value === ''),
    )
    cells.push(values.map((value, i) => (value === '' && !quoted[i] ? null : value)))
    lines.push(values.map((value, i) => (quoted[i] ? `"${value.replaceAll('"', '""')}"` : value)).join(','))
  }
  return { names, cells, text: lines.map(line => `${line}${crlf ? '\r\n' : '\n'}`).join('') }
}

describe('cast on tables of any texts', () => {
  it.each(ENGINES)('gives what the oracle gives, by any sample and any cut of the input: %s', async engine => {
    const met = new Set<ColumnType>()
    await fc.assert(
      fc.asyncProperty(table, async input => {
        const { names, cells, text } = print(input)
        const { scan, chunkBytes } = input
        const { rows, schema, opened, error } = await readTyped(text, { cast: true, scan, engine }, { chunkBytes })
        expect(error).toBeUndefined()
        expect(rows.length).toBe(cells.length)
        expect(opened?.map(({ name }) => name)).toEqual(names)
        for (const [i, name] of names.entries()) {
          const { values, ...typing } = oracleColumn(
            cells.map(row => row[i]!),
            scan === 'full' ? Infinity : scan,
          )
          met.add(typing.type)
          expect(schema![i]).toEqual({ name, nullable: values.includes(null), source: 'inferred', ...typing })
          expect(columnOf(rows, name)).toEqual(values)
        }
      }),
      { ...RUNS, numRuns: engine === 'native' ? RUNS.numRuns * 3 : RUNS.numRuns },
    )
    expect([...met].sort()).toEqual(['bigint', 'boolean', 'date', 'integer', 'number', 'text', 'timestamp'])
  })

  it('gives what the oracle gives of long ones too, by code that is generated for their columns', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.integer({ min: 201, max: 700 }),
        fc.constantFrom(1, 3, 12, 199, 200, 300, 1000),
        fc.constantFrom(100, 1001, Infinity),
        async (input, rowCount, scan, chunkBytes) => {
          const { names, cells, text } = print({ ...input, rows: rowCount })
          const { rows, schema, error } = await readTyped(text, { cast: true, scan }, { chunkBytes })
          expect(error).toBeUndefined()
          expect(rows.length).toBe(rowCount)
          for (const [i, name] of names.entries()) {
            const { values, ...typing } = oracleColumn(
              cells.map(row => row[i]!),
              scan,
            )
            expect(schema![i]).toEqual({ name, nullable: values.includes(null), source: 'inferred', ...typing })
            expect(columnOf(rows, name)).toEqual(values)
          }
        },
      ),
      { ...RUNS, numRuns: Math.ceil(RUNS.numRuns / 4) },
    )
  })

  it('does not matter for what is bad in the sample where the input is cut', async () => {
    const bad = ['1,2,3', 'x', '"a"b,1', 'a"b,1', 'x,1', '', '"x\ny",1', '\ufffd,1', '2024-02-29,1', ',"1"']
    const line = fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('1,2', '-3,4.5', ',0', '7,漢', '"8",9') },
      { weight: 1, arbitrary: fc.constantFrom(...bad) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(1, 5, 20, 40),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        fc.boolean(),
        async (lines, scan, chunkBytes, skip, declares) => {
          const text = `a,b\n${lines.join('\n')}\n`
          const options = { cast: true, scan, ...(declares ? { types: { a: 'integer' } as const } : {}) }
          // What is known once it is open depends on how much is read by then.
          const read = async (more: object, chunks = Infinity) => {
            const { opened: _, ...result } = await readTyped(
              text,
              { ...options, ...more },
              { skip, chunkBytes: chunks },
            )
            return result
          }
          const whole = await read({})
          expect(await read({}, chunkBytes)).toEqual(whole)
          // Has the sample taken record by record.
          expect(await read({ skipRecordsWithEmptyValues: true })).toEqual(whole)
        },
      ),
      RUNS,
    )
  })

  it('is written back as it was, but for what is documented to be the same', async () => {
    await fc.assert(
      fc.asyncProperty(table, async input => {
        const { cells, text } = print(input)
        const { rows } = await readTyped(text, { cast: true, scan: input.scan })
        if (rows.length === 0) return
        const again = readCells((await writeCsv(rows)).text)
        // A row of one empty field is written with quotes, as an empty line would be none.
        for (const [r, row] of again.cells.entries()) {
          for (const [i, after] of row.entries()) {
            const before = cells[r]![i]!
            if (!isSame(before, after) && !(before === null && after === '')) throw new Error(`${before} → ${after}`)
          }
        }
        expect(again.cells.length).toBe(cells.length)
      }),
      RUNS,
    )
  })
})

describe('declared types, written and read back', () => {
  const values: Record<ColumnType, fc.Arbitrary<unknown>> = {
    integer: fc.maxSafeInteger().map(n => n + 0),
    number: fc.double({ noNaN: true, noDefaultInfinity: true }).map(n => n + 0),
    bigint: fc.bigInt(),
    decimal: fc.oneof(
      fc.integer().map(n => `${n}.500`),
      fc.constant('+1.0000000000000000001'),
    ),
    boolean: fc.boolean(),
    date: fc.integer({ min: -700_000, max: 2_000_000 }).map(day => new Date(day * 86_400_000)),
    timestamp: fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
    json: fc
      .jsonValue()
      .map(value => JSON.parse(JSON.stringify(value)))
      .filter(value => value !== null),
    text: fc.oneof(fc.string(), fc.constantFrom(...HOSTILE, 'NULL', '\\N')),
  }
  const names = Object.keys(values) as ColumnType[]
  const types = Object.fromEntries(names.map(name => [name, name]))
  const row = fc.record(Object.fromEntries(names.map(name => [name, fc.option(values[name], { freq: 5 })])))

  it('are equal, null and empty text included', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 8 }),
        fc.constantFrom('', 'NULL', '\\N'),
        async (rows, nullText) => {
          for (const engine of [undefined, 'csv-stringify'] as const) {
            const { text } = await writeCsv(rows, { types, nullText, columns: names, engine })
            for (const reading of ENGINES) {
              const back = await readTyped(text, { types, nullText, engine: reading }, { chunkBytes: 11 })
              expect(back.error).toBeUndefined()
              expect(back.rows).toEqual(rows)
              expect(back.schema!.map(({ source, type }) => [source, type])).toEqual(
                names.map(name => ['declared', name]),
              )
            }
          }
        },
      ),
      { ...RUNS, numRuns: RUNS.numRuns / 4 },
    )
  })
})
