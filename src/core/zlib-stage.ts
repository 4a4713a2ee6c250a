/** One stream of node:zlib, driven by calls in place of events. The work itself runs in a thread of the pool. */
import type { Transform } from 'node:stream'
import type { ZlibOptions } from 'node:zlib'
import type { EncodedInput } from './encoded-input.ts'
import type { EncodeStage } from './encoded-sink.ts'

/** What `ZlibStage` needs of a stream of node:zlib. */
export interface ZlibStream extends Transform {
  /** Bytes of input that were taken. */
  readonly bytesWritten: number
}

/** Large steps: with Node's 16 KiB the calls cost more than the work. */
export const MAX_DECODED_CHUNK_BYTES = 256 * 1024
export const ENCODED_CHUNK_BYTES = 64 * 1024

/** Output chunks that may wait to be read before the stream stops working ahead. */
const MAX_WAITING_CHUNKS = 2

/**
 * Options for the stream of a stage. In object mode each output chunk is read as it is; the byte mode of Node's streams
 * would join waiting chunks by copying them.
 */
export function stageOptions(chunkSize: number): ZlibOptions {
  return { chunkSize, readableObjectMode: true, readableHighWaterMark: MAX_WAITING_CHUNKS } as ZlibOptions
}

export class ZlibStage implements EncodeStage {
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

export interface ZlibDecodeOptions {
  /** Makes the error of what the stream fails with. */
  readonly damaged: (cause: unknown) => Error
  /** Bytes to put before those of the input, which were taken from it already. */
  readonly head?: Uint8Array
  /** How many of the bytes in hand are meant, 0 after the last. Without it the stream knows its own end. */
  readonly meant?: (rest: Uint8Array) => number
}

/**
 * What `stream` makes of the front of `input`, which is left right behind it. The generator also ends, without an error
 * of its own, where `input` does.
 */
export async function* decodeByZlib(
  input: EncodedInput,
  stream: ZlibStream,
  options: ZlibDecodeOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stage = new ZlibStage(stream)
  const feeding = new Feeding()
  input.occupy(feeding.run(input, stage, options))
  try {
    for (;;) {
      let chunk: Uint8Array | null
      try {
        chunk = await stage.read()
      } catch (cause) {
        // A stream whose input failed misses the rest of it.
        if (feeding.failure !== undefined) throw feeding.failure.reason
        throw options.damaged(cause)
      }
      if (chunk === null) break
      yield chunk
    }
    await feeding.finished
    if (feeding.failure !== undefined) throw feeding.failure.reason
  } finally {
    await stage.destroy()
  }
}

/** Moves input into a stage while its output is read. */
class Feeding {
  /** What the input failed with. */
  failure: { readonly reason: unknown } | undefined
  /** Never rejects. */
  finished: Promise<void> = Promise.resolve()

  run(input: EncodedInput, stage: ZlibStage, options: ZlibDecodeOptions): Promise<void> {
    this.finished = this.#run(input, stage, options)
    return this.finished
  }

  async #run(
    input: EncodedInput,
    stage: ZlibStage,
    { head, meant = rest => rest.length }: ZlibDecodeOptions,
  ): Promise<void> {
    try {
      if (head !== undefined) await stage.write(head)
      while (!input.stopped && (await input.more())) {
        const length = meant(input.rest)
        if (length === 0) break
        const before = stage.bytesTaken
        input.follow(() => stage.bytesTaken - before)
        await stage.write(input.rest.subarray(0, length))
        const taken = stage.bytesTaken - before
        input.advance(taken)
        // A stage that leaves bytes has come to the end of its own.
        if (taken < length || stage.finished) break
      }
    } catch (reason) {
      this.failure = { reason }
    } finally {
      // What is decoded so far still comes out.
      stage.end()
    }
  }
}
