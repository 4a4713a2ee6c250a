/** A CSV file as a query of DuckDB, column by column, so that nothing is guessed. */
import type { ColumnSchema, Schema } from '../../core/schema.ts'
import type { LoadedDuckDb } from '../../duckdb/binding.ts'
import { pathToRead, quoteText } from '../../duckdb/names.ts'
import type { SourceColumn, SourceQuery, Unfit } from './request.ts'

export interface CsvFacts {
  readonly path: string
  /** As our own reader has found them. */
  readonly schema: Schema
  readonly delimiter: string
  readonly quote: string | null
  readonly recordCount: number
  /** Whether empty fields without quotes are null. */
  readonly emptyIsNull: boolean
  /** Whether rows are to be sorted. */
  readonly sorted: boolean
}

/** The query; or why there is none that gives what our reader gives. */
export function csvSource({ api }: LoadedDuckDb, facts: CsvFacts): SourceQuery | Unfit {
  const { columns } = facts.schema
  const fields = columns.map((_, i) => `'c${i}': 'VARCHAR'`).join(', ')
  const names = columns.map((_, i) => `c${i}`).join(', ')
  const quote = facts.quote === null ? '' : facts.quote
  const options = [
    quoteText(pathToRead(facts.path)),
    // Without a word about line ends: DuckDB reads nothing at all of a file that has others than it is told.
    'auto_detect = false',
    'header = true',
    `delim = ${quoteText(facts.delimiter)}`,
    `quote = ${quoteText(quote)}`,
    `escape = ${quoteText(quote)}`,
    "comment = ''",
    `columns = {${fields}}`,
    "nullstr = ''",
    'allow_quoted_nulls = false',
    'strict_mode = true',
    'hive_partitioning = false',
    ...(facts.emptyIsNull ? [] : [`force_not_null = [${names}]`]),
  ]
  const made: SourceColumn[] = []
  const values: string[] = []
  for (const [i, column] of columns.entries()) {
    const typed = typedField(`c${i}`, column)
    if (typed === undefined) return { reason: `column ${column.name} is ${column.type}, which DuckDB reads otherwise` }
    values.push(`${typed.sql} AS v${i}`)
    made.push({ name: column.name, internal: `v${i}`, type: api[typed.type] })
  }
  const file = `read_csv(${options.join(', ')})`
  return {
    from: `(SELECT ${values.join(', ')}${facts.sorted ? ', row_number() OVER () AS position' : ''} FROM ${file})`,
    columns: made,
    schema: facts.schema,
    rowCount: facts.recordCount,
    ...(facts.sorted ? { position: 'position' } : {}),
  }
}

type FieldType = 'VARCHAR' | 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'DATE' | 'TIMESTAMP'

/**
 * A field as a value of the type that our inference has found. A text that the type would not give back ends the query,
 * so that 007 is never 7: our own road then finds the wider type.
 */
function typedField(
  field: string,
  { type }: ColumnSchema,
): { readonly sql: string; readonly type: FieldType } | undefined {
  const checked = (sql: string, good: string) =>
    `CASE WHEN ${field} IS NULL THEN NULL WHEN ${good} THEN ${sql} ELSE error('a value that is no ${type}') END`
  switch (type) {
    case 'text':
      return { sql: field, type: 'VARCHAR' }
    case 'integer':
    case 'bigint': {
      const value = `TRY_CAST(${field} AS BIGINT)`
      return { sql: checked(value, `${value}::VARCHAR = ${field}`), type: 'BIGINT' }
    }
    case 'number': {
      // Up to 15 digits each decimal has a double of its own; what is longer, or has an exponent, is left to our reader.
      const good = `length(${field}) <= 16 AND regexp_full_match(${field}, '-?(0|[1-9][0-9]{0,14})?([.][0-9]{1,14})?') AND ${field} NOT IN ('', '-')`
      return { sql: checked(`${field}::DOUBLE`, good), type: 'DOUBLE' }
    }
    case 'boolean':
      return {
        sql: checked(
          `${field} IN ('true', 'TRUE', 'True')`,
          `${field} IN ('true', 'TRUE', 'True', 'false', 'FALSE', 'False')`,
        ),
        type: 'BOOLEAN',
      }
    case 'date': {
      const value = `TRY_CAST(${field} AS DATE)`
      return { sql: checked(value, `${value}::VARCHAR = ${field}`), type: 'DATE' }
    }
    case 'timestamp': {
      const value = `TRY_CAST(${field} AS TIMESTAMP)`
      const good = `strftime(${value}, '%Y-%m-%dT%H:%M:%S.%gZ') = ${field} OR strftime(${value}, '%Y-%m-%dT%H:%M:%SZ') = ${field}`
      return { sql: checked(value, good), type: 'TIMESTAMP' }
    }
    default:
      return undefined
  }
}
