/** `sql`: a query over targets. */
import { sql } from '../../query/index.ts'
import type { OpenedTable, TableTarget } from '../../query/options.ts'
import { type Call, UsageError } from '../declare.ts'
import { readOptions, writeOptions } from '../flags.ts'
import { bytes, ProgressLines } from '../progress.ts'
import { streamRows } from '../show.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const [query, ...targets] = positionals as [string, ...string[]]
  const progress = new ProgressLines(terminal)
  const reader = sql<object>(query, tablesOf(targets), {
    read: readOptions(flags),
    parameters: flags.all('parameter').map(valueOf),
    signal,
    onProgress: one => progress.one(one),
    onTable: table => {
      progress.clear()
      if (table.by === 'copy') terminal.note(`note: ${copied(table)}`)
      for (const warning of table.warnings) terminal.note(`note: ${table.name}: ${warning}`)
    },
  })
  try {
    const opened = await reader
    await streamRows(opened, terminal, {
      format: flags.text('to') ?? flags.text('to-format'),
      write: writeOptions(flags),
    })
  } finally {
    progress.clear()
    await reader.close()
  }
}

const copied = ({ name, rows, tempBytes }: OpenedTable): string =>
  `${name}: ${rows.toLocaleString('en')} rows copied to a temp file of ${bytes(tempBytes)}`

/** `name=target`, or a target that is called by its stem. */
function tablesOf(words: readonly string[]): Record<string, TableTarget> | TableTarget[] {
  const named = words.map(word => /^([\p{L}_][\p{L}\p{N}_]*)=(.+)$/su.exec(word))
  if (named.every(match => match === null)) return [...words]
  const missing = words.find((_, i) => named[i] === null)
  if (missing !== undefined) throw new UsageError(`${missing} has no name, and other tables do`, 'as in name=target')
  return Object.fromEntries(named.map(match => [match![1]!, match![2]!]))
}

/** A parameter as JSON where it reads as a number, true, false or null, else as text. */
function valueOf(text: string): string | number | boolean | null {
  return /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?|true|false|null)$/.test(text) ? JSON.parse(text) : text
}
