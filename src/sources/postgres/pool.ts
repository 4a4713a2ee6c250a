/**
 * Where connections come from: a pool of ours for each connection string, a pool or a client of the user's, or the one
 * connection of a transaction.
 */
import { createError } from '../../core/errors.ts'
import { postgresLabel } from '../../core/target-urls.ts'
import type { Abortable } from '../../core/types.ts'
import { DEFAULT_TIMEOUT_MS, retryPolicyOf } from '../../remote/options.ts'
import { type Lease, ResourcePool } from '../../resilience/resource-pool.ts'
import { RetryPolicy } from '../../resilience/retry.ts'
import { Semaphore } from '../../resilience/semaphore.ts'
import { withTimeout } from '../../resilience/timeout.ts'
import { TypeCatalog } from './catalog.ts'
import type { DriverClient, DriverPool } from './driver.ts'
import type { PostgresConnectionOptions } from './options.ts'
import { connectError, connectOnce, isWorthRetrying, Session } from './session.ts'
import { type GivenConnection, givenConnection, parseServerUrl, type ServerUrl } from './target.ts'

const DEFAULTS = { poolSize: 10, acquireTimeoutMs: 30_000, connectTimeoutMs: 10_000, idleTimeoutMs: 10_000 }

/** Where connections come from. Disposing it gives up the right to them, not the connections that others use. */
export interface Connections extends AsyncDisposable {
  readonly label: string
  /** What was learnt of the server's types. */
  readonly catalog: TypeCatalog
  /** How long the server may be silent. */
  readonly timeoutMs: number
  /** Whether the pool is the library's own, so that what is given back late is nobody's concern. */
  readonly own: boolean
  /** Whether all connections are one, inside a transaction that somebody else began. */
  readonly transaction: boolean
  /** Whether a transaction may be open on a connection that does not tell: a client of the user's. */
  readonly mayBeInTransaction: boolean
  /** How many connections there are for the taking, without waiting. */
  available(): number
  acquire(options: Abortable): Promise<Lease<Session>>
}

/** The connections that a target and its options mean; `table` and `query` are those of a URL. */
export function openConnections(
  target: unknown,
  options: PostgresConnectionOptions,
): { readonly connections: Connections; readonly table?: string | undefined; readonly query?: string | undefined } {
  if (typeof target === 'string' || target instanceof URL) {
    const { connectionString, table, query } = parsed(String(target))
    return { connections: shareServerPool(connectionString, options), table, query }
  }
  return { connections: openGiven(givenConnection((target as { postgres?: unknown }).postgres), options) }
}

/** URLs that were parsed already; small queries come by the thousand. */
const parsedUrls = new Map<string, ServerUrl>()
const MAX_PARSED_URLS = 100

function parsed(url: string): ServerUrl {
  let known = parsedUrls.get(url)
  if (known === undefined) {
    known = parseServerUrl(url)
    if (parsedUrls.size >= MAX_PARSED_URLS) parsedUrls.clear()
    parsedUrls.set(url, known)
  }
  return known
}

const serverLabels = new Map<string, string>()

function labelOfServer(connectionString: string): string {
  let label = serverLabels.get(connectionString)
  if (label === undefined) {
    label = postgresLabel(connectionString)
    if (serverLabels.size >= MAX_PARSED_URLS) serverLabels.clear()
    serverLabels.set(connectionString, label)
  }
  return label
}

// Below: pools of ours

interface ServerPool {
  readonly pool: ResourcePool<Session>
  /** Whose turn it is; apart from the pool, as waiting for a turn and connecting have time limits of their own. */
  readonly turns: Semaphore
  readonly catalog: TypeCatalog
  users: number
  /** Calls off the end that comes when nobody uses the pool for as long as a connection may lie idle. */
  keep: (() => void) | undefined
}

const pools = new Map<string, ServerPool>()
const objectIds = new WeakMap<object, number>()
let objects = 0

