/**
 * Count, mean and variance of a stream, without the cancellation that a sum of squares has.
 *
 * @see Welford: Note on a method for calculating corrected sums of squares and products, Technometrics 1962; for weights:
 * West, CACM 1979.
 */
export class Moments {
  count = 0
  mean = 0
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY
  #squares = 0

  add(value: number, weight = 1): void {
    this.count += weight
    const delta = value - this.mean
    this.mean += (delta * weight) / this.count
    this.#squares += delta * (value - this.mean) * weight
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
  }

  /** Of the sample (by n − 1); undefined of less than two values. */
  get standardDeviation(): number | undefined {
    return this.count < 2 ? undefined : Math.sqrt(this.#squares / (this.count - 1))
  }
}
