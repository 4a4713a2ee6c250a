/** The sketches keep the errors that they promise, against exact counts of the same values; all seeds are fixed. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrequentItems } from '../../src/profile/frequent-items.ts'
import { hashNumber, hashText } from '../../src/profile/hash.ts'
import { HYPERLOGLOG_ERROR, HyperLogLog } from '../../src/profile/hyperloglog.ts'
import { KLL_ERROR, KllSketch } from '../../src/profile/kll.ts'
import { Moments } from '../../src/profile/moments.ts'
import { pearson } from '../../src/profile/pairs.ts'
import { createRandom } from '../../src/profile/random.ts'
import { RowCounter } from '../../src/profile/row-counter.ts'
import { RowSample } from '../../src/profile/row-sample.ts'
import { histogramOf, quantilesOf, roundUp, totalOf } from '../../src/profile/weighted-values.ts'

const seeds = Array.from({ length: 20 }, (_, i) => i + 1)
const normal = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** Streams whose shape is hard for quantiles: sorted, reversed, heavy tails, few values. */
const SHAPES: Record<string, (i: number, random: () => number, count: number) => number> = {
  uniform: (_, random) => random(),
  normal: (_, random) => normal(random),
  ascending: i => i,
  descending: (i, _, count) => count - i,
  'heavy tail': (_, random) => 1 / (1 - random()) ** 2,
  'few values': (_, random) => Math.floor(random() * 7),
  zigzag: i => (i % 2 === 0 ? i : -i),
}

describe('HyperLogLog', () => {
  it.each([0, 1, 10, 1000, 20_000, 300_000])('is within its error for %i values', count => {
    const errors = seeds.slice(0, count > 100_000 ? 4 : 20).map(seed => {
      const sketch = new HyperLogLog()
      for (let i = 0; i < count; i++) {
        const hash = i % 2 === 0 ? hashText(`${seed}-${i}`) : hashNumber(seed * 1e7 + i)
        sketch.add(hash)
        sketch.add(hash)
      }
      return Math.abs(sketch.estimate - count) / Math.max(1, count)
    })
    // 95 % confidence each: of twenty, two may be outside, and none far.
    expect(errors.filter(error => error > HYPERLOGLOG_ERROR).length).toBeLessThanOrEqual(2)
    expect(Math.max(...errors)).toBeLessThan(2 * HYPERLOGLOG_ERROR)
  })
})

describe('KLL', () => {
  it.each(Object.keys(SHAPES))('has ranks within its error for %s values', shape => {
    const count = 60_000
    let worst = 0
    let outside = 0
    for (const seed of seeds.slice(0, 5)) {
      const random = createRandom(seed)
      const values = Float64Array.from({ length: count }, (_, i) => SHAPES[shape]!(i, random, count))
      const sketch = new KllSketch(seed)
      for (const value of values) sketch.add(value)
      const list = sketch.values
      expect(totalOf(list)).toBe(count)
      const sorted = values.sort()
      for (const share of [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) {
        // The error that is promised is of ranks of values that are kept: between two of them any is a quantile.
        const value = list.values[indexAt(list.weights, share * count)]!
        const low = lowerBound(sorted, value) / count
        const high = upperBound(sorted, value) / count
        const error = share < low ? low - share : share > high ? share - high : 0
        worst = Math.max(worst, error)
        if (error > KLL_ERROR) outside++
      }
    }
    // 99 % confidence each, of 35.
    expect(outside).toBeLessThanOrEqual(1)
    expect(worst).toBeLessThan(2 * KLL_ERROR)
  })

  it('keeps few values, whatever their number', () => {
    const sketch = new KllSketch(1)
    for (let i = 0; i < 1_000_000; i++) sketch.add(i)
    expect(sketch.values.values.length).toBeLessThan(6000)
  })

  it('takes weights as if a value came so often', () => {
    const sketch = new KllSketch(1)
    for (let i = 0; i < 1000; i++) sketch.add(i, 1 + (i % 9))
    const expected = Array.from({ length: 1000 }, (_, i) => 1 + (i % 9)).reduce((a, b) => a + b)
    expect(totalOf(sketch.values)).toBe(expected)
  })
})

describe('FrequentItems', () => {
  it('has no count too high, none too low by more than its error, and the error within its bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.double({ min: 0.6, max: 1.6, noNaN: true }), (seed, skew) => {
        const random = createRandom(seed)
        const sketch = new FrequentItems<string>()
        const exact = new Map<string, number>()
        const count = 20_000
        for (let i = 0; i < count; i++) {
          const key = `k${Math.floor((1 / (1 - random())) ** (1 / skew))}`
          sketch.add(key)
          exact.set(key, (exact.get(key) ?? 0) + 1)
        }
        expect(sketch.error).toBeLessThanOrEqual((2 * count) / 512)
        const found = new Map(sketch.top(1000))
        for (const [key, times] of exact) {
          const least = found.get(key) ?? 0
          expect(least).toBeLessThanOrEqual(times)
          expect(least + sketch.error).toBeGreaterThanOrEqual(times)
        }
      }),
      { seed: 8, numRuns: 20 },
    )
  })

  it('is exact while there are few', () => {
    const sketch = new FrequentItems<number>()
    for (let i = 0; i < 5000; i++) sketch.add(i % 500)
    expect(sketch.error).toBe(0)
    expect(sketch.top(500).every(([, times]) => times === 10)).toBe(true)
  })
})

