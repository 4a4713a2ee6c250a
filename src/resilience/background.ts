/** A task that runs beside the code that started it, and never outlives it. */
import { whenAborted } from '../core/abort.ts'
import type { Abortable } from '../core/types.ts'

/** Options of `background`. */
export interface BackgroundOptions extends Abortable {
  /**
   * What disposing does to a task that still runs: `'wait'` for its end, or `'cancel'` it by its signal and wait. Default:
   * `'wait'`.
   */
  readonly onDispose?: 'wait' | 'cancel' | undefined
}

/** A task that runs in the background. Disposing it waits for its end. */
export interface BackgroundTask<T> extends AsyncDisposable {
  /** What the task gives. Whoever has looked at it is told of a failure here, and not by disposing. */
  readonly result: Promise<T>
  /** Whether the task has not ended. */
  readonly running: boolean
  /** Aborts the signal of the task. */
  cancel(reason?: unknown): void
}

/**
 * Starts a task that the block it stands in owns.
 *
 * ```ts
 * await using heartbeat = background(signal => beat(signal), { onDispose: 'cancel' })
 * ```
 *
 * Disposing waits for the task, and throws what it failed with, unless somebody has looked at `result`: no failure goes
 * unseen. A task that was cancelled, or aborted by `signal`, and fails for that reason has not failed.
 */
export function background<T>(
  task: (signal: AbortSignal) => T | PromiseLike<T>,
  { signal, onDispose = 'wait' }: BackgroundOptions = {},
): BackgroundTask<T> {
  const controller = new AbortController()
  const unlisten = whenAborted(signal, reason => controller.abort(reason))
  let running = true
  let seen = false
  const run = async () => {
    try {
      controller.signal.throwIfAborted()
      return await task(controller.signal)
    } finally {
      running = false
      unlisten()
    }
  }
  const result = run()
  result.catch(() => {}) // told by `result`, or by disposing
  return {
    get result() {
      seen = true
      return result
    },
    get running() {
      return running
    },
    cancel: reason => controller.abort(reason),
    async [Symbol.asyncDispose]() {
      if (onDispose === 'cancel') controller.abort()
      try {
        await result
      } catch (error) {
        if (!seen && !(controller.signal.aborted && error === controller.signal.reason)) throw error
      }
    },
  }
}
