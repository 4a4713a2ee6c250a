/**
 * JSON whose rows are a line each as a query of DuckDB. DuckDB takes much for JSON that is none, and makes other values of
 * some; so each row is written again and must be, byte by byte, the line that it was read from. What has other keys, another
 * order of them, one of them twice, other white space or escapes, or a value of another type, ends the query.
 */
import type { ColumnSchema } from '../../core/schema.ts'
import type { DuckDBType, LoadedDuckDb } from '../../duckdb/binding.ts'
import { pathToRead, quoteText } from '../../duckdb/names.ts'
import { isUnfit, type SourceColumn, type SourceQuery, type Unfit } from './request.ts'

type Value = Omit<ColumnSchema, 'name' | 'source'>

export interface JsonFacts {
  readonly path: string
  /** What rows of several places of the file show. */
  readonly columns: readonly ColumnSchema[]
  /** What the first rows show. */
  readonly first: readonly ColumnSchema[]
  /** Whether the lines are the elements of an array. */
  readonly array: boolean
  /** What stands before each row: the indentation of elements. */
  readonly indent: string
  readonly targetFormat: string
  /** Whether rows are to be sorted. */
  readonly sorted: boolean
}

export interface JsonSource extends SourceQuery {
  /** A query that fails where lines (`$1`, an array) are not as the query wants them. */
  readonly trial: string
}

/** Most integers that a double holds exactly. */
const SAFE = '9007199254740992'

/** The query; or why there is none that gives what our reader gives. */
export function jsonSource(duckdb: LoadedDuckDb, facts: JsonFacts): JsonSource | Unfit {
  const { columns, indent, targetFormat } = facts
  if (columns.length === 0) return { reason: 'the first rows have no columns' }
  const structure: [string, unknown][] = []
  const values: string[] = []
  const made: SourceColumn[] = []
  for (const [i, column] of columns.entries()) {
    const kind = structureOf(column, 0)
    if (typeof kind === 'object' && isUnfit(kind)) return { reason: `column ${column.name} ${kind.reason}` }
    structure.push([column.name, kind.structure])
    const own = `struct_extract(w, ${quoteText(column.name)})`
    const { sql, type } = valueOf(duckdb, own, column, targetFormat)
    values.push(`${sql} AS v${i}`)
    const early = facts.first.find(({ name }) => name === column.name)
    const late = early === undefined || typeText(early) !== typeText(column)
    made.push({ name: column.name, internal: `v${i}`, type, late })
  }
  const text = facts.array ? `CASE WHEN ends_with(line, ',') THEN line[:-2] ELSE line END` : 'line'
  const written = `to_json(v)::VARCHAR`
  const same = facts.array
    ? `line IN (${quoteText(indent)} || ${written} || ',', ${quoteText(indent)} || ${written})`
    : `line = ${written}`
  const rows = (lines: string) => {
    const read = `SELECT line, from_json_strict(${text}, ${quoteText(objectText(structure))}) AS v FROM ${lines}`
    const checked = `CASE WHEN ${same} THEN v ELSE error('a line that is written otherwise than its row') END`
    return `(SELECT ${values.join(', ')}${facts.sorted ? ', position' : ''} FROM (SELECT ${checked} AS w${facts.sorted ? ', row_number() OVER () AS position' : ''} FROM (${read})))`
  }
  const options = [
    quoteText(pathToRead(facts.path)),
    'auto_detect = false',
    'header = false',
    // What may stand in no JSON text: a line is one field.
    "delim = '\x01'",
    "quote = ''",
    "escape = ''",
    "comment = ''",
    "nullstr = '\x02'",
    "columns = {'line': 'VARCHAR'}",
    'strict_mode = true',
    'hive_partitioning = false',
  ]
  const file = `read_csv(${options.join(', ')})`
  const lines = facts.array ? `(SELECT line FROM ${file} WHERE line NOT IN ('[', ']'))` : file
  return {
    from: rows(lines),
    columns: made,
    schema: { columns },
    untitled: true,
    trial: `SELECT max(hash(t)) FROM ${rows('(SELECT unnest($1) AS line)')} t`,
    ...(facts.sorted ? { position: 'position' } : {}),
  }
}

