/** Each parser of values, on what it must take and what it must leave alone, and against a slow reading of the same rule. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CalendarDate } from '../../src/core/calendar-date.ts'
import {
  anyBigint,
  anyInteger,
  anyNumber,
  anyTimestamp,
  booleanParser,
  calendarDate,
  decimalText,
  exactBigint,
  exactInteger,
  exactNumber,
  jsonValue,
  plainBoolean,
  utcTimestamp,
  type ValueParser,
} from '../../src/core/values.ts'

const RUNS = { seed: 20_260_102, numRuns: Number(process.env.OPEN_ITERABLE_PROPERTY_RUNS ?? 3000) }

/** The value, read from the middle of a larger text, so that a parser that looks beyond its bounds is caught. */
function read(parser: ValueParser, text: string): unknown {
  const results = ['', '0', '9,', '-', 'e5', '.5'].map(around =>
    parser(around + text + around, around.length, around.length + text.length),
  )
  for (const result of results) expect(result).toEqual(results[0])
  return results[0]
}

/** A decimal as an exact fraction: digits × 10^exponent, without zeros at the end. */
function fraction(text: string): string {
  const [, sign = '', whole = '', part = '', exponent = '0'] = /^(-?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text)!
  let digits = BigInt(`${whole}${part}` || '0')
  let power = Number(exponent) - part.length
  if (digits === 0n) return '0'
  while (digits % 10n === 0n) {
    digits /= 10n
    power++
  }
  return `${sign}${digits}e${power}`
}

const numeric = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789.-+eE'), maxLength: 24 }),
  fc.double().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(n => n.toPrecision(17)),
  fc.integer().map(n => (n / 100).toFixed(2)),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(String),
  fc.tuple(fc.integer({ min: -400, max: 400 }), fc.integer({ min: 1, max: 9_999_999 })).map(([e, m]) => `${m}.5e${e}`),
)

