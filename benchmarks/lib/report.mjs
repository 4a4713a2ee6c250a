/**
 * What the cases say: printed as they say it, and kept as a record for each case, from which RESULTS.md is made and the
 * floor is held.
 */
import { describeEnvironment } from './environment.mjs'
import { geometricMean, relativeSpread } from './statistics.mjs'

/** Where the rounds do not say how much a ratio varies: a share of it. */
const USUAL_NOISE = 0.15
const LEAST_NOISE = 0.08
const MOST_NOISE = 0.35

const isOwn = variant => variant.startsWith('open-iterable')

/**
 * @typedef {object} Target
 * @property {string} label
 * @property {number} value
 * @property {number} bound
 * @property {'≥' | '≤'} sign
 * @property {string} unit
 * @property {boolean} met
 *
 * @typedef {object} Ratio ours over a peer's, which the floor holds
 * @property {number} value
 * @property {number} noise by how large a share of it it may vary
 * @property {'higher' | 'lower'} better
 *
 * @typedef {object} CaseRecord
 * @property {string} case
 * @property {ReturnType<typeof describeEnvironment>} environment
 * @property {object} options rounds, megabytes, mode
 * @property {number} seconds
 * @property {({ kind: 'table', title: string, columns: string[], lines: string[][] } | { kind: 'note', text: string } |
 *   { kind: 'chart', chart: object })[]} sections in the order in which they were said
 * @property {Target[]} targets
 * @property {{ label: string, value: number }[]} headlines ratios that tell the most, for the overview
 * @property {Record<string, Ratio>} ratios
 * @property {{ variant: string, message: string }[]} findings peers that gave something wrong
 * @property {string[]} wrong results of ours that are not right
 */

export class Report {
  environment
  /** @type {CaseRecord[]} */
  records = []
  /** Of the whole run, not of a case. @type {string[]} */
  #complaints = []
  /** @type {CaseRecord} */
  #record
  #print

  /** @param {(line: string) => void} [print] @param {ReturnType<typeof describeEnvironment>} [environment] */
  constructor(print = line => console.log(line), environment = describeEnvironment()) {
    this.#print = print
    this.environment = environment
  }

  printEnvironment() {
    const { cpu, cores, memoryGB, node, os, load, peers, commit } = this.environment
    this.#print(`${cpu}, ${cores} cores, ${memoryGB} GB, ${os}, node ${node}, load ${load}, ${commit}`)
    this.#print(`peers: ${peers.join(', ')}`)
    if (load > cores * 0.5) this.#print('the machine is busy: ratios are rough, absolute figures mean little')
  }

  /** What follows belongs to this case. */
  beginCase(name, options = {}) {
    this.#record = {
      case: name,
      environment: this.environment,
      options,
      seconds: 0,
      sections: [],
      targets: [],
      headlines: [],
      ratios: {},
      findings: [],
      wrong: [],
    }
    this.records.push(this.#record)
    this.heading(name)
  }

  /** @returns {CaseRecord} */
  endCase(seconds) {
    this.#record.seconds = Math.round(seconds)
    this.#print(`  (${seconds.toFixed(0)} s)`)
    return this.#record
  }

  heading(text) {
    this.#print(`\n${text}\n${'='.repeat(text.length)}`)
  }

  note(text) {
    this.#record?.sections.push({ kind: 'note', text: text.trim().replaceAll(/\s*\n\s*/g, ' ') })
    this.#print(text)
  }

  /** @param {string} title @param {string[]} columns @param {string[][]} lines */
  table(title, columns, lines) {
    this.#record?.sections.push({ kind: 'table', title, columns, lines })
    const widths = columns.map((name, i) => Math.max(name.length, ...lines.map(line => line[i].length)))
    const format = cells =>
      cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')
    this.#print(`\n${title}`)
    this.#print(`  ${format(columns)}`)
    for (const line of lines) this.#print(`  ${format(line)}`)
  }

  /** A chart for RESULTS.md. @param {import('./svg.mjs').Bars | import('./svg.mjs').Lines} chart */
  chart(chart) {
    this.#record.sections.push({ kind: 'chart', chart: roundAll(chart) })
  }

  /** A ratio for the overview. */
  headline(label, value) {
    if (Number.isFinite(value)) this.#record.headlines.push({ label, value: round(value) })
  }

  /** A ratio that the floor holds. @param {string} id what it is of, within the case @param {number | undefined} value */
  ratio(id, value, { noise = USUAL_NOISE, better = 'higher' } = {}) {
    if (value === undefined || !Number.isFinite(value)) return
    this.#record.ratios[id] = { value: round(value), noise: round(noise), better }
  }

