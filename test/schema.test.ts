/** `inferSchema`, and schemas in the words of JSON Schema and Table Schema. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  CalendarDate,
  type ColumnSchema,
  inferSchema,
  MemoryTarget,
  openIterable,
  type ReadOptions,
  type ReadTarget,
  type Schema,
  type SchemaType,
  toJsonSchema,
  toTableSchema,
} from '../src/index.ts'
import { failure } from './formats/writing.ts'

const csv = (text: string) => ({ text, name: 'x.csv' })
const typesOf = ({ columns }: Schema) =>
  columns.map(({ name, type, nullable }) => `${name}:${type}${nullable ? '?' : ''}`).join(' ')

describe('inferSchema', () => {
  const text = `a,b,c,d\n${'1,,x,""\n'.repeat(2000)}1.5,2024-02-29,,x\n`

  it('looks at a sample of a CSV, or at all of it, as cast does', async () => {
    const sample = await inferSchema(csv(text))
    expect([typesOf(sample), sample.rows, sample.complete]).toEqual(['a:integer b:text? c:text d:text', 1000, false])
    const all = await inferSchema(csv(text), { rows: 'all' })
    expect([typesOf(all), all.rows, all.complete]).toEqual(['a:number b:date? c:text? d:text', 2001, true])
    for (const rows of [1, 1000, 2000, 2001, 5000]) {
      const { columns, rows: read, complete } = await inferSchema(csv(text), { rows })
      expect([read, complete]).toEqual([Math.min(rows, 2001), rows >= 2001])
      const reader = await openIterable(csv(text), { cast: true, scan: rows > 2000 ? 'full' : rows })
      expect(columns.map(({ type }) => type)).toEqual(
        rows > 2000 || rows < 2000
          ? reader.schema!.columns.map(({ type }) => type)
          : ['integer', 'text', 'text', 'text'],
      )
      await reader.close()
    }
    expect((await inferSchema(csv('a\n1\n'), { rows: 1 })).complete).toBe(true)
  })

  it('keeps what is declared, and takes the options of reading', async () => {
    const schema = await inferSchema(csv('zip;n;ok\n12345;NA;yes\n;1;no\n'), {
      delimiter: ';',
      types: { zip: 'text' },
      nullText: ['', 'NA'],
      trueText: 'yes',
      falseText: 'no',
    })
    expect(schema.columns).toEqual([
      { name: 'zip', type: 'text', nullable: true, source: 'declared' },
      { name: 'n', type: 'integer', nullable: true, source: 'inferred' },
      { name: 'ok', type: 'boolean', nullable: false, source: 'inferred' },
    ])
    expect(typesOf(await inferSchema(csv('1,x\n'), { header: false }))).toBe('column_1:integer column_2:text')
    expect(typesOf(await inferSchema('a\n1\n'.split(''), { format: 'csv' }))).toBe('a:integer')
    // A name that tells nothing: the content does.
    const unnamed = { text: 'a,b\n1,\n2,2024-02-29\n3,\n' }
    expect(typesOf(await inferSchema(unnamed))).toBe('a:integer b:date?')
  })

  it('goes by the values of JSON Lines and of rows: text is text', async () => {
    const jsonl =
      '{"id":1,"day":"2024-01-01","tags":["x"],"at":{"x":1.5}}\n{"id":9007199254740993,"tags":[],"at":null}\n'
    expect((await inferSchema({ text: jsonl, name: 'x.jsonl' })).columns).toEqual([
      { name: 'id', type: 'bigint', nullable: false, source: 'inferred' },
      { name: 'day', type: 'text', nullable: false, source: 'inferred', optional: true },
      { name: 'tags', type: 'array', nullable: false, source: 'inferred', items: { type: 'text', nullable: false } },
      {
        name: 'at',
        type: 'object',
        nullable: true,
        source: 'inferred',
        fields: [{ name: 'x', type: 'number', nullable: false, source: 'inferred' }],
      },
    ])
    expect(typesOf(await inferSchema([{ a: new CalendarDate(0), b: new Date(0) }]))).toBe('a:date b:timestamp')
    expect(await inferSchema([])).toEqual({ columns: [], rows: 0, complete: true })
  })

  it('releases the source, and rejects what is wrong', async () => {
    let released = false
    const rows = (function* () {
      try {
        for (;;) yield { a: 1 }
      } finally {
        released = true
      }
    })()
    await inferSchema(rows, { rows: 10 })
    expect(released).toBe(true)
    for (const bad of [0, 1.5, 'some']) {
      expect(await failure(inferSchema([], { rows: bad as number }))).toMatchObject({ code: 'OPTION_INVALID' })
    }
    expect(await failure(inferSchema('/nowhere/x.csv'))).toMatchObject({ code: 'SOURCE_NOT_FOUND' })
    expect(await failure(inferSchema(csv('a,b\n1\n')))).toMatchObject({ code: 'CSV_RAGGED_RECORD' })
  })
})

const ALL: readonly ColumnSchema[] = (
  [
    'integer',
    'number',
    'bigint',
    'decimal',
    'boolean',
    'date',
    'timestamp',
    'json',
    'text',
    'binary',
    'null',
    'object',
    'array',
  ] as SchemaType[]
).map(type => ({ name: type, type, nullable: false, source: 'inferred' }))

/** As much of JSON Schema 2020-12 as the schemas use; an unknown keyword is an error, so that none goes unchecked. */
function isValid(schema: Record<string, unknown>, value: unknown): boolean {
  return Object.entries(schema).every(([keyword, rule]) => {
    switch (keyword) {
      case '$schema':
        return rule === 'https://json-schema.org/draft/2020-12/schema'
      case 'type':
        return ([] as unknown[]).concat(rule).some(type => hasType(type as string, value))
      case 'properties':
        return (
          !hasType('object', value) ||
          Object.entries(rule as object).every(
            ([name, inner]) =>
              !Object.hasOwn(value as object, name) || isValid(inner, (value as Record<string, unknown>)[name]),
          )
        )
      case 'required':
        return !hasType('object', value) || (rule as string[]).every(name => Object.hasOwn(value as object, name))
      case 'items':
        return !Array.isArray(value) || value.every(item => isValid(rule as Record<string, unknown>, item))
      case 'format':
        return (
          typeof value !== 'string' ||
          (rule === 'date' ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\dT[\d:.]+Z$/).test(value)
        )
      case 'pattern':
        return typeof value !== 'string' || new RegExp(rule as string, 'u').test(value)
      case 'contentEncoding':
        return rule === 'base64'
      default:
        throw new Error(`unknown keyword ${keyword}`)
    }
  })
}

