/** How time grows: with the number of rows (it must be linear), of columns, and of files. */
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dataFolder, provideData, provideGzip } from '../lib/data.mjs'
import { measureInTurn } from '../lib/measure.mjs'
import { byBatches, byCsvParse, byRow } from '../lib/readers.mjs'
import { fitLine, growthExponent } from '../lib/statistics.mjs'

/** Time is rows to the power of this: 1 is linear. More than so much is not. */
const LINEAR_UP_TO = 1.15
/** How much of the variance the straight line must explain. */
const LEAST_FIT = 0.98

/** @type {Record<string, (input: { file: string }, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  csv: byRow('csv'),
  'csv by batches': byBatches('csv'),
  'csv.gz': byRow('csv', { gzip: true }),
  jsonl: byRow('jsonl'),
  'csv typed': byRow('csv', { options: { cast: true } }),
  'csv-parse': byCsvParse(),
}

export async function run(context) {
  const chosen = context.choose(['rows', 'columns', 'files'])
  if (chosen.includes('rows')) await growRows(context)
  if (chosen.includes('columns')) await growColumns(context)
  if (chosen.includes('files')) await growFiles(context)
}

/**
 * Times each variant at each size, the sizes in turn; the quickest round of each counts, as what disturbs only adds.
 * @returns {Promise<Map<string, { x: number, ms: number, minMs: number, maxMs: number }[]>>} variant → points
 */
async function measureCurves({ report, rounds }, sizes, curveNames) {
  const curves = new Map(curveNames.map(name => [name, []]))
  for (const { x, rows, inputs } of sizes) {
    const summaries = await measureInTurn(
      { case: 'curves', variants: curveNames, inputOf: name => inputs[name], rounds: Math.max(rounds, 3) },
      reading => (reading.rows === rows ? undefined : `${reading.rows} rows, not ${rows}`),
      message => report.fail(`curves: ${message}`),
    )
    for (const [name, { ms, minMs, maxMs }] of Object.entries(summaries)) curves.get(name).push({ x, ms, minMs, maxMs })
  }
  return curves
}

const pointsOf = (list, ofPoint) => list.map(point => ({ x: point.x, y: ofPoint(point) }))

async function growRows(context) {
  const { report, quick } = context
  const names = ['csv', 'csv by batches', 'csv.gz', 'jsonl', 'csv typed']
  const sizes = []
  for (const megabytes of quick ? [10, 25, 50, 100] : [10, 25, 50, 100, 200]) {
    const csv = await provideData('birdstrikes', 'csv', megabytes)
    const gzip = await provideGzip(csv)
    // The rows of the CSV file of that size are fewer than those of JSONL, which takes as many.
    const jsonl = await provideData('birdstrikes', 'jsonl', megabytes)
    sizes.push({ csv, gzip, jsonl })
  }
  const curves = new Map(names.map(name => [name, []]))
  for (const { csv, gzip, jsonl } of sizes) {
    for (const name of names) {
      const data = name === 'jsonl' ? jsonl : name === 'csv.gz' ? gzip : csv
      const rows = data.lines * data.repetitions
      const measured = await measureCurves(
        context,
        [{ x: rows, rows, inputs: { [name]: { file: data.file } } }],
        [name],
      )
      curves.get(name).push(...measured.get(name))
    }
  }
  const lines = []
  for (const [name, list] of curves) {
    const points = pointsOf(list, ({ minMs }) => minMs)
    const { slope, r2 } = fitLine(points)
    const exponent = growthExponent(points)
    lines.push([
      name,
      ...list.map(({ ms }) => ms.toFixed(0)),
      (slope * 1e6).toFixed(0),
      r2.toFixed(4),
      exponent.toFixed(3),
    ])
    report.target(`curves, ${name}: time is rows to the power of`, exponent, { atMost: LINEAR_UP_TO, unit: '' })
    if (exponent > LINEAR_UP_TO)
      report.fail(`curves, ${name}: not linear, but rows to the power of ${exponent.toFixed(2)}`)
    report.target(`curves, ${name}: fit of the straight line, R²`, r2, { atLeast: LEAST_FIT, unit: '' })
  }
  const rowCounts = [...curves.values()][0].map(({ x }) => `${(x / 1000).toFixed(0)} k rows`)
  report.table('curves: ms by number of rows', ['variant', ...rowCounts, 'ns a row more', 'R²', 'exponent'], lines)
  report.chart({
    kind: 'lines',
    file: 'curve-rows.svg',
    title: 'Time against the number of rows: a straight line',
    subtitle: 'birdstrikes, 7 columns; jsonl has other numbers of rows, as its lines are longer',
    xLabel: 'rows',
    yLabel: 'ms',
    series: [...curves].map(([label, list]) => ({ label, points: pointsOf(list, ({ ms }) => ms) })),
  })
}

