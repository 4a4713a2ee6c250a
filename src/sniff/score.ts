/** How well a dialect fits: the regularity of the rows times the sense that the cells make. */
import { CELL_WEIGHT, type CellKinds } from './cells.ts'
import type { Scan, ScannedRow, TrialDialect } from './scan.ts'

/** The table that a scan shows: which rows belong to it, and how well it fits. */
export interface Fit {
  readonly dialect: TrialDialect
  readonly scan: Scan
  /** Fields of most rows. */
  readonly width: number
  /** The rows of the table, from its header on, without comments. */
  readonly rows: readonly ScannedRow[]
  /** Rows before it, comments not counted. */
  readonly preamble: number
  /** Comment rows within the table, and before it. */
  readonly comments: { readonly inside: number; readonly before: number }
  /** Share of the rows that have `width` fields. */
  readonly regularity: number
  /** Mean weight of the cells. */
  readonly sense: number
  /** 0 to 1. */
  readonly score: number
}

/** Rows of which the cells are looked at. */
const MAX_ROWS = 300

const MAX_PREAMBLE = 40

/** Delimiters by how often they are meant when they fit as well as another. */
const PRIOR: Readonly<Record<string, number>> = {
  ',': 1,
  '\t': 1,
  ';': 1,
  '|': 0.98,
  '': 1,
  '\x01': 1,
  '\x1e': 1,
  '\x1f': 1,
  ':': 0.65,
  ' ': 0.72,
}
const OTHER_PRIOR = 0.75
/** Rows below which a delimiter that is rarely meant needs more than its regularity. */
const FEW_ROWS = 3

/** One column fits any text; anything that is regular is better. */
const ONE_COLUMN = 0.42
/** A table of two columns could be chance more easily than one of ten. */
const patternOf = (width: number) => (width === 1 ? ONE_COLUMN : 1 - 0.6 / width)

/** Scores a scan. `complete`: whether its last row is whole. */
export function fit(dialect: TrialDialect, scan: Scan, kinds: CellKinds, complete: boolean): Fit {
  const body = bodyOf(scan, dialect, kinds, complete)
  const { rows, width, preamble } = body
  let matching = 0
  for (const row of rows) if (row.cells.length === width) matching++
  const regularity = rows.length === 0 ? 0 : matching / rows.length
  const sense = senseOf(rows, width, dialect, kinds)
  const usual = PRIOR[dialect.delimiter] ?? OTHER_PRIOR
  const prior = usual < 0.9 && rows.length < FEW_ROWS ? usual * 0.6 : usual
  const skipped = rows.length === 0 ? 0 : preamble / (rows.length + preamble)
  // A single row after lines of another kind is hardly a table.
  const lone = rows.length === 1 && preamble > 0 ? 0.3 : 1
  const firstFits = rows.length > 0 && rows[0]!.cells.length === width ? 1 : 0.8
  const score =
    patternOf(width) *
    regularity ** 2 *
    firstFits *
    lone *
    sense ** 2 *
    prior *
    (1 - 0.8 * skipped) *
    tidiness(scan, dialect)
  return { dialect, scan, ...body, regularity, sense, score }
}

/** Which rows are the table: from the first that has the width of most, unless too little is left. */
function bodyOf(scan: Scan, dialect: TrialDialect, kinds: CellKinds, complete: boolean) {
  let all = scan.rows
  // The last row of a cut sample has lost its end.
  if (!complete && all.length > 1) all = all.slice(0, -1)
  const width = usualWidth(all)
  const header = hashedHeader(all, width, kinds)
  const isComment = (row: ScannedRow) => row.comment && row !== header
  let start = 0
  if (width > 1 || dialect.delimiter === '') {
    const first = all.findIndex((row, i) => row.cells.length === width && !isComment(row) && holds(all, i, width))
    // More than a page of other lines is no preamble but another table: nothing is passed over then.
    if (first > 0 && first <= MAX_PREAMBLE)
      start = first - (isOddHeader(all[first - 1]!, all[first]!, width, kinds) ? 1 : 0)
    if (width > 2) start += titleRows(all.slice(start), width, kinds)
  }
  const before = all.slice(0, start)
  const rows = all.slice(start).filter(row => !isComment(row))
  const preambleRows = before.filter(row => !isComment(row))
  return {
    width,
    rows,
    preamble: preambleRows.length,
    comments: { inside: all.length - start - rows.length, before: before.length - preambleRows.length },
  }
}

