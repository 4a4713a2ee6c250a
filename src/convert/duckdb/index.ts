/** Conversions by one `COPY` of DuckDB, where that gives what our own readers and writers give. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Schema } from '../../core/schema.ts'
import type { ByteSink, RowSink } from '../../core/types.ts'
import { failureOf } from '../../duckdb/errors.ts'
import { type DuckDbLease, openDuckDb } from '../../duckdb/instance.ts'
import type { ReadTarget } from '../../open.ts'
import type { Resolution } from '../../resolve.ts'
import type { ConvertOptions } from '../options.ts'
import { sourceOf } from './facts.ts'
import { copyTo, type DuckDbPlan, planDuckDb, unfitRequest } from './plan.ts'
import { type DuckDbEnds, isUnfit, type Unfit } from './request.ts'

export { isUnfit, type Unfit } from './request.ts'

/** What `resolveConversion` gives. */
export interface Conversion {
  readonly from: Resolution
  readonly to: Resolution
  readonly options: ConvertOptions
  readonly infersTypes: boolean
}

/** A conversion that DuckDB can do; it holds a connection until it is disposed. */
export interface DuckDbConversion extends AsyncDisposable {
  readonly plan: DuckDbPlan
  readonly schema: Schema
  /** Absolute path of the source. */
  readonly path: string
  /**
   * Writes and publishes the output. Nothing is published where it does not end well: where DuckDB met a value that it
   * would not read or write as we do, or a file that it cannot read, the reason is given and our own road is to be taken,
   * which has the words for what is wrong. Rejects with `signal.reason`, and with what the place says of the output.
   */
  run(
    onProgress?: (fraction: number) => void,
  ): Promise<{ readonly rowCount: number; readonly bytesWritten: number } | Unfit>
}

const PROGRESS_EVERY_MS = 50
const MIN_BYTES = 1024 * 1024

/** Why DuckDB is not even asked; undefined where it may be. No I/O. */
export function refusalOf(conversion: Conversion): Unfit | undefined {
  const ends = endsOf(conversion)
  return isUnfit(ends) ? ends : unfitRequest(ends)
}

/** Looks at the source and plans the statement; or says why not. */
export async function openDuckDbConversion(
  from: ReadTarget,
  conversion: Conversion,
): Promise<DuckDbConversion | Unfit> {
  const ends = endsOf(conversion)
  if (isUnfit(ends)) return ends
  const unfit = unfitRequest(ends)
  if (unfit !== undefined) return unfit
  const { signal } = conversion.options
  const dear = await notWorthIt(ends)
  if (dear !== undefined) return dear
  const lease = await openDuckDb({}, { signal, what: 'converting by DuckDB' }).catch(error => {
    if ((error as { code?: unknown }).code === 'PEER_MISSING') return undefined
    throw error
  })
  if (lease === undefined) return { reason: '@duckdb/node-api is not installed' }
  try {
    const source = await sourceOf(lease, from, ends)
    const plan = isUnfit(source) ? source : planDuckDb(lease.duckdb, ends, source)
    if (!isUnfit(plan)) return new Copying(lease, plan, conversion)
    await lease[Symbol.asyncDispose]()
    return plan
  } catch (error) {
    await lease[Symbol.asyncDispose]()
    if (signal?.aborted === true) throw signal.reason
    // A file that DuckDB cannot open is one that our own reader tells of.
    if (isDuckDbError(error)) return { reason: messageOf(error) }
    throw error
  }
}

/**
 * Why DuckDB could do it and is not worth it. Our own CSV parser takes less time than DuckDB's, and small files are
 * converted before DuckDB would have begun. Whoever asks for DuckDB gets it, and what only DuckDB does is worth it.
 */
async function notWorthIt({ path, options, sourceFormat }: DuckDbEnds): Promise<Unfit | undefined> {
  if (options.engine === 'duckdb') return undefined
  if (sourceFormat === 'csv') {
    return options.orderBy === undefined ? { reason: 'our own CSV parser is quicker than that of DuckDB' } : undefined
  }
  const stats = await stat(path).catch(() => undefined)
  return stats !== undefined && stats.size < MIN_BYTES ? { reason: 'the file is small' } : undefined
}

