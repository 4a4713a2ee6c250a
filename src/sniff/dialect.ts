/**
 * The dialect of a delimited text. Every dialect that the characters of the sample allow is tried; the one wins whose
 * rows are the most regular and whose cells make the most sense (a consistency measure, after van den Burg, Nazábal and
 * Sutton, "Wrangling messy CSV files by detecting row and type patterns", 2019).
 */
import { CellKinds } from './cells.ts'
import { nameOfCharacter, nameOfTerminator, type SniffedDialect } from './detection.ts'
import { sniffHeader } from './header.ts'
import { scan, type TrialDialect } from './scan.ts'
import { type Fit, fit } from './score.ts'

/** What is settled before the sample is looked at: by the user, or by the extension. */
export interface GivenDialect {
  /** What separates fields. Default: sniffed. */
  readonly delimiter?: string | undefined
  /** What encloses a field; `null`: nothing does. Default: sniffed. */
  readonly quote?: string | null | undefined
  /** What makes a quote inside quotes literal. Default: sniffed. */
  readonly escape?: string | null | undefined
  /** What begins a comment line. Default: sniffed. */
  readonly comment?: string | undefined
  /** Whether the first record names the columns. Default: sniffed. */
  readonly header?: boolean | undefined
  /** Physical line, from 1, at which the header or, without one, the data begins. Default: sniffed. */
  readonly fromLine?: number | undefined
  /** What has the delimiter from, where not from the user: `.tsv`. */
  readonly impliedBy?: string | undefined
}

export interface DialectVerdict {
  readonly dialect: SniffedDialect
  /** How surely this is a table in this dialect. */
  readonly score: number
  readonly confidence: { delimiter: number; quote: number; header: number; fromLine: number }
  readonly evidence: readonly string[]
  /** Rows and how many of them have the fields of the dialect. */
  readonly rows: number
  readonly regular: number
}

const USUAL = [',', ';', '\t', '|', ':', ' ', '\x01', '\x1e', '\x1f']
const UNUSUAL = ['^', '~', '§', '¦', '¬', '¤', '†', '‡', '#', '*', '=', '&', '!', '\x1c', '\x1d', '\x02', '\x07']
const SEP_LINE = /^sep=(.)(?:\r\n|\n|\r)/i
/** What lines that are comments begin with. */
const COMMENTS = ['#', '//', '%', '--', '!', ';', '*']
/** Characters that candidates are scored on; the winner is then read over the whole sample. */
const SCORED_CHARACTERS = 24_000

export function sniffDialect(sample: string, complete: boolean, given: GivenDialect = {}): DialectVerdict | undefined {
  if (sample.trim() === '') return undefined
  const declared = given.delimiter === undefined && (given.fromLine ?? 1) === 1 ? SEP_LINE.exec(sample) : null
  if (declared !== null) {
    const inner = sniffDialect(sample, complete, { ...given, delimiter: declared[1]!, fromLine: 2 })
    if (inner === undefined) return undefined
    const why = `the first line, ${declared[0].trim()}, names the delimiter (as Excel writes it)`
    return { ...inner, evidence: [why, ...inner.evidence.slice(1)] }
  }
  const { text, offset } = fromLine(sample, given.fromLine ?? 1)
  const bareCr = endsInBareCr(text)
  const scored = text.length > SCORED_CHARACTERS ? wholeLines(text, SCORED_CHARACTERS, bareCr) : text
  const whole = complete && scored.length === text.length
  const kinds = new CellKinds()
  const fits = trials(scored, given, bareCr)
    .map(dialect => fit(dialect, scan(scored, dialect), kinds, whole))
    .filter(one => one.dialect.quote === '' || given.quote !== undefined || one.scan.quotedCells > 0)
    .sort((a, b) => b.score - a.score)
  const best = strictColumn(fits, kinds) ?? fits[0]
  if (best === undefined || best.rows.length === 0) return undefined
  const second = fits.find(({ dialect }) => dialect.delimiter !== best.dialect.delimiter && dialect.delimiter !== '')
  const final = scored.length === text.length ? best : fit(best.dialect, scan(text, best.dialect), kinds, complete)
  const found = verdict(final, second, text, offset, kinds, given)
  if (given.impliedBy === undefined || found.dialect.columnCount > 1) return found
  const free = sniffDialect(sample, complete, { ...given, delimiter: undefined, impliedBy: undefined })
  if (free === undefined || free.dialect.columnCount === 1) return found
  const { delimiter, columnCount } = free.dialect
  const better = `${nameOfCharacter(delimiter)} fits better: ${free.regular} of ${free.rows} rows have ${columnCount} fields`
  return { ...found, score: found.score / 2, evidence: [...found.evidence, better] }
}

