/** One connection to a server: the driver's client, what the server is, and the ways to end what it does. */
import { createError } from '../../core/errors.ts'
import type { Abortable } from '../../core/types.ts'
import { withTimeout } from '../../resilience/timeout.ts'
import type { DriverClient } from './driver.ts'
import { isTransientAtConnect, postgresError, serverError } from './errors.ts'
import type { PostgresDialect } from './options.ts'

/** How long asking for a cancel, or after the server, may take, milliseconds. */
const ASIDE_MS = 2000

/** What a client of the driver is made with. */
export type DriverConfig = Readonly<Record<string, unknown>>

interface ClientClass {
  new (config: DriverConfig): ConnectableClient
}

interface ConnectableClient extends DriverClient {
  connect(): Promise<unknown>
  readonly ssl?: unknown
  readonly secretKey?: number | Buffer | null
  getTransactionStatus?(): string | null
}

/** The driver's `connection`, by what cancelling uses of it. */
interface CancelConnection {
  connect(port: number | string | undefined, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: unknown): void
  on(event: string, listener: (...values: unknown[]) => void): void
  readonly stream: { destroy(): void; unref?(): void }
}

export class Session {
  readonly client: DriverClient
  readonly dialect: PostgresDialect
  #alive = true

  constructor(client: DriverClient, dialect: PostgresDialect) {
    this.client = client
    this.dialect = dialect
    // Without a listener an error of an idle connection would end the process.
    client.on('error', () => {
      this.#alive = false
    })
    client.on('end', () => {
      this.#alive = false
    })
  }

  /** Whether the connection is there, as far as is known. */
  get alive(): boolean {
    return this.#alive && !this.client.connection.stream.destroyed
  }

  /** Whether a transaction is open; undefined where the driver does not tell. */
  get inTransaction(): boolean | undefined {
    const status = (this.client as ConnectableClient).getTransactionStatus?.() ?? undefined
    return status === undefined ? undefined : status !== 'I'
  }

  /** Whether the process may end while the connection is open. */
  hold(held: boolean): void {
    const stream = this.client.connection.stream as { ref?(): void; unref?(): void }
    if (held) stream.ref?.()
    else stream.unref?.()
  }

  /** Ends the connection, whatever goes on. */
  destroy(error?: Error): void {
    this.#alive = false
    this.client.connection.stream.destroy(error)
  }

  /** Says goodbye to the server. */
  async end(): Promise<void> {
    if (!this.alive) return this.destroy()
    this.#alive = false
    await withTimeout(() => this.client.end(), ASIDE_MS).catch(() => this.destroy())
  }

  /** Asks the server to cancel what it does for this connection. Settles when the server has been told, or cannot be. */
  async cancel(): Promise<void> {
    const { processID } = this.client
    const { secretKey } = this.client as ConnectableClient
    if (typeof processID !== 'number' || processID === 0 || secretKey === null || secretKey === undefined) return
    const other = this.#another()
    const connection = other.connection as unknown as CancelConnection
    try {
      await withTimeout(
        () =>
          new Promise<void>(resolve => {
            const send = () => connection.cancel(processID, secretKey)
            connection.on('connect', () => (this.#ssl ? connection.requestSsl() : send()))
            connection.on('sslconnect', send)
            connection.on('error', () => resolve())
            // The server closes the connection once it has passed the request on.
            connection.on('end', () => resolve())
            if (this.client.host?.startsWith('/'))
              connection.connect(`${this.client.host}/.s.PGSQL.${this.client.port}`)
            else connection.connect(this.client.port, this.client.host)
          }),
        ASIDE_MS,
      )
    } catch {
      // The one who waits for the end of the query notices.
    } finally {
      connection.stream.destroy()
    }
  }

  /**
   * Asks a Postgres, over another connection, whether it works for this one: not if it has sent all it has, waits for us,
   * or is not to be reached.
   */
  async isWorking(): Promise<boolean> {
    if (this.dialect !== 'postgres') return false
    const other = this.#another()
    other.on('error', () => {})
    const ask = async () => {
      await other.connect()
      const { rows } = await other.query(
        `SELECT 1 FROM pg_catalog.pg_stat_activity
        WHERE pid = $1 AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Client'`,
        [this.client.processID],
      )
      return rows.length > 0
    }
    try {
      return await withTimeout(ask, ASIDE_MS)
    } catch {
      return false
    } finally {
      other.connection.stream.destroy()
    }
  }

  get #ssl(): boolean {
    const { ssl } = this.client as ConnectableClient
    return ssl !== undefined && ssl !== false && ssl !== null
  }

  /** Another client of the same server; not connected. */
  #another(): ConnectableClient {
    const given = this.client as unknown as Record<string, unknown>
    const { host, port, user, database, password, ssl, sslNegotiation } = given
    return new (this.client.constructor as unknown as ClientClass)({
      host,
      port,
      user,
      database,
      password,
      ssl,
      sslnegotiation: sslNegotiation,
    })
  }
}

