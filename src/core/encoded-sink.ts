/** The encoding half of a codec: a sink that moves what it is given through a stage into another sink. */
import { createError } from './errors.ts'
import type { ByteSink } from './types.ts'

/** Where bytes go in as they are and come out encoded. `ZlibStage` is one. */
export interface EncodeStage {
  /** Takes a chunk, which is not empty. Settles when its memory may be reused; never rejects: `read()` tells failures. */
  write(chunk: Uint8Array): Promise<void>
  /** Says that no more comes. */
  end(): void
  /** The next encoded chunk, lent until the next call, or null at the end. Never called twice at once. */
  read(): Promise<Uint8Array | null>
  /** Gives up and frees what is held; a call of `read()` that waits then gives null. Idempotent. */
  destroy(): Promise<void>
}

export class EncodedSink implements ByteSink {
  readonly label: string
  readonly #sink: ByteSink
  readonly #stage: EncodeStage
  /** Moves output into the sink until the stage ends. */
  readonly #moving: Promise<void>
  /** What every call is told after a failure or an abort. */
  #failure: { readonly reason: unknown } | undefined
  #closing: Promise<void> | undefined
  #closed = false

  constructor(sink: ByteSink, stage: EncodeStage) {
    this.label = sink.label
    this.#sink = sink
    this.#stage = stage
    this.#moving = this.#move()
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#checkUsable()
    if (this.#closing !== undefined) {
      throw createError('HANDLE_CLOSED', 'write after the sink was closed', { label: this.label })
    }
    if (chunk.length > 0) await this.#stage.write(chunk)
    this.#checkUsable()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async abort(reason?: unknown): Promise<void> {
    if (this.#closed) return
    this.#failure ??= {
      reason: createError('HANDLE_CLOSED', 'the sink was aborted', {
        label: this.label,
        ...(reason === undefined ? {} : { cause: reason }),
      }),
    }
    await this.#stage.destroy()
    await this.#sink.abort(reason)
    await this.#moving
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort()
    await this.#sink[Symbol.asyncDispose]()
  }

  #checkUsable(): void {
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  async #close(): Promise<void> {
    this.#checkUsable()
    this.#stage.end()
    await this.#moving
    this.#checkUsable()
    await this.#sink.close()
    this.#closed = true
  }

  async #move(): Promise<void> {
    try {
      for (let chunk = await this.#stage.read(); chunk !== null; chunk = await this.#stage.read()) {
        await this.#sink.write(chunk)
      }
    } catch (reason) {
      this.#failure ??= { reason }
    } finally {
      // Also frees the native memory after a good end.
      await this.#stage.destroy()
    }
  }
}
