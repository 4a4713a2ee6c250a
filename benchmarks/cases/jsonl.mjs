/** Reading JSONL files: rows one by one and by batches. */
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { provideData, SHAPES } from '../lib/data.mjs'
import { compare, geometricMean } from '../lib/measure.mjs'
import { highestPeak, ratiosOf, tabulate, tabulateShapes } from '../lib/report.mjs'
import { loadSubject } from '../lib/subject.mjs'
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

  async 'open-iterable'(input, clock) {
    const openIterable = await loadSubject('jsonl')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of openIterable(input.file)) take(row)
    return result()
  },

  async 'open-iterable batches'(input, clock) {
    const openIterable = await loadSubject('jsonl')
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
  const measured = {}
  for (const shape of chooseShapes(['flights', 'birdstrikes', 'movies', 'wide', 'multiline', 'utf8'])) {
    const data = await provideData(shape, 'jsonl', megabytes)
    measured[shape] = await compare(
      {
        case: 'jsonl',
        variants: chosen,
        reference: 'JSON.parse alone',
        input: { file: data.file },
        sample: { file: data.sample, prove: true },
        repetitions: data.repetitions,
        rounds,
      },
      message => report.fail(`jsonl, ${shape}: ${message}`),
    )
    const title = `jsonl: ${shape} (${SHAPES[shape].title}), ${(data.bytes / 1e6).toFixed(0)} MB`
    report.table(title, ...tabulate(measured[shape], { bytes: data.bytes, base: 'readline' }))
  }
  report.table('jsonl: all shapes, × readline', ...tabulateShapes(measured, { base: 'readline', variants: chosen }))

  const lowest = (base, ofShape) => Math.min(...ratiosOf(measured, base, 'open-iterable', ofShape))
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
