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
import { copyTo, type DuckDbPlan, expectedRows, planDuckDb, unfitRequest } from './plan.ts'
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
  run(onProgress?: (fraction: number) => void): Promise<Copied | Unfit>
}

/** What was written. */
export interface Copied {
  /** Rows in the output. */
  readonly rowCount: number
  /** Rows in the source, where that is known. */
  readonly rowsRead: number | undefined
  readonly bytesWritten: number
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
  // A pattern, or a file that is missing, which our own road tells of.
  if (!(await isFile(ends.path))) return { reason: 'DuckDB is given single files only' }
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
 * Why DuckDB could do it and is not worth it: small files are converted before DuckDB would have begun, a limit ends our
 * own reading, and from text to text our own road takes as long, on one thread and in less memory. Whoever asks for DuckDB gets it,
 * and what only DuckDB does is worth it.
 */
async function notWorthIt({ path, options, sourceFormat, targetFormat }: DuckDbEnds): Promise<Unfit | undefined> {
  if (options.engine === 'duckdb' || options.orderBy !== undefined) return undefined
  if (sourceFormat !== 'parquet' && options.limit !== undefined) {
    return { reason: 'our own reader stops where the limit is reached' }
  }
  if (sourceFormat !== 'parquet' && targetFormat !== 'parquet') {
    return { reason: 'from text to text our own road is as quick, on one thread and in less memory' }
  }
  // Our own road would read it by DuckDB as well; and a small file of it may hold very many rows.
  if (sourceFormat === 'parquet') return undefined
  const { size } = await stat(path)
  return size < MIN_BYTES ? { reason: 'the file is small' } : undefined
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    stats => stats.isFile(),
    () => false,
  )

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

  async run(onProgress?: (fraction: number) => void): Promise<Copied | Unfit> {
    const { to, options } = this.#conversion
    const signal = options.signal ?? new AbortController().signal
    const place = await to.entry.load()
    const sink = (await place.openSink!(to.target, { signal, options: {}, append: false })) as ByteSink | RowSink
    try {
      if (!('localPath' in sink) || sink.localPath === undefined) {
        await sink[Symbol.asyncDispose]()
        return { reason: 'the target is not a file that can be written in one go' }
      }
      const copied = await this.#copyChecked(sink.localPath, signal, onProgress)
      if (isUnfit(copied)) {
        await this[Symbol.asyncDispose]()
        await sink.abort()
        return copied
      }
      const { size: bytesWritten } = await stat(sink.localPath)
      await sink.close()
      return { ...copied, bytesWritten }
    } catch (error) {
      // A query that was given up may still be about to make its file.
      await this[Symbol.asyncDispose]()
      await sink[Symbol.asyncDispose]()
      throw signal.aborted ? signal.reason : error
    }
  }

  /** Copies while the source is looked through, and holds what was written against what was seen. */
  async #copyChecked(
    path: string,
    signal: AbortSignal,
    onProgress: ((fraction: number) => void) | undefined,
  ): Promise<Omit<Copied, 'bytesWritten'> | Unfit> {
    const { source } = this.plan
    const giveUp = new AbortController()
    const both = AbortSignal.any([signal, giveUp.signal])
    const scanning = source.scan?.(both).then(found => {
      if (isUnfit(found)) giveUp.abort(found)
      return found
    })
    // Told of below, or of no account where the copying fails.
    scanning?.catch(() => {})
    let rowCount: number | Unfit
    try {
      rowCount = await this.#copy(path, both, onProgress)
    } catch (error) {
      if (giveUp.signal.aborted && !signal.aborted) return giveUp.signal.reason as Unfit
      giveUp.abort(error)
      throw error
    }
    const scanned = await scanning
    // What was looked for says more than what DuckDB stumbled over.
    if (scanned !== undefined && isUnfit(scanned)) return scanned
    if (typeof rowCount !== 'number') return rowCount
    const rowsRead = source.rowCount ?? scanned?.recordCount
    const { options } = this.#conversion
    const expected = expectedRows(rowsRead, options)
    if (expected !== undefined && rowCount !== expected) {
      return { reason: `DuckDB wrote ${rowCount} rows of ${expected}` }
    }
    if (rowCount === 0 && source.untitled === true) return { reason: 'no row is left that would tell the columns' }
    return { rowCount, rowsRead }
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
      return result.rowsChanged
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
