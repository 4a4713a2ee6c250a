/** Decimals → memory as DuckDB's vectors have it. */
import { FixedVector } from './writer-vectors.ts'

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/** A decimal as its digits without a point, and how many of them stand behind it; undefined for what is none. */
export function decimalOf(value: unknown): { readonly digits: bigint; readonly scale: number } | undefined {
  if (typeof value === 'bigint') return { digits: value, scale: 0 }
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  const text = String(value)
  const parts = text.length > 400 ? null : DECIMAL.exec(text)
  if (parts === null) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts
  if (whole + fraction === '' || exponent.length > 5) return undefined
  let scale = fraction.length - Number(exponent)
  let digits = BigInt(`${whole}${fraction}`)
  if (scale < -400 || scale > 400) return undefined
  if (scale < 0) {
    digits *= 10n ** BigInt(-scale)
    scale = 0
  }
  return { digits: sign === '-' ? -digits : digits, scale }
}

/** Decimals of up to 38 digits, of text, numbers and bigints. */
export class DecimalVector extends FixedVector {
  readonly #width: number
  readonly #scale: number
  readonly #limit: bigint
  #view = new DataView(new ArrayBuffer(0))

  constructor(width: number, scale: number) {
    super(width > 18 ? 16 : width > 9 ? 8 : width > 4 ? 4 : 2)
    this.#width = width
    this.#scale = scale
    this.#limit = 10n ** BigInt(width)
  }

  protected view(): void {
    this.#view = new DataView(this.memory)
  }

  append(values: readonly unknown[], from: number, end: number): number {
    this.reserve(this.length + end - from)
    let at = this.length
    let i = from
    for (; i < end; i++, at++) {
      const value = values[i]
      if (value === null || value === undefined) {
        this.validity.setNull(at, this.capacity)
        continue
      }
      const unscaled = this.#unscaled(value)
      if (unscaled === undefined) break
      if (this.#width > 18) {
        this.#view.setBigInt64(at * 16, BigInt.asIntN(64, unscaled), true)
        this.#view.setBigInt64(at * 16 + 8, unscaled >> 64n, true)
      } else if (this.#width > 9) this.#view.setBigInt64(at * 8, unscaled, true)
      else if (this.#width > 4) this.#view.setInt32(at * 4, Number(unscaled), true)
      else this.#view.setInt16(at * 2, Number(unscaled), true)
    }
    this.length = at
    return i
  }

  #unscaled(value: unknown): bigint | undefined {
    const decimal = decimalOf(value)
    if (decimal === undefined) return undefined
    let { digits } = decimal
    if (decimal.scale <= this.#scale) digits *= 10n ** BigInt(this.#scale - decimal.scale)
    else {
      const divisor = 10n ** BigInt(decimal.scale - this.#scale)
      // Zeros at the end are no digits that would be lost.
      if (digits % divisor !== 0n) return undefined
      digits /= divisor
    }
    return digits < this.#limit && digits > -this.#limit ? digits : undefined
  }
}
