/** Shows rows: as a table to people, as JSON Lines to programs. */
import { openIterable, type WriteOptions } from '../open.ts'
import type { Reader } from '../reader.ts'
import type { Terminal } from './declare.ts'
import { printable } from './printable.ts'
import { layTable, renderTable } from './table.ts'

interface Columned {
  readonly columns: readonly string[] | undefined
}

/** The columns of rows, also where the format has none. */
export function columnsOf(rows: readonly object[], { columns }: Columned): readonly string[] {
  if (columns !== undefined) return columns
  if (Array.isArray(rows[0]))
    return Array.from(
      { length: rows.reduce((most, row) => Math.max(most, (row as unknown[]).length), 0) },
      (_, i) => `column_${i + 1}`,
    )
  return [...new Set(rows.flatMap(row => Object.keys(row)))]
}

export async function showRows(rows: readonly object[], reader: Columned, terminal: Terminal): Promise<void> {
  if (terminal.json) {
    for (const row of rows) await terminal.out(`${jsonText(row)}\n`)
    return
  }
  const columns = columnsOf(rows, reader)
  const { text, left } = renderTable(rows, { columns, width: terminal.columns, colors: terminal.colors })
  await terminal.out(text)
  noteLeft(left, terminal)
}

function noteLeft(left: readonly string[], terminal: Terminal): void {
  if (left.length > 0)
    terminal.note(
      `${left.length} more columns: ${left.slice(0, 8).map(printable).join(', ')}${left.length > 8 ? ', …' : ''}`,
    )
}

/** Rows by which the columns of a table are laid out when more rows follow. */
const LAYOUT_ROWS = 200

/** Shows any number of rows: a table to people, as wide as the first rows ask for; else the format, JSON Lines by default. */
export async function streamRows(
  reader: Reader<object>,
  terminal: Terminal,
  { format, write = {} }: { readonly format?: string | undefined; readonly write?: Omit<WriteOptions, 'mode'> } = {},
): Promise<void> {
  if (format !== 'table' && (format !== undefined || terminal.json || !terminal.isTerminal)) {
    const writer = await openIterable<object>('-', { ...write, mode: 'w', format: format ?? 'jsonl' })
    try {
      await writer.writeBulk(reader)
      await writer.close()
    } finally {
      await writer[Symbol.asyncDispose]()
    }
    return
  }
  const first = await reader.readBulk(LAYOUT_ROWS)
  const columns = columnsOf(first, reader)
  const table = layTable(first, { columns, width: terminal.columns, colors: terminal.colors })
  await terminal.out(table.head + table.lines(first))
  for (let rows = first; rows.length > 0; ) {
    rows = await reader.readBulk(LAYOUT_ROWS)
    if (rows.length > 0) await terminal.out(table.lines(rows))
  }
  noteLeft(table.left, terminal)
}

/** A result as JSON; values that JSON has no form for, as text. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'bigint') return String(inner)
    return inner instanceof Error ? { ...inner, message: inner.message } : inner
  })
