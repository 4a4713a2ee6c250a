/** Which parts of a remote file are read one after the other, and what has to be fetched for each. */
import type { ByteRange } from '../../core/types.ts'
import type { FooterFigures, PlacedChunk } from './footer.ts'
import type { FileQuery } from './query.ts'
import type { ParquetReadOptions } from './read-options.ts'

/** Rows of the file, `end` exclusive; without `end`, to the end of the file. */
export interface RowRange {
  readonly start: number
  readonly end: number | undefined
}

/** Row groups that are queried together. */
export interface Window {
  /** Undefined: the whole file, whichever rows it turns out to have. */
  readonly rows: RowRange | undefined
  readonly ranges: readonly ByteRange[]
}

/** The first window is one row group, so that the first rows come soon; the others are at least so large. */
const WINDOW_BYTES = 8 * 2 ** 20

interface Group {
  start: number
  rows: number
  bytes: number
  readonly ranges: ByteRange[]
}

/** Whether rows can be picked by their number: not where a column of the file has the name that DuckDB gives it. */
export function hasNumbers({ columns }: FooterFigures): boolean {
  return !columns.some(({ name }) => name.toLowerCase() === 'file_row_number')
}

/** The rows behind an offset, so that the row groups before it are not decoded; undefined where that cannot be said. */
export function rowsBehind(
  figures: FooterFigures,
  query: FileQuery,
  { offset = 0 }: ParquetReadOptions,
): RowRange | undefined {
  if (offset === 0 || query.filtered || query.sorted || !hasNumbers(figures)) return undefined
  return { start: offset, end: undefined }
}

/** The windows of a query, in their order. One for all where rows are sorted, or counted behind a condition. */
export function planWindows(
  chunks: readonly PlacedChunk[],
  figures: FooterFigures,
  query: FileQuery,
  { limit, offset = 0 }: ParquetReadOptions,
  fileSize: number,
): Window[] {
  const groups: Group[] = []
  let last = -1
  for (const { rowGroup, rowGroupRows, column, chunk, bloomFilter } of chunks) {
    if (rowGroup !== last) {
      const before = groups.at(-1)
      groups.push({
        start: before === undefined ? 0 : before.start + before.rows,
        rows: rowGroupRows,
        bytes: 0,
        ranges: [],
      })
      last = rowGroup
    }
    const group = groups.at(-1)!
    const name = figures.columns[column]?.name
    if (query.needed !== undefined && name !== undefined && !query.needed.has(name)) continue
    group.ranges.push(chunk.bytes)
    group.bytes += chunk.bytes.end - chunk.bytes.start
    if (bloomFilter === undefined || !query.filtered) continue
    const { start, length } = bloomFilter
    // Where the length is not told, nobody knows it before its header is read: then all is fetched.
    if (length === 0) return [{ rows: undefined, ranges: [{ start: 0, end: fileSize }] }]
    group.ranges.push({ start, end: start + length })
  }
  if (query.sorted || !hasNumbers(figures) || (query.filtered && offset > 0)) {
    return [{ rows: undefined, ranges: groups.flatMap(({ ranges }) => ranges) }]
  }
  const from = query.filtered ? 0 : offset
  const to = query.filtered || limit === undefined ? Number.POSITIVE_INFINITY : offset + limit
  const wanted = groups.filter(({ start, rows }) => start + rows > from && start < to)
  const windows: { rows: RowRange; ranges: ByteRange[]; bytes: number }[] = []
  for (const { start, rows, ranges, bytes } of wanted) {
    const open = windows.length > 1 ? windows.at(-1) : undefined
    if (open !== undefined && open.bytes < WINDOW_BYTES) {
      open.rows = { start: open.rows.start, end: start + rows }
      open.ranges.push(...ranges)
      open.bytes += bytes
    } else windows.push({ rows: { start: Math.max(start, from), end: start + rows }, ranges: [...ranges], bytes })
  }
  // A footer that counts too few rows must not cost any.
  const end = windows.at(-1)
  if (end !== undefined && wanted.at(-1) === groups.at(-1)) end.rows = { start: end.rows.start, end: undefined }
  return windows.length > 0 ? windows : [{ rows: { start: from, end: undefined }, ranges: [] }]
}
