/** Threads that convert, each one file at a time. */
import { Worker } from 'node:worker_threads'
import { createError } from '../core/errors.ts'
import type { ConvertOptions } from './options.ts'
import type { ConvertResult } from './result.ts'
import { type FromWorker, type ToWorker, unpackError } from './worker-protocol.ts'

interface Job {
  readonly id: number
  readonly onProgress: ConvertOptions['onProgress']
  readonly resolve: (result: ConvertResult) => void
  readonly reject: (error: unknown) => void
}

/** A thread, and the one job that it has. */
class Lane {
  // Threads are started from JavaScript: that of the build, also where the sources are run as they are.
  readonly #worker = new Worker(new URL('../../dist/convert/worker.js', import.meta.url), {
    // What says how the main script is to be read is not for a file. What is given here must have no option of V8's,
    // which all threads have in common.
    ...(process.execArgv.some(argument => argument.startsWith('--input-type')) ? { execArgv: [] } : {}),
  })
  #job: Job | undefined
  #died: { readonly error: unknown } | undefined

  constructor() {
    this.#worker.unref()
    this.#worker.on('message', (message: FromWorker) => this.#take(message))
    const die = (cause: unknown) => {
      const label = 'a converting thread'
      const error = createError('CONVERT_THREAD_DIED', 'the thread that converted has ended', { label, cause })
      this.#died ??= { error }
      this.#settle()?.reject(error)
    }
    this.#worker.on('error', die)
    this.#worker.on('exit', code => die(new Error(`exit code ${code}`)))
  }

  get isDead(): boolean {
    return this.#died !== undefined
  }

  run(id: number, from: string, to: string, options: ConvertOptions): Promise<ConvertResult> {
    const { signal, onProgress, ...rest } = options
    return new Promise((resolve, reject) => {
      const abort = () => this.#worker.postMessage({ type: 'abort', id } satisfies ToWorker)
      const end = () => {
        signal?.removeEventListener('abort', abort)
        this.#worker.unref()
      }
      this.#job = {
        id,
        onProgress,
        resolve: result => {
          end()
          resolve(result)
        },
        reject: error => {
          end()
          reject(signal?.aborted === true ? signal.reason : error)
        },
      }
      this.#worker.ref()
      signal?.addEventListener('abort', abort, { once: true })
      const wantsProgress = onProgress !== undefined
      this.#worker.postMessage({ type: 'convert', id, from, to, options: rest, wantsProgress } satisfies ToWorker)
      if (signal?.aborted === true) abort()
    })
  }

  async end(): Promise<void> {
    this.#died ??= { error: undefined }
    await this.#worker.terminate()
  }

  #take(message: FromWorker): void {
    if (message.id !== this.#job?.id) return
    if (message.type === 'progress') this.#job.onProgress?.(message.progress)
    else if (message.type === 'done') this.#settle()!.resolve(message.result)
    else this.#settle()!.reject(unpackError(message.error))
  }

  #settle(): Job | undefined {
    const job = this.#job
    this.#job = undefined
    return job
  }
}

export class WorkerPool implements AsyncDisposable {
  readonly #idle: Lane[] = []
  readonly #all = new Set<Lane>()
  #jobs = 0

  /** Converts in a thread: one that is idle, or a new one. Who calls it bounds how many there are. */
  async run(from: string, to: string, options: ConvertOptions): Promise<ConvertResult> {
    let lane = this.#idle.pop()
    if (lane === undefined) {
      lane = new Lane()
      this.#all.add(lane)
    }
    try {
      return await lane.run(++this.#jobs, from, to, options)
    } finally {
      if (lane.isDead) this.#all.delete(lane)
      else this.#idle.push(lane)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#all].map(lane => lane.end()))
  }
}