function endsOf({ from, to, options, infersTypes }: Conversion): DuckDbEnds | Unfit {
  if (from.entry.id !== 'file' || to.entry.id !== 'file') return { reason: 'DuckDB is given local files only' }
  if (from.codecs.length > 0 || to.codecs.length > 0) {
    return { reason: 'compressed text is decoded and verified by our own codecs' }
  }
  if (from.format === undefined || to.format === undefined) return { reason: 'only the content tells the format' }
  if (options.read?.sniff === true) return { reason: 'the content is to tell the dialect' }
  return {
    path: localPath(from.target),
    label: from.label,
    sourceFormat: from.format.id,
    targetFormat: to.format.id,
    read: from.options,
    write: without(to.options, ['mode']),
    options,
    infersTypes,
  }
}

function without(options: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)))
}

function localPath(target: unknown): string {
  const isUrl = target instanceof URL || (typeof target === 'string' && /^file:/i.test(target))
  return isUrl ? fileURLToPath(String(target)) : resolve(String(target))
}

class Copying implements DuckDbConversion {
  readonly plan: DuckDbPlan
  readonly #lease: DuckDbLease
  readonly #conversion: Conversion

  constructor(lease: DuckDbLease, plan: DuckDbPlan, conversion: Conversion) {
    this.#lease = lease
    this.plan = plan
    this.#conversion = conversion
  }

  get path(): string {
    return localPath(this.#conversion.from.target)
  }

  get schema(): Schema {
    return this.plan.source.schema
  }

  async run(
    onProgress?: (fraction: number) => void,
  ): Promise<{ readonly rowCount: number; readonly bytesWritten: number } | Unfit> {
    const { to, options } = this.#conversion
    const signal = options.signal ?? new AbortController().signal
    const place = await to.entry.load()
    const sink = (await place.openSink!(to.target, { signal, options: {}, append: false })) as ByteSink | RowSink
    try {
      if (!('localPath' in sink) || sink.localPath === undefined) {
        await sink[Symbol.asyncDispose]()
        return { reason: 'the target is not a file that can be written in one go' }
      }
      const rowCount = await this.#copy(sink.localPath, signal, onProgress)
      if (typeof rowCount !== 'number') {
        await sink.abort()
        return rowCount
      }
      const { size: bytesWritten } = await stat(sink.localPath)
      await sink.close()
      return { rowCount, bytesWritten }
    } catch (error) {
      await sink[Symbol.asyncDispose]()
      throw signal.aborted ? signal.reason : error
    }
  }

  async #copy(
    path: string,
    signal: AbortSignal,
    onProgress: ((fraction: number) => void) | undefined,
  ): Promise<number | Unfit> {
    const { plan } = this
    const stop = onProgress === undefined ? () => {} : await this.#watch(onProgress)
    try {
      const result = await this.#lease.run(copyTo(plan, path), plan.parameters, { signal, types: [...plan.types] })
      const { rowsChanged } = result
      if (plan.expectedRows !== undefined && rowsChanged !== plan.expectedRows) {
        return { reason: `DuckDB wrote ${rowsChanged} rows of ${plan.expectedRows}` }
      }
      return rowsChanged
    } catch (error) {
      if (signal.aborted || !isDuckDbError(error)) throw error
      return { reason: messageOf(error) }
    } finally {
      stop()
    }
  }

  /** DuckDB tells how far it is only where it is asked to print it, which it then is not to do. */
  async #watch(onProgress: (fraction: number) => void): Promise<() => void> {
    await this.#lease.run('SET enable_progress_bar = true')
    await this.#lease.run('SET enable_progress_bar_print = false')
    const timer = setInterval(() => {
      const { percentage } = this.#lease.connection.progress
      if (percentage > 0) onProgress(Math.min(1, percentage / 100))
    }, PROGRESS_EVERY_MS)
    timer.unref()
    return () => clearInterval(timer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lease[Symbol.asyncDispose]()
  }
}

/** Whether an error is DuckDB's own, or ours in its stead. */
function isDuckDbError(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  if (typeof code === 'string') {
    return /^(?:DUCKDB_|PARQUET_|QUERY_INVALID|SOURCE_NOT_FOUND)/.test(code)
  }
  return failureOf(error) !== 'other'
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
