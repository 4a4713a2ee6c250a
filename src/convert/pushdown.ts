/** Which of the row selection the source does by itself, and what is left for the steps. */
import { createError } from '../core/errors.ts'
import { columnsOf, type Filter, parseFilter } from '../core/filter.ts'
import { orderColumns, type RowSelection } from '../core/row-selection.ts'
import type { ConvertOptions } from './options.ts'
import type { ConversionRequest } from './plan.ts'

export interface Pushdown {
  /** What reading is opened with, beside the user's own options. */
  readonly read: RowSelection
  /** The options that remain for the steps. */
  readonly rest: ConvertOptions
}

/** Divides the work. Throws OPTION_INVALID for what neither the source nor the steps can do. */
export async function pushDown({ from, options }: ConversionRequest): Promise<Pushdown> {
  const { where, orderBy, offset, limit, columns } = options
  const able = await abilitiesOf(from)
  const read: { -readonly [K in keyof RowSelection]: RowSelection[K] } = {}
  const rest: { -readonly [K in keyof ConvertOptions]: ConvertOptions[K] } = { ...options }
  const push = (name: keyof RowSelection) => {
    read[name] = options[name] as never
    delete rest[name]
  }
  if (orderBy !== undefined) {
    if (able('orderBy')) push('orderBy')
    // Objects of the user's own would not come back from a file as what they are.
    else if (from.format === undefined) throw unable('orderBy', 'sorts')
  }
  if (where !== undefined) {
    if (able('where')) push('where')
    else if (typeof where === 'string' || Array.isArray(where)) throw unable('where', 'takes conditions in SQL')
    else parseFilter(where as Filter) // for its errors, before anything is opened
  }
  const sorted = rest.orderBy !== undefined
  const selected = rest.where === undefined && !sorted
  // A bad record that is left out is not one of those that were meant.
  const strict = (options.onError ?? 'raise') === 'raise' && options.deadLetters === undefined
  if (selected && strict) {
    if (offset !== undefined && able('offset')) push('offset')
    const drops = options.filter !== undefined || options.flatMap !== undefined
    if (limit !== undefined && rest.offset === undefined && !drops && able('limit')) push('limit')
  }
  const reshaped = options.filter ?? options.map ?? options.flatMap ?? options.flatten ?? options.unflatten
  if (columns !== undefined && reshaped === undefined && options.read?.columns === undefined && able('columns')) {
    const needed = orderColumns(rest.orderBy).map(({ column }) => column)
    if (rest.where !== undefined) needed.push(...columnsOf(parseFilter(rest.where as Filter)))
    read.columns = [...new Set([...columns, ...needed])]
  }
  return { read, rest }
}

function unable(option: 'orderBy' | 'where', does: string): Error {
  return createError('OPTION_INVALID', `nothing here ${does} for this source`, {
    expected: 'a source that does, as Parquet and Postgres are',
    found: `option ${option}`,
    hint: 'convert to Parquet first, or install DuckDB: npm install @duckdb/node-api',
  })
}

/** Which options the source's place and format take. */
async function abilitiesOf(from: ConversionRequest['from']): Promise<(name: string) => boolean> {
  const tables = [(await from.entry.load()).readOptions, (await from.format?.load())?.readOptions]
  return name => tables.some(table => table !== undefined && Object.hasOwn(table, name))
}
