/** `count`: the rows of each target, and of all. */
import { openIterable, type ReadOptions } from '../../open.ts'
import type { Call } from '../declare.ts'
import { readOptions } from '../flags.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  let all = 0
  const print = (rows: number, name: string) =>
    terminal.out(
      terminal.json
        ? `${JSON.stringify({ target: name, rows })}\n`
        : `${rows}${positionals.length > 1 ? `\t${name}` : ''}\n`,
    )
  for (const target of positionals) {
    const rows = await countRows(target, { ...readOptions(flags), signal })
    all += rows
    await print(rows, target)
  }
  if (positionals.length > 1) await print(all, 'total')
}

async function countRows(target: string, options: ReadOptions): Promise<number> {
  const reader = openIterable<object>(target, options)
  try {
    for await (const _ of reader.batches());
    return reader.rowsRead
  } finally {
    await reader.close()
  }
}
