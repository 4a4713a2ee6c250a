/** Peak memory of a process that reads, copies or writes: it must not grow with the size of what goes through. */
import { createReadStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { provideData, provideGzip } from '../lib/data.mjs'
import { measureOnce } from '../lib/measure.mjs'
import { chooseOutputFolder, outputPath } from '../lib/output.mjs'
import { median } from '../lib/statistics.mjs'
import { loadSubject } from '../lib/subject.mjs'

/** By this size the heap has found its own; from here to the largest size the peak must stay as it is. */
const BASE_MEGABYTES = 100
/** More than the last two steps of V8's young generation (8 and 16 MB), which it takes at any time; a leak soon has more. */
const FLAT_WITHIN_MEGABYTES = 26

/** @type {Record<string, (input: { file: string, bytes: number, format: 'csv' | 'jsonl', folder: string }) => Promise<object>>} */
export const variants = {
  async read({ file, format }) {
    const openIterable = await loadSubject(format, { gzip: file.endsWith('.gz') })
    let rows = 0
    for await (const _ of openIterable(file)) rows++
    return { rows }
  },

  /** Lets the event loop turn now and then, and stands still for two milliseconds from time to time. */
  async 'read slowly'({ file, format }) {
    const openIterable = await loadSubject(format)
    let rows = 0
    for await (const _ of openIterable(file)) {
      rows++
      if (rows % 1000 === 0) await setImmediate()
      if (rows % 10_000 === 0) await setTimeout(2)
    }
    return { rows }
  },

  async copy({ file, bytes, format, folder }) {
    const openIterable = await loadSubject(format)
    const target = outputPath(folder, format)
    const writer = openIterable(target, { mode: 'w' })
    await writer.writeBulk(openIterable(file))
    await writer.close()
    const { size } = await stat(target)
    await rm(target)
    if (size !== bytes) throw new Error(`the copy has ${size} bytes, not ${bytes}`)
    return { rows: writer.rowsWritten }
  },

  async write({ rows, format, folder }) {
    const openIterable = await loadSubject(format)
    const target = outputPath(folder, format)
    const writer = openIterable(target, { mode: 'w' })
    const batch = Array.from({ length: 1000 }, (_, i) => createRow(i + 1))
    for (let left = rows; left > 0; left -= batch.length) {
      await writer.writeBulk(left < batch.length ? batch.slice(0, left) : batch)
    }
    await writer.close()
    await expectLines(target, rows + 1)
    return { rows: writer.rowsWritten }
  },

  /** An asynchronous generator by itself peaks at 87 MB on Node 20: its rows make the young generation grow. */
  async 'write from a generator'({ rows, format, folder }) {
    const openIterable = await loadSubject(format)
    const target = outputPath(folder, format)
    const writer = openIterable(target, { mode: 'w' })
    await writer.writeBulk(generateRows(rows))
    await writer.close()
    await expectLines(target, rows + 1)
    return { rows: writer.rowsWritten }
  },
}

const createRow = id => ({ id, name: `row ${id}`, square: id * id, odd: id % 2 === 1 })

async function* generateRows(count) {
  for (let id = 1; id <= count; id++) yield createRow(id)
}

/** Checks what was written, and removes it. */
async function expectLines(file, expected) {
  let lines = 0
  for await (const chunk of createReadStream(file)) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++
  }
  await rm(file)
  if (lines !== expected) throw new Error(`${lines} lines were written, not ${expected}`)
}

/** `atMost`, MB: the target of the peak, where there is one. */
const SERIES = [
  { name: 'csv read', variant: 'read', shape: 'birdstrikes', format: 'csv', atMost: 90 },
  { name: 'csv read slowly', variant: 'read slowly', shape: 'birdstrikes', format: 'csv', atMost: 90 },
  { name: 'csv multi-line read', variant: 'read', shape: 'multiline', format: 'csv', atMost: 90 },
  { name: 'csv.gz read', variant: 'read', shape: 'birdstrikes', format: 'csv', gzip: true, atMost: 90 },
  { name: 'jsonl read', variant: 'read', shape: 'birdstrikes', format: 'jsonl', atMost: 70 },
  { name: 'jsonl read slowly', variant: 'read slowly', shape: 'birdstrikes', format: 'jsonl', atMost: 70 },
  { name: 'csv copy', variant: 'copy', shape: 'flights', format: 'csv' },
  { name: 'jsonl copy', variant: 'copy', shape: 'flights', format: 'jsonl' },
  { name: 'csv write', variant: 'write', shape: 'flights', format: 'csv' },
  { name: 'csv write from a generator', variant: 'write from a generator', shape: 'flights', format: 'csv' },
]

