/** One connection with a transaction on it, for readers and writers that see and do things together. */
import { abortable } from '../../core/abort.ts'
import { createError, OpenIterableError } from '../../core/errors.ts'
import type { Abortable } from '../../core/types.ts'
import type { Lease } from '../../resilience/resource-pool.ts'
import { Semaphore } from '../../resilience/semaphore.ts'
import { postgresError } from './errors.ts'
import type { EncodedParameter } from './messages.ts'
import type { PostgresConnectionOptions } from './options.ts'
import { textOf } from './parameters.ts'
import { acquireOnly, type Connections, openConnections } from './pool.ts'
import type { Session } from './session.ts'
import { CONNECTIONS } from './target.ts'

/** Options of `withTransaction` for Postgres. */
export interface PostgresTransactionOptions extends PostgresConnectionOptions, Abortable {
  /** Default: what the server has, which is `'read committed'` unless it is told otherwise. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable' | undefined
  /** Whether the transaction can change nothing. Default: `false`. */
  readonly readOnly?: boolean | undefined
  /** The id of a snapshot to see; the isolation is then at least `'repeatable read'`. Default: none. */
  readonly snapshot?: string | undefined
}

/** A transaction: a target to read from and to write to (`openIterable({ postgres: tx }, …)`). */
export class PostgresTransaction {
  /** What messages call the database; without credentials. */
  readonly label: string
  readonly [CONNECTIONS]: Connections
  readonly #outer: Connections
  readonly #lease: Lease<Session>
  readonly #turns = new Semaphore(1)
  readonly #acquireTimeoutMs: number
  #ended = false

  private constructor(outer: Connections, lease: Lease<Session>, acquireTimeoutMs: number) {
    this.label = outer.label
    this.#outer = outer
    this.#lease = lease
    this.#acquireTimeoutMs = acquireTimeoutMs
    this[CONNECTIONS] = {
      label: outer.label,
      catalog: outer.catalog,
      timeoutMs: outer.timeoutMs,
      own: false,
      transaction: true,
      mayBeInTransaction: true,
      available: () => 0,
      acquire: options => this.#acquire(options),
      async [Symbol.asyncDispose]() {},
    }
  }

  /** Begins a transaction on a connection of its own. */
  static async begin(outer: Connections, options: PostgresTransactionOptions = {}): Promise<PostgresTransaction> {
    const { signal, acquireTimeoutMs = 30_000 } = options
    const lease = await outer.acquire({ signal })
    if (lease.resource.inTransaction === true) {
      await lease.release()
      throw createError('OPTION_INVALID', 'the client is inside a transaction of its own', {
        label: outer.label,
        hint: 'end it first, give a pool or a URL, or read through the client as it is ({ postgres: client })',
      })
    }
    const transaction = new PostgresTransaction(outer, lease, acquireTimeoutMs)
    try {
      await transaction.#run(beginStatement(options))
      if (options.snapshot !== undefined) {
        await transaction.#run(`SET TRANSACTION SNAPSHOT '${options.snapshot.replaceAll("'", "''")}'`)
      }
      return transaction
    } catch (error) {
      await lease.discard()
      throw error
    }
  }

  /** Runs one statement; values come as the driver gives them. */
  async query(
    sql: string,
    params: readonly unknown[] = [],
    options: Abortable = {},
  ): Promise<{ readonly rows: Record<string, unknown>[]; readonly rowCount: number | null }> {
    const lease = await this.#acquire(options)
    const running = lease.resource.client.query(sql, params.map(driverValue)).finally(() => lease.release())
    try {
      return await abortable(running, options.signal)
    } catch (error) {
      options.signal?.throwIfAborted()
      throw postgresError(error, { label: this.label, sql })
    }
  }

  /** The id of what this transaction sees, for other readers to see the same while it lasts. */
  async exportSnapshot(): Promise<string> {
    const { rows } = await this.query('SELECT pg_catalog.pg_export_snapshot() AS id')
    return String(rows[0]!.id)
  }

  /** Makes everything done visible. */
  async commit(): Promise<void> {
    const { rows: _, ...result } = (await this.query('COMMIT')) as { rows: unknown; command?: string }
    await this.#end()
    // A transaction in which a statement failed is rolled back by COMMIT, without an error.
    if (result.command === 'ROLLBACK') {
      throw createError('QUERY_FAILED', 'the transaction was rolled back, as one of its statements had failed', {
        label: this.label,
        hint: 'let the error of the statement pass, or use a savepoint',
      })
    }
  }

  /** Undoes everything. Does nothing behind the end. */
  async rollback(): Promise<void> {
    if (this.#ended) return
    try {
      if (this.#lease.resource.alive) await this.query('ROLLBACK')
    } finally {
      await this.#end()
    }
  }

  #acquire(options: Abortable): Promise<Lease<Session>> {
    if (this.#ended) {
      return Promise.reject(
        createError('HANDLE_CLOSED', 'the transaction has ended', { label: this.label, hint: 'begin another one' }),
      )
    }
    const { label } = this
    const acquireTimeoutMs = this.#acquireTimeoutMs
    return acquireOnly(this.#lease.resource, this.#turns, { ...options, acquireTimeoutMs, label })
  }

  async #run(sql: string): Promise<void> {
    try {
      await this.#lease.resource.client.query(sql)
    } catch (error) {
      throw postgresError(error, { label: this.label, sql })
    }
  }

  async #end(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    if (this.#lease.resource.alive) await this.#lease.release()
    else await this.#lease.discard()
    await this.#outer[Symbol.asyncDispose]()
  }
}

/** Values as the driver is to send them: bytes as they are, everything else as text. */
function driverValue(value: unknown): EncodedParameter {
  return ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : textOf(value)
}

function beginStatement({ isolation, readOnly = false, snapshot }: PostgresTransactionOptions): string {
  const level = isolation ?? (snapshot === undefined ? undefined : 'repeatable read')
  return `BEGIN${level === undefined ? '' : ` ISOLATION LEVEL ${level.toUpperCase()}`}${readOnly ? ' READ ONLY' : ''}`
}

/** Runs `work` in a transaction: commits when it returns, rolls back when it throws or the commit fails. */
export async function runTransaction<T>(
  target: unknown,
  work: (transaction: PostgresTransaction) => T | PromiseLike<T>,
  options: PostgresTransactionOptions = {},
): Promise<T> {
  const { connections } = openConnections(target, options)
  let transaction: PostgresTransaction
  try {
    transaction = await PostgresTransaction.begin(connections, options)
  } catch (error) {
    await connections[Symbol.asyncDispose]()
    options.signal?.throwIfAborted()
    throw error
  }
  try {
    const result = await abortable(Promise.resolve(work(transaction)), options.signal)
    await transaction.commit()
    return result
  } catch (error) {
    // What fails on the way back is told, but does not hide the first error.
    await transaction.rollback().catch(late => {
      if (!(late instanceof OpenIterableError)) process.emitWarning(String(late))
    })
    throw error
  }
}
