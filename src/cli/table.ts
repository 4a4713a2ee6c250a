/** Rows as a table that fits the terminal. */
import { CalendarDate } from '../core/calendar-date.ts'
import { cut, printable, widthOf } from './printable.ts'

export { printable } from './printable.ts'

export interface TableOptions {
  readonly columns: readonly string[]
  /** Characters across. */
  readonly width: number
  readonly colors: boolean
}

const MAX_CELL = 40
const MIN_CELL = 12
const GAP = '  '

/** The table, and the columns that did not fit. */
export function renderTable(rows: readonly object[], options: TableOptions): { text: string; left: string[] } {
  const { head, lines, left } = layTable(rows, options)
  return { text: head + lines(rows), left }
}

/** A table of which only the first rows are known. */
export interface LaidTable {
  readonly head: string
  /** Rows as lines, cut to the widths that the first rows gave. */
  lines(rows: readonly object[]): string
  /** The columns that did not fit. */
  readonly left: string[]
}

/** Lays a table out by its first rows. */
export function layTable(first: readonly object[], { columns, width, colors }: TableOptions): LaidTable {
  const cellsOf = (row: object) =>
    columns.map((name, i) => cellOf(Array.isArray(row) ? row[i] : (row as Record<string, unknown>)[name]))
  const cells = first.map(cellsOf)
  const heads = columns.map(printable)
  const right = columns.map((_, i) => cells.length > 0 && cells.every(line => line[i]!.number || line[i]!.text === ''))
  const natural = columns.map((_, i) =>
    Math.min(
      MAX_CELL,
      cells.reduce((most, line) => Math.max(most, widthOf(line[i]!.text)), Math.max(widthOf(heads[i]!), 1)),
    ),
  )
  const { shown, widths } = fit(natural, width)
  const dim = (text: string) => (colors ? `\u001b[2m${text}\u001b[22m` : text)
  const bold = (text: string) => (colors ? `\u001b[1m${text}\u001b[22m` : text)
  const line = (texts: readonly string[], style: (text: string) => string = text => text) =>
    `${texts
      .map((text, k) => style(pad(cut(text, widths[k]!), widths[k]!, right[shown[k]!]!)))
      .join(GAP)
      .trimEnd()}\n`
  const names = shown.map(i => heads[i]!)
  return {
    head: `${line(names, bold)}${dim(widths.map(count => '─'.repeat(count)).join(GAP))}\n`,
    lines: rows =>
      rows
        .map(row => {
          const all = cellsOf(row)
          return line(shown.map(i => all[i]!.text))
        })
        .join(''),
    left: columns.filter((_, i) => !shown.includes(i)),
  }
}

/** How wide each column is, and which are shown, if not all fit: as many as do, from the left. */
function fit(natural: readonly number[], width: number): { shown: number[]; widths: number[] } {
  const shown = natural.map((_, i) => i)
  const least = (i: number) => Math.min(natural[i]!, MIN_CELL)
  const total = (widths: readonly number[]) => widths.reduce((sum, count) => sum + count + GAP.length, -GAP.length)
  while (shown.length > 1 && total(shown.map(least)) > width) shown.pop()
  const widths = shown.map(i => natural[i]!)
  while (total(widths) > width) {
    const widest = widths.indexOf(Math.max(...widths))
    if (widths[widest]! <= 1) break
    widths[widest]!--
  }
  return { shown, widths }
}

/** A value as a cell has it: on one line, and without what a terminal would obey. */
export function cellOf(value: unknown): { text: string; number: boolean } {
  if (value === null || value === undefined) return { text: '', number: false }
  if (typeof value === 'number' || typeof value === 'bigint') return { text: String(value), number: true }
  if (value instanceof CalendarDate) return { text: value.toString(), number: false }
  if (value instanceof Date)
    return { text: Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString(), number: false }
  if (value instanceof Uint8Array)
    return { text: `0x${Buffer.from(value.subarray(0, 20)).toString('hex')}`, number: false }
  if (typeof value === 'object') {
    const json = JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner))
    return { text: shortened(json ?? ''), number: false }
  }
  return { text: shortened(String(value)), number: false }
}

/** More than any cell shows: a cell may hold megabytes. */
const MAX_TEXT = 400

const shortened = (text: string): string => printable(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)

const pad = (text: string, width: number, right: boolean): string => {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)))
  return right ? blanks + text : text + blanks
}
