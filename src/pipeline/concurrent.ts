/** Several calls of a stage's function under way at once, with a bound, and in order unless that is not asked for. */
import { type AnyStage, type Call, type Finish, isPromise, NONE, type RunContext } from './calls.ts'
import { END, type Pull, WAIT } from './pull.ts'

/** A row whose call is under way, or has ended but was not asked for. */
interface Slot {
  readonly row: unknown
  readonly record: number
  outcome: { readonly made: unknown } | { readonly error: unknown } | undefined
}

/** Rows that are held for each call that may be under way, so that a slow one does not stop the others. */
const HELD_PER_CALL = 2

export class ConcurrentCalls implements Pull<unknown> {
  readonly #from: Pull<unknown>
  readonly #stage: AnyStage
  readonly #finish: Finish
  readonly #run: RunContext
  readonly #concurrency: number
  readonly #ordered: boolean
  taken = 0
  #underWay = 0
  /** In the order they are given: that of the input, or that in which they became ready. */
  readonly #slots: Slot[] = []
  /** Rows whose calls are under way and that have no place yet, as their order is that of their end. */
  #placeless = 0
  /** The one before is waited for. */
  #waitsForRows = false
  #ended = false
  #failure: { readonly error: unknown } | undefined
  #closed = false
  #wake: (() => void) | undefined

  constructor(from: Pull<unknown>, stage: AnyStage, finish: Finish, run: RunContext) {
    this.#from = from
    this.#stage = stage
    this.#finish = finish
    this.#run = run
    this.#concurrency = stage.options.concurrency ?? 1
    this.#ordered = stage.options.ordered ?? true
  }

  now(): unknown {
    this.#fill()
    for (let slot = this.#slots[0]; slot?.outcome !== undefined; slot = this.#slots[0]) {
      this.#slots.shift()
      const { outcome } = slot
      if ('made' in outcome) {
        if (outcome.made !== NONE) {
          this.#fill()
          return outcome.made
        }
      } else this.#fail(outcome.error, slot)
      this.#fill()
    }
    if (this.#slots.length > 0 || this.#placeless > 0) return WAIT
    // Good rows go before the failure of what they come from.
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#ended ? END : WAIT
  }

  wait(): Promise<void> {
    return new Promise(resolve => {
      if (this.#ready) resolve()
      else this.#wake = resolve
    })
  }

  close(): void {
    this.#closed = true
    this.#slots.length = 0
  }

  get #ready(): boolean {
    const first = this.#slots[0]
    if (first !== undefined) return first.outcome !== undefined
    return this.#placeless === 0 && (this.#ended || this.#failure !== undefined)
  }

  /** Begins as many calls as may be under way. */
  #fill(): void {
    while (
      !this.#waitsForRows &&
      !this.#ended &&
      !this.#closed &&
      this.#failure === undefined &&
      this.#underWay < this.#concurrency &&
      this.#slots.length + this.#placeless < this.#concurrency * HELD_PER_CALL
    ) {
      let row: unknown
      try {
        row = this.#from.now()
      } catch (error) {
        this.#failure = { error }
        return
      }
      if (row === END) this.#ended = true
      else if (row === WAIT) this.#awaitRows()
      else this.#begin(row)
    }
  }

  #awaitRows(): void {
    this.#waitsForRows = true
    this.#from.wait().then(
      () => {
        this.#waitsForRows = false
        this.#proceed()
      },
      error => {
        this.#waitsForRows = false
        this.#failure = { error }
        this.#proceed()
      },
    )
  }

  #begin(row: unknown): void {
    const slot: Slot = { row, record: this.taken + 1, outcome: undefined }
    if (this.#ordered) this.#slots.push(slot)
    else this.#placeless++
    let result: unknown
    try {
      result = (this.#stage.call as Call)(row, this.taken++, this.#run.context)
    } catch (error) {
      this.#settle(slot, { error })
      return
    }
    if (!isPromise(result)) {
      this.#settle(slot, { made: this.#finish(result, row) })
      return
    }
    this.#underWay++
    result.then(
      value => this.#end(slot, { made: this.#finish(value, row) }),
      error => this.#end(slot, { error }),
    )
  }

  #end(slot: Slot, outcome: Slot['outcome']): void {
    this.#underWay--
    this.#settle(slot, outcome)
    this.#proceed()
  }

  #settle(slot: Slot, outcome: Slot['outcome']): void {
    slot.outcome = outcome
    if (this.#ordered || this.#closed) return
    this.#placeless--
    this.#slots.push(slot)
  }

  #proceed(): void {
    this.#fill()
    if (!this.#ready) return
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #fail(error: unknown, { row, record }: Slot): void {
    if (this.#run.onFailure === undefined) throw error
    this.#run.onFailure(error, row, record)
  }
}
