/** The stages at work, one row at a time. */
import { type AnyStage, Calls, type Finish, NONE, type RunContext } from './calls.ts'
import { ConcurrentCalls } from './concurrent.ts'
import { Flattened, type Sequence } from './flattened.ts'
import { END, type Pull, WAIT } from './pull.ts'
import type { StageKind } from './stages.ts'

/** What a stage gives for a row of which its function gave a result. */
const FINISH: Partial<Record<StageKind, Finish>> = {
  map: result => result,
  filter: (result, row) => (result ? row : NONE),
  exclude: (result, row) => (result ? NONE : row),
  tap: (_, row) => row,
  flatMap: (result, row) => [result, row],
}

/** Puts a stage behind the rows of another. */
export function pullThrough(stage: AnyStage, from: Pull<unknown>, run: RunContext): Pull<unknown> {
  switch (stage.kind) {
    case 'take':
      return new Taken(from, stage.count)
    case 'drop':
      return new Dropped(from, stage.count)
    case 'batch':
      return new Batched(from, stage.count, false)
    case 'gather':
      return new Batched(from, stage.count, true)
    default: {
      const finish = FINISH[stage.kind]!
      const calls =
        (stage.options.concurrency ?? 1) > 1
          ? new ConcurrentCalls(from, stage, finish, run)
          : new Calls(from, stage, finish, run)
      return stage.kind === 'flatMap' ? new Flattened(calls as Pull<Sequence>, calls, run) : calls
    }
  }
}

class Taken implements Pull<unknown> {
  readonly #from: Pull<unknown>
  readonly #count: number
  taken = 0

  constructor(from: Pull<unknown>, count: number) {
    this.#from = from
    this.#count = count
  }

  now(): unknown {
    if (this.taken >= this.#count) return END
    const row = this.#from.now()
    if (row !== WAIT && row !== END) this.taken++
    return row
  }

  wait(): Promise<void> {
    return this.#from.wait()
  }
}

class Dropped implements Pull<unknown> {
  readonly #from: Pull<unknown>
  readonly #count: number
  taken = 0

  constructor(from: Pull<unknown>, count: number) {
    this.#from = from
    this.#count = count
  }

  now(): unknown {
    for (;;) {
      const row = this.#from.now()
      if (row === WAIT || row === END) return row
      if (++this.taken > this.#count) return row
    }
  }

  wait(): Promise<void> {
    return this.#from.wait()
  }
}

/** Rows in arrays of `size`; `eager` does not wait for the rest of one. */
class Batched implements Pull<unknown> {
  readonly #from: Pull<unknown>
  readonly #size: number
  readonly #eager: boolean
  #batch: unknown[] = []
  #failure: { readonly error: unknown } | undefined
  taken = 0

  constructor(from: Pull<unknown>, size: number, eager: boolean) {
    this.#from = from
    this.#size = size
    this.#eager = eager
  }

  now(): unknown {
    try {
      while (this.#failure === undefined && this.#batch.length < this.#size) {
        const row = this.#from.now()
        if (row === END && this.#batch.length === 0) return END
        if (row === WAIT && (!this.#eager || this.#batch.length === 0)) return WAIT
        if (row === END || row === WAIT) break
        this.taken++
        this.#batch.push(row)
      }
    } catch (error) {
      this.#failure = { error }
    }
    // Good rows go before a failure.
    if (this.#failure !== undefined && this.#batch.length === 0) throw this.#failure.error
    const batch = this.#batch
    this.#batch = []
    return batch
  }

  async wait(): Promise<void> {
    try {
      await this.#from.wait()
    } catch (error) {
      this.#failure = { error }
    }
  }
}
