/** Waiting that can be called off. */
import { setMaxListeners } from 'node:events'

/**
 * `promise`, or a rejection with `signal.reason` as soon as the signal aborts. The work behind `promise` goes on; its
 * outcome is then nobody's, so a late rejection is taken care of here.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  if (signal.aborted) {
    promise.catch(() => {})
    return Promise.reject(signal.reason)
  }
  return new Promise<T>((resolve, reject) => {
    const unlisten = whenAborted(signal, reject)
    promise.then(resolve, reject).finally(unlisten)
  })
}

/** Calls `onAbort` once when the signal aborts (at once if it has); gives back what stops listening. */
export function whenAborted(signal: AbortSignal | undefined, onAbort: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {}
  if (signal.aborted) {
    onAbort(signal.reason)
    return () => {}
  }
  allowMany(signal)
  const listener = () => onAbort(signal.reason)
  signal.addEventListener('abort', listener, { once: true })
  return () => signal.removeEventListener('abort', listener)
}

const allowed = new WeakSet<AbortSignal>()

/** One signal for many files at once is as it should be; from the eleventh listener on Node would warn of a leak. */
function allowMany(signal: AbortSignal): void {
  if (allowed.has(signal)) return
  allowed.add(signal)
  if (signal instanceof EventTarget) setMaxListeners(0, signal)
}