export interface ConnectOptions extends Abortable {
  readonly config: DriverConfig
  readonly label: string
  readonly connectTimeoutMs: number
  readonly dialect: PostgresDialect | undefined
}

/** What a server says of itself when it is connected to: names of settings → values. */
export type ServerParameters = ReadonlyMap<string, string>

/** Opens a connection, once. */
export async function connectOnce({
  config,
  label,
  connectTimeoutMs,
  dialect,
  signal,
}: ConnectOptions): Promise<Session> {
  const { Client } = await loadDriver()
  const client = new Client(config)
  const parameters = new Map<string, string>()
  client.on('error', () => {}) // until the session listens; connect() rejects by itself
  client.connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
    parameters.set(String(parameterName), String(parameterValue))
  })
  const connecting = (inner: AbortSignal) => {
    inner.addEventListener('abort', () => client.connection.stream.destroy(), { once: true })
    return client.connect()
  }
  await withTimeout(connecting, connectTimeoutMs, { signal, what: `connecting to ${label}` })
  const session = new Session(client, dialect ?? dialectOf(parameters))
  const settings = session.dialect === 'postgres' ? settingsNeeded(parameters) : []
  if (settings.length > 0) await client.query(settings.join(';'))
  return session
}

/** Only a Postgres, or what passes its words on, reports all of these. */
export function dialectOf(parameters: ServerParameters): PostgresDialect {
  if (parameters.has('crdb_version') || parameters.has('crate_version')) return 'pgwire'
  return ['server_version', 'integer_datetimes', 'DateStyle', 'standard_conforming_strings'].every(name =>
    parameters.has(name),
  )
    ? 'postgres'
    : 'pgwire'
}

/** The statements that make the session write values so that they can be read without loss. */
function settingsNeeded(parameters: ServerParameters): string[] {
  const needed: string[] = []
  if (!/^ISO/.test(parameters.get('DateStyle') ?? '')) needed.push("SET DateStyle = 'ISO'")
  if (!/^(?:UTF-?8|UNICODE)$/i.test(parameters.get('client_encoding') ?? 'UTF8'))
    needed.push("SET client_encoding = 'UTF8'")
  // Before version 12 the default rounds float8.
  if (Number.parseInt(parameters.get('server_version') ?? '', 10) < 12) needed.push('SET extra_float_digits = 3')
  return needed
}

async function loadDriver(): Promise<{ readonly Client: ClientClass }> {
  try {
    const { default: driver } = (await import('pg')) as unknown as { default: { Client: ClientClass } }
    return driver
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw createError('PEER_MISSING', 'Postgres needs the package pg', { hint: 'npm install pg', cause: error })
  }
}

/** Whether connecting is worth another try. */
export const isWorthRetrying = (error: unknown): boolean =>
  isTransientAtConnect(error) || (error as { code?: unknown } | null)?.code === 'TIMEOUT'

/** The error for a connection that could not be made. */
export function connectError(error: unknown, label: string): unknown {
  const server = serverError(error)
  if (server !== undefined || !(error instanceof Error)) return postgresError(error, { label })
  const { code } = error as { code?: unknown }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return createError('SOURCE_NOT_FOUND', `there is no host of this name (${code})`, { label, cause: error })
  }
  if (code === 'ECONNREFUSED') {
    return createError('SOURCE_FAILED', 'no server listens there (ECONNREFUSED)', { label, cause: error })
  }
  return postgresError(error, { label })
}
