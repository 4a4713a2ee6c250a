/** What the options ask for, as a query of DuckDB over one file. */
import { createError, excerpt, nearest } from '../../core/errors.ts'
import { checkCondition, columnsOf, parseFilter } from '../../core/filter.ts'
import { orderColumns } from '../../core/row-selection.ts'
import type { ColumnSchema } from '../../core/schema.ts'
import type { DuckDBType, DuckDBValue, LoadedDuckDb } from '../../duckdb/binding.ts'
import { conditionSql, parameter } from '../../duckdb/filter-sql.ts'
import { pathToRead, quoteIdentifier, quoteText } from '../../duckdb/names.ts'
import type { ParquetReadOptions } from './read-options.ts'
import type { RowRange } from './windows.ts'

/** A column of the file. */
export interface FileColumn {
  /** As the file has it, and rows too. */
  readonly name: string
  /** As DuckDB has it, which takes names that differ only in case for the same and adds a number to one of them. */
  readonly internal: string
  readonly type: DuckDBType
  readonly schema: ColumnSchema
}

/** A query, and what of the file it needs. */
export interface FileQuery {
  readonly sql: string
  readonly parameters: readonly DuckDBValue[]
  readonly types: readonly DuckDBType[]
  /** The columns of its rows. */
  readonly columns: readonly FileColumn[]
  /** Whether rows are left out or reordered by what is in them, so that their number is not known beforehand. */
  readonly filtered: boolean
  readonly sorted: boolean
  /** Columns that are needed, by their names; undefined where that is not known: all. */
  readonly needed: ReadonlySet<string> | undefined
}

/** `FROM` of a query over one file: exactly this one, whatever it is called. `numbered`: with the column `file_row_number`. */
export function fromFile(path: string, numbered = false): string {
  const more = numbered ? ', file_row_number = true' : ''
  return `read_parquet(${quoteText(pathToRead(path))}, hive_partitioning = false, union_by_name = false${more})`
}

/** What of a query is asked for now. */
export interface QueryPart {
  /** Rows that it gave before, which are left out. */
  readonly skip?: number | undefined
  /** Rows of the file that are looked at; row groups without any of them are not read. */
  readonly rows?: RowRange | undefined
}

/**
 * Plans a query. Throws OPTION_INVALID for columns that are not there and
 * values that cannot be compared.
 */
export function planQuery(
  duckdb: LoadedDuckDb,
  path: string,
  all: readonly FileColumn[],
  options: ParquetReadOptions,
  label: string,
  { skip = 0, rows }: QueryPart = {},
): FileQuery {
  const find = (name: string, option: string) =>
    all.find(column => column.name === name) ?? missing(name, option, all, label)
  const columns = options.columns?.map(name => find(name, 'columns')) ?? all
  const needed = new Set(columns.map(({ name }) => name))
  const parameters: DuckDBValue[] = []
  const types: DuckDBType[] = []
  const clauses = [
    `SELECT ${columns.map(({ internal }) => quoteIdentifier(internal)).join(', ')} FROM ${fromFile(path, rows !== undefined)}`,
  ]
  const { where, limit, offset = 0 } = options
  const conditions: string[] = []
  if (rows !== undefined) {
    conditions.push(`file_row_number >= ${rows.start}`)
    if (rows.end !== undefined) conditions.push(`file_row_number < ${rows.end}`)
  }
  let known = true
  if (typeof where === 'string' || Array.isArray(where)) {
    const [sql, ...values] = (typeof where === 'string' ? [where] : where) as [string, ...never[]]
    // The line breaks keep a comment at its end from taking the bracket along.
    conditions.push(`(\n${sql}\n)`)
    for (const value of values) {
      const [made, type] = value === null ? [null, duckdb.api.SQLNULL] : parameter(duckdb, value)
      parameters.push(made)
      types.push(type)
    }
    known = false
  } else if (where !== undefined) {
    const condition = parseFilter(where as Parameters<typeof parseFilter>[0])
    checkCondition(
      condition,
      all.map(({ schema }) => schema),
      label,
    )
    for (const name of columnsOf(condition)) needed.add(name)
    const internals = new Map(all.map(({ name, internal }) => [name, internal]))
    const part = conditionSql(duckdb, condition, {
      typeOf: name => all.find(column => column.name === name)?.type,
      nameOf: name => internals.get(name) ?? name,
    })
    conditions.push(`(${part.sql})`)
    parameters.push(...part.parameters)
    types.push(...part.types)
  }
  if (conditions.length > 0) clauses.push(`WHERE ${conditions.join(' AND ')}`)
  const order = orderColumns(options.orderBy)
  if (order.length > 0) {
    const terms = order.map(({ column, descending, nulls }) => {
      const { internal, name } = find(column, 'orderBy')
      needed.add(name)
      return `${quoteIdentifier(internal)} ${descending ? 'DESC' : 'ASC'} NULLS ${nulls === 'first' ? 'FIRST' : 'LAST'}`
    })
    clauses.push(`ORDER BY ${terms.join(', ')}`)
  }
  if (limit !== undefined) clauses.push(`LIMIT ${Math.max(0, limit - skip)}`)
  if (offset + skip > 0) clauses.push(`OFFSET ${offset + skip}`)
  return {
    sql: clauses.join('\n'),
    parameters,
    types,
    columns,
    filtered: where !== undefined,
    sorted: order.length > 0,
    needed: known ? needed : undefined,
  }
}

/** How many rows a query gives that leaves none out by their values. */
export function expectedRows(
  rowCount: number,
  { limit = Number.POSITIVE_INFINITY, offset = 0 }: ParquetReadOptions,
): number {
  return Math.min(Math.max(0, rowCount - offset), limit)
}

export function missing(name: string, option: string, all: readonly { readonly name: string }[], label: string): never {
  const names = all.map(column => column.name)
  const near = nearest(name, names)
  throw createError('OPTION_INVALID', `option ${option} names ${excerpt(name)}, which is not a column`, {
    label,
    found: name,
    expected: `one of ${excerpt(names.join(', '), 300)}`,
    hint: near === undefined ? undefined : `did you mean ${excerpt(near)}?`,
  })
}
