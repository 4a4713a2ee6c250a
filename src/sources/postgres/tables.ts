/** The tables of a database. */
import { abortable } from '../../core/abort.ts'
import type { Abortable } from '../../core/types.ts'
import { postgresError } from './errors.ts'
import type { PostgresConnectionOptions } from './options.ts'
import { openConnections } from './pool.ts'

/** A table, a view, or what else rows are read of. */
export interface TableInfo {
  /** The schema that it is in, as the catalog has it: not quoted. */
  readonly schema: string
  /** Its name in the schema, as the catalog has it: not quoted. */
  readonly name: string
  /** What it is. */
  readonly kind: 'table' | 'partitioned table' | 'view' | 'materialized view' | 'foreign table'
  /** As the planner guesses; undefined where the table was never analyzed. */
  readonly estimatedRows: number | undefined
}

const KINDS = { r: 'table', p: 'partitioned table', v: 'view', m: 'materialized view', f: 'foreign table' } as const

const QUERY = `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.reltuples::float8 AS rows
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))
ORDER BY 1, 2`

export async function listPostgresTables(
  target: unknown,
  { signal, ...options }: PostgresConnectionOptions & Abortable,
): Promise<TableInfo[]> {
  const { connections } = openConnections(target, options)
  try {
    const lease = await connections.acquire({ signal })
    try {
      const running = lease.resource.client.query(QUERY)
      // The connection is given back when the query is over, also where nobody waits for it any more.
      running.then(lease.release, lease.release)
      const { rows } = await abortable(running, signal)
      return rows.map(({ schema, name, kind, rows: count }) => ({
        schema: String(schema),
        name: String(name),
        kind: KINDS[kind as keyof typeof KINDS],
        estimatedRows: kind === 'v' || Number(count) < 0 ? undefined : Number(count),
      }))
    } catch (error) {
      signal?.throwIfAborted()
      throw postgresError(error, { label: connections.label, sql: QUERY })
    }
  } finally {
    await connections[Symbol.asyncDispose]()
  }
}
