/** Writing JSONL files from rows that are in memory. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { bySubject, compareWriters, loadRows, outputPath, proveOutput } from '../lib/output.mjs'
import { ratiosOf } from '../lib/report.mjs'
import { geometricMean } from '../lib/statistics.mjs'

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

  'open-iterable': bySubject('jsonl'),
}

const BY_HAND = 'JSON.stringify by hand'
const PER_ROW = 'stream.write per row'

export async function run(context) {
  const { report } = context
  const measured = await compareWriters(context, {
    case: 'jsonl-write',
    variants: Object.keys(variants),
    shapes: ['flights', 'birdstrikes', 'movies', 'wide', 'multiline', 'utf8'],
    reference: BY_HAND,
    base: BY_HAND,
    format: 'jsonl',
    share: 0.5,
    slow: [PER_ROW],
    chart: `row objects → JSON Lines file, × ${BY_HAND}`,
  })
  const mean = base => geometricMean(ratiosOf(measured, base, 'open-iterable'))
  report.headline('JSON Lines written, × stream.write a row', mean(PER_ROW))
  report.target(`jsonl-write, mean, × ${BY_HAND}`, mean(BY_HAND), { atLeast: 1.1 })
  report.target(`jsonl-write, mean, × ${PER_ROW}`, mean(PER_ROW), { atLeast: 2.3 })
}