  /**
   * The ratios of our variants to a peer, one by one, for the floor.
   * @param {string} id
   * @param {Record<string, import('./measure.mjs').Summary>} summaries
   * @param {{ base: string, own?: string[] }} options
   */
  ratios(id, summaries, { base, own = Object.keys(summaries).filter(isOwn) }) {
    for (const variant of own) {
      if (variant === base) continue
      const rounds = summaries[variant]?.roundsMs ?? []
      const pairs = rounds.flatMap((ms, i) => summaries[base]?.roundsMs[i] / ms || [])
      const noise = Math.min(Math.max(1.5 * relativeSpread(pairs), LEAST_NOISE), MOST_NOISE)
      this.ratio(`${id}: ${variant} × ${base}`, ratioOf(summaries, base, variant), { noise })
    }
  }

  /**
   * Holds a figure against its target. What was not measured is left out. A ratio (no unit) is held by the floor, too.
   * @param {string} label
   * @param {number | undefined} value
   * @param {{ atLeast?: number, atMost?: number, unit?: string }} bound
   */
  target(label, value, { atLeast, atMost, unit = '×' }) {
    if (value === undefined || !Number.isFinite(value)) return
    const met = atLeast !== undefined ? value >= atLeast : value <= atMost
    const sign = atLeast !== undefined ? '≥' : '≤'
    const bound = atLeast ?? atMost
    this.#record.targets.push({ label, value: round(value), bound, sign, unit, met })
    if (unit === '×') this.ratio(label, value, { better: sign === '≥' ? 'higher' : 'lower' })
    this.#print(`  ${met ? 'ok   ' : 'BELOW'}  ${label}: ${value.toFixed(2)}${unit} (target ${sign} ${bound}${unit})`)
  }

  /** A result that is not right: the run fails. */
  fail(message) {
    if (this.#record === undefined) this.#complaints.push(message)
    else this.#record.wrong.push(message)
    this.#print(`  WRONG  ${message}`)
  }

  /** What belongs to no case. */
  complain(message) {
    this.#complaints.push(message)
  }

  /** A peer gives something wrong, or fails: it is shown as such and not timed. */
  finding(where, variant, message) {
    const text = describeFinding(message)
    this.#record.findings.push({ variant, message: `${where}: ${text}` })
    this.#print(`  FINDING  ${variant}, ${where}: ${text}`)
  }

  get targets() {
    return this.records.flatMap(record => record.targets)
  }

  get wrong() {
    return [...this.records.flatMap(record => record.wrong), ...this.#complaints]
  }

  printVerdict() {
    const { targets, wrong } = this
    const below = targets.filter(target => !target.met)
    this.heading('Verdict')
    this.#print(`${targets.length - below.length} of ${targets.length} targets met`)
    for (const { label, value, bound, sign, unit } of below) {
      this.#print(`  BELOW  ${label}: ${value.toFixed(2)}${unit} (target ${sign} ${bound}${unit})`)
    }
    this.#print(wrong.length === 0 ? 'all results right' : `${wrong.length} results WRONG`)
    for (const message of wrong) this.#print(`  WRONG  ${message.split('\n')[0]}`)
  }

  toJSON() {
    const { environment, records, targets, wrong } = this
    const tables = records.flatMap(({ sections }) => sections.filter(({ kind }) => kind === 'table'))
    return { environment, tables, targets, wrong, records }
  }
}

/** The message of a wrong peer without what changes from machine to machine: paths, and the stack of an error. */
function describeFinding(message) {
  const lines = message.split('\n')
  const error = lines.find(line => /^\s*(\w+)?Error\b.*:/.test(line))
  const text = lines.length > 1 && error ? `${lines[0]}: ${error.trim()}` : lines[0]
  if (/digest is \w+, not/.test(text)) return 'its cells are not those of the reference'
  return text.replace(/ \(\{.*\}\)$/, '').replaceAll(/(file:\/\/)?(\/[\w@.+-]+){2,}/g, '…')
}

/** @param {number} value four digits that count, so that records stay readable */
export const round = value => Number(value.toPrecision(4))

function roundAll(value) {
  if (typeof value === 'number') return round(value)
  if (Array.isArray(value)) return value.map(roundAll)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([name, inner]) => [name, roundAll(inner)]),
  )
}

/**
 * A table of variants: speed, spread, ratio to the base, processor time, memory.
 * @param {Record<string, import('./measure.mjs').Summary>} summaries
 * @param {{ bytes?: number, rows?: number, base: string, wrong?: string[] }} options `bytes`: speed is in MB/s; `rows`: in
 *   thousands of rows; `wrong`: peers that were not timed, for that
 */
