/** What a codec decodes: the bytes of a source, taken in the pieces that the format of the codec has. */
import { createError, type ErrorCode, type ErrorDetails } from './errors.ts'
import { Turns } from './turns.ts'
import type { ByteSource } from './types.ts'

const EMPTY = new Uint8Array(0)

export class EncodedInput {
  /** Names the place in messages. */
  readonly label: string
  /** What is left of the chunk in hand: lent by the source, until `more()` is called. */
  rest: Uint8Array = EMPTY
  /** For codecs that work on the main thread. */
  readonly turns = new Turns()
  /** Bytes decoded from this input so far and handed on. */
  decoded = 0
  #input: AsyncIterator<Uint8Array>
  /** Calls off a read that is under way. */
  readonly #abort = new AbortController()
  /** Bytes before `rest`. */
  #before = 0
  /** How many bytes of `rest` a stage has taken that were not yet passed by `advance`. */
  #inFlight: (() => number) | undefined
  #ended = false
  #stopped = false
  #occupied: Promise<unknown> = Promise.resolve()

  constructor(source: ByteSource) {
    this.label = source.label
    this.#input = source.stream({ signal: this.#abort.signal })[Symbol.asyncIterator]()
  }

  /** Encoded bytes before the place that was reached. */
  get offset(): number {
    return this.#before + (this.#inFlight?.() ?? 0)
  }

  /** Whether all of the input was taken from its source. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether the reading was given up: what is under way then ends as soon as it can. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Sees to it that `rest` holds at least a byte; false at the end of the input. */
  async more(): Promise<boolean> {
    while (this.rest.length === 0) {
      if (this.#ended) return false
      const step = await this.#input.next()
      if (step.done === true) this.#ended = true
      else this.rest = step.value
    }
    return true
  }

  /** Passes over bytes of `rest`. */
  advance(count: number): void {
    this.rest = this.rest.subarray(count)
    this.#before += count
    this.#inFlight = undefined
  }

  /** Lets `offset` count what a stage takes of `rest` while it is at work; until the next `advance`. */
  follow(taken: () => number): void {
    this.#inFlight = taken
  }

  /** The next byte; undefined at the end. Asynchronous only where a chunk has to be waited for. */
  byte(): number | undefined | Promise<number | undefined> {
    if (this.rest.length === 0) return this.more().then(more => (more ? this.byte() : undefined))
    const byte = this.rest[0]!
    this.advance(1)
    return byte
  }

  /** The next `count` bytes, as a copy; undefined where the input ends before (it is then at its end). */
  async take(count: number): Promise<Buffer | undefined> {
    const bytes = Buffer.allocUnsafe(count)
    for (let at = 0; at < count; ) {
      if (!(await this.more())) return undefined
      const part = this.rest.subarray(0, count - at)
      bytes.set(part, at)
      at += part.length
      this.advance(part.length)
    }
    return bytes
  }

  /** Passes over `count` bytes; false where the input ends before. */
  async skip(count: number): Promise<boolean> {
    for (let left = count; left > 0; ) {
      if (!(await this.more())) return false
      const part = Math.min(left, this.rest.length)
      this.advance(part)
      left -= part
    }
    return true
  }

  /** Aborts when the reading is given up. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Goes on with other bytes of the same source; those in hand are dropped, `offset` counts on. */
  async redirect(bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const before = this.#input
    this.#input = bytes[Symbol.asyncIterator]()
    this.rest = EMPTY
    this.#ended = false
    await before.return?.()
  }

  /** Makes a read that is under way fail, and every later one end. */
  stop(): void {
    this.#stopped = true
    if (this.#ended) return
    this.#abort.abort(createError('HANDLE_CLOSED', 'the reading was given up', { label: this.label }))
  }

  /** Says that the input is in use until `work`, which never rejects, has settled. */
  occupy(work: Promise<unknown>): void {
    this.#occupied = work
  }

  /** Gives the source's iterator back, when nothing uses it any more. Never rejects: what the input fails with now concerns nobody. */
  async release(): Promise<void> {
    await this.#occupied
    await Promise.resolve(this.#input.return?.()).catch(() => {})
  }

  /** An error at this place: `byte` counts decoded bytes. */
  error(code: ErrorCode, summary: string, details: ErrorDetails = {}): Error {
    return createError(code, summary, { label: this.label, byte: this.decoded, ...details })
  }
}

/** Bytes for a message: `1f 8b`. */
export const hexBytes = (bytes: Iterable<number>): string =>
  [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(' ')

/** A number for a message: `0x1f8b`. */
export const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`
