/** What a text holds, by its content alone. */
import type { FormatCandidate } from './detection.ts'
import { type DialectVerdict, type GivenDialect, sniffDialect } from './dialect.ts'
import { sniffFixedWidth } from './fixed-width.ts'
import { countJsonLines, readJsonPrefix } from './json-text.ts'

/** The id under which text in columns of fixed widths is known. */
export const FIXED_WIDTH = 'fixed'

export interface Content {
  /** The most likely first. */
  readonly candidates: readonly FormatCandidate[]
  readonly dialect?: DialectVerdict
  /** What it is where it is no table, with an article. */
  readonly other?: { readonly title: string; readonly why: string }
}

/** From here on nothing is gained by looking at JSON as delimited text. */
const CERTAIN = 0.9

/** Looks at a text without a byte order mark. `delimitedText`: whether it is to be looked at as that in any case. */
export function sniffContent(text: string, complete: boolean, given: GivenDialect, delimitedText: boolean): Content {
  if (text.trim() === '') return { candidates: [] }
  const other = sniffMarkup(text)
  if (other !== undefined) return { candidates: [], other }
  const json = sniffJson(text, complete)
  if (!delimitedText && (json[0]?.confidence ?? 0) >= CERTAIN) return { candidates: json }
  const dialect = sniffDialect(text, complete, given)
  const candidates = [...json]
  if (dialect !== undefined) candidates.push(delimited(dialect, json[0]))
  const fixed = sniffFixedWidth(text, complete)
  if (fixed !== undefined) {
    const clear = dialect !== undefined && dialect.dialect.columnCount > 1 && !/[ :]/.test(dialect.dialect.delimiter)
    candidates.push({
      format: FIXED_WIDTH,
      confidence: fixed.confidence * (clear ? 1 - 0.9 * dialect.score : 1),
      why: `${fixed.lines} lines have ${fixed.columns} columns with blanks between them at the same positions`,
    })
  }
  candidates.sort((a, b) => b.confidence - a.confidence)
  return { candidates, ...(dialect === undefined ? {} : { dialect }) }
}

function delimited(verdict: DialectVerdict, json: FormatCandidate | undefined): FormatCandidate {
  const { dialect, score, rows, regular } = verdict
  // JSON has commas too, and lines of it may have as many.
  const left = json === undefined ? 1 : 1 - 0.9 * json.confidence
  const rare = [',', ';', '\t', '|', '\x01', '\x1e', '\x1f'].includes(dialect.delimiter) ? 1 : 0.65
  const why =
    dialect.columnCount === 1
      ? `${rows} ${rows === 1 ? 'row' : 'rows'} of one column`
      : `${regular} of ${rows} rows have ${dialect.columnCount} fields`
  return { format: 'csv', confidence: score * left * rare, why }
}

function sniffJson(text: string, complete: boolean): FormatCandidate[] {
  const first = text.trimStart()[0]
  if (first !== '{' && first !== '[') return []
  const { good, lines } = countJsonLines(text, complete)
  if (lines >= 2 && good >= Math.max(2, lines * 0.8)) {
    const confidence = good === lines ? 0.97 : 0.6 + 0.3 * (good / lines)
    return [{ format: 'jsonl', confidence, why: `${good} of ${lines} lines are JSON objects or arrays` }]
  }
  const prefix = readJsonPrefix(text)
  if (prefix === undefined) {
    if (good === 0) return []
    return [
      {
        format: 'jsonl',
        confidence: 0.5 * (good / lines),
        why: `${good} of ${lines} lines are JSON objects or arrays`,
      },
    ]
  }
  const { values, cut, multiline } = prefix
  if (values > 0 && cut && !multiline) {
    return [{ format: 'jsonl', confidence: 0.8, why: 'a line is a JSON value, and the next begins as one' }]
  }
  if (complete && cut)
    return [{ format: 'json', confidence: 0.6, why: 'the text begins as JSON, but ends within a value' }]
  if (values > 1) {
    return [
      { format: 'json', confidence: 0.9, why: `${values} JSON values follow one another, over several lines each` },
    ]
  }
  const what = first === '[' ? 'an array' : 'an object'
  if (first === '{' && !multiline) {
    // The same row either way, where it is one line; a document of one line would be longer.
    const short = values === 1 && !holdsRecords(text)
    const why =
      values === 1
        ? `one JSON object on one line${short ? '' : ', which holds arrays of objects'}`
        : 'an object of JSON on one line, as far as the sample goes'
    return [
      { format: short ? 'jsonl' : 'json', confidence: 0.6, why },
      { format: short ? 'json' : 'jsonl', confidence: 0.4, why },
    ]
  }
  return [
    { format: 'json', confidence: 0.95, why: `the text is ${what} of JSON${cut ? ', as far as the sample goes' : ''}` },
  ]
}

/** Whether an object has an array of objects among its values: then those are the rows, not the object. */
function holdsRecords(text: string): boolean {
  const value: unknown = JSON.parse(text)
  return Object.values(value as object).some(
    inner => Array.isArray(inner) && inner.length > 0 && typeof inner[0] === 'object' && inner[0] !== null,
  )
}

function sniffMarkup(text: string): Content['other'] {
  const start = text.slice(0, 4096).trimStart()
  if (!start.startsWith('<')) return undefined
  const tag = /^(?:<\?[^>]*\?>\s*|<!--[\s\S]*?-->\s*|<!doctype[^>]*>\s*)*<([A-Za-z][\w:.-]*)/i.exec(start)?.[1]
  if (
    /^(?:<!--[\s\S]*?-->\s*)*<!doctype html/i.test(start) ||
    /^(?:html|head|body|div|table|p|h1|center|script)$/i.test(tag ?? '')
  ) {
    const title = /<title[^>]*>([^<]*)/i.exec(text)?.[1]?.trim()
    const named = title === undefined || title === '' ? '' : `, titled ${JSON.stringify(title.slice(0, 60))}`
    return { title: 'an HTML page', why: `the text begins with <${tag ?? '!doctype html'}>${named}: an HTML page` }
  }
  if (tag === undefined && !start.startsWith('<?xml')) return undefined
  if (tag === 'svg') return { title: 'an SVG image', why: 'the text begins with <svg>: an SVG image' }
  if (!start.startsWith('<?xml') && !/^<[A-Za-z][\w:.-]*(?:\s[^<]*)?>/.test(start)) return undefined
  return { title: 'an XML document', why: `the first element is <${tag ?? '?'}>: an XML document` }
}
