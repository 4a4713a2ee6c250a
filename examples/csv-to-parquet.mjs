/**
 * CSV → Parquet with types, and questions to it of which the file itself answers most: only what is wanted is read.
 *
 *     node examples/csv-to-parquet.mjs [folder for the output]
 */
import { mkdtemp, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { convert, openIterable } from 'open-iterable'

const source = fileURLToPath(new URL('../node_modules/vega-datasets/data/seattle-weather.csv', import.meta.url))
const folder = process.argv[2] ?? (await mkdtemp(join(tmpdir(), 'open-iterable-parquet-')))
const target = join(folder, 'weather.parquet')

const { rowsOut, plan } = await convert(source, target, { read: { cast: true } })
console.log(
  `${rowsOut} rows by ${plan.engine}: ${(await stat(source)).size} bytes of CSV, ${(await stat(target)).size} of Parquet`,
)

const weather = await openIterable(target, {
  columns: ['date', 'temp_max', 'wind'],
  where: { weather: 'snow', temp_max: { lt: 3 } },
  orderBy: [{ column: 'wind', descending: true }],
  limit: 3,
})
console.log(weather.schema.columns.map(({ name, type }) => `${name}: ${type}`).join(', '))
for await (const { date, temp_max, wind } of weather) {
  console.log(`${date.toISOString().slice(0, 10)}: at most ${temp_max} °C, wind ${wind}`)
}
