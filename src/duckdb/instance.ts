/**
 * DuckDB instances that are shared, counted and safe to hold. `openDuckDb()` gives a lease: a connection of one's own to
 * the one instance of its settings, made for the first lease and closed with the last. An instance that a query broke is
 * given up, so that the next lease gets a good one.
 */

import { rm } from 'node:fs/promises'
import type {
  DuckDBConnection,
  DuckDBInstance,
  DuckDBMaterializedResult,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api'
import { abortable, whenAborted } from '../core/abort.ts'
import { createError } from '../core/errors.ts'
import { claimTempPath, releaseTempPath } from '../core/temp-files.ts'
import type { Abortable } from '../core/types.ts'
import { type LoadedDuckDb, loadDuckDb } from './binding.ts'
import { ChunkStream } from './chunk-stream.ts'
import { duckDbError, failureOf, type QueryPurpose } from './errors.ts'
import { releaseSlot, takeSlot, waitForSlot } from './query-slots.ts'
import { type DuckDbSettings, instanceOptions } from './settings.ts'

/** An interrupt that comes before the query has begun is forgotten, so it is repeated until the query has ended. */
const INTERRUPT_EVERY_MS = 10

export interface QueryOptions extends Abortable, QueryPurpose {
  /** The types of the parameters, where their values do not tell. */
  readonly types?: DuckDBType[] | undefined
}

/** What is bound to `$1`, `$2`, … */
export type QueryParameters = readonly DuckDBValue[]

/**
 * A connection to a shared instance. One query at a time: a second one ends the first. Disposing it interrupts what
 * runs, ends an unfinished stream (its files are closed then, not when memory is collected), and closes the connection.
 */
export interface DuckDbLease extends AsyncDisposable {
  readonly duckdb: LoadedDuckDb
  /** For what is not offered here; a query run on it is neither counted nor interrupted. */
  readonly connection: DuckDBConnection
  /** Whether the instance is broken, by whichever query: open another lease. */
  readonly broken: boolean
  /** Runs a statement to its end, with its result in memory. Aborting interrupts it. */
  run(sql: string, parameters?: QueryParameters, options?: QueryOptions): Promise<DuckDBMaterializedResult>
  /** The few rows of a statement, as objects of DuckDB's own plain values. */
  rows(sql: string, parameters?: QueryParameters, options?: QueryOptions): Promise<Record<string, unknown>[]>
  /** Looks at a query, so that its columns are known, and does not run it. */
  prepare(sql: string, parameters?: QueryParameters, options?: QueryOptions): Promise<PreparedQuery>
  /** Starts a query whose chunks are fetched one by one, and whose end is checked. */
  stream(sql: string, parameters?: QueryParameters, options?: QueryOptions): Promise<ChunkStream>
}

/** A query that has not begun. */
export interface PreparedQuery {
  /** Not to be asked for where the columns depend on a parameter, such as the path of a file, nor after `stream()`. */
  readonly columnNames: readonly string[]
  readonly columnTypes: readonly DuckDBType[]
  /** Starts it, once. */
  stream(): Promise<ChunkStream>
}

interface OpenInstance {
  readonly duckdb: LoadedDuckDb
  readonly instance: DuckDBInstance
  /** Closes it and removes its temp files. */
  close(): Promise<void>
}

interface SharedInstance {
  readonly key: string
  readonly opening: Promise<OpenInstance>
  leases: number
  broken: boolean
}

let isolatedCount = 0
const instances = new Map<string, SharedInstance>()
/** Connections with a query that runs now. */
const running = new Set<DuckDBConnection>()

/** `process.exit()` waits for the threads of the pool, so for a query that may take minutes. */
function interruptAll(): void {
  for (const connection of running) connection.interrupt()
}

/**
 * A lease on the instance of these settings. Throws PEER_MISSING where DuckDB is not installed; `what` begins its
 * message. `isolated`: an instance of one's own, for a query that may break it.
 */
export async function openDuckDb(
  settings: DuckDbSettings = {},
  { signal, what = 'this', isolated = false }: Abortable & { readonly what?: string; readonly isolated?: boolean } = {},
): Promise<DuckDbLease> {
  signal?.throwIfAborted()
  const options = instanceOptions(settings)
  const key = isolated ? `isolated ${++isolatedCount}` : JSON.stringify(options)
  let shared = instances.get(key)
  if (shared === undefined) {
    shared = { key, opening: openInstance(options, what), leases: 0, broken: false }
    if (instances.size === 0) process.on('exit', interruptAll)
    instances.set(key, shared)
  }
  shared.leases++
  try {
    const { duckdb, instance } = await shared.opening
    signal?.throwIfAborted()
    return new Lease(shared, duckdb, await instance.connect())
  } catch (error) {
    await release(shared)
    throw signal?.aborted === true ? signal.reason : duckDbError(error)
  }
}

/** How many instances are open, and leases on them. */
export function openInstances(): { readonly instances: number; readonly leases: number } {
  let leases = 0
  for (const shared of instances.values()) leases += shared.leases
  return { instances: instances.size, leases }
}

async function openInstance(options: Record<string, string>, what: string): Promise<OpenInstance> {
  const duckdb = await loadDuckDb(what)
  // DuckDB makes it when something has to be put there. Its own default is the working directory.
  const folder = options.temp_directory === undefined ? await claimTempPath() : undefined
  const close = async (instance: DuckDBInstance | undefined): Promise<void> => {
    instance?.closeSync()
    if (folder === undefined) return
    await rm(folder, { recursive: true, force: true })
    releaseTempPath(folder)
  }
  let instance: DuckDBInstance | undefined
  try {
    instance = await duckdb.api.DuckDBInstance.create(':memory:', {
      ...options,
      ...(folder === undefined ? {} : { temp_directory: folder }),
    })
    const connection = await instance.connect()
    // Instants are shown in this zone by casts, and compared in it.
    await connection.run("SET GLOBAL TimeZone = 'UTC'").finally(() => connection.closeSync())
    const opened = instance
    return { duckdb, instance: opened, close: () => close(opened) }
  } catch (error) {
    await close(instance)
    throw error
  }
}

async function release(shared: SharedInstance): Promise<void> {
  if (--shared.leases > 0) return
  forget(shared)
  const opened = await shared.opening.catch(() => undefined)
  await opened?.close()
}

/** The next lease gets an instance of its own. */
function forget(shared: SharedInstance): void {
  if (instances.get(shared.key) === shared) instances.delete(shared.key)
  if (instances.size === 0) process.off('exit', interruptAll)
}

class Lease implements DuckDbLease {
  readonly duckdb: LoadedDuckDb
  readonly connection: DuckDBConnection
  readonly #shared: SharedInstance
  /** The native call that runs, until it has really ended. */
  #pending: Promise<unknown> | undefined
  #stream: ChunkStream | undefined
  #closing: Promise<void> | undefined

  constructor(shared: SharedInstance, duckdb: LoadedDuckDb, connection: DuckDBConnection) {
    this.#shared = shared
    this.duckdb = duckdb
    this.connection = connection
  }

  get broken(): boolean {
    return this.#shared.broken
  }

  run(sql: string, parameters: QueryParameters = [], options: QueryOptions = {}): Promise<DuckDBMaterializedResult> {
    return this.#call(() => this.connection.run(sql, [...parameters], options.types), options)
  }

  async rows(sql: string, parameters?: QueryParameters, options?: QueryOptions): Promise<Record<string, unknown>[]> {
    const result = await this.run(sql, parameters, options)
    return result.getRowObjectsJS()
  }

  async prepare(sql: string, parameters: QueryParameters = [], options: QueryOptions = {}): Promise<PreparedQuery> {
    const prepared = await this.#call(() => this.connection.prepare(sql), options)
    try {
      if (parameters.length > 0) prepared.bind([...parameters], options.types)
    } catch (error) {
      throw duckDbError(error, options)
    }
    const indexes = Array.from({ length: prepared.columnCount }, (_, i) => i)
    return {
      // Asked for only where they are wanted: what depends on a parameter has no type yet.
      get columnNames() {
        return indexes.map(i => prepared.columnName(i))
      },
      get columnTypes() {
        return indexes.map(i => prepared.columnType(i))
      },
      stream: async () => {
        const result = await this.#call(() => prepared.stream(), options)
        prepared.destroySync()
        this.#stream = new ChunkStream({
          result,
          fetch: fetching => this.#call(() => result.fetchChunk(), { ...options, ...fetching }),
          // A stream that failed does not say why: the same rows are asked for again in one piece.
          diagnose: fetching =>
            this.run(`SELECT max(hash(t)) FROM (${sql}) t`, parameters, { ...options, ...fetching }).then(() => {
              throw createError('DUCKDB_FAILED', 'DuckDB: the query ended before its last row', {
                label: options.label,
              })
            }),
        })
        return this.#stream
      },
    }
  }

  async stream(sql: string, parameters?: QueryParameters, options?: QueryOptions): Promise<ChunkStream> {
    return (await this.prepare(sql, parameters, options)).stream()
  }

  /** One native call: waits for its turn, is interrupted by the signal, and has its errors told in our words. */
  async #call<T>(start: () => Promise<T>, options: QueryOptions): Promise<T> {
    const { signal } = options
    signal?.throwIfAborted()
    // A call that was aborted goes on until DuckDB has heard of it; the next one must not be interrupted in its place.
    while (this.#pending !== undefined) await abortable(this.#pending, signal)
    if (this.#closing !== undefined) throw createError('HANDLE_CLOSED', 'the DuckDB connection was closed')
    if (!takeSlot()) await waitForSlot(signal)
    if (this.#closing !== undefined) {
      releaseSlot()
      throw createError('HANDLE_CLOSED', 'the DuckDB connection was closed')
    }
    running.add(this.connection)
    const pending = start()
    const ended = pending.then(
      () => this.#ended(),
      error => this.#ended(error),
    )
    this.#pending = ended
    const unlisten = whenAborted(signal, () => this.#interrupt())
    try {
      return await abortable(pending, signal)
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : duckDbError(error, options)
    } finally {
      unlisten()
    }
  }

  #ended(error?: unknown): void {
    running.delete(this.connection)
    this.#pending = undefined
    releaseSlot()
    if (error === undefined) return
    const failure = failureOf(error)
    if (failure !== 'fatal' && failure !== 'invalidated') return
    this.#shared.broken = true
    forget(this.#shared)
  }

  #interrupt(): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.connection.interrupt()
    const timer = setInterval(() => this.connection.interrupt(), INTERRUPT_EVERY_MS)
    pending.finally(() => clearInterval(timer))
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#interrupt()
    await this.#pending
    // A stream that was not read to its end keeps its files open until memory is collected; any query ends it.
    if (this.#stream !== undefined && !this.#stream.ended) await this.connection.run('SELECT 1').catch(() => {})
    this.connection.closeSync()
    await release(this.#shared)
  }
}
