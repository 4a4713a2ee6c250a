/** Whether bytes that come in pieces are UTF-8, where nobody decodes them. */
import { isUtf8, validUtf8Length } from '../../core/text.ts'

const NOTHING = Buffer.alloc(0)
/** Bytes in the longest sequence. */
const LONGEST = 4

export class Utf8Check {
  /** A sequence that has begun at the end of what was passed. */
  #begun = NOTHING

  /** The UTF-16 units that a sequence that has begun stands for, or would if it were valid. */
  get begunUnits(): number {
    if (this.#begun.length === 0) return 0
    return this.#begun[0]! < 0xf0 ? 1 : 2
  }

  /** Takes the next bytes. Gives back the index of the first invalid byte, below `start` if it came earlier, if there is one. */
  invalidIn(bytes: Buffer, start: number, end: number): number | undefined {
    const before = this.#begun.length
    const part = bytes.subarray(start, end)
    const all = before === 0 ? part : Buffer.concat([this.#begun, part])
    const valid = validUtf8Length(all)
    const rest = all.subarray(valid)
    if (rest.length > 0 && !isBegun(rest)) return start - before + valid
    this.#begun = rest.length === 0 ? NOTHING : Buffer.from(rest)
    return undefined
  }
}

/** Whether these bytes, which are no whole sequence, can be the first ones of one. */
function isBegun(bytes: Buffer): boolean {
  for (let length = bytes.length + 1; length <= LONGEST; length++) {
    // Behind some first bytes only low second bytes are valid, behind others only high ones.
    for (const filler of [0x80, 0xbf]) {
      const whole = Buffer.alloc(length, filler)
      bytes.copy(whole)
      if (isUtf8(whole)) return true
    }
  }
  return false
}
