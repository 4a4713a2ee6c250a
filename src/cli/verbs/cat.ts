/** `cat`: any target to standard output. */
import { convert } from '../../convert/index.ts'
import type { Call } from '../declare.ts'
import { convertOptions } from '../flags.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const options = convertOptions(flags)
  const format = flags.text('to') ?? flags.text('to-format') ?? 'jsonl'
  await convert(positionals[0]!, '-', { ...options, write: { ...options.write, format }, signal }).then(
    ({ warnings }) => {
      for (const warning of warnings) terminal.note(`note: ${warning}`)
    },
  )
}
