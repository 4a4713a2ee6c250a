/** The `Content-Range` header (RFC 9110, 14.4). */

export interface ContentRange {
  readonly start: number
  /** Exclusive, unlike in the header. */
  readonly end: number
  /** Bytes in all; undefined where the header has `*`. */
  readonly total: number | undefined
}

/** What the header says; undefined for what is no such header, or has no range. */
export function parseContentRange(text: string | null | undefined): ContentRange | undefined {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(text?.trim() ?? '')
  if (match === null) return undefined
  const start = Number(match[1])
  const end = Number(match[2]) + 1
  const total = match[3] === '*' ? undefined : Number(match[3])
  if (end <= start || (total !== undefined && end > total)) return undefined
  return { start, end, total }
}

/** The value of `Range` for bytes from `start` to before `end`; undefined for all. */
export function rangeHeader(start: number, end: number | undefined): string | undefined {
  if (start === 0 && end === undefined) return undefined
  return `bytes=${start}-${end === undefined ? '' : end - 1}`
}
