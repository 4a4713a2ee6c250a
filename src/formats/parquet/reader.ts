/** Parquet by the engine that is there and can: DuckDB first, and hyparquet for what DuckDB does not know. */
import { createError } from '../../core/errors.ts'
import type { Schema } from '../../core/schema.ts'
import type { Abortable, Batch, ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import { failureOf } from '../../duckdb/errors.ts'
import { DuckDbReader } from './duckdb-reader.ts'
import { checkParquetOptions, onlyDuckDb, type ParquetReadOptions } from './read-options.ts'

/** The rows of a Parquet file. Options are taken as checked; see `ParquetReadOptions` for what the rows are. */
export function openParquetReader(source: ByteSource, options: ParquetReadOptions, context: ReadContext): RowReader {
  checkParquetOptions(options)
  return new ParquetReader(source, options, context)
}

interface EngineReader extends RowReader {
  readonly delivered: number
}

class ParquetReader implements RowReader {
  readonly #source: ByteSource
  readonly #options: ParquetReadOptions
  readonly #context: ReadContext
  #inner: EngineReader
  #fallen = false

  constructor(source: ByteSource, options: ParquetReadOptions, context: ReadContext) {
    this.#source = source
    this.#options = options
    this.#context = context
    this.#inner = new DuckDbReader(source, options, context)
  }

  get columns(): readonly string[] | undefined {
    return this.#inner.columns
  }
  get schema(): Schema | undefined {
    return this.#inner.schema
  }
  get engine(): string | undefined {
    return this.#inner.engine
  }

  async ready(options?: Abortable): Promise<void> {
    if (this.#options.engine === 'hyparquet') await this.#fall()
    await this.#attempt(() => this.#inner.ready!(options))
  }

  read(): Promise<Batch | null> {
    return this.#attempt(() => this.#inner.read())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#inner[Symbol.asyncDispose]()
    } finally {
      await this.#source[Symbol.asyncDispose]()
    }
  }

  async #attempt<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (error) {
      if (this.#context.signal.aborted || this.#fallen || !this.#mayFall(error)) throw told(error)
      try {
        await this.#fall()
        await this.#inner.ready!()
      } catch (second) {
        // Where hyparquet is not installed either, or cannot read the file itself, the first error is the one to tell.
        if (this.#context.signal.aborted) throw second
        throw told(error)
      }
      return step()
    }
  }

  #mayFall(error: unknown): boolean {
    if ((this.#options.engine ?? 'auto') !== 'auto' || onlyDuckDb(this.#options) !== undefined) return false
    return isMissing(error) || isUnknownToDuckDb(error)
  }

  /** Puts hyparquet in DuckDB's place, behind the rows that were given. */
  async #fall(): Promise<void> {
    if (this.#fallen) return
    this.#fallen = true
    const { delivered } = this.#inner
    await this.#inner[Symbol.asyncDispose]()
    const { HyparquetReader } = await import('./hyparquet-reader.ts')
    this.#inner = new HyparquetReader(this.#source, this.#options, this.#context, delivered)
  }
}

const isMissing = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === 'PEER_MISSING'

/** Features of a file, not damage: what hyparquet makes of a damaged file is nothing to build on. */
const FEATURES =
  /Unsupported compression codec|encoding is only supported for|not implemented|not supported|MAP_KEY_VALUE requires|Geoparquet column|Variant/i

function isUnknownToDuckDb(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error)) return false
  return (FEATURES.test(cause.message) || failureOf(cause) === 'fatal') && !/encrypt/i.test(cause.message)
}

/** An error that says what is the matter where DuckDB's words do. */
function told(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof Error)) return error
  const { label } = error as { label?: string }
  if (/is encrypted|encryption/i.test(cause.message)) {
    return createError('PARQUET_UNSUPPORTED', 'the file is encrypted', { label, cause })
  }
  if (!isUnknownToDuckDb(error)) return error
  return createError('PARQUET_UNSUPPORTED', 'the file uses a feature that DuckDB does not know', {
    label,
    hint: 'hyparquet, where it is installed, knows others (npm install hyparquet hyparquet-compressors)',
    found: cause.message.split('\n')[0],
    cause,
  })
}
