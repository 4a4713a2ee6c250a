/** Rows as a table of HTML or Markdown. */
import { checkOptions } from '../core/options.ts'
import { textOf } from '../profile/describe-value.ts'
import { escapeHtml, visible } from './escape.ts'
import { TABLE_OPTIONS, type TableOptions } from './options.ts'

type Rows = Iterable<object> | AsyncIterable<object>

interface Cells {
  readonly columns: readonly string[]
  /** Texts; null for what has no value. */
  readonly rows: readonly (readonly (string | null)[])[]
  /** By column: whether all values are numbers. */
  readonly isNumeric: readonly boolean[]
  /** Rows beyond `maxRows`. */
  readonly more: number
}

export async function renderHtmlTable(rows: Rows, options: TableOptions): Promise<string> {
  const { columns, rows: cells, isNumeric, more } = await cellsOf(rows, options, 'toHTML')
  const right = (i: number) => (isNumeric[i] ? ' align="right"' : '')
  const head = columns.map((name, i) => `<th scope="col"${right(i)}>${escapeHtml(name)}</th>`).join('')
  const lines = cells.map(
    line =>
      `<tr>${line.map((text, i) => `<td${right(i)}>${text === null ? '' : escapeHtml(text)}</td>`).join('')}</tr>`,
  )
  const foot = more === 0 ? '' : `<tfoot>\n<tr><td colspan="${columns.length}">${moreRows(more)}</td></tr>\n</tfoot>\n`
  return `<table>\n<thead>\n<tr>${head}</tr>\n</thead>\n<tbody>\n${lines.map(line => `${line}\n`).join('')}</tbody>\n${foot}</table>\n`
}

export async function renderMarkdownTable(rows: Rows, options: TableOptions): Promise<string> {
  const { columns, rows: cells, isNumeric, more } = await cellsOf(rows, options, 'toMarkdown')
  const line = (texts: readonly (string | null)[]) =>
    `| ${texts.map(text => escapeMarkdown(text ?? '')).join(' | ')} |\n`
  const rule = `| ${isNumeric.map(number => (number ? '---:' : '---')).join(' | ')} |\n`
  return line(columns) + rule + cells.map(line).join('') + (more === 0 ? '' : `\n${moreRows(more)}\n`)
}

const moreRows = (count: number): string => `… and ${count.toLocaleString('en')} more row${count === 1 ? '' : 's'}`

/** What Markdown makes something of gets a backslash, what HTML does a reference; a cell is one line. */
function escapeMarkdown(text: string): string {
  return visible(text)
    .replace(/[\\`*_[\]|~$]/g, character => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\n', '<br>')
    .replaceAll('\t', ' ')
}

/** Rows that are looked at for the columns. */
const ROWS_FOR_COLUMNS = 1000

async function cellsOf(rows: Rows, options: TableOptions, what: string): Promise<Cells> {
  checkOptions(options as Record<string, unknown>, [TABLE_OPTIONS], what)
  const { maxRows = Number.POSITIVE_INFINITY, maxCharacters = Number.POSITIVE_INFINITY, signal } = options
  const kept: object[] = []
  const names = new Set<string>()
  let more = 0
  signal?.throwIfAborted()
  for await (const row of rows) {
    signal?.throwIfAborted()
    if (kept.length >= maxRows) {
      more++
      continue
    }
    if (options.columns === undefined && kept.length < ROWS_FOR_COLUMNS)
      for (const name of namesOf(row)) names.add(name)
    kept.push(row)
  }
  // A reader knows its columns and their order, also without a row.
  const known = (rows as { readonly columns?: unknown }).columns
  const columns = options.columns ?? (Array.isArray(known) ? (known as string[]) : [...names])
  const places = columns.map(name =>
    Array.isArray(known) ? known.indexOf(name) : Number(/^column_(\d+)$/.exec(name)?.[1] ?? 0) - 1,
  )
  const isNumeric = columns.map(() => kept.length > 0)
  const lines = kept.map(row =>
    columns.map((name, i) => {
      const value = Array.isArray(row) ? row[places[i]!] : ownValue(row, name)
      if (value === null || value === undefined) return null
      if (typeof value !== 'number' && typeof value !== 'bigint') isNumeric[i] = false
      return cut(textOf(value), maxCharacters)
    }),
  )
  return { columns, rows: lines, isNumeric, more }
}

const namesOf = (row: object): string[] =>
  Array.isArray(row) ? row.map((_, i) => `column_${i + 1}`) : Object.keys(row)

const ownValue = (row: object, name: string): unknown =>
  Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined

function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const characters = [...text.slice(0, 2 * most)]
  return characters.length <= most && text.length <= 2 * most ? text : `${characters.slice(0, most - 1).join('')}…`
}
