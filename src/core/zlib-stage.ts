/** One stream of node:zlib, driven by calls in place of events. The work itself runs in a thread of the pool. */
import type { Transform } from 'node:stream'
import type { ZlibOptions } from 'node:zlib'

/** What `ZlibStage` needs of a stream of node:zlib. */
export interface ZlibStream extends Transform {
  /** Bytes of input that were taken. */
  readonly bytesWritten: number
}

/** Output chunks that may wait to be read before the stream stops working ahead. */
const MAX_WAITING_CHUNKS = 2

/**
 * Options for the stream of a stage. In object mode each output chunk is read as it is; the byte mode of Node's streams
 * would join waiting chunks by copying them.
 */
export function stageOptions(chunkSize: number): ZlibOptions {
  return { chunkSize, readableObjectMode: true, readableHighWaterMark: MAX_WAITING_CHUNKS } as ZlibOptions
}

export class ZlibStage {
  readonly #stream: ZlibStream
  #failure: { readonly reason: unknown } | undefined
  #ended = false
  #closed = false
  /** Called at whatever happens. */
  readonly #waiting = new Set<() => void>()

  constructor(stream: ZlibStream) {
    this.#stream = stream
    const wake = () => {
      for (const callback of [...this.#waiting]) callback()
    }
    stream.on('readable', wake)
    stream.on('end', () => {
      this.#ended = true
      wake()
    })
    stream.on('error', reason => {
      this.#failure ??= { reason }
      wake()
    })
    stream.on('close', () => {
      this.#closed = true
      wake()
    })
  }

  /** Bytes of input that were taken. */
  get bytesTaken(): number {
    return this.#stream.bytesWritten
  }

  /** Whether no more output comes, as the input has come to its own end, failed or was given up. */
  get finished(): boolean {
    return this.#ended || this.#closed || this.#failure !== undefined
  }

  /**
   * Hands over input. Settles when all of it was taken and the output is being read, or when the stage has finished,
   * which `bytesTaken` and `finished` tell; the memory may then be reused. Never rejects: `read()` tells failures.
   */
  write(chunk: Uint8Array): Promise<void> {
    if (this.finished) return Promise.resolve()
    return new Promise(resolve => {
      const done = () => {
        this.#waiting.delete(look)
        resolve()
      }
      const look = () => {
        if (this.finished) done()
      }
      this.#waiting.add(look)
      this.#stream.write(chunk, done)
    })
  }

  /** Says that no more input comes. */
  end(): void {
    if (!this.finished) this.#stream.end()
  }

  /** The next output chunk, which the caller owns, or null at the end. What came before a failure is given first. */
  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk: Buffer | null = this.#stream.read()
      if (chunk !== null) return chunk
      if (this.#failure !== undefined) throw this.#failure.reason
      if (this.#ended || this.#closed) return null
      await new Promise<void>(resolve => {
        const look = () => {
          this.#waiting.delete(look)
          resolve()
        }
        this.#waiting.add(look)
      })
    }
  }

  /** Gives up and frees the native memory. Idempotent. */
  async destroy(): Promise<void> {
    if (this.#closed) return
    const closed = new Promise<void>(resolve => this.#stream.once('close', resolve))
    this.#stream.destroy()
    await closed
  }
}
