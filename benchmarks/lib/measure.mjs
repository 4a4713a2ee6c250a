/** Runs measurements in child processes: first the proof that each variant is right, then the rounds. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const childModule = fileURLToPath(new URL('child.mjs', import.meta.url))
const TIMEOUT_MS = 20 * 60_000

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
 */

/**
 * Proves each variant on the sample, then times all in alternation (A B C A B C …); each timed run must have the
 * sample's counts times the repetitions. A variant that is wrong is reported and not timed any further.
 * @param {Comparison} comparison
 * @param {(message: string) => void} onWrong
 * @returns {Promise<Record<string, Summary>>}
 */
export async function compare(comparison, onWrong) {
  const { variants, reference, repetitions, rounds, nodeArguments } = comparison
  const run = (variant, input) => measureOnce({ case: comparison.case, variant, input }, nodeArguments)
  const truth = await run(reference, comparison.sample)
  truth.lines = comparison.lines

  /** @type {Map<string, Reading[]>} */
  const readings = new Map()
  const attempt = async (variant, input, check) => {
    try {
      const reading = await run(variant, input)
      const difference = check(reading)
      if (difference === undefined) return reading
      onWrong(`${variant}: ${difference} (${JSON.stringify(input)})`)
    } catch (error) {
      onWrong(error.message)
    }
    readings.delete(variant)
    return undefined
  }

  for (const variant of variants) {
    const proof = await attempt(variant, comparison.sample, reading => differenceOf(reading, truth, 1))
    if (proof) readings.set(variant, [])
  }
  for (let round = 0; round < rounds; round++) {
    for (const variant of [...readings.keys()]) {
      const reading = await attempt(variant, comparison.input, timed => differenceOf(timed, truth, repetitions))
      if (reading) readings.get(variant).push(reading)
    }
  }
  return Object.fromEntries([...readings].map(([variant, list]) => [variant, summarize(list)]))
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
 */

/** @param {Reading[]} readings @returns {Summary} */
function summarize(readings) {
  const ms = readings.map(reading => reading.ms)
  return {
    ms: median(ms),
    minMs: Math.min(...ms),
    maxMs: Math.max(...ms),
    cpuMs: median(readings.map(reading => reading.cpuMs)),
    peakRss: Math.max(...readings.map(reading => reading.peakRss)),
  }
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** @param {number[]} values */
export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}
