/** Notices that the other side fell silent: no answer, no error, no end. */
import { createError, type LimitError } from '../core/errors.ts'
import { invalidOption } from '../core/options.ts'
import { type Clocked, systemClock } from './clock.ts'

/** Options of a `Watchdog`. */
export interface WatchdogOptions extends Clocked {
  /** How long one wait may take, milliseconds; Infinity: for ever. */
  readonly timeoutMs: number
  /** Names the place in the message; without credentials. Default: none. */
  readonly label?: string | undefined
  /** What was waited for, for the message. Default: `an answer`. */
  readonly what?: string | undefined
  /**
   * Told once, when a wait took too long: here the connection is destroyed, as nothing else frees it. What it throws is
   * of no account. Default: none.
   */
  readonly onStall?: ((error: LimitError) => void) | undefined
}

/**
 * Watches waits for what comes from outside. It is armed only while something is pending, so that a consumer that takes
 * its time between two reads, or holds back a stream, is never taken for a silent server.
 *
 * ```ts
 * const watchdog = new Watchdog({ timeoutMs: 30_000, label, onStall: error => socket.destroy(error) })
 * const chunk = await watchdog.watch(() => iterator.next())
 * ```
 */
export class Watchdog implements Disposable {
  readonly #options: WatchdogOptions
  /** Waits under way: what rejects each. */
  readonly #pending = new Set<(error: LimitError) => void>()
  #cancel: (() => void) | undefined
  #stalled: LimitError | undefined
  #disposed = false

  /** @throws OptionError OPTION_INVALID */
  constructor(options: WatchdogOptions) {
    const { timeoutMs } = options
    if (!(timeoutMs > 0)) throw invalidOption('timeoutMs', 'milliseconds above 0', timeoutMs)
    this.#options = options
  }

  /** Whether something is pending, and so the time runs. */
  get armed(): boolean {
    return this.#cancel !== undefined
  }

  /**
   * Waits for what `wait` gives. Where that takes too long, `onStall` is told and the wait is rejected; so is every later
   * one.
   *
   * @throws LimitError TIMEOUT
   */
  watch<T>(wait: () => PromiseLike<T>): Promise<T> {
    if (this.#stalled !== undefined) return Promise.reject(this.#stalled)
    return new Promise<T>((resolve, reject) => {
      this.#pending.add(reject)
      if (!this.armed) this.#arm()
      const leave = () => {
        // A stall has emptied the set; a wait that ends beside others is a sign of life for them.
        if (!this.#pending.delete(reject)) return
        if (this.#pending.size === 0) this.#disarm()
        else this.#arm()
      }
      new Promise<T>(start => start(wait())).then(
        value => {
          leave()
          resolve(value)
        },
        error => {
          leave()
          reject(error)
        },
      )
    })
  }

  /** Something came: where a wait is pending, its time begins again. */
  feed(): void {
    if (this.#pending.size > 0) this.#arm()
  }

  /** Stops watching; what is pending may take as long as it likes. */
  [Symbol.dispose](): void {
    this.#disposed = true
    this.#disarm()
  }

  #arm(): void {
    this.#disarm()
    const { timeoutMs, clock = systemClock } = this.#options
    if (this.#disposed || timeoutMs === Number.POSITIVE_INFINITY) return
    this.#cancel = clock.schedule(() => this.#stall(), timeoutMs)
  }

  #disarm(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #stall(): void {
    this.#cancel = undefined
    const { timeoutMs, label, what = 'an answer', onStall } = this.#options
    const error = createError('TIMEOUT', `no sign of ${what} for ${timeoutMs} ms`, { label, expected: what })
    this.#stalled = error
    const pending = [...this.#pending]
    this.#pending.clear()
    for (const reject of pending) reject(error)
    try {
      onStall?.(error)
    } catch {} // the stall is what is told
  }
}
