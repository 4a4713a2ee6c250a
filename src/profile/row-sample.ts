/**
 * A random sample of rows: each row of the stream is in it with the same probability, whatever their number.
 *
 * @see Li: Reservoir-Sampling Algorithms of Time Complexity O(n(1+log(N/n))), ACM TOMS 1994, algorithm L.
 */
import { createRandom } from './random.ts'

export class RowSample {
  /** Most rows. */
  readonly capacity: number
  readonly #random = createRandom(0x5eed)
  #seen = 0
  #next = 0
  #weight = 1

  constructor(capacity: number) {
    this.capacity = capacity
    this.#next = capacity - 1
    this.#skip()
  }

  /** Rows in the sample. */
  get size(): number {
    return Math.min(this.#seen, this.capacity)
  }

  /** The place of the next row in the sample, whose row it takes; -1 if it is not to be in it. */
  offer(): number {
    const index = this.#seen++
    if (index < this.capacity) return index
    if (index < this.#next) return -1
    this.#skip()
    return Math.floor(this.#random() * this.capacity)
  }

  #skip(): void {
    this.#weight *= Math.exp(Math.log(1 - this.#random()) / this.capacity)
    this.#next += Math.floor(Math.log(1 - this.#random()) / Math.log(1 - this.#weight)) + 1
  }
}
