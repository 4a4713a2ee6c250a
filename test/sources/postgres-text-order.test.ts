/** Filters and sorting on texts: what the server gives is what our own filters give on every other source. */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Filter, parseFilter, rowPredicate } from '../../src/core/filter.ts'
import { openIterable, type ReadOptions, type Row, withTransaction } from '../../src/index.ts'
import { statementOf } from '../../src/sources/postgres/sql.ts'
import { errorOf, usePostgres } from './postgres-subject.ts'

const subject = usePostgres()
/** Locales put these in another order: by letters first, then by case and accents, and some signs not at all. */
const TEXTS = [
  'a',
  'B',
  'b',
  'A',
  'á',
  'ab',
  'a b',
  'a-b',
  'Ab',
  'Z',
  'z',
  'é',
  'e',
  '_a',
  '',
  'ß',
  'ss',
  '\u{ffff}',
  '😀',
  '1',
  '10',
  '2',
]
const COLUMNS = ['plain', 'locale', 'loose', 'short', 'coded', 'mood'] as const

beforeAll(async () => {
  await subject.admin.query(`CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
    CREATE DOMAIN short AS varchar(9) COLLATE "en-x-icu";
    CREATE TYPE mood AS ENUM ('so', 'sad', 'Happy');
    CREATE TABLE texts (id int PRIMARY KEY, plain text, locale text COLLATE "en-x-icu", loose text COLLATE loose, short short,
      coded text COLLATE "C", mood mood)`)
  const values = [...TEXTS, null]
  for (const [i, text] of values.entries()) {
    await subject.admin.query('INSERT INTO texts VALUES ($1, $2::text, $2::text, $2::text, $2::text, $2::text, $3)', [
      i,
      text,
      ['so', 'sad', 'Happy', null][i % 4],
    ])
  }
  await subject.admin.query(
    `CREATE INDEX ON texts (locale); CREATE INDEX ON texts (loose); CREATE INDEX ON texts (coded)`,
  )
})

const read = (options: ReadOptions) => openIterable(subject.url, { table: 'texts', ...options }).readBulk()
const ids = (rows: readonly Row[]) => rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b)
const byCodePoint = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe('conditions on texts', () => {
  it.each(COLUMNS)('mean the same rows as everywhere: %s', async column => {
    const all = await read({})
    const texts = column === 'mood' ? ['so', 'sad', 'Happy'] : [...TEXTS, 'á́', 'aB']
    for (const text of texts) {
      const comparisons: Filter[string][] = [
        text,
        { eq: text },
        { ne: text },
        { in: [text, texts[1]!] },
        { notIn: [text, texts[0]!, null] },
      ]
      for (const kind of ['lt', 'lte', 'gt', 'gte'] as const) comparisons.push({ [kind]: text })
      if (column !== 'mood') comparisons.push({ startsWith: text })
      for (const comparison of comparisons) {
        const where: Filter = { [column]: comparison }
        const holds = rowPredicate(parseFilter(where))
        expect([where, ids(await read({ where }))]).toEqual([where, ids(all.filter(row => holds(row)))])
      }
    }
    const where: Filter = {
      any: [{ [column]: { gt: texts[0], lte: texts[1]! } }, { none: [{ [column]: { lt: texts[2]! } }] }],
    }
    expect(ids(await read({ where }))).toEqual(ids(all.filter(rowPredicate(parseFilter(where)))))
  })

  it.each(COLUMNS)('go with the order that rows are sorted in: %s', async column => {
    const sorted = (await read({ orderBy: column })).map(row => row[column])
    const texts = sorted.filter(text => text !== null) as string[]
    expect(texts).toEqual(texts.toSorted(byCodePoint))
    // Page by page, as one goes through a table.
    const pages: unknown[] = []
    const distinct = [...new Set(texts)]
    for (let last: string | undefined; ; ) {
      const page = await read({
        orderBy: column,
        limit: 3,
        ...(last === undefined ? {} : { where: { [column]: { gt: last } } }),
      })
      const found = page.map(row => row[column]).filter(text => text !== null && text !== undefined) as string[]
      pages.push(...found)
      if (found.length === 0) break
      last = found.at(-1)!
    }
    expect([...new Set(pages)]).toEqual(distinct)
    const down = (await read({ orderBy: [{ column, descending: true }] })).map(row => row[column])
    expect(down).toEqual([...texts.toReversed(), ...sorted.filter(text => text === null)])
  })

  it('hold in a transaction and over several connections, and where there is no such table', async () => {
    const where = { locale: { lt: 'a' } }
    const expected = ids(await read({ where }))
    expect(expected).not.toEqual([])
    await withTransaction(subject.url, async tx => {
      expect(ids(await tx.read({ table: 'texts', where }).readBulk())).toEqual(expected)
      expect(ids(await tx.read({ table: 'texts', where, parallel: 2 }).readBulk())).toEqual(expected)
    })
    expect(ids(await read({ where, parallel: 3 }))).toEqual(expected)
    expect(await errorOf(openIterable(subject.url, { table: 'nowhere', where }).readBulk())).toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    })
  })

  it('leave an equality to the index', async () => {
    const seen: string[] = []
    await subject.admin.query('SET enable_seqscan = off')
    for (const [column, text] of [
      ['locale', 'a'],
      ['loose', 'a'],
      ['coded', 'a'],
    ] as const) {
      const orders = new Map([
        ['locale', 'collate'],
        ['loose', 'exact'],
      ] as const)
      const { sql, params } = statementOf({ table: 'texts', where: { [column]: text } }, { orders })
      const plan = await subject.admin.query(`EXPLAIN ${sql}`, params as string[])
      seen.push(JSON.stringify(plan.rows))
    }
    await subject.admin.query('RESET enable_seqscan')
    for (const plan of seen) expect(plan).toMatch(/Index Cond|Bitmap/)
  })
})
