/** Tables of Postgres to files and back: the values, and the types of the columns. */
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { convert, MemoryTarget, openIterable, type Row } from '../../src/index.ts'
import { TestFolder } from '../sources/place.ts'
import { collect, errorOf, usePostgres } from '../sources/postgres-subject.ts'

const subject = usePostgres()
const folder = new TestFolder()
afterAll(() => folder.remove())

/** Type of the column → three values of it, in SQL. */
const COLUMNS: Readonly<Record<string, readonly [string, string, string]>> = {
  int2: ['-32768', '0', '32767'],
  int4: ['-2147483648', '7', '2147483647'],
  int8: ['-9223372036854775808', '9007199254740993', '9223372036854775807'],
  float4: ['1.5', '-0', '3.4028235e38'],
  float8: ['0.1', "'NaN'", "'-Infinity'"],
  'numeric(12,2)': ['-9999999999.99', '0.1', '1'],
  'numeric(38,10)': ['1234567890123456789012345678.0123456789', '0', '-1'],
  bool: ['true', 'false', 'NULL'],
  text: [`'it''s "é" 😀'`, `E'tab\\t, line\\n\\\\N'`, `''`],
  'varchar(20)': ["'twenty'", 'NULL', "' '"],
  date: ["'2024-02-29'", "'0044-03-15 BC'", "'9999-12-31'"],
  timestamp: ["'2024-02-29 12:00:00.123456'", "'1969-12-31 23:59:59.999999'", "'0001-01-01 00:00:00'"],
  timestamptz: ["'2024-02-29 12:00:00.123456+02'", "'1970-01-01Z'", 'NULL'],
  uuid: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", 'NULL', "'00000000-0000-0000-0000-000000000000'"],
  bytea: [`'\\x00ff0a5c'`, `''`, 'NULL'],
  jsonb: [`'{"a": [1, {"b": "x\\ty"}], "n": null}'`, `'[1, "two"]'`, 'NULL'],
  'int4[]': [`'{1,NULL,3}'`, `'{}'`, 'NULL'],
  'text[]': [`'{"a,b","\\"",NULL,"NULL"}'`, `'{""}'`, `'{x}'`],
  'float8[]': [`'{0.1,-2}'`, 'NULL', `'{3}'`],
  'date[]': [`'{2024-02-29}'`, 'NULL', `'{}'`],
}
const NAMES = Object.keys(COLUMNS)
const url = (table: string) => `${subject.url}?table=${table}`

beforeEach(async () => {
  await subject.admin.query(`DROP TABLE IF EXISTS original, back;
    CREATE TABLE original (id int4, ${NAMES.map(name => `"${name}" ${name}`).join(', ')})`)
  for (let i = 0; i < 3; i++) {
    await subject.admin.query(`INSERT INTO original VALUES (${i}, ${NAMES.map(name => COLUMNS[name]![i]).join(', ')})`)
  }
})

const types = async (table: string): Promise<Row> => {
  const { rows } = await subject.admin.query(
    `SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0`,
    [table],
  )
  return Object.fromEntries(rows.map(({ attname, type }) => [attname, type]))
}
const content = async (table: string, columns = NAMES) =>
  (
    await subject.admin.query(
      `SELECT ${columns.map(name => `"${name}"${name === 'jsonb' ? '::jsonb' : ''}::text`).join(', ')} FROM ${table} ORDER BY id`,
    )
  ).rows

