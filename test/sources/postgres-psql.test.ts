/** The types of Postgres beside psql: what it shows of a value is what it shows of the one that went through here. */
import { execFileSync, spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, it } from 'vitest'
import { CalendarDate } from '../../src/core/calendar-date.ts'
import { PreciseDate } from '../../src/core/precise-date.ts'
import { convert, openIterable } from '../../src/index.ts'
import { CASES } from './postgres-cases.ts'
import { usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
const isInstalled = spawnSync('psql', ['--version']).status === 0
const NULL = '<null>'

/** What psql shows, row by row, field by field. */
function psql(query: string): string[][] {
  const env = { ...process.env, PGTZ: 'UTC', PGCLIENTENCODING: 'UTF8', PGDATESTYLE: 'ISO' }
  const flags = ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-P', `null=${NULL}`, '-F', '\x1f', '-R', '\x1e', '-c', query]
  const shown = execFileSync('psql', [subject.url, ...flags], { encoding: 'utf8', env, maxBuffer: 2 ** 26 })
  return shown
    .replace(/\n$/, '')
    .split('\x1e')
    .map(row => row.split('\x1f'))
}

/** A value as psql shows it, where that follows from the value alone. */
function shown(value: unknown, type: string): string | undefined {
  if (value === null) return /^jsonb?$/.test(type) ? 'null' : NULL
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : exponent(String(value))
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  if (value instanceof CalendarDate) return era(value.toJSON())
  if (value instanceof Date) {
    const fraction = value instanceof PreciseDate ? value.toISOString() : value.toISOString().replace(/\.?0*Z$/, 'Z')
    return era(
      fraction
        .replace('T', ' ')
        .replace(/(\.\d*?)0*Z$/, '$1Z')
        .replace(/\.?Z$/, type === 'timestamptz' ? '+00' : ''),
    )
  }
  // Intervals are ISO 8601 here, and years of more than four digits.
  return typeof value === 'string' && type !== 'interval' && !/^[+]/.test(value) && !/^jsonb?$/.test(type)
    ? value
    : undefined
}

/** 1e+21 and 5e-324 have at least two digits behind the e in C. */
const exponent = (text: string) => text.replace(/e([+-])(\d)$/, 'e$10$2')

function era(text: string): string {
  const [, sign, year, rest] = /^([+-]?)(\d+)(.*)$/s.exec(text)!
  const number = sign === '-' ? -Number(year) : Number(year)
  return `${String(number > 0 ? number : 1 - number).padStart(4, '0')}${rest}${number > 0 ? '' : ' BC'}`
}

describe.runIf(isInstalled)('psql shows', () => {
  const columns = CASES.map((_, i) => `c${i}`)
  let expected: string[]

  beforeAll(async () => {
    const literals = CASES.map(([type, literal], i) => `'${literal.replaceAll("'", "''")}'::${type} AS c${i}`)
    await subject.admin.query(`CREATE TABLE matrix AS SELECT ${literals.join(', ')}`)
    expected = psql(`SELECT ${columns.join(', ')} FROM matrix`)[0]!
    expect(expected).toHaveLength(CASES.length)
  })

  it('the values that are read', async () => {
    const [row] = await openIterable(subject.url, { table: 'matrix' }).readBulk()
    let compared = 0
    for (const [i, [type]] of CASES.entries()) {
      const value = shown(row![`c${i}`], type)
      if (value === undefined) continue
      compared++
      // Doubles are written with an exponent from another size on.
      if (typeof row![`c${i}`] === 'number' && value !== expected[i])
        expect([type, Number(expected[i])]).toEqual([type, row![`c${i}`]])
      else expect([type, value]).toEqual([type, expected[i]])
    }
    expect(compared).toBeGreaterThan(50)
  })

  it.each([
    ['COPY', {}],
    ['INSERT', { copy: false }],
  ])('the same of what is written by %s', async (_, options) => {
    await subject.admin.query('DROP TABLE IF EXISTS copied; CREATE TABLE copied (LIKE matrix)')
    await convert(`${subject.url}?table=matrix`, `${subject.url}?table=copied`, { write: options })
    const found = psql(`SELECT ${columns.join(', ')} FROM copied`)[0]!
    for (const [i, [type, literal]] of CASES.entries()) {
      // There is one null in JavaScript, and the text of JSON is that of its values.
      if (/^jsonb?$/.test(type) && literal === 'null') expect(found[i]).toBe(NULL)
      else if (type === 'json') expect(JSON.parse(found[i]!)).toEqual(JSON.parse(expected[i]!))
      else expect([type, literal, found[i]]).toEqual([type, literal, expected[i]])
    }
  })
})
