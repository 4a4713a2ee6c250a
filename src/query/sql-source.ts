/** The rows of a query over targets, as a place that rows are read from. */
import { createError } from '../core/errors.ts'
import { checkOptions, invalidOption } from '../core/options.ts'
import type { Schema } from '../core/schema.ts'
import type { Batch, ReadContext, RowReader } from '../core/types.ts'
import { columnAsRead, valueModes } from '../core/value-options.ts'
import type { DuckDBValue, LoadedDuckDb } from '../duckdb/binding.ts'
import { columnSchema } from '../duckdb/column-schema.ts'
import { StreamRows } from '../duckdb/rows.ts'
import { SQL_OPTIONS, type SqlOptions, type SqlParameter } from './options.ts'
import { SQL_LABEL, sqlError } from './sql-errors.ts'
import { type NamedTable, openTables, type TableDatabase } from './tables.ts'

/** Opens the tables and starts the query. Rejects with QUERY_INVALID, with what reading a table throws, and an abort. */
export async function openQuery(
  query: string,
  tables: readonly NamedTable[],
  options: SqlOptions,
  { signal }: ReadContext,
): Promise<RowReader> {
  const { signal: _, ...rest } = options
  checkOptions(rest, [SQL_OPTIONS], 'sql')
  if (query.trim() === '') throw invalidOption('query', 'a SELECT', query)
  const database = await openTables(tables, { ...rest, signal })
  const names = tables.map(({ name }) => name)
  try {
    return await start(query, database, names, rest, signal)
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw signal.aborted ? signal.reason : sqlError(error, query, names)
  }
}

async function start(
  query: string,
  database: TableDatabase,
  tables: readonly string[],
  options: SqlOptions,
  signal: AbortSignal,
): Promise<RowReader> {
  const { lease } = database
  const { duckdb } = lease
  // A line of its own ends a comment that the query ends with, wherever the query is put.
  const text = `${query.replace(/[;\s]+$/, '')}\n`
  const statements = await lease.connection.extractStatements(text).catch(async () => undefined)
  if (statements !== undefined && statements.count !== 1) {
    throw createError('QUERY_INVALID', `one statement is asked for, not ${statements.count}`, { label: SQL_LABEL })
  }
  const kinds = duckdb.api.StatementType
  const prepared = await statements?.prepare(0).catch(() => undefined)
  const kind = prepared?.statementType
  prepared?.destroySync()
  if (kind !== undefined && kind !== kinds.SELECT && kind !== kinds.EXPLAIN) {
    throw createError('QUERY_INVALID', `${kinds[kind]} is not for reading`, {
      label: SQL_LABEL,
      expected: 'SELECT',
      hint: 'a query reads; write its rows with convert() or a writer',
    })
  }
  const { parameters = [] } = options
  const bound = parameters.map(value => parameterOf(duckdb, value))
  const stream = await lease.stream(text, bound, { signal, label: SQL_LABEL })
  return new QueryReader(database, stream, query, tables, options, signal)
}

function parameterOf({ api }: LoadedDuckDb, value: SqlParameter): DuckDBValue {
  if (value instanceof Date) return new api.DuckDBTimestampTZValue(BigInt(value.getTime()) * 1000n)
  return value instanceof Uint8Array ? new api.DuckDBBlobValue(value) : value
}

class QueryReader implements RowReader {
  readonly columns: readonly string[]
  readonly schema: Schema
  readonly engine = 'duckdb'
  readonly #database: TableDatabase
  readonly #rows: StreamRows
  readonly #query: string
  readonly #tables: readonly string[]

  constructor(
    database: TableDatabase,
    stream: Awaited<ReturnType<TableDatabase['lease']['stream']>>,
    query: string,
    tables: readonly string[],
    options: SqlOptions,
    signal: AbortSignal,
  ) {
    const { duckdb } = database.lease
    const modes = valueModes(options)
    this.columns = distinct(stream.columnNames)
    this.schema = {
      columns: stream.columnTypes.map((type, i) => columnAsRead(columnSchema(duckdb, this.columns[i]!, type), modes)),
    }
    this.#database = database
    this.#rows = new StreamRows(duckdb, stream, { ...modes, names: this.columns, signal })
    this.#query = query
    this.#tables = tables
  }

  async read(): Promise<Batch | null> {
    try {
      return await this.#rows.read()
    } catch (error) {
      throw sqlError(error, this.#query, this.#tables)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database[Symbol.asyncDispose]()
  }
}

/** `id, id` → `id, id_2`: a row has room for each. */
export function distinct(names: readonly string[]): string[] {
  const taken = new Set(names)
  const given = new Set<string>()
  return names.map(name => {
    let own = name
    for (let k = 2; given.has(own) || (own !== name && taken.has(own)); k++) own = `${name}_${k}`
    given.add(own)
    return own
  })
}
