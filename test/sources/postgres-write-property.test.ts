/** Values on their way into COPY: the quick way writes the same bytes as the plain one, and the server gives them back. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CalendarDate, openIterable, PreciseDate } from '../../src/index.ts'
import { CopyBuffer } from '../../src/sources/postgres/copy-buffer.ts'
import { copyField, type ValueForm, type ValueKind } from '../../src/sources/postgres/write-values.ts'
import { collect, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
const runs = { seed: 6, numRuns: Number(process.env.OPEN_ITERABLE_PROPERTY_RUNS ?? 1000) }

const special = fc.constantFrom('\t', '\n', '\r', '\\', '\\N', '\\.', '"', "'", '{', '}', ',', 'é', '€', '😀', '\u2028')
const text = fc
  .array(fc.oneof(special, fc.string({ unit: 'grapheme' })), { maxLength: 40 })
  .map(parts => parts.join(''))
const storable = text.filter(value => !value.includes('\0') && value.isWellFormed())
const instant = fc.date({ min: new Date('-000100-01-01'), max: new Date('+012000-01-01'), noInvalidDate: true })
const KINDS: readonly ValueKind[] = ['text', 'other', 'json', 'date', 'timestamp', 'bytes']

const anything = fc.oneof(
  text,
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt(),
  fc.boolean(),
  fc.constantFrom(null, undefined, -0, 0, 10, 99, 100, 2 ** 31, 1e9, 1e15, 2 ** 53, -(2 ** 53) + 1),
  instant,
  instant.map(date => new CalendarDate(date)),
  instant.map(date => new PreciseDate(date.getTime(), 123_000)),
  fc.uint8Array(),
  fc.json().map(json => JSON.parse(json) as unknown),
)

describe('the bytes of a row', () => {
  it('are the same by the quick way and by the plain one', () => {
    const outcome = (make: () => string) => {
      try {
        return make()
      } catch (error) {
        return (error as Error).message
      }
    }
    fc.assert(
      fc.property(fc.array(anything, { minLength: 1, maxLength: 5 }), fc.constantFrom(...KINDS), (values, kind) => {
        const form: ValueForm = { kind }
        const quick = outcome(() => {
          const buffer = new CopyBuffer()
          for (const value of values) buffer.field(value, form)
          buffer.endRow()
          return buffer.take()!.subarray(5).toString()
        })
        expect(quick).toBe(outcome(() => `${values.map(value => copyField(value, form)).join('\t')}\n`))
      }),
      runs,
    )
  })

  it('are whole where a row is larger than a message', () => {
    const buffer = new CopyBuffer()
    const large = 'é\t'.repeat(100_000)
    for (let i = 0; i < 3; i++) {
      buffer.field(large, { kind: 'text' })
      buffer.field(i, { kind: 'other' })
      buffer.endRow()
      buffer.field('dropped', { kind: 'text' })
      buffer.dropRow()
    }
    const message = buffer.take()!
    expect([message[0], message.readInt32BE(1)]).toEqual([0x64, message.length - 1])
    expect(message.subarray(5).toString()).toBe([0, 1, 2].map(i => `${'é\\t'.repeat(100_000)}\t${i}\n`).join(''))
    expect(buffer.take()).toBeUndefined()
  })
})

it('comes back from the server as it was', async () => {
  await subject.admin.query('DROP TABLE IF EXISTS many')
  const row = fc.record({
    t: storable,
    i: fc.maxSafeInteger(),
    f: fc.double(),
    at: instant,
    a: fc.array(fc.option(storable), { maxLength: 5 }),
    y: fc.uint8Array({ maxLength: 20 }),
  })
  const rows = fc.sample(row, { seed: 6, numRuns: 2000 }).map((value, n) => ({ n, ...value }))
  await using out = openIterable<object>(subject.url, {
    mode: 'w',
    table: 'many',
    create: true,
    sqlTypes: { n: 'int4', t: 'text', i: 'int8', f: 'float8', at: 'timestamptz', a: 'text[]', y: 'bytea' },
  })
  await out.writeBulk(rows)
  await out.close()
  const back = await collect(openIterable(subject.url, { table: 'many', orderBy: 'n' }))
  expect(back).toEqual(rows)
})
