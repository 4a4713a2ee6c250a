/**
 * One file → many → all of them as one: by a glob, and each converted by a template, of which a second run has nothing to do.
 *
 *     node examples/many-files.mjs [folder for the output]
 */
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bulkConvert, openIterable } from 'open-iterable'

const source = fileURLToPath(new URL('../node_modules/vega-datasets/data/stocks.csv', import.meta.url))
const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'open-iterable-many-')))

await mkdir(join(folder, 'stocks'), { recursive: true })
const writers = new Map()
for await (const row of openIterable(source)) {
  let writer = writers.get(row.symbol)
  if (writer === undefined) {
    writer = openIterable(join(folder, 'stocks', `${row.symbol}.csv`), { mode: 'w' })
    writers.set(row.symbol, writer)
  }
  await writer.write(row)
}
await Promise.all([...writers.values()].map(writer => writer.close()))

const highest = new Map()
const all = openIterable(join(folder, 'stocks/*.csv'), { cast: true, fileNameColumn: 'file' })
for await (const { symbol, price } of all) highest.set(symbol, Math.max(price, highest.get(symbol) ?? 0))
console.log(`${all.rowsRead} rows of ${highest.size} files; highest: ${JSON.stringify(Object.fromEntries(highest))}`)

for (const run of ['first', 'second']) {
  const { succeeded, failed, rowsOut } = await bulkConvert(
    join(folder, 'stocks/*.csv'),
    join(folder, 'jsonl/{stem}.jsonl.gz'),
    { concurrency: 2, resume: true },
  )
  const unchanged = succeeded.filter(({ status }) => status === 'unchanged').length
  console.log(
    `${run} run: ${succeeded.length} files, ${unchanged} of them unchanged, ${failed.length} failed, ${rowsOut} rows`,
  )
}
