/** `peek`: each column on a line. */
import { openIterable } from '../../open.ts'
import type { Call } from '../declare.ts'
import { readOptions } from '../flags.ts'
import { columnsOf, showRows } from '../show.ts'
import { cellOf } from '../table.ts'

const ROWS = 20

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const reader = await openIterable<object>(positionals[0]!, { ...readOptions(flags), signal })
  try {
    const rows = await reader.readBulk(ROWS)
    const types = new Map(reader.schema?.columns.map(({ name, type }) => [name, type]))
    const lines = columnsOf(rows, reader).map((name, i) => {
      const values = rows.map(row => (Array.isArray(row) ? row[i] : (row as Record<string, unknown>)[name]))
      const texts = values.map(value => cellOf(value).text).filter(text => text !== '')
      return {
        column: name,
        type: types.get(name) ?? '',
        values: terminal.json ? values : [...new Set(texts)].join(' · '),
      }
    })
    await showRows(lines, { columns: ['column', 'type', 'values'] }, terminal)
  } finally {
    await reader.close()
  }
}
