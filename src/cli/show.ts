/** Shows rows: as a table to people, as JSON Lines to programs. */
import type { Terminal } from './declare.ts'
import { renderTable } from './table.ts'

interface Columned {
  readonly columns: readonly string[] | undefined
}

/** The columns of rows, also where the format has none. */
export function columnsOf(rows: readonly object[], { columns }: Columned): readonly string[] {
  if (columns !== undefined) return columns
  if (Array.isArray(rows[0]))
    return Array.from({ length: Math.max(...rows.map(row => (row as unknown[]).length)) }, (_, i) => `column_${i + 1}`)
  return [...new Set(rows.flatMap(row => Object.keys(row)))]
}

export async function showRows(rows: readonly object[], reader: Columned, terminal: Terminal): Promise<void> {
  if (terminal.json) {
    const bigints = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
    for (const row of rows) await terminal.out(`${JSON.stringify(row, bigints)}\n`)
    return
  }
  const columns = columnsOf(rows, reader)
  const { text, left } = renderTable(rows, { columns, width: terminal.columns, colors: terminal.colors })
  await terminal.out(text)
  if (left.length > 0)
    terminal.note(`${left.length} more columns: ${left.slice(0, 8).join(', ')}${left.length > 8 ? ', …' : ''}`)
}
