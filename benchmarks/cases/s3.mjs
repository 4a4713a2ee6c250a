/** Reading from S3: a large object against the SDK's own stream, and many small ones that each answer late. */
import { createHash } from 'node:crypto'
import { compare } from '../lib/measure.mjs'
import { ratioOf, tabulate } from '../lib/report.mjs'
import { moduleOf, startServer } from '../lib/servers.mjs'
import { loadSubject } from '../lib/subject.mjs'

const OBJECTS = 20
const LATENCY_MS = 50

/** Counts lines and, to prove that they are the same, all bytes. */
export async function drain(chunks, { prove = false }) {
  const hash = prove ? createHash('sha1') : undefined
  let rows = 0
  for await (const chunk of chunks) {
    rows += chunk.length
    hash?.update(chunk)
  }
  return { rows, ...(hash === undefined ? {} : { digest: hash.digest('hex') }) }
}

/** Each object's rows, counted. */
async function countRows(openIterable, key, { clientOptions }) {
  let rows = 0
  for await (const batch of openIterable(`s3://bench/${key}`, { s3: clientOptions }).batches()) rows += batch.length
  return rows
}

/** What is measured is waiting, not the compiling of what has not run yet. */
async function warmUp(openIterable, input) {
  await Promise.all(keysOf(input).map(key => countRows(openIterable, key, input)))
}

const keysOf = ({ count }) => Array.from({ length: count }, (_, i) => `small-${i}.csv`)

/** @type {Record<string, (input: object, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  async 'GetObject drain'(input, clock) {
    const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
    clock.start()
    const client = new S3Client(input.clientOptions)
    const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bench', Key: 'large.csv' }))
    const counts = await drain(Body, input)
    client.destroy()
    return counts
  },

  async 'open-iterable stream'(input, clock) {
    await import('@aws-sdk/client-s3')
    const { openS3Source } = await import(moduleOf('s3 source'))
    clock.start()
    const source = await openS3Source({ bucket: 'bench', key: 'large.csv' }, { s3: input.clientOptions })
    const counts = await drain(source.stream(), input)
    await source[Symbol.asyncDispose]()
    return counts
  },

  async 'one by one'(input, clock) {
    const openIterable = await loadSubject('csv')
    await warmUp(openIterable, input)
    clock.start()
    let rows = 0
    for (const key of keysOf(input)) rows += await countRows(openIterable, key, input)
    return { rows }
  },

  async 'Promise.all'(input, clock) {
    const openIterable = await loadSubject('csv')
    await warmUp(openIterable, input)
    clock.start()
    const counts = await Promise.all(keysOf(input).map(key => countRows(openIterable, key, input)))
    return { rows: counts.reduce((sum, rows) => sum + rows, 0) }
  },
}

export async function run({ report, choose, megabytes, rounds }) {
  const bytes = megabytes * 1e6
  const large = await startServer('s3', { files: { 'large.csv': bytes } })
  try {
    const { clientOptions } = large
    const summaries = await compare(
      {
        case: 's3',
        variants: choose(['GetObject drain', 'open-iterable stream']),
        reference: 'GetObject drain',
        input: { clientOptions },
        sample: { clientOptions, prove: true },
        repetitions: 1,
        rounds,
      },
      message => report.fail(`s3: ${message}`),
    )
    report.table(`s3: an object of ${megabytes} MB`, ...tabulate(summaries, { bytes, base: 'GetObject drain' }))
    report.target('s3 stream, × GetObject drain', ratioOf(summaries, 'GetObject drain', 'open-iterable stream'), {
      atLeast: 0.9,
    })
  } finally {
    await large.stop()
  }
  const files = Object.fromEntries(keysOf({ count: OBJECTS }).map(key => [key, 2000]))
  const late = await startServer('s3', { files, delayMs: LATENCY_MS })
  try {
    const input = { clientOptions: late.clientOptions, count: OBJECTS }
    const summaries = await compare(
      {
        case: 's3',
        variants: choose(['one by one', 'Promise.all']),
        reference: 'one by one',
        input,
        sample: input,
        repetitions: 1,
        rounds,
      },
      message => report.fail(`s3: ${message}`),
    )
    report.table(
      `s3: ${OBJECTS} small objects, each answered after ${LATENCY_MS} ms`,
      ['variant', 'ms'],
      Object.entries(summaries).map(([variant, { ms }]) => [variant, ms.toFixed(0)]),
    )
    report.target('s3 Promise.all, × one by one', ratioOf(summaries, 'one by one', 'Promise.all'), { atLeast: 10 })
  } finally {
    await late.stop()
  }
}
