/** How much may be under way at once, and how much in a span of time. First come, first served. */
import { invalidOption } from '../core/options.ts'
import type { Abortable } from '../core/types.ts'
import { type Clocked, systemClock } from './clock.ts'
import { WaitingLine } from './waiting-line.ts'

/** What was acquired. Releasing it twice does nothing. */
export interface Permit extends Disposable {
  /** Gives the permits back. Idempotent. */
  release(): void
}

/** Options of acquiring. */
export interface AcquireOptions extends Abortable {
  /** How many permits to take at once. Default: 1. */
  readonly weight?: number | undefined
}

/**
 * Bounds what is under way: tasks, connections, or, with weights, bytes. Those who wait are served in the order they came,
 * also where a later one would need less.
 */
export class Semaphore {
  readonly #permits: number
  #inUse = 0
  readonly #line = new WaitingLine<Permit, number>()

  /** @throws OptionError OPTION_INVALID */
  constructor(permits: number) {
    if (!(permits > 0)) throw invalidOption('permits', 'a number above 0', permits)
    this.#permits = permits
  }

  /** Permits that are there for the taking. */
  get available(): number {
    return this.#permits - this.#inUse
  }
  /** Permits that are taken. */
  get inUse(): number {
    return this.#inUse
  }
  /** How many wait. */
  get waiting(): number {
    return this.#line.length
  }

  /**
   * Waits for permits. A weight beyond all permits there are is taken for all of them, so that what is too large for the
   * bound goes alone instead of never.
   */
  acquire({ signal, weight = 1 }: AcquireOptions = {}): Promise<Permit> {
    if (!(weight >= 0)) return Promise.reject(invalidOption('weight', 'a number from 0', weight))
    if (signal?.aborted) return Promise.reject(signal.reason)
    const taken = Math.min(weight, this.#permits)
    if (this.#line.length === 0 && taken <= this.available) return Promise.resolve(this.#take(taken))
    return this.#line.join(taken, signal, () => this.#serve())
  }

  /** Takes permits if they are there and nobody waits for them; `undefined` otherwise. */
  tryAcquire(weight = 1): Permit | undefined {
    const taken = Math.min(weight, this.#permits)
    return this.#line.length === 0 && taken <= this.available ? this.#take(taken) : undefined
  }

  /** Runs `operation` with a permit. */
  async run<T>(operation: () => T | PromiseLike<T>, options: AcquireOptions = {}): Promise<T> {
    const permit = await this.acquire(options)
    try {
      return await operation()
    } finally {
      permit.release()
    }
  }

  /** Rejects everyone who waits. */
  rejectWaiting(reason: unknown): void {
    this.#line.rejectAll(reason)
  }

  #take(weight: number): Permit {
    this.#inUse += weight
    let held = true
    const release = () => {
      if (!held) return
      held = false
      this.#inUse -= weight
      this.#serve()
    }
    return { release, [Symbol.dispose]: release }
  }

  #serve(): void {
    for (let first = this.#line.first; first !== undefined && first.asks <= this.available; first = this.#line.first) {
      this.#line.serve(this.#take(first.asks))
    }
  }
}

/** Options of a `RateLimiter`. */
export interface RateLimiterOptions extends Clocked {
  /** How many in `intervalMs`. */
  readonly limit: number
  /** Milliseconds. Default: 1000. */
  readonly intervalMs?: number | undefined
  /** How many may come at once after a pause. Default: `limit`. */
  readonly burst?: number | undefined
}

/** Bounds how many things begin in a span of time: a bucket of tokens that fills steadily. */
export class RateLimiter {
  readonly #burst: number
  readonly #tokensPerMs: number
  readonly #options: RateLimiterOptions
  #tokens: number
  #filledAt: number
  readonly #line = new WaitingLine<void, number>()
  #cancel: (() => void) | undefined

  /** @throws OptionError OPTION_INVALID */
  constructor(options: RateLimiterOptions) {
    const { limit, intervalMs = 1000, burst = limit, clock = systemClock } = options
    if (!(limit > 0)) throw invalidOption('limit', 'a number above 0', limit)
    if (!(intervalMs > 0)) throw invalidOption('intervalMs', 'milliseconds above 0', intervalMs)
    if (!(burst >= 1)) throw invalidOption('burst', 'a number from 1', burst)
    this.#options = options
    this.#burst = burst
    this.#tokensPerMs = limit / intervalMs
    this.#tokens = burst
    this.#filledAt = clock.now()
  }

  /** How many wait. */
  get waiting(): number {
    return this.#line.length
  }

  /** Waits for its turn. A weight beyond `burst` is taken for `burst`. */
  acquire({ signal, weight = 1 }: AcquireOptions = {}): Promise<void> {
    if (!(weight >= 0)) return Promise.reject(invalidOption('weight', 'a number from 0', weight))
    if (signal?.aborted) return Promise.reject(signal.reason)
    const turn = this.#line.join(Math.min(weight, this.#burst), signal, () => this.#serve())
    this.#serve()
    return turn
  }

  #serve(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const { clock = systemClock } = this.#options
    const now = clock.now()
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filledAt) * this.#tokensPerMs)
    this.#filledAt = now
    for (let first = this.#line.first; first !== undefined; first = this.#line.first) {
      // What is lost to rounding must not cost a turn of the timer.
      const lackingMs = (first.asks - this.#tokens) / this.#tokensPerMs
      if (lackingMs > 1e-6) {
        this.#cancel = clock.schedule(() => this.#serve(), lackingMs)
        return
      }
      this.#tokens = Math.max(0, this.#tokens - first.asks)
      this.#line.serve()
    }
  }
}
