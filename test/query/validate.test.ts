/** `validate` and `fromJsonSchema`: rows against JSON Schemas. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type BadRow,
  CalendarDate,
  fromJsonSchema,
  openIterable,
  type ReadTarget,
  type ValidateOptions,
  validate,
} from '../../src/index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-iterable-validate-'))
})
afterAll(() => rm(folder, { recursive: true }))

const PERSON = {
  type: 'object',
  required: ['id', 'name'],
  properties: {
    id: { type: 'integer', minimum: 1 },
    name: { type: 'string', minLength: 1 },
    age: { type: ['integer', 'null'] },
    score: { type: 'number' },
    member: { type: 'boolean' },
    mail: { type: 'string', format: 'email' },
  },
}
const run = async (target: ReadTarget, options: ValidateOptions = {}) => {
  const bad: BadRow[] = []
  const result = await validate(target, { ...options, onBadRow: row => bad.push(row) })
  return { ...result, bad }
}

describe('validate', () => {
  it('tells place, code, path, what is expected and what is found', async () => {
    const text = 'id,name,age\n1,Ada,36\nx,"Bo\nb",\n3,Cid,old\n4\n0,Eve,7\n'
    const { bad, ...result } = await run({ text, name: 'people.csv' }, { schema: PERSON })
    expect(result).toEqual({
      valid: false,
      rowsValid: 1,
      rowsBad: 4,
      byCode: { SCHEMA_INVALID: 3, CSV_RAGGED_RECORD: 1 },
      byPath: { id: 2, age: 1 },
      inferred: false,
    })
    bad.sort((a, b) => a.line! - b.line!)
    expect(bad.map(({ record }) => record)).toEqual([2, 3, 4, 5])
    expect(bad.map(({ line, code, issues }) => [line, code, issues])).toEqual([
      [3, 'SCHEMA_INVALID', [{ path: 'id', expected: 'must be integer', found: 'x' }]],
      [5, 'SCHEMA_INVALID', [{ path: 'age', expected: 'must be integer or null', found: 'old' }]],
      [6, 'CSV_RAGGED_RECORD', []],
      [7, 'SCHEMA_INVALID', [{ path: 'id', expected: 'must be >= 1', found: '0' }]],
    ])
    expect(bad[0]).toMatchObject({
      label: 'people.csv',
      record: 2,
      message: expect.stringContaining('id: must be integer'),
    })
  })

  it('reads texts as what the schema asks for, and empty ones as nothing', async () => {
    const text = 'id,name,age,score,member,mail\n1,Ada,,1.5,true,a@b.org\n2,007,3,,,\n'
    const { bad } = await run({ text, name: 'people.csv' }, { schema: PERSON })
    expect(bad.map(({ issues }) => issues)).toEqual([
      [{ path: 'mail', expected: 'must match format "email"', found: '' }],
    ])
  })

  it('looks at the content where the name does not tell the format', async () => {
    const path = join(folder, 'people')
    await writeFile(path, 'id,name\n1,Ada\n2,Bob\nx,Cid\n')
    expect((await run(path, { schema: PERSON })).bad).toMatchObject([
      { line: 4, record: 3, issues: [{ path: 'id', found: 'x' }] },
    ])
    await expect(validate('-', { schema: PERSON })).rejects.toMatchObject({ code: 'FORMAT_UNKNOWN' })
  })

  it('takes typed values for what JSON has in their place', async () => {
    const rows = [{ big: 2n ** 60n, day: new CalendarDate('2020-02-29'), at: new Date(0), bytes: new Uint8Array([1]) }]
    const schema = {
      properties: {
        big: { type: 'integer' },
        day: { format: 'date', const: '2020-02-29' },
        at: { format: 'date-time' },
        bytes: { const: 'AQ==' },
      },
    }
    expect(await run(rows, { schema })).toMatchObject({ valid: true, rowsValid: 1 })
    expect((await run([{ id: '1' }], { schema: { properties: { id: { type: 'integer' } } } })).bad).toHaveLength(1)
  })

  it('takes the schema that the first rows show', async () => {
    const path = join(folder, 'many.jsonl')
    const rows = Array.from({ length: 1500 }, (_, id) => `{"id":${id === 1400 ? '"x"' : id}}\n`)
    await writeFile(path, rows.join(''))
    const { bad, inferred } = await run(path)
    expect(inferred).toBe(true)
    expect(bad).toMatchObject([{ record: 1401, issues: [{ path: 'id', expected: 'must be integer', found: 'x' }] }])
    await expect(validate(Readable.from(['{}\n']), { read: { format: 'jsonl' } })).rejects.toMatchObject({
      code: 'NOT_REPLAYABLE',
    })
    await expect(validate(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' })
  })

  it('counts any path, and no more paths than fit', async () => {
    const rows = Array.from({ length: 1200 }, (_, i) => JSON.parse(`{"${i === 0 ? '__proto__' : `p${i}`}":1}`))
    const { byPath } = await run(rows, { schema: { additionalProperties: false } })
    expect(Object.keys(byPath)).toHaveLength(1001)
    expect(Object.entries(byPath)[0]).toEqual(['__proto__', 1])
    expect(byPath['…']).toBe(200)
  })

  it('ends with one bad row too many', async () => {
    const target = { text: 'id\nx\ny\n1\n', name: 'a.csv' }
    await expect(validate(target, { schema: PERSON, maxErrors: 1 })).rejects.toMatchObject({ code: 'TOO_MANY_ERRORS' })
  })

  it('puts bad rows aside', async () => {
    const letters = join(folder, 'bad.jsonl')
    const target = { text: '{"id":1,"name":"x"}\n{"id":0,"name":"x"}\nnone\n', name: 'a.jsonl' }
    expect(await validate(target, { schema: PERSON, deadLetters: letters })).toMatchObject({ rowsBad: 2 })
    const lines = (await readFile(letters, 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.sort((a, b) => a.record - b.record)).toMatchObject([
      { code: 'SCHEMA_INVALID', record: 2, raw: '{"id":0,"name":"x"}' },
      { code: 'JSON_INVALID', line: 3 },
    ])
  })

  it('takes any Standard Schema', async () => {
    const { bad } = await run([{ id: 1 }, { id: -1 }], { schema: z.object({ id: z.number().positive() }) })
    expect(bad).toMatchObject([{ record: 2, issues: [{ path: 'id', found: -1 }] }])
  })

  it('stops when it is aborted', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const endless = (function* () {
      for (let id = 0; ; id++) yield { id: -id }
    })()
    const options = { schema: PERSON, signal: controller.signal, onBadRow: () => controller.abort(reason) }
    await expect(validate(endless, options)).rejects.toBe(reason)
  })
})

describe('fromJsonSchema', () => {
  it('does the work of `schema:`', async () => {
    const schema = fromJsonSchema<{ id: number }>({ required: ['id'] })
    const reader = openIterable({ text: '{"id":1}\n{}\n', name: 'a.jsonl' }, { schema, onError: 'skip' })
    expect(await reader.readBulk()).toEqual([{ id: 1 }])
    expect(reader.rowsSkipped).toBe(1)
  })

  it('gives values that it read from texts', async () => {
    const schema = fromJsonSchema(PERSON, { coerce: true })
    const target = { text: 'id,name,age,score,member\n7,8,,1e3,False\n', name: 'a.csv' }
    expect(await openIterable(target, { schema }).readBulk()).toEqual([
      { id: 7, name: '8', age: null, score: 1000, member: false },
    ])
  })

  it.each([
    ['http://json-schema.org/draft-07/schema#'],
    ['https://json-schema.org/draft/2019-09/schema'],
    ['https://json-schema.org/draft/2020-12/schema'],
  ])('knows the draft %s', async $schema => {
    const { bad } = await run([{ a: 1 }], { schema: { $schema, properties: { a: { type: 'string' } } } })
    expect(bad).toHaveLength(1)
  })

  it('refuses what is no schema', async () => {
    expect(() => fromJsonSchema([] as never)).toThrow(/OPTION_INVALID/)
    await expect(validate([{}], { schema: { type: 'nonsense' } })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(validate([{}], { schema: { $ref: 'https://x.org/y' } })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
    expect(await validate([{}], { schema: false })).toMatchObject({ rowsBad: 1 })
  })

  it('names paths, missing and unknown properties', async () => {
    const schema = {
      additionalProperties: false,
      properties: { a: { type: 'array', items: { type: 'number' } }, 'x/y': { enum: ['p', 'q'] }, r: {} },
      required: ['r'],
    }
    const { bad } = await run([{ a: [1, 'z'], 'x/y': 'n', extra: 1 }], { schema })
    expect(bad[0]!.issues).toEqual([
      { path: 'r', expected: 'is missing', found: undefined },
      { path: 'extra', expected: 'is not a property of the schema', found: 1 },
      { path: 'a.1', expected: 'must be number', found: 'z' },
      { path: 'x/y', expected: 'must be one of "p", "q"', found: 'n' },
    ])
  })
})
