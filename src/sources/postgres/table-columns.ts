/** The table that is written to: its columns, as far as it matters for writing. */
import { quoteIdentifier, quoteTable } from './sql-names.ts'
import type { WriteSession } from './write-session.ts'
import { kindOfType, type ValueForm } from './write-values.ts'

export interface TableColumn {
  readonly name: string
  /** As SQL has it, with its size. */
  readonly type: string
  readonly form: ValueForm
  /** Whether it must have a value, and has none of its own. */
  readonly required: boolean
  /** Whether the server alone gives it values. */
  readonly generated: boolean
  readonly identity: boolean
  /** Whether it is of the primary key. */
  readonly key: boolean
}

/** The rows of pg_attribute as JSON, as older servers lack some of the columns. */
const COLUMNS_QUERY = `SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
  COALESCE(b.typname, t.typname) AS base, e.typname AS element,
  a.attnotnull AND NOT a.atthasdef AND COALESCE(to_jsonb(a)->>'attidentity', '') = '' AND NOT COALESCE(t.typdefault, '') <> '' AS required,
  COALESCE(to_jsonb(a)->>'attgenerated', '') <> '' AS generated,
  COALESCE(to_jsonb(a)->>'attidentity', '') <> '' AS identity,
  EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY(i.indkey)) AS key
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
LEFT JOIN pg_catalog.pg_type e
  ON e.oid = COALESCE(b.typelem, t.typelem) AND COALESCE(b.typcategory, t.typcategory) = 'A'
WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`

/** The columns of a table, in order; undefined where there is no such table. */
export async function describeTable(session: WriteSession, table: string): Promise<TableColumn[] | undefined> {
  if (session.dialect !== 'postgres') return describeBySelecting(session, table)
  const { rows } = await session.run(COLUMNS_QUERY, [quoteTable(table)])
  if (rows.length === 0) return undefined
  return rows.map(row => ({
    name: String(row.name),
    type: String(row.type),
    form:
      row.element === null
        ? { kind: kindOfType(row.base as string) }
        : { kind: 'other', element: kindOfType(row.element as string) },
    required: row.required === true,
    generated: row.generated === true,
    identity: row.identity === true,
    key: row.key === true,
  }))
}

/** Without a catalog, what a query of the table says of its columns. */
async function describeBySelecting(session: WriteSession, table: string): Promise<TableColumn[]> {
  const { fields = [] } = await session.run(`SELECT * FROM ${quoteTable(table)} WHERE 1 = 0`)
  return fields.map(({ name }) => plainColumn(name, ''))
}

/** A column of which only the name matters. */
export const plainColumn = (name: string, type: string, form: ValueForm = { kind: 'other' }): TableColumn => ({
  name,
  type,
  form,
  required: false,
  generated: false,
  identity: false,
  key: false,
})

export const columnList = (names: readonly string[]): string => names.map(quoteIdentifier).join(', ')
