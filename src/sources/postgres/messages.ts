/**
 * The messages of the extended query protocol that are sent and taken apart here; the rest is left to the driver.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { createError } from '../../core/errors.ts'
import { PostgresError } from './errors.ts'
import type { FieldDescription } from './types.ts'

/** A parameter as it goes over the wire: text, or the bytes of its binary form; null is NULL. */
export type EncodedParameter = string | Uint8Array | null

/** Types of messages from the server, by their first byte. */
export const MESSAGE = {
  parseComplete: 0x31, // 1
  bindComplete: 0x32, // 2
  closeComplete: 0x33, // 3
  notification: 0x41, // A
  commandComplete: 0x43, // C
  dataRow: 0x44, // D
  error: 0x45, // E
  copyIn: 0x47, // G
  copyOut: 0x48, // H
  emptyQuery: 0x49, // I
  notice: 0x4e, // N
  parameterStatus: 0x53, // S
  rowDescription: 0x54, // T
  readyForQuery: 0x5a, // Z
  copyDone: 0x63, // c
  copyData: 0x64, // d
  noData: 0x6e, // n
  portalSuspended: 0x73, // s
  parameterDescription: 0x74, // t
} as const

/** Bytes of the type and the length of a message. */
export const HEADER_BYTES = 5
const MAX_PARAMETERS = 65_535

const SYNC = Buffer.from('S\0\0\0\x04', 'latin1')
const FLUSH = Buffer.from('H\0\0\0\x04', 'latin1')
const DESCRIBE_PORTAL = Buffer.from('D\0\0\0\x06P\0', 'latin1')
const DESCRIBE_STATEMENT = Buffer.from('D\0\0\0\x06S\0', 'latin1')
const CLOSE_PORTAL = Buffer.from('C\0\0\0\x06P\0', 'latin1')
const BIND_NOTHING = Buffer.from('B\0\0\0\x0e\0\0\0\0\0\0\0\x01\0\0', 'latin1')

/** The messages of BEGIN and COMMIT. */
const runs = new Map<string, Buffer>()
const MAX_KEPT_CHARACTERS = 20
const EXECUTE_ALL = Buffer.from('E\0\0\0\x09\0\0\0\0\0', 'latin1')

/** Messages that leave together, about the unnamed statement and the unnamed portal. */
export class Flight {
  readonly #parts: Buffer[] = []

  parse(sql: string): this {
    const length = Buffer.byteLength(sql)
    const message = Buffer.alloc(length + 9)
    message[0] = 0x50 // P
    message.writeInt32BE(length + 8, 1)
    message.write(sql, 6)
    return this.#add(message)
  }

  bind(parameters: readonly EncodedParameter[]): this {
    if (parameters.length === 0) return this.#add(BIND_NOTHING)
    if (parameters.length > MAX_PARAMETERS) {
      throw createError('OPTION_INVALID', `a statement takes ${MAX_PARAMETERS} params, not ${parameters.length}`)
    }
    const lengths = parameters.map(value =>
      value === null ? -1 : typeof value === 'string' ? Buffer.byteLength(value) : value.length,
    )
    const size = lengths.reduce((sum, length) => sum + Math.max(length, 0) + 6, 15)
    const message = Buffer.alloc(size)
    message[0] = 0x42 // B
    message.writeInt32BE(size - 1, 1)
    let at = message.writeUInt16BE(parameters.length, 7)
    for (const value of parameters) at = message.writeInt16BE(value instanceof Uint8Array ? 1 : 0, at)
    at = message.writeUInt16BE(parameters.length, at)
    for (const [i, value] of parameters.entries()) {
      at = message.writeInt32BE(lengths[i]!, at)
      if (typeof value === 'string') at += message.write(value, at)
      else if (value !== null) {
        message.set(value, at)
        at += value.length
      }
    }
    message.writeInt16BE(0, message.writeInt16BE(1, at)) // all results as text
    return this.#add(message)
  }

  describePortal(): this {
    return this.#add(DESCRIBE_PORTAL)
  }

  describeStatement(): this {
    return this.#add(DESCRIBE_STATEMENT)
  }

  /** `rows` at most; 0 is all. */
  execute(rows: number): this {
    if (rows === 0) return this.#add(EXECUTE_ALL)
    const message = Buffer.alloc(10)
    message[0] = 0x45 // E
    message.writeInt32BE(9, 1)
    message.writeInt32BE(rows, 6)
    return this.#add(message)
  }

  /** A statement that gives no rows. */
  run(sql: string): this {
    let messages = runs.get(sql)
    if (messages === undefined) {
      messages = new Flight().parse(sql).bind([]).execute(0).take()
      if (sql.length < MAX_KEPT_CHARACTERS) runs.set(sql, messages)
    }
    return this.#add(messages)
  }

  closePortal(): this {
    return this.#add(CLOSE_PORTAL)
  }

  /** Refuses to send what a COPY FROM STDIN asks for. */
  copyFail(reason: string): this {
    const message = Buffer.alloc(Buffer.byteLength(reason) + 6)
    message[0] = 0x66 // f
    message.writeInt32BE(message.length - 1, 1)
    message.write(reason, 5)
    return this.#add(message)
  }

  flush(): this {
    return this.#add(FLUSH)
  }

  sync(): this {
    return this.#add(SYNC)
  }

  take(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #add(message: Buffer): this {
    this.#parts.push(message)
    return this
  }
}

/** The columns of a RowDescription whose body begins at `start`. */
export function readRowDescription(bytes: Buffer, start: number): FieldDescription[] {
  const fields: FieldDescription[] = []
  let at = start + 2
  for (let count = bytes.readUInt16BE(start); count > 0; count--) {
    const end = bytes.indexOf(0, at)
    fields.push({
      name: bytes.toString('utf8', at, end),
      tableOid: bytes.readUInt32BE(end + 1),
      columnNumber: bytes.readInt16BE(end + 5),
      typeOid: bytes.readUInt32BE(end + 7),
      typeModifier: bytes.readInt32BE(end + 13),
    })
    at = end + 19
  }
  return fields
}

/** The error of an ErrorResponse whose body begins at `start`. */
export function readError(bytes: Buffer, start: number): PostgresError {
  const fields: Record<string, string> = {}
  for (let at = start; bytes[at] !== 0 && at < bytes.length; ) {
    const end = bytes.indexOf(0, at + 1)
    if (end < 0) break
    fields[String.fromCharCode(bytes[at]!)] = bytes.toString('utf8', at + 1, end)
    at = end + 1
  }
  return new PostgresError(fields)
}
