/** `tail`: the last rows, of which only so many are held. */
import { openIterable } from '../../open.ts'
import type { Call } from '../declare.ts'
import { readOptions } from '../flags.ts'
import { ProgressLines } from '../progress.ts'
import { showRows } from '../show.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const wanted = flags.count('rows') ?? 10
  const reader = await openIterable<object>(positionals[0]!, { ...readOptions(flags), signal })
  const stop = new ProgressLines(terminal).watch(reader)
  try {
    let rows: object[] = []
    for await (const batch of reader.batches()) {
      rows = batch.length >= wanted ? batch.slice(batch.length - wanted) : [...rows, ...batch].slice(-wanted)
    }
    stop()
    await showRows(wanted === 0 ? [] : rows, reader, terminal)
  } finally {
    stop()
    await reader.close()
  }
}