describe('exact readings, for types that are inferred', () => {
  it('integers: those that JavaScript writes the same', () => {
    for (const text of ['0', '7', '-1', '9007199254740991', '-9007199254740991'])
      expect(read(exactInteger, text)).toBe(Number(text))
    const others = [
      '',
      '-',
      '-0',
      '007',
      '+1',
      '1.0',
      '1e3',
      '9007199254740992',
      '9007199254740993',
      ' 1',
      '1 ',
      '0x10',
      '1_000',
      '１',
    ]
    for (const text of others) expect(read(exactInteger, text), text).toBeUndefined()
    fc.assert(
      fc.property(numeric, text => {
        const value = Number(text)
        const expected = Number.isSafeInteger(value) && String(value) === text ? value : undefined
        expect(read(exactInteger, text)).toBe(expected)
      }),
      RUNS,
    )
  })

  it('bigints: canonical digits of any length up to a bound', () => {
    expect(read(exactBigint, '9007199254740993')).toBe(9007199254740993n)
    expect(read(exactBigint, `-${'9'.repeat(4000)}`)).toBe(-(10n ** 4000n) + 1n)
    expect(read(exactBigint, '9'.repeat(5000))).toBeUndefined()
    for (const text of ['', '-', '-0', '00', '+1', '1.0', '1n', ' 1'])
      expect(read(exactBigint, text), text).toBeUndefined()
    fc.assert(
      fc.property(numeric, text => {
        expect(read(exactBigint, text)).toBe(/^(0|-?[1-9]\d*)$/.test(text) ? BigInt(text) : undefined)
      }),
      RUNS,
    )
  })

  it('numbers: decimals that a double has all digits of', () => {
    const good: [string, number][] = [
      ['1.50', 1.5],
      ['0.10', 0.1],
      ['.5', 0.5],
      ['-.5', -0.5],
      ['-0', -0],
      ['-0.0', -0],
      ['1e+21', 1e21],
      ['1.2E10', 1.2e10],
      ['1e-7', 1e-7],
      ['5e-324', 5e-324],
      ['1.7976931348623157e308', Number.MAX_VALUE],
      ['0.30000000000000004', 0.30000000000000004],
      ['123456789012345.6', 123456789012345.6],
      ['1438.359985', 1438.359985],
      ['10000000000000000000000', 1e22],
    ]
    for (const [text, value] of good) expect(read(exactNumber, text), text).toBe(value)
    const bad = [
      '',
      '.',
      '-',
      '-.',
      '1.',
      '007',
      '00.5',
      '-01.5',
      '+1',
      '1e400',
      '-1e400',
      '1e-400',
      '1.2345e-320',
      '0.1000000000000000055',
    ]
    const also = [
      '9007199254740993',
      '1152921504606846976',
      'NaN',
      'Infinity',
      '0x10',
      '1_000',
      '1,5',
      ' 1',
      '1 ',
      '12E4',
      '1e5',
      '1.5e',
      'e5',
      '1.5.5',
      '--1',
    ]
    for (const text of [...bad, ...also, '0'.repeat(500)]) expect(read(exactNumber, text), text).toBeUndefined()
    fc.assert(
      fc.property(numeric, text => {
        const value = Number(text)
        const shaped = /^-?(?:(?:0|[1-9]\d*)(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text) && !/^-?\d+e\d/i.test(text)
        const exact = shaped && Number.isFinite(value) && fraction(text) === fraction(String(value))
        expect(read(exactNumber, text)).toBe(exact ? value : undefined)
      }),
      RUNS,
    )
  })

  it('booleans: true and false in three spellings, or by texts of the user', () => {
    for (const text of ['true', 'TRUE', 'True']) expect(read(plainBoolean, text)).toBe(true)
    for (const text of ['false', 'FALSE', 'False']) expect(read(plainBoolean, text)).toBe(false)
    for (const text of ['', 't', 'yes', '1', '0', 'tRUE', ' true', 'truee'])
      expect(read(plainBoolean, text), text).toBeUndefined()
    const own = booleanParser(['yes', '1'], ['no'])
    expect(['yes', '1', 'no', 'true', 'YES', 'nope'].map(text => read(own, text))).toEqual([
      true,
      true,
      false,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('dates: days that there are, written in full', () => {
    for (let time = Date.UTC(1890, 0, 1); time < Date.UTC(2110, 0, 1); time += 86_400_000) {
      const text = new Date(time).toISOString().slice(0, 10)
      if ((calendarDate(text, 0, 10) as Date).getTime() !== time) throw new Error(text)
    }
    for (const text of ['0001-01-01', '1582-10-15', '2000-02-29', '9999-12-31']) {
      const date = read(calendarDate, text) as CalendarDate
      expect(date).toBeInstanceOf(CalendarDate)
      expect(date.getTime()).toBe(Date.parse(text))
      expect([date.toJSON(), String(date), JSON.stringify([date])]).toEqual([text, text, `["${text}"]`])
    }
    const none = [
      '',
      '2023-02-29',
      '1900-02-29',
      '2023-02-31',
      '2023-04-31',
      '2023-13-01',
      '2023-00-10',
      '2023-01-00',
      '2023-1-1',
      '0000-01-01',
    ]
    const other = [
      '01/02/03',
      '20230101',
      '2023/01/01',
      '2023-01-01T00:00:00Z',
      ' 2023-01-01',
      '-2023-01-1',
      '２023-01-01',
      '10000-01-01',
    ]
    for (const text of [...none, ...other]) expect(read(calendarDate, text), text).toBeUndefined()
  })

  it('timestamps: instants in UTC, to the millisecond', () => {
    const good: [string, string][] = [
      ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.000Z'],
      ['2024-02-29 23:59:59.1Z', '2024-02-29T23:59:59.100Z'],
      ['2024-02-29T23:59Z', '2024-02-29T23:59:00.000Z'],
      ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
      ['2024-01-01 00:00:00.123000+00:00', '2024-01-01T00:00:00.123Z'],
      ['2024-01-01 00:00:00+00', '2024-01-01T00:00:00.000Z'],
    ]
    for (const [text, iso] of good) expect((read(utcTimestamp, text) as Date).toISOString(), text).toBe(iso)
    const bad = [
      '2024-01-01',
      '2024-01-01T00:00',
      '2024-01-01 00:00:00',
      '2024-01-01T00:00:00+02:00',
      '2024-01-01T00:00:00-00:00',
    ]
    const also = [
      '2023-02-29T00:00:00Z',
      '2024-01-01T24:00:00Z',
      '2024-01-01T00:60:00Z',
      '2024-01-01T00:00:60Z',
      '2024-01-01T00:00:00.0001Z',
    ]
    const more = [
      '2024-01-01T00:00:00.Z',
      '2024-01-01T00:00:00',
      '2024-01-01T0:00:00Z',
      '2024-01-01T00:00:00z',
      '2024-01-01T00:00:00ZZ',
      '2024-01-01T00:00:0Z',
    ]
    for (const text of [...bad, ...also, ...more]) expect(read(utcTimestamp, text), text).toBeUndefined()
    fc.assert(
      fc.property(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), date => {
        expect(read(utcTimestamp, date.toISOString())).toEqual(date)
      }),
      RUNS,
    )
  })
})

describe('wider readings, for types that are declared', () => {
  it('integers and bigints with a plus and leading zeros', () => {
    for (const [text, value] of [
      ['007', 7],
      ['+7', 7],
      ['-007', -7],
      ['-0', 0],
      ['00', 0],
    ] as const)
      expect(read(anyInteger, text)).toBe(value)
    for (const text of ['', '+', '1.0', '9007199254740993', '1e3', ' 7', '0x10'])
      expect(read(anyInteger, text), text).toBeUndefined()
    expect([read(anyBigint, '+007'), read(anyBigint, '9007199254740993')]).toEqual([7n, 9007199254740993n])
    for (const text of ['', '-', '1.5', '1'.repeat(5000)]) expect(read(anyBigint, text)).toBeUndefined()
  })

  it('the nearest number, but not beyond all numbers, not zero for what is none, and no other integer', () => {
    const good: [string, number][] = [
      ['007.50', 7.5],
      ['+.5', 0.5],
      ['5.', 5],
      ['12E4', 120_000],
      ['0.1000000000000000055', 0.1],
      ['-0e9', -0],
    ]
    for (const [text, value] of good) expect(read(anyNumber, text), text).toBe(value)
    for (const text of [
      '',
      '.',
      'e5',
      '1e400',
      '1e-400',
      '9007199254740993',
      'NaN',
      'Infinity',
      '0x10',
      '1_000',
      ' 1',
      '1,5',
    ]) {
      expect(read(anyNumber, text), text).toBeUndefined()
    }
    expect(read(anyNumber, '9007199254740992')).toBe(2 ** 53)
    // What JavaScript writes for 50252423215310808, and 2^60 in full.
    expect(read(anyNumber, '+50252423215310810')).toBe(50252423215310808)
    expect(read(anyNumber, '1152921504606846976')).toBe(2 ** 60)
  })

  it('decimals as their text', () => {
    for (const text of ['1', '+1.50', '-.5', '5.', '1e400', '0.1000000000000000055'])
      expect(read(decimalText, text)).toBe(text)
    for (const text of ['', '.', 'NaN', '1,5', '0x1', ' 1']) expect(read(decimalText, text)).toBeUndefined()
  })

  it('instants with any offset, or in UTC without one, on every machine', () => {
    const good: [string, string][] = [
      ['2024-01-01T00:00:00+02:00', '2023-12-31T22:00:00.000Z'],
      ['2024-01-01 00:00-0530', '2024-01-01T05:30:00.000Z'],
      ['2024-01-01 10:00', '2024-01-01T10:00:00.000Z'],
      ['2024-03-31 02:30:00.5', '2024-03-31T02:30:00.500Z'],
    ]
    for (const [text, iso] of good) expect((read(anyTimestamp, text) as Date).toISOString(), text).toBe(iso)
    for (const text of [
      '2024-01-01',
      '2024-01-01T00:00:00.123456Z',
      '2024-01-01T00:00:00+24:00',
      '2024-01-01T00:00:00+02:60',
      '2024-01-01T00:00:00 CET',
    ]) {
      expect(read(anyTimestamp, text), text).toBeUndefined()
    }
  })

  it('JSON, but none that would be rounded', () => {
    expect(jsonValue('x{"a":[1,null,"9007199254740993"]}x', 1, 34)).toEqual({ a: [1, null, '9007199254740993'] })
    expect(jsonValue('null', 0, 4)).toBeNull()
    for (const text of ['', '{', "{'a':1}", '{"a":9007199254740993}', `[${'9'.repeat(400)}]`]) {
      expect(jsonValue(text, 0, text.length), text).toBeUndefined()
    }
    expect(jsonValue('[0.1234567890123456789, 9007199254740992]', 0, 41)).toEqual([0.12345678901234568, 2 ** 53])
  })

  it('take no longer for long texts than their length', () => {
    // Each would take minutes if it went over the text once for each of its characters.
    const long = '1'.repeat(1_000_000)
    for (const text of [`${long}x`, `-${long}.${long}x`, `0.${'0'.repeat(1_000_000)}x`, `${long}e${long}x`]) {
      for (const parser of [
        exactInteger,
        exactBigint,
        exactNumber,
        anyInteger,
        anyBigint,
        anyNumber,
        decimalText,
        utcTimestamp,
      ]) {
        expect(parser(text, 0, text.length)).toBeUndefined()
      }
    }
  })
})