function shareServerPool(connectionString: string, options: PostgresConnectionOptions): Connections {
  const { poolSize, acquireTimeoutMs, connectTimeoutMs, idleTimeoutMs } = { ...DEFAULTS, ...defined(options) }
  const { dialect, retry, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const label = labelOfServer(connectionString)
  const key = [
    connectionString,
    poolSize,
    acquireTimeoutMs,
    connectTimeoutMs,
    idleTimeoutMs,
    dialect,
    idOf(retry),
  ].join('\n')
  let entry = pools.get(key)
  if (entry === undefined) {
    // Only connecting is tried again: no statement has been sent then, so nothing can be done twice.
    const policy = retry instanceof RetryPolicy ? retry : retryPolicyOf({ retries: isWorthRetrying, ...retry })
    const config = { connectionString, keepAlive: true, fallback_application_name: 'open-iterable' }
    const pool = new ResourcePool<Session>({
      max: poolSize,
      acquireTimeoutMs: Number.POSITIVE_INFINITY,
      idleTimeoutMs,
      label,
      create: async ({ signal }) => {
        try {
          return await policy.run(
            attempt => connectOnce({ config, label, connectTimeoutMs, dialect, signal: attempt.signal }),
            { signal },
          )
        } catch (error) {
          throw signal.aborted ? error : connectError(error, label)
        }
      },
      validate: session => session.alive,
      destroy: session => session.end(),
    })
    entry = { pool, turns: new Semaphore(poolSize), catalog: new TypeCatalog(), users: 0, keep: undefined }
    pools.set(key, entry)
  }
  return new SharedConnections(label, entry, { timeoutMs, acquireTimeoutMs }, () => scheduleEnd(key, idleTimeoutMs))
}

class SharedConnections implements Connections {
  readonly label: string
  readonly catalog: TypeCatalog
  readonly timeoutMs: number
  readonly #acquireTimeoutMs: number
  readonly own = true
  readonly transaction = false
  readonly mayBeInTransaction = false
  readonly #entry: ServerPool
  readonly #onLast: () => void
  #disposed = false

  constructor(
    label: string,
    entry: ServerPool,
    limits: { readonly timeoutMs: number; readonly acquireTimeoutMs: number },
    onLast: () => void,
  ) {
    this.label = label
    this.catalog = entry.catalog
    this.timeoutMs = limits.timeoutMs
    this.#acquireTimeoutMs = limits.acquireTimeoutMs
    this.#entry = entry
    this.#onLast = onLast
    entry.users++
    entry.keep?.()
    entry.keep = undefined
  }

  available(): number {
    const { turns } = this.#entry
    return turns.waiting > 0 ? 0 : turns.available
  }

  async acquire({ signal }: Abortable): Promise<Lease<Session>> {
    const { turns, pool } = this.#entry
    const { label } = this
    const acquireTimeoutMs = this.#acquireTimeoutMs
    const hint = 'close readers that are not read to their end, or raise poolSize or acquireTimeoutMs'
    const permit = turns.tryAcquire() ?? (await waitForTurn(turns, { signal, acquireTimeoutMs, label, hint }))
    try {
      signal?.throwIfAborted()
      return this.#lend(pool.tryAcquire() ?? (await pool.acquire({ signal })), permit)
    } catch (error) {
      permit.release()
      throw error
    }
  }

  #lend(lease: Lease<Session>, permit: { release(): void }): Lease<Session> {
    const session = lease.resource
    session.hold(true)
    const release = async () => {
      // A connection that lies idle does not keep the process alive.
      session.hold(false)
      await lease.release()
      permit.release()
    }
    const discard = async () => {
      await lease.discard()
      permit.release()
    }
    return { resource: session, release, discard, [Symbol.asyncDispose]: release }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    if (--this.#entry.users === 0) this.#onLast()
  }
}

/** Ends a pool that nobody has used for a while; the next one may come at once, and then finds it. */
function scheduleEnd(key: string, idleTimeoutMs: number): void {
  const entry = pools.get(key)
  if (entry === undefined || idleTimeoutMs === Number.POSITIVE_INFINITY) return
  const timer = setTimeout(() => {
    pools.delete(key)
    void entry.pool[Symbol.asyncDispose]()
  }, idleTimeoutMs)
  timer.unref()
  entry.keep = () => clearTimeout(timer)
}

/** Ends all pools of ours: waits for what is in use, and closes every connection. */
export async function closePostgresPools(): Promise<void> {
  const all = [...pools.values()]
  pools.clear()
  for (const { keep } of all) keep?.()
  await Promise.all(all.map(({ pool }) => pool[Symbol.asyncDispose]()))
}

/** Connections of our pools: in use, and idle. */
export function countConnections(): { inUse: number; idle: number } {
  const all = [...pools.values()]
  const sum = (count: (pool: ResourcePool<Session>) => number) =>
    all.reduce((total, { pool }) => total + count(pool), 0)
  return { inUse: sum(pool => pool.inUse), idle: sum(pool => pool.idle) }
}

function idOf(value: object | undefined): number {
  if (value === undefined) return 0
  let id = objectIds.get(value)
  if (id === undefined) objectIds.set(value, (id = ++objects))
  return id
}

function defined(options: PostgresConnectionOptions): Partial<typeof DEFAULTS> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

// Below: what the user brings

const LABEL = '<postgres>'
const catalogs = new WeakMap<object, TypeCatalog>()
const clients = new WeakMap<DriverClient, Semaphore>()
const sessions = new WeakMap<DriverClient, Session>()

function openGiven(given: GivenConnection, options: PostgresConnectionOptions): Connections {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, acquireTimeoutMs = DEFAULTS.acquireTimeoutMs } = options
  const common = { timeoutMs, own: false, available: () => 0, async [Symbol.asyncDispose]() {} }
  if (given.kind === 'transaction')
    return { ...given.connections, ...common, acquire: o => given.connections.acquire(o) }
  const catalog = catalogOf(given.kind === 'pool' ? given.pool : given.client)
  if (given.kind === 'pool') {
    const { pool } = given
    const acquire = (signal: Abortable) => acquireFrom(pool, options, signal)
    const available = () => (pool.options?.max ?? 1) - (pool.totalCount ?? 1) + (pool.idleCount ?? 0)
    return { ...common, label: LABEL, catalog, transaction: false, mayBeInTransaction: false, acquire, available }
  }
  const { client } = given
  const label = labelOf(client)
  const acquire = ({ signal }: Abortable) =>
    acquireOnly(sessionOf(client, options), turnsOf(client), { signal, acquireTimeoutMs, label })
  return { ...common, label, catalog, transaction: false, mayBeInTransaction: true, acquire }
}

