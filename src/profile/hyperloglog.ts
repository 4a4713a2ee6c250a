/**
 * How many different values there are, by 2^14 registers.
 *
 * @see Flajolet, Fusy, Gandouet, Meunier: HyperLogLog, AofA 2007; and for the estimator, which needs no tables: Ertl, New
 * cardinality estimation algorithms for HyperLogLog sketches, arXiv:1702.01284, algorithm 6.
 */
import type { Hash } from './hash.ts'

const PRECISION = 14
const REGISTERS = 1 << PRECISION
/** Bits of the hash that are left for the rank. */
const RANKS = 64 - PRECISION

/** Relative, at 95 % confidence: two standard errors of 1.04 / √registers. */
export const HYPERLOGLOG_ERROR = (2 * 1.04) / Math.sqrt(REGISTERS)

export class HyperLogLog {
  readonly #registers = new Uint8Array(REGISTERS)

  add({ high, low }: Hash): void {
    const register = high >>> (32 - PRECISION)
    const rest = (high << PRECISION) >>> 0
    const rank = rest !== 0 ? Math.clz32(rest) + 1 : 32 - PRECISION + Math.clz32(low) + 1
    if (rank > this.#registers[register]!) this.#registers[register] = rank
  }

  get estimate(): number {
    const counts = new Array<number>(RANKS + 2).fill(0)
    for (const rank of this.#registers) counts[rank]!++
    let z = REGISTERS * tau(1 - counts[RANKS + 1]! / REGISTERS)
    for (let rank = RANKS; rank >= 1; rank--) z = 0.5 * (z + counts[rank]!)
    z += REGISTERS * sigma(counts[0]! / REGISTERS)
    return REGISTERS ** 2 / (2 * Math.LN2 * z)
  }
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY
  let x = share
  let y = 1
  let z = x
  for (;;) {
    x *= x
    const before = z
    z += x * y
    y += y
    if (z === before) return z
  }
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let x = share
  let y = 1
  let z = 1 - x
  for (;;) {
    x = Math.sqrt(x)
    const before = z
    y *= 0.5
    z -= (1 - x) ** 2 * y
    if (z === before) return z / 3
  }
}