function typeText(column: ColumnSchema): string | undefined {
  const kind = structureOf(column, 0)
  return 'structure' in kind ? structureText(kind.structure) : undefined
}

/** What `from_json` is told of a value. */
function structureOf(column: Value, depth: number): { readonly structure: unknown } | Unfit {
  if (column.optional === true) return { reason: 'is missing in some rows' }
  switch (column.type) {
    case 'text':
      return { structure: 'VARCHAR' }
    case 'integer':
    case 'bigint':
      return { structure: 'BIGINT' }
    case 'boolean':
      return { structure: 'BOOLEAN' }
    case 'number':
      // Some of them are integers, and are written as such; which DOUBLE would not tell.
      return depth === 0 ? { structure: 'JSON' } : { reason: 'has fractions inside of nested values' }
    case 'array': {
      if (column.items === undefined) return { reason: 'has only empty arrays' }
      const items = structureOf(column.items, depth + 1)
      return 'structure' in items ? { structure: [items.structure] } : items
    }
    case 'object': {
      const { fields = [] } = column
      if (fields.length === 0 || hasUnfitNames(fields)) return { reason: 'has keys that DuckDB does not keep apart' }
      const entries: [string, unknown][] = []
      for (const field of fields) {
        const inner = structureOf(field, depth + 1)
        if (!('structure' in inner)) return inner
        entries.push([field.name, inner.structure])
      }
      return { structure: new Map(entries) }
    }
    case 'null':
      return { reason: 'has nothing but null in the first rows' }
    default:
      return { reason: 'has values of several types' }
  }
}

const hasUnfitNames = (fields: readonly { readonly name: string }[]): boolean =>
  fields.some(({ name }) => name === '') || new Set(fields.map(({ name }) => name.toLowerCase())).size < fields.length

/** As `JSON.stringify` of an object, whatever the keys are called. */
function objectText(entries: Iterable<[string, unknown]>): string {
  return `{${Array.from(entries, ([name, value]) => `${JSON.stringify(name)}:${structureText(value)}`).join(',')}}`
}

function structureText(value: unknown): string {
  if (value instanceof Map) return objectText(value as Map<string, unknown>)
  return Array.isArray(value) ? `[${value.map(structureText).join(',')}]` : JSON.stringify(value)
}

function valueOf(
  { api }: LoadedDuckDb,
  own: string,
  column: ColumnSchema,
  targetFormat: string,
): { readonly sql: string; readonly type: DuckDBType } {
  if (column.type === 'number') return { sql: numberSql(`${own}::VARCHAR`), type: api.DOUBLE }
  const nested = column.type === 'array' || column.type === 'object'
  // As it stands in the line.
  if (nested && targetFormat === 'csv') return { sql: `to_json(${own})::VARCHAR`, type: api.VARCHAR }
  return { sql: own, type: duckDbType(api, column) }
}

/** A number by its text. An integer that no double holds is exact on our own road, and so is left to it. */
function numberSql(text: string): string {
  const number = `${text}::DOUBLE`
  const good = `ord(${text}) BETWEEN 45 AND 57 AND abs(${number}) < ${SAFE} AND NOT (${number} = 0 AND ord(${text}) = 45)`
  return `CASE WHEN ${text} IS NULL OR ${text} = 'null' THEN NULL WHEN ${good} THEN ${number} ELSE error('a value that is no plain number') END`
}

function duckDbType(api: LoadedDuckDb['api'], value: Value): DuckDBType {
  switch (value.type) {
    case 'integer':
    case 'bigint':
      return api.BIGINT
    case 'boolean':
      return api.BOOLEAN
    case 'array':
      return api.LIST(duckDbType(api, value.items!))
    case 'object':
      return api.STRUCT(Object.fromEntries(value.fields!.map(field => [field.name, duckDbType(api, field)])))
    default:
      return api.VARCHAR
  }
}
