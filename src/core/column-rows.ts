/** Columns → rows: plain objects of one shape, made by a function that is generated for their names. */
import { literalKey, mayGenerateCode } from './generated-code.ts'
import { parseJson } from './json-parse.ts'
import type { Row } from './types.ts'

/** Makes `count` rows of columns, which stand in the order of the names. */
export type ColumnRows = (count: number, columns: readonly ArrayLike<unknown>[]) => Row[]

/** More keys than this in one literal are slower than a loop, and take long to compile. */
const MAX_LITERAL_KEYS = 1000
/** Builders that are kept: rows of one shape from many files, and what is nested in them. */
const MAX_KEPT = 200
const kept = new Map<string, ColumnRows>()

/** The builder for rows of these keys. Of keys that occur twice the last one wins. */
export function columnRows(keys: readonly string[]): ColumnRows {
  const id = JSON.stringify(keys)
  let builder = kept.get(id)
  if (builder === undefined) {
    builder = generated(keys) ?? loopColumnRows(keys)
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!)
    kept.set(id, builder)
  }
  return builder
}

/** One object literal a row: each has its hidden class from birth. Undefined where code must not be generated. */
function generated(keys: readonly string[]): ColumnRows | undefined {
  if (keys.length > MAX_LITERAL_KEYS || !mayGenerateCode()) return undefined
  const columns = keys.map((_, i) => `c${i}=columns[${i}]`)
  const entry = (key: string, i: number) => `${literalKey(key)}:c${i}[i]`
  const body = `'use strict'
const rows = new Array(count)${columns.length === 0 ? '' : `, ${columns.join(',')}`}
for (let i = 0; i < count; i++) rows[i] = {${keys.map(entry).join(',')}}
return rows`
  return new Function('count', 'columns', body) as ColumnRows
}

/** The builder without generated code. */
export function loopColumnRows(keys: readonly string[]): ColumnRows {
  // Copying a template that has all the keys as its own makes each store an overwrite, also that of `__proto__`.
  const template = parseJson(`{${keys.map(key => `${JSON.stringify(key)}:null`).join(',')}}`) as Row
  return (count, columns) => {
    const rows = new Array<Row>(count)
    for (let i = 0; i < count; i++) rows[i] = { ...template }
    for (const [at, key] of keys.entries()) {
      const column = columns[at]!
      for (let i = 0; i < count; i++) rows[i]![key] = column[i]
    }
    return rows
  }
}
