/** What the text of one cell looks like: the part of the score that tells tables from text that was split at random. */

/** `odd` is text that looks as if it had been cut or left whole in a wrong place. */
export type CellKind = 'empty' | 'null' | 'number' | 'boolean' | 'time' | 'name' | 'word' | 'text' | 'list' | 'odd'

const NUMBER =
  /^[-+]?[$€£¥]? ?(?:\d{1,3}(?:[ ,.'\u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?(?: ?[%€$£¥])?$/
const HEXADECIMAL = /^(?:0x[\da-f]+|[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}|[\da-f]{16,64})$/i
const CLOCK = String.raw`\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?`
const ZONE = String.raw`(?: ?(?:Z|UTC|GMT|[-+]\d{2}:?\d{2}|[-+]\d{2}))?`
const DAY = String.raw`(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d{2})|\d{4}-\d{2}|\d{4}-W\d{2})`
const MONTH = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*'
const TIME = new RegExp(`^(?:${DAY}(?:[T ]${CLOCK}${ZONE})?|${CLOCK}${ZONE})$`)
const NAMED_DAY = new RegExp(
  String.raw`^(?:[a-z]{3,9},? )?(?:${MONTH}[ -]\d{1,2},?[ -]\d{2,4}|\d{1,2}[ -]${MONTH}\.?,?[ -]\d{2,4}|${MONTH}[ -]\d{2,4})(?: ${CLOCK}${ZONE})?$`,
  'i',
)
const NULL = /^(?:null|nil|none|n\/?a|nan|inf|-inf|#n\/a|\\n|-|--|\?|\.)$/i
const BOOLEAN = /^(?:true|false|yes|no|t|f|y|n)$/i
const NAME =
  /^(?:(?:https?|ftp|s3|file):\/\/[^\s"'|;]+|www\.[^\s"'|;,]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\d{1,3}(?:\.\d{1,3}){3}(?:\/\d+|:\d+)?|(?:[\da-f]{2}:){5}[\da-f]{2}|[a-z]:\\[^\s"]*|\.{0,2}\/[\w./-]+|#[\da-f]{6}|\+?\(?\d{1,4}\)?[ -]\d{2,4}[ -]\d{2,6}(?:[ -]\d{2,4})?)$/i
const WORD = /^[\p{L}\p{N}_$@#][\p{L}\p{M}\p{N}_.$@#/%+*-]*$/u
/** Words with the punctuation of names and titles, but none that stands between fields. */
const WORDS =
  /^[\p{L}\p{N}_("'“«¿¡[<#@&*+.$£€-][\p{L}\p{M}\p{N}\p{Pd}\p{S}_ .()'’“”«»"&/%!?#@°*+…[\]<>$£€{}\\\u00a0-]*$/u
/** The same with commas, colons and semicolons as a sentence has them: after a word and before a space or the end. */
const SENTENCE = /^(?:[^,;:|\t]|[,;:](?=[ \n\r])|:(?=[/\w])|(?<=\d),(?=\d{3}))+[,;:]?$/u
/** Items with what could have been a delimiter between them: lists within cells are common, but so are wrong guesses. */
const LIST = /^[\w. -]+([;|])[\w. -]+(?:\1[\w. -]+)*$/
const JSON_VALUE = /^(?:\{.*\}|\[.*\])$/s

const MAX_CELL = 400

/** What cells look like; remembers those it has seen, as each dialect that is tried makes many of the same. */
export class CellKinds {
  readonly #seen = new Map<string, CellKind>()

  of(cell: string): CellKind {
    if (cell === '') return 'empty'
    if (cell.length > MAX_CELL) return classify(cell.slice(0, MAX_CELL))
    let kind = this.#seen.get(cell)
    if (kind === undefined) {
      kind = classify(cell)
      this.#seen.set(cell, kind)
    }
    return kind
  }
}

function classify(raw: string): CellKind {
  const cell = raw.trim()
  if (cell === '') return 'empty'
  const first = cell.charCodeAt(0)
  const numeric = (first >= 48 && first <= 57) || '+-.,$€£¥('.includes(cell[0]!)
  if (numeric && NUMBER.test(cell)) return 'number'
  if (NULL.test(cell)) return 'null'
  if (BOOLEAN.test(cell)) return 'boolean'
  if ((numeric && TIME.test(cell)) || NAMED_DAY.test(cell)) return 'time'
  if (HEXADECIMAL.test(cell) || NAME.test(cell)) return 'name'
  if (WORD.test(cell)) return 'word'
  if (!balanced(cell)) return 'odd'
  if (WORDS.test(cell)) return 'text'
  if (JSON_VALUE.test(cell)) return 'odd'
  if (LIST.test(cell)) return 'list'
  return SENTENCE.test(cell) ? 'text' : 'odd'
}

/** Whether brackets and double quotes come in pairs; a cell that was cut in two often has one without the other. */
function balanced(cell: string): boolean {
  let depth = 0
  let quotes = 0
  for (let i = 0; i < cell.length; i++) {
    const code = cell.charCodeAt(i)
    if (code === 40 || code === 91 || code === 123) depth++
    else if (code === 41 || code === 93 || code === 125) depth--
    else if (code === 34) quotes++
  }
  return depth === 0 && quotes % 2 === 0
}

/** How much a cell speaks for the dialect that made it, from 0 to 1. */
export const CELL_WEIGHT: Readonly<Record<CellKind, number>> = {
  empty: 0.7,
  null: 0.9,
  number: 1,
  boolean: 1,
  time: 1,
  name: 1,
  word: 0.95,
  text: 0.8,
  list: 0.4,
  odd: 0.2,
}

/** Kinds that values have and column names have not. */
export const isTyped = (kind: CellKind): boolean =>
  kind === 'number' || kind === 'time' || kind === 'name' || kind === 'boolean'
