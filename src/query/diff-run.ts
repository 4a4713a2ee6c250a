/** Two targets compared by DuckDB, in memory that does not grow with them. */
import { createError, excerpt, nearest } from '../core/errors.ts'
import { checkOptions } from '../core/options.ts'
import type { Row } from '../core/types.ts'
import { valueModes } from '../core/value-options.ts'
import { StreamRows } from '../duckdb/rows.ts'
import { DIFF_OPTIONS, type DiffOptions, type DiffSummary, type RowChange } from './diff-options.ts'
import { type Column, type Comparison, changesSql, repeatedSql } from './diff-sql.ts'
import type { TableTarget } from './options.ts'
import { nameTables, openTables, type TableDatabase } from './tables.ts'

/** The changes; it returns what they come to. */
export async function* changesOf(
  before: TableTarget,
  after: TableTarget,
  options: DiffOptions,
): AsyncGenerator<RowChange, DiffSummary, undefined> {
  checkOptions(options as Readonly<Record<string, unknown>>, [DIFF_OPTIONS], 'diff')
  const { signal } = options
  const database = await openTables(nameTables({ before, after }, options.read), options)
  try {
    const comparison = await compare(database, options)
    for (const side of ['before', 'after'] as const) await checkKey(database, comparison, side, signal)
    return yield* read(database, comparison, options)
  } finally {
    await database[Symbol.asyncDispose]()
  }
}

/** What is to be compared. */
async function compare({ lease, tables }: TableDatabase, options: DiffOptions): Promise<Comparison> {
  const columnsOf = async (table: string): Promise<Column[]> => {
    const result = await lease.run(`SELECT * FROM ${table} LIMIT 0`, [], { signal: options.signal })
    const types = result.columnTypes()
    return result.columnNames().map((name, i) => ({ name, type: types[i]! }))
  }
  const before = await columnsOf('before')
  const after = await columnsOf('after')
  const key = options.key === undefined ? [] : typeof options.key === 'string' ? [options.key] : [...options.key]
  const has = (columns: readonly Column[], name: string) => columns.some(column => column.name === name)
  for (const [i, columns] of [before, after].entries()) {
    for (const name of [...key, ...(options.columns ?? [])])
      if (!has(columns, name)) throw noColumn(name, columns, tables[i]!.label)
  }
  const common = before.map(({ name }) => name).filter(name => has(after, name))
  const compared = (options.columns ?? common).filter(name => !key.includes(name))
  if (key.length === 0 && compared.length === 0) {
    throw createError('OPTION_INVALID', 'the two sides have no column in common', { hint: 'rename columns first' })
  }
  return { before, after, key, compared }
}

function noColumn(name: string, columns: readonly Column[], label: string): Error {
  const names = columns.map(column => column.name)
  const near = nearest(name, names)
  return createError('OPTION_INVALID', `there is no column ${excerpt(name)}`, {
    label,
    found: name,
    hint: near === undefined ? `columns are: ${names.join(', ')}` : `did you mean ${excerpt(near)}?`,
  })
}

async function checkKey(
  { lease, tables }: TableDatabase,
  comparison: Comparison,
  side: 'before' | 'after',
  signal: AbortSignal | undefined,
): Promise<void> {
  if (comparison.key.length === 0) return
  const [found] = await lease.rows(repeatedSql(lease.duckdb, comparison, side), [], { signal })
  if (found === undefined) return
  const values = comparison.key.map((name, i) => `${name} ${excerpt(found[`v${i}`])}`).join(', ')
  throw createError('DIFF_KEY_REPEATED', `${found.n} rows have the key ${values}`, {
    label: tables[side === 'before' ? 0 : 1]!.label,
    expected: 'each key once',
    found: values,
  })
}

async function* read(
  { lease, tables }: TableDatabase,
  comparison: Comparison,
  options: DiffOptions,
): AsyncGenerator<RowChange, DiffSummary, undefined> {
  const { signal } = options
  const stream = await lease.stream(changesSql(lease.duckdb, comparison), [], { signal, label: 'diff' })
  const names = stream.columnNames.map((_, i) => `c${i}`)
  const rows = new StreamRows(lease.duckdb, stream, { ...valueModes(options), names, signal })
  const counts = { added: 0, removed: 0, changed: 0 }
  const shape = shapeOf(comparison)
  for (let batch = await rows.read(); batch !== null; batch = await rows.read()) {
    for (const row of batch) {
      const { times, ...change } = shape(row as Record<string, unknown>)
      counts[change.change] += times
      for (let i = 0; i < times; i++) yield { ...change }
    }
  }
  const [rowsBefore, rowsAfter] = tables.map(table => table.rows) as [number, number]
  const only = (columns: readonly Column[], others: readonly Column[]) =>
    columns.map(({ name }) => name).filter(name => !others.some(other => other.name === name))
  const columnsAdded = options.columns === undefined ? only(comparison.after, comparison.before) : []
  const columnsRemoved = options.columns === undefined ? only(comparison.before, comparison.after) : []
  const { added, removed, changed } = counts
  return {
    equal: added + removed + changed + columnsAdded.length + columnsRemoved.length === 0,
    rowsBefore,
    rowsAfter,
    ...counts,
    unchanged: rowsBefore - removed - changed,
    columnsAdded,
    columnsRemoved,
  }
}

/** A row of the statement → a change, and how many times it is one. */
function shapeOf({
  before,
  after,
  key,
  compared,
}: Comparison): (row: Record<string, unknown>) => RowChange & { times: number } {
  const row = (values: readonly unknown[], columns: readonly Column[]): Row =>
    // Entries are defined, not assigned: a column may be named `__proto__`.
    Object.fromEntries(columns.map(({ name }, i) => [name, values[i]])) as Row
  return record => {
    const values = Object.values(record)
    const [inBefore, inAfter] = values as [boolean, boolean]
    const tail = values.slice(2 + before.length + after.length)
    const one = {
      change: !inBefore ? ('added' as const) : inAfter ? ('changed' as const) : ('removed' as const),
      before: inBefore ? row(values.slice(2), before) : undefined,
      after: inAfter ? row(values.slice(2 + before.length), after) : undefined,
    }
    if (key.length === 0) {
      const more = Number(tail[1]) - Number(tail[0])
      const change = more > 0 ? ('added' as const) : ('removed' as const)
      const whole = { key: undefined, columns: [], times: Math.abs(more), change }
      return change === 'added'
        ? { ...whole, before: undefined, after: one.after }
        : { ...whole, before: one.before, after: undefined }
    }
    const known = (one.before ?? one.after) as Record<string, unknown>
    const columns = one.change === 'changed' ? compared.filter((_, i) => tail[i] === true) : []
    return { ...one, key: Object.fromEntries(key.map(name => [name, known[name]])) as Row, columns, times: 1 }
  }
}

/** The error for a comparison that was left before its end. */
export const leftEarly = (): Error =>
  createError('HANDLE_CLOSED', 'the loop over the changes was left, so that they were not all counted')

/** The error for a second loop. */
export const consumed = (): Error => createError('HANDLE_CONSUMED', 'the changes were read already')
