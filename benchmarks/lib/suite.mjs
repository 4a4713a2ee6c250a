/** What the cases that compare variants on several shapes of data share. */
import { provideData, SHAPES } from './data.mjs'
import { compare } from './measure.mjs'
import { hasPeer, hasPython } from './peers.mjs'
import { chartShapes, tabulate, tabulateShapes } from './report.mjs'

/** Peers that are slow are timed on files of this share of the size; of a quick run half, as its files are small already. */
const SMALLER_SHARE = { full: 0.25, quick: 0.5 }

/** @typedef {{ report: import('./report.mjs').Report, choose: Function, chooseShapes: Function, megabytes: number, rounds: number, quick: boolean }} Context */

/**
 * @typedef {object} Suite
 * @property {string} case
 * @property {string} [variantsOf] the case whose variants these are; default: its own
 * @property {string[]} variants
 * @property {string[]} shapes
 * @property {string} reference
 * @property {string} base what the tables count in
 * @property {'csv' | 'jsonl'} format
 * @property {string} chart a title
 * @property {(data: import('./data.mjs').Data) => Promise<import('./data.mjs').Data>} [prepare] makes other files of it
 * @property {(data: import('./data.mjs').Data) => object} [inputOf]
 * @property {(data: import('./data.mjs').Data) => object} [sampleOf]
 * @property {string[]} [slow] timed on a quarter of the data
 * @property {string[]} [leaveOut] of the chart
 * @property {boolean} [perShape] whether each shape has its table; default: true
 * @property {string[]} [nodeArguments]
 * @property {number} [share] of the usual size of a full run, for all
 */

/**
 * Compares the variants on each shape, and says so: a table a shape, one of all, a chart, findings, and ratios for the
 * floor.
 * @param {Context} context
 * @param {Suite} suite
 * @returns {Promise<import('./report.mjs').Measured>}
 */
export async function compareShapes(context, suite) {
  const { report, choose, chooseShapes, rounds } = context
  const {
    base,
    reference,
    format,
    prepare = async data => data,
    inputOf = ({ file }) => ({ file }),
    sampleOf = ({ sample }) => ({ file: sample, prove: true }),
    slow = [],
    perShape = true,
    share = 1,
  } = suite
  const megabytes = context.quick ? context.megabytes : context.megabytes * share
  const smaller = megabytes * SMALLER_SHARE[context.quick ? 'quick' : 'full']
  const chosen = choose(suite.variants)
  const measured = {}
  for (const shape of chooseShapes(suite.shapes)) {
    const data = await prepare(await provideData(shape, format, megabytes))
    const part = slow.length === 0 ? data : await prepare(await provideData(shape, format, smaller))
    const wrong = []
    measured[shape] = await compare(
      {
        case: suite.variantsOf ?? suite.case,
        variants: chosen,
        reference,
        input: inputOf(data),
        sample: sampleOf(data),
        repetitions: data.repetitions,
        lines: data.lines,
        rounds,
        nodeArguments: suite.nodeArguments,
        smaller: {
          variants: slow,
          input: inputOf(part),
          repetitions: part.repetitions,
          label: `${(part.bytes / 1e6).toFixed(0)} MB`,
        },
      },
      (message, variant) => {
        if (variant.startsWith('open-iterable')) report.fail(`${suite.case}, ${shape}: ${message}`)
        else {
          wrong.push(variant)
          report.finding(`${suite.case}, ${shape}`, variant, message)
        }
      },
    )
    report.ratios(shape, measured[shape], { base })
    const title = `${suite.case}: ${shape} (${SHAPES[shape].title}), ${(data.bytes / 1e6).toFixed(0)} MB`
    if (perShape) report.table(title, ...tabulate(measured[shape], { bytes: data.bytes, base, wrong }))
  }
  report.table(`${suite.case}: all shapes, × ${base}`, ...tabulateShapes(measured, { base, variants: chosen }))
  const chart = chartShapes(measured, {
    base,
    variants: chosen,
    file: `${suite.case}.svg`,
    title: suite.chart,
    leaveOut: suite.leaveOut,
  })
  if (chart.bars.length > 0) report.chart(chart)
  return measured
}

/**
 * The names of variants without those whose packages, or whose Python, are not there.
 * @param {string[]} variants
 * @param {Record<string, string | string[]>} needs variant → packages, or `python3`
 * @param {import('./report.mjs').Report} report
 */
export function presentOf(variants, needs, report) {
  return variants.filter(variant => {
    const absent = [needs[variant] ?? []].flat().filter(name => !(name === 'python3' ? hasPython() : hasPeer(name)))
    if (absent.length > 0) report.note(`  ${variant} is left out: ${absent.join(', ')} is not installed`)
    return absent.length === 0
  })
}

/** On Node 24 and later no ratio of CSV may fall below 0.8 of what is asked on Node 20. */
export const allowance = Number(process.versions.node.split('.')[0]) >= 24 ? 0.8 : 1
