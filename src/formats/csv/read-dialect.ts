/** What follows from the options of the CSV reader: the dialect with its defaults, and the engine that reads it. */

import type { CreateTypes } from '../../core/column-types.ts'
import { invalidOption } from '../../core/options.ts'
import { resolveTyping, type Typing } from '../../core/typing.ts'
import type { CsvReadOptions } from './read-options.ts'

/** What ends a line where LF, CR or CRLF do. */
export interface LineEnding {
  readonly end: '\n' | '\r'
  /** Whether CRLF is one line end too; otherwise its other half is data. */
  readonly pair: boolean
}

/** The options with their defaults in place. */
export interface ReadDialect {
  readonly engine: 'native' | 'csv-parse'
  readonly delimiters: readonly string[]
  readonly quote: string | null
  readonly escape: string | null
  /** `null`: to be discovered. */
  readonly recordDelimiters: readonly string[] | null
  readonly comment: string | null
  readonly commentNoInfix: boolean
  readonly ltrim: boolean
  readonly rtrim: boolean
  readonly relaxQuotes: boolean
  readonly relaxLess: boolean
  readonly relaxMore: boolean
  readonly extraKey: string
  readonly skipEmptyLines: boolean | undefined
  readonly skipRecordsWithEmptyValues: boolean
  readonly fromLine: number
  readonly maxRecordBytes: number
  readonly header: boolean | readonly string[]
  readonly headerLines: number
  readonly headerSeparator: string
  readonly columns: readonly string[] | null
  readonly duplicateColumns: 'rename' | 'error'
  readonly encodingErrors: 'raise' | 'replace'
  readonly onRecord: CsvReadOptions['onRecord']
  /** `null`: all fields are text, and none is null. */
  readonly typing: Typing | null
  /** Set where there is `typing`: what that needs is loaded only then. */
  readonly createTypes?: CreateTypes
}

/** Puts the defaults in place and chooses the engine. Throws `OPTION_INVALID` for options that contradict each other. */
export function resolveReadOptions(options: CsvReadOptions): ReadDialect {
  const relax = options.relax ?? false
  const relaxCount = options.relaxColumnCount ?? relax
  const quote = options.quote === undefined ? '"' : options.quote
  const resolved = {
    delimiters: list(options.delimiter) ?? [','],
    quote,
    escape: options.escape === undefined ? quote : options.escape,
    // The longest first, so that CRLF is not taken for a CR and a record that begins with LF.
    recordDelimiters: list(options.recordDelimiter)?.sort((a, b) => b.length - a.length) ?? null,
    comment: options.comment ?? null,
    commentNoInfix: options.commentNoInfix ?? true,
    ltrim: options.ltrim ?? options.trim ?? false,
    rtrim: options.rtrim ?? options.trim ?? false,
    relaxQuotes: options.relaxQuotes ?? relax,
    relaxLess: options.relaxColumnCountLess ?? relaxCount,
    relaxMore: options.relaxColumnCountMore ?? relaxCount,
    extraKey: options.extraKey ?? '_extra',
    skipEmptyLines: options.skipEmptyLines,
    skipRecordsWithEmptyValues: options.skipRecordsWithEmptyValues ?? false,
    fromLine: options.fromLine ?? 1,
    maxRecordBytes: options.maxRecordBytes ?? 16_777_216,
    header: options.header ?? true,
    headerLines: options.headerLines ?? 1,
    headerSeparator: options.headerSeparator ?? ' ',
    columns: options.columns ?? null,
    duplicateColumns: options.duplicateColumns ?? 'rename',
    encodingErrors: options.encodingErrors ?? 'raise',
    onRecord: options.onRecord,
    typing: resolveTyping(options),
  }
  checkCharacters(resolved)
  checkHeader(resolved)
  const foreign = onlyCsvParse(resolved)
  if (foreign !== undefined && options.engine === 'native') {
    throw invalidOption('engine', `'auto' or 'csv-parse'`, 'native', `the native engine does not do ${foreign}`)
  }
  if (foreign === undefined && options.engine !== 'csv-parse') return { ...resolved, engine: 'native' }
  if (resolved.relaxQuotes && Buffer.byteLength(quote ?? '') > 1) {
    const hint = 'csv-parse, which has to read this dialect, would damage text after such a quote'
    throw invalidOption('relaxQuotes', 'false, as the quote is longer than one byte', true, hint)
  }
  return { ...resolved, engine: 'csv-parse' }
}