/** The text from a physical line on. */
function fromLine(text: string, line: number): { text: string; offset: number } {
  let at = 0
  for (let passed = 1; passed < line; passed++) {
    const match = /\r\n|\n|\r/g
    match.lastIndex = at
    if (match.exec(text) === null) return { text: '', offset: line - 1 }
    at = match.lastIndex
  }
  return { text: at === 0 ? text : text.slice(at), offset: line - 1 }
}

/** As the CSV reader decides: by the first line end outside quotes. */
function endsInBareCr(text: string, quote = '"'): boolean {
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === quote) quoted = !quoted
    else if (!quoted && char === '\n') return false
    else if (!quoted && char === '\r') return i + 1 < text.length && text[i + 1] !== '\n'
  }
  return text.includes('\r') && !text.includes('\n')
}

function wholeLines(text: string, most: number, bareCr: boolean): string {
  const end = text.lastIndexOf(bareCr ? '\r' : '\n', most)
  return text.slice(0, end < most / 2 ? most : end + 1)
}

/** All dialects that the characters of the text allow. */
function trials(text: string, given: GivenDialect, bareCr: boolean): TrialDialect[] {
  const comment = given.comment ?? commentPrefix(text)
  const delimiters = given.delimiter !== undefined ? [given.delimiter] : delimitersIn(text)
  return delimiters.flatMap(delimiter =>
    quotesIn(text, delimiter, given).flatMap(quote => {
      const backslash = given.escape !== undefined ? given.escape === '\\' : quote !== '' && text.includes(`\\${quote}`)
      const ends = quote === "'" ? endsInBareCr(text, quote) : bareCr
      const dialect = { delimiter, quote, comment: comment === delimiter ? '' : comment, bareCr: ends }
      return backslash && given.escape === undefined
        ? [
            { ...dialect, backslash: true },
            { ...dialect, backslash: false },
          ]
        : [{ ...dialect, backslash }]
    }),
  )
}

function delimitersIn(text: string): string[] {
  const found = USUAL.filter(delimiter => text.includes(delimiter))
  const lines = text.split(/\r\n|\n|\r/).filter(line => line !== '')
  const common = UNUSUAL.filter(delimiter => {
    if (!text.includes(delimiter)) return false
    return lines.filter(line => line.includes(delimiter)).length >= lines.length * 0.8
  })
  return ['', ...found, ...common]
}

function quotesIn(text: string, delimiter: string, given: GivenDialect): string[] {
  if (given.quote !== undefined) return [given.quote ?? '']
  const quotes = ['']
  if (text.includes('"')) quotes.push('"')
  // An apostrophe is common in text; it may quote only where it opens a cell and closes one.
  const edge = delimiter === '' ? '' : escapeRegExp(delimiter)
  const opens = new RegExp(edge === '' ? "^ *'" : `(?:^|${edge}) *'`, 'm')
  const closes = new RegExp(edge === '' ? "' *\\r?$" : `' *(?:${edge}|\\r?$)`, 'm')
  if (text.includes("'") && opens.test(text) && closes.test(text)) quotes.push("'")
  return quotes
}

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** The prefix of lines that look like comments, `''` where there are none or more than of other lines. */
function commentPrefix(text: string): string {
  const lines = text.split(/\r\n|\n|\r/).filter(line => line !== '')
  for (const prefix of COMMENTS) {
    const count = lines.filter(line => line.startsWith(prefix)).length
    if (count > 0 && count <= lines.length * (prefix === '#' ? 0.95 : 0.6)) return prefix
  }
  return ''
}

/**
 * One column of dates, numbers, addresses or the like: their colons, spaces and slashes would make neat columns too.
 * Commas and semicolons are left to the score, as `1,5` may be two numbers.
 */
function strictColumn(fits: readonly Fit[], kinds: CellKinds): Fit | undefined {
  const one = fits.find(({ dialect }) => dialect.delimiter === '')
  const best = fits[0]
  if (one === undefined || best === undefined || best === one || ![' ', ':'].includes(best.dialect.delimiter))
    return undefined
  const cells = one.rows.slice(1).map(row => row.cells[0]!)
  const strict = cells.filter(cell => ['time', 'number', 'name'].includes(kinds.of(cell))).length
  return cells.length > 0 && strict >= cells.length * 0.9 ? one : undefined
}

