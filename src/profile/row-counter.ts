/**
 * How many rows are there more than once: exact up to a million different rows, by their 64-bit hashes; beyond that by
 * those rows alone whose hash ends in so many zeros, of which each is counted exactly.
 *
 * @see Gibbons: Distinct Sampling for Highly-Accurate Answers to Distinct Values Queries and Event Reports, VLDB 2001.
 */

/** Most different rows that are counted exactly. */
export const MAX_EXACT_ROWS = 1 << 20
const FIRST_SLOTS = 1 << 12

export class RowCounter {
  readonly #limit: number
  #slots = FIRST_SLOTS
  #table = new Uint32Array(FIRST_SLOTS * 3)
  #size = 0
  #level = 0

  /** @param limit Most rows that are kept apart; a power of two. */
  constructor(limit = MAX_EXACT_ROWS) {
    this.#limit = limit
  }

  /** Both halves unsigned. */
  add(high: number, low: number): void {
    // Which rows are counted is told by other bits than where they stand.
    if (this.#level > 0 && low << (32 - this.#level) !== 0) return
    this.#count(high, low, 1)
    if (this.#size > this.#limit) this.#thin()
    else if (this.#size * 2 > this.#slots) this.#rebuild(this.#slots * 2)
  }

  get isExact(): boolean {
    return this.#level === 0
  }

  /** Rows beyond the first of their kind; how many of them may be too many or too few, at 95 % confidence. */
  get duplicates(): { readonly rows: number; readonly error: number } {
    const scale = 2 ** this.#level
    let sum = 0
    let squares = 0
    for (let i = 2; i < this.#table.length; i += 3) {
      const more = Math.max(0, this.#table[i]! - 1)
      sum += more
      squares += more * more
    }
    // Where none were met there may still be some: by the rule of three, up to three times what a kept row stands for.
    const error = Math.max(2 * Math.sqrt(squares * scale * (scale - 1)), 3 * (scale - 1))
    return { rows: sum * scale, error: Math.ceil(error) }
  }

  #count(high: number, low: number, count: number): void {
    const table = this.#table
    const mask = this.#slots - 1
    for (let slot = high & mask; ; slot = (slot + 1) & mask) {
      const at = slot * 3
      if (table[at + 2] === 0) {
        table[at] = high
        table[at + 1] = low
        table[at + 2] = count
        this.#size++
        return
      }
      if (table[at] === high && table[at + 1] === low) {
        table[at + 2]! += count
        return
      }
    }
  }

  #thin(): void {
    this.#level++
    this.#rebuild(this.#slots)
  }

  #rebuild(slots: number): void {
    const before = this.#table
    this.#slots = slots
    this.#table = new Uint32Array(slots * 3)
    this.#size = 0
    for (let i = 0; i < before.length; i += 3) {
      const low = before[i + 1]!
      if (before[i + 2] === 0 || (this.#level > 0 && low << (32 - this.#level) !== 0)) continue
      this.#count(before[i]!, low, before[i + 2]!)
    }
  }
}
