/**
 * LZMA as the chunks of LZMA2 have it (the LZMA SDK's lzma-specification.txt): a range coder over adaptive bits, which
 * give literals, and copies of what came before.
 */

const BIT_MODEL_TOTAL = 2048
const MOVE_BITS = 5
const TOP = 2 ** 24
const STATES = 12
const POSITION_STATES = 16

/** Where the probabilities of each kind of bit stand in the one array that holds them all. */
const IS_MATCH = 0
const IS_REP = IS_MATCH + STATES * POSITION_STATES
const IS_REP_0 = IS_REP + STATES
const IS_REP_1 = IS_REP_0 + STATES
const IS_REP_2 = IS_REP_1 + STATES
const IS_REP_0_LONG = IS_REP_2 + STATES
const DISTANCE_SLOT = IS_REP_0_LONG + STATES * POSITION_STATES
const DISTANCE_SPECIAL = DISTANCE_SLOT + 4 * 64
const DISTANCE_ALIGN = DISTANCE_SPECIAL + 128
/** choice, choice 2, low (16 × 8), middle (16 × 8), high (256) */
const LENGTH_CODER_SIZE = 2 + POSITION_STATES * 8 * 2 + 256
const MATCH_LENGTH = DISTANCE_ALIGN + 16
const REP_LENGTH = MATCH_LENGTH + LENGTH_CODER_SIZE
const LITERAL = REP_LENGTH + LENGTH_CODER_SIZE
const LITERAL_CODER_SIZE = 0x300
/** lc + lp is at most 4 in LZMA2. */
const SIZE = LITERAL + (LITERAL_CODER_SIZE << 4)

const MIN_MATCH = 2

export class LzmaDecoder {
  readonly #probabilities = new Uint16Array(SIZE)
  #state = 0
  #rep0 = 0
  #rep1 = 0
  #rep2 = 0
  #rep3 = 0
  #literalContextBits = 0
  #literalPositionMask = 0
  #positionMask = 0

  #input: Uint8Array = new Uint8Array(0)
  #at = 0
  #range = 0
  #code = 0

  /** Takes the properties byte; false where it cannot be. */
  setProperties(value: number): boolean {
    const literalContextBits = value % 9
    const rest = Math.floor(value / 9)
    const literalPositionBits = rest % 5
    const positionBits = Math.floor(rest / 5)
    if (positionBits > 4 || literalContextBits + literalPositionBits > 4) return false
    this.#literalContextBits = literalContextBits
    this.#literalPositionMask = (1 << literalPositionBits) - 1
    this.#positionMask = (1 << positionBits) - 1
    return true
  }

  resetState(): void {
    this.#probabilities.fill(BIT_MODEL_TOTAL / 2)
    this.#state = 0
    this.#rep0 = this.#rep1 = this.#rep2 = this.#rep3 = 0
  }

  /** Begins a chunk; false for what is none. */
  begin(input: Uint8Array): boolean {
    // The first byte of a range coder is 0.
    if (input.length < 5 || input[0] !== 0) return false
    this.#input = input
    this.#code = ((input[1]! << 24) | (input[2]! << 16) | (input[3]! << 8) | input[4]!) >>> 0
    this.#range = 0xffffffff
    this.#at = 5
    return true
  }

