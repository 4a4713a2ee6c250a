/** The near end of the thread that writes: rows are sent as they come, and no more than it can take. */
import { once } from 'node:events'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { GIVEN_UP, SENT, SHARED_BYTES, type Statement, type WorkerInput, type WorkerMessage } from './copy-protocol.ts'
import { copyWorkerUrl } from './copy-worker-url.ts'
import type { DuckDbSettings } from './settings.ts'
import { buffersOf, type ChunkData } from './vector-data.ts'

/** Chunks that may be on their way, and bytes in them. */
const MAX_CHUNKS = 16
const MAX_BYTES = 8 * 1024 * 1024

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Threads that wait for rows when the process exits would hold it up. */
const open = new Set<CopyThread>()

function giveUpAll(): void {
  for (const thread of open) thread.giveUp()
}

/** Milliseconds that a thread waits for more work: to start one takes longer than to write a small file. */
const IDLE_MS = 1000
/** Statements that one thread runs: what it offers rows by stays in its instance. */
const MAX_STATEMENTS = 100
let idle: { readonly thread: CopyThread; readonly timer: NodeJS.Timeout } | undefined

/** A thread whose DuckDB has these settings. */
export function takeThread(settings: DuckDbSettings): CopyThread {
  const waiting = idle
  if (waiting === undefined || !waiting.thread.suits(settings)) return new CopyThread(settings)
  clearTimeout(waiting.timer)
  idle = undefined
  return waiting.thread
}

/** Gives a thread back that has ended its statement well; another writer may take it, or it ends soon. */
export function returnThread(thread: CopyThread): void {
  if (idle !== undefined || !thread.isUsable) {
    thread.close()
    return
  }
  const timer = setTimeout(() => {
    idle = undefined
    thread.close()
  }, IDLE_MS)
  timer.unref()
  idle = { thread, timer }
}

export class CopyThread {
  readonly #key: string
  #statements = 0
  readonly #worker: Worker
  readonly #chunks: MessagePort
  readonly #control: Int32Array
  /** Bytes of the chunks on their way, oldest first. */
  readonly #onTheWay: number[] = []
  #bytes = 0
  #waiter: Waiter | undefined
  #running: { readonly resolve: (rowCount: number) => void; readonly reject: (error: unknown) => void } | undefined
  #failure: { readonly error: unknown } | undefined
  readonly #ended: Promise<unknown>
  #closing: Promise<void> | undefined

  /** DuckDB must have threads of its own to run statements on, hence two of them at least. */
  constructor(settings: DuckDbSettings) {
    this.#key = JSON.stringify(settings)
    const { port1, port2 } = new MessageChannel()
    const shared = new SharedArrayBuffer(SHARED_BYTES)
    this.#control = new Int32Array(shared)
    this.#chunks = port1
    const workerData: WorkerInput = {
      chunks: port2,
      shared,
      settings: { ...settings, threads: Math.max(2, settings.threads ?? 2) },
    }
    this.#worker = new Worker(copyWorkerUrl(), {
      workerData,
      transferList: [port2],
      stdin: false,
      // What says how the main script is to be read is not for a file. What is given here must have no option of V8's,
      // which all threads have in common.
      ...(process.execArgv.some(argument => argument.startsWith('--input-type')) ? { execArgv: [] } : {}),
    })
    this.#worker.on('message', (message: WorkerMessage) => this.#take(message))
    this.#worker.on('error', error => this.#fail(error))
    this.#ended = once(this.#worker, 'exit').then(
      () => this.#fail(new Error('the writing thread has ended')),
      () => {}, // told by its error
    )
    // A writer that was forgotten must not keep the process alive; what waits for the thread does.
    this.#worker.unref()
    if (open.size === 0) process.on('exit', giveUpAll)
    open.add(this)
  }

  suits(settings: DuckDbSettings): boolean {
    return this.isUsable && this.#key === JSON.stringify(settings)
  }

  get isUsable(): boolean {
    return this.#failure === undefined && this.#closing === undefined && this.#statements < MAX_STATEMENTS
  }

  /** Starts a statement, at most one at a time; `ended` has how many rows it wrote. */
  start(statement: Statement): { readonly ended: Promise<number> } {
    if (this.#failure !== undefined) return { ended: Promise.reject(this.#failure.error) }
    const ended = new Promise<number>((resolve, reject) => {
      this.#running = { resolve, reject }
    })
    this.#statements++
    this.#worker.postMessage(statement)
    return { ended }
  }

  /** Hands a chunk over, with its memory. One without rows is the end. Settles when the next one may come. */
  send(chunk: ChunkData): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    const buffers = buffersOf(chunk.vectors)
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0)
    this.#chunks.postMessage(chunk, buffers)
    this.#onTheWay.push(bytes)
    this.#bytes += bytes
    Atomics.add(this.#control, SENT, 1)
    Atomics.notify(this.#control, SENT)
    return this.#isFull ? this.#room() : undefined
  }

  /** Keeps the process alive until `promise` has settled. */
  async await<T>(promise: Promise<T>): Promise<T> {
    this.#worker.ref()
    try {
      return await promise
    } finally {
      this.#worker.unref()
    }
  }

  /** Ends the thread, whatever it does; settles when it has ended. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Has the thread leave what it does, without waiting for it. */
  giveUp(): void {
    Atomics.store(this.#control, GIVEN_UP, 1)
    Atomics.add(this.#control, SENT, 1)
    Atomics.notify(this.#control, SENT)
  }

  async #close(): Promise<void> {
    this.giveUp()
    this.#worker.postMessage(null)
    await this.await(this.#ended)
    this.#chunks.close()
    open.delete(this)
    if (open.size === 0) process.off('exit', giveUpAll)
  }

  get #isFull(): boolean {
    return this.#onTheWay.length >= MAX_CHUNKS || (this.#bytes > MAX_BYTES && this.#onTheWay.length > 1)
  }

  #room(): Promise<void> {
    return this.await(
      new Promise<void>((resolve, reject) => {
        this.#waiter = { resolve, reject }
      }),
    )
  }

  #take(message: WorkerMessage): void {
    if (message.kind === 'taken') {
      this.#bytes -= this.#onTheWay.shift() ?? 0
      if (this.#isFull || this.#waiter === undefined) return
      this.#waiter.resolve()
      this.#waiter = undefined
      return
    }
    const running = this.#running
    this.#running = undefined
    if (message.kind === 'done') running?.resolve(message.rowCount)
    else {
      const error = new Error(message.message)
      running?.reject(error)
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#running?.reject(error)
    this.#running = undefined
    this.#waiter?.reject(error)
    this.#waiter = undefined
  }
}
