/** Bytes that are kept until enough of them are there. */

const MIN_BYTES = 1024

/** A queue of bytes in one piece of memory; grows by doubling, so that 1-byte chunks cost no more than others. */
export class ByteWindow {
  #memory = Buffer.alloc(0)
  #start = 0
  #end = 0

  get length(): number {
    return this.#end - this.#start
  }

  /** What is kept. A view: it is good until the next `append`. */
  get bytes(): Buffer {
    return this.#memory.subarray(this.#start, this.#end)
  }

  append(piece: Uint8Array): void {
    const length = this.length + piece.length
    if (this.#end + piece.length > this.#memory.length) {
      const memory =
        length * 2 > this.#memory.length ? Buffer.allocUnsafeSlow(Math.max(length * 2, MIN_BYTES)) : this.#memory
      this.#memory.copy(memory, 0, this.#start, this.#end)
      this.#memory = memory
      this.#end -= this.#start
      this.#start = 0
    }
    this.#memory.set(piece, this.#end)
    this.#end += piece.length
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    this.#start += count
    if (this.#start === this.#end) this.#start = this.#end = 0
  }

  /** Gives what is kept away and starts anew. */
  take(): Buffer {
    const bytes = this.bytes
    this.#memory = Buffer.alloc(0)
    this.#start = this.#end = 0
    return bytes
  }
}
