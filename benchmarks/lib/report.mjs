/** What is printed: tables, targets, verdicts; and the same as one object for `--json`. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { geometricMean } from './measure.mjs'

const PEERS = ['csv-parse', 'csv-stringify', 'csv-parser', 'udsv', 'papaparse', 'split2', 'vega-datasets']

export class Report {
  environment = describeEnvironment()
  /** @type {{ title: string, columns: string[], lines: string[][] }[]} */
  tables = []
  /** @type {{ label: string, value: number, bound: number, met: boolean }[]} */
  targets = []
  /** @type {string[]} */
  wrong = []
  #print

  /** @param {(line: string) => void} [print] */
  constructor(print = line => console.log(line)) {
    this.#print = print
  }

  printEnvironment() {
    const { cpu, cores, memoryGB, node, platform, load, peers } = this.environment
    this.#print(`${cpu}, ${cores} cores, ${memoryGB} GB, ${platform}, node ${node}, load ${load}`)
    this.#print(`peers: ${peers.join(', ')}`)
    if (load > cores * 0.5) this.#print('the machine is busy: ratios are rough, absolute figures mean little')
  }

  heading(text) {
    this.#print(`\n${text}\n${'='.repeat(text.length)}`)
  }

  note(text) {
    this.#print(text)
  }

  /** @param {string} title @param {string[]} columns @param {string[][]} lines */
  table(title, columns, lines) {
    this.tables.push({ title, columns, lines })
    const widths = columns.map((name, i) => Math.max(name.length, ...lines.map(line => line[i].length)))
    const format = cells =>
      cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')
    this.#print(`\n${title}`)
    this.#print(`  ${format(columns)}`)
    for (const line of lines) this.#print(`  ${format(line)}`)
  }

  /**
   * Holds a figure against its target. What was not measured is left out.
   * @param {string} label
   * @param {number | undefined} value
   * @param {{ atLeast?: number, atMost?: number, unit?: string }} bound
   */
  target(label, value, { atLeast, atMost, unit = '×' }) {
    if (value === undefined || !Number.isFinite(value)) return
    const met = atLeast !== undefined ? value >= atLeast : value <= atMost
    const limit = atLeast !== undefined ? `≥ ${atLeast}` : `≤ ${atMost}`
    this.targets.push({ label, value, bound: atLeast ?? atMost, met })
    this.#print(`  ${met ? 'ok   ' : 'BELOW'}  ${label}: ${value.toFixed(2)}${unit} (target ${limit}${unit})`)
  }

  /** A result that is not right: the run fails. */
  fail(message) {
    this.wrong.push(message)
    this.#print(`  WRONG  ${message}`)
  }

  printVerdict() {
    const below = this.targets.filter(target => !target.met)
    this.heading('Verdict')
    this.#print(`${this.targets.length - below.length} of ${this.targets.length} targets met`)
    for (const { label, value, bound } of below) this.#print(`  BELOW  ${label}: ${value.toFixed(2)} for ${bound}`)
    this.#print(this.wrong.length === 0 ? 'all results right' : `${this.wrong.length} results WRONG`)
    for (const message of this.wrong) this.#print(`  WRONG  ${message.split('\n')[0]}`)
  }

  toJSON() {
    const { environment, tables, targets, wrong } = this
    return { environment, tables, targets, wrong }
  }
}

/**
 * A table of variants: speed, spread, ratio to the base, processor time, memory.
 * @param {Record<string, import('./measure.mjs').Summary>} summaries
 * @param {{ bytes: number, base: string }} options
 */
export function tabulate(summaries, { bytes, base }) {
  const speed = ms => (bytes / 1e3 / ms).toFixed(0)
  const columns = ['variant', 'MB/s', 'min–max', `× ${base}`, 'cpu ×', 'peak RSS MB']
  const lines = Object.entries(summaries).map(([variant, { ms, minMs, maxMs, cpuMs, peakRss }]) => [
    variant,
    speed(ms),
    `${speed(maxMs)}–${speed(minMs)}`,
    formatRatio(ratioOf(summaries, base, variant)),
    formatRatio(summaries[base] && summaries[base].cpuMs / cpuMs),
    (peakRss / 1e6).toFixed(0),
  ])
  return [columns, lines]
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

function describeEnvironment() {
  const require = name =>
    JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8'))
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e9),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    load: Number(loadavg()[0].toFixed(1)),
    peers: PEERS.map(name => `${name} ${require(name).version}`),
  }
}
