/** Drives the steps over batches of rows: at once where they answer at once, several under way where they have to wait. */
import type { BadRecords } from '../bad-records.ts'
import { abortable } from '../core/abort.ts'
import { type Filter, parseFilter, rowPredicate } from '../core/filter.ts'
import type { Batch, Row } from '../core/types.ts'
import type { Reader } from '../reader.ts'
import type { ConvertOptions } from './options.ts'
import { createStep, isPromise, type MaybeLater, Several, type Step, type StepResult } from './steps.ts'

/** What became of the rows: taken + added = given out + left out + those that are bad. */
export interface StepCounts {
  /** Rows taken from the source. */
  taken: number
  /** Rows that a filter, a flatMap, the offset or the limit left out. */
  leftOut: number
  /** Rows that a flatMap made beyond one for each. */
  added: number
}

interface Outcome {
  readonly row: Row
  readonly result?: StepResult
  readonly failure?: { readonly error: unknown }
}

const DEFAULT_ROW_CONCURRENCY = 16

export class StepBatches {
  readonly counts: StepCounts = { taken: 0, leftOut: 0, added: 0 }
  readonly #options: ConvertOptions
  #step: Step | undefined
  #wanted: ((row: Row) => boolean) | undefined
  #passedOver = 0
  readonly #bad: BadRecords
  readonly #signal: AbortSignal
  readonly #concurrency: number
  readonly #ordered: boolean
  readonly #offset: number
  #room: number
  /** What is under way, in the order of the rows. */
  readonly #underWay: Promise<Outcome>[] = []

  constructor(options: ConvertOptions, bad: BadRecords, signal: AbortSignal) {
    this.#options = options
    this.#bad = bad
    this.#signal = signal
    this.#concurrency = options.rowConcurrency ?? DEFAULT_ROW_CONCURRENCY
    this.#ordered = options.ordered ?? true
    this.#offset = options.offset ?? 0
    this.#room = options.limit ?? Number.POSITIVE_INFINITY
  }

  /** To be called once the source is open: what it is tells how its values compare. */
  prepare({ label, schema }: Pick<Reader, 'label' | 'schema'>): void {
    const { where } = this.#options
    this.#step = createStep(this.#options, label)
    if (where === undefined) return
    const types = new Map(schema?.columns.map(({ name, type }) => [name, type]))
    this.#wanted = rowPredicate(parseFilter(where as Filter), types)
  }

  /** The batches that come out. */
  async *run(batches: AsyncIterable<Batch>): AsyncGenerator<Batch, void, undefined> {
    if (this.#room === 0) return
    for await (const batch of batches) {
      const out: Batch = []
      for (const row of batch) {
        this.counts.taken++
        if (this.#wanted?.(row) === false) this.counts.leftOut++
        else if (this.#passedOver < this.#offset) {
          this.#passedOver++
          this.counts.leftOut++
        } else if (this.#step === undefined) this.#give(row, out)
        else await this.#take(row, this.#step, out)
        if (this.#room === 0) break
      }
      if (this.#bad.full) await this.#bad.settle()
      if (out.length > 0) yield out
      if (this.#room === 0) break
    }
    const last: Batch = []
    while (this.#underWay.length > 0) await this.#settleOne(last)
    if (last.length > 0) yield last
  }

  #take(row: Row, step: Step, out: Batch): Promise<void> | undefined {
    let result: MaybeLater<StepResult>
    try {
      result = step(row, { row: this.counts.taken, signal: this.#signal })
    } catch (error) {
      this.#settle({ row, failure: { error } }, out)
      return undefined
    }
    if (!isPromise(result)) {
      // Behind rows that are waited for, a row waits too, to keep its place.
      if (this.#underWay.length === 0 || !this.#ordered) {
        this.#settle({ row, result }, out)
        return undefined
      }
      this.#underWay.push(Promise.resolve({ row, result }))
    } else {
      this.#underWay.push(
        Promise.resolve(result).then(
          value => ({ row, result: value }),
          error => ({ row, failure: { error } }),
        ),
      )
    }
    return this.#underWay.length >= this.#concurrency ? this.#settleOne(out) : undefined
  }

  /** Waits for the first of those under way, or, where order does not matter, for whichever is ready first. */
  async #settleOne(out: Batch): Promise<void> {
    if (this.#ordered) {
      this.#settle(await abortable(this.#underWay.shift()!, this.#signal), out)
      return
    }
    const first = Promise.race(this.#underWay.map((promise, i) => promise.then(outcome => ({ outcome, i }))))
    const { outcome, i } = await abortable(first, this.#signal)
    this.#underWay.splice(i, 1)
    this.#settle(outcome, out)
  }

  #settle({ row, result, failure }: Outcome, out: Batch): void {
    if (failure !== undefined) {
      if (this.#signal.aborted) throw this.#signal.reason
      this.#bad.take(failure.error as Error, undefined, row)
    } else if (result === undefined) this.counts.leftOut++
    else if (result instanceof Several) {
      if (result.rows.length === 0) this.counts.leftOut++
      else this.counts.added += result.rows.length - 1
      for (const one of result.rows) this.#give(one, out)
    } else this.#give(result, out)
  }

  #give(row: Row, out: Batch): void {
    if (this.#room > 0) {
      this.#room--
      out.push(row)
    } else this.counts.leftOut++
  }
}
