/**
 * What one row costs at the edge: our iterator and an async generator over the same batches, each less the batches
 * themselves.
 */
import { compare } from '../lib/measure.mjs'
import { provideSeries, targetOf } from '../lib/series.mjs'
import { loadSubject } from '../lib/subject.mjs'
import { createTally } from '../lib/tally.mjs'

/** @typedef {{ file?: string, rowsInMemory?: number }} Input a CSV file, or so many rows in an array */

async function openInput(input, clock) {
  const openIterable = await loadSubject('csv')
  const target = targetOf(input)
  clock.start()
  return openIterable(target)
}

/** @type {Record<string, (input: Input, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  async batches(input, clock) {
    const { take, result } = createTally({})
    const reader = await openInput(input, clock)
    for await (const batch of reader.batches()) {
      for (let i = 0; i < batch.length; i++) take(batch[i])
    }
    return result()
  },

  async iterator(input, clock) {
    const { take, result } = createTally({})
    for await (const row of await openInput(input, clock)) take(row)
    return result()
  },

  async generator(input, clock) {
    const { take, result } = createTally({})
    const reader = await openInput(input, clock)
    for await (const row of deal(reader.batches())) take(row)
    return result()
  },
}

async function* deal(batches) {
  for await (const batch of batches) {
    for (let i = 0; i < batch.length; i++) yield batch[i]
  }
}

export async function run({ report, quick, megabytes, rounds }) {
  const series = await provideSeries({ quick, megabytes, prove: false })
  for (const [name, { rows, ...inputs }] of Object.entries(series)) {
    const { batches, iterator, generator } = await compare(
      { case: 'iterator', variants: Object.keys(variants), reference: 'batches', rounds, ...inputs },
      message => report.fail(`iterator, ${name}: ${message}`),
    )
    if (!batches || !iterator || !generator) continue
    const nanoseconds = summary => ((summary.ms - batches.ms) * 1e6) / rows
    report.table(
      `iterator: ${name}, ${rows} rows`,
      ['variant', 'ms', 'ns a row, less the batches'],
      Object.entries({ batches, iterator, generator }).map(([variant, summary]) => [
        variant,
        summary.ms.toFixed(0),
        variant === 'batches' ? '–' : nanoseconds(summary).toFixed(0),
      ]),
    )
    if (generator.ms <= batches.ms) {
      report.note('  the generator took no longer than the batches: too noisy to tell')
      continue
    }
    report.target(`iterator, ${name}, cost × async generator`, nanoseconds(iterator) / nanoseconds(generator), {
      atMost: 0.5,
    })
  }
}
