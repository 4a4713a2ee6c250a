/** Reading compressed CSV files, against the same files as they are. */
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { provideData, provideGzip, SHAPES } from '../lib/data.mjs'
import { compare, geometricMean } from '../lib/measure.mjs'
import { highestPeak, ratiosOf, tabulate, tabulateShapes } from '../lib/report.mjs'
import { loadSubject } from '../lib/subject.mjs'
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

  async 'open-iterable plain'(input, clock) {
    const openIterable = await loadSubject('csv')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of openIterable(input.plain)) take(row)
    return result()
  },

  async 'open-iterable gzip'(input, clock) {
    const openIterable = await loadSubject('csv', { gzip: true })
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of openIterable(input.gzip)) take(row)
    return result()
  },
}

export async function run({ report, choose, chooseShapes, megabytes, rounds }) {
  const chosen = choose(Object.keys(variants))
  const measured = {}
  for (const shape of chooseShapes(['birdstrikes', 'flights', 'movies'])) {
    const plain = await provideData(shape, 'csv', megabytes)
    const gzip = await provideGzip(plain)
    measured[shape] = await compare(
      {
        case: 'gzip',
        variants: chosen,
        reference: 'csv-parse gunzip',
        input: { plain: plain.file, gzip: gzip.file },
        sample: { plain: plain.sample, gzip: gzip.sample, prove: true },
        repetitions: plain.repetitions,
        lines: plain.lines,
        rounds,
      },
      message => report.fail(`gzip, ${shape}: ${message}`),
    )
    const title = `gzip: ${shape} (${SHAPES[shape].title}), ${(plain.bytes / 1e6).toFixed(0)} MB before compression`
    report.table(title, ...tabulate(measured[shape], { bytes: plain.bytes, base: 'open-iterable plain' }))
  }
  report.table(
    'gzip: all shapes, × open-iterable plain',
    ...tabulateShapes(measured, { base: 'open-iterable plain', variants: chosen }),
  )
  const mean = geometricMean(ratiosOf(measured, 'open-iterable plain', 'open-iterable gzip'))
  report.target('gzip rows, mean, × plain', mean, { atLeast: 0.8 })
  report.target('gzip rows, peak memory', highestPeak(measured, 'open-iterable gzip'), { atMost: 90, unit: ' MB' })
}
