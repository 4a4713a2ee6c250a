/** Writing CSV files from rows that are in memory. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { bySubject, compareWriters, loadRows, outputPath, proveOutput } from '../lib/output.mjs'
import { highestPeak, ratiosOf } from '../lib/report.mjs'
import { geometricMean } from '../lib/statistics.mjs'

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

  'open-iterable': bySubject('csv'),
  'open-iterable write(row)': bySubject('csv', { rowByRow: true }),
}

export async function run(context) {
  const { report } = context
  const measured = await compareWriters(context, {
    case: 'csv-write',
    variants: Object.keys(variants),
    shapes: ['birdstrikes', 'flights', 'sp500', 'movies', 'wide', 'quoted', 'utf8'],
    reference: 'csv-stringify',
    base: 'csv-stringify',
    format: 'csv',
    share: 0.5,
    slow: ['csv-stringify'],
    chart: 'row objects → CSV file, × csv-stringify',
  })
  const mean = geometricMean(ratiosOf(measured, 'csv-stringify', 'open-iterable'))
  report.headline('CSV written, × csv-stringify', mean)
  report.target('csv-write, mean, × csv-stringify', mean, { atLeast: 7 })
  report.note(`  peak memory of writing: ${highestPeak(measured, 'open-iterable').toFixed(0)} MB, with the rows in it`)
}
