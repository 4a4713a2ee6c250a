/** `diff`: two targets by key, or by whole rows. */
import type { DiffSummary, RowChange } from '../../query/diff-options.ts'
import { diff } from '../../query/index.ts'
import { type Call, PartialFailure, type Terminal } from '../declare.ts'
import { readOptions } from '../flags.ts'
import { printable } from '../printable.ts'
import { ProgressLines } from '../progress.ts'
import { jsonText } from '../show.ts'
import { cellOf } from '../table.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const [before, after] = positionals as [string, string]
  const progress = new ProgressLines(terminal)
  const changes = diff(before, after, {
    read: readOptions(flags),
    key: flags.list('key'),
    columns: flags.list('columns'),
    signal,
    onProgress: one => progress.one(one),
    onTable: ({ label, warnings }) => {
      progress.clear()
      for (const warning of warnings) terminal.note(`note: ${label}: ${warning}`)
    },
  })
  let summary: DiffSummary
  try {
    if (flags.switch('summary') !== true) {
      for await (const change of changes) await terminal.out(textOf(change, terminal))
    }
    summary = await changes
  } finally {
    progress.clear()
  }
  if (terminal.json && flags.switch('summary') === true) await terminal.out(`${jsonText(summary)}\n`)
  else terminal.note(inWords(summary))
  if (!summary.equal) throw new PartialFailure()
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const
const COLORS = { added: 32, removed: 31, changed: 33 } as const

function textOf(change: RowChange, { json, colors }: Terminal): string {
  if (json) return `${jsonText(change)}\n`
  const { key, before, after, columns } = change
  const row = after ?? before!
  const text = (value: unknown) => cellOf(value).text || 'null'
  const pairs = (values: object) => Object.entries(values).map(([name, value]) => `${printable(name)}=${text(value)}`)
  const shown =
    change.change === 'changed'
      ? [
          ...pairs(key!),
          ...columns.map(name => `${printable(name)}: ${text(before![name])} → ${text(after![name])}`),
        ].join('  ')
      : pairs(row).join('  ')
  const line = `${SIGNS[change.change]} ${shown}`
  return colors ? `\u001b[${COLORS[change.change]}m${line}\u001b[39m\n` : `${line}\n`
}

function inWords(summary: DiffSummary): string {
  const { equal, added, removed, changed, unchanged, columnsAdded, columnsRemoved } = summary
  const count = (number: number, what: string) => (number === 0 ? [] : [`${number.toLocaleString('en')} ${what}`])
  if (equal) return `no differences in ${unchanged.toLocaleString('en')} rows`
  return [
    ...count(added, 'added'),
    ...count(removed, 'removed'),
    ...count(changed, 'changed'),
    ...count(unchanged, 'unchanged'),
    ...(columnsAdded.length === 0 ? [] : [`columns added: ${columnsAdded.map(printable).join(', ')}`]),
    ...(columnsRemoved.length === 0 ? [] : [`columns removed: ${columnsRemoved.map(printable).join(', ')}`]),
  ].join(', ')
}
