/**
 * Decides whether one `COPY` of DuckDB gives what our readers and writers would, and how it is said in SQL. Nothing here
 * does I/O: what is to be known of the files is given.
 */
import { type Condition, checkCondition, columnsOf, type Filter, parseFilter } from '../../core/filter.ts'
import { orderColumns } from '../../core/row-selection.ts'
import type { DuckDBType, DuckDBValue, LoadedDuckDb } from '../../duckdb/binding.ts'
import { conditionSql, parameter } from '../../duckdb/filter-sql.ts'
import { quoteIdentifier, quoteText } from '../../duckdb/names.ts'
import type { DuckDbEnds, SourceColumn, SourceQuery, Unfit } from './request.ts'
import { valueSql } from './value-sql.ts'

/** A statement that writes the output; it gets its path by `copyTo`. */
export interface DuckDbPlan {
  /** The rows of the output. */
  readonly select: string
  /** Options of `COPY`. */
  readonly copyOptions: readonly string[]
  readonly parameters: readonly DuckDBValue[]
  readonly types: readonly DuckDBType[]
  /** The columns of the source that the query reads. */
  readonly source: SourceQuery
}

export const copyTo = ({ select, copyOptions }: DuckDbPlan, path: string): string =>
  `COPY (${select}) TO ${quoteText(path)} (${copyOptions.join(', ')})`

const SOURCES: Readonly<Record<string, readonly string[]>> = {
  csv: ['delimiter', 'quote', 'escape', 'header', 'cast', 'scan', 'engine', 'format', 'codecs'],
  json: ['format', 'codecs'],
  jsonl: ['format', 'codecs'],
  parquet: ['format', 'codecs'],
}
const TARGETS: Readonly<Record<string, readonly string[]>> = {
  csv: ['delimiter', 'header', 'format', 'codecs', 'lineEnd'],
  json: ['format', 'codecs'],
  jsonl: ['format', 'codecs'],
  parquet: ['format', 'codecs', 'compression', 'level', 'rowGroupSize', 'metadata'],
}

/** What can be said before anything is opened: options and formats that DuckDB would not treat as we do. */
export function unfitRequest(ends: DuckDbEnds): Unfit | undefined {
  const { options, read, write, sourceFormat, targetFormat } = ends
  const readable = SOURCES[sourceFormat]
  const writable = TARGETS[targetFormat]
  if (readable === undefined) return { reason: `DuckDB reads ${sourceFormat} otherwise than we do` }
  if (writable === undefined) return { reason: `DuckDB does not write ${targetFormat}` }
  for (const step of ['filter', 'map', 'flatMap', 'flatten', 'unflatten'] as const) {
    if (options[step] !== undefined && options[step] !== false) return { reason: `${step} is a step on rows` }
  }
  if (options.mode === 'a') return { reason: 'DuckDB does not append to a file' }
  if ((options.onError ?? 'raise') !== 'raise' || options.deadLetters !== undefined) {
    return { reason: 'DuckDB leaves no bad records out' }
  }
  const given = (values: Readonly<Record<string, unknown>>) =>
    Object.keys(values).filter(name => values[name] !== undefined)
  const unread = given(read).find(name => !readable.includes(name))
  if (unread !== undefined) return { reason: `the option ${unread} of reading is one that DuckDB does not have` }
  const unwritten = given(write).find(name => !writable.includes(name))
  if (unwritten !== undefined) return { reason: `the option ${unwritten} of writing is one that DuckDB does not have` }
  return sourceFormat === 'csv' ? (unfitDialect(read, 'reading') ?? unfitTarget(ends)) : unfitTarget(ends)
}

function unfitTarget({ write, targetFormat }: DuckDbEnds): Unfit | undefined {
  return targetFormat === 'csv' ? unfitDialect(write, 'writing') : undefined
}

function unfitDialect(options: Readonly<Record<string, unknown>>, when: string): Unfit | undefined {
  const { delimiter = ',', quote = '"', escape = quote, header = true, scan } = options
  const isPlain = (value: unknown) => typeof value === 'string' && /^[\x20-\x7e\t]$/.test(value)
  if (!isPlain(delimiter)) return { reason: `${when} with this delimiter is left to our own parser` }
  if (quote !== '"' || escape !== '"') return { reason: `${when} with other quotes is left to our own parser` }
  if (header !== true) return { reason: `${when} with this header is left to our own parser` }
  return scan === undefined ? undefined : { reason: 'the sample to infer types from is told' }
}

