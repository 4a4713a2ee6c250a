/** The rows of one statement, read over one connection, which is given back once: usable, or destroyed. */
import { abortable } from '../../core/abort.ts'
import { createError } from '../../core/errors.ts'
import type { Schema } from '../../core/schema.ts'
import type { Batch, ReadContext, RowReader } from '../../core/types.ts'
import { systemClock } from '../../resilience/clock.ts'
import type { Lease } from '../../resilience/resource-pool.ts'
import { Watchdog } from '../../resilience/watchdog.ts'
import { decodeColumns } from './columns.ts'
import { postgresError } from './errors.ts'
import type { EncodedParameter } from './messages.ts'
import type { PostgresReadOptions } from './options.ts'
import { encodeParameters } from './parameters.ts'
import type { Connections } from './pool.ts'
import { Portal } from './portal.ts'
import { RowMaker } from './rows.ts'
import type { Session } from './session.ts'
import type { Statement } from './sql.ts'
import type { FieldDescription } from './types.ts'

const DEFAULT_BATCH_ROWS = 10_000
/** How long rows that are on their way are waited for when reading is given up, before the query is cancelled. */
const CANCEL_AFTER_MS = 20
/** The same inside a transaction of somebody else, which a cancelled query would fail. */
const CANCEL_AFTER_IN_TRANSACTION_MS = 2000
/** How long a query that is cancelled may take to end, before its connection is destroyed. */
const END_MS = 2000

export class StatementReader implements RowReader {
  readonly #connections: Connections
  readonly #statement: Statement
  readonly #options: PostgresReadOptions
  readonly #context: ReadContext
  #parameters: readonly EncodedParameter[] = []
  #lease: Lease<Session> | undefined
  #portal: Portal | undefined
  #columns: readonly string[] = []
  #schema: Schema = { columns: [] }
  /** The connection is in a transaction that somebody else began. */
  #inTransaction = false
  #expectsFew = false
  /** What the end of the statement does may matter, so it is waited for. */
  #mayWrite = false
  #watchdog: Watchdog | undefined
  #releasing: Promise<void> | undefined
  /** The failure, to be told again. */
  #failure: { readonly error: unknown } | undefined

  private constructor(
    connections: Connections,
    statement: Statement,
    options: PostgresReadOptions,
    context: ReadContext,
  ) {
    this.#connections = connections
    this.#statement = statement
    this.#options = options
    this.#context = context
  }

  /** Sends the statement and waits for its columns. */
  static async open(
    connections: Connections,
    statement: Statement,
    options: PostgresReadOptions,
    context: ReadContext,
  ): Promise<StatementReader> {
    const reader = new StatementReader(connections, statement, options, context)
    try {
      await reader.#open()
      return reader
    } catch (error) {
      await reader.#release()
      context.signal.throwIfAborted()
      throw postgresError(error, { label: context.label, sql: statement.sql })
    }
  }

  get columns(): readonly string[] {
    return this.#columns
  }

  get schema(): Schema {
    return this.#schema
  }

