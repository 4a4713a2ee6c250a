/**
 * How texts are compared: by code point, as our own filters do it on every source, and not by the collation of a server,
 * which differs from one to the next. Where the two are the same nothing is said, so that indexes serve.
 */
import { abortable } from '../../core/abort.ts'
import { type Condition, type Filter, parseFilter } from '../../core/filter.ts'
import type { ReadContext } from '../../core/types.ts'
import { postgresError } from './errors.ts'
import type { PostgresReadOptions } from './options.ts'
import type { Connections } from './pool.ts'
import { quoteTable } from './sql-names.ts'

/**
 * What a column needs: another collation; to be taken for text, as the order of an enum is none of texts; or both, and also
 * where equality is meant, as its own takes different texts for the same.
 */
export type TextOrder = 'collate' | 'cast' | 'exact'

/** By column; those that need nothing are not there. */
export type TextOrders = ReadonlyMap<string, TextOrder>

/** A domain has the name of what it stands on. Older servers lack some of the columns. */
const QUERY = `SELECT a.attname AS name, CASE
    WHEN t.typtype = 'e' OR b.typtype = 'e' THEN 'cast'
    WHEN a.attcollation = 0 THEN NULL
    WHEN COALESCE(b.typname, t.typname) = 'citext' OR to_jsonb(c)->>'collisdeterministic' = 'false' THEN 'exact'
    WHEN c.collprovider = 'b' OR c.collname IN ('C', 'POSIX', 'ucs_basic') THEN NULL
    WHEN c.collprovider = 'd' AND (to_jsonb(d)->>'datlocprovider' = 'b'
      OR COALESCE(to_jsonb(d)->>'datlocprovider', 'c') = 'c' AND d.datcollate IN ('C', 'POSIX')) THEN NULL
    ELSE 'collate' END AS text_order
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
  LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
  JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
  WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`

/** What the columns of the table need that the options speak of; undefined where no text is compared, or nobody can tell. */
export async function textOrdersOf(
  connections: Connections,
  options: PostgresReadOptions,
  { label, signal }: Pick<ReadContext, 'label' | 'signal'>,
): Promise<TextOrders | undefined> {
  const { table, dialect } = options
  if (table === undefined || dialect === 'pgwire' || !comparesTexts(options)) return undefined
  const known = connections.catalog.textOrdersOf(table)
  if (known !== undefined) return known
  const lease = await connections.acquire({ signal })
  const { client, dialect: own } = lease.resource
  if ((dialect ?? own) !== 'postgres') {
    await lease.release()
    return undefined
  }
  try {
    const running = client.query(QUERY, [quoteTable(table)])
    // The connection is given back when the query is over, also where nobody waits for it any more.
    running.then(lease.release, lease.release)
    const { rows } = await abortable(running, signal)
    const orders = new Map<string, TextOrder>()
    for (const { name, text_order: order } of rows) if (order !== null) orders.set(String(name), order as TextOrder)
    connections.catalog.keepTextOrders(table, orders)
    return orders
  } catch (error) {
    signal.throwIfAborted()
    throw postgresError(error, { label, sql: QUERY })
  }
}

function comparesTexts({ where, orderBy }: PostgresReadOptions): boolean {
  if (orderBy !== undefined) return true
  if (typeof where !== 'object' || where === null || Array.isArray(where)) return false
  return hasText(parseFilter(where as Filter))
}

function hasText(condition: Condition): boolean {
  if (!('column' in condition)) return condition.of.some(hasText)
  return 'values' in condition
    ? condition.values.some(value => typeof value === 'string')
    : typeof condition.value === 'string'
}
