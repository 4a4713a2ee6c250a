/** The statements by which two tables, `before` and `after`, are compared. */
import type { DuckDBType, LoadedDuckDb } from '../duckdb/binding.ts'
import { quoteIdentifier } from '../duckdb/names.ts'
import { comparable } from './same-value.ts'

export interface Column {
  readonly name: string
  readonly type: DuckDBType
}

/** What is compared; `compared` and `key` are columns that both sides have. */
export interface Comparison {
  readonly before: readonly Column[]
  readonly after: readonly Column[]
  readonly key: readonly string[]
  readonly compared: readonly string[]
}

type Side = 'before' | 'after'

/**
 * The rows that differ. Of each: whether it is on either side, the columns of both sides in their order, and then, with a
 * key, whether each compared column differs; without one, how often the row is on each side.
 */
export function changesSql(duckdb: LoadedDuckDb, comparison: Comparison): string {
  return comparison.key.length > 0 ? byKey(duckdb, comparison) : byRow(duckdb, comparison)
}

/** A key that occurs more than once in a table, if one does, and how often. */
export function repeatedSql(duckdb: LoadedDuckDb, comparison: Comparison, side: Side): string {
  const keys = comparison.key.map((name, i) => `${valueOf(duckdb, comparison, name, side, side)} AS k${i}`)
  const texts = comparison.key.map((name, i) => `${column(side, name)}::VARCHAR AS v${i}`)
  const shown = comparison.key.map((_, i) => `any_value(v${i}) AS v${i}`)
  const groups = comparison.key.map((_, i) => `k${i}`).join(', ')
  const rows = `SELECT ${[...keys, ...texts].join(', ')} FROM ${side}`
  return `SELECT ${shown.join(', ')}, count(*) AS n FROM (${rows}) GROUP BY ${groups} HAVING count(*) > 1 ORDER BY ${groups} LIMIT 1`
}

const column = (table: string, name: string): string => `${table}.${quoteIdentifier(name)}`

/** A column as what it is compared by; `table` is what the side is called there. */
function valueOf(duckdb: LoadedDuckDb, { before, after }: Comparison, name: string, side: Side, table: string): string {
  const typeIn = (columns: readonly Column[]) => columns.find(one => one.name === name)!.type
  const sql = column(table, name)
  const values = comparable(duckdb, { sql, type: typeIn(before) }, { sql, type: typeIn(after) })
  return values[side === 'before' ? 0 : 1]
}

function byKey(duckdb: LoadedDuckDb, comparison: Comparison): string {
  const { before, after, key, compared } = comparison
  const side = (name: Side) => {
    const keys = key.map((one, i) => `${valueOf(duckdb, comparison, one, name, name)} AS k${i}`)
    const columns = (name === 'before' ? before : after).map((one, i) => `${column(name, one.name)} AS r${i}`)
    const values = compared.map((one, i) => `${valueOf(duckdb, comparison, one, name, name)} AS c${i}`)
    return `(SELECT true AS here, ${[...keys, ...columns, ...values].join(', ')} FROM ${name})`
  }
  const differs = compared.map((_, i) => `a.c${i} IS DISTINCT FROM b.c${i}`)
  const both = 'a.here IS NOT NULL AND b.here IS NOT NULL'
  return [
    'SELECT',
    [
      'a.here IS NOT NULL',
      'b.here IS NOT NULL',
      ...before.map((_, i) => `a.r${i}`),
      ...after.map((_, i) => `b.r${i}`),
      ...differs,
    ].join(', '),
    `FROM ${side('before')} a FULL OUTER JOIN ${side('after')} b`,
    `ON ${key.map((_, i) => `a.k${i} IS NOT DISTINCT FROM b.k${i}`).join(' AND ')}`,
    `WHERE NOT (${both})${differs.map(condition => ` OR ${condition}`).join('')}`,
    `ORDER BY ${key.map((_, i) => `coalesce(a.k${i}, b.k${i})`).join(', ')}`,
  ].join(' ')
}

function byRow(duckdb: LoadedDuckDb, comparison: Comparison): string {
  const { before, after, compared } = comparison
  const side = (name: Side) => {
    const groups = compared.map((one, i) => `${valueOf(duckdb, comparison, one, name, name)} AS c${i}`)
    const columns = (name === 'before' ? before : after).map((one, i) => `first(${column(name, one.name)}) AS r${i}`)
    const by = groups.map((_, i) => `${i + 1}`)
    return `(SELECT ${[...groups, ...columns, 'count(*) AS n'].join(', ')} FROM ${name} GROUP BY ${by.join(', ')})`
  }
  return [
    'SELECT',
    [
      'a.n IS NOT NULL',
      'b.n IS NOT NULL',
      ...before.map((_, i) => `a.r${i}`),
      ...after.map((_, i) => `b.r${i}`),
      'coalesce(a.n, 0)',
      'coalesce(b.n, 0)',
    ].join(', '),
    `FROM ${side('before')} a FULL OUTER JOIN ${side('after')} b`,
    `ON ${compared.map((_, i) => `a.c${i} IS NOT DISTINCT FROM b.c${i}`).join(' AND ')}`,
    'WHERE a.n IS DISTINCT FROM b.n',
    `ORDER BY ${compared.map((_, i) => `coalesce(a.c${i}, b.c${i})`).join(', ')}`,
  ].join(' ')
}
