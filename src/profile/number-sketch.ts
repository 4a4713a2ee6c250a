/** Numbers in bounded memory, and the summary of numbers, kept or sketched. */
import { KLL_ERROR, KllSketch } from './kll.ts'
import { Moments } from './moments.ts'
import type { Accuracy, NumberSummary } from './types.ts'
import { histogramOf, quantilesOf, roundUp, type WeightedValues } from './weighted-values.ts'

export const EXACT: Accuracy = { exact: true, note: 'Exact.' }

const percent = (share: number): string => `${Number((share * 100).toPrecision(2))} %`

export const SKETCHED_QUANTILES: Accuracy = {
  exact: false,
  method: 'kll',
  error: KLL_ERROR,
  note: `Estimated (KLL sketch): the rank of a quantile is off by at most ${percent(KLL_ERROR)} of the values, with a confidence of 99 %.`,
}

/** Numbers as they are kept: their moments, and values with weights. */
export interface Numbers {
  readonly moments: Moments
  readonly list: WeightedValues
  readonly accuracy: Accuracy
}

/** Takes any number of numbers. */
export class NumberSketch implements Numbers {
  readonly moments = new Moments()
  readonly #quantiles: KllSketch

  constructor(seed: number) {
    this.#quantiles = new KllSketch(seed)
  }

  add(value: number, weight = 1): void {
    this.moments.add(value, weight)
    this.#quantiles.add(value, weight)
  }

  /** With the least and the greatest value in their places, which the sketch may have dropped. */
  get list(): WeightedValues {
    const { values, weights } = this.#quantiles.values
    if (values.length === 0) return { values, weights }
    const all = [...values]
    all[0] = this.moments.min
    all[all.length - 1] = this.moments.max
    return { values: all, weights }
  }

  get accuracy(): Accuracy {
    return SKETCHED_QUANTILES
  }
}

/** Numbers that are all there: sorted, and each with its count. */
export function countedNumbers(counts: ReadonlyMap<number, number>): Numbers {
  const values = [...counts.keys()].sort((a, b) => a - b)
  const weights = values.map(value => counts.get(value)!)
  const moments = new Moments()
  for (const [i, value] of values.entries()) moments.add(value, weights[i]!)
  return { moments, list: { values, weights }, accuracy: EXACT }
}

const SHARES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]

/** Undefined where there are none. */
export function summarize({ moments, list, accuracy }: Numbers, isWhole: boolean): NumberSummary | undefined {
  if (moments.count === 0) return undefined
  const values = quantilesOf(list, SHARES)
  return {
    count: moments.count,
    min: moments.min,
    max: moments.max,
    mean: moments.mean,
    standardDeviation: moments.standardDeviation ?? null,
    quantiles: SHARES.map((share, i) => ({ share, value: values[i]! })),
    histogram: histogramOf(list, { isWhole, round: roundUp, fromZero: true }),
    accuracy,
  }
}
