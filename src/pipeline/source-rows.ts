/** Where the rows of a chain come from. */
import { END, NOW, type Pull, type RowIterator, WAIT } from './pull.ts'

/** The rows of an iterator. */
export class SourceRows implements Pull<unknown> {
  readonly #iterator: AsyncIterator<unknown> & Partial<Pick<RowIterator<unknown>, typeof NOW>>
  readonly #atHand: () => unknown
  #row: unknown = WAIT
  taken = 0
  ended = false
  /** Whether a row is being waited for. */
  pending = false
  /** The iterator threw: there is nothing left of it to be given back. */
  failed = false

  constructor(iterator: AsyncIterator<unknown>) {
    this.#iterator = iterator
    this.#atHand = this.#iterator[NOW]?.bind(iterator) ?? (() => WAIT)
  }

  now(): unknown {
    const row = this.#row
    if (row !== WAIT) {
      this.#row = WAIT
      this.taken++
      return row
    }
    if (this.ended) return END
    const next = this.#atHand()
    if (next !== WAIT) this.taken++
    return next
  }

  async wait(): Promise<void> {
    this.pending = true
    try {
      const step = await this.#iterator.next()
      if (step.done === true) this.ended = true
      else this.#row = step.value
    } catch (error) {
      this.failed = true
      throw error
    } finally {
      this.pending = false
    }
  }

  /** Gives the source up, unless it has ended. */
  async release(): Promise<void> {
    if (this.ended || this.failed) return
    const returned = Promise.resolve(this.#iterator.return?.())
    // A row under way may never come; our own iterators know how to end without it.
    if (this.pending && !(NOW in this.#iterator)) returned.catch(() => {})
    else await returned
  }
}