async function acquireFrom(
  pool: DriverPool,
  options: PostgresConnectionOptions,
  { signal }: Abortable,
): Promise<Lease<Session>> {
  signal?.throwIfAborted()
  const client = await pool.connect().catch(error => {
    throw connectError(error, LABEL)
  })
  const session = sessionOf(client, options)
  let returned = false
  const giveBack = async (broken: boolean) => {
    if (returned) return
    returned = true
    client.release(broken || !session.alive)
  }
  const lease: Lease<Session> = {
    resource: session,
    release: () => giveBack(false),
    discard: () => giveBack(true),
    [Symbol.asyncDispose]: () => giveBack(false),
  }
  if (signal?.aborted) {
    await lease.release()
    throw signal.reason
  }
  return lease
}

/** One client serves one reader at a time; the others wait in line. Its life is the user's. */
function turnsOf(client: DriverClient): Semaphore {
  let turns = clients.get(client)
  if (turns === undefined) clients.set(client, (turns = new Semaphore(1)))
  return turns
}

/** The one session there is, when it is one's turn. One that is broken is destroyed, and not made anew. */
export async function acquireOnly(
  session: Session,
  turns: Semaphore,
  { signal, ...limits }: Abortable & TurnLimits,
): Promise<Lease<Session>> {
  signal?.throwIfAborted()
  const hint = 'one connection serves one reader at a time: end the one before, or read over several connections'
  const permit = turns.tryAcquire() ?? (await waitForTurn(turns, { signal, ...limits, hint }))
  const { label } = limits
  if (!session.alive) {
    permit.release()
    throw createError('SOURCE_FAILED', 'the connection is closed', { label })
  }
  const release = async () => permit.release()
  const discard = async () => {
    session.destroy()
    permit.release()
  }
  return { resource: session, release, discard, [Symbol.asyncDispose]: release }
}

async function waitForTurn(
  turns: Semaphore,
  { signal, acquireTimeoutMs, label, hint }: Abortable & TurnLimits & { readonly hint: string },
) {
  return withTimeout(waiting => turns.acquire({ signal: waiting }), acquireTimeoutMs, {
    signal,
    onLate: permit => permit.release(),
    onTimeout: () =>
      createError('POOL_EXHAUSTED', `all connections were in use for ${acquireTimeoutMs} ms`, { label, hint }),
  })
}

interface TurnLimits {
  readonly acquireTimeoutMs: number
  readonly label: string
}

function sessionOf(client: DriverClient, { dialect = 'postgres' }: PostgresConnectionOptions): Session {
  let session = sessions.get(client)
  if (session === undefined || session.dialect !== dialect)
    sessions.set(client, (session = new Session(client, dialect)))
  return session
}

function catalogOf(owner: object): TypeCatalog {
  let catalog = catalogs.get(owner)
  if (catalog === undefined) catalogs.set(owner, (catalog = new TypeCatalog()))
  return catalog
}

function labelOf({ host, port, database }: DriverClient): string {
  return host === undefined ? LABEL : `postgres://${host}:${port}/${database}`
}