function list(value: string | readonly string[] | undefined): string[] | undefined {
  if (value === undefined) return undefined
  return typeof value === 'string' ? [value] : [...new Set(value)]
}

type Unresolved = Omit<ReadDialect, 'engine'>

function checkCharacters(dialect: Unresolved): void {
  const { delimiters, quote, escape, comment, recordDelimiters } = dialect
  const roles: [name: string, value: string][] = delimiters.map(value => ['delimiter', value])
  if (quote !== null) roles.push(['quote', quote])
  if (escape !== null && escape !== quote) {
    if (quote === null) throw invalidOption('escape', 'null, as quote is null', escape)
    roles.push(['escape', escape])
  }
  if (comment !== null) roles.push(['comment', comment])
  for (const value of recordDelimiters ?? []) roles.push(['recordDelimiter', value])
  const seen = new Map<string, string>()
  for (const [name, value] of roles) {
    const other = seen.get(value)
    if (other !== undefined) throw invalidOption(name, `something else than ${other}`, value)
    seen.set(value, name)
    if (/\p{Surrogate}/u.test(value)) throw invalidOption(name, 'whole characters, not half of a surrogate pair', value)
    if (recordDelimiters === null && /[\r\n]/.test(value)) {
      throw invalidOption(name, 'something without a line end', value, 'give recordDelimiter as well')
    }
  }
}

function checkHeader(dialect: Unresolved): void {
  const { header, headerLines, columns, typing } = dialect
  if (headerLines > 1 && header !== true) {
    throw invalidOption('headerLines', '1, as the header is not read from the input', headerLines)
  }
  if (header === false && typing !== null && typing.types.size > 0) {
    const hint = 'name the columns in header, or infer the types with cast'
    throw invalidOption(
      'types',
      'no value, as header is false and columns have no names',
      [...typing.types.keys()],
      hint,
    )
  }
  if (columns === null) return
  if (header === false)
    throw invalidOption('columns', 'no value, as header is false and columns have no names', columns)
  const twice = columns.find((name, i) => columns.indexOf(name) !== i)
  if (twice !== undefined) throw invalidOption('columns', 'each name once', columns)
}

/** What about the dialect is beyond the native engine, in words. */
function onlyCsvParse(dialect: Unresolved): string | undefined {
  const { delimiters, quote, escape } = dialect
  if (delimiters.length > 1) return 'several delimiters'
  if (delimiters[0]!.length > 1) return 'delimiters of several characters'
  if (quote !== null && quote.length > 1) return 'quotes of several characters'
  if (escape !== null && escape.length > 1) return 'escapes of several characters'
  if (dialect.comment !== null) return 'comments'
  if (dialect.ltrim || dialect.rtrim) return 'trimming'
  const { recordDelimiters } = dialect
  if (recordDelimiters !== null && lineEnding(recordDelimiters) === null) return 'this recordDelimiter'
  return undefined
}

/** The line ending that record delimiters amount to; `null` if they are something else. */
export function lineEnding(recordDelimiters: readonly string[]): LineEnding | null {
  const [first, second, third] = recordDelimiters
  if (third !== undefined) return null
  if (second === undefined) return first === '\n' || first === '\r' ? { end: first, pair: false } : null
  if (first !== '\r\n') return null
  return second === '\n' || second === '\r' ? { end: second, pair: true } : null
}

/** The record delimiters that csv-parse needs for a line ending. */
export function recordDelimitersOf(ending: LineEnding): string[] {
  return ending.pair ? ['\r\n', ending.end] : [ending.end]
}
