/** The summary of dates and instants. */
import type { Numbers } from './number-sketch.ts'
import type { DateSummary } from './types.ts'
import { histogramOf, quantilesOf } from './weighted-values.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Widths of intervals that people count time in. */
const WIDTHS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map(count => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map(count => count * MINUTE),
  ...[1, 2, 3, 6, 12].map(count => count * HOUR),
  ...[1, 2, 7, 14, 30, 91, 182, 365, 730].map(count => count * DAY),
  // Of years as they are on average, in whole days.
  ...[5, 10, 20, 50, 100, 200, 500, 1000].map(count => Math.round(count * 365.2425) * DAY),
]

/** Undefined where there are none. `isDay`: whole days only. */
export function summarizeDates({ moments, list, accuracy }: Numbers, isDay: boolean): DateSummary | undefined {
  if (moments.count === 0) return undefined
  const text = (time: number): string => {
    const iso = new Date(time).toISOString()
    return isDay ? iso.slice(0, iso.indexOf('T')) : iso
  }
  const least = isDay ? DAY : 1
  const width = (wanted: number): number => Math.max(least, WIDTHS.find(one => one >= wanted) ?? wanted)
  return {
    count: moments.count,
    min: text(moments.min),
    max: text(moments.max),
    median: text(quantilesOf(list, [0.5])[0]!),
    histogram: histogramOf(list, { isWhole: true, round: width, fromZero: false }),
    accuracy,
  }
}
