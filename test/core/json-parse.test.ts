import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseCarefully, parseJson } from '../../src/core/json-parse.ts'

/** JSON text with keys written by hand, so that each may be escaped or not. */
const key = fc.constantFrom(
  '"a"',
  '"b"',
  '"\\""',
  '"\\\\"',
  '"\\n"',
  '"a\\\\"',
  '"a\\""',
  '"\\u0061"',
  '"__proto__"',
  '"key-0"',
  '"1"',
)
const text: fc.Arbitrary<string> = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('1', 'null', '"x"', '"\\":\\""', '"\\\\"', '" : "', '[]'),
    fc.array(tie('value'), { maxLength: 3 }).map(items => `[${items.join(', ')}]`),
    fc
      .array(fc.tuple(key, fc.constantFrom('', ' '), tie('value')), { maxLength: 4 })
      .map(members => `{${members.map(([name, space, value]) => `${name}${space}:${value}`).join(',')}}`),
  ),
})).value as fc.Arbitrary<string>

/** What JSON means by a text, told without objects: members in order as JavaScript has them, of equal keys the last. */
function oracle(json: string): unknown {
  let at = 0
  const space = () => {
    while (/\s/.test(json[at] ?? '')) at++
  }
  const string = () => {
    const [raw] = /^"(?:[^"\\]|\\.)*"/.exec(json.slice(at))!
    at += raw.length
    return JSON.parse(raw) as string
  }
  const value = (): unknown => {
    space()
    if (json[at] === '"') return string()
    if (json[at] === '[' || json[at] === '{') {
      const [open, close] = json[at] === '[' ? ['[', ']'] : ['{', '}']
      const items: unknown[] = []
      const members = new Map<string, unknown>()
      at++
      space()
      while (json[at] !== close) {
        if (open === '[') items.push(value())
        else {
          space()
          const name = string()
          space()
          at++
          members.set(name, value())
        }
        space()
        if (json[at] === ',') at++
        space()
      }
      at++
      return open === '[' ? items : Object.fromEntries(members)
    }
    const [raw] = /^[^\s,\]}]+/.exec(json.slice(at))!
    at += raw.length
    return JSON.parse(raw)
  }
  return value()
}

/** Keys and all, in order; `__proto__` too. */
const told = (value: unknown): unknown =>
  typeof value !== 'object' || value === null
    ? value
    : Array.isArray(value)
      ? value.map(told)
      : Object.entries(value).map(([name, member]) => [name, told(member)])

describe('parseJson', () => {
  it('keeps keys that are written with an escape, also after others with a backslash', () => {
    for (const parse of [parseJson, parseCarefully]) {
      parse('{"p":1,"\\\\":2}')
      expect(parse('{"p":1,"\\"":2}')).toEqual({ p: 1, '"': 2 })
      expect(parse('{"p":1,"\\n":2}')).toEqual({ p: 1, '\n': 2 })
    }
  })

  it('gives what JSON means', () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), texts => {
        for (const json of texts) {
          const expected = told(oracle(json))
          expect(told(parseCarefully(json))).toEqual(expected)
          expect(told(parseJson(json))).toEqual(expected)
        }
      }),
      { seed: 20260101, numRuns: 2000 },
    )
  })

  it('takes time in proportion to the text, however many escapes it has', () => {
    const long = JSON.stringify({ a: '\\n"\\\\'.repeat(400_000), 'b"': [] })
    expect(parseJson(long)).toEqual(parseCarefully(long))
  })

  it('throws what JSON.parse throws', () => {
    for (const json of ['', '{"\\n":', '{"\\q":1}', '{"\\"":1,}', '["\\"" : 1]', '{"a":"\\u12"}']) {
      for (const parse of [parseJson, parseCarefully]) expect(() => parse(json)).toThrow(SyntaxError)
    }
  })
})
