/** A forgiving reading of delimited text under one supposed dialect: what it finds wrong is counted, never thrown. */

/** A dialect that is tried out. */
export interface TrialDialect {
  /** `''` for one column. */
  readonly delimiter: string
  /** `''` for none. */
  readonly quote: string
  /** Whether a backslash makes the next character literal inside quotes. */
  readonly backslash: boolean
  /** `''` for none. */
  readonly comment: string
  /** Whether records end at CR or CRLF and a bare LF is data; otherwise they end at LF or CRLF, and a bare CR is. */
  readonly bareCr: boolean
}

export interface ScannedRow {
  readonly cells: readonly string[]
  /** Whether each cell was in quotes. */
  readonly quoted: readonly boolean[]
  /** Physical line on which the row begins, from 1. */
  readonly line: number
  /** Begins with the comment prefix; its cells are split without regard to quotes. */
  readonly comment: boolean
}

export interface Scan {
  /** Blank lines are left out. */
  readonly rows: readonly ScannedRow[]
  /** Cells that are wholly in quotes. */
  readonly quotedCells: number
  /** Quoted cells with spaces before their quote. */
  readonly paddedQuotes: number
  /** Closing quotes that something other than a delimiter or a line end follows. */
  readonly faults: number
  /** Quotes inside cells that did not begin with one. */
  readonly strays: number
  /** Quotes written twice inside quotes. */
  readonly doubled: number
  /** Quotes after a backslash inside quotes. */
  readonly backslashed: number
  /** Characters in a quoted cell that the text ends in, 0 where there is none. */
  readonly unclosed: number
  /** Line ends outside quotes. */
  readonly ends: { readonly lf: number; readonly crlf: number; readonly cr: number }
}

const CR = 13
const LF = 10
const SPACE = 32

/** Reads `text` under a dialect. A row that the text cuts off is kept. */
export function scan(text: string, dialect: TrialDialect): Scan {
  const { delimiter, quote, backslash, comment, bareCr } = dialect
  const rows: ScannedRow[] = []
  const ends = { lf: 0, crlf: 0, cr: 0 }
  let quotedCells = 0
  let paddedQuotes = 0
  let faults = 0
  let strays = 0
  let doubled = 0
  let backslashed = 0
  let unclosed = 0
  let line = 1
  let at = 0
  const length = text.length
  const delimiterCode = delimiter === '' ? -1 : delimiter.charCodeAt(0)
  const quoteCode = quote === '' ? -1 : quote.charCodeAt(0)
  const padding = delimiterCode !== SPACE

  const isEnd = (code: number, index: number) =>
    bareCr ? code === CR : code === LF || (code === CR && text.charCodeAt(index + 1) === LF)
  /** Passes a line end. */
  const passEnd = (): void => {
    if (at >= length) return
    if (text.charCodeAt(at) === CR) {
      if (text.charCodeAt(at + 1) === LF) {
        ends.crlf++
        at++
      } else ends.cr++
    } else ends.lf++
    at++
    line++
  }

  while (at < length) {
    const start = line
    if (comment !== '' && text.startsWith(comment, at)) {
      let end = at
      while (end < length && !isEnd(text.charCodeAt(end), end)) end++
      const raw = text.slice(at, end)
      const cells = delimiter === '' ? [raw] : raw.split(delimiter)
      rows.push({ cells, quoted: cells.map(() => false), line: start, comment: true })
      at = end
      passEnd()
      continue
    }
    const cells: string[] = []
    const quoted: boolean[] = []
    for (;;) {
      let begin = at
      if (padding && quoteCode >= 0) while (text.charCodeAt(begin) === SPACE) begin++
      if (quoteCode >= 0 && text.charCodeAt(begin) === quoteCode) {
        let close = begin + 1
        let plain = true
        for (;;) {
          const next = text.indexOf(quote, close)
          if (next < 0) {
            close = -1
            break
          }
          if (backslash && isEscaped(text, begin + 1, next)) {
            backslashed++
            plain = false
            close = next + 1
          } else if (text.charCodeAt(next + 1) === quoteCode && !(next === begin + 1 && endsCell(text, next + 2))) {
            doubled++
            plain = false
            close = next + 2
          } else {
            close = next
            break
          }
        }
        if (close < 0) {
          unclosed = length - begin
          cells.push(text.slice(begin + 1))
          quoted.push(true)
          at = length
          break
        }
        const inner = text.slice(begin + 1, close)
        for (let i = inner.indexOf('\n'); i >= 0; i = inner.indexOf('\n', i + 1)) line++
        let after = close + 1
        if (padding) while (text.charCodeAt(after) === SPACE) after++
        const code = text.charCodeAt(after)
        if (after >= length || code === delimiterCode || isEnd(code, after)) {
          cells.push(plain ? inner : inner.replaceAll(quote + quote, quote))
          quoted.push(true)
          quotedCells++
          if (begin > at) paddedQuotes++
          at = after
        } else {
          faults++
          let end = after
          while (end < length && text.charCodeAt(end) !== delimiterCode && !isEnd(text.charCodeAt(end), end)) end++
          cells.push(text.slice(begin, end))
          quoted.push(false)
          at = end
        }
      } else {
        let end = at
        let stray = false
        for (; end < length; end++) {
          const code = text.charCodeAt(end)
          if (code === delimiterCode || ((code === LF || code === CR) && isEnd(code, end))) break
          if (code === quoteCode) stray = true
        }
        if (stray) strays++
        cells.push(text.slice(at, end))
        quoted.push(false)
        at = end
      }
      if (at < length && text.charCodeAt(at) === delimiterCode) {
        at++
        if (at < length) continue
        cells.push('')
        quoted.push(false)
      }
      break
    }
    passEnd()
    if (cells.length > 1 || quoted[0] === true || cells[0]!.trim() !== '') {
      rows.push({ cells, quoted, line: start, comment: false })
    }
  }
  return { rows, quotedCells, paddedQuotes, faults, strays, doubled, backslashed, unclosed, ends }

  /** `""` before a delimiter or line end is an empty cell, not a quote written twice. */
  function endsCell(all: string, index: number): boolean {
    const code = all.charCodeAt(index)
    return index >= length || code === delimiterCode || isEnd(code, index)
  }
}

function isEscaped(text: string, from: number, at: number): boolean {
  let count = 0
  while (at - count > from && text.charCodeAt(at - count - 1) === 92) count++
  return count % 2 === 1
}