function verdict(
  best: Fit,
  second: Fit | undefined,
  text: string,
  offset: number,
  kinds: CellKinds,
  given: GivenDialect,
): DialectVerdict {
  const { dialect, rows, width, scan: seen, preamble, comments } = best
  const evidence: string[] = []
  const regular = rows.filter(row => row.cells.length === width).length
  const delimiter = dialect.delimiter === '' ? ',' : dialect.delimiter
  const named = nameOfCharacter(delimiter)
  if (given.delimiter !== undefined) {
    evidence.push(
      `the delimiter ${named} ${given.impliedBy === undefined ? 'was given' : `follows from ${given.impliedBy}`}`,
    )
  }
  if (width > 1) {
    evidence.push(`${regular} of ${rows.length} rows have ${width} fields with ${named}`)
    if (second !== undefined && second.width > 1 && second.score > 0.2 * best.score) {
      const other = `${second.rows.filter(row => row.cells.length === second.width).length} of ${second.rows.length}`
      evidence.push(
        `${nameOfCharacter(second.dialect.delimiter)} fits less well: ${other} rows have ${second.width} fields`,
      )
    }
  } else evidence.push(`no delimiter splits the ${rows.length} rows regularly: one column`)

  const { quote, escape } = quotes(best, text, given, evidence)
  const recordDelimiter = terminator(best, evidence)
  const line = (rows[0]?.line ?? 1) + offset
  if (line > 1 && given.fromLine === undefined) {
    const what = [
      preamble > 0 ? count(preamble, 'line') : '',
      comments.before > 0 ? count(comments.before, 'comment line') : '',
    ].filter(part => part !== '')
    evidence.push(`the table begins at line ${line}, after ${what.length > 0 ? what.join(' and ') : 'blank lines'}`)
  }
  if (comments.inside > 0) {
    evidence.push(`${count(comments.inside, 'line')} within the table begin with ${dialect.comment}: comments`)
  }
  const header =
    given.header !== undefined
      ? { header: given.header, confidence: 1, why: `header: ${given.header} was given` }
      : sniffHeader(rows, width, kinds)
  evidence.push(header.header ? `header: ${header.why}` : `no header: ${header.why}`)
  if (seen.paddedQuotes > 0) evidence.push('spaces stand before quotes: to be trimmed on the left')

  const rival = second === undefined ? 0 : second.score / best.score
  const few = rows.length < 2 ? 0.5 : rows.length < 3 ? 0.8 : 1
  const sure = clamp((1 - 0.5 * rival) * best.regularity * few * (0.4 + 0.6 * best.sense))
  return {
    dialect: {
      delimiter,
      quote,
      escape,
      recordDelimiter,
      header: header.header,
      fromLine: given.fromLine ?? line,
      ...(comments.inside > 0 || given.comment !== undefined ? { comment: dialect.comment } : {}),
      ...(seen.paddedQuotes > 0 ? { ltrim: true } : {}),
      columnCount: width,
    },
    score: width > 1 ? sure : 0.3 * sure,
    confidence: {
      delimiter: given.delimiter !== undefined ? 1 : width > 1 ? sure : 0.3,
      quote: given.quote !== undefined ? 1 : seen.quotedCells > 0 ? sure : 0.5,
      header: header.confidence,
      fromLine: given.fromLine !== undefined ? 1 : line > 1 ? 0.7 * sure : 0.9,
    },
    evidence,
    rows: rows.length,
    regular,
  }
}

const clamp = (value: number) => Math.min(0.99, Math.max(0.01, value))
const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`

function quotes(best: Fit, text: string, given: GivenDialect, evidence: string[]) {
  const { dialect, scan: seen } = best
  const set = (quote: string | null, escape: string | null) => ({
    quote: given.quote !== undefined ? given.quote : quote,
    escape: given.escape !== undefined ? given.escape : escape,
  })
  if (dialect.quote === '') {
    // Without quotes in the text, the standard's are as good as any; with some that do not quote, none do.
    if (given.quote !== undefined || !text.includes('"')) return set('"', '"')
    evidence.push('quotes stand within fields, not around them: they are text')
    return set(null, null)
  }
  if (seen.quotedCells > 0) evidence.push(`${count(seen.quotedCells, 'field')} in ${dialect.quote} quotes`)
  const escape = dialect.backslash && seen.backslashed > 0 ? '\\' : dialect.quote
  if (escape === '\\') evidence.push(`a backslash stands before ${count(seen.backslashed, 'quote')} inside quotes`)
  else if (seen.doubled > 0) evidence.push(`${count(seen.doubled, 'quote')} inside quotes written twice`)
  return set(dialect.quote, escape)
}

function terminator(best: Fit, evidence: string[]): '\n' | '\r\n' | '\r' {
  const { lf, crlf, cr } = best.scan.ends
  const found = crlf > lf && crlf >= cr ? '\r\n' : cr > lf ? '\r' : '\n'
  if ([lf, crlf, cr].filter(n => n > 0).length > 1) {
    const all = [lf > 0 ? `${lf} LF` : '', crlf > 0 ? `${crlf} CRLF` : '', cr > 0 ? `${cr} CR` : ''].filter(
      part => part !== '',
    )
    evidence.push(`line ends are mixed: ${all.join(', ')}`)
  } else if (lf + crlf + cr > 0) evidence.push(`lines end with ${nameOfTerminator(found)}`)
  return found
}