function hasType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  if (!['number', 'string', 'boolean'].includes(type)) throw new Error(`no type of JSON Schema: ${type}`)
  return typeof value === type
}

describe('the schema of an open reader', () => {
  const typesAfterOpening = async (target: ReadTarget, options: ReadOptions = {}) => {
    await using reader = await openIterable(target, options)
    const atOnce = reader.schema && typesOf(reader.schema)
    const first = await reader.read()
    return [atOnce, reader.schema && typesOf(reader.schema), first]
  }

  it('is that of the first rows where only values tell, and loses none of them', async () => {
    const jsonl = { text: '{"a":1,"b":null}\n{"a":1.5,"b":"x"}\n', name: 'x.jsonl' }
    const types = 'a:number b:text?'
    expect(await typesAfterOpening(jsonl)).toEqual([types, types, { a: 1, b: null }])
    const json = { text: '[{"a":1,"b":null},{"a":1.5,"b":"x"}]', name: 'x.json' }
    expect(await typesAfterOpening(json)).toEqual([types, types, { a: 1, b: null }])
    // Rows of the user's are not asked for before somebody reads them.
    const rows = JSON.parse(json.text) as object[]
    expect(await typesAfterOpening(rows)).toEqual([undefined, types, rows[0]])
  })

  it('is that of the rows that a Standard Schema makes', async () => {
    const schema = z.object({ n: z.coerce.number() }).transform(({ n }) => ({ n, big: BigInt(n) }))
    const types = 'n:integer big:bigint'
    expect(await typesAfterOpening(csv('n\n7\n'), { schema })).toEqual([types, types, { n: 7, big: 7n }])
  })

  it('leaves what is wrong with the first rows to whoever reads them', async () => {
    await using reader = await openIterable({ text: '{"a":1}\nno\n', name: 'x.jsonl' })
    expect(await reader.read()).toEqual({ a: 1 })
    await expect(reader.read()).rejects.toMatchObject({ code: 'JSON_INVALID', line: 2 })
    await using none = await openIterable({ text: 'no\n', name: 'x.jsonl' })
    expect(none.schema).toBeUndefined()
    await expect(none.read()).rejects.toMatchObject({ line: 1 })
    await using empty = await openIterable({ text: '', name: 'x.jsonl' })
    expect([empty.schema, await empty.read(), await empty.read()]).toEqual([{ columns: [] }, null, null])
  })
})

