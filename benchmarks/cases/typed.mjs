/** Reading CSV files as typed rows: `cast: true` beside what the peers have of the kind. */
import { createCanonicalTally } from '../lib/canonical.mjs'
import { byBatches, byCsvParse, byRow, byUdsv } from '../lib/readers.mjs'
import { highestPeak, ratiosOf } from '../lib/report.mjs'
import { geometricMean } from '../lib/statistics.mjs'
import { allowance, compareShapes } from '../lib/suite.mjs'

const MEASURED = ['birdstrikes', 'flights', 'sp500', 'airports', 'movies', 'wide']

function canonical(value) {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  const text = String(value)
  if (/^-?(0|[1-9]\d*)(\.\d+)?$/.test(text)) return String(Number(text))
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text}T00:00:00.000Z`
  return /^(true|false)$/i.test(text) ? text.toLowerCase() : text
}

const tally = input => createCanonicalTally(input, canonical)

/** @type {Record<string, (input: { file: string, prove?: boolean }, clock: { start(): void }) => Promise<object>>} */
export const variants = {
  'csv-parse cast': byCsvParse({ cast: true }, tally),

  /** It infers the types from the first ten rows. */
  'udsv typed': byUdsv('typedObjs', tally),

  'open-iterable untyped': byRow('csv', { tally }),
  'open-iterable': byRow('csv', { tally, options: { cast: true } }),
  'open-iterable batches': byBatches('csv', { tally, options: { cast: true } }),
}

export async function run(context) {
  const { report } = context
  const measured = await compareShapes(context, {
    case: 'typed',
    variants: Object.keys(variants),
    shapes: MEASURED,
    reference: 'open-iterable untyped',
    base: 'csv-parse cast',
    format: 'csv',
    slow: ['csv-parse cast'],
    chart: 'CSV → typed rows, × csv-parse with cast',
  })

  const ratios = (base, ofShape) => ratiosOf(measured, base, 'open-iterable', ofShape)
  const narrow = shape => shape === 'flights'
  report.headline('CSV typed, × csv-parse cast', geometricMean(ratios('csv-parse cast')))
  report.target(
    'typed rows, mean but narrow ones, × udsv typed',
    geometricMean(ratios('udsv typed', s => !narrow(s))),
    {
      atLeast: 1.5 * allowance,
    },
  )
  report.target('typed rows, narrow ones, × udsv typed', Math.min(...ratios('udsv typed', narrow)), {
    atLeast: 1 * allowance,
  })
  report.target('typed rows, mean, × csv-parse cast', geometricMean(ratios('csv-parse cast')), {
    atLeast: 8 * allowance,
  })
  report.target('typed rows, peak memory', highestPeak(measured, 'open-iterable'), { atMost: 100, unit: ' MB' })
}
