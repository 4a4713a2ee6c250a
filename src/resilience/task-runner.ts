/** Tasks, so many at once, the more urgent ones first. */
import { whenAborted } from '../core/abort.ts'
import { createError } from '../core/errors.ts'
import { invalidOption } from '../core/options.ts'
import type { Abortable } from '../core/types.ts'

/** The most urgent first. */
export const PRIORITIES = ['CRITICAL', 'HIGH', 'NORMAL', 'LOW'] as const
/** How urgent a task is, the most urgent first: see `PRIORITIES`. */
export type Priority = (typeof PRIORITIES)[number]

/** What is to be done. The signal aborts with that of `submit`, and when the runner is disposed. */
export type Task<T> = (options: { readonly signal: AbortSignal }) => T | PromiseLike<T>

/** Options of running a task. */
export interface TaskOptions extends Abortable {
  /** Tasks of a lower priority wait until no higher one does, for ever if need be. Default: `'NORMAL'`. */
  readonly priority?: Priority | undefined
}

interface Entry {
  readonly line: Set<Entry>
  readonly run: () => Promise<void>
  /** Ends the task with this reason, whether it waits or runs. */
  readonly cancel: (reason: unknown) => void
  readonly result: Promise<unknown>
}

/**
 * Runs tasks with a bound, in the order of their priority and then of their coming. Disposing it cancels: tasks that wait
 * are rejected with RUNNER_CLOSED, the signals of those that run abort, and their end is awaited.
 *
 * ```ts
 * await using runner = new TaskRunner({ concurrency: 8 })
 * const pages = await runner.gather(urls.map(url => ({ signal }) => fetch(url, { signal })))
 * ```
 */
export class TaskRunner implements AsyncDisposable {
  readonly #concurrency: number
  // A Set keeps the order and forgets in constant time.
  readonly #lines = new Map<Priority, Set<Entry>>(PRIORITIES.map(priority => [priority, new Set()]))
  readonly #running = new Set<Entry>()
  readonly #ends = new Set<Promise<void>>()
  #disposing: Promise<void> | undefined

  /** @throws OptionError OPTION_INVALID */
  constructor({ concurrency }: { readonly concurrency: number }) {
    if (concurrency !== Number.POSITIVE_INFINITY && !(Number.isInteger(concurrency) && concurrency >= 1)) {
      throw invalidOption('concurrency', 'a whole number from 1, or Infinity', concurrency)
    }
    this.#concurrency = concurrency
  }

  /** Tasks that run. */
  get running(): number {
    return this.#running.size
  }
  /** Tasks that wait. */
  get waiting(): number {
    let waiting = 0
    for (const line of this.#lines.values()) waiting += line.size
    return waiting
  }

  /**
   * Has a task run as soon as it is its turn; gives what it gives. A task that is aborted is not waited for, but keeps
   * its place among those that run until it ends.
   */
  submit<T>(task: Task<T>, { priority = 'NORMAL', signal }: TaskOptions = {}): Promise<T> {
    const line = this.#lines.get(priority)
    if (line === undefined) return Promise.reject(invalidOption('priority', PRIORITIES.join(', '), priority))
    if (this.#disposing !== undefined) return Promise.reject(closed())
    if (signal?.aborted) return Promise.reject(signal.reason)
    const controller = new AbortController()
    const { promise: result, resolve, reject } = withResolvers<T>()
    let unlisten = () => {}
    const entry: Entry = {
      line,
      result,
      run: async () => {
        try {
          resolve(await task({ signal: controller.signal }))
        } catch (error) {
          reject(error)
        } finally {
          unlisten()
        }
      },
      cancel: reason => {
        line.delete(entry)
        unlisten()
        reject(reason)
        controller.abort(reason)
      },
    }
    unlisten = whenAborted(signal, entry.cancel)
    line.add(entry)
    this.#serve()
    return result
  }

  /**
   * Has all these tasks run; gives what they give, in their order. After the first failure the others are cancelled, and
   * it is told once they have ended.
   */
  async gather<T>(tasks: Iterable<Task<T>>, { priority, signal }: TaskOptions = {}): Promise<T[]> {
    signal?.throwIfAborted()
    const controller = new AbortController()
    const unlisten = whenAborted(signal, reason => controller.abort(reason))
    let first: { readonly error: unknown } | undefined
    const ends: Promise<unknown>[] = []
    const results = Array.from(tasks, task =>
      this.submit(
        options => {
          const end = (async () => task(options))()
          ends.push(end)
          return end
        },
        { priority, signal: controller.signal },
      ).catch(error => {
        first ??= { error }
        controller.abort(error)
        throw error
      }),
    )
    const settled = await Promise.allSettled(results)
    await Promise.allSettled(ends)
    unlisten()
    if (first !== undefined) throw first.error
    return settled.map(result => (result as PromiseFulfilledResult<T>).value)
  }

  /** Settles when nothing runs and nothing waits. */
  async idle({ signal }: Abortable = {}): Promise<void> {
    signal?.throwIfAborted()
    while (this.#running.size > 0) {
      await new Promise<void>((resolve, reject) => {
        const unlisten = whenAborted(signal, reject)
        Promise.race(this.#ends).then(() => {
          unlisten()
          resolve()
        })
      })
    }
  }

  /** Rejects tasks that wait with RUNNER_CLOSED, aborts those that run, and waits for their end. Idempotent. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#cancelAll()
    return this.#disposing
  }

  async #cancelAll(): Promise<void> {
    const entries = [...this.#running, ...[...this.#lines.values()].flatMap(line => [...line])]
    for (const { cancel, result } of entries) {
      result.catch(() => {}) // whoever looks at it is told; nobody has to, of a task that was called off
      cancel(closed())
    }
    await Promise.all(this.#ends)
  }

  #serve(): void {
    for (const line of this.#lines.values()) {
      for (const entry of line) {
        if (this.#running.size >= this.#concurrency) return
        line.delete(entry)
        this.#start(entry)
      }
    }
  }

  #start(entry: Entry): void {
    this.#running.add(entry)
    const end = entry.run().then(() => {
      this.#running.delete(entry)
      this.#ends.delete(end)
      this.#serve()
    })
    this.#ends.add(end)
  }
}

function closed(): Error {
  return createError('RUNNER_CLOSED', 'the task was called off, as its runner is disposed')
}

function withResolvers<T>() {
  let resolve!: (value: T) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}
