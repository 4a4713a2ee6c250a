/** Reading JSONL files: rows one by one and by batches. */
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { SHAPES } from '../lib/data.mjs'
import { importPeer } from '../lib/peers.mjs'
import { byBatches, byPython, byRow } from '../lib/readers.mjs'
import { highestPeak, ratiosOf } from '../lib/report.mjs'
import { geometricMean } from '../lib/statistics.mjs'
import { compareShapes, presentOf } from '../lib/suite.mjs'
import { createTally } from '../lib/tally.mjs'

/** @type {Record<string, (input: { file: string, prove?: boolean }, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  /** What cannot be saved: the lines are text in memory before the clock starts. */
  async 'JSON.parse alone'(input, clock) {
    const lines = readFileSync(input.file, 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => Buffer.from(line).toString()) // a text of its own, not a window on the whole file
    const { take, result } = createTally(input)
    clock.start()
    for (let i = 0; i < lines.length; i++) take(JSON.parse(lines[i]))
    return result()
  },

  async readline(input, clock) {
    const { take, result } = createTally(input)
    clock.start()
    const lines = createInterface({ input: createReadStream(input.file), crlfDelay: Number.POSITIVE_INFINITY })
    for await (const line of lines) take(JSON.parse(line))
    return result()
  },

  async split2(input, clock) {
    const { default: split } = await import('split2')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of createReadStream(input.file).pipe(split(JSON.parse))) take(row)
    return result()
  },

  async 'stream-json'(input, clock) {
    const { default: parser } = await importPeer('stream-json/jsonl/parser.js')
    const { take, result } = createTally(input)
    clock.start()
    for await (const { value } of createReadStream(input.file).pipe(parser.asStream())) take(value)
    return result()
  },

  "Python's json.loads": byPython('jsonl'),
  'open-iterable': byRow('jsonl'),
  'open-iterable batches': byBatches('jsonl'),
}

const NEEDS = { 'stream-json': 'stream-json', "Python's json.loads": 'python3' }

export async function run(context) {
  const { report } = context
  const measured = await compareShapes(context, {
    case: 'jsonl',
    variants: presentOf(Object.keys(variants), NEEDS, report),
    shapes: ['flights', 'birdstrikes', 'movies', 'wide', 'multiline', 'utf8'],
    reference: 'JSON.parse alone',
    base: 'readline',
    format: 'jsonl',
    slow: ['stream-json', "Python's json.loads"],
    chart: 'JSON Lines → row objects, × readline with JSON.parse',
  })

  const lowest = (base, ofShape) => Math.min(...ratiosOf(measured, base, 'open-iterable', ofShape))
  report.headline('JSON Lines by row, × readline', geometricMean(ratiosOf(measured, 'readline', 'open-iterable')))
  report.target('jsonl rows, lowest of all shapes, × readline', lowest('readline'), { atLeast: 1.4 })
  report.target('jsonl rows, lowest of all shapes, × split2', lowest('split2'), { atLeast: 1.5 })
  report.target(
    'jsonl batches, mean, × readline',
    geometricMean(ratiosOf(measured, 'readline', 'open-iterable batches')),
    {
      atLeast: 1.6,
    },
  )
  report.target(
    'jsonl rows, lowest of the ASCII shapes, share of JSON.parse alone',
    lowest('JSON.parse alone', shape => SHAPES[shape].ascii),
    { atLeast: 0.75 },
  )
  report.target(
    'jsonl rows, lowest of the other shapes, share of JSON.parse alone',
    lowest('JSON.parse alone', shape => !SHAPES[shape].ascii),
    { atLeast: 0.6 },
  )
  report.target('jsonl rows, peak memory', highestPeak(measured, 'open-iterable'), { atMost: 70, unit: ' MB' })
}