describe('RowCounter', () => {
  it('counts duplicates exactly up to its limit', () => {
    const counter = new RowCounter(1 << 12)
    for (let i = 0; i < 4096; i++) add(counter, i)
    for (let i = 0; i < 300; i++) add(counter, i % 100)
    expect(counter.isExact).toBe(true)
    expect(counter.duplicates).toEqual({ rows: 300, error: 0 })
  })

  it('finds none where there are none, and does not claim to have seen all', () => {
    const counter = new RowCounter(1 << 10)
    for (let i = 0; i < 100_000; i++) add(counter, i)
    expect(counter.isExact).toBe(false)
    const { rows, error } = counter.duplicates
    expect(rows).toBe(0)
    // A row that is kept stands for 128.
    expect(error).toBe(3 * 127)
  })

  it('is within its error beyond its limit', () => {
    const outside = seeds.filter(seed => {
      const counter = new RowCounter(1 << 10)
      for (let i = 0; i < 50_000; i++) add(counter, seed * 1e6 + (i % 40_000))
      const { rows, error } = counter.duplicates
      expect(error).toBeGreaterThan(0)
      expect(error).toBeLessThan(5000)
      return Math.abs(rows - 10_000) > error
    })
    // 95 % confidence each.
    expect(outside.length).toBeLessThanOrEqual(2)
  })

  function add(counter: RowCounter, value: number): void {
    const { high, low } = hashNumber(value)
    counter.add(high, low)
  }
})

describe('RowSample', () => {
  it('takes each row with the same probability', () => {
    const size = 200
    const rows = 20_000
    const sample = new RowSample(size)
    const kept = new Int32Array(size)
    for (let row = 0; row < rows; row++) {
      const place = sample.offer()
      if (place >= 0) kept[place] = row
    }
    expect(sample.size).toBe(size)
    expect(new Set(kept).size).toBe(size)
    // The mean of 200 uniform ranks has a standard deviation of 2 % of the range: five of them.
    const mean = kept.reduce((sum, row) => sum + row, 0) / size / rows
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.1)
    // And each fifth of the stream has its share.
    for (let part = 0; part < 5; part++) {
      const share = kept.filter(row => Math.floor((row * 5) / rows) === part).length
      expect(share).toBeGreaterThan(15)
      expect(share).toBeLessThan(65)
    }
  })
})

describe('exact figures', () => {
  it('mean and standard deviation are those of two passes, also beside a large offset', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1000, max: 1000, noNaN: true }), { minLength: 2, maxLength: 200 }),
        fc.constantFrom(0, 1e9),
        (raw, offset) => {
          const values = raw.map(value => value + offset)
          const moments = new Moments()
          for (const value of values) moments.add(value)
          const mean = values.reduce((sum, value) => sum + value, 0) / values.length
          const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
          expect(moments.mean).toBeCloseTo(mean, 5)
          expect(moments.standardDeviation).toBeCloseTo(Math.sqrt(variance), 3)
        },
      ),
      { seed: 8 },
    )
  })

  it('quantiles are those of the sorted values, interpolated', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 60 }), raw => {
        const sorted = raw.toSorted((a, b) => a - b)
        const values = [...new Set(sorted)]
        const weights = values.map(value => sorted.filter(one => one === value).length)
        const shares = [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1]
        const expected = shares.map(share => {
          const at = (sorted.length - 1) * share
          const low = sorted[Math.floor(at)]!
          return low + ((sorted[Math.floor(at) + 1] ?? low) - low) * (at - Math.floor(at))
        })
        for (const [i, value] of quantilesOf({ values, weights }, shares).entries()) {
          expect(value).toBeCloseTo(expected[i]!, 9)
        }
      }),
      { seed: 8 },
    )
  })

  it('a histogram has each value in its interval, and all of them once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 0, max: 9 })), {
          minLength: 1,
          maxLength: 100,
        }),
        fc.constantFrom(1, 0.001, 0.1),
        (raw, scale) => {
          const values = [...new Set(raw.map(value => value * scale))].sort((a, b) => a - b)
          const weights = values.map((_, i) => 1 + (i % 3))
          const { edges, counts, below, above } = histogramOf(
            { values, weights },
            { isWhole: scale === 1, round: roundUp, fromZero: true },
          )
          expect(counts.length).toBe(edges.length - 1)
          expect(counts.length).toBeLessThanOrEqual(26)
          expect(counts.reduce((sum, count) => sum + count, 0) + below + above).toBe(totalOf({ values, weights }))
          if (below + above > 0) return
          expect(edges[0]!).toBeLessThanOrEqual(values[0]! + 1e-9)
          expect(edges.at(-1)!).toBeGreaterThanOrEqual(values.at(-1)! - 1e-9)
        },
      ),
      { seed: 8 },
    )
  })

  it('a correlation is 1, -1, 0 or not defined where it must be', () => {
    const x = Float64Array.from([1, 2, 3, 4])
    expect(pearson(x, x, 4)).toBeCloseTo(1, 12)
    expect(
      pearson(
        x,
        x.map(value => 5 - 2 * value),
        4,
      ),
    ).toBeCloseTo(-1, 12)
    expect(pearson(x, Float64Array.from([1, -1, -1, 1]), 4)).toBeCloseTo(0, 12)
    expect(pearson(x, Float64Array.from([7, 7, 7, 7]), 4)).toBeNull()
    expect(pearson(x, Float64Array.from([1, Number.NaN, Number.NaN, 2]), 4)).toBeNull()
  })
})

/** The place of the value that the rank falls on. */
function indexAt(weights: readonly number[], rank: number): number {
  let before = 0
  for (const [i, weight] of weights.entries()) {
    before += weight
    if (before > rank) return i
  }
  return weights.length - 1
}

function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

function upperBound(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}
