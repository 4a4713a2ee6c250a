/** Targets: what names a server, and the table that a URL may name beside it. */
import { createError } from '../../core/errors.ts'
import type { DriverClient, DriverPool } from './driver.ts'
import type { Connections } from './pool.ts'

/** A URL without what is ours in it, and what that is. */
export interface ServerUrl {
  readonly connectionString: string
  readonly table: string | undefined
  readonly query: string | undefined
}

/** Takes `?table=…` and `?query=…` out of a URL; the rest is for the driver. */
export function parseServerUrl(target: string | URL): ServerUrl {
  let url: URL
  try {
    url = new URL(String(target))
  } catch {
    // Not as the cause: its message has the URL, and so the password.
    throw createError('OPTION_INVALID', 'the target is no URL of a Postgres server', {
      expected: 'postgres://user:password@host:5432/database',
      hint: 'characters such as @ / # ? in the password are percent-encoded: encodeURIComponent(password)',
    })
  }
  const take = (name: string) => {
    const value = url.searchParams.get(name) ?? undefined
    url.searchParams.delete(name)
    return value
  }
  const table = take('table')
  const query = take('query')
  return { connectionString: url.href, table, query }
}

/** What `{ postgres: … }` may hold. */
export type GivenConnection =
  | { readonly kind: 'pool'; readonly pool: DriverPool }
  | { readonly kind: 'client'; readonly client: DriverClient }
  | { readonly kind: 'transaction'; readonly connections: Connections }

/** Marks the transactions of `withTransaction`. */
export const CONNECTIONS: unique symbol = Symbol.for('open-iterable.postgres.connections')

export function givenConnection(value: unknown): GivenConnection {
  const object = value as Record<PropertyKey, unknown>
  if (typeof value === 'object' && value !== null) {
    if (CONNECTIONS in value) return { kind: 'transaction', connections: object[CONNECTIONS] as Connections }
    if (typeof object.query === 'function' && typeof object.connection === 'object' && object.connection !== null) {
      return { kind: 'client', client: value as unknown as DriverClient }
    }
    if (typeof object.connect === 'function' && typeof object.query === 'function' && 'totalCount' in value) {
      return { kind: 'pool', pool: value as unknown as DriverPool }
    }
  }
  throw createError('OPTION_INVALID', 'the target { postgres } holds nothing that can be read through', {
    expected: 'a Pool or a connected Client of pg, or a transaction of withTransaction',
  })
}
