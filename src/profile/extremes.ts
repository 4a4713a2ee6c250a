/** The least and the greatest values of a column, with their rows: what is far out can be told only at the end. */
import type { SuspiciousValue } from './types.ts'

const KEPT = 5

interface Extreme extends SuspiciousValue {
  readonly number: number
}

export class Extremes {
  /** The farthest first, each value once. */
  readonly #lowest: Extreme[] = []
  readonly #highest: Extreme[] = []

  /** `text` is asked for only of a value that is kept. */
  add(number: number, row: number, text: () => string): void {
    put(this.#lowest, number, row, text, (a, b) => a < b)
    put(this.#highest, number, row, text, (a, b) => a > b)
  }

  /** Those below `low` and above `high`, the farthest first. */
  outside(low: number, high: number): SuspiciousValue[] {
    return [
      ...this.#lowest.filter(one => one.number < low).map(one => ({ one, distance: low - one.number })),
      ...this.#highest.filter(one => one.number > high).map(one => ({ one, distance: one.number - high })),
    ]
      .sort((a, b) => b.distance - a.distance)
      .slice(0, KEPT)
      .map(({ one: { row, value } }) => ({ row, value }))
  }
}

function put(
  list: Extreme[],
  number: number,
  row: number,
  text: () => string,
  isFarther: (a: number, b: number) => boolean,
): void {
  if (list.length === KEPT && !isFarther(number, list[KEPT - 1]!.number)) return
  if (list.some(one => one.number === number)) return
  const at = list.findIndex(one => isFarther(number, one.number))
  list.splice(at < 0 ? list.length : at, 0, { number, row, value: text() })
  if (list.length > KEPT) list.pop()
}
