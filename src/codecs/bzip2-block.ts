/**
 * A block of bzip2: Huffman codes, runs of zeros, moves to the front, and the Burrows–Wheeler transform, undone in this
 * order; the runs of the text before all that are undone while it is given out.
 */

/** Bits of a buffer, the highest first. What lies behind the end reads as 0 and shows in `exhausted`. */
export class BitReader {
  /** Of the next bit. */
  position = 0
  readonly #bytes: Uint8Array
  readonly #bits: number

  /** `bytes` has four more than `length`, so that words can be read at its end. */
  constructor(bytes: Uint8Array, length: number) {
    this.#bytes = bytes
    this.#bits = length * 8
  }

  get exhausted(): boolean {
    return this.position > this.#bits
  }

  /** The next bits without taking them, 24 at most. */
  peek(count: number): number {
    const at = this.position >>> 3
    const bytes = this.#bytes
    const word = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    return (word << (this.position & 7)) >>> (32 - count)
  }

  take(count: number): number {
    const value = this.position >= this.#bits ? 0 : this.peek(count)
    this.position += count
    return value
  }

  /** An unsigned number of 32 bits. */
  word(): number {
    const high = this.take(16)
    return ((high << 16) | this.take(16)) >>> 0
  }
}

const GROUP_SYMBOLS = 50
const MAX_CODE_BITS = 20
const FAST_BITS = 10

/** One Huffman code. */
class Code {
  /** For the next `FAST_BITS` bits: symbol × 32 + bits of it; 0 where it is longer. */
  readonly #fast = new Uint16Array(1 << FAST_BITS)
  /** For each length: the code behind the last one of it, filled up to 20 bits. */
  readonly #limits = new Int32Array(MAX_CODE_BITS + 2)
  readonly #offsets = new Int32Array(MAX_CODE_BITS + 2)
  readonly #symbols: Uint16Array

  constructor(lengths: Uint8Array) {
    this.#symbols = new Uint16Array(lengths.length)
    let code = 0
    let index = 0
    for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
      this.#offsets[bits] = index - code
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] !== bits) continue
        this.#symbols[index++] = symbol
        if (bits <= FAST_BITS) {
          const start = code << (FAST_BITS - bits)
          this.#fast.fill((symbol << 5) | bits, start, start + (1 << (FAST_BITS - bits)))
        }
        code++
      }
      this.#limits[bits] = code << (MAX_CODE_BITS - bits)
      code <<= 1
    }
  }

  /** The next symbol; −1 for bits that are none. */
  read(bits: BitReader): number {
    const word = bits.peek(MAX_CODE_BITS)
    const fast = this.#fast[word >>> (MAX_CODE_BITS - FAST_BITS)]!
    if (fast !== 0) {
      bits.position += fast & 31
      return fast >>> 5
    }
    for (let length = 1; length <= MAX_CODE_BITS; length++) {
      if (word >= this.#limits[length]!) continue
      bits.position += length
      return this.#symbols[(word >>> (MAX_CODE_BITS - length)) + this.#offsets[length]!] ?? -1
    }
    return -1
  }
}

export interface Block {
  /** Checksum that the block says its text has. */
  readonly checksum: number
  /** Bytes before the runs are undone. */
  readonly length: number
  /** Where the transform begins. */
  readonly origin: number
}

/** Why something is no block. */
export type BlockFault = 'incomplete' | 'randomised' | (string & {})

/** Reads the codes of a block, whose magic was read, into the lower bytes of `text`; or gives why it cannot. */
export function readBlock(bits: BitReader, text: Uint32Array): Block | BlockFault {
  const checksum = bits.word()
  if (bits.take(1) === 1) return bits.exhausted ? 'incomplete' : 'randomised'
  const origin = bits.take(24)
  const bytes = readSymbolMap(bits)
  if (bits.exhausted) return 'incomplete'
  if (bytes.length === 0) return 'a block without any byte'
  const codeCount = bits.take(3)
  const selectorCount = bits.take(15)
  if (bits.exhausted) return 'incomplete'
  if (codeCount < 2 || codeCount > 6) return `a block with ${codeCount} codes`
  if (selectorCount === 0) return 'a block without selectors'
  const selectors = readSelectors(bits, selectorCount, codeCount)
  if (selectors === undefined) return bits.exhausted ? 'incomplete' : 'a selector that does not exist'
  const symbolCount = bytes.length + 2
  const codes: Code[] = []
  for (let i = 0; i < codeCount; i++) {
    const lengths = readLengths(bits, symbolCount)
    if (lengths === undefined) return bits.exhausted ? 'incomplete' : 'a code of a length that cannot be'
    codes.push(new Code(lengths))
  }
  const length = readSymbols(bits, selectors, codes, bytes, text)
  if (bits.exhausted) return 'incomplete'
  if (typeof length === 'string') return length
  if (origin >= length) return 'an origin outside of the block'
  return { checksum, length, origin }
}

