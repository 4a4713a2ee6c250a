/** Time as something that can be handed in: what waits here waits by a `Clock`, and tests hand in one that they turn. */
import { whenAborted } from '../core/abort.ts'
import type { Abortable } from '../core/types.ts'

/** Tells the time and wakes up later. */
export interface Clock {
  /** Milliseconds that only ever grow; where they begin means nothing. */
  now(): number
  /**
   * Calls `callback` once, in `delayMs` milliseconds; gives back what calls that off. A `background` timer does not keep
   * the process alive.
   */
  schedule(callback: () => void, delayMs: number, background?: boolean): () => void
}

/** Takes a clock other than the system's. */
export interface Clocked {
  /** Default: the system's clock. */
  readonly clock?: Clock | undefined
}

/** Node takes longer delays for 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** The system's monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(callback, delayMs, background = false) {
    const due = performance.now() + delayMs
    let timer: NodeJS.Timeout
    const arm = (ms: number) => {
      timer = setTimeout(wake, Math.min(ms, MAX_TIMER_MS))
      if (background) timer.unref()
    }
    const wake = () => {
      const left = due - performance.now()
      // A delay beyond what one timer can do goes on with the next.
      if (delayMs > MAX_TIMER_MS && left > 0) arm(left)
      else callback()
    }
    arm(delayMs)
    return () => clearTimeout(timer)
  },
}

/** Settles in `delayMs` milliseconds; rejects with `signal.reason` as soon as the signal aborts. */
export function sleep(delayMs: number, { signal, clock = systemClock }: Abortable & Clocked = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const cancel = clock.schedule(() => {
      unlisten()
      resolve()
    }, delayMs)
    const unlisten = whenAborted(signal, reason => {
      cancel()
      reject(reason)
    })
  })
}
