/** Whether the first row of a table names its columns: names differ from values. */
import { type CellKind, type CellKinds, isTyped } from './cells.ts'
import type { ScannedRow } from './scan.ts'

export interface HeaderVerdict {
  readonly header: boolean
  readonly confidence: number
  readonly why: string
}

const MAX_ROWS = 200
/** Share of a column's values that must be of one kind for it to be a column of that kind. */
const MAIN_SHARE = 0.8

export function sniffHeader(rows: readonly ScannedRow[], width: number, kinds: CellKinds): HeaderVerdict {
  const first = rows[0]
  if (first === undefined) return { header: true, confidence: 0.1, why: 'there is no row' }
  const names = first.cells.map(cell => cell.trim())
  const nameKinds = names.map(name => kinds.of(name))
  const values = rows.slice(1, MAX_ROWS + 1).filter(row => row.cells.length === width)
  const value = names.find((_, i) => isPlainValue(nameKinds[i]!))
  if (value !== undefined) {
    if (isSeries(names, nameKinds)) {
      return { header: true, confidence: 0.75, why: 'the numbers in the first row follow one another, as years do' }
    }
    if (!isNamed(nameKinds, values, kinds)) {
      const why = `the first row has the value ${JSON.stringify(value)}, which names no column`
      return { header: false, confidence: 0.9, why }
    }
  }
  if (values.length === 0) {
    return { header: true, confidence: 0.5, why: 'the only row has no value that could not be a name' }
  }

  let typed = 0
  let evidence = 0
  for (let column = 0; column < width; column++) {
    const cells = values.map(row => row.cells[column]!.trim())
    const kind = mainKind(cells, kinds)
    const name = names[column] ?? ''
    const nameKind = nameKinds[column] ?? 'empty'
    if (kind !== undefined && isTyped(kind)) {
      if (nameKind === kind) evidence -= 1
      else if (name !== '') {
        typed++
        evidence += 1
      }
      continue
    }
    if (name === '') continue
    const repeated = cells.filter(cell => cell === name).length
    if (repeated > 0) evidence -= repeated > 1 || values.length < 20 ? 1 : 0.5
    else evidence += contrast(name, cells)
  }
  if (typed > 0 && evidence > 0) {
    const why = `${typed} of ${width} columns hold values such as numbers or dates, and the first row names there`
    return { header: true, confidence: Math.min(0.99, 0.8 + 0.05 * evidence), why }
  }
  const unique = new Set(names).size === names.length && !names.includes('')
  const score = evidence + (unique ? 0.3 : -0.6)
  if (score > -0.15) {
    const why = unique
      ? 'the first row could be names: they differ from each other and from the values'
      : 'the first row looks more like names than like values'
    return { header: true, confidence: Math.min(0.9, 0.5 + Math.max(0, score) * 0.2), why }
  }
  const why = 'the first row looks like the rows after it'
  return { header: false, confidence: Math.min(0.9, 0.5 - score * 0.15), why }
}

const isPlainValue = (kind: CellKind) => kind === 'number' || kind === 'time'

/** Whether names are followed by whole numbers in even steps (2019, 2020, …), as columns of a time series are called. */
function isSeries(names: readonly string[], nameKinds: readonly CellKind[]): boolean {
  const from = nameKinds.indexOf('number')
  const numbers = names.slice(from).map(Number)
  const step = numbers.length > 2 ? numbers[1]! - numbers[0]! : 0
  return (
    from > 0 && from <= 3 && step !== 0 && numbers.every((n, i) => Number.isInteger(n) && n === numbers[0]! + i * step)
  )
}

/** Whether some other column has a name that is none of its values: then a number may be a name as well. */
function isNamed(nameKinds: readonly CellKind[], values: readonly ScannedRow[], kinds: CellKinds): boolean {
  if (values.length < 2) return false
  return nameKinds.some((kind, column) => {
    if (kind !== 'word' && kind !== 'text') return false
    const main = mainKind(
      values.map(row => row.cells[column]!.trim()),
      kinds,
    )
    return main !== undefined && isTyped(main)
  })
}

/** The kind of most of a column's values; undefined where they are mixed, or all empty. */
function mainKind(cells: readonly string[], kinds: CellKinds): CellKind | undefined {
  const counts = new Map<CellKind, number>()
  let filled = 0
  for (const cell of cells) {
    const kind = kinds.of(cell)
    if (kind === 'empty' || kind === 'null') continue
    filled++
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  for (const [kind, count] of counts) if (count >= filled * MAIN_SHARE) return kind
  return undefined
}

/** How a text differs from the texts below it, from -0.5 to 1: in length, in the characters used, in letter case. */
function contrast(name: string, cells: readonly string[]): number {
  const filled = cells.filter(cell => cell !== '')
  if (filled.length === 0) return 0.2
  let sum = 0
  const lengths = new Set(filled.map(cell => cell.length))
  if (filled.length >= 3 && lengths.size === 1) sum += lengths.has(name.length) ? -0.2 : 0.5
  const withDigits = filled.filter(cell => /\d/.test(cell)).length
  if (withDigits > filled.length * 0.8) sum += /\d/.test(name) ? -0.3 : 0.4
  if (/^[a-z]+(?:[_ ][a-z\d]+)+$|^[a-z]+(?:[A-Z][a-z]+)+$/.test(name)) sum += 0.3
  const shape = shapeOf(name)
  const same = filled.filter(cell => shapeOf(cell) === shape).length
  sum += same < filled.length * 0.3 ? 0.2 : same > filled.length * 0.8 ? -0.1 : 0
  return Math.min(1, Math.max(-0.5, sum))
}

/** Letter case, as `A` (upper), `a` (lower), `Aa` (capitalised), or `?`. */
function shapeOf(text: string): string {
  if (!/\p{L}/u.test(text)) return '?'
  if (text === text.toLowerCase()) return 'a'
  if (text === text.toUpperCase()) return 'A'
  return /^\p{Lu}[^\p{Lu}]*$/u.test(text) ? 'Aa' : '?'
}
