/** What stays in memory when one row in 250 of a large CSV file is kept: a cell can hold on to the text around it. */
import { createReadStream } from 'node:fs'
import { provideData } from '../lib/data.mjs'
import { measureOnce } from '../lib/measure.mjs'
import { median } from '../lib/statistics.mjs'
import { loadSubject } from '../lib/subject.mjs'

const KEEP_ONE_IN = 250

/** Keeps rows, and says what each costs: live heap and buffers, after and before. */
class Keeper {
  #rows = []
  #seen = 0
  #before = 0

  start() {
    this.#before = liveBytes()
  }

  take = row => {
    if (this.#seen++ % KEEP_ONE_IN === 0) this.#rows.push(row)
  }

  result() {
    const kept = this.#rows.length
    const bytesPerRow = (liveBytes() - this.#before) / kept
    const text = this.#rows.reduce((sum, row) => sum + Object.values(row).join().length, 0) / kept
    return { rows: this.#seen, kept, bytesPerRow, textPerRow: text }
  }
}

function liveBytes() {
  for (let i = 0; i < 3; i++) globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** @type {Record<string, (input: { file: string }) => Promise<object>>} */
export const variants = {
  async 'csv-parse'({ file }) {
    const { parse } = await import('csv-parse')
    const keeper = new Keeper()
    keeper.start()
    for await (const row of createReadStream(file).pipe(parse({ columns: true }))) keeper.take(row)
    return keeper.result()
  },

  async udsv({ file }) {
    const { inferSchema, initParser } = await import('udsv')
    const keeper = new Keeper()
    keeper.start()
    let parser
    for await (const text of createReadStream(file, { encoding: 'utf8', highWaterMark: 65_536 })) {
      parser ??= initParser(inferSchema(text))
      parser.chunk(text, parser.stringObjs, keeper.take)
    }
    parser.end()
    return keeper.result()
  },

  async 'open-iterable'({ file }) {
    const openIterable = await loadSubject('csv')
    const keeper = new Keeper()
    keeper.start()
    for await (const row of openIterable(file)) keeper.take(row)
    return keeper.result()
  },
}

export async function run({ report, choose, chooseShapes, rounds }) {
  for (const shape of chooseShapes(['birdstrikes', 'movies'])) {
    const { file, repetitions } = await provideData(shape, 'csv', 25)
    const expected = repetitions * (await countRows(shape))
    const lines = []
    const keptKilobytes = {}
    for (const variant of choose(Object.keys(variants))) {
      const readings = []
      for (let round = 0; round < Math.min(rounds, 3); round++) {
        readings.push(await measureOnce({ case: 'retention', variant, input: { file } }, ['--expose-gc']))
      }
      const wrong = readings.find(({ rows }) => rows !== expected)
      if (wrong) report.fail(`retention, ${shape}: ${variant}: ${wrong.rows} rows, not ${expected}`)
      const kilobytes = median(readings.map(({ bytesPerRow }) => bytesPerRow)) / 1e3
      lines.push([variant, String(readings[0].kept), kilobytes.toFixed(2), readings[0].textPerRow.toFixed(0)])
      keptKilobytes[variant] = kilobytes
    }
    report.table(
      `retention: ${shape}, one row in ${KEEP_ONE_IN} is kept`,
      ['variant', 'rows kept', 'kB a row', 'its text, characters'],
      lines,
    )
    report.target(`retention, ${shape}, kept`, keptKilobytes['open-iterable'], { atMost: 8, unit: ' kB a row' })
  }
}

/** Of one body of a shape, by csv-parse. */
async function countRows(shape) {
  const { sample } = await provideData(shape, 'csv', 25)
  const { rows } = await measureOnce({ case: 'csv', variant: 'csv-parse', input: { file: sample } })
  return rows
}
