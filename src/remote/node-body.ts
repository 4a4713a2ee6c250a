/** The body of an answer as a Node stream, read without a promise for what is at hand. */
import type { Readable } from 'node:stream'

/** The reading part of a `RemoteBody`. */
export class NodeBody {
  readonly #stream: Readable
  #failure: { readonly error: unknown } | undefined
  #ended = false
  #wake: (() => void) | undefined

  constructor(stream: Readable) {
    this.#stream = stream
    const wake = () => this.#wake?.()
    stream.on('readable', wake)
    stream.on('end', () => {
      this.#ended = true
      wake()
    })
    // A connection that breaks between two reads must not end the process; the next read tells it.
    stream.on('error', (error: unknown) => {
      this.#failure ??= { error }
      wake()
    })
    stream.on('close', wake)
  }

  /** Bytes that are there already; null where they have to be waited for. */
  take(): Uint8Array | null {
    return this.#stream.read() as Uint8Array | null
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const value = this.take()
      if (value !== null) return { done: false, value }
      if (this.#failure !== undefined) throw this.#failure.error
      if (this.#ended) return { done: true, value: undefined }
      if (this.#stream.destroyed) {
        throw Object.assign(new Error('the connection was closed'), { code: 'ERR_STREAM_PREMATURE_CLOSE' })
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  destroy(): void {
    this.#stream.destroy()
  }
}
