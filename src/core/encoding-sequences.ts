/**
 * Where the characters of an encoding end, without regard to which of them exist. Each length is that of a sequence,
 * right or wrong, and 0 where the bytes end inside it. A wrong one takes no byte that can be a character of its own, so
 * that a line end or a delimiter is not lost with it.
 */
export interface Sequences {
  /** Bytes of the shortest sequence; what is left over at the end of an input is given up in steps of it. */
  readonly unit: 1 | 2 | 4
  /** Length of the sequence that begins at `at`; 0 where `bytes` ends inside it. */
  length(bytes: Uint8Array, at: number): number
  /** How many of the first bytes are whole sequences. `bytes` begins with one. */
  whole(bytes: Uint8Array): number
}

/** Two or four bytes, a surrogate pair being one sequence. */
export function utf16Sequences(order: 'le' | 'be'): Sequences {
  const high = order === 'le' ? 1 : 0
  const surrogate = (bytes: Uint8Array, at: number, bits: number) => (bytes[at + high]! & 0xfc) === bits
  return {
    unit: 2,
    length(bytes, at) {
      const rest = bytes.length - at
      if (rest < 2) return 0
      if (!surrogate(bytes, at, 0xd8)) return 2
      if (rest < 4) return 0
      return surrogate(bytes, at + 2, 0xdc) ? 4 : 2
    },
    whole(bytes) {
      const even = bytes.length & ~1
      return even > 0 && surrogate(bytes, even - 2, 0xd8) ? even - 2 : even
    },
  }
}

export const UTF_32_SEQUENCES: Sequences = {
  unit: 4,
  length: (bytes, at) => (bytes.length - at < 4 ? 0 : 4),
  whole: bytes => bytes.length & ~3,
}

type Length = Sequences['length']

const LENGTHS: Readonly<Record<string, Length>> = {
  shift_jis: doubleByte(lead => (lead > 0x80 && lead < 0xa0) || (lead > 0xdf && lead < 0xfd)),
  'euc-kr': doubleByte(lead => lead > 0x80 && lead < 0xff),
  big5: doubleByte(lead => lead > 0x80 && lead < 0xff),
  gbk: gb18030,
  gb18030,
  'euc-jp': eucJp,
}

/** Of a multi-byte encoding in which every byte below 0x30 is a character of its own. */
export function multiByteSequences(name: string): Sequences {
  const length = LENGTHS[name]!
  return {
    unit: 1,
    length,
    whole(bytes) {
      // After such a byte a sequence begins for sure: it is enough to walk from the last one.
      let at = bytes.length
      while (at > 0 && bytes[at - 1]! >= 0x30) at--
      while (at < bytes.length) {
        const step = length(bytes, at)
        if (step === 0) break
        at += step
      }
      return at
    },
  }
}

function doubleByte(isLead: (byte: number) => boolean): Length {
  return (bytes, at) => {
    if (bytes[at]! < 0x80 || !isLead(bytes[at]!)) return 1
    if (at + 1 >= bytes.length) return 0
    return bytes[at + 1]! < 0x40 ? 1 : 2
  }
}

/** GB 18030: one, two or four bytes. */
function gb18030(bytes: Uint8Array, at: number): number {
  const rest = bytes.length - at
  const isLead = (byte: number) => byte > 0x80 && byte < 0xff
  const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39
  if (!isLead(bytes[at]!)) return 1
  if (rest < 2) return 0
  if (bytes[at + 1]! >= 0x40) return 2
  if (!isDigit(bytes[at + 1]!)) return 1
  if (rest < 3) return 0
  if (!isLead(bytes[at + 2]!)) return 1
  if (rest < 4) return 0
  return isDigit(bytes[at + 3]!) ? 4 : 1
}

/** EUC-JP: one byte, two, or three after 0x8F. */
function eucJp(bytes: Uint8Array, at: number): number {
  const rest = bytes.length - at
  const lead = bytes[at]!
  if (lead < 0x8e || (lead > 0x8f && lead < 0xa1) || lead === 0xff) return 1
  if (rest < 2) return 0
  if (bytes[at + 1]! < 0x80) return 1
  if (lead !== 0x8f) return 2
  if (rest < 3) return 0
  return bytes[at + 2]! < 0x80 ? 2 : 3
}
