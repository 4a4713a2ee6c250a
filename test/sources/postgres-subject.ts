/** What tests on Postgres share: a server of the file's own, a client of the plain driver beside ours, and counters. */
import pg from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { closeConnections } from '../../src/index.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'

export interface PostgresSubject {
  readonly server: PostgresServer
  readonly url: string
  /** A client that looks on. */
  readonly admin: pg.Client
  /** The same server by way of another port, with parameters of ours. */
  at(port: number, parameters?: Readonly<Record<string, string>>): string
  /** Sessions of ours that the server has, by their state. */
  sessions(): Promise<string[]>
}

/** Starts a server before the tests of a file and ends it behind them. */
export function usePostgres(): PostgresSubject {
  let server: PostgresServer
  let admin: pg.Client
  beforeAll(async () => {
    server = await startPostgres()
    admin = new pg.Client(server.url)
    admin.on('error', () => {})
    await admin.connect()
  })
  afterAll(async () => {
    await closeConnections()
    await admin.end()
    await server.stop()
  })
  return {
    get server() {
      return server
    },
    get url() {
      return server.url
    },
    get admin() {
      return admin
    },
    at(port, parameters = {}) {
      const url = new URL(server.url)
      url.port = String(port)
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
      return url.href
    },
    async sessions() {
      const { rows } = await admin.query(
        `SELECT state FROM pg_stat_activity WHERE application_name = 'open-iterable' AND datname = current_database() ORDER BY 1`,
      )
      return rows.map(row => row.state)
    },
  }
}

export const collect = async <T>(rows: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

/** The error that a promise rejects with. */
export const errorOf = async (promise: PromiseLike<unknown>): Promise<Error & Record<string, unknown>> => {
  try {
    await promise
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('nothing was thrown')
}
