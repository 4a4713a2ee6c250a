/**
 * The values that are most frequent, in bounded memory: counters, and a common number that is taken from all of them when
 * there are too many.
 *
 * @see Misra, Gries: Finding repeated elements, 1982; Anderson, Bevan, Lang, Liberty, Rhodes, Thaler: A High-Performance
 * Algorithm for Identifying Frequent Items in Data Streams, IMC 2017. Space-Saving keeps the same counts, by Agarwal et
 * al., Mergeable Summaries, PODS 2012.
 */

/** Most counters. The error of a count is at most twice the number of values by this. */
export const COUNTERS = 512

export class FrequentItems<K> {
  readonly #counts = new Map<K, number>()
  #taken = 0

  /** No count is too low by more than this, and none is too high. */
  get error(): number {
    return this.#taken
  }

  has(key: K): boolean {
    return this.#counts.has(key)
  }

  /** `keep` makes the key that is kept of one that is new. */
  add(key: K, weight = 1, keep: (key: K) => K = same): void {
    const count = this.#counts.get(key)
    if (count !== undefined) {
      this.#counts.set(key, count + weight)
      return
    }
    this.#counts.set(keep(key), weight)
    if (this.#counts.size > COUNTERS) this.#purge()
  }

  /** The most frequent, with the least that each is there; ties in the order in which they were first met. */
  top(count: number): [key: K, atLeast: number][] {
    return [...this.#counts].sort((a, b) => b[1] - a[1]).slice(0, count)
  }

  /** Takes the median from all counts, so that half of the counters are free again. */
  #purge(): void {
    const sorted = Float64Array.from(this.#counts.values()).sort()
    const median = sorted[sorted.length >> 1]!
    this.#taken += median
    for (const [key, count] of this.#counts) {
      if (count > median) this.#counts.set(key, count - median)
      else this.#counts.delete(key)
    }
  }
}

const same = <K>(key: K): K => key