describe('a table', () => {
  it('is copied into another one, with types and values as they are', async () => {
    const result = await convert(url('original'), url('back'), { write: { create: true } })
    expect([result.rowsIn, result.rowsOut, result.engine]).toEqual([3, 3, 'rows'])
    expect(await content('back')).toEqual(await content('original'))
    expect(await types('back')).toEqual(await types('original'))
  })

  it('goes to Parquet and back with its types and values', async () => {
    const file = join(folder.path, 'original.parquet')
    await convert(url('original'), file)
    await convert(file, url('back'), { write: { create: true } })
    expect(await types('back')).toEqual(await types('original'))
    expect(await content('back')).toEqual(await content('original'))
  })

  it.each(['original.jsonl', 'original.csv'])('goes to %s and back into a table of its types', async name => {
    const file = join(folder.path, name)
    // What these formats have no text for: JSON no NaN, CSV no empty text beside null.
    await subject.admin.query(
      `UPDATE original SET float8 = id, text = COALESCE(NULLIF(text, ''), 'x'), bytea = NULLIF(bytea, '')`,
    )
    await convert(url('original'), file)
    await subject.admin.query('CREATE TABLE back (LIKE original)')
    await convert(file, url('back'))
    expect(await content('back')).toEqual(await content('original'))
  })
})

describe('a file', () => {
  const csv = (extra = '') =>
    `id,name,born,score,big\n1,Ada,1815-12-10,9.5,9007199254740993\n2,,,10,1\n${extra}3,"Ç, ""elik""",1990-01-01,-1,2\n`

  it('becomes a table of the types that its texts show, with a key', async () => {
    const result = await convert({ text: csv(), name: 'people.csv' }, subject.url, {
      write: { table: 'back', create: true, conflictColumns: ['id'] },
    })
    expect([result.rowsIn, result.rowsOut]).toEqual([3, 3])
    expect(await types('back')).toEqual({
      id: 'bigint',
      name: 'text',
      born: 'date',
      score: 'double precision',
      big: 'bigint',
    })
    const { rows } = await subject.admin.query('SELECT id, name, born::text, score, big FROM back ORDER BY id')
    expect(rows).toEqual([
      { id: '1', name: 'Ada', born: '1815-12-10', score: 9.5, big: '9007199254740993' },
      { id: '2', name: null, born: null, score: 10, big: '1' },
      { id: '3', name: 'Ç, "elik"', born: '1990-01-01', score: -1, big: '2' },
    ])
  })

  it('is put into a table as far as its rows are good, and the others are put aside', async () => {
    await subject.admin.query('CREATE TABLE back (id int PRIMARY KEY, name text, born date, score float8, big int8)')
    const bad = '1,again,,,\nx,y,z,0,0\n4,late,1990-13-01,1,1\n'
    const letters = new MemoryTarget('bad.jsonl')
    const options = { onError: 'quarantine', deadLetters: letters, write: { table: 'back' } } as const
    const result = await convert({ text: csv(bad), name: 'people.csv' }, subject.url, options)
    expect([result.rowsIn, result.rowsOut, result.rowsFailed]).toEqual([6, 3, 3])
    const told = await collect(openIterable<{ record: number; code: string }>(letters))
    expect(told.map(({ record, code }) => `${record} ${code}`).toSorted()).toEqual([
      '3 ROW_REFUSED',
      '4 ROW_REFUSED',
      '5 ROW_REFUSED',
    ])
  })

  it('leaves nothing when it is refused or given up', async () => {
    const create = { table: 'back', create: true }
    const error = errorOf(convert({ text: '{"a":1}\n{"a":}', name: 'x.jsonl' }, subject.url, { write: create }))
    expect(await error).toMatchObject({ code: 'JSON_INVALID' })
    const controller = new AbortController()
    const reason = new Error('enough')
    const endless = (function* () {
      for (let a = 0; ; a++) {
        if (a === 5000) controller.abort(reason)
        yield { a }
      }
    })()
    expect(await errorOf(convert(endless, subject.url, { write: create, signal: controller.signal }))).toBe(reason)
    const { rows } = await subject.admin.query("SELECT to_regclass('back') AS back")
    expect(rows).toEqual([{ back: null }])
  })

  it('keeps types under other names', async () => {
    await convert(url('original'), url('back'), {
      columns: ['id', 'int2', 'date'],
      rename: { int2: 'date', date: 'int2' },
      write: { create: true },
    })
    expect(await types('back')).toEqual({ id: 'integer', date: 'smallint', int2: 'date' })
  })
})
