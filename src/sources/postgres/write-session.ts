/** The connection of one writer: statements on it, watched and given up as a whole, and the transaction they are in. */
import { abortable } from '../../core/abort.ts'
import { createError } from '../../core/errors.ts'
import type { Lease } from '../../resilience/resource-pool.ts'
import { RetryPolicy } from '../../resilience/retry.ts'
import { withTimeout } from '../../resilience/timeout.ts'
import { Watchdog } from '../../resilience/watchdog.ts'
import type { CopyIn } from './copy-in.ts'
import type { DriverResult } from './driver.ts'
import { serverError, sqlStateOf } from './errors.ts'
import type { PostgresDialect } from './options.ts'
import type { Connections } from './pool.ts'
import type { Session } from './session.ts'
import { writeError } from './write-errors.ts'

/** How long the server may take to give up what it does, before its connection is destroyed. */
const END_MS = 2000
/** Around all that a writer does inside somebody else's transaction. */
const SAVEPOINT = 'open_iterable_writer'
/** Around a statement that may be refused. */
const ATTEMPT = 'open_iterable_attempt'

/** A server that has lost a connection may not have noticed yet. */
const LOOKING = new RetryPolicy({ attempts: 8, initialDelayMs: 50, maxDelayMs: 1000, retries: () => true })

export interface WriteSessionOptions {
  readonly label: string
  readonly signal: AbortSignal
  readonly dialect: PostgresDialect | undefined
  readonly transaction: boolean
  /** Told of what the socket has taken of rows. */
  readonly onBytes: ((count: number) => void) | undefined
}

/** What a transaction came to when its connection was lost while it was committed. */
type Outcome = 'committed' | 'aborted' | 'unknown'

export class WriteSession {
  readonly label: string
  readonly #connections: Connections
  readonly #lease: Lease<Session>
  readonly #options: WriteSessionOptions
  /** `own`: a transaction of ours; `within`: a savepoint in that of somebody else. */
  #transaction: 'none' | 'own' | 'within' = 'none'
  #committing = false
  /** What the server has not answered yet. */
  #busy: Promise<unknown> | undefined
  #copy: CopyIn | undefined
  #releasing: Promise<void> | undefined

  private constructor(connections: Connections, lease: Lease<Session>, options: WriteSessionOptions) {
    this.label = options.label
    this.#connections = connections
    this.#lease = lease
    this.#options = options
  }

  static async open(connections: Connections, options: WriteSessionOptions): Promise<WriteSession> {
    const { signal, label } = options
    try {
      return new WriteSession(connections, await connections.acquire({ signal }), options)
    } catch (error) {
      await connections[Symbol.asyncDispose]()
      signal.throwIfAborted()
      throw writeError(error, { label })
    }
  }

  get dialect(): PostgresDialect {
    return this.#options.dialect ?? this.#session.dialect
  }

