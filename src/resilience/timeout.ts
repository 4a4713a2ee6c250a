/** An operation that may take only so long. */
import { whenAborted } from '../core/abort.ts'
import { createError } from '../core/errors.ts'
import { invalidOption } from '../core/options.ts'
import type { Abortable } from '../core/types.ts'
import { type Clocked, systemClock } from './clock.ts'

/** Options of `withTimeout`. */
export interface TimeoutOptions<T = unknown> extends Abortable, Clocked {
  /** What the message calls the operation. Default: `the operation`. */
  readonly what?: string | undefined
  /** Makes the error of the limit. Default: TIMEOUT. */
  readonly onTimeout?: (() => Error) | undefined
  /**
   * Gets a value that arrives when nobody waits for it any more, so that it can be let go of (a connection). Default:
   * none.
   */
  readonly onLate?: ((value: T) => void) | undefined
}

/**
 * Runs `operation` for at most `timeoutMs` milliseconds (Infinity: without a limit). The signal that it gets aborts at the
 * limit, and with `signal`; an operation that does not heed it is not waited for.
 *
 * @throws LimitError TIMEOUT at the limit; `signal.reason` on an abort; what the operation throws.
 */
export function withTimeout<T>(
  operation: (signal: AbortSignal) => T | PromiseLike<T>,
  timeoutMs: number,
  options: TimeoutOptions<T> = {},
): Promise<T> {
  const { signal, clock = systemClock, onLate } = options
  const onTimeout = options.onTimeout ?? (() => timeoutError(options.what, timeoutMs))
  if (!(timeoutMs >= 0)) return Promise.reject(invalidOption('timeoutMs', 'milliseconds from 0', timeoutMs))
  if (signal?.aborted) return Promise.reject(signal.reason)
  return new Promise<T>((resolve, reject) => {
    const controller = new AbortController()
    let settled = false
    const settle = () => {
      settled = true
      cancel()
      unlisten()
    }
    const giveUp = (reason: unknown) => {
      settle()
      reject(reason)
      controller.abort(reason)
    }
    const cancel =
      timeoutMs === Number.POSITIVE_INFINITY ? () => {} : clock.schedule(() => giveUp(onTimeout()), timeoutMs)
    const unlisten = whenAborted(signal, giveUp)
    new Promise<T>(start => start(operation(controller.signal))).then(
      value => {
        if (settled) return onLate?.(value)
        settle()
        resolve(value)
      },
      error => {
        if (settled) return // the limit was told before; what comes of it now is nobody's
        settle()
        reject(error)
      },
    )
  })
}

function timeoutError(what: string | undefined, timeoutMs: number): Error {
  return createError('TIMEOUT', `${what ?? 'the operation'} took longer than ${timeoutMs} ms`, {
    expected: `${timeoutMs} ms`,
  })
}
