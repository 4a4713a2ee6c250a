/** Parquet metadata of an open source. */
import { createError } from '../../core/errors.ts'
import type { Abortable, ByteSource } from '../../core/types.ts'
import { openDuckDb } from '../../duckdb/instance.ts'
import type { DuckDbSettings } from '../../duckdb/settings.ts'
import { CORRUPT, type ParquetMetadata, readMetadata } from './footer.ts'
import { SparseCopy } from './sparse.ts'

/** Reads the footer and nothing else. Does not dispose `source`, which has `localPath` or `random`. */
export async function metadataOf(
  source: ByteSource,
  { label, signal, duckdb }: Abortable & { readonly label: string; readonly duckdb?: DuckDbSettings | undefined },
): Promise<ParquetMetadata> {
  const lease = await openDuckDb(duckdb, { signal, what: 'reading Parquet metadata' })
  let sparse: SparseCopy | undefined
  try {
    if (source.localPath === undefined) {
      if (source.random === undefined) {
        throw createError('TARGET_UNSUPPORTED', 'Parquet cannot be read as a stream', { label })
      }
      sparse = await SparseCopy.open(source.random, label, { signal })
    }
    return await readMetadata(lease, source.localPath ?? sparse!.path, { label, signal, dataCode: CORRUPT })
  } finally {
    try {
      await lease[Symbol.asyncDispose]()
    } finally {
      await sparse?.[Symbol.asyncDispose]()
    }
  }
}
