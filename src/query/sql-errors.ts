/** Where in a query an error is: DuckDB draws it, with a caret below the line. */
import { createError, nearest, OpenIterableError } from '../core/errors.ts'

export const SQL_LABEL = '<sql>'

/** The error of a query, with its line and column. Any other error is given back as it is. */
export function sqlError(error: unknown, query: string, tables: readonly string[]): unknown {
  if (!(error instanceof OpenIterableError) || error.code !== 'QUERY_INVALID') return error
  const said = error.cause instanceof Error ? error.cause.message : ''
  // What DuckDB means instead is one of its own tables, as likely as not.
  const missing = /Table with name (.+?) does not exist/.exec(said)?.[1]
  if (missing !== undefined) {
    const near = nearest(missing, tables)
    return createError('QUERY_INVALID', `there is no table ${missing}`, {
      label: SQL_LABEL,
      ...placeOf(said, query),
      found: missing,
      hint: near === undefined ? `tables are: ${tables.join(', ') || 'none'}` : `did you mean ${near}?`,
      cause: error.cause,
    })
  }
  if (/^Permission Error/.test(said)) {
    return createError('QUERY_INVALID', 'a query reads its tables and no files', {
      label: SQL_LABEL,
      ...placeOf(said, query),
      hint: 'give the file as a table, and select from that',
      cause: error.cause,
    })
  }
  const [, summary = error.message] = /^(?:\S+ )?\[QUERY_INVALID\] (.*)$/s.exec(error.message) ?? []
  return createError('QUERY_INVALID', summary, { label: SQL_LABEL, ...placeOf(said, query), cause: error.cause })
}

/** Line and column, from 1. The column only where it can be told for sure. */
export function placeOf(said: string, query: string): { readonly line?: number; readonly column?: number } {
  const [, head, number, shown, blanks] = /(?:^|\n)(LINE (\d+): )([^\n]*)\n( *)\^/.exec(said) ?? []
  if (number === undefined) return {}
  const line = Number(number)
  const text = query.split('\n')[line - 1] ?? ''
  const at = blanks!.length - head!.length
  const isPlain = (part: string) => /^[\x20-\x7e]*$/.test(part)
  if (!shown!.startsWith('...') || text.startsWith('...')) {
    return at >= 0 && isPlain(text.slice(0, at)) ? { line, column: at + 1 } : { line }
  }
  // Of a long line a part is shown.
  const part = shown!.slice(3).replace(/\.\.\.$/, '')
  const begins = text.indexOf(part)
  if (begins < 0 || text.indexOf(part, begins + 1) >= 0 || !isPlain(part)) return { line }
  return { line, column: begins + at - 3 + 1 }
}
