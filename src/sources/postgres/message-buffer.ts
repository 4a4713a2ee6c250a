/** Chunks of a socket → whole messages, without a copy of those that lie in one chunk. */
import { HEADER_BYTES } from './messages.ts'
import type { MessageBytes } from './values.ts'

export class MessageBuffer {
  readonly #chunks: Buffer[] = []
  /** The beginning of a message that is not whole yet, in pieces, and how many bytes it has and needs. */
  #pieces: Buffer[] = []
  #piecesBytes = 0
  #neededBytes = 0
  #bytes: MessageBytes | undefined
  /** Where in `bytes` the next message begins. */
  at = 0

  /** Chunks that were not looked at yet. */
  get chunks(): number {
    return this.#chunks.length
  }

  /** What the next message lies in, once `load()` has said that there is one. */
  get bytes(): MessageBytes {
    return this.#bytes!
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  /** Whether a whole message is at hand. */
  load(): boolean {
    for (;;) {
      if (this.#bytes !== undefined) {
        if (isWhole(this.#bytes, this.at)) return true
        this.#keep(this.#bytes.subarray(this.at))
      }
      if (!this.#next()) return false
    }
  }

  /** The bytes from `start` on that nobody has taken; there are none then. */
  takeRest(start: number): Buffer[] {
    const rest = [this.bytes.subarray(start), ...this.#chunks.splice(0)]
    this.#bytes = undefined
    return rest
  }

  /** Puts the next chunk in hand, behind the pieces of a message that began before it. */
  #next(): boolean {
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      if (this.#pieces.length === 0) return this.#hand(chunk)
      this.#pieces.push(chunk)
      this.#piecesBytes += chunk.length
      // A large message is put together once, when all of it is there.
      if (this.#piecesBytes < this.#neededBytes) continue
      const whole = Buffer.concat(this.#pieces, this.#piecesBytes)
      this.#pieces = []
      return this.#hand(whole)
    }
    return false
  }

  #hand(bytes: Buffer): true {
    this.#bytes = bytes as MessageBytes
    this.at = 0
    return true
  }

  #keep(rest: Buffer): void {
    this.#bytes = undefined
    if (rest.length === 0) return
    this.#pieces = [rest]
    this.#piecesBytes = rest.length
    this.#neededBytes = rest.length < HEADER_BYTES ? HEADER_BYTES : 1 + rest.readUInt32BE(1)
  }
}

/** Whether all of the message that begins at `at` is there. */
export function isWhole(bytes: Buffer, at: number): boolean {
  return at + HEADER_BYTES <= bytes.length && at + 1 + bytes.readUInt32BE(at + 1) <= bytes.length
}
