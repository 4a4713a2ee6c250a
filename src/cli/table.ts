/** Rows as a table that fits the terminal. */
import { CalendarDate } from '../core/calendar-date.ts'

export interface TableOptions {
  readonly columns: readonly string[]
  /** Characters across. */
  readonly width: number
  readonly colors: boolean
}

const MAX_CELL = 40
const MIN_CELL = 5
const GAP = '  '

/** The table, and the columns that did not fit. */
export function renderTable(
  rows: readonly object[],
  { columns, width, colors }: TableOptions,
): { text: string; left: string[] } {
  const cells = rows.map(row =>
    columns.map((name, i) => cellOf(Array.isArray(row) ? row[i] : (row as Record<string, unknown>)[name])),
  )
  const heads = columns.map(printable)
  const right = columns.map((_, i) => cells.length > 0 && cells.every(line => line[i]!.number || line[i]!.text === ''))
  const natural = columns.map((_, i) =>
    Math.min(MAX_CELL, Math.max(widthOf(heads[i]!), ...cells.map(line => widthOf(line[i]!.text)), 1)),
  )
  const { shown, widths } = fit(natural, width)
  const dim = (text: string) => (colors ? `\u001b[2m${text}\u001b[22m` : text)
  const bold = (text: string) => (colors ? `\u001b[1m${text}\u001b[22m` : text)
  const line = (texts: readonly string[], style: (text: string) => string) =>
    texts
      .map((text, k) => style(pad(cut(text, widths[k]!), widths[k]!, right[shown[k]!]!)))
      .join(GAP)
      .trimEnd()
  const lines = [
    line(
      shown.map(i => heads[i]!),
      bold,
    ),
    dim(widths.map(count => '─'.repeat(count)).join(GAP)),
    ...cells.map(all =>
      line(
        shown.map(i => all[i]!.text),
        text => text,
      ),
    ),
  ]
  return { text: `${lines.join('\n')}\n`, left: columns.filter((_, i) => !shown.includes(i)) }
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
    return { text: printable(json ?? ''), number: false }
  }
  return { text: printable(String(value)), number: false }
}

const ESCAPES: Record<string, string> = { '\n': '⏎', '\r': '␍', '\t': '⇥' }

/** Text without control characters: an escape sequence in a cell must not reach the terminal. */
export const printable = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    c => ESCAPES[c] ?? (c === '\u200d' ? c : `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`),
  )

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const NONE = /^(?:\p{Mn}|\p{Me}|\p{Cf})$/u

/** Columns of the terminal that a text takes, by the East Asian Width of its characters (Unicode UAX #11). */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) width += NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    const more = widthOf(character)
    if (used + more > width - 1) break
    kept += character
    used += more
  }
  return `${kept}…`
}

const pad = (text: string, width: number, right: boolean): string => {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)))
  return right ? blanks + text : text + blanks
}
