/** Reading CSV files as typed rows: `cast: true` beside what the peers have of the kind. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { provideData, SHAPES } from '../lib/data.mjs'
import { compare, geometricMean } from '../lib/measure.mjs'
import { highestPeak, ratiosOf, tabulate, tabulateShapes } from '../lib/report.mjs'
import { loadSubject } from '../lib/subject.mjs'

/** Peers that are not timed where they do not give what the file says: to csv-parse the airport code 3E7 is 30000000. */
const CHANGES_VALUES = { airports: ['csv-parse cast'] }
const MEASURED = ['birdstrikes', 'flights', 'sp500', 'airports', 'movies', 'wide']

/**
 * Counts rows. With `prove`, all cells go into a digest, each as the text that all ways of typing it have in common:
 * each library has its own idea of which columns are typed, but what it gives must stand for what the file says.
 * @param {{ prove?: boolean }} input
 */
function createTally({ prove = false }) {
  let rows = 0
  const hash = createHash('sha1')
  const take = prove
    ? row => {
        rows++
        for (const name in row) hash.update(`${name}=${canonical(row[name])}\n`)
      }
    : () => {
        rows++
      }
  return { take, result: () => (prove ? { rows, digest: hash.digest('hex') } : { rows }) }
}

function canonical(value) {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  const text = String(value)
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)) return String(Number(text))
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text}T00:00:00.000Z`
  return /^(true|false)$/i.test(text) ? text.toLowerCase() : text
}

async function readByOwn(input, clock, options, batches) {
  const openIterable = await loadSubject('csv')
  const { take, result } = createTally(input)
  clock.start()
  const reader = openIterable(input.file, options)
  if (batches) {
    for await (const batch of reader.batches()) for (let i = 0; i < batch.length; i++) take(batch[i])
  } else for await (const row of reader) take(row)
  return result()
}

/** @type {Record<string, (input: { file: string, prove?: boolean }, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  async 'csv-parse cast'(input, clock) {
    const { parse } = await import('csv-parse')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of createReadStream(input.file).pipe(parse({ columns: true, cast: true }))) take(row)
    return result()
  },

  /** In chunks of 64 KiB, its best, by `for await`; it infers the types from the first ten rows. */
  async 'udsv typed'(input, clock) {
    const { inferSchema, initParser } = await import('udsv')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of readRows()) take(row)
    return result()

    async function* readRows() {
      let rows = []
      let parser
      const collect = row => {
        rows.push(row)
      }
      for await (const text of createReadStream(input.file, { encoding: 'utf8', highWaterMark: 65_536 })) {
        parser ??= initParser(inferSchema(text))
        parser.chunk(text, parser.typedObjs, collect)
        for (let i = 0; i < rows.length; i++) yield rows[i]
        rows = []
      }
      parser.end()
      for (let i = 0; i < rows.length; i++) yield rows[i]
    }
  },

  'open-iterable untyped': (input, clock) => readByOwn(input, clock, {}, false),
  'open-iterable': (input, clock) => readByOwn(input, clock, { cast: true }, false),
  'open-iterable batches': (input, clock) => readByOwn(input, clock, { cast: true }, true),
}

/** On Node 24 and later no ratio may fall below 0.8 of what is asked on Node 20. */
const allowance = Number(process.versions.node.split('.')[0]) >= 24 ? 0.8 : 1

export async function run({ report, choose, chooseShapes, megabytes, rounds }) {
  const chosen = choose(Object.keys(variants))
  const measured = {}
  for (const shape of chooseShapes(MEASURED)) {
    const data = await provideData(shape, 'csv', megabytes)
    measured[shape] = await compare(
      {
        case: 'typed',
        variants: chosen.filter(variant => !CHANGES_VALUES[shape]?.includes(variant)),
        reference: 'open-iterable untyped',
        input: { file: data.file },
        sample: { file: data.sample, prove: true },
        repetitions: data.repetitions,
        rounds,
      },
      message => report.fail(`typed, ${shape}: ${message}`),
    )
    const title = `typed: ${shape} (${SHAPES[shape].title}), ${(data.bytes / 1e6).toFixed(0)} MB`
    report.table(title, ...tabulate(measured[shape], { bytes: data.bytes, base: 'csv-parse cast' }))
  }
  report.table(
    'typed: all shapes, × csv-parse cast',
    ...tabulateShapes(measured, { base: 'csv-parse cast', variants: chosen }),
  )

  const ratios = (base, ofShape) => ratiosOf(measured, base, 'open-iterable', ofShape)
  const narrow = shape => shape === 'flights'
  report.target(
    'typed rows, mean but narrow ones, × udsv typed',
    geometricMean(ratios('udsv typed', s => !narrow(s))),
    {
      atLeast: 1.5 * allowance,
    },
  )
  report.target('typed rows, narrow ones, × udsv typed', Math.min(...ratios('udsv typed', narrow)), {
    atLeast: 1 * allowance,
  })
  report.target('typed rows, mean, × csv-parse cast', geometricMean(ratios('csv-parse cast')), {
    atLeast: 8 * allowance,
  })
  report.target('typed rows, peak memory', highestPeak(measured, 'open-iterable'), { atMost: 100, unit: ' MB' })
}
