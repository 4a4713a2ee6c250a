/** Reading JSON files, an array of rows: rows one by one and by batches. */
import { createReadStream, readFileSync } from 'node:fs'
import { provideJson } from '../lib/data.mjs'
import { importPeer } from '../lib/peers.mjs'
import { byBatches, byPython, byRow } from '../lib/readers.mjs'
import { highestPeak, ratiosOf } from '../lib/report.mjs'
import { geometricMean } from '../lib/statistics.mjs'
import { compareShapes, presentOf } from '../lib/suite.mjs'
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

  async 'stream-json'(input, clock) {
    const { default: chain } = await importPeer('stream-chain')
    const { parser } = await importPeer('stream-json')
    const { streamArray } = await importPeer('stream-json/streamers/stream-array.js')
    const { take, result } = createTally(input)
    clock.start()
    for await (const { value } of chain([createReadStream(input.file), parser(), streamArray()])) take(value)
    return result()
  },

  "Python's json.load": byPython('json'),
  'open-iterable': byRow('json'),
  'open-iterable batches': byBatches('json'),
}

const NEEDS = { 'stream-json': 'stream-json', "Python's json.load": 'python3' }

export async function run(context) {
  const { report } = context
  const base = 'JSON.parse whole'
  const measured = await compareShapes(context, {
    case: 'json',
    variants: presentOf(Object.keys(variants), NEEDS, report),
    shapes: ['flights', 'birdstrikes', 'movies', 'wide', 'multiline', 'utf8'],
    reference: base,
    base,
    format: 'jsonl',
    share: 0.5,
    prepare: provideJson,
    slow: ['stream-json', "Python's json.load"],
    chart: 'JSON, an array → row objects, × JSON.parse of the whole file',
  })

  const rows = ratiosOf(measured, base, 'open-iterable')
  report.headline('JSON by row, × JSON.parse whole', geometricMean(rows))
  report.target(`json rows, lowest of all shapes, × ${base}`, Math.min(...rows), { atLeast: 0.6 })
  report.target(`json batches, mean, × ${base}`, geometricMean(ratiosOf(measured, base, 'open-iterable batches')), {
    atLeast: 0.75,
  })
  report.target('json rows, peak memory', highestPeak(measured, 'open-iterable'), { atMost: 80, unit: ' MB' })
}