export function tabulate(summaries, { bytes, rows, base, wrong = [] }) {
  const speed = ms => (rows === undefined ? bytes / 1e3 / ms : rows / ms).toFixed(0)
  const columns = ['variant', rows === undefined ? 'MB/s' : 'k rows/s', 'min–max', `× ${base}`, 'cpu ×', 'peak RSS MB']
  const lines = Object.entries(summaries).map(([variant, { ms, minMs, maxMs, cpuMs, peakRss, label }]) => [
    label === undefined ? variant : `${variant} (${label})`,
    speed(ms),
    `${speed(maxMs)}–${speed(minMs)}`,
    formatRatio(ratioOf(summaries, base, variant)),
    formatRatio(summaries[base] && summaries[base].cpuMs / cpuMs),
    (peakRss / 1e6).toFixed(0),
  ])
  return [columns, [...lines, ...wrong.map(variant => [variant, 'WRONG', '–', '–', '–', '–'])]]
}

/**
 * A table of shapes and variants, each cell a ratio to the base, and the geometric means.
 * @typedef {Record<string, Record<string, import('./measure.mjs').Summary>>} Measured by shape, then by variant
 * @param {Measured} measured
 * @param {{ base: string, variants: string[] }} options
 */
export function tabulateShapes(measured, { base, variants }) {
  const lines = Object.entries(measured).map(([shape, summaries]) => [
    shape,
    ...variants.map(variant => formatRatio(ratioOf(summaries, base, variant))),
  ])
  const means = variants.map(variant => formatRatio(geometricMean(ratiosOf(measured, base, variant))))
  return [
    ['shape', ...variants],
    [...lines, ['geometric mean', ...means]],
  ]
}

/**
 * A chart of what `tabulateShapes` tells: a bar for each variant, the geometric mean of all shapes, with the lowest and the
 * highest of them.
 * @param {Measured} measured
 * @param {{ base: string, variants: string[], file: string, title: string, leaveOut?: string[] }} options
 */
export function chartShapes(measured, { base, variants, file, title, leaveOut = [] }) {
  const bars = variants
    .filter(variant => !leaveOut.includes(variant))
    .flatMap(variant => {
      const ratios = ratiosOf(measured, base, variant)
      if (ratios.length === 0) return []
      const spread =
        ratios.length > 1 && variant !== base ? { low: Math.min(...ratios), high: Math.max(...ratios) } : {}
      return [{ label: variant, value: geometricMean(ratios), ...spread, own: isOwn(variant) }]
    })
  const shapes = Object.keys(measured).length
  const subtitle =
    shapes > 1 ? `geometric mean of ${shapes} shapes of data; the line goes from the lowest to the highest` : undefined
  return { kind: 'bars', file, title, subtitle, unit: '×', bars: byValue(bars) }
}

/** A chart of one comparison: how much a second, with the slowest and the fastest round. */
export function chartRates(summaries, { amount, unit, file, title, subtitle, leaveOut = [] }) {
  const bars = Object.entries(summaries)
    .filter(([variant]) => !leaveOut.includes(variant))
    .map(([variant, { ms, minMs, maxMs }]) => ({
      label: variant,
      value: amount / ms,
      low: amount / maxMs,
      high: amount / minMs,
      own: isOwn(variant),
    }))
  return { kind: 'bars', file, title, subtitle, unit: ` ${unit}`, bars: byValue(bars) }
}

const byValue = bars => bars.sort((a, b) => b.value - a.value)

/** How many times as fast as the base a variant is; undefined where one of them was not measured. */
export function ratioOf(summaries, base, variant) {
  if (!summaries[base] || !summaries[variant]) return undefined
  return summaries[base].ms / summaries[variant].ms
}

/** @param {Measured} measured @param {(shape: string) => boolean} [ofShape] which shapes to take; default: all */
export function ratiosOf(measured, base, variant, ofShape = () => true) {
  return Object.keys(measured)
    .filter(ofShape)
    .map(shape => ratioOf(measured[shape], base, variant))
    .filter(ratio => ratio !== undefined)
}

/** The largest peak of memory that a variant had, in MB. */
export function highestPeak(measured, variant) {
  const peaks = Object.values(measured).flatMap(summaries => summaries[variant]?.peakRss ?? [])
  return Math.max(...peaks) / 1e6
}

export function formatRatio(ratio) {
  return Number.isFinite(ratio) ? ratio.toFixed(2) : '–'
}
