/**
 * Bad records put aside with their place and text, mended, and read again: in the end no row is lost.
 *
 *     node examples/dead-letters.mjs [folder for the output]
 */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { convert, openIterable } from 'open-iterable'

const source = fileURLToPath(new URL('../node_modules/vega-datasets/data/seattle-weather.csv', import.meta.url))
const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'open-iterable-letters-')))
const damaged = join(folder, 'damaged.csv')
const letters = join(folder, 'letters.jsonl')
const target = join(folder, 'weather.jsonl')

// A real file with real faults: decimal commas in a few lines, so that these have a field too many.
const lines = (await readFile(source, 'utf8')).split('\n')
for (let i = 100; i < lines.length; i += 400) lines[i] = lines[i].replace('.', ',')
await writeFile(damaged, lines.join('\n'))

const result = await convert(damaged, target, { read: { cast: true }, deadLetters: letters, maxErrors: 100 })
console.log(`${result.rowsIn} records, ${result.rowsOut} rows, ${result.rowsFailed} put aside`)

const out = openIterable(target, { mode: 'a' })
const header = lines[0]
for await (const { line, code, raw } of openIterable(letters)) {
  const mended = raw.replace(',', ';').replace(',', '.').replace(';', ',')
  console.log(`line ${line} ${code}: ${raw} → ${mended}`)
  await out.writeBulk(openIterable({ text: `${header}\n${mended}\n`, name: 'mended.csv' }, { cast: true }))
}
await out.close()

let rows = 0
for await (const batch of openIterable(target).batches()) rows += batch.length
console.log(`${rows} rows in the end`)
