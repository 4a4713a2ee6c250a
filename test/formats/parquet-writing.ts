/** Writes Parquet by our writer and reads it by DuckDB's own binding, or by hyparquet, which know nothing of each other. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll } from 'vitest'
import type { OpenIterableError } from '../../src/core/errors.ts'
import type { Batch, WriteContext } from '../../src/core/types.ts'
import type { ParquetWriteOptions } from '../../src/formats/parquet/write-options.ts'
import { openParquetWriter, type ParquetWriter } from '../../src/formats/parquet/writer.ts'
import { openFileSink } from '../../src/sources/file-sink.ts'

/** A folder for the files of one test file. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parquet-write-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Written {
  readonly errors: OpenIterableError[]
}

export async function openWriter(
  path: string,
  options: ParquetWriteOptions = {},
  onBadRecord: WriteContext['onBadRecord'] = error => {
    throw error
  },
): Promise<ParquetWriter> {
  const sink = await openFileSink(path)
  const signal = new AbortController().signal
  return openParquetWriter(sink, options, { label: path, signal, appending: false, onBadRecord })
}

/** Writes batches; bad rows are left out and their errors given back. */
export async function writeParquet(
  path: string,
  batches: Iterable<readonly unknown[]>,
  options: ParquetWriteOptions = {},
): Promise<Written> {
  const errors: OpenIterableError[] = []
  const writer = await openWriter(path, options, error => {
    errors.push(error as OpenIterableError)
  })
  for (const batch of batches) await writer.write([...batch] as Batch)
  await writer.close()
  return { errors }
}

/** The rows of a query, and the types of its columns. `$1` is the path. */
export async function query(sql: string, path?: string): Promise<{ rows: Record<string, unknown>[]; types: string[] }> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    const reader = await connection.runAndReadAll(sql, path === undefined ? [] : [path])
    return { rows: reader.getRowObjectsJS(), types: reader.columnTypes().map(String) }
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

export const readParquet = (path: string) => query('SELECT * FROM read_parquet($1)', path)
