/**
 * Which row it was: of a foreign key, and of whatever else is checked when a COPY or a transaction ends, the server tells the
 * key and not the row. The rows in question are put into a temporary table, with numbers, and asked for the first one that
 * the constraint refuses.
 */
import { type Staging, stagingFor } from './conflict.ts'
import { CopyIn } from './copy-in.ts'
import type { PostgresError } from './errors.ts'
import type { HeldRows } from './held-rows.ts'
import { quoteIdentifier, quoteTable } from './sql-names.ts'
import { columnList, plainColumn } from './table-columns.ts'
import type { WriteSession } from './write-session.ts'

/** A row that a constraint refuses, and what it is about. */
export interface RefusedKey {
  readonly record: number
  readonly columns: readonly string[]
  /** As the server writes them; null is NULL. */
  readonly values: readonly (string | null)[]
}

/** A foreign key of a table to itself may be met by a row that is yet to come, in the same COPY. */
const LATE_QUERY = `SELECT COALESCE(bool_or(k.contype = 'f' OR k.condeferrable), false) AS late,
  COALESCE(bool_or(k.condeferred OR k.condeferrable AND k.contype <> 'f' OR k.confrelid = k.conrelid), false) AS last
  FROM pg_catalog.pg_constraint k WHERE k.conrelid = pg_catalog.to_regclass($1)`

/** What is to hold the rows that are written to a table until the server has said its word; undefined: it says it row by row. */
export async function holdRowsFor(session: WriteSession, table: string): Promise<HeldRows | undefined> {
  if (session.dialect !== 'postgres') return undefined
  const { rows } = await session.run(LATE_QUERY, [quoteTable(table)])
  if (rows[0]?.late !== true) return undefined
  const { HeldRows } = await import('./held-rows.ts')
  return new HeldRows(rows[0].last === true)
}

/** The constraint that an error names, if it is one of the table or of a part of it. */
const CONSTRAINT_QUERY = `SELECT k.contype::text AS type, k.confmatchtype::text AS match, pn.nspname AS schema, p.relname AS parent,
  COALESCE(k.confrelid = k.conrelid OR k.confrelid = pg_catalog.to_regclass($4), false) AS own,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(number, i)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY i) AS columns,
  ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(number, i)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY i) AS referenced
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_class p ON p.oid = k.confrelid LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
  WHERE k.contype IN ('f', 'u', 'p') AND k.conname = $1 AND n.nspname = $2 AND c.relname = $3
    AND (k.conrelid = pg_catalog.to_regclass($4)
      OR EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(k.conrelid) AS t(relid) WHERE t.relid = pg_catalog.to_regclass($4)))`

interface Constraint {
  readonly type: 'f' | 'u' | 'p'
  readonly match: string
  readonly schema: string
  readonly parent: string
  /** Whether the table refers to itself. */
  readonly own: boolean
  readonly columns: readonly string[]
  readonly referenced: readonly string[]
}

export interface RefusedRows {
  readonly session: WriteSession
  readonly table: string
  /** The columns that the rows have. */
  readonly names: readonly string[]
  readonly held: HeldRows
  /** Whether the table was emptied before. */
  readonly truncated: boolean
}

/** Finds the row. What was written before is taken back for it. Undefined where it is not to be found; never throws. */
export async function findRefused(error: PostgresError, refused: RefusedRows): Promise<RefusedKey | undefined> {
  const { session, table, names, held } = refused
  if (error.constraint === undefined || held.firstRecord === 0) return undefined
  try {
    await session.restart()
    const place = [error.constraint, error.schema, error.table, quoteTable(table)]
    const { rows } = await session.run(CONSTRAINT_QUERY, place)
    const constraint = rows[0] as Constraint | undefined
    if (constraint === undefined || !constraint.columns.every(name => names.includes(name))) return undefined
    const staging = stagingFor(
      table,
      names.map(name => plainColumn(name, '')),
      'ignore',
      undefined,
    )
    for (const statement of staging.create) await session.run(statement)
    const copy = new CopyIn(`COPY ${staging.table} (${columnList(names)}) FROM STDIN`)
    await session.startCopy(copy)
    for await (const chunk of held.chunks()) await session.resend(copy, chunk)
    await session.wait(copy.end())
    const found = await session.run(searchOf(constraint, staging, refused))
    const [first] = found.rows
    if (first === undefined) return undefined
    return {
      record: held.firstRecord + Number(first.number) - 1,
      columns: constraint.columns,
      values: constraint.columns.map((_, i) => first[`value_${i}`] as string | null),
    }
  } catch {
    return undefined // the error at hand is the one to tell
  }
}

function searchOf(constraint: Constraint, staging: Staging, { table, names, truncated }: RefusedRows): string {
  const { type, match, schema, parent, own, columns, referenced } = constraint
  const values = columns.map((name, i) => `s.${quoteIdentifier(name)}::text AS value_${i}`)
  const equal = (others: readonly string[]) =>
    columns.map((name, i) => `p.${quoteIdentifier(others[i]!)} = s.${quoteIdentifier(name)}`).join(' AND ')
  const present = (operator: string) =>
    columns.map(name => `s.${quoteIdentifier(name)} IS NOT NULL`).join(` ${operator} `)
  const conditions: string[] = []
  if (type === 'f') {
    // MATCH FULL does not take a key of which only a part is null.
    conditions.push(`(${present(match === 'f' ? 'OR' : 'AND')})`)
    const isWritten = own && referenced.every(name => names.includes(name))
    if (isWritten) conditions.push(`NOT EXISTS (SELECT FROM ${staging.table} p WHERE ${equal(referenced)})`)
    if (!own || !truncated) {
      const name = `${quoteIdentifier(schema)}.${quoteIdentifier(parent)}`
      conditions.push(`NOT EXISTS (SELECT FROM ${name} p WHERE ${equal(referenced)})`)
    }
  } else {
    const before = `EXISTS (SELECT FROM ${staging.table} p WHERE ${equal(columns)} AND p.${staging.row} < s.${staging.row})`
    const there = `EXISTS (SELECT FROM ${quoteTable(table)} p WHERE ${equal(columns)})`
    conditions.push(truncated ? before : `(${before} OR ${there})`)
  }
  return `SELECT s.${staging.row} AS number, ${values.join(', ')} FROM ${staging.table} s
    WHERE ${conditions.join(' AND ')} ORDER BY s.${staging.row} LIMIT 1`
}
