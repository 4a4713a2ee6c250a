/** What a Parquet file says about itself, without reading its rows. */
import type { Abortable, ByteSource, CodecOptions } from './core/types.ts'
import type { DuckDbSettings } from './duckdb/settings.ts'
import type { ParquetMetadata } from './formats/parquet/footer.ts'
import type { ByteTarget, ReadOptions } from './open.ts'
import { resolveTarget } from './resolve.ts'

/** Options of `parquetMetadata`, beside those of the place that the file is in. */
export interface ParquetMetadataOptions
  extends Abortable,
    Pick<
      ReadOptions,
      's3' | 'headers' | 'auth' | 'fetch' | 'timeoutMs' | 'retry' | 'codecs' | 'member' | 'maxDecodedBytes' | 'maxRatio'
    > {
  /** What DuckDB may use. Default: 1 GiB of memory (at most half of the machine's), 4 threads, 16 GiB of temp files. */
  readonly duckdb?: DuckDbSettings | undefined
  /** As for `openIterable`. Default: Infinity. */
  readonly maxSpoolBytes?: number | undefined
}

/**
 * The number of rows, the row groups and the key-value metadata of a Parquet file, for which only its footer is read:
 *
 * ```ts
 * const { rowCount } = await parquetMetadata('flights.parquet')
 * ```
 *
 * @param target What `openIterable` reads. What cannot be read at any offset is copied to a temp file first.
 * @throws DataError PARQUET_CORRUPT where there is no footer, or a damaged one; OptionError PEER_MISSING without DuckDB.
 */
export async function parquetMetadata(
  target: ByteTarget,
  options: ParquetMetadataOptions = {},
): Promise<ParquetMetadata> {
  const { duckdb, maxSpoolBytes, signal = new AbortController().signal, ...rest } = options
  signal.throwIfAborted()
  const { entry, label, codecs, given } = resolveTarget(target, { ...rest, format: 'parquet' }, 'read')
  const place = await entry.load()
  const own = Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(place.readOptions ?? {}, name)))
  const access = codecs.length === 0 ? 'random' : 'stream'
  const opened = await place.openSource!(target, { signal, options: own, access })
  let bytes: ByteSource = opened as ByteSource
  try {
    for (const codec of codecs) bytes = (await codec.load()).decode(bytes, given as CodecOptions)
    const { seekable } = await import('./spool.ts')
    const ids = codecs.map(({ id }) => id)
    bytes = (await seekable(bytes, 'random', { signal, codecs: ids, maxBytes: maxSpoolBytes })).source
    const { metadataOf } = await import('./formats/parquet/metadata.ts')
    return await metadataOf(bytes, { label, signal, duckdb })
  } finally {
    await bytes[Symbol.asyncDispose]()
  }
}
