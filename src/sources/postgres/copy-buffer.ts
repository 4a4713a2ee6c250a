/** Rows as the bytes of COPY's text format, written digit by digit: strings in between would take twice as long. */
import { COPY_HEADER_BYTES, nameCopyMessage } from './copy-in.ts'
import { copyField, type ValueForm } from './write-values.ts'

/** When a message is full. */
const MESSAGE_BYTES = 64 * 1024
/** Room for what stands behind a field: `\N`, a number, a date, and the tab. */
const SLACK_BYTES = 64
/** Longer texts are written by the machine's own code. */
const SHORT_CHARACTERS = 64
const DAY_MS = 86_400_000
/** When the year 1 begins, and the year 10000. */
const YEAR_1 = Date.parse('0001-01-01')
const YEAR_10000 = Date.UTC(10_000, 0, 1)

const TAB = 9
const NEWLINE = 10
const MINUS = 45
const ZERO = 48
const BACKSLASH = 92

/** What follows the backslash of a character that cannot stand for itself; 0 where it can. */
const ESCAPE = new Uint8Array(128)
for (const [character, letter] of ['\tt', '\nn', '\rr', '\\\\'])
  ESCAPE[character!.charCodeAt(0)] = letter!.charCodeAt(0)

export class CopyBuffer {
  #bytes = Buffer.allocUnsafeSlow(MESSAGE_BYTES + 16_384)
  #at = COPY_HEADER_BYTES
  #rowStart = COPY_HEADER_BYTES
  /** The day that was written last, as text. */
  #day = Number.NaN
  #dayText = ''

  get isFull(): boolean {
    return this.#at >= MESSAGE_BYTES
  }

  /** A message of the rows so far; undefined where there are none. The next ones go into other memory. */
  take(): Buffer | undefined {
    if (this.#at === COPY_HEADER_BYTES) return undefined
    const message = nameCopyMessage(this.#bytes.subarray(0, this.#at))
    this.#bytes = Buffer.allocUnsafeSlow(MESSAGE_BYTES + 16_384)
    this.#at = this.#rowStart = COPY_HEADER_BYTES
    return message
  }

  /** Ends a row of at least one field. */
  endRow(): void {
    this.#bytes[this.#at - 1] = NEWLINE
    this.#rowStart = this.#at
  }

  /** Forgets the fields since the last row. */
  dropRow(): void {
    this.#at = this.#rowStart
  }

  /** A row as `copyField` has it, with its end. */
  line(text: string): void {
    this.#write(text)
    this.#rowStart = this.#at
  }

  /** A field and a tab. Throws UnwritableValue. */
  field(value: unknown, form: ValueForm): void {
    this.#reserve(SLACK_BYTES)
    switch (typeof value) {
      case 'string':
        if (
          form.kind !== 'text' &&
          (form.kind !== 'other' || form.element !== undefined || form.jsonText !== undefined)
        )
          break
        if (value.length > SHORT_CHARACTERS || !this.#short(value)) break
        this.#bytes[this.#at++] = TAB
        return
      case 'number':
        if (form.kind === 'json' || !Number.isSafeInteger(value) || (value === 0 && Object.is(value, -0))) break
        this.#integer(value)
        this.#bytes[this.#at++] = TAB
        return
      case 'bigint': {
        if (form.kind === 'json' || value > 9007199254740991n || value < -9007199254740991n) break
        this.#integer(Number(value))
        this.#bytes[this.#at++] = TAB
        return
      }
      case 'object':
        if (value === null) {
          const bytes = this.#bytes
          bytes[this.#at++] = BACKSLASH
          bytes[this.#at++] = 78 // N
          bytes[this.#at++] = TAB
          return
        }
        if (form.kind !== 'timestamp' || Object.getPrototypeOf(value) !== Date.prototype) break
        if (!this.#instant((value as Date).getTime())) break
        this.#bytes[this.#at++] = TAB
        return
      default:
    }
    this.#write(copyField(value, form))
    this.#bytes[this.#at++] = TAB
  }

  #write(text: string): void {
    this.#reserve(text.length * 3 + SLACK_BYTES)
    this.#at += this.#bytes.write(text, this.#at)
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + size))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }

  /** Whether the text could be written: it has no zero character, and none that takes two code units. */
  #short(text: string): boolean {
    const length = text.length
    this.#reserve(length * 3 + SLACK_BYTES)
    const bytes = this.#bytes
    let at = this.#at
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code < 0x80) {
        const letter = ESCAPE[code]!
        if (letter !== 0) {
          bytes[at++] = BACKSLASH
          bytes[at++] = letter
        } else if (code !== 0) bytes[at++] = code
        else return false
      } else if (code < 0x800) {
        bytes[at++] = 0xc0 | (code >> 6)
        bytes[at++] = 0x80 | (code & 0x3f)
      } else if (code < 0xd800 || code > 0xdfff) {
        bytes[at++] = 0xe0 | (code >> 12)
        bytes[at++] = 0x80 | ((code >> 6) & 0x3f)
        bytes[at++] = 0x80 | (code & 0x3f)
      } else return false
    }
    this.#at = at
    return true
  }

  #integer(value: number): void {
    const bytes = this.#bytes
    let rest = value
    if (rest < 0) {
      bytes[this.#at++] = MINUS
      rest = -rest
    }
    let digits = 1
    for (let bound = 10; rest >= bound && digits < 16; bound *= 10) digits++
    let at = this.#at + digits
    this.#at = at
    // Beyond 32 bits a remainder is slow: nine digits at a time are not.
    while (rest > 0x7fffffff) {
      const high = Math.floor(rest / 1e9)
      let low = rest - high * 1e9
      for (let i = 0; i < 9; i++) {
        const next = (low / 10) | 0
        bytes[--at] = ZERO + low - next * 10
        low = next
      }
      rest = high
    }
    do {
      const next = (rest / 10) | 0
      bytes[--at] = ZERO + rest - next * 10
      rest = next
    } while (at > this.#at - digits)
  }

  /** Whether the instant could be written: its year has four digits. */
  #instant(time: number): boolean {
    if (!(time >= YEAR_1 && time < YEAR_10000)) return false
    const day = Math.floor(time / DAY_MS)
    if (day !== this.#day) {
      this.#day = day
      this.#dayText = new Date(day * DAY_MS).toISOString().slice(0, 11)
    }
    const bytes = this.#bytes
    let at = this.#at
    for (let i = 0; i < 11; i++) bytes[at++] = this.#dayText.charCodeAt(i)
    const milliseconds = time - day * DAY_MS
    const seconds = (milliseconds / 1000) | 0
    const minutes = (seconds / 60) | 0
    const hours = (minutes / 60) | 0
    at = twoDigits(bytes, at, hours)
    bytes[at++] = 58 // :
    at = twoDigits(bytes, at, minutes - hours * 60)
    bytes[at++] = 58
    at = twoDigits(bytes, at, seconds - minutes * 60)
    bytes[at++] = 46 // .
    const fraction = milliseconds - seconds * 1000
    const tens = (fraction / 10) | 0
    at = twoDigits(bytes, at, tens)
    bytes[at++] = ZERO + fraction - tens * 10
    bytes[at++] = 90 // Z
    this.#at = at
    return true
  }
}

function twoDigits(bytes: Buffer, at: number, value: number): number {
  const tens = (value / 10) | 0
  bytes[at] = ZERO + tens
  bytes[at + 1] = ZERO + value - tens * 10
  return at + 2
}
