/** Reading CSV files where code must not be made from text: `node --disallow-code-generation-from-strings`. */
import { SHAPES } from '../lib/data.mjs'
import { ratiosOf } from '../lib/report.mjs'
import { geometricMean } from '../lib/statistics.mjs'
import { compareShapes } from '../lib/suite.mjs'

export async function run(context) {
  const measured = await compareShapes(context, {
    case: 'nocodegen',
    variantsOf: 'csv',
    // Not udsv: it cannot make objects without generated code.
    variants: ['csv-parse', 'open-iterable', 'open-iterable batches'],
    shapes: Object.keys(SHAPES),
    reference: 'csv-parse',
    base: 'csv-parse',
    format: 'csv',
    share: 0.25,
    perShape: false,
    nodeArguments: ['--disallow-code-generation-from-strings'],
    chart: 'CSV → row objects without code generation, × csv-parse',
  })
  const mean = geometricMean(ratiosOf(measured, 'csv-parse', 'open-iterable'))
  context.report.target('csv rows without code generation, mean, × csv-parse', mean, { atLeast: 7.5 })
}
