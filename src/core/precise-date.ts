/** An instant that is finer than a `Date`: what a column of type `timestamp` holds where milliseconds are not enough. */

/**
 * A `Date` that also knows the nanoseconds within its millisecond. `toISOString()`, `String(d)`, `JSON.stringify(d)` and
 * so every writer of this library give them all: `2024-02-29T12:00:00.123456789Z`. Everything else is as of any `Date`,
 * which is the instant rounded down to the millisecond.
 */
export class PreciseDate extends Date {
  /** Nanoseconds since the millisecond began, 0 to 999,999. */
  readonly nanoseconds: number

  /** @param milliseconds Since 1970-01-01 in UTC, whole. @param nanoseconds Since then, 0 to 999,999, whole. */
  constructor(milliseconds: number, nanoseconds: number) {
    super(milliseconds)
    this.nanoseconds = nanoseconds
  }

  /** With six or nine digits of the second, as it takes; with three where there is nothing finer. */
  override toISOString(): string {
    return isoText(super.toISOString(), this.nanoseconds)
  }

  override toString(): string {
    return Number.isNaN(this.getTime()) ? super.toString() : this.toISOString()
  }
}

/** Puts nanoseconds behind the milliseconds of an ISO text that ends in Z. */
function isoText(text: string, nanoseconds: number): string {
  if (nanoseconds === 0) return text
  const digits = String(nanoseconds).padStart(6, '0')
  return `${text.slice(0, -1)}${digits.endsWith('000') ? digits.slice(0, 3) : digits}Z`
}
