/** `count`: the rows of each target, and of all. */
import { openIterable, type ReadOptions } from '../../open.ts'
import { parquetMetadata } from '../../parquet-metadata.ts'
import type { Call } from '../declare.ts'
import { readOptions } from '../flags.ts'
import { ProgressLines } from '../progress.ts'

export async function run({ positionals, flags, terminal, signal }: Call): Promise<void> {
  const progress = new ProgressLines(terminal)
  let all = 0
  const print = (rows: number, name: string) =>
    terminal.out(
      terminal.json
        ? `${JSON.stringify({ target: name, rows })}\n`
        : `${rows}${positionals.length > 1 ? `\t${name}` : ''}\n`,
    )
  for (const target of positionals) {
    const rows = await countRows(target, { ...readOptions(flags), signal }, progress)
    all += rows
    await print(rows, target)
  }
  if (positionals.length > 1) await print(all, 'total')
}

async function countRows(target: string, options: ReadOptions, progress: ProgressLines): Promise<number> {
  const reader = openIterable<object>(target, options)
  let stop = () => {}
  try {
    const known = await rowsInFooter(target, reader.format, options)
    if (known !== undefined) return known
    stop = progress.watch(await reader)
    for await (const _ of reader.batches());
    return reader.rowsRead
  } finally {
    stop()
    await reader.close()
  }
}

/** What a Parquet file says of itself; undefined where it cannot be asked, and rows are to be counted. */
async function rowsInFooter(
  target: string,
  format: string | undefined,
  { signal, ...options }: ReadOptions,
): Promise<number | undefined> {
  const given = Object.entries(options).filter(([name, value]) => value !== undefined && name !== 'format')
  if (format !== 'parquet' || given.length > 0 || target === '-') return undefined
  try {
    return (await parquetMetadata(target, { signal })).rowCount
  } catch (error) {
    const { code } = error as { code?: unknown }
    // A pattern means many files, and hyparquet reads where there is no DuckDB.
    if (code === 'SOURCE_NOT_FOUND' || code === 'PEER_MISSING') return undefined
    throw error
  }
}
