/** Writing CSV files from rows that are in memory. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { provideData, SHAPES } from '../lib/data.mjs'
import { compare, geometricMean } from '../lib/measure.mjs'
import { chooseOutputFolder, loadRows, outputPath, proveOutput } from '../lib/output.mjs'
import { highestPeak, ratiosOf, tabulate, tabulateShapes } from '../lib/report.mjs'
import { loadSubject } from '../lib/subject.mjs'

/** @typedef {{ sample: string, format: 'csv', repetitions: number, folder: string }} Input */

/** @type {Record<string, (input: Input, clock: { start(): void, stop(): void }) => Promise<object>>} */
export const variants = {
  async 'csv-stringify'(input, clock) {
    const { stringify } = await import('csv-stringify')
    const { rows, columns, batches } = await loadRows(input)
    const file = outputPath(input.folder, 'csv')
    clock.start()
    const encoder = stringify({ header: true, columns })
    const sink = encoder.pipe(createWriteStream(file))
    for (const batch of batches()) {
      for (const row of batch) if (!encoder.write(row)) await once(encoder, 'drain')
    }
    encoder.end()
    await finished(sink)
    clock.stop()
    return proveOutput(file, input, rows)
  },

  async 'open-iterable'(input, clock) {
    const openIterable = await loadSubject('csv')
    const { rows, batches } = await loadRows(input)
    const file = outputPath(input.folder, 'csv')
    clock.start()
    const writer = openIterable(file, { mode: 'w' })
    for (const batch of batches()) await writer.writeBulk(batch)
    await writer.close()
    clock.stop()
    return proveOutput(file, input, rows)
  },

  async 'open-iterable write(row)'(input, clock) {
    const openIterable = await loadSubject('csv')
    const { rows, batches } = await loadRows(input)
    const file = outputPath(input.folder, 'csv')
    clock.start()
    const writer = openIterable(file, { mode: 'w' })
    for (const batch of batches()) {
      for (const row of batch) await writer.write(row)
    }
    await writer.close()
    clock.stop()
    return proveOutput(file, input, rows)
  },
}

export async function run({ report, choose, chooseShapes, megabytes, rounds }) {
  const chosen = choose(Object.keys(variants))
  const measured = {}
  for (const shape of chooseShapes(['birdstrikes', 'flights', 'sp500', 'movies', 'wide', 'quoted', 'utf8'])) {
    const { sample, repetitions, bytes } = await provideData(shape, 'csv', megabytes)
    const folder = await chooseOutputFolder(bytes)
    measured[shape] = await compare(
      {
        case: 'csv-write',
        variants: chosen,
        reference: 'csv-stringify',
        input: { sample, format: 'csv', repetitions, folder },
        sample: { sample, format: 'csv', repetitions: 1, folder },
        repetitions,
        rounds,
      },
      message => report.fail(`csv-write, ${shape}: ${message}`),
    )
    const title = `csv-write: ${shape} (${SHAPES[shape].title}), ${(bytes / 1e6).toFixed(0)} MB to ${folder}`
    report.table(title, ...tabulate(measured[shape], { bytes, base: 'csv-stringify' }))
  }
  report.table(
    'csv-write: all shapes, × csv-stringify',
    ...tabulateShapes(measured, { base: 'csv-stringify', variants: chosen }),
  )
  const mean = geometricMean(ratiosOf(measured, 'csv-stringify', 'open-iterable'))
  report.target('csv-write, mean, × csv-stringify', mean, { atLeast: 7 })
  report.note(`  peak memory of writing: ${highestPeak(measured, 'open-iterable').toFixed(0)} MB, with the rows in it`)
}
