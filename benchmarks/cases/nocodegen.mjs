/** Reading CSV files where code must not be made from text: `node --disallow-code-generation-from-strings`. */
import { provideData, SHAPES } from '../lib/data.mjs'
import { compare, geometricMean } from '../lib/measure.mjs'
import { ratiosOf, tabulateShapes } from '../lib/report.mjs'

export async function run({ report, choose, chooseShapes, megabytes, rounds }) {
  // Not udsv: it cannot make objects without generated code.
  const chosen = choose(['csv-parse', 'open-iterable', 'open-iterable batches'])
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
        rounds,
        nodeArguments: ['--disallow-code-generation-from-strings'],
      },
      message => report.fail(`nocodegen, ${shape}: ${message}`),
    )
  }
  report.table('nocodegen: × csv-parse', ...tabulateShapes(measured, { base: 'csv-parse', variants: chosen }))
  const mean = geometricMean(ratiosOf(measured, 'csv-parse', 'open-iterable'))
  report.target('csv rows without code generation, mean, × csv-parse', mean, { atLeast: 7.5 })
}
