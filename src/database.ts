/** What databases have beside rows: lists of tables, and transactions. */
import type { Abortable, Row } from './core/types.ts'
import { openIterable, type ReadOptions, type WriteOptions } from './open.ts'
import type { LazyReader } from './reader.ts'
import type { PostgresTarget } from './sources/postgres/driver.ts'
import type { PostgresConnectionOptions } from './sources/postgres/options.ts'
import type { TableInfo } from './sources/postgres/tables.ts'
import type { PostgresTransaction, PostgresTransactionOptions } from './sources/postgres/transaction.ts'
import type { LazyWriter } from './writer.ts'

/** A server: a `postgres:` URL, or a pool, client or transaction. */
export type DatabaseTarget = string | URL | PostgresTarget

/** A transaction that is open. */
export interface Transaction extends Pick<PostgresTransaction, 'query' | 'exportSnapshot' | 'label'> {
  /** Rows of a query or a table, as this transaction sees them. One reader at a time. */
  read<R extends object = Row>(options: ReadOptions): LazyReader<R>
  /** Writes to a table within this transaction: what an aborted or failed writer did is taken back alone. */
  write<R extends object = Row>(options: Omit<WriteOptions, 'mode'>): LazyWriter<R>
}

/**
 * Lists the tables and views of a database that are not the server's own.
 *
 * @throws SourceError SOURCE_FAILED, SOURCE_DENIED, SOURCE_NOT_FOUND
 */
export async function listTables(
  target: DatabaseTarget,
  options: PostgresConnectionOptions & Abortable = {},
): Promise<TableInfo[]> {
  const { listPostgresTables } = await import('./sources/postgres/tables.ts')
  return listPostgresTables(target, options)
}

/**
 * Runs `work` in a transaction on one connection: commits when it returns, rolls back when it throws, is aborted, or the
 * commit fails.
 *
 * ```ts
 * await withTransaction('postgres://…', async tx => {
 *   for await (const row of tx.read({ query: 'DELETE FROM jobs RETURNING *' })) await run(row)
 * })
 * ```
 */
export async function withTransaction<T>(
  target: DatabaseTarget,
  work: (transaction: Transaction) => T | PromiseLike<T>,
  options: PostgresTransactionOptions = {},
): Promise<T> {
  const { runTransaction } = await import('./sources/postgres/transaction.ts')
  return runTransaction(
    target,
    inner => {
      const transaction: Transaction = {
        label: inner.label,
        query: (sql, params, rest) => inner.query(sql, params, rest),
        exportSnapshot: () => inner.exportSnapshot(),
        read: <R extends object>(read: ReadOptions) => openIterable<R>({ postgres: inner }, read),
        write: <R extends object>(write: Omit<WriteOptions, 'mode'>) =>
          openIterable<R>({ postgres: inner }, { ...write, mode: 'w' }),
      }
      return work(transaction)
    },
    options,
  )
}

/** Closes the connections that were made for `postgres:` URLs, when what uses them has ended. They close by themselves, too. */
export async function closeConnections(): Promise<void> {
  const { closePostgresPools } = await import('./sources/postgres/pool.ts')
  await closePostgresPools()
}
