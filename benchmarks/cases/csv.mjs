/** Reading CSV files: rows one by one and by batches, on nine shapes of data. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { provideData, SHAPES } from '../lib/data.mjs'
import { compare, geometricMean } from '../lib/measure.mjs'
import { highestPeak, ratiosOf, tabulate, tabulateShapes } from '../lib/report.mjs'
import { loadSubject } from '../lib/subject.mjs'
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

  async 'csv-parse'(input, clock) {
    const { parse } = await import('csv-parse')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of createReadStream(input.file).pipe(parse({ columns: true }))) take(row)
    return result()
  },

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

  /** In chunks of 64 KiB, its best, by `for await`. */
  async udsv(input, clock) {
    const { inferSchema, initParser } = await import('udsv')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of readRows()) take(row)
    return result()

    async function* readRows() {
      let rows = []
      let parser
      const collect = row => {
        rows.push(row)
      }
      for await (const text of createReadStream(input.file, { encoding: 'utf8', highWaterMark: 65_536 })) {
        parser ??= initParser(inferSchema(text))
        parser.chunk(text, parser.stringObjs, collect)
        for (let i = 0; i < rows.length; i++) yield rows[i]
        rows = []
      }
      parser.end()
      for (let i = 0; i < rows.length; i++) yield rows[i]
    }
  },

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

  async 'open-iterable'(input, clock) {
    const openIterable = await loadSubject('csv')
    const { take, result } = createTally(input)
    clock.start()
    for await (const row of openIterable(input.file)) take(row)
    return result()
  },

  async 'open-iterable batches'(input, clock) {
    const openIterable = await loadSubject('csv')
    const { take, result } = createTally(input)
    clock.start()
    for await (const batch of openIterable(input.file).batches()) {
      for (let i = 0; i < batch.length; i++) take(batch[i])
    }
    return result()
  },
}

/** Shapes whose fields are quoted, go over several lines, or are not ASCII. */
const HARD_SHAPES = ['quoted', 'multiline', 'utf8']

/** On Node 24 and later no ratio may fall below 0.8 of what is asked on Node 20. */
const allowance = Number(process.versions.node.split('.')[0]) >= 24 ? 0.8 : 1

export async function run({ report, choose, chooseShapes, megabytes, rounds }) {
  const chosen = choose(Object.keys(variants))
  const measured = {}
  for (const shape of chooseShapes(Object.keys(SHAPES))) {
    const data = await provideData(shape, 'csv', megabytes)
    measured[shape] = await compare(
      {
        case: 'csv',
        variants: chosen,
        reference: 'csv-parse',
        input: { file: data.file },
        sample: { file: data.sample, prove: true },
        repetitions: data.repetitions,
        lines: data.lines,
        rounds,
      },
      message => report.fail(`csv, ${shape}: ${message}`),
    )
    const title = `csv: ${shape} (${SHAPES[shape].title}), ${(data.bytes / 1e6).toFixed(0)} MB`
    report.table(title, ...tabulate(measured[shape], { bytes: data.bytes, base: 'csv-parse' }))
  }
  report.table('csv: all shapes, × csv-parse', ...tabulateShapes(measured, { base: 'csv-parse', variants: chosen }))

  // The reader has an index by WebAssembly SIMD, and is held to what is asked of one; the rest is asked of any.
  const ratios = (base, variant, ofShape) => ratiosOf(measured, base, variant, ofShape)
  const mean = (base, variant, ofShape) => geometricMean(ratios(base, variant, ofShape))
  const isPlain = shape => !HARD_SHAPES.includes(shape)
  const isHard = shape => HARD_SHAPES.includes(shape)
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
