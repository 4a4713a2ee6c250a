import { describe, expect, it } from 'vitest'
import { CalendarDate } from '../../src/core/calendar-date.ts'
import { TypeInferrer } from '../../src/core/infer.ts'
import { FieldsInferrer, ValueInferrer } from '../../src/core/infer-values.ts'
import { booleanParser, plainBoolean } from '../../src/core/values.ts'

const infer = (texts: readonly string[], boolean = plainBoolean as ConstructorParameters<typeof TypeInferrer>[0]) => {
  const inferrer = new TypeInferrer(boolean)
  for (const text of texts) inferrer.observe(text)
  return inferrer.type
}

describe('the type of texts', () => {
  const cases: [readonly string[], string][] = [
    [[], 'text'],
    [[''], 'text'],
    [['1', '2'], 'integer'],
    [['1', '2.5'], 'number'],
    [['2.5', '1'], 'number'],
    [['1', '-0'], 'number'],
    [['1', '9007199254740993'], 'bigint'],
    [['9007199254740993', '1'], 'bigint'],
    [['9007199254740993', '1.5'], 'text'],
    [['9007199254740992', '1.5'], 'number'],
    [['1', '007'], 'text'],
    [['1', 'x', '2'], 'text'],
    [['true', 'FALSE'], 'boolean'],
    [['true', '1'], 'text'],
    [['1', '0'], 'integer'],
    [['2024-02-29'], 'date'],
    [['2024-02-29', '2023-02-29'], 'text'],
    [['2024-02-29', '2024-02-29T00:00:00Z'], 'text'],
    [['2024-02-29T00:00:00Z', '2024-02-29 10:00:00.5Z'], 'timestamp'],
    [['2024-02-29T00:00:00'], 'text'],
    [['01/02/03'], 'text'],
    [['1e400'], 'text'],
    [['{}'], 'text'],
  ]
  it.each(cases)('of %j is %s', (texts, type) => expect(infer(texts)).toBe(type))

  it('is boolean first, as the user says what is true', () => {
    expect(infer(['1', '0'], booleanParser(['1'], ['0']))).toBe('boolean')
    expect(infer(['1', '0', '2'], booleanParser(['1'], ['0']))).toBe('integer')
  })
})

describe('the type of values', () => {
  const summary = (...values: unknown[]) => {
    const inferrer = new ValueInferrer()
    for (const value of values) inferrer.observe(value)
    return inferrer.summary
  }

  it('is theirs: texts stay text', () => {
    expect(summary('2024-01-01', '12')).toEqual({ type: 'text', nullable: false })
    expect(summary(1, null)).toEqual({ type: 'integer', nullable: true })
    expect(summary(1, 1.5)).toEqual({ type: 'number', nullable: false })
    expect(summary(1, 2n ** 60n)).toEqual({ type: 'bigint', nullable: false })
    expect(summary(1.5, 2n ** 60n).type).toBe('json')
    expect(summary(1, 'x').type).toBe('json')
    expect(summary(2 ** 60).type).toBe('number')
    expect(summary(new Date(0)).type).toBe('timestamp')
    expect(summary(new CalendarDate(0)).type).toBe('date')
    expect(summary(new Uint8Array(1)).type).toBe('binary')
    expect(summary(() => 1).type).toBe('json')
    expect(summary(null)).toEqual({ type: 'null', nullable: true })
    expect(summary()).toEqual({ type: 'null', nullable: false })
  })

  it('goes into objects and arrays', () => {
    expect(summary({ a: 1, b: [1, null] }, { a: null })).toEqual({
      type: 'object',
      nullable: false,
      fields: [
        { name: 'a', type: 'integer', nullable: true, source: 'inferred' },
        {
          name: 'b',
          type: 'array',
          nullable: false,
          items: { type: 'integer', nullable: true },
          source: 'inferred',
          optional: true,
        },
      ],
    })
    expect(summary([])).toEqual({ type: 'array', nullable: false })
  })

  it('ends in a circle, and does not list the keys of a map', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    expect(JSON.stringify(summary(circle))).toContain('"json"')
    const map = new ValueInferrer()
    for (let i = 0; i < 2000; i++) map.observe({ [`key${i}`]: i })
    expect(map.summary).toEqual({ type: 'object', nullable: false })
  })

  it('lists columns in the order in which they appear, and says which are not always there', () => {
    const fields = new FieldsInferrer()
    fields.observe({ b: 1, a: undefined })
    fields.observe({ a: 'x', b: 2 })
    fields.observe(JSON.parse('{"__proto__":1,"b":3}'))
    expect(fields.columns).toEqual([
      { name: 'b', type: 'integer', nullable: false, source: 'inferred' },
      { name: 'a', type: 'text', nullable: false, source: 'inferred', optional: true },
      { name: '__proto__', type: 'integer', nullable: false, source: 'inferred', optional: true },
    ])
  })
})
