/** Reading from a URL: a large file against fetch itself, and many small ones that each answer late. */
import { compare } from '../lib/measure.mjs'
import { ratioOf, tabulate } from '../lib/report.mjs'
import { moduleOf, startServer } from '../lib/servers.mjs'
import { loadSubject } from '../lib/subject.mjs'
import { drain } from './s3.mjs'

const FILES = 20
const LATENCY_MS = 50

async function countRows(openIterable, url) {
  let rows = 0
  for await (const batch of openIterable(url).batches()) rows += batch.length
  return rows
}

/** What is measured is waiting, not the compiling of what has not run yet. */
async function warmUp(openIterable, input) {
  await Promise.all(urlsOf(input).map(url => countRows(openIterable, url)))
}

const urlsOf = ({ endpoint, count }) => Array.from({ length: count }, (_, i) => `${endpoint}/small-${i}.csv`)

/** @type {Record<string, (input: object, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  async 'fetch drain'(input) {
    const response = await fetch(`${input.endpoint}/large.csv`)
    return drain(response.body, input)
  },

  async 'open-iterable stream'(input, clock) {
    const { openHttpSource } = await import(moduleOf('http source'))
    clock.start()
    const source = await openHttpSource(`${input.endpoint}/large.csv`)
    const counts = await drain(source.stream(), input)
    await source[Symbol.asyncDispose]()
    return counts
  },

  async 'one by one'(input, clock) {
    const openIterable = await loadSubject('csv')
    await warmUp(openIterable, input)
    clock.start()
    let rows = 0
    for (const url of urlsOf(input)) rows += await countRows(openIterable, url)
    return { rows }
  },

  async 'Promise.all'(input, clock) {
    const openIterable = await loadSubject('csv')
    await warmUp(openIterable, input)
    clock.start()
    const counts = await Promise.all(urlsOf(input).map(url => countRows(openIterable, url)))
    return { rows: counts.reduce((sum, rows) => sum + rows, 0) }
  },
}

export async function run({ report, choose, megabytes, rounds }) {
  const bytes = megabytes * 1e6
  const large = await startServer('http', { files: { 'large.csv': bytes } })
  try {
    const { endpoint } = large
    const summaries = await compare(
      {
        case: 'http',
        variants: choose(['fetch drain', 'open-iterable stream']),
        reference: 'fetch drain',
        input: { endpoint },
        sample: { endpoint, prove: true },
        repetitions: 1,
        rounds,
      },
      message => report.fail(`http: ${message}`),
    )
    report.table(`http: a file of ${megabytes} MB`, ...tabulate(summaries, { bytes, base: 'fetch drain' }))
    report.target('http stream, × fetch drain', ratioOf(summaries, 'fetch drain', 'open-iterable stream'), {
      atLeast: 0.9,
    })
  } finally {
    await large.stop()
  }
  const late = await startServer('http', { files: { 'small.csv': 2000 }, delayMs: LATENCY_MS })
  try {
    const input = { endpoint: late.endpoint, count: FILES }
    const summaries = await compare(
      {
        case: 'http',
        variants: choose(['one by one', 'Promise.all']),
        reference: 'one by one',
        input,
        sample: input,
        repetitions: 1,
        rounds,
      },
      message => report.fail(`http: ${message}`),
    )
    report.table(
      `http: ${FILES} small files, each answered after ${LATENCY_MS} ms`,
      ['variant', 'ms'],
      Object.entries(summaries).map(([variant, { ms }]) => [variant, ms.toFixed(0)]),
    )
    report.target('http Promise.all, × one by one', ratioOf(summaries, 'one by one', 'Promise.all'), { atLeast: 10 })
  } finally {
    await late.stop()
  }
}
