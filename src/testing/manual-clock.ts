/** A clock that stands still until a test turns it. */
import type { Clock } from '../resilience/clock.ts'

interface Timer {
  readonly dueMs: number
  readonly callback: () => void
}

/** Time for tests: `advance` moves it, wakes what is due in between in the right order, and lets it run. */
export class ManualClock implements Clock {
  #nowMs = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return this.#nowMs
  }

  schedule(callback: () => void, delayMs: number): () => void {
    const timer: Timer = { dueMs: this.#nowMs + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size
  }

  /** How long it is until the next timer is due, milliseconds; `undefined` without one. */
  get nextMs(): number | undefined {
    const next = this.#next()
    return next === undefined ? undefined : next.dueMs - this.#nowMs
  }

  /** Moves the time on, and settles once everything that this woke has run as far as it can. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms
    await settled()
    for (let timer = this.#next(); timer !== undefined && timer.dueMs <= end; timer = this.#next()) {
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
      this.#timers.delete(timer)
      timer.callback()
      await settled()
    }
    this.#nowMs = end
  }

  #next(): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) if (next === undefined || timer.dueMs < next.dueMs) next = timer
    return next
  }
}

/** Settles once all promises that are settled already have been acted upon. */
export function settled(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