/** The bytes that occur in the block, in order. */
function readSymbolMap(bits: BitReader): Uint8Array {
  const present: number[] = []
  const rows = bits.take(16)
  for (let row = 0; row < 16; row++) {
    if ((rows & (0x8000 >> row)) === 0) continue
    const columns = bits.take(16)
    for (let column = 0; column < 16; column++) {
      if ((columns & (0x8000 >> column)) !== 0) present.push(row * 16 + column)
    }
  }
  return Uint8Array.from(present)
}

/** Which code each group of symbols is in, moved to the front. */
function readSelectors(bits: BitReader, count: number, codeCount: number): Uint8Array | undefined {
  const order = Array.from({ length: codeCount }, (_, i) => i)
  const selectors = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    let index = 0
    while (bits.take(1) === 1) if (++index >= codeCount) return undefined
    if (bits.exhausted) return undefined
    const [selector] = order.splice(index, 1)
    order.unshift(selector!)
    selectors[i] = selector!
  }
  return selectors
}

/** The lengths of a code's symbols, as differences. */
function readLengths(bits: BitReader, count: number): Uint8Array | undefined {
  const lengths = new Uint8Array(count)
  let length = bits.take(5)
  for (let symbol = 0; symbol < count; symbol++) {
    for (;;) {
      if (length < 1 || length > MAX_CODE_BITS || bits.exhausted) return undefined
      if (bits.take(1) === 0) break
      length += bits.take(1) === 0 ? 1 : -1
    }
    lengths[symbol] = length
  }
  return lengths
}

const RUN_A = 0
const RUN_B = 1

/** The symbols themselves; gives how many bytes they stand for, or why they cannot. */
function readSymbols(
  bits: BitReader,
  selectors: Uint8Array,
  codes: readonly Code[],
  bytes: Uint8Array,
  text: Uint32Array,
): number | string {
  const front = Uint8Array.from(bytes)
  const end = bytes.length + 1
  let length = 0
  let run = 0
  let weight = 1
  for (const selector of selectors) {
    if (bits.exhausted) return 'incomplete'
    const code = codes[selector]!
    for (let i = 0; i < GROUP_SYMBOLS; i++) {
      const symbol = code.read(bits)
      if (symbol === RUN_A || symbol === RUN_B) {
        run += weight << symbol
        weight <<= 1
        if (run > text.length) return 'a run that is longer than the block'
        continue
      }
      if (run > 0) {
        if (length + run > text.length) return 'more than fits into a block'
        text.fill(front[0]!, length, length + run)
        length += run
        run = 0
        weight = 1
      }
      if (symbol === end) return length
      if (symbol < 0) return 'a code that does not exist'
      if (length >= text.length) return 'more than fits into a block'
      const index = symbol - 1
      const byte = front[index]!
      front.copyWithin(1, 0, index)
      front[0] = byte
      text[length++] = byte
    }
  }
  return 'a block without an end'
}

/** Undoes the transform: the upper bytes of `text` become the way through it. */
export function linkText(text: Uint32Array, length: number): void {
  const starts = new Int32Array(257)
  for (let i = 0; i < length; i++) starts[(text[i]! & 0xff) + 1]!++
  for (let byte = 0; byte < 256; byte++) starts[byte + 1]! += starts[byte]!
  for (let i = 0; i < length; i++) {
    const byte = text[i]! & 0xff
    const place = starts[byte]!
    starts[byte] = place + 1
    text[place] = (text[place]! | (i << 8)) >>> 0
  }
}

/** Four equal bytes are followed by a count of how many more there are. */
const RUN_LENGTH = 4

/** The text of a block, its runs undone, piece by piece. */
export class BlockText {
  readonly #text: Uint32Array
  #at: number
  #left: number
  /** The byte given last, how often in a row, and how often it is still to come. */
  #byte = -1
  #count = 0
  #repeat = 0

  constructor(text: Uint32Array, block: Block) {
    this.#text = text
    this.#at = text[block.origin]! >>> 8
    this.#left = block.length
  }

  /** Fills `output` as far as there is text; gives how far. */
  fill(output: Uint8Array): number {
    const text = this.#text
    let at = this.#at
    let left = this.#left
    let byte = this.#byte
    let count = this.#count
    let to = 0
    while (to < output.length) {
      if (this.#repeat > 0) {
        const part = Math.min(this.#repeat, output.length - to)
        output.fill(byte, to, to + part)
        to += part
        this.#repeat -= part
        continue
      }
      if (left === 0) break
      const entry = text[at]!
      at = entry >>> 8
      left--
      const next = entry & 0xff
      if (count === RUN_LENGTH) {
        this.#repeat = next
        count = 0
        continue
      }
      count = next === byte ? count + 1 : 1
      byte = next
      output[to++] = next
    }
    this.#at = at
    this.#left = left
    this.#byte = byte
    this.#count = count
    return to
  }
}