/** The statement; or what DuckDB would not do as we do. */
export function planDuckDb(duckdb: LoadedDuckDb, ends: DuckDbEnds, source: SourceQuery): DuckDbPlan | Unfit {
  const { options, targetFormat, write } = ends
  const find = (name: string) => source.columns.find(column => column.name === name)
  const chosen = (options.columns ?? source.columns.map(({ name }) => name)).map(name => ({ name, column: find(name) }))
  const unknown = chosen.find(({ column }) => column === undefined)
  // Our own road has the words for it.
  if (unknown !== undefined) return { reason: `there is no column ${unknown.name}` }
  const renamed = (name: string) => (Object.hasOwn(options.rename ?? {}, name) ? options.rename![name]! : name)
  const late = chosen.find(({ column }) => column!.late === true)
  if (late !== undefined && targetFormat === 'parquet' && leavesOut(options)) {
    return { reason: `the type of column ${late.name} depends on which rows are left out` }
  }
  const unfitName = checkNames(chosen.map(({ name }) => renamed(name)))
  if (unfitName !== undefined) return unfitName
  if (Object.keys(options.rename ?? {}).some(name => find(name) === undefined)) {
    return { reason: 'rename names a column that is not there' }
  }

  const fields: string[] = []
  for (const { name, column } of chosen) {
    const sql = outputValue(duckdb, column!, targetFormat)
    if (sql === undefined) return { reason: `DuckDB writes column ${name} (${column!.type}) otherwise than we do` }
    fields.push(`${sql} AS ${quoteIdentifier(renamed(name))}`)
  }
  const selection = selectionSql(duckdb, ends, source)
  if ('reason' in selection) return selection
  const names = new Map(chosen.map(({ name }) => [name, renamed(name)]))
  return {
    select: `SELECT ${fields.join(', ')} FROM ${source.from}${selection.sql}`,
    copyOptions: copyOptions(targetFormat, write, source.metadata?.(names)),
    parameters: selection.parameters,
    types: selection.types,
    source,
  }
}

const leavesOut = ({ where, limit, offset = 0 }: DuckDbEnds['options']): boolean =>
  where !== undefined || limit !== undefined || offset > 0

/** Names that DuckDB would change without a word. */
function checkNames(names: readonly string[]): Unfit | undefined {
  if (names.length === 0) return { reason: 'there are no columns' }
  if (names.includes('')) return { reason: 'a column has no name' }
  const folded = new Set(names.map(name => name.toLowerCase()))
  return folded.size === names.length ? undefined : { reason: 'names of columns differ in nothing but case' }
}

function outputValue(duckdb: LoadedDuckDb, { internal, type }: SourceColumn, format: string): string | undefined {
  const value = quoteIdentifier(internal)
  if (format === 'parquet') return storedValue(duckdb, value, type)
  return valueSql(duckdb, value, type, format === 'csv' ? 'csv' : 'json')
}

/** Parquet holds most types as they are. */
function storedValue({ api }: LoadedDuckDb, value: string, type: DuckDBType): string | undefined {
  const T = api.DuckDBTypeId
  const changed: number[] = [T.HUGEINT, T.UHUGEINT, T.ENUM, T.UNION, T.VARIANT, T.BIT, T.BIGNUM, T.TIME_TZ, T.GEOMETRY]
  return changed.includes(type.typeId) ? undefined : value
}

interface Selection {
  readonly sql: string
  readonly parameters: readonly DuckDBValue[]
  readonly types: readonly DuckDBType[]
}

