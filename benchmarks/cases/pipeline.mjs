/**
 * What stages cost: the same filter and map, as a bare `for await` loop over a reader, as a chain of its methods, and as a
 * pipeline.
 */
import { compare } from '../lib/measure.mjs'
import { provideSeries, targetOf } from '../lib/series.mjs'
import { loadLibrary, loadSubject } from '../lib/subject.mjs'
import { createTally } from '../lib/tally.mjs'

/** @typedef {{ file?: string, rowsInMemory?: number, prove?: boolean }} Input a CSV file, or so many rows in an array */

async function openInput(input, clock) {
  const openIterable = await loadSubject('csv')
  const library = await loadLibrary()
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
  const target = targetOf(input)
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
  const series = await provideSeries({ quick, megabytes, prove: true })
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
