/** Writing JSONL files from rows that are in memory. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { provideData, SHAPES } from '../lib/data.mjs'
import { compare, geometricMean } from '../lib/measure.mjs'
import { chooseOutputFolder, loadRows, outputPath, proveOutput } from '../lib/output.mjs'
import { ratiosOf, tabulate, tabulateShapes } from '../lib/report.mjs'
import { loadSubject } from '../lib/subject.mjs'

/** @typedef {{ sample: string, format: 'jsonl', repetitions: number, folder: string }} Input */

/** @type {Record<string, (input: Input, clock: { start(): void, stop(): void }) => Promise<object>>} */
export const variants = {
  /** What one would write by hand for speed: one text of 64 KiB, encoded into one buffer, written by a file handle. */
  async 'JSON.stringify by hand'(input, clock) {
    const { rows, batches } = await loadRows(input)
    const file = outputPath(input.folder, 'jsonl')
    clock.start()
    const handle = await open(file, 'w')
    let buffer = Buffer.allocUnsafeSlow(4 * 65_536)
    let text = ''
    const flush = async () => {
      if (text.length * 3 > buffer.length) buffer = Buffer.allocUnsafeSlow(text.length * 3)
      const length = buffer.utf8Write(text, 0)
      text = ''
      const { bytesWritten } = await handle.write(buffer, 0, length)
      if (bytesWritten !== length) throw new Error('a short write')
    }
    for (const batch of batches()) {
      for (const row of batch) {
        text += `${JSON.stringify(row)}\n`
        if (text.length >= 65_536) await flush()
      }
    }
    await flush()
    await handle.close()
    clock.stop()
    return proveOutput(file, input, rows)
  },

  async 'stream.write per row'(input, clock) {
    const { rows, batches } = await loadRows(input)
    const file = outputPath(input.folder, 'jsonl')
    clock.start()
    const sink = createWriteStream(file)
    for (const batch of batches()) {
      for (const row of batch) if (!sink.write(`${JSON.stringify(row)}\n`)) await once(sink, 'drain')
    }
    sink.end()
    await finished(sink)
    clock.stop()
    return proveOutput(file, input, rows)
  },

  async 'open-iterable'(input, clock) {
    const openIterable = await loadSubject('jsonl')
    const { rows, batches } = await loadRows(input)
    const file = outputPath(input.folder, 'jsonl')
    clock.start()
    const writer = openIterable(file, { mode: 'w' })
    for (const batch of batches()) await writer.writeBulk(batch)
    await writer.close()
    clock.stop()
    return proveOutput(file, input, rows)
  },
}

const BY_HAND = 'JSON.stringify by hand'
const PER_ROW = 'stream.write per row'

export async function run({ report, choose, chooseShapes, megabytes, rounds }) {
  const chosen = choose(Object.keys(variants))
  const measured = {}
  for (const shape of chooseShapes(['flights', 'birdstrikes', 'movies', 'wide', 'multiline', 'utf8'])) {
    const { sample, repetitions, bytes } = await provideData(shape, 'jsonl', megabytes)
    const folder = await chooseOutputFolder(bytes)
    measured[shape] = await compare(
      {
        case: 'jsonl-write',
        variants: chosen,
        reference: BY_HAND,
        input: { sample, format: 'jsonl', repetitions, folder },
        sample: { sample, format: 'jsonl', repetitions: 1, folder },
        repetitions,
        rounds,
      },
      message => report.fail(`jsonl-write, ${shape}: ${message}`),
    )
    const title = `jsonl-write: ${shape} (${SHAPES[shape].title}), ${(bytes / 1e6).toFixed(0)} MB to ${folder}`
    report.table(title, ...tabulate(measured[shape], { bytes, base: BY_HAND }))
  }
  report.table(
    `jsonl-write: all shapes, × ${BY_HAND}`,
    ...tabulateShapes(measured, { base: BY_HAND, variants: chosen }),
  )
  const mean = base => geometricMean(ratiosOf(measured, base, 'open-iterable'))
  report.target(`jsonl-write, mean, × ${BY_HAND}`, mean(BY_HAND), { atLeast: 1.1 })
  report.target(`jsonl-write, mean, × ${PER_ROW}`, mean(PER_ROW), { atLeast: 2.3 })
}
