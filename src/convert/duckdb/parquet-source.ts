/** A Parquet file as a query of DuckDB. */

import { KEPT_TYPES_KEY, renamedKeptTypes } from '../../core/kept-types.ts'
import { columnSchema } from '../../duckdb/column-schema.ts'
import type { DuckDbLease } from '../../duckdb/instance.ts'
import { pathToRead, quoteText } from '../../duckdb/names.ts'
import type { SourceQuery, Unfit } from './request.ts'

export async function parquetSource(
  lease: DuckDbLease,
  path: string,
  signal: AbortSignal | undefined,
): Promise<SourceQuery | Unfit> {
  const file = quoteText(pathToRead(path))
  const from = `read_parquet(${file}, hive_partitioning = false, union_by_name = false)`
  const described = await lease.run(`SELECT * FROM ${from} LIMIT 0`, [], { signal })
  const internal = described.columnNames()
  const types = described.columnTypes()
  const [counted] = await lease.rows(`SELECT num_rows FROM parquet_file_metadata(${file})`, [], { signal })
  // DuckDB gives other names to columns whose own differ in nothing but case.
  const fields = await lease.rows(`SELECT name FROM parquet_schema(${file})`, [], { signal })
  const names = new Set(fields.map(({ name }) => name))
  if (!internal.every(name => names.has(name))) return { reason: 'DuckDB changes names of columns of the file' }
  const [kept] = await lease.rows(
    `SELECT try(decode(value)) AS text FROM parquet_kv_metadata(${file}) WHERE key = encode($1)`,
    [KEPT_TYPES_KEY],
    { signal },
  )
  return {
    from,
    metadata(names) {
      const text = typeof kept?.text === 'string' ? renamedKeptTypes(kept.text, names) : undefined
      return text === undefined ? {} : { [KEPT_TYPES_KEY]: text }
    },
    columns: internal.map((name, i) => ({ name, internal: name, type: types[i]! })),
    schema: { columns: internal.map((name, i) => columnSchema(lease.duckdb, name, types[i]!)) },
    rowCount: Number(counted?.num_rows ?? 0),
  }
}
