/**
 * COPY … FROM STDIN over a client's connection: rows go in as CopyData messages, as fast as the socket takes them.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
import type { DriverConnection, Submittable } from './driver.ts'

/** Bytes of the type and the length of a message. */
export const COPY_HEADER_BYTES = 5
const COPY_DATA = 0x64 // d

/** Makes a CopyData message of text that has room for the header in front. */
export function copyMessage(text: string): Buffer {
  return nameCopyMessage(Buffer.from(`\0\0\0\0\0${text}`))
}

/** Makes a CopyData message of bytes, the first five of which are the header's. */
export function nameCopyMessage(message: Buffer): Buffer {
  message[0] = COPY_DATA
  message.writeInt32BE(message.length - 1, 1)
  return message
}

export class CopyIn implements Submittable {
  readonly #sql: string
  #connection: DriverConnection | undefined
  #error: { readonly error: unknown } | undefined
  #waiting: (() => void)[] = []
  #ready = false
  #over = false
  #rows = 0
  readonly #awake = () => {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  constructor(sql: string) {
    this.#sql = sql
  }

  /** Whether the server takes no more data: it has refused some, has taken all, or is gone. */
  get over(): boolean {
    return this.#over
  }

  /** Waits until the server asks for data. Throws where it does not. */
  async start(): Promise<void> {
    while (!this.#ready && !this.#over) await this.#change()
    this.#check()
  }

  /** Sends a message of `copyMessage`; waits while the socket has enough. Throws what the server has said of the data so far. */
  async send(message: Buffer): Promise<void> {
    this.#check()
    const { stream } = this.#connection!
    stream.write(message)
    while (stream.writableNeedDrain && !this.#over) await this.#change()
    this.#check()
  }

  /** Whether `send` would wait. */
  get isFull(): boolean {
    return this.#connection?.stream.writableNeedDrain === true
  }

  /** Says that this was all; gives the number of rows that the server has stored. */
  async end(): Promise<number> {
    this.#check()
    this.#connection!.endCopyFrom()
    while (!this.#over) await this.#change()
    this.#check()
    return this.#rows
  }

  /** Gives up: nothing of the data is stored. Settles when the server knows. */
  async fail(): Promise<void> {
    if (!this.#over && this.#ready) this.#connection!.sendCopyFail('the writing was given up')
    while (!this.#over) await this.#change()
  }

  submit(connection: DriverConnection): void {
    this.#connection = connection
    connection.stream.on('drain', this.#awake)
    connection.query(this.#sql)
  }

  handleCopyInResponse(): void {
    this.#ready = true
    this.#awake()
  }

  handleCommandComplete({ text = '' }: { readonly text?: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(text)?.[1] ?? 0)
  }

  handleError(error: Error): void {
    this.#error ??= { error }
    this.#end()
  }

  handleReadyForQuery(): void {
    this.#end()
  }

  #end(): void {
    this.#over = true
    this.#connection?.stream.off('drain', this.#awake)
    this.#awake()
  }

  #change(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #check(): void {
    if (this.#error !== undefined) throw this.#error.error
  }
}