describe('as JSON Schema', () => {
  it('names the type of each column as it is in JSON', () => {
    const { $schema, properties, required, type } = toJsonSchema({ columns: ALL })
    expect([$schema, type, required]).toEqual([
      'https://json-schema.org/draft/2020-12/schema',
      'object',
      ALL.map(({ name }) => name),
    ])
    expect(properties).toMatchObject({
      integer: { type: 'integer' },
      number: { type: 'number' },
      bigint: { type: 'integer' },
      decimal: { type: 'string' },
      boolean: { type: 'boolean' },
      date: { type: 'string', format: 'date' },
      timestamp: { type: 'string', format: 'date-time' },
      json: {},
      text: { type: 'string' },
      binary: { type: 'string', contentEncoding: 'base64' },
      null: { type: 'null' },
      object: { type: 'object' },
      array: { type: 'array' },
    })
    expect(toJsonSchema({ columns: [] })).toEqual({ $schema, type: 'object', properties: {} })
  })

  it('allows null where there is one, and no more', () => {
    const columns = ALL.map(column => ({ ...column, nullable: true, optional: true }))
    const schema = toJsonSchema({ columns })
    expect(isValid(schema, Object.fromEntries(ALL.map(({ name }) => [name, null])))).toBe(true)
    expect(isValid(schema, {})).toBe(true)
    expect(isValid(toJsonSchema({ columns: ALL }), {})).toBe(false)
    const strict = toJsonSchema({ columns: [{ name: 'a', type: 'integer', nullable: false, source: 'inferred' }] })
    expect([{ a: 1 }, { a: null }, { a: 1.5 }, { a: '1' }, {}].map(row => isValid(strict, row))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })

  it('is valid for the rows that it was inferred from, as JSON', async () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(null, 1, 1.5, 'x', true))
    const row = fc.dictionary(fc.oneof(fc.constantFrom('a', 'b', '__proto__'), fc.string()), value, { maxKeys: 5 })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 6 }), async rows => {
        const schema = toJsonSchema(await inferSchema(rows))
        for (const row of rows)
          if (!isValid(schema, JSON.parse(JSON.stringify(row)))) throw new Error(JSON.stringify([schema, row]))
        expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
      }),
      { seed: 20_260_104, numRuns: 500 },
    )
  })

  it('is valid for typed rows of a CSV, as the JSONL writer writes them', async () => {
    const types = { d: 'decimal', j: 'json' } as const
    const text =
      'i,n,b,day,at,d,j,t,e\n1,1.5,true,2024-02-29,2024-01-01T00:00:00Z,1.50,[1],x,\n2,2,false,2024-03-01,2024-01-01T00:00Z,-.5,,,\n'
    const reader = await openIterable(csv(text), { cast: true, types })
    const out = new MemoryTarget('x.jsonl')
    const writer = openIterable(out, { mode: 'w' })
    await writer.writeBulk(reader)
    await writer.close()
    const lines = Buffer.from(out.bytes()).toString().trim().split('\n')
    expect(lines.length).toBe(2)
    for (const line of lines) expect(isValid(toJsonSchema(reader.schema!), JSON.parse(line)), line).toBe(true)
  })
})

describe('as Table Schema', () => {
  /** The types of Table Schema v1, with the formats that each may have. */
  const TYPES: Record<string, RegExp> = {
    string: /^(default|email|uri|binary|uuid)$/,
    number: /^default$/,
    integer: /^default$/,
    boolean: /^default$/,
    object: /^default$/,
    array: /^default$/,
    date: /^(default|any|%.*)$/,
    time: /^(default|any|%.*)$/,
    datetime: /^(default|any|%.*)$/,
    year: /^default$/,
    yearmonth: /^default$/,
    duration: /^default$/,
    geopoint: /^(default|array|object)$/,
    geojson: /^(default|topojson)$/,
    any: /^default$/,
  }

  it('has types and formats that the specification has, and nothing else', () => {
    const { fields, missingValues, ...rest } = toTableSchema({ columns: ALL })
    expect([rest, missingValues]).toEqual([{}, ['']])
    for (const { name, type, format = 'default', constraints, ...others } of fields) {
      expect(TYPES[type]?.test(format), `${name}: ${type}, ${format}`).toBe(true)
      expect([constraints, others]).toEqual([{ required: true }, {}])
    }
    expect(fields.map(({ type }) => type)).toEqual([
      'integer',
      'number',
      'integer',
      'number',
      'boolean',
      'date',
      'datetime',
      'any',
      'string',
      'string',
      'any',
      'object',
      'array',
    ])
  })

  it('requires what has no nulls', () => {
    const [a] = ALL
    const columns = [a!, { ...a!, nullable: true }, { ...a!, optional: true }]
    expect(toTableSchema({ columns }).fields.map(field => 'constraints' in field)).toEqual([true, false, false])
  })
})
