/**
 * What stages cost: the same filter and map, as a bare `for await` loop over a reader, as a chain of its methods, and as a
 * pipeline.
 */
import { pathToFileURL } from 'node:url'
import { provideData } from '../lib/data.mjs'
import { compare } from '../lib/measure.mjs'
import { loadSubject, subjectFolder } from '../lib/subject.mjs'
import { createTally } from '../lib/tally.mjs'

const ROWS_IN_MEMORY = 3_000_000

/** @typedef {{ file?: string, rowsInMemory?: number, prove?: boolean }} Input a CSV file, or so many rows in an array */

async function openInput(input, clock) {
  const openIterable = await loadSubject('csv')
  const library = await import(pathToFileURL(`${subjectFolder}/index.js`).href)
  // What stages need is loaded with the first row that goes through one.
  const one = () => openIterable([{ a: 1 }])
  await library.pipeline(
    one(),
    library.tapStage(() => {}),
    new library.MemoryTarget('x.csv'),
  )
  await one()
    .map(row => row)
    .toArray()
  const pool = Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `row ${i}`, flag: i % 2 }))
  const target = input.file ?? Array.from({ length: input.rowsInMemory }, (_, i) => pool[i % pool.length])
  clock.start()
  return { reader: openIterable(target), ...library }
}

/** Whether a row stays: by far most do. */
const test = row => row.name !== 'row 7'
const change = row => ({ ...row, more: 1 })

/** @type {Record<string, (input: Input, clock: { start(): void, stop(): void }) => Promise<object>>} */
export const variants = {
  async loop(input, clock) {
    const { take, result } = createTally(input)
    const { reader } = await openInput(input, clock)
    for await (const row of reader) if (test(row)) take(change(row))
    return result()
  },

  async chain(input, clock) {
    const { take, result } = createTally(input)
    const { reader } = await openInput(input, clock)
    for await (const row of reader.filter(test).map(change)) take(row)
    return result()
  },

  async 'chain, forEach'(input, clock) {
    const { take, result } = createTally(input)
    const { reader } = await openInput(input, clock)
    await reader.filter(test).map(change).forEach(take)
    return result()
  },

  async pipeline(input, clock) {
    const { take, result } = createTally(input)
    const { reader, pipeline, filterStage, mapStage } = await openInput(input, clock)
    await pipeline(reader, filterStage(test), mapStage(change), rows => {
      for (const row of rows) take(row)
    })
    return result()
  },
}

export async function run({ report, quick, megabytes, rounds, choose }) {
  const { file, sample, repetitions, lines } = await provideData('flights', 'csv', megabytes)
  const rowsInMemory = quick ? ROWS_IN_MEMORY / 3 : ROWS_IN_MEMORY
  const series = {
    'rows in an array': {
      rows: rowsInMemory,
      input: { rowsInMemory },
      sample: { rowsInMemory: 10_000, prove: true },
      repetitions: rowsInMemory / 10_000,
    },
    'csv: flights': { rows: lines * repetitions, input: { file }, sample: { file: sample, prove: true }, repetitions },
  }
  for (const [name, { rows, ...inputs }] of Object.entries(series)) {
    const results = await compare(
      { case: 'pipeline', variants: choose(Object.keys(variants)), reference: 'loop', rounds, ...inputs },
      message => report.fail(`pipeline, ${name}: ${message}`),
    )
    const { loop } = results
    if (!loop) continue
    report.table(
      `pipeline: ${name}, ${rows} rows through a filter and a map`,
      ['variant', 'ms', 'ns a row', '× loop'],
      Object.entries(results).map(([variant, summary]) => [
        variant,
        summary.ms.toFixed(0),
        ((summary.ms * 1e6) / rows).toFixed(0),
        (summary.ms / loop.ms).toFixed(2),
      ]),
    )
    for (const [variant, summary] of Object.entries(results)) {
      if (variant !== 'loop')
        report.target(`pipeline, ${name}, ${variant} × loop`, summary.ms / loop.ms, { atMost: 1.3 })
    }
  }
}
