import { describe, expect, it } from 'vitest'
import { parseContentRange, rangeHeader } from '../../src/remote/content-range.ts'
import { isHeldUpByNetwork } from '../../src/remote/object-feed.ts'
import { MAX_GAP_BYTES, planRanges } from '../../src/remote/ranges.ts'

const MB = 1024 * 1024
const plan = (ranges: [number, number][], partBytes = 8 * MB) =>
  planRanges(
    ranges.map(([start, end]) => ({ start, end })),
    100 * MB,
    partBytes,
    'x',
  ).map(({ start, end, parts }) => [start, end, parts.map(({ index }) => index)])

describe('ranges', () => {
  it('become one request where they lie close together, and stay apart where they do not', () => {
    expect(plan([[0, 10], [10, 20]])).toEqual([[0, 20, [0, 1]]]) // biome-ignore format: pairs
    expect(plan([[50, 60], [0, 10], [5, 55]])).toEqual([[0, 60, [1, 2, 0]]]) // biome-ignore format: pairs
    const gap = 10 + MAX_GAP_BYTES
    expect(plan([[0, 10], [gap, gap + 1]])).toEqual([[0, gap + 1, [0, 1]]]) // biome-ignore format: pairs
    expect(plan([[0, 10], [gap + 1, gap + 2]])).toEqual([[0, 10, [0]], [gap + 1, gap + 2, [1]]]) // biome-ignore format: pairs
    expect(plan([])).toEqual([])
    expect(plan([[5, 5]])).toEqual([])
  })

  it('become several requests of about the same size where they are large', () => {
    expect(plan([[0, 250], [240, 300]], 100)).toEqual([[0, 100, [0]], [100, 200, [0]], [200, 300, [0, 1]]]) // biome-ignore format: pairs
    expect(plan([[0, 101]], 100)).toEqual([[0, 51, [0]], [51, 101, [0]]]) // biome-ignore format: pairs
  })

  it.each([[[0, 100 * MB + 1]], [[5, 4]], [[-1, 4]], [[0.5, 4]], [[0, Number.NaN]]])('are refused: %j', range => {
    expect(() => plan([range as [number, number]])).toThrow(expect.objectContaining({ code: 'SOURCE_FAILED' }))
  })
})

describe('Content-Range', () => {
  it.each([
    ['bytes 0-0/10', { start: 0, end: 1, total: 10 }],
    ['bytes 5-9/*', { start: 5, end: 10, total: undefined }],
    ['BYTES 5-9/10 ', { start: 5, end: 10, total: 10 }],
    ['bytes 5-10/10', undefined],
    ['bytes 5-4/10', undefined],
    ['bytes */10', undefined],
    ['items 0-1/2', undefined],
    ['', undefined],
    [null, undefined],
  ])('%j is %j', (text, range) => expect(parseContentRange(text)).toEqual(range))

  it('is asked for by Range', () => {
    expect([rangeHeader(0, undefined), rangeHeader(7, undefined), rangeHeader(0, 1), rangeHeader(7, 9)]).toEqual([
      undefined,
      'bytes=7-',
      'bytes=0-0',
      'bytes=7-8',
    ])
  })
})

describe('more connections', () => {
  it.each<[string, number, number, number, boolean]>([
    ['a slow network', 8 * MB, 900, 1000, true],
    ['a quick network', 8 * MB, 100, 120, false],
    ['a slow consumer', 8 * MB, 400, 1000, false],
    ['a network and a consumer that are both slow', 8 * MB, 4000, 10_000, false],
    ['no wait at all', 8 * MB, 0, 0, false],
  ])('for %s', (_, bytes, waitedMs, elapsedMs, wanted) => {
    expect(isHeldUpByNetwork(bytes, waitedMs, elapsedMs)).toBe(wanted)
  })
})
