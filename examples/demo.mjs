/**
 * Real data through the library: CSV → rows → compressed CSV → JSONL → CSV, and each step checked; then Parquet.
 *
 *     npm ci && npm run demo
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { convert, openIterable } from 'open-iterable'

const datasets = fileURLToPath(new URL('../node_modules/vega-datasets/data/', import.meta.url))
const folder = await mkdtemp(join(tmpdir(), 'open-iterable-demo-'))

try {
  await showRows(join(datasets, 'birdstrikes.csv'))
  await takeRound('flights', await writeFlights())
  await takeRound('birdstrikes', join(datasets, 'birdstrikes.csv'))
  await takeRound('zipcodes', join(datasets, 'zipcodes.csv'))
  await takeRound('airports', join(datasets, 'airports.csv'))
  await takeThroughParquet(join(datasets, 'flights-3m.parquet'))
  await showBadRecord()
  console.log('\nAll rows arrived, and all cells are the same at each step.')
} finally {
  await rm(folder, { recursive: true })
}

/** The first rows of a file. Leaving the loop closes the file. */
async function showRows(path) {
  console.log(`\n${path.slice(datasets.length)}, the first rows and columns:`)
  const rows = []
  for await (const row of openIterable(path)) {
    rows.push(Object.fromEntries(Object.entries(row).slice(0, 5)))
    if (rows.length === 4) break
  }
  console.table(rows)
}

/** Objects in memory become a CSV file, ten times over: it appears, whole, when the writer is closed. */
async function writeFlights() {
  const flights = JSON.parse(await readFile(join(datasets, 'flights-200k.json'), 'utf8'))
  const path = join(folder, 'flights.csv')
  const writer = openIterable(path, { mode: 'w' })
  for (let i = 0; i < 10; i++) await writer.writeBulk(flights)
  await writer.close()
  assert.equal(writer.rowsWritten, 10 * flights.length)
  return path
}

/** Three million rows out of Parquet, and some of them picked by DuckDB before they are read. */
async function takeThroughParquet(path) {
  console.log(`\n${path.slice(datasets.length)}`)
  const csv = join(folder, 'flights-3m.csv')
  const { rowsIn, rowsOut, rowsPerSecond, engine } = await convert(path, csv)
  assert.equal(rowsIn, rowsOut)
  console.log(
    `  Parquet → CSV: ${rowsOut.toLocaleString('en')} rows, ${Math.round(rowsPerSecond / 1e3)} thousand a second, by ${engine}`,
  )
  const where = { origin: 'SEA', delay: { gt: 120 } }
  const late = openIterable(path, {
    columns: ['destination', 'delay'],
    where,
    orderBy: [{ column: 'delay', descending: true }],
    limit: 3,
  })
  for await (const { destination, delay } of late) console.log(`  SEA → ${destination}: ${delay} minutes late`)
}

/** Takes a CSV file once around; the extensions say what is read and written. */
async function takeRound(name, csv) {
  const gzip = join(folder, `${name}-2.csv.gz`)
  const jsonl = join(folder, `${name}-3.jsonl`)
  const back = join(folder, `${name}-4.csv`)

  console.log(`\n${name}`)
  await step('CSV → rows', csv, () => countRows(csv))
  await step('CSV → gzip CSV', csv, () => copyRows(csv, gzip))
  await step('gzip CSV → JSONL', csv, () => copyRows(gzip, jsonl))
  await step('JSONL → CSV', jsonl, () => copyRows(jsonl, back))

  const original = await fingerprint(csv)
  for (const path of [gzip, jsonl, back]) assert.deepEqual(await fingerprint(path), original)
}

async function countRows(path) {
  let rows = 0
  for await (const _ of openIterable(path)) rows++
  return { rows }
}

/** Writers take readers whole, batch by batch, so that memory does not grow with the file. */
async function copyRows(from, to) {
  const writer = openIterable(to, { mode: 'w' })
  await writer.writeBulk(openIterable(from))
  await writer.close()
  return { rows: writer.rowsWritten }
}

/** Reads a file and says how many rows there are, and what is in them. */
async function fingerprint(path) {
  const hash = createHash('sha256')
  let rows = 0
  for await (const row of openIterable(path)) {
    hash.update(JSON.stringify(row))
    rows++
  }
  return { rows, cells: hash.digest('hex') }
}

/** Runs one step and prints its rows and speed, in megabytes of the uncompressed input. */
async function step(title, input, run) {
  const { size } = await stat(input)
  const start = performance.now()
  const result = await run()
  const seconds = (performance.now() - start) / 1000
  const speed = (size / 1e6 / seconds).toFixed(0)
  const rows = result.rows.toLocaleString('en')
  console.log(`  ${title.padEnd(18)} ${rows.padStart(9)} rows  ${speed.padStart(5)} MB/s`)
  return result
}

/** What is wrong is told with its place, and what to do about it. */
async function showBadRecord() {
  const text = 'name,born\nAda,1815\nGrace,1906,Arlington\n'
  try {
    for await (const _ of openIterable({ text, name: 'people.csv' }));
    assert.fail('a record with a cell too many was read')
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error
    console.log(`\nA bad record stops the reading:\n  ${error.message}`)
  }
}
