/** What a format cannot hold as it is, by the types of the columns. */
import type { ColumnSchema, Schema, SchemaType } from '../core/schema.ts'
import type { ConvertOptions } from './options.ts'

/** Types of values → what becomes of them in a format; what is not listed is kept. */
const LOSSES: Readonly<Record<string, Partial<Record<SchemaType, string>>>> = {
  csv: {
    object: 'objects are written as JSON text',
    array: 'arrays are written as JSON text',
    binary: 'bytes are written as base64 text',
  },
  fixed: {
    object: 'objects are written as JSON text',
    array: 'arrays are written as JSON text',
    binary: 'bytes are written as base64 text',
  },
  json: {
    date: 'dates are written as ISO 8601 text',
    timestamp: 'timestamps are written as ISO 8601 text',
    decimal: 'decimals are written as text',
    binary: 'bytes are written as base64 text',
  },
  parquet: { json: 'values of several types are written as JSON text' },
}

/** Types of Parquet that rows have no type for, by the beginning of their names. */
const LOST_BY_ROWS: readonly (readonly [type: string, loss: string])[] = [
  ['MAP(', 'maps are written as structs'],
  ['INTERVAL', 'intervals are written as text'],
]

/** A sentence for each column that the format, or the rows on the way to it, cannot keep as it is. */
export function lossesOf(
  schema: Schema,
  format: string | undefined,
  options: ConvertOptions,
  engine: 'rows' | 'duckdb',
): string[] {
  if (schema.columns.length === 0 && format === 'parquet') {
    return ['there are no columns: the file gets one, which is named _ and has no rows']
  }
  const lostByRows = ({ format: type = '' }: ColumnSchema) =>
    format === 'parquet' && engine === 'rows'
      ? LOST_BY_ROWS.find(([beginning]) => type.startsWith(beginning))?.[1]
      : undefined
  const rules = LOSSES[format === 'jsonl' ? 'json' : (format ?? '')] ?? {}
  return schema.columns
    .filter(({ name }) => options.columns === undefined || options.columns.includes(name))
    .flatMap(column => {
      const loss = isSpread(column, options) ? undefined : (rules[column.type] ?? lostByRows(column))
      return loss === undefined ? [] : [`column ${column.name}: ${loss}`]
    })
}

const isSpread = ({ type }: ColumnSchema, { flatten }: ConvertOptions) =>
  type === 'object' && flatten !== undefined && flatten !== false