  get #session(): Session {
    return this.#lease.resource
  }

  /** Whether what was sent can be taken back. */
  get inTransaction(): boolean {
    return this.#transaction !== 'none'
  }

  /** Begins a transaction, or a part of one that goes on already. */
  async begin(): Promise<void> {
    if (!this.#options.transaction) return
    const inside = this.#connections.transaction || this.#session.inTransaction
    if (inside === true) {
      await this.run(`SAVEPOINT ${SAVEPOINT}`)
      this.#transaction = 'within'
      return
    }
    if (inside === undefined && this.#connections.mayBeInTransaction && (await this.#setsSavepoint())) {
      this.#transaction = 'within'
      return
    }
    try {
      await this.run('BEGIN')
    } catch (error) {
      if (this.dialect === 'postgres' || !this.#session.alive || serverError((error as Error).cause) === undefined)
        throw error
      throw createError('SINK_FAILED', 'the server has no transactions, so that rows could not be taken back', {
        label: this.label,
        hint: 'write with { copy: false, transaction: false } if rows that were sent before a failure may stay',
        cause: (error as Error).cause,
      })
    }
    this.#transaction = 'own'
  }

  /** Outside a transaction there are no savepoints, which is how to tell. */
  async #setsSavepoint(): Promise<boolean> {
    try {
      await this.run(`SAVEPOINT ${SAVEPOINT}`)
      return true
    } catch (error) {
      if (sqlStateOf(error) === '25P01') return false
      throw error
    }
  }

  /** Takes back what was written, to go on. */
  async restart(): Promise<void> {
    if (this.#transaction === 'within') await this.run(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`)
    else {
      await this.run('ROLLBACK')
      await this.run('BEGIN')
      this.#transaction = 'own'
    }
  }

  /** Makes what was written visible; inside somebody else's transaction, that is for its end to do. */
  async commit(): Promise<void> {
    if (this.#transaction === 'within') await this.run(`RELEASE SAVEPOINT ${SAVEPOINT}`)
    else if (this.#transaction === 'own') await this.#commit()
    this.#transaction = 'none'
    await this.release()
  }

  async #commit(): Promise<void> {
    const id = this.dialect === 'postgres' ? await this.#transactionId() : undefined
    this.#options.signal.throwIfAborted()
    this.#committing = true
    try {
      const { command } = (await this.query('COMMIT')) as DriverResult & { command?: string }
      if (command === 'ROLLBACK')
        throw createError('SINK_FAILED', 'the server rolled the transaction back', { label: this.label })
    } catch (error) {
      const known = this.#explained(error, 'COMMIT')
      if (serverError(error) !== undefined && this.#session.alive) {
        this.#committing = false
        throw known
      }
      this.#session.destroy()
      await this.#lease.discard()
      const outcome = await this.#outcomeOf(id)
      if (outcome === 'committed') return
      if (outcome === 'aborted') throw known
      throw createError('SINK_FAILED', 'the connection was lost while the transaction was committed', {
        label: this.label,
        hint: 'all of the rows are there, or none: look before writing them again',
        cause: error,
      })
    }
  }

  async #transactionId(): Promise<string> {
    const { rows } = await this.run('SELECT pg_catalog.txid_current()::text AS id')
    return String(rows[0]?.id)
  }

  /** An answer that was lost is looked up by another connection, not guessed. */
  async #outcomeOf(id: string | undefined): Promise<Outcome> {
    if (id === undefined || !this.#connections.own) return 'unknown'
    const ask = async (signal: AbortSignal): Promise<Outcome> => {
      const lease = await this.#connections.acquire({ signal })
      try {
        const { rows } = await lease.resource.client.query('SELECT pg_catalog.txid_status($1::int8) AS status', [id])
        const status = rows[0]?.status
        if (status === 'in progress') throw createError('SINK_FAILED', 'the transaction is still in progress')
        return status === 'committed' || status === 'aborted' ? status : 'unknown'
      } finally {
        await lease.release()
      }
    }
    try {
      return await withTimeout(signal => LOOKING.run(() => ask(signal), { signal }), 4 * END_MS)
    } catch {
      return 'unknown'
    }
  }

  /** Runs a statement; errors come as those of this library. */
  async run(sql: string, params?: readonly unknown[]): Promise<DriverResult> {
    try {
      return await this.query(sql, params)
    } catch (error) {
      throw this.#explained(error, sql)
    }
  }

  /** Runs a statement that the server may refuse; whether it did not. What went on before is kept. */
  async attempt(sql: string): Promise<boolean> {
    if (this.inTransaction) await this.run(`SAVEPOINT ${ATTEMPT}`)
    try {
      await this.query(sql)
    } catch (error) {
      if (serverError(error) === undefined || !this.#session.alive) throw this.#explained(error, sql)
      if (this.inTransaction) await this.run(`ROLLBACK TO SAVEPOINT ${ATTEMPT}`)
      return false
    }
    if (this.inTransaction) await this.run(`RELEASE SAVEPOINT ${ATTEMPT}`)
    return true
  }

  /** As `run`, with the server's own errors. */
  query(sql: string, params?: readonly unknown[]): Promise<DriverResult> {
    return this.wait(this.#session.client.query(sql, params))
  }

  /** Inserts rows, by a statement that is prepared the first time if it has a name. Errors come as the server gives them. */
  async insert(name: string | undefined, text: string, values: readonly (string | null)[]): Promise<DriverResult> {
    const { client } = this.#session
    const result = await this.wait(
      name === undefined ? client.query(text, values) : client.query({ name, text, values }),
    )
    this.#options.onBytes?.(values.reduce((sum, value) => sum + Buffer.byteLength(value ?? ''), 0))
    return result
  }

  /** Begins a COPY. Errors come as the server gives them. */
  async startCopy(copy: CopyIn): Promise<void> {
    this.#copy = copy
    this.#session.client.query(copy)
    await this.wait(copy.start())
  }

  /** Sends a message of a COPY. */
  async send(copy: CopyIn, message: Buffer): Promise<void> {
    await this.wait(copy.send(message))
    this.#options.onBytes?.(message.length)
  }

  /** Sends rows again that were counted before. */
  async resend(copy: CopyIn, messages: Buffer): Promise<void> {
    await this.wait(copy.send(messages))
  }

  /** Waits for the server, no longer than `timeoutMs` without a sign, unless it works on what it was given. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const settle = () => {
      settled = true
    }
    promise.then(settle, settle)
    this.#busy = promise
    const { signal } = this.#options
    for (;;) {
      using watchdog = new Watchdog({
        timeoutMs: this.#connections.timeoutMs,
        label: this.label,
        what: 'an answer of the server',
      })
      try {
        return await watchdog.watch(() => (this.#committing ? promise : abortable(promise, signal)))
      } catch (error) {
        if ((error as { code?: unknown } | null)?.code !== 'TIMEOUT' || (signal.aborted && !this.#committing))
          throw error
        // An answer that has come meanwhile is no silence, however late it was taken note of.
        if ((await this.#session.isWorking()) || settled) continue
        this.#session.destroy()
        throw error
      }
    }
  }

  #explained(error: unknown, sql: string): unknown {
    if (this.#options.signal.aborted && error === this.#options.signal.reason) return error
    return writeError(error, { label: this.label, sql })
  }

  /** Gives up: what was written is taken back. Never throws. */
  async abort(): Promise<void> {
    this.#releasing ??= this.#giveUp()
    await this.#releasing
  }

  async #giveUp(): Promise<void> {
    const session = this.#session
    const transaction = this.#transaction
    this.#transaction = 'none'
    try {
      if (this.#committing) await this.#busy?.catch(() => {})
      else if (session.alive) await withTimeout(() => this.#takeBack(session, transaction), END_MS)
      // In a transaction that is not ours to end, what could not be taken back would be committed with the rest.
      if (session.alive) await this.#lease.release()
      else await this.#lease.discard()
    } catch {
      session.destroy()
      await this.#lease.discard()
    } finally {
      await this.#connections[Symbol.asyncDispose]()
    }
  }

  async #takeBack(session: Session, transaction: 'none' | 'own' | 'within'): Promise<void> {
    const copying = this.#copy !== undefined && !this.#copy.over
    if (copying) await this.#copy!.fail()
    else if (this.#busy !== undefined) await this.#endBusy(session, this.#busy)
    if (transaction === 'own') await session.client.query('ROLLBACK')
    if (transaction === 'within') {
      await session.client.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`)
      await session.client.query(`RELEASE SAVEPOINT ${SAVEPOINT}`)
    }
  }

  async #endBusy(session: Session, busy: Promise<unknown>): Promise<void> {
    let settled = false
    const ended = busy.then(
      () => {
        settled = true
      },
      () => {
        settled = true
      },
    )
    // What has an answer already is no reason to ask for a cancel, which would meet the next statement.
    await new Promise(setImmediate)
    if (!settled) await session.cancel()
    await ended
  }

  release(): Promise<void> {
    this.#releasing ??= this.#giveBack()
    return this.#releasing
  }

  async #giveBack(): Promise<void> {
    try {
      if (this.#session.alive) await this.#lease.release()
      else await this.#lease.discard()
    } finally {
      await this.#connections[Symbol.asyncDispose]()
    }
  }
}