/** Whether a row of names stands right before a row of values, though it has more or fewer fields than that. */
function isOddHeader(row: ScannedRow, next: ScannedRow, width: number, kinds: CellKinds): boolean {
  const { cells, line, comment } = row
  if (comment || cells.length < Math.max(2, width * 0.4) || next.line !== line + 1) return false
  return !hasValue(row, kinds) && cells.filter(cell => cell.trim() !== '').length > 1 && hasValue(next, kinds)
}

function hasValue(row: ScannedRow, kinds: CellKinds): boolean {
  return row.cells.some(cell => ['number', 'time'].includes(kinds.of(cell.trim())))
}

/** Rows at the top with a title or nothing in them, padded with delimiters to the width of the table. */
function titleRows(rows: readonly ScannedRow[], width: number, kinds: CellKinds): number {
  const filled = (row: ScannedRow) => row.cells.filter(cell => cell.trim() !== '').length
  const isTitle = (row: ScannedRow) => !row.comment && filled(row) <= 1 && !hasValue(row, kinds)
  let titles = 0
  while (titles < Math.min(10, rows.length) && isTitle(rows[titles]!)) titles++
  const header = rows[titles]
  // A title stands above a header; above values it would be a record that lacks some.
  if (header === undefined || filled(header) < Math.max(2, width * 0.4) || hasValue(header, kinds)) return 0
  return titles
}

/** The last of the comment rows before the data, where it looks like a header: `#chrom start end`. */
function hashedHeader(rows: readonly ScannedRow[], width: number, kinds: CellKinds): ScannedRow | undefined {
  const data = rows.findIndex(row => !row.comment && row.cells.length === width)
  const row = data > 0 ? rows[data - 1] : undefined
  if (row === undefined || !row.comment || width === 1 || row.cells.length !== width) return undefined
  return hasValue(rows[data]!, kinds) ? row : undefined
}

/** Whether the table begins at row `at`: the row after it belongs to it as well. */
function holds(rows: readonly ScannedRow[], at: number, width: number): boolean {
  const next = rows.slice(at + 1, at + 4).filter(row => !row.comment)
  return next.length === 0 || next.some(row => row.cells.length === width)
}

function usualWidth(rows: readonly ScannedRow[]): number {
  const counts = new Map<number, number>()
  for (const row of rows) {
    if (!row.comment) counts.set(row.cells.length, (counts.get(row.cells.length) ?? 0) + 1)
  }
  let best = 1
  let most = 0
  for (const [width, count] of counts) {
    // A line of one cell may be anything: preamble, footer, a heading between two parts.
    const weight = width === 1 ? count * 0.5 : count
    if (weight > most || (weight === most && width > best)) {
      best = width
      most = weight
    }
  }
  return best
}

function senseOf(rows: readonly ScannedRow[], width: number, dialect: TrialDialect, kinds: CellKinds): number {
  let sum = 0
  let count = 0
  const suspicious = dialect.quote === '' ? /^["']|["']$/ : dialect.quote === '"' ? /^"|"$/ : /^["']|["']$/
  for (const row of rows.length > MAX_ROWS ? rows.slice(0, MAX_ROWS) : rows) {
    const { cells, quoted } = row
    // A row of another width says little about what its cells should be.
    const weight = cells.length === width ? 1 : 0.5
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!
      if (quoted[i] === true) sum += weight
      else if (suspicious.test(cell)) sum += weight * 0.1
      else sum += weight * CELL_WEIGHT[kinds.of(cell)]
      count += weight
    }
  }
  return count === 0 ? 0 : sum / count
}

/** How cleanly the quotes are used, from 0 to 1. */
function tidiness(scan: Scan, dialect: TrialDialect): number {
  if (dialect.quote === '') return 1
  const { quotedCells, faults, strays, unclosed } = scan
  const wrong = faults * 2 + strays * (dialect.quote === '"' ? 1 : 0.5)
  if (quotedCells === 0) return 0.2
  const clean = quotedCells / (quotedCells + wrong)
  return (0.4 + 0.6 * clean) * (unclosed > 2000 ? 0.3 : 1) * (dialect.quote === '"' ? 1 : 0.96)
}
