/** A stage for encoders that are JavaScript or WebAssembly and work when they are called. */
import type { EncodeStage } from './encoded-sink.ts'
import { Turns } from './turns.ts'

/** Encodes one output, without I/O: each call does its work as its pieces are asked for. */
export interface SyncEncoder {
  /** What a chunk makes ready. What is yielded may be written to again when the next is asked for. */
  encode(chunk: Uint8Array): Iterable<Uint8Array>
  /** What is left, and what ends the output. */
  flush(): Iterable<Uint8Array>
  /** Frees what is held. Called once. */
  free?(): void
}

/** What a write, or the end, has still to do. */
interface Work {
  readonly begin: (encoder: SyncEncoder) => Iterable<Uint8Array>
  pieces?: Iterator<Uint8Array>
  readonly done: () => void
  readonly last: boolean
}

/** Runs a `SyncEncoder`, a piece at a time: a piece is made only when the one before it was taken. */
export class SyncEncodeStage implements EncodeStage {
  /** Settled with the encoder, or with why it could not be loaded. */
  readonly #loading: Promise<SyncEncoder>
  #encoder: SyncEncoder | undefined
  readonly #turns = new Turns()
  #pending: Work | undefined
  #wake: (() => void) | undefined
  #destroyed = false
  #freed = false

  constructor(encoder: SyncEncoder | Promise<SyncEncoder>) {
    this.#loading = Promise.resolve(encoder)
    this.#loading.catch(() => {}) // read() tells it
  }

  write(chunk: Uint8Array): Promise<void> {
    if (this.#destroyed) return Promise.resolve()
    return new Promise(resolve => this.#give({ begin: encoder => encoder.encode(chunk), done: resolve, last: false }))
  }

  end(): void {
    if (!this.#destroyed) this.#give({ begin: encoder => encoder.flush(), done: () => {}, last: true })
  }

  #give(work: Work): void {
    this.#pending = work
    this.#wake?.()
  }

  async read(): Promise<Uint8Array | null> {
    this.#encoder ??= await this.#loading
    for (;;) {
      await this.#turns.pause()
      if (this.#destroyed) return null
      const pending = this.#pending
      if (pending === undefined) {
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
        this.#wake = undefined
        continue
      }
      pending.pieces ??= pending.begin(this.#encoder)[Symbol.iterator]()
      const step = pending.pieces.next()
      if (step.done !== true) {
        if (step.value.length > 0) return step.value
        continue
      }
      this.#pending = undefined
      pending.done()
      if (pending.last) return null
    }
  }

  async destroy(): Promise<void> {
    this.#destroyed = true
    this.#wake?.()
    this.#pending?.done()
    this.#pending = undefined
    if (this.#freed) return
    this.#freed = true
    void this.#loading.then(
      encoder => encoder.free?.(),
      () => {},
    )
  }
}
