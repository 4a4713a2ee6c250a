/** A chain of stages at work: asks for rows, hands them out in the order of asking, and lets go of the source once. */
import { whenAborted } from '../core/abort.ts'
import { Turns } from '../core/turns.ts'
import type { AnyStage, RunContext } from './calls.ts'
import { pullThrough } from './nodes.ts'
import { END, NOW, type Pull, type RowIterator, WAIT } from './pull.ts'
import { SourceRows } from './source-rows.ts'

export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  readonly state?: unknown
  /** As that of `RunContext`, with the place of the stage, counted from 0. */
  readonly onFailure?: ((error: unknown, row: unknown, record: number, stage: number) => void) | undefined
  /** Called each time that rows are waited for, and waited for. */
  readonly settle?: (() => Promise<void> | undefined) | undefined
}

export class Run<T> implements RowIterator<T> {
  readonly #source: SourceRows
  /** The source, and each stage behind the one before it. */
  readonly #pulls: Pull<unknown>[]
  readonly #last: Pull<unknown>
  readonly #settle: RunOptions['settle']
  readonly #turns = new Turns()
  readonly #controller = new AbortController()
  readonly #unlisten: (() => void)[] = []
  /** The last call that has not settled; the next one waits for it. */
  #tail: Promise<unknown> | undefined
  /** Ends what the call under way waits for. */
  #giveUp: ((reason: unknown) => void) | undefined
  /** How the rows ended, once they have: quietly, or by an error. */
  #over: { readonly error?: unknown } | undefined
  #releasing: Promise<void> | undefined
  /** What a stage threw when it was asked for a row at hand; told by the next call. */
  #thrown: { readonly error: unknown } | undefined

  constructor(iterator: AsyncIterator<unknown>, stages: readonly AnyStage[], options: RunOptions = {}) {
    const { onFailure, settle, signal, state } = options
    const context = { signal: this.#controller.signal, state }
    this.#settle = settle
    this.#source = new SourceRows(iterator)
    this.#pulls = [this.#source]
    let last: Pull<unknown> = this.#source
    for (const [i, stage] of stages.entries()) {
      const run: RunContext = {
        context,
        onFailure: onFailure && ((error, row, record) => onFailure(error, row, record, i)),
      }
      last = pullThrough(stage, last, run)
      this.#pulls.push(last)
    }
    this.#last = last
    for (const given of new Set([signal, ...stages.map(stage => stage.options.signal)])) {
      this.#unlisten.push(whenAborted(given, reason => this.#stop({ error: reason }).catch(() => {})))
    }
    if (this.#over !== undefined) this.#ignoreSignals()
  }

  /** How many rows the source, and then each stage, was given. */
  get taken(): readonly number[] {
    return this.#pulls.map(pull => pull.taken)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T>> {
    // The common case: a row is at hand and nobody waits before us.
    if (this.#tail === undefined) {
      const row = this[NOW]()
      if (row !== WAIT) return Promise.resolve({ value: row, done: false })
    }
    return this.#enqueue(() => this.#step())
  }

  [NOW](): T | typeof WAIT {
    if (this.#tail !== undefined || this.#over !== undefined || this.#thrown !== undefined) return WAIT
    try {
      const row = this.#last.now()
      return row === END ? WAIT : (row as T | typeof WAIT)
    } catch (error) {
      this.#thrown = { error }
      return WAIT
    }
  }

  async return(value?: unknown): Promise<IteratorResult<T>> {
    await this.#stop({})
    return { value, done: true }
  }

  async throw(error?: unknown): Promise<IteratorResult<T>> {
    await this.#stop({})
    throw error
  }

  async #step(): Promise<IteratorResult<T>> {
    try {
      while (this.#over === undefined) {
        if (this.#thrown !== undefined) throw this.#thrown.error
        const row = this.#last.now()
        if (row === END) await this.#finish()
        else if (row !== WAIT) return { value: row as T, done: false }
        else {
          await this.#settle?.()
          await this.#turns.pause()
          await this.#wait(this.#last.wait())
        }
      }
    } catch (error) {
      // Where something else ended the rows, that is what is told.
      if (this.#over === undefined) {
        this.#over = { error }
        await this.#stop(this.#over).catch(() => {}) // the first failure is the one to tell
      }
    }
    if ('error' in this.#over) throw this.#over.error
    return { value: undefined, done: true }
  }

  /** All rows were given; a source that has more (`take`) is let go of. */
  async #finish(): Promise<void> {
    try {
      await this.#stop({})
    } catch (error) {
      this.#over = { error }
    }
  }

  /** Ends the rows, and lets go of what they come from. What waits ends at once. */
  async #stop(over: { readonly error?: unknown }): Promise<void> {
    this.#over ??= over
    this.#ignoreSignals()
    if (!this.#controller.signal.aborted) this.#controller.abort(this.#over.error)
    this.#giveUp?.(undefined)
    this.#releasing ??= this.#release()
    await this.#releasing
  }

  async #release(): Promise<void> {
    for (const pull of this.#pulls) pull.close?.()
    await this.#source.release()
  }

  #ignoreSignals(): void {
    for (const unlisten of this.#unlisten.splice(0)) unlisten()
  }

  #enqueue<V>(operation: () => Promise<V>): Promise<V> {
    const result = this.#tail === undefined ? operation() : this.#tail.then(operation, operation)
    const settle = () => {
      if (this.#tail === result) this.#tail = undefined
    }
    this.#tail = result
    result.then(settle, settle)
    return result
  }

  /** Waits for `promise`, but no longer than until the rows end. */
  #wait(promise: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject
      promise.then(resolve, reject)
    })
  }
}
