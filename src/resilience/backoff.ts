/** How long to wait before trying again: exponential, capped, and spread out at random. */
import { invalidOption } from '../core/options.ts'

/** How the delays between two tries grow. */
export interface BackoffOptions {
  /** The delay before the first retry, milliseconds. Default: 1000. */
  readonly initialDelayMs?: number | undefined
  /** What each delay is multiplied by to give the next. Default: 2. */
  readonly factor?: number | undefined
  /** The longest delay, milliseconds. Default: 30 000. */
  readonly maxDelayMs?: number | undefined
  /**
   * `'full'`: anywhere between 0 and the delay, so that those who failed together do not come back together. `'none'`:
   * the delay as it is. Default: `'full'`.
   */
  readonly jitter?: 'full' | 'none' | undefined
  /** A number from 0 up to, not including, 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** The delays of one policy. Without jitter they are 1, 2, 4, 8, 16 seconds, and 30 from then on. */
export class Backoff {
  readonly #initialDelayMs: number
  readonly #factor: number
  readonly #maxDelayMs: number
  readonly #random: (() => number) | undefined

  /** @throws OptionError OPTION_INVALID */
  constructor(options: BackoffOptions = {}) {
    const { initialDelayMs = 1000, factor = 2, maxDelayMs = 30_000, jitter = 'full', random = Math.random } = options
    if (!(initialDelayMs >= 0)) throw invalidOption('initialDelayMs', 'milliseconds from 0', initialDelayMs)
    if (!(factor >= 1)) throw invalidOption('factor', 'a number from 1', factor)
    if (!(maxDelayMs >= 0)) throw invalidOption('maxDelayMs', 'milliseconds from 0', maxDelayMs)
    if (jitter !== 'full' && jitter !== 'none') throw invalidOption('jitter', "'full' or 'none'", jitter)
    this.#initialDelayMs = initialDelayMs
    this.#factor = factor
    this.#maxDelayMs = maxDelayMs
    this.#random = jitter === 'full' ? random : undefined
  }

  /** The delay before the retry of this number, counted from 1, without jitter; milliseconds. */
  ceilingMs(retry: number): number {
    // 0 times what has grown to Infinity is not a number.
    if (this.#initialDelayMs === 0) return 0
    return Math.min(this.#initialDelayMs * this.#factor ** (retry - 1), this.#maxDelayMs)
  }

  /** The delay before the retry of this number, counted from 1; milliseconds. */
  delayMs(retry: number): number {
    const ceiling = this.ceilingMs(retry)
    return this.#random === undefined ? ceiling : this.#random() * ceiling
  }
}