  /**
   * Goes on with the chunk, into `window` from `start` on: up to `pause`, or a little further, and to `end` at most,
   * which is its length. Copies may reach back to `first`. `counted` is how many bytes the dictionary had before
   * `start`. Gives how far it came; −1 where the chunk cannot be decoded.
   */
  run(window: Uint8Array, start: number, pause: number, end: number, first: number, counted: number): number {
    const probabilities = this.#probabilities
    let to = start
    while (to < pause) {
      const position = counted + (to - start)
      const positionState = position & this.#positionMask
      if (this.#bit(IS_MATCH + this.#state * POSITION_STATES + positionState) === 0) {
        const previous = to > first ? window[to - 1]! : 0
        const context =
          ((position & this.#literalPositionMask) << this.#literalContextBits) +
          (previous >> (8 - this.#literalContextBits))
        const coder = LITERAL + LITERAL_CODER_SIZE * context
        if (this.#state < 7) {
          window[to++] = this.#literal(probabilities, coder)
        } else {
          if (to - this.#rep0 - 1 < first) return -1
          window[to] = this.#matchedLiteral(coder, window[to - this.#rep0 - 1]!)
          to++
        }
        this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6
        continue
      }
      let length: number
      if (this.#bit(IS_REP + this.#state) === 0) {
        this.#rep3 = this.#rep2
        this.#rep2 = this.#rep1
        this.#rep1 = this.#rep0
        length = this.#length(MATCH_LENGTH, positionState)
        this.#rep0 = this.#distance(length)
        this.#state = this.#state < 7 ? 7 : 10
      } else {
        if (to === first) return -1
        if (this.#bit(IS_REP_0 + this.#state) === 0) {
          if (this.#bit(IS_REP_0_LONG + this.#state * POSITION_STATES + positionState) === 0) {
            this.#state = this.#state < 7 ? 9 : 11
            if (to - this.#rep0 - 1 < first) return -1
            window[to] = window[to - this.#rep0 - 1]!
            to++
            continue
          }
        } else this.#chooseRep()
        length = this.#length(REP_LENGTH, positionState)
        this.#state = this.#state < 7 ? 8 : 11
      }
      length += MIN_MATCH
      const distance = this.#rep0 + 1
      let from = to - distance
      // A chunk of LZMA2 ends with a match; there is no mark for its end.
      if (from < first || length > end - to) return -1
      if (distance >= length && length > 16) {
        window.copyWithin(to, from, from + length)
        to += length
      } else for (const stop = to + length; to < stop; ) window[to++] = window[from++]!
    }
    return to
  }

  /** Whether the chunk is used up, and ends as one must. */
  finish(): boolean {
    if (this.#range < TOP) this.#normalise()
    return this.#code === 0 && this.#at === this.#input.length
  }

  #normalise(): void {
    this.#range = (this.#range << 8) >>> 0
    this.#code = ((this.#code << 8) | (this.#input[this.#at++] ?? 0)) >>> 0
  }

  #bit(index: number): number {
    if (this.#range < TOP) this.#normalise()
    const probability = this.#probabilities[index]!
    const bound = (this.#range >>> 11) * probability
    if (this.#code < bound) {
      this.#range = bound
      this.#probabilities[index] = probability + ((BIT_MODEL_TOTAL - probability) >> MOVE_BITS)
      return 0
    }
    this.#range -= bound
    this.#code -= bound
    this.#probabilities[index] = probability - (probability >> MOVE_BITS)
    return 1
  }

  /** Eight bits by a tree: the most frequent thing there is, so its bits are not decoded by calls. */
  #literal(probabilities: Uint16Array, coder: number): number {
    let range = this.#range
    let code = this.#code
    let symbol = 1
    do {
      if (range < TOP) {
        range = (range << 8) >>> 0
        code = ((code << 8) | (this.#input[this.#at++] ?? 0)) >>> 0
      }
      const probability = probabilities[coder + symbol]!
      const bound = (range >>> 11) * probability
      if (code < bound) {
        range = bound
        probabilities[coder + symbol] = probability + ((BIT_MODEL_TOTAL - probability) >> MOVE_BITS)
        symbol <<= 1
      } else {
        range -= bound
        code -= bound
        probabilities[coder + symbol] = probability - (probability >> MOVE_BITS)
        symbol = (symbol << 1) | 1
      }
    } while (symbol < 0x100)
    this.#range = range
    this.#code = code
    return symbol & 0xff
  }

  /** A literal after a match is coded by how it differs from the byte that would have come next. */
  #matchedLiteral(coder: number, expected: number): number {
    let symbol = 1
    let match = expected
    do {
      const matchBit = (match >> 7) & 1
      match <<= 1
      const bit = this.#bit(coder + ((1 + matchBit) << 8) + symbol)
      symbol = (symbol << 1) | bit
      if (matchBit !== bit) {
        while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(coder + symbol)
        break
      }
    } while (symbol < 0x100)
    return symbol & 0xff
  }

  /** Moves one of the three older distances to the front. */
  #chooseRep(): void {
    let distance: number
    if (this.#bit(IS_REP_1 + this.#state) === 0) distance = this.#rep1
    else {
      if (this.#bit(IS_REP_2 + this.#state) === 0) distance = this.#rep2
      else {
        distance = this.#rep3
        this.#rep3 = this.#rep2
      }
      this.#rep2 = this.#rep1
    }
    this.#rep1 = this.#rep0
    this.#rep0 = distance
  }

  #tree(base: number, bits: number): number {
    let symbol = 1
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(base + symbol)
    return symbol - (1 << bits)
  }

  #reverseTree(base: number, bits: number): number {
    let node = 1
    let value = 0
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(base + node)
      node = (node << 1) | bit
      value |= bit << i
    }
    return value
  }

  #length(coder: number, positionState: number): number {
    if (this.#bit(coder) === 0) return this.#tree(coder + 2 + positionState * 8, 3)
    if (this.#bit(coder + 1) === 0) return 8 + this.#tree(coder + 2 + (POSITION_STATES + positionState) * 8, 3)
    return 16 + this.#tree(coder + 2 + POSITION_STATES * 16, 8)
  }

  #distance(length: number): number {
    const slot = this.#tree(DISTANCE_SLOT + Math.min(length, 3) * 64, 6)
    if (slot < 4) return slot
    const directBits = (slot >> 1) - 1
    const base = (2 | (slot & 1)) * 2 ** directBits
    if (slot < 14) return base + this.#reverseTree(DISTANCE_SPECIAL + base - slot, directBits)
    let direct = 0
    for (let i = 4; i < directBits; i++) {
      if (this.#range < TOP) this.#normalise()
      this.#range >>>= 1
      if (this.#code >= this.#range) {
        this.#code -= this.#range
        direct = direct * 2 + 1
      } else direct *= 2
    }
    return base + direct * 16 + this.#reverseTree(DISTANCE_ALIGN, 4)
  }
}