function selectionSql(duckdb: LoadedDuckDb, ends: DuckDbEnds, source: SourceQuery): Selection | Unfit {
  const { options, label, sourceFormat } = ends
  const clauses: string[] = []
  let parameters: readonly DuckDBValue[] = []
  let types: readonly DuckDBType[] = []
  const { where, limit, offset = 0 } = options
  if (typeof where === 'string' || Array.isArray(where)) {
    if (sourceFormat !== 'parquet') return { reason: 'conditions in SQL are for Parquet' }
    const [sql, ...values] = (typeof where === 'string' ? [where] : where) as [string, ...never[]]
    clauses.push(`WHERE (\n${sql}\n)`)
    const bound = values.map(value =>
      value === null ? ([null, duckdb.api.SQLNULL] as const) : parameter(duckdb, value),
    )
    parameters = bound.map(([value]) => value)
    types = bound.map(([, type]) => type)
  } else if (where !== undefined) {
    const condition = parseFilter(where as Filter)
    const named = columnsOf(condition)
    if (sourceFormat === 'jsonl' || sourceFormat === 'json') {
      // Rows of JSON have whatever columns they have, and a condition without columns would read none of them.
      const unfit = unfitCondition(condition, source, label)
      if (unfit !== undefined || named.size === 0) return unfit ?? { reason: 'where names no column' }
    } else checkCondition(condition, source.schema.columns, label)
    const part = conditionSql(duckdb, condition, {
      typeOf: name => source.columns.find(column => column.name === name)?.type,
      nameOf: name => source.columns.find(column => column.name === name)?.internal ?? name,
    })
    clauses.push(`WHERE ${guarded(part.sql, source, options.columns && new Set([...options.columns, ...named]))}`)
    ;({ parameters, types } = part)
  }
  const order = orderColumns(options.orderBy)
  if (order.length > 0) {
    const terms: string[] = []
    for (const { column, descending, nulls } of order) {
      const own = source.columns.find(({ name }) => name === column)
      if (own === undefined) return { reason: `there is no column ${column}` }
      terms.push(
        `${quoteIdentifier(own.internal)} ${descending ? 'DESC' : 'ASC'} NULLS ${nulls === 'first' ? 'FIRST' : 'LAST'}`,
      )
    }
    if (source.position !== undefined) terms.push(quoteIdentifier(source.position))
    clauses.push(`ORDER BY ${terms.join(', ')}`)
  }
  if (limit !== undefined) clauses.push(`LIMIT ${limit}`)
  if (offset > 0) clauses.push(`OFFSET ${offset}`)
  return { sql: clauses.map(clause => ` ${clause}`).join(''), parameters, types }
}

function unfitCondition(condition: Condition, { schema }: SourceQuery, label: string): Unfit | undefined {
  try {
    checkCondition(condition, schema.columns, label)
    return undefined
  } catch {
    return { reason: 'where compares a column with values of another type' }
  }
}

/** A condition that looks at all fields of the columns first: the types of our own road are those of all rows, wanted or not. */
function guarded(sql: string, { columns }: SourceQuery, read: ReadonlySet<string> | undefined): string {
  const good = columns.flatMap(({ name, good }) => (good === undefined || read?.has(name) === false ? [] : [good]))
  if (good.length === 0) return sql
  return `CASE WHEN ${good.join(' AND ')} THEN (${sql}) ELSE error('a value that is not of its type') END`
}

/** How many rows there must be in the output, by those in the source; undefined where only the query tells. */
export function expectedRows(rowCount: number | undefined, options: DuckDbEnds['options']): number | undefined {
  const { where, limit = Number.POSITIVE_INFINITY, offset = 0 } = options
  if (rowCount === undefined || where !== undefined) return undefined
  return Math.min(Math.max(0, rowCount - offset), limit)
}

function copyOptions(
  format: string,
  write: Readonly<Record<string, unknown>>,
  kept: Readonly<Record<string, string>> = {},
): string[] {
  if (format === 'jsonl') return ['FORMAT json', 'USE_TMP_FILE false']
  if (format === 'json') return ['FORMAT json', 'ARRAY true', 'USE_TMP_FILE false']
  if (format === 'csv') {
    const { delimiter = ',' } = write
    return [
      'FORMAT csv',
      'HEADER true',
      `DELIMITER ${quoteText(String(delimiter))}`,
      `QUOTE '"'`,
      `ESCAPE '"'`,
      "NULLSTR ''",
      'USE_TMP_FILE false',
    ]
  }
  const { compression = 'zstd', level = 1, rowGroupSize, metadata = {} } = write
  const entries = Object.entries({
    ...kept,
    ...(metadata as Record<string, string>),
  })
  return [
    'FORMAT parquet',
    `COMPRESSION ${compression === 'none' ? 'uncompressed' : compression}`,
    ...(compression === 'zstd' ? [`COMPRESSION_LEVEL ${level}`] : []),
    ...(rowGroupSize === undefined ? [] : [`ROW_GROUP_SIZE ${rowGroupSize}`]),
    ...(entries.length === 0
      ? []
      : [`KV_METADATA {${entries.map(([key, text]) => `${quoteText(key)}: ${quoteText(text)}`).join(', ')}}`]),
    'USE_TMP_FILE false',
  ]
}
