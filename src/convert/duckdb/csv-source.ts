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
  const casts: string[] = []
  const values: string[] = []
  for (const [i, column] of columns.entries()) {
    const [field, value] = [`c${i}`, `t${i}`]
    const typed = typedField(field, value, column)
    if (typed === undefined) return { reason: `column ${column.name} is ${column.type}, which DuckDB reads otherwise` }
    const { type, cast, good } = typed
    casts.push(field)
    if (cast === undefined || good === undefined) values.push(`${field} AS v${i}`)
    else {
      casts.push(`${cast} AS ${value}`)
      values.push(
        field,
        value,
        `CASE WHEN ${good} THEN ${value} ELSE error('a value that is no ${column.type}') END AS v${i}`,
      )
    }
    made.push({ name: column.name, internal: `v${i}`, type: api[type], good })
  }
  const file = `read_csv(${options.join(', ')})`
  const position = facts.sorted ? ', row_number() OVER () AS position' : ''
  return {
    from: `(SELECT ${values.join(', ')}${position} FROM (SELECT ${casts.join(', ')} FROM ${file}))`,
    columns: made,
    schema: facts.schema,
    ...(facts.sorted ? { position: 'position' } : {}),
  }
}

type FieldType = 'VARCHAR' | 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'DATE' | 'TIMESTAMP'

interface TypedField {
  readonly type: FieldType
  /** The field as a value, whatever its text; made once, as its text is held against it. */
  readonly cast?: string
  /** Whether the value says what the text says; true of nothing as well. */
  readonly good?: string
}

/**
 * A field as a value of the type that our inference has found. A text that the type would not give back ends the query,
 * so that 007 is never 7: our own road then finds the wider type.
 */
function typedField(field: string, value: string, { type }: ColumnSchema): TypedField | undefined {
  const same = `${value}::VARCHAR IS NOT DISTINCT FROM ${field}`
  switch (type) {
    case 'text':
      return { type: 'VARCHAR' }
    case 'integer':
    case 'bigint':
      return { type: 'BIGINT', cast: `TRY_CAST(${field} AS BIGINT)`, good: same }
    case 'number': {
      const plain = `(abs(${value}) < 1e15 AND ${value}::VARCHAR IN (${field}, ${field} || '.0'))`
      // Up to 15 digits each decimal has a double of its own; what is longer, or has an exponent, is left to our reader.
      const decimal = `(length(${field}) <= 16 AND ${field} NOT IN ('', '-') AND regexp_full_match(${field}, '-?(0|[1-9][0-9]{0,14})?([.][0-9]{1,14})?'))`
      return {
        type: 'DOUBLE',
        cast: `TRY_CAST(${field} AS DOUBLE)`,
        good: `(${plain} OR ${field} IS NULL OR ${decimal})`,
      }
    }
    case 'boolean': {
      const [yes, no] = [`'true', 'TRUE', 'True'`, `'false', 'FALSE', 'False'`]
      return {
        type: 'BOOLEAN',
        cast: `CASE WHEN ${field} IN (${yes}) THEN true WHEN ${field} IN (${no}) THEN false END`,
        good: `(${value} IS NULL) = (${field} IS NULL)`,
      }
    }
    case 'date':
      return { type: 'DATE', cast: `TRY_CAST(${field} AS DATE)`, good: same }
    case 'timestamp': {
      const cast = `TRY_CAST(${field} AS TIMESTAMP)`
      const written = (format: string) => `strftime(${value}, '%Y-%m-%dT%H:%M:%S${format}') = ${field}`
      return { type: 'TIMESTAMP', cast, good: `(${written('.%gZ')} OR ${written('Z')} OR ${field} IS NULL)` }
    }
    default:
      return undefined
  }
}
