/** Reading CSV files: rows one by one and by batches, on nine shapes of data. */
import { createReadStream, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { SHAPES } from '../lib/data.mjs'
import { importPeer } from '../lib/peers.mjs'
import { byBatches, byCsvParse, byPython, byRow, byUdsv } from '../lib/readers.mjs'
import { highestPeak, ratiosOf } from '../lib/report.mjs'
import { geometricMean } from '../lib/statistics.mjs'
import { allowance, compareShapes, presentOf } from '../lib/suite.mjs'
import { createTally } from '../lib/tally.mjs'

/** @type {Record<string, (input: { file: string, prove?: boolean }, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  /** Bytes to text, and every line break found: what no reader of text can beat by much. */
  async 'newline floor'({ file }) {
    const handle = await open(file)
    const buffer = Buffer.allocUnsafeSlow(262_144)
    let lines = -1 // the header
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null)
      if (bytesRead === 0) break
      for (let start = 0; start < bytesRead; start += 32_768) {
        const text = buffer.latin1Slice(start, Math.min(start + 32_768, bytesRead))
        for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++
      }
    }
    await handle.close()
    return { lines }
  },

  'csv-parse': byCsvParse(),

  async 'csv-parser'(input, clock) {
    const { default: csvParser } = await import('csv-parser')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of createReadStream(input.file).pipe(csvParser())) take(row)
    return result()
  },

  /** Its results a chunk at a time: several times as quick as the stream of single rows that it has as well. */
  async papaparse(input, clock) {
    const { default: Papa } = await import('papaparse')
    const { take, result } = createTally(input)
    clock.start()
    await new Promise((resolve, reject) => {
      // As text, because papaparse takes each chunk of bytes for whole characters.
      Papa.parse(createReadStream(input.file, 'utf8'), {
        header: true,
        skipEmptyLines: true,
        chunk: ({ data }) => data.forEach(take),
        complete: resolve,
        error: reject,
      })
    })
    return result()
  },

  udsv: byUdsv('stringObjs'),

  /** The same with a callback in place of an iterator: no consumer can wait, and nothing is quicker with udsv. */
  async 'udsv callback'(input, clock) {
    const { inferSchema, initParser } = await import('udsv')
    const { take, result } = createTally(input)
    clock.start()
    let parser
    for await (const text of createReadStream(input.file, { encoding: 'utf8', highWaterMark: 65_536 })) {
      parser ??= initParser(inferSchema(text))
      parser.chunk(text, parser.stringObjs, take)
    }
    parser.end()
    return result()
  },

  async 'fast-csv'(input, clock) {
    const { parse } = await importPeer('fast-csv')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of createReadStream(input.file).pipe(parse({ headers: true }))) take(row)
    return result()
  },

  /** It takes text as a whole, and gives all rows at once. */
  async 'd3-dsv whole file'(input, clock) {
    const { csvParse } = await importPeer('d3-dsv')
    const { take, result } = createTally(input)
    clock.start()
    const rows = csvParse(readFileSync(input.file, 'utf8'))
    for (let i = 0; i < rows.length; i++) take(rows[i])
    return result()
  },

  "Python's csv.DictReader": byPython('csv'),
  'open-iterable': byRow('csv'),
  'open-iterable batches': byBatches('csv'),
}

const NEEDS = { 'fast-csv': 'fast-csv', 'd3-dsv whole file': 'd3-dsv', "Python's csv.DictReader": 'python3' }
/** These take seconds for 25 MB. */
const SLOW = ['csv-parser', 'papaparse', 'fast-csv', 'd3-dsv whole file', "Python's csv.DictReader"]

/** Shapes whose fields are quoted, go over several lines, or are not ASCII. */
const HARD_SHAPES = ['quoted', 'multiline', 'utf8']

export async function run(context) {
  const { report } = context
  const measured = await compareShapes(context, {
    case: 'csv',
    variants: presentOf(Object.keys(variants), NEEDS, report),
    shapes: Object.keys(SHAPES),
    reference: 'csv-parse',
    base: 'csv-parse',
    format: 'csv',
    slow: SLOW,
    chart: 'CSV → row objects, × csv-parse',
    leaveOut: ['newline floor'],
  })

  // The reader has an index by WebAssembly SIMD, and is held to what is asked of one; the rest is asked of any.
  const ratios = (base, variant, ofShape) => ratiosOf(measured, base, variant, ofShape)
  const mean = (base, variant, ofShape) => geometricMean(ratios(base, variant, ofShape))
  const isPlain = shape => !HARD_SHAPES.includes(shape)
  const isHard = shape => HARD_SHAPES.includes(shape)
  report.headline('CSV by row, × csv-parse', mean('csv-parse', 'open-iterable'))
  report.headline('CSV by batches, × csv-parse', mean('csv-parse', 'open-iterable batches'))
  report.headline('CSV by row, × udsv', mean('udsv', 'open-iterable'))
  report.target('csv rows, mean, × csv-parse', mean('csv-parse', 'open-iterable'), { atLeast: 12 * allowance })
  report.target('csv rows, mean of unquoted shapes, × csv-parse', mean('csv-parse', 'open-iterable', isPlain), {
    atLeast: 14 * allowance,
  })
  report.target(
    'csv rows, lowest of quoted, multi-line and UTF-8, × csv-parse',
    Math.min(...ratios('csv-parse', 'open-iterable', isHard)),
    { atLeast: 9 * allowance },
  )
  report.target('csv rows, mean, × udsv', mean('udsv', 'open-iterable'), { atLeast: 2 * allowance })
  report.target('csv rows, lowest of all shapes, × csv-parse', Math.min(...ratios('csv-parse', 'open-iterable')), {
    atLeast: 8 * allowance,
  })
  report.target(
    'csv rows, largest of all shapes, time × newline floor',
    Math.max(...ratios('open-iterable', 'newline floor')),
    { atMost: 5 },
  )
  report.note(
    '         (the floor makes text and finds its line breaks, and no strings or objects: the quicker memory and indexOf are,\n' +
      '         the more a row costs beside it; the 5 was set on a machine with half the floor, the same with csv-parse)',
  )
  report.target('csv batches, mean, × csv-parse', mean('csv-parse', 'open-iterable batches'), {
    atLeast: 16 * allowance,
  })
  report.target('csv rows, peak memory', highestPeak(measured, 'open-iterable'), { atMost: 90, unit: ' MB' })
}
