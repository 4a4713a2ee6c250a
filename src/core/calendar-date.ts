/** A day without a time: what a column of type `date` holds. */

/**
 * A `Date` at midnight UTC of a day, that knows it is a day: `String(d)`, `JSON.stringify(d)` and every writer of this
 * library give `2024-02-29`, so that a date is written back as a date. All methods of `Date` work; those that do not
 * have UTC in their name answer in the machine's time zone, as of any `Date`: take `getUTCDate()` and the like.
 */
export class CalendarDate extends Date {
  /** @param day Text such as `'2024-02-29'`, or the milliseconds of a `Date` whose UTC day is meant. */
  constructor(day: string | number | Date) {
    super(day)
  }

  /** `'2024-02-29'`; `null` of an invalid date, as of any `Date`. */
  override toJSON(): string {
    if (Number.isNaN(this.getTime())) return super.toJSON()
    const text = this.toISOString()
    return text.slice(0, text.indexOf('T'))
  }

  override toString(): string {
    return Number.isNaN(this.getTime()) ? super.toString() : this.toJSON()
  }
}
