/** Names of tables and columns, as SQL has them. */
import { createError, excerpt } from '../../core/errors.ts'

/** The name as an identifier of SQL. */
export function quoteIdentifier(name: string): string {
  if (name.includes('\0'))
    throw createError('OPTION_INVALID', `${excerpt(name)} holds a zero character, which no name has`)
  return `"${name.replaceAll('"', '""')}"`
}

/** `schema.table`, where either may stand in quotes, → its parts. */
export function parseTableName(table: string): string[] {
  const parts = table.match(/"(?:[^"]|"")*"|[^."]+/g) ?? []
  if (parts.length === 0 || parts.join('.') !== table) {
    throw createError('OPTION_INVALID', `option table is ${excerpt(table)}, which is no name of a table`, {
      expected: "'people', 'hr.people' or '\"Odd.Schema\".people'",
      found: table,
    })
  }
  return parts.map(part => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part))
}

export const quoteTable = (table: string): string => parseTableName(table).map(quoteIdentifier).join('.')