/** Files of the same number of cells, in more and more columns. */
async function growColumns(context) {
  const { report, quick } = context
  const cells = quick ? 1_000_000 : 4_000_000
  const sizes = []
  for (const columns of [2, 10, 50, 200, 1000]) {
    const file = join(dataFolder, `columns-${columns}-of-${cells}.csv`)
    await provideTable(file, columns, cells / columns)
    const input = { file }
    sizes.push({
      x: columns,
      rows: cells / columns,
      inputs: { csv: input, 'csv by batches': input, 'csv-parse': input },
    })
  }
  const curves = await measureCurves(context, sizes, ['csv', 'csv by batches', 'csv-parse'])
  const perCell = list => pointsOf(list, ({ ms }) => (ms * 1e6) / cells)
  report.table(
    `curves: ns a cell by number of columns, ${cells.toLocaleString('en')} cells`,
    ['variant', ...sizes.map(({ x }) => `${x} columns`)],
    [...curves].map(([name, list]) => [name, ...perCell(list).map(({ y }) => y.toFixed(0))]),
  )
  report.chart({
    kind: 'lines',
    file: 'curve-columns.svg',
    title: 'What a cell costs against the number of columns',
    subtitle: `${cells.toLocaleString('en')} cells of CSV in each file, by csv-parse and by open-iterable`,
    xLabel: 'columns (logarithmic)',
    yLabel: 'ns a cell (logarithmic)',
    logX: true,
    logY: true,
    series: [...curves].map(([label, list]) => ({ label, points: perCell(list) })),
  })
  const peer = curves.get('csv-parse')
  for (const [i, { x, ms }] of curves.get('csv').entries()) {
    report.ratio(`${x} columns: csv × csv-parse`, peer[i]?.ms / ms, { noise: 0.25 })
  }
}

/** The same rows, in more and more files that are read as one. */
async function growFiles(context) {
  const { report } = context
  const total = 200_000
  const sizes = []
  for (const files of [1, 10, 100, 1000]) {
    const folder = join(dataFolder, `files-${files}-of-${total}`)
    await provideFolder(folder, files, total / files)
    sizes.push({ x: files, rows: total, inputs: { csv: { file: join(folder, '*.csv') } } })
  }
  const curves = await measureCurves(context, sizes, ['csv'])
  const list = curves.get('csv')
  const { slope } = fitLine(pointsOf(list, ({ minMs }) => minMs))
  report.table(
    `curves: ms by number of files, ${total.toLocaleString('en')} rows in all`,
    ['variant', ...sizes.map(({ x }) => `${x} files`), 'ms a file more'],
    [['csv', ...list.map(({ ms }) => ms.toFixed(0)), slope.toFixed(3)]],
  )
  report.chart({
    kind: 'lines',
    file: 'curve-files.svg',
    title: 'Time against the number of files that the same rows are in',
    subtitle: `${total.toLocaleString('en')} rows of CSV, by a pattern, one after the other; ${slope.toFixed(2)} ms a file`,
    xLabel: 'files',
    yLabel: 'ms',
    series: [{ label: 'csv', points: pointsOf(list, ({ ms }) => ms) }],
  })
  report.target('curves, a file more', slope, { atMost: 2, unit: ' ms' })
}

async function provideTable(file, columns, rows) {
  if (existsSync(file)) return
  const names = Array.from({ length: columns }, (_, i) => `c${i + 1}`)
  const body = Array.from({ length: rows }, (_, row) =>
    names.map((_name, i) => (row * 7919 + i * 31) % 99_991).join(','),
  )
  await writeFile(`${file}.part`, `${names.join(',')}\n${body.join('\n')}\n`)
  await rename(`${file}.part`, file)
}

async function provideFolder(folder, files, rows) {
  if (existsSync(folder)) return
  const part = `${folder}.part`
  await rm(part, { recursive: true, force: true })
  await mkdir(part, { recursive: true })
  for (let file = 0; file < files; file++) {
    const lines = Array.from({ length: rows }, (_, i) => `${file * rows + i},name ${i % 997},${(i * 7919) % 99_991}\n`)
    await writeFile(join(part, `${String(file).padStart(4, '0')}.csv`), `id,name,value\n${lines.join('')}`)
  }
  await rename(part, folder)
}
