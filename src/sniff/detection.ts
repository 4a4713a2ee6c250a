/** What a look at the first bytes has found, and how it is printed. */
import { findCodec, findFormat } from '../registry.ts'

/** How the fields and records of a delimited text are written. `dialectOptions` makes options of the CSV reader of it. */
export interface SniffedDialect {
  /** One character. Where there is one column, `','`. */
  readonly delimiter: string
  /** `null`: quotes in the text do not quote. `'"'` where the sample has none. */
  readonly quote: string | null
  /** What makes a quote inside quotes literal: the quote itself (doubled) or a backslash; `null` where `quote` is. */
  readonly escape: string | null
  /** What ends a record; where the sample has several, the one that most records have. */
  readonly recordDelimiter: '\n' | '\r\n' | '\r'
  /** Whether the first record names the columns. */
  readonly header: boolean
  /** Physical line, from 1, at which the header or, without one, the data begins. */
  readonly fromLine: number
  /** What begins a comment line. Only where comment lines stand within the table: those before it `fromLine` passes. */
  readonly comment?: string
  /** Spaces stand between delimiters and quotes; without trimming, the quotes would be text. */
  readonly ltrim?: true
  /** Fields of a record. */
  readonly columnCount: number
}

/**
 * The options by which the CSV reader reads a dialect; those that are its defaults are left out, so that it stays with its
 * native engine where it can. Not `recordDelimiter`, which the reader discovers and then takes less strictly.
 */
export function dialectOptions(dialect: SniffedDialect): Readonly<Record<string, unknown>> {
  const { delimiter, quote, escape, header, fromLine, comment, ltrim } = dialect
  return {
    ...(delimiter === ',' ? {} : { delimiter }),
    ...(quote === '"' ? {} : { quote }),
    ...(escape === quote ? {} : { escape }),
    ...(header ? {} : { header }),
    ...(fromLine === 1 ? {} : { fromLine }),
    ...(comment === undefined ? {} : { comment }),
    ...(ltrim === undefined ? {} : { ltrim }),
  }
}

/** How sure each decided part is, from 0 (no more than a default) to 1 (certain). */
export interface Confidence {
  /** Of `format`. */
  readonly format?: number
  /** Of `codecs`. */
  readonly codecs?: number
  /** Of `encoding`. */
  readonly encoding?: number
  /** Of `dialect.delimiter`. */
  readonly delimiter?: number
  /** Of `dialect.quote`. */
  readonly quote?: number
  /** Of `dialect.header`. */
  readonly header?: number
  /** Of `dialect.fromLine`. */
  readonly fromLine?: number
}

/** A format that the content may be in. */
export interface FormatCandidate {
  /** The id of the format. */
  readonly format: string
  /** From 0 to 1. */
  readonly confidence: number
  /** A sentence for people. */
  readonly why: string
}

/** What a target is, as far as its name and its first bytes tell. */
export interface Detection {
  /** Id of the format; undefined where nothing decides it. Not all formats that are recognised are registered. */
  readonly format?: string
  /** Ids of the codecs, outermost first. Not all codecs that are recognised are registered. */
  readonly codecs: readonly string[]
  /** As `TextDecoder` names it. A guess has a confidence below 0.5 and is only reported. */
  readonly encoding?: string
  /** For delimited text. */
  readonly dialect?: SniffedDialect
  /** How sure each part is. */
  readonly confidence: Confidence
  /** What each decision rests on, in sentences for people. */
  readonly evidence: readonly string[]
  /** The formats that were considered, the most likely first. */
  readonly candidates: readonly FormatCandidate[]
  /** Why the content cannot be read as a table here: it is no table, or in a format or codec that nothing here reads. */
  readonly obstacle?: string
}

const NAMES: Readonly<Record<string, string>> = { '\t': 'tab', ' ': 'space' }

/** A delimiter or quote for people. */
export function nameOfCharacter(character: string): string {
  const code = character.codePointAt(0)!
  return NAMES[character] ?? (code < 32 ? `U+${code.toString(16).toUpperCase().padStart(4, '0')}` : character)
}

const TERMINATORS = { '\n': 'LF', '\r\n': 'CRLF', '\r': 'CR' } as const

/** The name of a record delimiter. */
export const nameOfTerminator = (terminator: '\n' | '\r\n' | '\r'): string => TERMINATORS[terminator]

/** A detection as text of several lines: what was decided, how surely, because of what, and what else it may be. */
export function formatDetection(detection: Detection): string {
  const { format, codecs, encoding, dialect, confidence, evidence, candidates, obstacle } = detection
  const lines: string[] = []
  const add = (name: string, value: string, sure?: number) =>
    lines.push(`${name.padEnd(10)}${value}${sure === undefined ? '' : ` (${sure.toFixed(2)})`}`)
  add('format', format === undefined ? 'unknown' : titled(format, findFormat(format)?.title), confidence.format)
  if (codecs.length > 0) add('codecs', codecs.join(', then '), confidence.codecs)
  if (encoding !== undefined) add('encoding', encoding, confidence.encoding)
  if (dialect !== undefined) {
    const { delimiter, quote, escape, recordDelimiter, header, fromLine, comment, ltrim, columnCount } = dialect
    add('columns', String(columnCount))
    add('delimiter', nameOfCharacter(delimiter), confidence.delimiter)
    add('quote', quote === null ? 'none' : quote, confidence.quote)
    if (quote !== null) add('escape', escape === quote ? 'doubled quote' : String(escape))
    add('records', `end with ${nameOfTerminator(recordDelimiter)}`)
    add('header', header ? 'yes' : 'no', confidence.header)
    if (fromLine > 1) add('from line', String(fromLine), confidence.fromLine)
    if (comment !== undefined) add('comment', comment)
    if (ltrim === true) add('ltrim', 'yes')
  }
  if (obstacle !== undefined) add('obstacle', obstacle)
  for (const [i, sentence] of evidence.entries()) add(i === 0 ? 'because' : '', sentence)
  const others = candidates.filter(candidate => candidate.format !== format && candidate.confidence >= 0.05)
  for (const [i, other] of others.entries()) {
    add(i === 0 ? 'else' : '', `${other.format} (${other.confidence.toFixed(2)}): ${other.why}`)
  }
  return `${lines.join('\n')}\n`
}

const titled = (id: string, title: string | undefined) => (title === undefined ? id : `${id}: ${title}`)

/** Whether a codec or format of this id is there and can be read. */
export const isReadable = {
  codec: (id: string): boolean => findCodec(id)?.reads === true,
  format: (id: string): boolean => findFormat(id)?.reads === true,
}
