/** `head`: the first rows. */
import { openIterable } from '../../open.ts'
import type { Call } from '../declare.ts'
import { readOptions } from '../flags.ts'
import { showRows } from '../show.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const reader = await openIterable<object>(positionals[0]!, { ...readOptions(flags), signal })
  try {
    const rows = await reader.readBulk(flags.count('rows') ?? 10)
    await showRows(rows, reader, terminal)
  } finally {
    await reader.close()
  }
}
