/** Leaves a place alone that keeps failing, and tries now and then whether it has recovered. */
import { createError } from '../core/errors.ts'
import { invalidOption } from '../core/options.ts'
import type { Abortable } from '../core/types.ts'
import { type Clocked, systemClock } from './clock.ts'

/**
 * `closed`: calls go through. `open`: calls are refused. `half-open`: one call at a time goes through, to see whether the
 * place has recovered.
 */
export type CircuitState = 'closed' | 'open' | 'half-open'

/** A change of state. */
export interface CircuitEvent {
  /** The state before. */
  readonly from: CircuitState
  /** The state from now on. */
  readonly to: CircuitState
  /** The failure that opened the circuit. */
  readonly cause?: unknown
}

/** Options of a `CircuitBreaker`. */
export interface CircuitBreakerOptions extends Clocked {
  /** Failures in a row that open the circuit. Default: 5. */
  readonly failures?: number | undefined
  /** How long it stays open before a call is let through again, milliseconds. Default: 60 000. */
  readonly recoveryMs?: number | undefined
  /** Successes in a row, while half open, that close it. Default: 2. */
  readonly successes?: number | undefined
  /** Whether an error says that the place is failing. Default: all do; a call that its own signal aborted never does. */
  readonly counts?: ((error: unknown) => boolean) | undefined
  /** Told of each change of state. Default: none. */
  readonly onStateChange?: ((event: CircuitEvent) => void) | undefined
  /** Names the place in the message; without credentials. Default: none. */
  readonly label?: string | undefined
}

/**
 * ```ts
 * const breaker = new CircuitBreaker({ label: 'geocoder', onStateChange: ({ to }) => console.warn(to) })
 * const place = await breaker.run(() => geocode(address))
 * ```
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions
  readonly #maxFailures: number
  readonly #recoveryMs: number
  readonly #neededSuccesses: number
  #state: CircuitState = 'closed'
  /** Failures, or while half open successes, in a row. */
  #streak = 0
  /** Counts the changes of state: the outcome of a call that began before the last one says nothing about this one. */
  #period = 0
  #probing = false
  #recoversAt = 0
  #cause: unknown

  /** @throws OptionError OPTION_INVALID */
  constructor(options: CircuitBreakerOptions = {}) {
    const { failures = 5, recoveryMs = 60_000, successes = 2 } = options
    if (!(Number.isInteger(failures) && failures >= 1))
      throw invalidOption('failures', 'a whole number from 1', failures)
    if (!(recoveryMs >= 0)) throw invalidOption('recoveryMs', 'milliseconds from 0', recoveryMs)
    if (!(Number.isInteger(successes) && successes >= 1)) {
      throw invalidOption('successes', 'a whole number from 1', successes)
    }
    this.#options = options
    this.#maxFailures = failures
    this.#recoveryMs = recoveryMs
    this.#neededSuccesses = successes
  }

  /**
   * What the next call meets: `closed`, it is made; `open`, it is refused; `half-open`, one is let through as a probe.
   */
  get state(): CircuitState {
    return this.#state
  }

  /** How long it is until a call is let through, milliseconds; 0 unless the circuit is open. */
  get recoversInMs(): number {
    return this.#state === 'open' ? Math.max(0, this.#recoversAt - this.#clock.now()) : 0
  }

  /**
   * Runs `operation`, unless the circuit is open.
   *
   * @throws LimitError CIRCUIT_OPEN, with the failure that opened the circuit as its `cause`; what the operation throws.
   */
  async run<T>(operation: () => T | PromiseLike<T>, { signal }: Abortable = {}): Promise<T> {
    signal?.throwIfAborted()
    // A timer may be late, where the thread was busy.
    if (this.#state === 'open' && this.recoversInMs === 0) this.#become('half-open')
    if (this.#state === 'open' || this.#probing) throw this.#refusal()
    const period = this.#period
    if (this.#state === 'half-open') this.#probing = true
    try {
      const value = await operation()
      if (period === this.#period) this.#succeed()
      return value
    } catch (error) {
      const { counts } = this.#options
      // What the caller called off says nothing about the place.
      if (period === this.#period && !signal?.aborted && (counts === undefined || counts(error))) this.#fail(error)
      throw error
    } finally {
      if (period === this.#period) this.#probing = false
    }
  }

  get #clock() {
    return this.#options.clock ?? systemClock
  }

  #succeed(): void {
    if (this.#state === 'closed') this.#streak = 0
    else if (++this.#streak >= this.#neededSuccesses) this.#become('closed')
  }

  #fail(error: unknown): void {
    if (this.#state === 'closed' && ++this.#streak < this.#maxFailures) return
    this.#cause = error
    this.#recoversAt = this.#clock.now() + this.#recoveryMs
    this.#become('open', error)
    const period = this.#period
    this.#clock.schedule(
      () => {
        if (period === this.#period) this.#become('half-open')
      },
      this.#recoveryMs,
      true,
    )
  }

  #become(to: CircuitState, cause?: unknown): void {
    const from = this.#state
    this.#state = to
    this.#streak = 0
    this.#period++
    this.#probing = false
    this.#options.onStateChange?.(cause === undefined ? { from, to } : { from, to, cause })
  }

  #refusal(): Error {
    const { label } = this.#options
    const when =
      this.#state === 'open'
        ? `the next is let through in ${Math.ceil(this.recoversInMs)} ms`
        : 'one that is under way is to show whether the place has recovered'
    return createError('CIRCUIT_OPEN', `the call was not made, as those before it failed: ${when}`, {
      label,
      cause: this.#cause,
    })
  }
}
