/** What the cases on the cost of a row run over: rows in an array, and those of a CSV file. */
import { provideData } from './data.mjs'

const ROWS_IN_MEMORY = 3_000_000
const SAMPLE_ROWS = 10_000

/**
 * @param {{ quick: boolean, megabytes: number, prove: boolean }} options
 * @returns {Promise<Record<string, { rows: number, input: object, sample: object, repetitions: number }>>}
 */
export async function provideSeries({ quick, megabytes, prove }) {
  const { file, sample, repetitions, lines } = await provideData('flights', 'csv', megabytes)
  const rowsInMemory = quick ? ROWS_IN_MEMORY / 3 : ROWS_IN_MEMORY
  return {
    'rows in an array': {
      rows: rowsInMemory,
      input: { rowsInMemory },
      sample: { rowsInMemory: SAMPLE_ROWS, prove },
      repetitions: rowsInMemory / SAMPLE_ROWS,
    },
    'csv: flights': { rows: lines * repetitions, input: { file }, sample: { file: sample, prove }, repetitions },
  }
}

/** The target of an input: its file, or an array of so many rows, of which there are a thousand different ones. */
export function targetOf({ file, rowsInMemory }) {
  if (file !== undefined) return file
  const pool = Array.from({ length: 1000 }, (_, i) => ({ id: i, name: `row ${i}`, flag: i % 2 }))
  return Array.from({ length: rowsInMemory }, (_, i) => pool[i % pool.length])
}
