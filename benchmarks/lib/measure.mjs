/** Runs measurements in child processes: first the proof that each variant is right, then the rounds. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median } from './statistics.mjs'

export { geometricMean, median } from './statistics.mjs'

const childModule = fileURLToPath(new URL('child.mjs', import.meta.url))
const TIMEOUT_MS = 20 * 60_000
/** A variant that has run so long, and twice, or for twice as long, is not asked again: the longer, the less is chance. */
const ENOUGH_MS = 4000

/**
 * @typedef {object} Reading what a child process answers
 * @property {number} ms
 * @property {number} cpuMs user and system time of all threads
 * @property {number} peakRss bytes
 * @property {number} [rows]
 * @property {number} [checksum] cheap: of the first and the last cell of each row
 * @property {number} [lines]
 * @property {string} [digest] of all cells of all rows in order; only where it is asked for
 */

/**
 * Runs one variant once, in a process of its own.
 * @param {{ case: string, variant: string, input: object }} job
 * @param {string[]} [nodeArguments]
 * @returns {Promise<Reading>}
 */
export function measureOnce(job, nodeArguments = []) {
  return new Promise((resolve, reject) => {
    const child = fork(childModule, [JSON.stringify(job)], {
      execArgv: nodeArguments,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      timeout: TIMEOUT_MS,
    })
    let reading
    let complaints = ''
    child.stderr.on('data', text => {
      complaints += text
    })
    child.on('message', message => {
      reading = message
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0 && reading) resolve(reading)
      else reject(new Error(`${job.case}: ${job.variant} ended with ${signal ?? code}\n${complaints.slice(-3000)}`))
    })
  })
}

/**
 * @typedef {object} Comparison
 * @property {string} case the module of `cases/` that has the variants
 * @property {string[]} variants
 * @property {string} reference the variant whose result on the sample is held to be right
 * @property {object} input of the timed runs
 * @property {object} sample input of the proof: `digest` of the results must be equal
 * @property {number} repetitions how many times the sample's body is in the timed input
 * @property {number} [lines] of the sample's body
 * @property {number} rounds
 * @property {string[]} [nodeArguments]
 * @property {{ variants: string[], input: object, repetitions: number, label: string }} [smaller] variants that are slow
 *   enough to be timed on a part of the data; their times are given for the whole
 */

/**
 * Proves each variant on the sample, then times all in turn; each timed run must have the sample's counts times the
 * repetitions. A variant that is wrong is reported and not timed any further.
 * @param {Comparison} comparison
 * @param {(message: string, variant: string) => void} onWrong
 * @returns {Promise<Record<string, Summary>>}
 */
export async function compare(comparison, onWrong) {
  const { reference, repetitions, smaller, sample, input, nodeArguments } = comparison
  const job = { case: comparison.case, nodeArguments }
  const truth = await measureOnce({ case: job.case, variant: reference, input: sample }, nodeArguments)
  truth.lines = comparison.lines

  const proven = []
  for (const variant of comparison.variants) {
    const check = reading => differenceOf(reading, truth, 1)
    if (await attempt({ ...job, variant, input: sample }, check, onWrong)) proven.push(variant)
  }
  const isSmaller = variant => smaller?.variants.includes(variant)
  const partOf = variant => (isSmaller(variant) ? smaller : { input, repetitions, label: undefined })
  const summaries = await measureInTurn(
    { ...job, variants: proven, inputOf: variant => partOf(variant).input, rounds: comparison.rounds },
    (reading, variant) => differenceOf(reading, truth, partOf(variant).repetitions),
    onWrong,
  )
  for (const variant of Object.keys(summaries).filter(isSmaller)) {
    const scale = repetitions / smaller.repetitions
    summaries[variant] = { ...summarize(summaries[variant].readings, scale), label: smaller.label }
  }
  return summaries
}

/**
 * Times variants in alternation (A B C A B C …), so that what slows the machine down slows all of them.
 * @param {{ case: string, variants: string[], inputOf: (variant: string) => object, rounds: number, nodeArguments?: string[] }} job
 * @param {(reading: Reading, variant: string) => string | undefined} check says what is wrong, if it is
 * @param {(message: string, variant: string) => void} onWrong a variant that is wrong is not timed any further
 * @returns {Promise<Record<string, Summary>>}
 */
export async function measureInTurn({ variants, inputOf, rounds, ...job }, check, onWrong) {
  /** @type {Map<string, Reading[]>} */
  const readings = new Map(variants.map(variant => [variant, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [variant, list] of readings) {
      const spentMs = list.reduce((sum, { ms }) => sum + ms, 0)
      if (spentMs > 2 * ENOUGH_MS || (spentMs > ENOUGH_MS && list.length >= 2)) continue
      const one = { ...job, variant, input: inputOf(variant) }
      const reading = await attempt(one, result => check(result, variant), onWrong)
      if (reading) list.push(reading)
      else readings.delete(variant)
    }
  }
  return Object.fromEntries([...readings].map(([variant, list]) => [variant, summarize(list)]))
}

/** Runs a variant once; undefined where it fails or is wrong, which is reported. */
async function attempt({ nodeArguments, ...job }, check, onWrong) {
  try {
    const reading = await measureOnce(job, nodeArguments)
    const difference = check(reading)
    if (difference === undefined) return reading
    onWrong(`${job.variant}: ${difference} (${JSON.stringify(job.input)})`, job.variant)
  } catch (error) {
    onWrong(error.message, job.variant)
  }
  return undefined
}

/** Says how a reading differs from the truth, if it does. What neither side counts is not compared. */
function differenceOf(reading, truth, repetitions) {
  const expected = {
    rows: truth.rows * repetitions,
    checksum: truth.checksum * repetitions,
    lines: truth.lines * repetitions,
    digest: truth.digest,
  }
  const counted = Object.keys(expected).filter(key => reading[key] !== undefined)
  if (counted.length === 0) return 'it counts nothing that could be checked'
  const wrong = counted.filter(key => reading[key] !== expected[key])
  if (wrong.length === 0) return undefined
  return wrong.map(key => `${key} is ${reading[key]}, not ${expected[key]}`).join(', ')
}

/**
 * @typedef {object} Summary
 * @property {number} ms the median
 * @property {number} minMs
 * @property {number} maxMs
 * @property {number} cpuMs the median
 * @property {number} peakRss the largest, bytes
 * @property {number[]} roundsMs each round's time, in order
 * @property {Reading[]} readings
 * @property {string} [label] what it was timed on, where that is a part of the data
 */

/** @param {Reading[]} readings @param {number} [scale] the whole over the part that was timed @returns {Summary} */
export function summarize(readings, scale = 1) {
  const ms = readings.map(reading => reading.ms * scale)
  return {
    ms: median(ms),
    minMs: Math.min(...ms),
    maxMs: Math.max(...ms),
    cpuMs: median(readings.map(reading => reading.cpuMs)) * scale,
    peakRss: Math.max(...readings.map(reading => reading.peakRss)),
    roundsMs: ms,
    readings,
  }
}
