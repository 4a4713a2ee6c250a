/**
 * A CSV as it came → one to work with: short names, typed values, only the columns and rows that are wanted, compressed.
 *
 *     node examples/clean-csv.mjs [folder for the output]
 */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { convert, openIterable } from 'open-iterable'

const source = fileURLToPath(new URL('../node_modules/vega-datasets/data/birdstrikes.csv', import.meta.url))
const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'open-iterable-clean-')))
const target = join(folder, 'birdstrikes.csv.gz')

const result = await convert(source, target, {
  // A type is inferred only where the text could be written back.
  read: { cast: true },
  filter: strike => strike['Cost Total $'] > 0,
  rename: {
    'Airport Name': 'airport',
    'Flight Date': 'date',
    'Origin State': 'state',
    'Wildlife Species': 'species',
    'Cost Total $': 'cost',
  },
  columns: ['Airport Name', 'Flight Date', 'Origin State', 'Wildlife Species', 'Cost Total $'],
})
console.log(`${result.rowsIn} rows in, ${result.rowsOut} out, ${result.rowsLeftOut} without a cost`)
console.log(`${target}: ${result.bytesWritten} bytes of ${result.bytesRead}`)
console.table(await openIterable(target, { cast: true }).take(3).toArray())
