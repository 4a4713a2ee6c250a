/** Random tables that make sense to people, written in random dialects. */
import fc from 'fast-check'

export interface WrittenTable {
  readonly text: string
  readonly delimiter: string
  readonly quote: string
  readonly backslash: boolean
  readonly recordDelimiter: '\n' | '\r\n' | '\r'
  readonly header: boolean
  readonly fromLine: number
  readonly columns: number
  /** Whether any field is in quotes. */
  readonly quoted: boolean
  /** Whether a quote stands within a field. */
  readonly escaped: boolean
}

const WORDS =
  'apple berlin copper delta ember fjord granite harbour island juniper kettle lantern meadow north opal'.split(' ')
const word = fc.constantFrom(...WORDS)
const two = (n: number) => String(n).padStart(2, '0')
const day = fc
  .tuple(fc.integer({ min: 1990, max: 2024 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }))
  .map(([y, m, d]) => `${y}-${two(m)}-${two(d)}`)

/** One generator of values for each kind of column. */
const KINDS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  integer: fc.integer({ min: -5000, max: 100_000 }).map(String),
  decimal: fc.integer({ min: 0, max: 1_000_000 }).map(n => (n / 100).toFixed(2)),
  day,
  moment: fc
    .tuple(day, fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map(([d, h, m]) => `${d} ${two(h)}:${two(m)}:00`),
  word,
  name: fc.tuple(word, word).map(([a, b]) => `${a} ${b}`),
  mail: fc.tuple(word, word).map(([a, b]) => `${a}@${b}.org`),
  flag: fc.boolean().map(String),
  sentence: fc
    .tuple(word, word, word, fc.constantFrom(', ', '; ', ' - ', ': '), fc.constantFrom('', '.', '!'))
    .map(([a, b, c, mark, end]) => `${a} ${b}${mark}${c}${end}`),
  speech: fc.tuple(word, word, word).map(([a, b, c]) => `${a} "${b}" ${c}`),
  lines: fc.tuple(word, word, word).map(([a, b, c]) => `${a}, ${b}\n${c}`),
  lonely: fc.tuple(fc.integer({ min: 0, max: 9 }), word).map(([n, w]) => (n < 6 ? '' : w)),
}
const VALUES = new Set(['integer', 'decimal', 'day', 'moment'])

const dialect = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  quote: fc.constantFrom('"', '"', '"', "'"),
  backslash: fc.boolean(),
  recordDelimiter: fc.constantFrom('\n' as const, '\r\n' as const, '\r' as const),
  header: fc.boolean(),
  preamble: fc.constantFrom<readonly string[]>([], [], [], ['Report of the year'], ['Report', 'made by hand', '']),
  quoteAll: fc.boolean(),
  end: fc.boolean(),
})

export const randomTable: fc.Arbitrary<WrittenTable> = fc
  .tuple(
    dialect,
    // One column at least of values that are no names, so that a header shows.
    fc.constantFrom('integer', 'decimal', 'day', 'moment'),
    fc.array(fc.constantFrom(...Object.keys(KINDS)), { minLength: 1, maxLength: 7 }),
    fc.nat(),
    fc.integer({ min: 3, max: 30 }),
  )
  .chain(([style, first, others, place, rows]) => {
    const kinds = [...others]
    kinds.splice(place % (others.length + 1), 0, first)
    return fc.tuple(
      fc.constant(style),
      fc.constant(kinds),
      fc.array(fc.tuple(...kinds.map(kind => KINDS[kind]!)), { minLength: rows, maxLength: rows }),
    )
  })
  .map(([style, kinds, rows]) => write(style, kinds, rows))

type Style = typeof dialect extends fc.Arbitrary<infer S> ? S : never

function write(style: Style, kinds: readonly string[], rows: readonly (readonly string[])[]): WrittenTable {
  const { delimiter, quote, recordDelimiter, header, preamble, quoteAll, end } = style
  let quoted = false
  let escaped = false
  const field = (value: string, column: number): string => {
    const plain = VALUES.has(kinds[column]!)
    const needed = [delimiter, quote, '\n', '\r'].some(mark => value.includes(mark))
    if (!needed && !(quoteAll && !plain)) return value
    quoted = true
    if (value.includes(quote)) escaped = true
    return quote + value.replaceAll(quote, style.backslash ? `\\${quote}` : quote + quote) + quote
  }
  const names = kinds.map((kind, i) => `${kind}_${'abcdefghij'[i]}`)
  const records = [...(header ? [names] : []), ...rows]
  const lines = [...preamble, ...records.map(record => record.map(field).join(delimiter))]
  return {
    text: lines.join(recordDelimiter) + (end ? recordDelimiter : ''),
    delimiter,
    quote,
    backslash: style.backslash,
    recordDelimiter,
    header,
    fromLine: preamble.length + 1,
    columns: kinds.length,
    quoted,
    escaped,
  }
}