  async read(): Promise<Batch | null> {
    if (this.#failure !== undefined) throw this.#failure.error
    const portal = this.#portal!
    try {
      for (;;) {
        const rows = portal.next()
        if (rows === null) {
          this.#connections.catalog.tellRows(this.#statement.sql, portal.rowCount)
          const released = this.#release()
          if (this.#waitsForEnd) await released
          if (this.#mayWrite) portal.throwIfUnsettled()
          return null
        }
        if (rows !== undefined) return rows
        await this.#more(portal)
      }
    } catch (error) {
      const known = this.#context.signal.aborted
        ? this.#context.signal.reason
        : postgresError(error, { label: this.#context.label, sql: this.#statement.sql })
      this.#failure = { error: known }
      await this.#release()
      throw known
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#release()
    if (this.#waitsForEnd || this.#portal?.ended !== true) await ended
  }

  /** The end of a read that is through and changes nothing need not be waited for, where the connection is ours. */
  get #waitsForEnd(): boolean {
    return this.#mayWrite || !this.#connections.own
  }

  async #open(): Promise<void> {
    const { sql, params, shape } = this.#statement
    const { signal } = this.#context
    this.#parameters = encodeParameters(params)
    this.#lease = await this.#connections.acquire({ signal })
    const session = this.#lease.resource
    const isPostgres = (this.#options.dialect ?? session.dialect) === 'postgres'
    this.#inTransaction =
      this.#connections.transaction || (session.inTransaction ?? this.#connections.mayBeInTransaction)
    const readOnly = (this.#options.readOnly ?? isPostgres) && !this.#inTransaction
    this.#mayWrite = !readOnly
    if (isPostgres && !this.#connections.catalog.knows(shape)) await this.#describe(session)
    const { snapshot } = this.#options
    if (snapshot !== undefined && this.#inTransaction) {
      throw createError('OPTION_INVALID', 'option snapshot inside a transaction, which has a snapshot of its own')
    }
    const before = this.#inTransaction ? [] : beginStatements(readOnly, snapshot)
    this.#portal = new Portal({
      sql,
      parameters: this.#parameters,
      before,
      after: before.length > 0 ? 'COMMIT' : undefined,
      batchSize: this.#batchSize(isPostgres, readOnly),
      onColumns: fields => this.#takeColumns(fields, session),
      onBadRow: (error, record) => this.#context.onBadRecord(this.#rowError(error, record)),
    })
    session.client.query(this.#portal)
    while (!this.#portal.described) {
      this.#portal.nextUpToColumns()
      if (!this.#portal.described) await abortable(this.#more(this.#portal), signal)
    }
    this.#portal.nextUpToColumns()
  }

  /**
   * A statement that gave few rows the last time is asked for all of them, so that it goes to the server in one packet, its
   * COMMIT included.
   */
  #batchSize(isPostgres: boolean, readOnly: boolean): number {
    const { batchSize } = this.#options
    if (batchSize !== undefined || !isPostgres) return batchSize ?? 0
    this.#expectsFew = readOnly && this.#connections.catalog.givesFew(this.#statement.sql)
    return this.#expectsFew ? 0 : DEFAULT_BATCH_ROWS
  }

  /** Asks for the types of a statement that was not met before, so that arrays of enums and the like are known. */
  async #describe(session: Session): Promise<void> {
    const { sql, shape } = this.#statement
    let fields: readonly FieldDescription[] = []
    const portal = new Portal({
      sql,
      parameters: [],
      before: [],
      batchSize: 0,
      describeOnly: true,
      onColumns: found => {
        fields = found
        return new RowMaker([])
      },
      onBadRow: () => {},
    })
    this.#portal = portal
    session.client.query(portal)
    while (!portal.over) {
      portal.drain()
      if (!portal.over) await abortable(this.#more(portal), this.#context.signal)
    }
    portal.next()
    await this.#connections.catalog.learn(shape, fields, async (text, values) => {
      const result = await abortable(session.client.query(text, values), this.#context.signal)
      return result.rows
    })
  }

  #takeColumns(fields: readonly FieldDescription[], session: Session): RowMaker {
    const { names, schema, maker } = decodeColumns(fields, {
      catalog: this.#connections.catalog,
      client: session.client,
      options: this.#options,
      shape: this.#statement.shape,
      isPostgres: (this.#options.dialect ?? session.dialect) === 'postgres',
    })
    this.#columns = names
    this.#schema = schema
    return maker
  }

  /**
   * Waits for more to come, no longer than `timeoutMs` without a sign, unless the server works on it. An abort is not heeded
   * here: whoever aborts ends the portal, and so the waiting.
   */
  async #more(portal: Portal): Promise<void> {
    const session = this.#lease!.resource
    while (portal.waits) {
      this.#watchdog ??= new Watchdog({
        timeoutMs: this.#connections.timeoutMs,
        label: this.#context.label,
        what: 'an answer of the server',
      })
      try {
        return await this.#watchdog.watch(() => portal.more())
      } catch (error) {
        this.#watchdog = undefined
        if ((error as { code?: unknown }).code !== 'TIMEOUT') throw error
        if (portal.waits && !(await session.isWorking())) {
          session.destroy()
          throw error
        }
      }
    }
  }

  #rowError(error: unknown, record: number): Error {
    const known = postgresError(error, { label: this.#context.label })
    return known instanceof Error ? Object.assign(known, { record }) : new Error(String(known))
  }

  #release(): Promise<void> {
    this.#releasing ??= this.#giveBack()
    return this.#releasing
  }

  async #giveBack(): Promise<void> {
    const lease = this.#lease
    try {
      if (lease === undefined) return
      const session = lease.resource
      if (this.#portal !== undefined) await this.#endPortal(this.#portal, session)
      if (!session.alive) return await lease.discard()
      const { status } = this.#portal ?? {}
      if (!this.#inTransaction && status !== undefined && status !== 'I') await session.client.query('ROLLBACK')
      await lease.release()
    } catch {
      // A connection that cannot be tidied up is not used again.
      await lease?.discard()
    } finally {
      await this.#connections[Symbol.asyncDispose]()
    }
  }

  /** Waits until the server is ready for the next statement: at first for what is on its way, then by cancelling. */
  async #endPortal(portal: Portal, session: Session): Promise<void> {
    if (!portal.ended) portal.stop()
    let patienceMs = this.#inTransaction ? CANCEL_AFTER_IN_TRANSACTION_MS : CANCEL_AFTER_MS
    // All rows are on their way, and nobody knows how many.
    if (portal.unlimited && !portal.ended && !this.#expectsFew) patienceMs = 0
    let deadline = systemClock.now() + patienceMs
    let cancelling: Promise<void> | undefined
    for (portal.drain(); !portal.over; portal.drain()) {
      const leftMs = deadline - systemClock.now()
      if (leftMs > 0) {
        if (portal.waits) await orAfter(portal.more(), leftMs)
      } else if (cancelling === undefined) {
        cancelling = session.cancel()
        deadline = systemClock.now() + END_MS
      } else {
        session.destroy()
        break
      }
    }
    // Before the connection is used again, so that the cancel cannot meet another statement.
    await cancelling
  }
}

/** Settles with `promise`, or after `delayMs`. */
function orAfter(promise: Promise<void>, delayMs: number): Promise<void> {
  return new Promise(resolve => {
    const cancel = systemClock.schedule(resolve, delayMs)
    promise.then(() => {
      cancel()
      resolve()
    })
  })
}

function beginStatements(readOnly: boolean, snapshot: string | undefined): string[] {
  const mode = readOnly ? ' READ ONLY' : ''
  if (snapshot === undefined) return readOnly ? ['BEGIN READ ONLY'] : []
  return [
    `BEGIN ISOLATION LEVEL REPEATABLE READ${mode}`,
    `SET TRANSACTION SNAPSHOT '${snapshot.replaceAll("'", "''")}'`,
  ]
}
