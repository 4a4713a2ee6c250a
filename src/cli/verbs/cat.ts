/** `cat`: any target to standard output. */
import { convert } from '../../convert/index.ts'
import type { Call } from '../declare.ts'
import { convertOptions } from '../flags.ts'
import { ProgressLines } from '../progress.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const options = convertOptions(flags)
  const format = flags.text('to') ?? flags.text('to-format') ?? 'jsonl'
  const progress = new ProgressLines(terminal)
  // Rows that are seen are progress enough.
  const onProgress = terminal.isTerminal ? undefined : progress.one.bind(progress)
  try {
    const write = { ...options.write, format }
    const { warnings } = await convert(positionals[0]!, '-', { ...options, write, signal, onProgress })
    progress.clear()
    for (const warning of warnings) terminal.note(`note: ${warning}`)
  } finally {
    progress.clear()
  }
}
