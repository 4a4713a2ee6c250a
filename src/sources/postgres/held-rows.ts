/** Rows that were sent and may still be refused, as the messages they went in: in memory, and from some size on in a temp file. */
import { openTempFile, type TempFile } from '../../core/temp-files.ts'

/** What is kept in memory, and what is sent before the server is asked for its word on it. */
const MEMORY_BYTES = 8 * 1024 * 1024
const READ_BYTES = 256 * 1024

export class HeldRows implements AsyncDisposable {
  /** Whether rows are held to the end, as only then the server says whether it takes them. */
  readonly toTheEnd: boolean
  #messages: Buffer[] = []
  #bytes = 0
  #firstRecord = 0
  #file: TempFile | undefined
  #fileBytes = 0
  /** There was no room for them: they are to say which row is bad, which is no reason to fail. */
  #lost = false

  constructor(toTheEnd: boolean) {
    this.toTheEnd = toTheEnd
  }

  /** The record of the first row, from 1; 0: there is none. */
  get firstRecord(): number {
    return this.#firstRecord
  }

  /** Whether the server is to be asked for its word now. */
  get isFull(): boolean {
    return !this.toTheEnd && this.#bytes >= MEMORY_BYTES
  }

  /** Takes a message whose first row is this record, where it is the first one. */
  async add(message: Buffer, record: number): Promise<void> {
    if (this.#lost) return
    if (this.#firstRecord === 0) this.#firstRecord = record
    this.#messages.push(message)
    this.#bytes += message.length
    if (!this.toTheEnd || this.#bytes < MEMORY_BYTES) return
    try {
      await this.#spill(Buffer.concat(this.#messages))
    } catch {
      this.#lost = true
      this.clear()
    }
  }

  async #spill(bytes: Buffer): Promise<void> {
    this.#file ??= await openTempFile()
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.handle.write(bytes, at, bytes.length - at, this.#fileBytes + at)
      at += bytesWritten
    }
    this.#fileBytes += bytes.length
    this.#messages = []
    this.#bytes = 0
  }

  /** Forgets all rows. */
  clear(): void {
    this.#messages = []
    this.#bytes = this.#fileBytes = this.#firstRecord = 0
  }

  /** All messages, in order, though not one by one. */
  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    for (let at = 0; at < this.#fileBytes; ) {
      const size = Math.min(READ_BYTES, this.#fileBytes - at)
      const { buffer, bytesRead } = await this.#file!.handle.read(Buffer.allocUnsafe(size), 0, size, at)
      if (bytesRead === 0) throw new Error('the temp file was cut short')
      yield buffer.subarray(0, bytesRead)
      at += bytesRead
    }
    yield* this.#messages
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.clear()
    const file = this.#file
    this.#file = undefined
    await file?.[Symbol.asyncDispose]()
  }
}
