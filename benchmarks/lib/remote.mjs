/** What reading from S3 and from a URL have in common: a large file as bytes, and many small ones that each answer late. */
import { createHash } from 'node:crypto'
import { compare } from './measure.mjs'
import { chartRates, ratioOf, tabulate } from './report.mjs'
import { startServer } from './servers.mjs'
import { loadSubject } from './subject.mjs'

const FILES = 20
const LATENCY_MS = 50

/** Counts bytes and, to prove that they are the same, all of them. */
export async function drain(chunks, { prove = false }) {
  const hash = prove ? createHash('sha1') : undefined
  let rows = 0
  for await (const chunk of chunks) {
    rows += chunk.length
    hash?.update(chunk)
  }
  return { rows, ...(hash === undefined ? {} : { digest: hash.digest('hex') }) }
}

/**
 * Two variants: the small files one by one, and all at once.
 * @param {(input: any, name: string) => [target: string, options?: object]} targetOf
 */
export function smallFileVariants(targetOf) {
  const readers = async input => {
    const openIterable = await loadSubject('csv')
    const read = async name => {
      let rows = 0
      for await (const batch of openIterable(...targetOf(input, name)).batches()) rows += batch.length
      return rows
    }
    const names = smallNames()
    // What is measured is waiting, not the compiling of what has not run yet.
    await Promise.all(names.map(read))
    return names.map(name => () => read(name))
  }
  return {
    async 'one by one'(input, clock) {
      const reads = await readers(input)
      clock.start()
      let rows = 0
      for (const read of reads) rows += await read()
      return { rows }
    },

    async 'Promise.all'(input, clock) {
      const reads = await readers(input)
      clock.start()
      const counts = await Promise.all(reads.map(read => read()))
      return { rows: counts.reduce((sum, rows) => sum + rows, 0) }
    },
  }
}

const smallNames = () => Array.from({ length: FILES }, (_, i) => `small-${i}.csv`)

/**
 * Runs the case of a kind of server.
 * @param {import('./suite.mjs').Context} context
 * @param {{ kind: 's3' | 'http', drained: string, inputOf: (server: any) => object }} options `drained`: the peer that reads
 *   bytes
 */
export async function runRemote({ report, choose, megabytes, rounds }, { kind, drained, inputOf }) {
  const measure = async (content, names, reference, prove) => {
    const server = await startServer(kind, content)
    try {
      const input = inputOf(server)
      return await compare(
        {
          case: kind,
          variants: choose(names),
          reference,
          input,
          sample: { ...input, prove },
          repetitions: 1,
          rounds,
        },
        message => report.fail(`${kind}: ${message}`),
      )
    } finally {
      await server.stop()
    }
  }
  const bytes = megabytes * 1e6
  const large = await measure({ files: { 'large.csv': bytes } }, [drained, 'open-iterable stream'], drained, true)
  report.table(`${kind}: a file of ${megabytes} MB`, ...tabulate(large, { bytes, base: drained }))
  report.chart(
    chartRates(large, {
      amount: bytes / 1e3,
      unit: 'MB/s',
      file: `${kind}.svg`,
      title: `${kind}: a file of ${megabytes} MB as bytes, from a server on the same machine`,
    }),
  )
  report.target(`${kind} stream, × ${drained}`, ratioOf(large, drained, 'open-iterable stream'), { atLeast: 0.9 })

  const files = Object.fromEntries(smallNames().map(name => [name, 2000]))
  const late = await measure({ files, delayMs: LATENCY_MS }, ['one by one', 'Promise.all'], 'one by one', false)
  report.table(
    `${kind}: ${FILES} small files, each answered after ${LATENCY_MS} ms`,
    ['variant', 'ms'],
    Object.entries(late).map(([variant, { ms }]) => [variant, ms.toFixed(0)]),
  )
  report.target(`${kind} Promise.all, × one by one`, ratioOf(late, 'one by one', 'Promise.all'), { atLeast: 10 })
}
