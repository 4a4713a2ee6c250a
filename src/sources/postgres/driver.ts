/** What is used of the driver, `pg`: of its clients, and of pools and clients that users bring. */
import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'

/** What takes over a client's connection: the driver calls these. */
export interface Submittable {
  submit(connection: DriverConnection): void
  handleError(error: Error): void
  handleReadyForQuery(): void
}

export interface DriverConnection extends EventEmitter {
  readonly stream: Duplex
  /** Sends a statement by the simple protocol. */
  query(sql: string): void
  endCopyFrom(): void
  sendCopyFail(reason: string): void
}

/** A client of `pg`. */
export interface DriverClient extends EventEmitter {
  readonly connection: DriverConnection
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly processID?: number | null
  query(submittable: Submittable): unknown
  query(sql: string, values?: readonly unknown[]): Promise<DriverResult>
  /** A statement that is prepared once by its name. */
  query(statement: {
    readonly name: string
    readonly text: string
    readonly values: readonly unknown[]
  }): Promise<DriverResult>
  getTypeParser?(oid: number, format: 'text'): (text: string) => unknown
  end(): Promise<void>
}

export interface DriverResult {
  readonly rows: Record<string, unknown>[]
  readonly rowCount: number | null
  /** The columns; none of a statement without rows. */
  readonly fields?: readonly { readonly name: string }[]
}

/** A pool of `pg`, as far as it is used. */
export interface DriverPool {
  readonly options?: { readonly max?: number }
  readonly totalCount?: number
  readonly idleCount?: number
  connect(): Promise<DriverClient & { release(error?: Error | boolean): void }>
}

/** What is read and written through a `Pool` or a connected `Client` of `pg`, or a transaction of `withTransaction`. */
export interface PostgresTarget {
  /** A `Pool` or a connected `Client` of `pg`, which stays yours, or a transaction of `withTransaction`. */
  readonly postgres: {
    /** What tells that it is one. */
    query(sql: string, values?: unknown[]): Promise<unknown>
  }
}
