/** Reading JSON files, an array of rows: rows one by one and by batches. */
import { readFileSync } from 'node:fs'
import { provideData, provideJson, SHAPES } from '../lib/data.mjs'
import { compare, geometricMean } from '../lib/measure.mjs'
import { highestPeak, ratiosOf, tabulate, tabulateShapes } from '../lib/report.mjs'
import { loadSubject } from '../lib/subject.mjs'
import { createTally } from '../lib/tally.mjs'

/** @type {Record<string, (input: { file: string, prove?: boolean }, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  /** The file as one text, all rows in memory at once. */
  async 'JSON.parse whole'(input, clock) {
    const { take, result } = createTally(input)
    clock.start()
    const rows = JSON.parse(readFileSync(input.file, 'utf8'))
    for (let i = 0; i < rows.length; i++) take(rows[i])
    return result()
  },

  async 'open-iterable'(input, clock) {
    const openIterable = await loadSubject('json')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of openIterable(input.file)) take(row)
    return result()
  },

  async 'open-iterable batches'(input, clock) {
    const openIterable = await loadSubject('json')
    const { take, result } = createTally(input)
    clock.start()
    for await (const batch of openIterable(input.file).batches()) {
      for (let i = 0; i < batch.length; i++) take(batch[i])
    }
    return result()
  },
}

export async function run({ report, choose, chooseShapes, megabytes, rounds }) {
  const chosen = choose(Object.keys(variants))
  const base = 'JSON.parse whole'
  const measured = {}
  for (const shape of chooseShapes(['flights', 'birdstrikes', 'movies', 'wide', 'multiline', 'utf8'])) {
    const data = await provideJson(await provideData(shape, 'jsonl', megabytes))
    measured[shape] = await compare(
      {
        case: 'json',
        variants: chosen,
        reference: base,
        input: { file: data.file },
        sample: { file: data.sample, prove: true },
        repetitions: data.repetitions,
        rounds,
      },
      message => report.fail(`json, ${shape}: ${message}`),
    )
    const title = `json: ${shape} (${SHAPES[shape].title}), ${(data.bytes / 1e6).toFixed(0)} MB`
    report.table(title, ...tabulate(measured[shape], { bytes: data.bytes, base }))
  }
  report.table(`json: all shapes, × ${base}`, ...tabulateShapes(measured, { base, variants: chosen }))

  const rows = ratiosOf(measured, base, 'open-iterable')
  report.target(`json rows, lowest of all shapes, × ${base}`, Math.min(...rows), { atLeast: 0.6 })
  report.target(`json batches, mean, × ${base}`, geometricMean(ratiosOf(measured, base, 'open-iterable batches')), {
    atLeast: 0.75,
  })
  report.target('json rows, peak memory', highestPeak(measured, 'open-iterable'), { atMost: 80, unit: ' MB' })
}
