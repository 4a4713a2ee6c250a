/** Medians, means, spread, and the line that fits best. */

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** @param {number[]} values */
export function geometricMean(values) {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}

/** Half of what lies between the least and the greatest, as a share of the median. @param {number[]} values */
export function relativeSpread(values) {
  return values.length < 2 ? 0 : (Math.max(...values) - Math.min(...values)) / 2 / median(values)
}

/**
 * The straight line through points by least squares, and how much of what varies it explains.
 * @param {{ x: number, y: number }[]} points
 * @returns {{ slope: number, intercept: number, r2: number }}
 */
export function fitLine(points) {
  const mean = pick => points.reduce((sum, point) => sum + pick(point), 0) / points.length
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)]
  const sum = term => points.reduce((total, point) => total + term(point), 0)
  const slope = sum(({ x, y }) => (x - meanX) * (y - meanY)) / sum(({ x }) => (x - meanX) ** 2)
  const intercept = meanY - slope * meanX
  const rest = sum(({ x, y }) => (y - intercept - slope * x) ** 2)
  return { slope, intercept, r2: 1 - rest / sum(({ y }) => (y - meanY) ** 2) }
}

/** The power of x with which y grows, by the line through the logarithms: 1 is linear, 2 is square. */
export function growthExponent(points) {
  return fitLine(points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }))).slope
}
