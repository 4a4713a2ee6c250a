/** What is to be known of a source before it can be planned for. */

import type { DuckDbLease } from '../../duckdb/instance.ts'
import { openIterable, type ReadTarget } from '../../open.ts'
import { scanCsv } from './csv-scan.ts'
import { csvSource } from './csv-source.ts'
import { parquetSource } from './parquet-source.ts'
import { type DuckDbEnds, isUnfit, type SourceQuery, type Unfit } from './request.ts'

export async function sourceOf(lease: DuckDbLease, from: ReadTarget, ends: DuckDbEnds): Promise<SourceQuery | Unfit> {
  const { signal } = ends.options
  if (ends.sourceFormat === 'parquet') return parquetSource(lease, ends.path, signal)
  return csvOf(lease, from, ends)
}

/** The header and the types are those that our own reader finds. */
async function csvOf(lease: DuckDbLease, from: ReadTarget, ends: DuckDbEnds): Promise<SourceQuery | Unfit> {
  const { options, read, infersTypes } = ends
  const { signal } = options
  const typed = infersTypes || read.cast === true
  const reader = await openIterable(from, { ...options.read, ...(infersTypes ? { cast: true } : {}), signal })
  const { columns, schema, engine } = reader
  await reader.close()
  if (columns === undefined || schema === undefined) return { reason: 'the CSV has no header' }
  // A line without anything is a record there, and nothing here.
  if (columns.length < 2) return { reason: 'the CSV has one column' }
  if (engine !== 'native') return { reason: `the CSV is read by ${engine}` }
  const { delimiter = ',' } = read as { delimiter?: string }
  const scanned = await scanCsv(ends.path, { delimiter, quote: '"', columnCount: columns.length, signal })
  if (isUnfit(scanned)) return scanned
  return csvSource(lease.duckdb, {
    path: ends.path,
    schema,
    delimiter,
    quote: '"',
    recordCount: scanned.recordCount,
    emptyIsNull: typed,
    sorted: options.orderBy !== undefined,
  })
}