export async function run({ report, quick, full, choose, rounds }) {
  const sizes = quick ? [10, 100, 250] : [10, 100, 500, 2000]
  /** @type {Map<string, Map<number, number>>} series → megabytes of data → megabytes of memory */
  const curves = new Map()
  const chosen = choose(SERIES.map(({ name }) => name))
  for (const series of SERIES.filter(({ name }) => chosen.includes(name))) {
    const peaks = new Map()
    for (const megabytes of sizes) {
      // What is large takes long and varies little.
      const times = megabytes > BASE_MEGABYTES && !full ? 1 : Math.min(rounds, 3)
      const peak = await measurePeak(series, megabytes, times).catch(error => {
        report.fail(`memory, ${series.name}, ${megabytes} MB: ${error.message}`)
      })
      if (peak !== undefined) peaks.set(megabytes, peak)
    }
    curves.set(series.name, peaks)
    const growth = growthOf(peaks, sizes)
    if (series.atMost) {
      const highest = Math.max(...peaks.values())
      report.target(`memory, ${series.name}, highest peak`, highest, { atMost: series.atMost, unit: ' MB' })
    }
    if (growth > FLAT_WITHIN_MEGABYTES) {
      report.fail(`memory, ${series.name}: not flat, ${growth.toFixed(0)} MB more at ${sizes.at(-1)} MB of data`)
    }
  }
  const columns = ['peak RSS, MB', ...sizes.map(size => `${size} MB`), `since ${BASE_MEGABYTES} MB`]
  report.table(
    'memory',
    columns,
    [...curves].map(([name, peaks]) => [
      name,
      ...sizes.map(size => peaks.get(size)?.toFixed(0) ?? '–'),
      growthOf(peaks, sizes).toFixed(0),
    ]),
  )
  const series = [...curves]
    .filter(([, peaks]) => peaks.size > 0)
    .map(([label, peaks]) => ({ label, points: [...peaks].map(([x, y]) => ({ x, y })) }))
  if (series.length === 0) return
  report.chart({
    kind: 'lines',
    file: 'memory.svg',
    title: 'Peak memory of the whole process against the size of the input',
    subtitle: `From ${BASE_MEGABYTES} MB to 2 GB only the young generation of V8 grows, in steps of some MB; node alone takes about 45 MB`,
    xLabel: 'MB of input (logarithmic)',
    yLabel: 'peak RSS, MB',
    logX: true,
    series,
    limit: { label: 'target of reading CSV', y: 90 },
  })
}

/** By how much the peak at the largest size is above that at which it must have settled. */
function growthOf(peaks, sizes) {
  return peaks.get(sizes.at(-1)) - peaks.get(BASE_MEGABYTES)
}

async function measurePeak({ variant, shape, format, gzip }, megabytes, rounds) {
  let data = await provideData(shape, format, megabytes)
  if (gzip) data = await provideGzip(data)
  const rowsOfSample = await countRows(data, format)
  const rows = rowsOfSample * data.repetitions
  const folder = await chooseOutputFolder(data.bytes)
  const input = { file: data.file, bytes: data.bytes, rows, format, folder }
  const peaks = []
  for (let round = 0; round < rounds; round++) {
    const reading = await measureOnce({ case: 'memory', variant, input })
    if (reading.rows !== rows) throw new Error(`${reading.rows} rows, not ${rows}`)
    peaks.push(reading.peakRss / 1e6)
  }
  return median(peaks)
}

/** Of the sample, by a peer. */
async function countRows({ sample }, format) {
  const variant = { csv: 'csv-parse', jsonl: 'JSON.parse alone' }[format]
  const input = { file: sample.replace(/\.gz$/, '') }
  const { rows } = await measureOnce({ case: format, variant, input })
  return rows
}
