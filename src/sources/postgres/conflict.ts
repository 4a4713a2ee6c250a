/** Rows that may be there already: they are collected in a temporary table, and merged into the table by one statement. */
import { randomBytes } from 'node:crypto'
import { createError, excerpt, nearest } from '../../core/errors.ts'
import { quoteIdentifier, quoteTable } from './sql-names.ts'
import { columnList, type TableColumn } from './table-columns.ts'
import type { PostgresWriteOptions } from './write-options.ts'

/** Numbers of rows, `end` exclusive. */
export interface RowRange {
  readonly start: number
  readonly end: number
}

/** Where rows are collected, and how they get from there into the table. */
export interface Staging {
  /** The name of the temporary table, quoted. */
  readonly table: string
  /** The name of the column with the numbers of its rows, quoted. */
  readonly row: string
  /** Makes it, beside the transaction's other tables. */
  readonly create: readonly string[]
  /** Empties it. */
  readonly clear: string
  /** Takes it away where the transaction goes on. */
  readonly drop: string
  /** Puts its rows into the table, with these columns; where a range is given, those of its numbers, from 1. */
  merge(columns: readonly string[], range?: RowRange): string
}

/** The columns that tell whether rows are the same; undefined: any constraint does. */
export function conflictColumnsOf(
  { onConflict, conflictColumns, table = '' }: PostgresWriteOptions,
  columns: readonly TableColumn[],
  label: string,
): readonly string[] | undefined {
  const names = columns.map(({ name }) => name)
  const unknown = conflictColumns?.find(name => !names.includes(name))
  if (unknown !== undefined) {
    const near = nearest(unknown, names)
    throw createError(
      'OPTION_INVALID',
      `option conflictColumns names ${excerpt(unknown)}, which the table does not have`,
      {
        label,
        expected: `one of ${excerpt(names.join(', '), 300)}`,
        found: unknown,
        hint: near === undefined ? undefined : `did you mean ${excerpt(near)}?`,
      },
    )
  }
  if (conflictColumns !== undefined) return conflictColumns
  const key = columns.filter(column => column.key).map(({ name }) => name)
  if (key.length > 0 && onConflict === 'update') return key
  if (onConflict !== 'update') return undefined
  throw createError('OPTION_INVALID', `table ${excerpt(table)} has no primary key to tell which rows are the same`, {
    label,
    hint: "say which columns do ({ conflictColumns: ['id'] }); they need a unique constraint",
  })
}

/** Of a table whose rows are to be merged. `target` is the name of the table as it is. */
export function stagingFor(
  target: string,
  columns: readonly TableColumn[],
  onConflict: 'ignore' | 'update',
  conflict: readonly string[] | undefined,
): Staging {
  const table = quoteIdentifier(`open_iterable_${randomBytes(8).toString('hex')}`)
  const names = columns.map(({ name }) => name)
  // The order of the rows, under a name that none of them has.
  let order = 'row_number'
  while (names.includes(order)) order += '_'
  const row = quoteIdentifier(order)
  return {
    table,
    row,
    create: [
      `CREATE TEMPORARY TABLE ${table} ON COMMIT DROP AS SELECT ${columnList(names)} FROM ${quoteTable(target)} WITH NO DATA`,
      `ALTER TABLE ${table} ADD COLUMN ${row} bigserial`,
    ],
    clear: `TRUNCATE ${table}`,
    drop: `DROP TABLE ${table}`,
    merge(written, range) {
      const from = range === undefined ? table : `${table} WHERE ${row} >= ${range.start} AND ${row} < ${range.end}`
      const list = columnList(written)
      const on = conflict === undefined ? '' : ` (${columnList(conflict)})`
      const others = written.filter(name => conflict?.includes(name) !== true)
      const override = columns.some(({ identity }) => identity) ? ' OVERRIDING SYSTEM VALUE' : ''
      const into = `INSERT INTO ${quoteTable(target)} (${list})${override}`
      if (onConflict === 'ignore' || others.length === 0) {
        return `${into} SELECT ${list} FROM ${from} ORDER BY ${row} ON CONFLICT${on} DO NOTHING`
      }
      // One statement must not meet a row twice: of the same rows the last one counts. Nulls are never the same.
      const keys = conflict!.map(quoteIdentifier)
      const apart = `CASE WHEN ${keys.map(key => `${key} IS NULL`).join(' OR ')} THEN ${row} END`
      const last = `SELECT DISTINCT ON (${keys.join(', ')}, ${apart}) * FROM ${from} ORDER BY ${keys.join(', ')}, ${apart}, ${row} DESC`
      const set = others.map(name => `${quoteIdentifier(name)} = EXCLUDED.${quoteIdentifier(name)}`).join(', ')
      return `${into} SELECT ${list} FROM (${last}) AS last ORDER BY ${row} ON CONFLICT${on} DO UPDATE SET ${set}`
    },
  }
}
