/** Ranges of bytes: which requests fetch them. */
import { createError } from '../core/errors.ts'
import type { ByteRange } from '../core/types.ts'

/** A request, and the ranges that are cut out of what it gives. */
export interface PlannedRange extends ByteRange {
  readonly parts: readonly PlannedPart[]
}

export interface PlannedPart {
  /** Which of the ranges asked for. */
  readonly index: number
  /** Where in the object this piece begins and ends. */
  readonly start: number
  readonly end: number
}

/** Two ranges with a gap up to this many bytes are fetched as one: a request costs more than the bytes. */
export const MAX_GAP_BYTES = 64 * 1024

/**
 * The requests for ranges, in the order of the object: ranges close to each other become one, and what is larger than
 * `partBytes` becomes several, to be fetched side by side. Throws SOURCE_FAILED for what is no range of the object.
 */
export function planRanges(
  ranges: readonly ByteRange[],
  total: number,
  partBytes: number,
  label: string,
): PlannedRange[] {
  for (const { start, end } of ranges) {
    if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start && end <= total) continue
    throw createError('SOURCE_FAILED', `${start} to ${end} is not a range of its ${total} bytes`, {
      label,
      expected: `0 <= start <= end <= ${total}`,
      found: `${start} to ${end}`,
    })
  }
  const sorted = ranges
    .map(({ start, end }, index) => ({ index, start, end }))
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start)
  const merged: { start: number; end: number; parts: PlannedPart[] }[] = []
  for (const part of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && part.start - last.end <= MAX_GAP_BYTES) {
      last.end = Math.max(last.end, part.end)
      last.parts.push(part)
    } else merged.push({ start: part.start, end: part.end, parts: [part] })
  }
  return merged.flatMap(range => divide(range, partBytes))
}

function divide(range: PlannedRange, partBytes: number): PlannedRange[] {
  const count = Math.ceil((range.end - range.start) / partBytes)
  if (count <= 1) return [range]
  const bytes = Math.ceil((range.end - range.start) / count)
  return Array.from({ length: count }, (_, i) => {
    const start = range.start + i * bytes
    const end = Math.min(start + bytes, range.end)
    const parts = range.parts
      .map(part => ({ index: part.index, start: Math.max(part.start, start), end: Math.min(part.end, end) }))
      .filter(part => part.end > part.start)
    return { start, end, parts }
  })
}
