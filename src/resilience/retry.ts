/** Trying again: how often, after what, and how long in between. */
import { channels } from '../core/diagnostics.ts'
import { createError, excerpt, nearest } from '../core/errors.ts'
import { invalidOption } from '../core/options.ts'
import type { Abortable } from '../core/types.ts'
import { Backoff, type BackoffOptions } from './backoff.ts'
import { type Clocked, sleep, systemClock } from './clock.ts'
import { isTransient, retryAfterMsOf } from './transient.ts'

/** A failure after which the operation is tried again. */
export interface RetryEvent {
  /** The attempt that failed, counted from 1. */
  readonly attempt: number
  /** How long it is until the next one, milliseconds. */
  readonly delayMs: number
  /** What it failed with. */
  readonly cause: unknown
}

/** Options of a `RetryPolicy`. */
export interface RetryOptions extends BackoffOptions, Clocked {
  /** How often the operation is tried in all, the first time included. Default: 6, and so five retries. */
  readonly attempts?: number | undefined
  /**
   * Whether a failure is worth another try. Default: `isTransient`, which is the statuses 408, 429, 500, 502, 503 and
   * 504, connections that failed or broke, and time limits.
   */
  readonly retries?: ((error: unknown) => boolean) | undefined
  /**
   * How long the other side asks to wait, in milliseconds. What it asks is waited at least. Default: the `Retry-After`
   * of the error.
   */
  readonly retryAfterMs?: ((error: unknown) => number | undefined) | undefined
  /** The longest that the other side may ask for, milliseconds; for more there is no retry. Default: 120 000. */
  readonly maxRetryAfterMs?: number | undefined
  /** Names the place for those who watch (`open-iterable:retry`); without credentials. Default: none. */
  readonly label?: string | undefined
  /**
   * Told of each failure that is followed by another try, before the delay. What it throws ends the trying. Default:
   * none.
   */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined
}

const NAMES: Record<keyof RetryOptions, true> = {
  attempts: true,
  retries: true,
  retryAfterMs: true,
  maxRetryAfterMs: true,
  label: true,
  onRetry: true,
  clock: true,
  initialDelayMs: true,
  factor: true,
  maxDelayMs: true,
  jitter: true,
  random: true,
}

function checkNames(options: RetryOptions): void {
  const unknown = Object.keys(options).find(name => !Object.hasOwn(NAMES, name))
  if (unknown === undefined) return
  const near = nearest(unknown, Object.keys(NAMES))
  throw createError('OPTION_UNKNOWN', `a retry policy has no option ${excerpt(unknown)}`, {
    found: unknown,
    hint: near === undefined ? `options are: ${Object.keys(NAMES).join(', ')}` : `did you mean ${near}?`,
  })
}

/** What an operation is told of the attempt that it is. */
export interface Attempt extends Abortable {
  /** Counted from 1. */
  readonly attempt: number
}

/**
 * When to try again. A policy holds no state, and so any number of operations share one.
 *
 * ```ts
 * const policy = new RetryPolicy({ attempts: 4, onRetry: ({ attempt, delayMs }) => console.warn(attempt, delayMs) })
 * const response = await policy.run(() => fetchOrThrow(url), { signal })
 * ```
 */
export class RetryPolicy {
  readonly #attempts: number
  readonly #backoff: Backoff
  readonly #options: RetryOptions

  /** @throws OptionError OPTION_INVALID */
  constructor(options: RetryOptions = {}) {
    checkNames(options)
    const { attempts = 6 } = options
    if (attempts !== Number.POSITIVE_INFINITY && !(Number.isInteger(attempts) && attempts >= 1)) {
      throw invalidOption('attempts', 'a whole number from 1, or Infinity', attempts)
    }
    this.#attempts = attempts
    this.#backoff = new Backoff(options)
    this.#options = options
  }

  /** How often an operation is tried in all. */
  get attempts(): number {
    return this.#attempts
  }

  /** The longest delay before the retry of this number, counted from 1: without jitter, the delay; milliseconds. */
  ceilingMs(retry: number): number {
    return this.#backoff.ceilingMs(retry)
  }

  /**
   * Runs `operation` until it succeeds, fails with what is not worth a retry, or has been tried `attempts` times. Rejects
   * with its last error as it is, or with `signal.reason`.
   */
  async run<T>(
    operation: (attempt: Attempt) => T | PromiseLike<T>,
    options: Abortable & Pick<RetryOptions, 'label' | 'onRetry'> = {},
  ): Promise<T> {
    const trying = this.start(options)
    for (;;) {
      options.signal?.throwIfAborted()
      try {
        return await operation({ attempt: trying.attempt, signal: options.signal })
      } catch (error) {
        await trying.failed(error)
      }
    }
  }

  /**
   * The same for those who hold the loop themselves, such as a stream that goes on from where it broke: `failed()` after
   * each failure, `succeeded()` after what counts as progress. `onRetry` is told beside that of the
   * policy, and `label` stands for that of the policy.
   */
  start(options: Abortable & Pick<RetryOptions, 'label' | 'onRetry'> = {}): Trying {
    const { label = this.#options.label, onRetry, signal } = options
    const { retries = isTransient, retryAfterMs = retryAfterMsOf, maxRetryAfterMs = 120_000 } = this.#options
    const { clock = systemClock, onRetry: onAnyRetry } = this.#options
    let attempt = 1
    return {
      get attempt() {
        return attempt
      },
      failed: async error => {
        signal?.throwIfAborted()
        if (attempt >= this.#attempts || !retries(error)) throw error
        const asked = retryAfterMs(error) ?? 0
        if (asked > maxRetryAfterMs) throw error
        const event: RetryEvent = {
          attempt,
          delayMs: Math.max(asked, this.#backoff.delayMs(attempt)),
          cause: error,
        }
        if (channels.retry.hasSubscribers) channels.retry.publish({ label, ...event })
        onAnyRetry?.(event)
        onRetry?.(event)
        await sleep(event.delayMs, { signal, clock })
        attempt++
      },
      succeeded: () => {
        attempt = 1
      },
    }
  }
}

/** One operation that is being tried. */
export interface Trying {
  /** The attempt that is under way, counted from 1. */
  readonly attempt: number
  /** Waits until the next attempt is due; throws `error` itself where there is none, and `signal.reason` on an abort. */
  failed(error: unknown): Promise<void>
  /** Progress was made: the attempts and their delays begin again. */
  succeeded(): void
}
