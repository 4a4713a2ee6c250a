/**
 * Quantiles of a stream of numbers in bounded memory, with a proven bound on the error of a rank.
 *
 * @see Karnin, Lang, Liberty: Optimal Quantile Approximation in Streams, FOCS 2016, arXiv:1603.05346. The constant of the
 * error is that which Apache DataSketches measured for its implementation of the same sketch.
 */
import { createRandom } from './random.ts'
import type { WeightedValues } from './weighted-values.ts'

const K = 1024
/** What each lower level may hold of what the one above it may. */
const SHRINK = 2 / 3
/** Levels that are smaller would be sorted too often. */
const MIN_CAPACITY = 64

/** Of the rank of a quantile, as a share of all values, at 99 % confidence. */
export const KLL_ERROR = 2.296 / K ** 0.9021

export class KllSketch {
  /** Level i holds values that stand for 2^i each. */
  #levels: number[][] = [[]]
  #capacities: number[] = capacities(1)
  #size = 0
  #room = K
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = createRandom(seed)
  }

  /** `weight`: how often the value is there. */
  add(value: number, weight = 1): void {
    if (weight === 1) {
      this.#levels[0]!.push(value)
      this.#size++
    } else {
      // A whole number is a sum of powers of two, and a level holds one of them each.
      for (let level = 0, left = weight; left > 0; level++, left = Math.floor(left / 2)) {
        if (left % 2 === 0) continue
        while (this.#levels.length <= level) this.#grow()
        this.#levels[level]!.push(value)
        this.#size++
      }
    }
    while (this.#size >= this.#room) this.#compact()
  }

  /** The values that are kept, ascending, each with what it stands for. */
  get values(): WeightedValues {
    const all = this.#levels.flatMap((level, i) => level.map(value => ({ value, weight: 2 ** i })))
    all.sort((a, b) => a.value - b.value)
    return { values: all.map(one => one.value), weights: all.map(one => one.weight) }
  }

  /** Sorts the lowest level that is full and hands every second of its values on. */
  #compact(): void {
    let at = this.#levels.findIndex((level, i) => level.length >= this.#capacities[i]!)
    if (at < 0) at = 0
    if (at === this.#levels.length - 1) this.#grow()
    const sorted = Float64Array.from(this.#levels[at]!).sort()
    // Of an odd number one stays.
    const kept = sorted.length % 2 === 1 ? [sorted[sorted.length - 1]!] : []
    const above = this.#levels[at + 1]!
    const even = sorted.length - kept.length
    for (let i = this.#random() < 0.5 ? 0 : 1; i < even; i += 2) above.push(sorted[i]!)
    this.#levels[at] = kept
    this.#size -= even / 2
  }

  #grow(): void {
    this.#levels.push([])
    this.#capacities = capacities(this.#levels.length)
    this.#room = this.#capacities.reduce((sum, capacity) => sum + capacity, 0)
  }
}

const capacities = (levels: number): number[] =>
  Array.from({ length: levels }, (_, i) => Math.max(MIN_CAPACITY, Math.ceil(K * SHRINK ** (levels - 1 - i))))
