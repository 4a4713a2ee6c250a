/** Many files at once: behind a server that answers late, and where the processor is what is short. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { provideData } from '../lib/data.mjs'
import { compare, measureOnce } from '../lib/measure.mjs'
import { ratioOf, tabulate } from '../lib/report.mjs'
import { median } from '../lib/statistics.mjs'
import { loadLibrary, loadSubject } from '../lib/subject.mjs'
import { createTally } from '../lib/tally.mjs'

const REMOTE_FILES = 20
const REMOTE_BYTES = 100_000
const LATENCY_MS = 50
const LOCAL_FILES = 8
const READERS = 100

/** @typedef {{ file: string, prove?: boolean }} Input */

/** Reads the same remote file so many times, by `readAll`, from a server that takes its time for each answer. */
async function readRemote(input, clock, readAll) {
  const openIterable = await loadSubject('csv')
  const whole = await readFile(input.file)
  // Small, so that waiting is what takes time; whole lines.
  const bytes = whole.subarray(0, whole.lastIndexOf(10, REMOTE_BYTES) + 1)
  const server = createServer((_request, response) => {
    setTimeout(() => {
      response.writeHead(200, { 'content-length': bytes.length, 'content-type': 'text/csv' })
      response.end(bytes)
    }, LATENCY_MS)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${server.address().port}`
  const one = async i => {
    const rows = []
    for await (const row of openIterable(`${url}/${i}.csv`)) rows.push(row)
    return rows
  }
  await one('warm')
  clock.start()
  const files = await readAll(Array.from({ length: REMOTE_FILES }, (_, i) => () => one(i)))
  const reading = clock.stop()
  const { take, result } = createTally(input)
  for (const rows of files) for (const row of rows) take(row)
  server.close()
  server.closeAllConnections()
  return { ...result(), ...reading }
}

/** Converts the same local file so many times, in so many threads; 0: in none. */
async function convertLocal(input, clock, workers) {
  const { bulkConvert } = await loadLibrary()
  const folder = await mkdtemp(join(tmpdir(), 'open-iterable-bench-'))
  const to = ({ index }) => join(folder, `${index}.jsonl`)
  try {
    clock.start()
    const files = Array.from({ length: LOCAL_FILES }, () => input.file)
    const { rowsOut, failed } = await bulkConvert(files, to, {
      workers,
      concurrency: Math.max(workers, 1),
      engine: 'rows',
    })
    const reading = clock.stop()
    if (failed.length > 0) throw failed[0].error
    const hash = createHash('sha1')
    for (let index = 1; index <= LOCAL_FILES; index++) {
      for await (const chunk of createReadStream(to({ index }))) if (input.prove) hash.update(chunk)
    }
    return { rows: rowsOut, ...(input.prove ? { digest: hash.digest('hex') } : {}), ...reading }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Reads 100 files of three formats at once; how late the event loop is meanwhile. */
async function readManyAtOnce(input) {
  const { convert, openIterable } = await loadLibrary()
  const folder = await mkdtemp(join(tmpdir(), 'open-iterable-bench-'))
  try {
    const paths = [join(folder, 'x.csv'), join(folder, 'x.jsonl'), join(folder, 'x.parquet')]
    for (const path of paths) await convert(input.file, path, { limit: 10_000 })
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    let rows = 0
    await Promise.all(
      Array.from({ length: READERS }, async (_, i) => {
        for await (const _row of openIterable(paths[i % paths.length])) rows++
      }),
    )
    delay.disable()
    return { rows, p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** @type {Record<string, (input: Input, clock: { start(): void, stop(): object }) => Promise<object>>} */
export const variants = {
  'remote, one by one': (input, clock) =>
    readRemote(input, clock, async tasks => {
      const files = []
      for (const task of tasks) files.push(await task())
      return files
    }),
  'remote, Promise.all': (input, clock) => readRemote(input, clock, tasks => Promise.all(tasks.map(task => task()))),
  'local, this thread': (input, clock) => convertLocal(input, clock, 0),
  'local, 1 worker': (input, clock) => convertLocal(input, clock, 1),
  'local, 2 workers': (input, clock) => convertLocal(input, clock, 2),
  'many at once': readManyAtOnce,
}

export async function run({ report, choose, quick, rounds }) {
  const chosen = choose(Object.keys(variants))
  const timed = async (group, megabytes, reference, whole) => {
    const data = await provideData('birdstrikes', 'csv', megabytes)
    const summaries = await compare(
      {
        case: 'concurrency',
        variants: chosen.filter(name => name.startsWith(group)),
        reference,
        input: { file: data.file },
        sample: { file: data.sample, prove: true },
        repetitions: whole ? data.repetitions : 1,
        rounds,
      },
      message => report.fail(`concurrency: ${message}`),
    )
    return { data, summaries }
  }
  const remote = await timed('remote', 2, 'remote, one by one', false)
  const all = REMOTE_FILES * REMOTE_BYTES
  const title = `concurrency: ${REMOTE_FILES} files, each answered after ${LATENCY_MS} ms`
  report.table(title, ...tabulate(remote.summaries, { bytes: all, base: 'remote, one by one' }))
  const local = await timed('local', quick ? 10 : 30, 'local, this thread', true)
  report.table(
    `concurrency: ${LOCAL_FILES} CSV files → JSONL`,
    ...tabulate(local.summaries, { bytes: LOCAL_FILES * local.data.bytes, base: 'local, 1 worker' }),
  )
  report.target(
    'remote, Promise.all, × one by one',
    ratioOf(remote.summaries, 'remote, one by one', 'remote, Promise.all'),
    {
      atLeast: 4,
    },
  )
  report.target('local, 2 workers, × 1 worker', ratioOf(local.summaries, 'local, 1 worker', 'local, 2 workers'), {
    atLeast: 1.7,
  })
  if (!chosen.includes('many at once')) return
  const readings = []
  for (let round = 0; round < rounds; round++) {
    const reading = await measureOnce({
      case: 'concurrency',
      variant: 'many at once',
      input: { file: local.data.file },
    })
    if (reading.rows !== READERS * 10_000)
      report.fail(`concurrency: ${reading.rows} rows by ${READERS} readers at once`)
    readings.push(reading)
  }
  report.target(`${READERS} readers at once, event loop late, p99`, median(readings.map(({ p99Ms }) => p99Ms)), {
    atMost: 50,
    unit: ' ms',
  })
}
