/** What stages with a function have in common, and those that make one call after the other. */
import { END, type Pull, WAIT } from './pull.ts'
import type { Stage, StageContext } from './stages.ts'

/** What is common to all stages of a run. */
export interface RunContext {
  readonly context: StageContext<unknown>
  /**
   * Told of a row that a stage threw on. Returns when the row is to be left out, and throws when the run is to end. Without
   * it, what the stage threw ends the run as it is.
   */
  readonly onFailure?: ((error: unknown, row: unknown, record: number) => void) | undefined
}

export type AnyStage = Stage<never, unknown, never>
/** A function of a stage, whatever its rows. */
export type Call = (row: unknown, index: number, context: StageContext<unknown>) => unknown

/** What a stage gives for a row whose function gave this result: another row, or `NONE`. */
export type Finish = (result: unknown, row: unknown) => unknown

/** Instead of a row: it is left out. */
export const NONE: unique symbol = Symbol('none')

/**
 * Whether what a function gave is to be waited for: promises, and whatever else of a class has `then`. A plain object is a
 * row, and is not even asked: before Node 22 each `{ ...row }` has a shape of its own, and asking costs as much as making.
 */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) !== Object.prototype &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

/** One call after the other. */
export class Calls implements Pull<unknown> {
  readonly #from: Pull<unknown>
  readonly #call: Call
  readonly #finish: Finish
  readonly #run: RunContext
  readonly #context: StageContext<unknown>
  taken = 0
  /** The call that is waited for, and its row. */
  #pending: PromiseLike<unknown> | undefined
  #row: unknown
  /** What it came to. */
  #made: unknown = NONE

  constructor(from: Pull<unknown>, stage: AnyStage, finish: Finish, run: RunContext) {
    this.#from = from
    this.#call = stage.call as Call
    this.#finish = finish
    this.#run = run
    this.#context = run.context
  }

  now(): unknown {
    if (this.#pending !== undefined) return WAIT
    if (this.#made !== NONE) {
      const made = this.#made
      this.#made = NONE
      return made
    }
    for (;;) {
      const row = this.#from.now()
      if (row === WAIT || row === END) return row
      try {
        const result = this.#call(row, this.taken++, this.#context)
        if (isPromise(result)) {
          this.#pending = result
          this.#row = row
          return WAIT
        }
        const made = this.#finish(result, row)
        if (made !== NONE) return made
      } catch (error) {
        this.#fail(error, row)
      }
    }
  }

  async wait(): Promise<void> {
    if (this.#pending === undefined) return this.#from.wait()
    const row = this.#row
    try {
      this.#made = this.#finish(await this.#pending, row)
    } catch (error) {
      this.#fail(error, row)
    } finally {
      this.#pending = this.#row = undefined
    }
  }

  #fail(error: unknown, row: unknown): void {
    if (this.#run.onFailure === undefined) throw error
    this.#run.onFailure(error, row, this.taken)
  }
}
