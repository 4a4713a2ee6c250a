/** Reading compressed CSV files, against the same files as they are. */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { provideGzip } from '../lib/data.mjs'
import { byRow } from '../lib/readers.mjs'
import { highestPeak, ratiosOf } from '../lib/report.mjs'
import { geometricMean } from '../lib/statistics.mjs'
import { compareShapes } from '../lib/suite.mjs'
import { createTally } from '../lib/tally.mjs'

/** @typedef {{ plain: string, gzip: string, prove?: boolean }} Input */

/** @type {Record<string, (input: Input, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  async 'csv-parse gunzip'(input, clock) {
    const { parse } = await import('csv-parse')
    const { take, result } = createTally(input)
    clock.start()
    const text = createReadStream(input.gzip).pipe(createGunzip())
    for await (const row of text.pipe(parse({ columns: true }))) take(row)
    return result()
  },

  /** The codec alone, by node's own stream: what it costs to inflate and throw away. */
  async 'gunzip alone'(input) {
    let lines = -1 // the header
    for await (const chunk of createReadStream(input.gzip, { highWaterMark: 262_144 }).pipe(
      createGunzip({ chunkSize: 262_144 }),
    )) {
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++
    }
    return { lines }
  },

  'open-iterable plain': byRow('csv', { fileOf: ({ plain }) => plain }),
  'open-iterable gzip': byRow('csv', { gzip: true, fileOf: ({ gzip }) => gzip }),
}

export async function run(context) {
  const { report } = context
  const measured = await compareShapes(context, {
    case: 'gzip',
    variants: Object.keys(variants),
    shapes: ['birdstrikes', 'flights', 'movies'],
    reference: 'csv-parse gunzip',
    base: 'open-iterable plain',
    format: 'csv',
    share: 0.5,
    prepare: async plain => ({ ...plain, gzip: await provideGzip(plain) }),
    inputOf: ({ file, gzip }) => ({ plain: file, gzip: gzip.file }),
    sampleOf: ({ sample, gzip }) => ({ plain: sample, gzip: gzip.sample, prove: true }),
    slow: ['csv-parse gunzip'],
    chart: 'gzip CSV → row objects, × the file uncompressed',
    leaveOut: ['gunzip alone'],
  })
  const mean = geometricMean(ratiosOf(measured, 'open-iterable plain', 'open-iterable gzip'))
  report.headline('gzip CSV by row, × uncompressed', mean)
  report.target('gzip rows, mean, × plain', mean, { atLeast: 0.8 })
  report.target('gzip rows, peak memory', highestPeak(measured, 'open-iterable gzip'), { atMost: 90, unit: ' MB' })
}
