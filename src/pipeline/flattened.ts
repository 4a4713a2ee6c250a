/** The rows in the rows: what `flatMap` gives. */
import type { RunContext } from './calls.ts'
import { END, type Pull, WAIT } from './pull.ts'
import { SourceRows } from './source-rows.ts'

/** What a function gave, beside the row that it gave it for. */
export type Sequence = readonly [rows: unknown, row: unknown]

export class Flattened implements Pull<unknown> {
  readonly #from: Pull<Sequence>
  readonly #calls: Pull<unknown>
  readonly #run: RunContext
  #inner: SourceRows | undefined
  #innerIterator: Iterator<unknown> | undefined
  #row: unknown
  #record = 0

  constructor(from: Pull<Sequence>, calls: Pull<unknown>, run: RunContext) {
    this.#from = from
    this.#calls = calls
    this.#run = run
  }

  get taken(): number {
    return this.#calls.taken
  }

  now(): unknown {
    for (;;) {
      try {
        if (this.#innerIterator !== undefined) {
          const step = this.#innerIterator.next()
          if (step.done !== true) return step.value
          this.#innerIterator = undefined
        } else if (this.#inner !== undefined) {
          const row = this.#inner.now()
          if (row !== END) return row
          this.#inner = undefined
        } else {
          const pair = this.#from.now()
          if (pair === WAIT || pair === END) return pair
          this.#row = pair[1]
          this.#record++
          this.#begin(pair[0])
        }
      } catch (error) {
        this.#fail(error)
      }
    }
  }

  async wait(): Promise<void> {
    if (this.#inner === undefined) return this.#from.wait()
    try {
      await this.#inner.wait()
    } catch (error) {
      this.#fail(error)
    }
  }

  close(): void {
    this.#inner?.release().catch(() => {}) // the rows are not wanted; how they end is of no account
    try {
      this.#innerIterator?.return?.()
    } catch {}
    this.#calls.close?.()
  }

  #begin(rows: unknown): void {
    const iterable = (typeof rows === 'object' && rows !== null ? rows : {}) as Partial<
      Iterable<unknown> & AsyncIterable<unknown>
    >
    const asynchronous = iterable[Symbol.asyncIterator]?.()
    if (asynchronous !== undefined) this.#inner = new SourceRows(asynchronous)
    else if (iterable[Symbol.iterator] !== undefined) this.#innerIterator = iterable[Symbol.iterator]!()
    else throw new TypeError(`flatMap takes an iterable of rows, not ${rows === null ? 'null' : typeof rows}`)
  }

  #fail(error: unknown): void {
    this.#inner = this.#innerIterator = undefined
    if (this.#run.onFailure === undefined) throw error
    this.#run.onFailure(error, this.#row, this.#record)
  }
}
