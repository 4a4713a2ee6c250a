/** Reading CSV through each codec, against the same file as it is. */
import { spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream, existsSync, openSync, statSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { constants, createBrotliCompress } from 'node:zlib'
import { withInner } from '../../scripts/bundle.mjs'
import { provideData } from '../lib/data.mjs'
import { compare } from '../lib/measure.mjs'
import { byRow } from '../lib/readers.mjs'
import { chartRates, highestPeak, tabulate } from '../lib/report.mjs'

/**
 * Extension → how the file is made. What the library does not write is made by the command. Levels are such that no
 * window reaches over the whole body, which the file repeats: decoding would only be copying.
 */
const CODECS = {
  gz: (from, to) => writeByLibrary('gzip', from, to),
  zst: (from, to) => writeByLibrary('zstd', from, to, 1),
  br: (from, to) =>
    pipeline(
      createReadStream(from),
      createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 20 } }),
      createWriteStream(to),
    ),
  zz: (from, to) => writeByLibrary('deflate', from, to),
  zip: (from, to) => writeByLibrary('zip', from, to),
  lz4: (from, to) => writeByLibrary('lz4', from, to),
  sz: (from, to) => writeByLibrary('snappy', from, to),
  bz2: (from, to) => writeByCommand('bzip2', ['-9', '-c', from], to),
  xz: (from, to) => writeByCommand('xz', ['-1', '-c', from], to),
}

/** Of the usual size of a full run, as some of the codecs are slow. */
const SHARE = 0.5

/** @type {Record<string, (input: { file: string, prove?: boolean }, clock: { start(): void }) => Promise<object>>} */
export const variants = Object.fromEntries(
  ['plain', ...Object.keys(CODECS)].map(extension => [
    extension,
    // The code of the codec is loaded in the time: a millisecond or two.
    byRow('csv', { fileOf: ({ file }) => (extension === 'plain' ? file : `${file}.${extension}`) }),
  ]),
)

export async function run({ report, choose, chooseShapes, megabytes, rounds, quick }) {
  for (const shape of chooseShapes(['zipcodes'])) {
    const data = await provideData(shape, 'csv', quick ? megabytes : megabytes * SHARE)
    const chosen = []
    for (const variant of choose(Object.keys(variants))) {
      if (variant === 'plain' || (await provide(variant, data))) chosen.push(variant)
      else report.note(`  ${variant} is left out: the command that writes it is not there`)
    }
    const measured = await compare(
      {
        case: 'codecs',
        variants: chosen,
        reference: 'plain',
        input: { file: data.file },
        sample: { file: data.sample, prove: true },
        repetitions: data.repetitions,
        lines: data.lines,
        rounds,
      },
      message => report.fail(`codecs, ${shape}: ${message}`),
    )
    const [columns, lines] = tabulate(measured, { bytes: data.bytes, base: 'plain' })
    const share = variant => (variant === 'plain' ? 1 : statSync(`${data.file}.${variant}`).size / data.bytes)
    report.table(
      `codecs: rows of ${shape}, ${(data.bytes / 1e6).toFixed(0)} MB decoded`,
      [...columns, 'size'],
      lines.map(line => [...line, `${(share(line[0]) * 100).toFixed(1)} %`]),
    )
    report.ratios(shape, measured, { base: 'plain', own: chosen })
    report.chart(
      chartRates(measured, {
        amount: data.bytes / 1e3,
        unit: 'MB/s',
        file: 'codecs.svg',
        title: 'CSV → row objects through each codec, MB a second before compression',
      }),
    )
    const peaks = chosen.map(variant => highestPeak({ [shape]: { [variant]: measured[variant] } }, variant))
    report.target('rows through codecs, peak memory', Math.max(...peaks.filter(Number.isFinite)), {
      atMost: 160,
      unit: ' MB',
    })
  }
}

/** Makes the files of a codec, unless they are there and new; false where that cannot be done here. */
async function provide(extension, data) {
  for (const file of [data.file, data.sample]) {
    const target = `${file}.${extension}`
    if (existsSync(target) && statSync(target).mtimeMs > statSync(file).mtimeMs) continue
    if ((await CODECS[extension](file, `${target}.part`)) === false) return false
    await rename(`${target}.part`, target)
  }
  return true
}

function writeByLibrary(codecId, from, to, level = undefined) {
  return withInner([`codecs/${codecId}`, 'sources/file-sink'], async ([{ codec }, { openFileSink }]) => {
    const sink = codec.encode(await openFileSink(to), { level })
    for await (const chunk of createReadStream(from)) await sink.write(chunk)
    await sink.close()
  })
}

function writeByCommand(command, args, to) {
  const { error, status } = spawnSync(command, args, { stdio: ['ignore', openSync(to, 'w'), 'inherit'] })
  return error === undefined && status === 0
}
