/** Which columns are null together. */
import { FrequentItems } from './frequent-items.ts'
import { EXACT } from './number-sketch.ts'
import { pairsOf, type SampledColumn } from './pairs.ts'
import type { Accuracy, Missingness } from './types.ts'

const MAX_EXACT_PATTERNS = 2000
/** Most characters of the patterns that are counted exactly. */
const MAX_CHARACTERS = 1 << 22
const SHOWN = 12

/** Counts rows by the set of columns that they have no value in. */
export class MissingPatterns {
  #exact: Map<string, number> | undefined = new Map()
  #frequent: FrequentItems<string> | undefined
  #characters = 0

  /**
   * @param nulls Indexes of the columns, ascending, each followed by a comma.
   * @param columns How many columns were known at that row: later ones are null in it as well.
   */
  add(nulls: string, columns: number): void {
    const key = `${columns}:${nulls}`
    if (this.#exact === undefined) {
      this.#frequent!.add(key)
      return
    }
    const count = this.#exact.get(key)
    this.#exact.set(key, (count ?? 0) + 1)
    if (count === undefined) this.#characters += key.length
    if (this.#exact.size <= MAX_EXACT_PATTERNS && this.#characters <= MAX_CHARACTERS) return
    this.#frequent = new FrequentItems()
    for (const [pattern, times] of this.#exact) this.#frequent.add(pattern, times)
    this.#exact = undefined
  }

  finish(sampled: readonly SampledColumn[], sampleSize: number, rows: number, columns: number): Missingness {
    const sets = new Map<string, number>()
    for (const [key, count] of this.#exact ?? this.#frequent!.top(Number.POSITIVE_INFINITY)) {
      const at = key.indexOf(':')
      const later = Array.from({ length: columns - Number(key.slice(0, at)) }, (_, i) => columns - 1 - i).reverse()
      const set = [
        ...key
          .slice(at + 1)
          .split(',')
          .slice(0, -1),
        ...later,
      ].join()
      sets.set(set, (sets.get(set) ?? 0) + count)
    }
    const complete = sets.get('') ?? 0
    sets.delete('')
    const patterns = [...sets]
      .sort((a, b) => b[1] - a[1])
      .slice(0, SHOWN)
      .map(([set, count]) => ({ columns: set.split(',').map(Number), rows: count }))
    const error = this.#frequent?.error ?? 0
    const accuracy: Accuracy =
      error === 0
        ? EXACT
        : {
            exact: false,
            method: 'frequent-items',
            error: error / rows,
            note: `Estimated (Misra-Gries counters): each is there so often at least, and ${error.toLocaleString('en')} times more at most.`,
          }
    return {
      completeRows: complete,
      patterns,
      accuracy,
      correlations: pairsOf(sampled, sampleSize, rows),
    }
  }
}
