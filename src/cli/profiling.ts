/** What `stats` and `profile` share: the profile of a target, with its progress. */
import { profile } from '../profile/index.ts'
import type { Profile } from '../profile/types.ts'
import { type Call, UsageError } from './declare.ts'
import { readOptions } from './flags.ts'
import { ProgressLines } from './progress.ts'

export async function profileOf({ positionals, flags, terminal, signal }: Call): Promise<Profile> {
  const { cast: _, onWiden: __, scan: ___, mode: ____, columns: _____, ...read } = readOptions(flags)
  const progress = new ProgressLines(terminal)
  try {
    const found = await profile(positionals[0]!, {
      read,
      columns: flags.list('columns'),
      rows: rowsOf(flags.text('rows')),
      topValues: flags.number('top'),
      signal,
      onProgress: ({ label, rows, ...rest }) =>
        progress.one({ from: label, to: '', rowsIn: rows, rowsOut: rows, ...rest }),
    })
    return found
  } finally {
    progress.clear()
  }
}

function rowsOf(text: string | undefined): number | 'all' | undefined {
  if (text === undefined || text === 'all') return text
  const rows = Number(text.replaceAll('_', ''))
  if (!Number.isInteger(rows) || rows < 1) throw new UsageError(`--rows takes a number from 1, or all, not ${text}`)
  return rows
}
