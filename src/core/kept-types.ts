/**
 * Types of a database that Parquet has none for (`varchar(20)`, enums, domains, ranges): they are kept in the file's own
 * key-value metadata, as what Arrow and pandas keep is. A file is anybody's, so what it says is checked here, counts only
 * for columns that are stored as they were then, and is no more than a name to look up.
 */
import type { ColumnSchema, NativeType } from './schema.ts'

/** The key of the metadata. */
export const KEPT_TYPES_KEY = 'open-iterable:types'
const MAX_CHARACTERS = 4 * 1024 * 1024
const MAX_NAME = 256
const KINDS = new Set(['b', 'c', 'd', 'e', 'r', 'm'])

/** What is kept of a column. */
export interface KeptType {
  readonly name: string
  /** What the values are stored as, by DuckDB's name. */
  readonly stored: string
  readonly nullable: boolean
  readonly native: NativeType
}

/** The metadata for what is kept; undefined where that is nothing. */
export function textOfKept(columns: readonly KeptType[]): string | undefined {
  return columns.length === 0 ? undefined : JSON.stringify({ version: 1, columns })
}

/** The types as they are for renamed columns of which some are chosen: `names` has the new ones by the old. */
export function renamedKeptTypes(text: string, names: ReadonlyMap<string, string>): string | undefined {
  const columns = parsed(text).flatMap(column => {
    const name = names.get(column.name)
    return name === undefined ? [] : [{ ...column, name }]
  })
  return textOfKept(columns)
}

/** The columns of a file with what it has kept of them. */
export function withKeptTypes(columns: readonly ColumnSchema[], text: string | undefined): readonly ColumnSchema[] {
  if (text === undefined) return columns
  const kept = new Map(parsed(text).map(column => [column.name, column]))
  return columns.map(column => {
    const own = kept.get(column.name)
    if (own === undefined || own.stored !== storedAs(column)) return column
    return { ...column, native: own.native, nullable: column.nullable && own.nullable }
  })
}

function storedAs({ type, format, items }: Omit<ColumnSchema, 'name' | 'source'>): string {
  if (type === 'array') return items === undefined ? '' : `${storedAs(items)}[]`
  // A list does not tell of JSON in it.
  return type === 'object' ? 'STRUCT' : format === 'JSON' ? 'VARCHAR' : (format ?? '')
}

/** What of the metadata is what it should be. */
function parsed(text: string): KeptType[] {
  if (text.length > MAX_CHARACTERS) return []
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return []
  }
  const { version, columns } = fieldsOf(value)
  return version === 1 && Array.isArray(columns) ? columns.flatMap(column => keptTypeOf(column) ?? []) : []
}

function keptTypeOf(value: unknown): KeptType | undefined {
  const { name, stored, nullable, native } = fieldsOf(value)
  const { system, schema, name: typeName, kind, modifier } = fieldsOf(native)
  const isName = (text: unknown): text is string =>
    typeof text === 'string' && text !== '' && text.length <= MAX_NAME && !text.includes('\0') && text.isWellFormed()
  if (typeof name !== 'string' || typeof stored !== 'string' || typeof nullable !== 'boolean') return undefined
  if (system !== 'postgres' || !isName(schema) || !isName(typeName)) return undefined
  if (typeof kind !== 'string' || !KINDS.has(kind)) return undefined
  if (typeof modifier !== 'number' || !Number.isInteger(modifier) || modifier < -1 || modifier > 0x7fffffff)
    return undefined
  return { name, stored, nullable, native: { system, schema, name: typeName, kind, modifier } }
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
