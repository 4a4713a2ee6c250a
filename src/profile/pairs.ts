/** Columns in pairs: which numbers go together, and which nulls, in a sample of rows. */
import { EXACT } from './number-sketch.ts'
import type { Accuracy, ColumnPairs } from './types.ts'

/** Most columns that are compared: a matrix of more cannot be looked at. */
export const MAX_PAIRED = 60

/** A column as the sample of rows has it. */
export interface SampledColumn {
  readonly name: string
  /** By place in the sample; NaN where there is none. */
  readonly values: Float64Array
}

/** Pearson's correlation of each pair, over the rows that have both. */
export function pairsOf(columns: readonly SampledColumn[], sampled: number, rows: number): ColumnPairs {
  const taken = columns.slice(0, MAX_PAIRED)
  const matrix = taken.map(() => new Array<number | null>(taken.length).fill(null))
  for (let i = 0; i < taken.length; i++) {
    for (let j = i; j < taken.length; j++) {
      const value = pearson(taken[i]!.values, taken[j]!.values, sampled)
      matrix[i]![j] = value
      matrix[j]![i] = value
    }
  }
  return {
    columns: taken.map(({ name }) => name),
    columnsLeftOut: columns.length - taken.length,
    matrix,
    rows: sampled,
    accuracy: sampleAccuracy(sampled, rows),
  }
}

export function sampleAccuracy(sampled: number, rows: number): Accuracy {
  if (sampled >= rows) return EXACT
  const error = 1 / Math.sqrt(sampled - 1)
  const note = `Of a random sample of ${sampled.toLocaleString('en')} of ${rows.toLocaleString('en')} rows; the standard error is about ${error.toPrecision(1)}.`
  return { exact: false, method: 'row-sample', error, note }
}

/** Null where one of the two does not vary, or there are less than three rows with both. */
export function pearson(a: Float64Array, b: Float64Array, length: number): number | null {
  let count = 0
  let meanA = 0
  let meanB = 0
  let squaresA = 0
  let squaresB = 0
  let products = 0
  for (let i = 0; i < length; i++) {
    const x = a[i]!
    const y = b[i]!
    if (Number.isNaN(x) || Number.isNaN(y)) continue
    count++
    const deltaA = x - meanA
    const deltaB = y - meanB
    meanA += deltaA / count
    meanB += deltaB / count
    squaresA += deltaA * (x - meanA)
    squaresB += deltaB * (y - meanB)
    products += deltaA * (y - meanB)
  }
  const scale = Math.sqrt(squaresA) * Math.sqrt(squaresB)
  if (count < 3 || scale === 0 || !Number.isFinite(scale)) return null
  return Math.max(-1, Math.min(1, products / scale))
}
