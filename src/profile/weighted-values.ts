/** Sorted numbers, each with how often it is there: all values of a column, or those that a sketch has kept. */
export interface WeightedValues {
  /** Ascending. */
  readonly values: readonly number[]
  readonly weights: readonly number[]
}

export const totalOf = ({ weights }: WeightedValues): number => weights.reduce((sum, weight) => sum + weight, 0)

/** The quantiles of `shares` (ascending, 0 to 1), interpolated between neighbours, as R's type 7, NumPy and SQL do. */
export function quantilesOf(list: WeightedValues, shares: readonly number[]): number[] {
  const total = totalOf(list)
  if (total === 0) return []
  const { values, weights } = list
  let at = 0
  let before = 0
  return shares.map(share => {
    const position = (total - 1) * share
    const rank = Math.floor(position)
    while (rank >= before + weights[at]!) before += weights[at++]!
    const low = values[at]!
    const high = rank + 1 < before + weights[at]! ? low : (values[at + 1] ?? low)
    return low === high ? low : low + (high - low) * (position - rank)
  })
}

/** Counts of values in intervals of one width; the last interval has its upper end in it. */
export interface Histogram {
  /** One more than counts, ascending. */
  readonly edges: readonly number[]
  /** Values in each interval. */
  readonly counts: readonly number[]
  /** Values below the first edge and above the last: far out, where a picture with them would show nothing else. */
  readonly below: number
  /** Values above the last edge, as `below`. */
  readonly above: number
}

const MAX_BINS = 24

/** How intervals are made. */
export interface Intervals {
  /** Whether the values are whole numbers, so that no interval is less than one. */
  readonly isWhole: boolean
  /** The next width that reads well. */
  readonly round: (width: number) => number
  /** Whether edges are multiples of the width; if not they are counted from the least value. */
  readonly fromZero: boolean
}

/**
 * A histogram. Values beyond three times the spread of the middle half (Tukey's outer fences) are counted apart, if the
 * picture gains by that.
 */
export function histogramOf(list: WeightedValues, { isWhole, round, fromZero }: Intervals): Histogram {
  const { values, weights } = list
  const first = values[0]!
  const last = values.at(-1)!
  const { low, high } = shownRange(list)
  if (low === high) return { edges: [low, low], counts: [totalOf(list)], below: 0, above: 0 }
  let width = round((high - low) / MAX_BINS)
  if (isWhole) width = Math.max(1, Math.ceil(width))
  const origin = fromZero ? 0 : low
  const start = Math.floor((low - origin) / width)
  const spans = (high - origin) / width
  const bins = Math.max(1, Math.floor(spans) - start + (isWhole || !Number.isInteger(spans) ? 1 : 0))
  // Multiples, not sums: 0.1 + 0.2 is not an edge that a person would write.
  const edges = Array.from({ length: bins + 1 }, (_, i) => tidy(origin + (start + i) * width))
  const counts = new Array<number>(bins).fill(0)
  let below = 0
  let above = 0
  for (const [i, value] of values.entries()) {
    const weight = weights[i]!
    if (value < low && low > first) below += weight
    else if (value > high && high < last) above += weight
    else counts[Math.min(bins - 1, Math.max(0, Math.floor((value - origin) / width) - start))]! += weight
  }
  return { edges, counts, below, above }
}

function shownRange(list: WeightedValues): { low: number; high: number } {
  const first = list.values[0]!
  const last = list.values.at(-1)!
  const [q1, q3] = quantilesOf(list, [0.25, 0.75]) as [number, number]
  const spread = q3 - q1
  if (spread === 0) return { low: first, high: last }
  const low = Math.max(first, q1 - 3 * spread)
  const high = Math.min(last, q3 + 3 * spread)
  return (last - first) / (high - low) > 4 ? { low, high } : { low: first, high: last }
}

/** The next of 1, 2, 2.5 or 5 times a power of ten. */
export function roundUp(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width))
  const factor = [1, 2, 2.5, 5, 10].find(one => one * power >= width * (1 - 1e-9)) ?? 10
  return tidy(factor * power)
}

const tidy = (value: number): number => Number(value.toPrecision(15))
