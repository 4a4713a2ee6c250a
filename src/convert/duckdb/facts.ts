/** What is to be known of a source before it can be planned for. */

import type { DuckDbLease } from '../../duckdb/instance.ts'
import { openIterable, type ReadTarget } from '../../open.ts'
import { scanCsv } from './csv-scan.ts'
import { csvSource } from './csv-source.ts'
import { sampleJson } from './json-sample.ts'
import { jsonSource } from './json-source.ts'
import { scanLines } from './line-scan.ts'
import { parquetSource } from './parquet-source.ts'
import { type DuckDbEnds, isUnfit, type SourceQuery, type Unfit } from './request.ts'

export async function sourceOf(lease: DuckDbLease, from: ReadTarget, ends: DuckDbEnds): Promise<SourceQuery | Unfit> {
  const { signal } = ends.options
  if (ends.sourceFormat === 'parquet') return parquetSource(lease, ends.path, signal)
  return ends.sourceFormat === 'csv' ? csvOf(lease, from, ends) : jsonOf(lease, ends)
}

/** The header and the types are those that our own reader finds. */
async function csvOf(lease: DuckDbLease, from: ReadTarget, ends: DuckDbEnds): Promise<SourceQuery | Unfit> {
  const { options, read, infersTypes, path } = ends
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
  const source = csvSource(lease.duckdb, {
    path,
    schema,
    delimiter,
    quote: '"',
    emptyIsNull: typed,
    sorted: options.orderBy !== undefined,
  })
  if (isUnfit(source)) return source
  return {
    ...source,
    scan: scanning => scanCsv(path, { delimiter, quote: '"', columnCount: columns.length, signal: scanning }),
  }
}

/** The types are those of rows of several places, and tried on these before all is read. */
async function jsonOf(lease: DuckDbLease, ends: DuckDbEnds): Promise<SourceQuery | Unfit> {
  const { path, targetFormat, options, sourceFormat } = ends
  const array = sourceFormat === 'json'
  const sample = await sampleJson(path, array)
  if (isUnfit(sample)) return sample
  const { columns, first, indent, lines } = sample
  const source = jsonSource(lease.duckdb, {
    path,
    columns,
    first,
    array,
    indent,
    targetFormat,
    sorted: options.orderBy !== undefined,
  })
  if (isUnfit(source)) return source
  const { api } = lease.duckdb
  try {
    const types = [api.LIST(api.VARCHAR)]
    await lease.run(source.trial, [api.listValue([...lines])], { signal: options.signal, types })
  } catch {
    options.signal?.throwIfAborted()
    return { reason: 'its lines are not as JSON.stringify writes rows that all have the same keys and types' }
  }
  return { ...source, scan: signal => scanLines(path, { array, signal }) }
}
