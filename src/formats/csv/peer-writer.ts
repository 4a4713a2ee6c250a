/** The csv-stringify engine: values become text by the same rules as in the native one, and csv-stringify makes records of it. */
import { type Options, stringify } from 'csv-stringify/sync'
import type { OutputBuffer } from '../../core/bytes.ts'
import { excerpt } from '../../core/errors.ts'
import { FieldTexts } from '../../core/field-texts.ts'
import { UnwritableValue } from '../../core/unwritable.ts'
import type { CsvRecords } from './encoder.ts'
import { blankLine } from './native-records.ts'
import { columnValue } from './write-columns.ts'
import { BYTE_ORDER_MARK, isFormula, LONE_SURROGATE, loneSurrogate, needsQuotes } from './write-fields.ts'
import type { CsvCast, CsvCastContext, CsvCastResult, CsvWriteDialect } from './write-options.ts'

/** A field that csv-stringify is not to take for a plain string: text of another value, or text with options of its own. */
class Field {
  readonly result: FieldOptions | string
  constructor(result: FieldOptions | string) {
    this.result = result
  }
}

interface FieldOptions {
  readonly value: string
  readonly quoted?: boolean
  readonly quoted_empty?: boolean
  readonly quoted_string?: boolean
  readonly quoted_match?: (string | RegExp)[]
}

export class PeerRecords implements CsvRecords {
  readonly #out: OutputBuffer
  readonly #dialect: CsvWriteDialect
  readonly #texts: FieldTexts
  readonly #options: Options
  /** What csv-stringify quotes of itself only when it is asked to. */
  readonly #matches: (string | RegExp)[]

  constructor(out: OutputBuffer, dialect: CsvWriteDialect) {
    this.#out = out
    this.#dialect = dialect
    this.#texts = new FieldTexts(dialect)
    const { quote, escape } = dialect
    this.#matches = quote === null ? [] : [/^\ufeff/, ...(escape === quote ? [] : [escape])]
    this.#options = {
      delimiter: dialect.delimiter,
      quote: quote ?? false,
      escape,
      record_delimiter: dialect.recordDelimiter,
      quoted: dialect.quoted,
      quoted_empty: dialect.quotedEmpty,
      quoted_string: dialect.quotedString,
      quoted_match: [...this.#matches, ...dialect.quotedMatch],
      quote_record_delimiter: true,
      cast: { object: field => (field as unknown as Field).result as string },
    }
  }

  header(names: readonly string[]): void {
    this.#write(names.map((name, i) => this.#field(name, context(name, i, 0, true))))
  }

  object(row: object, names: readonly string[], index: number): void {
    this.#write(names.map((name, i) => this.#field(columnValue(row, name), context(name, i, index, false))))
  }

  array(row: readonly unknown[], names: readonly string[] | undefined, index: number): void {
    const fields: (string | Field)[] = []
    for (let i = 0; i < row.length; i++) fields.push(this.#field(row[i], context(names?.[i] ?? i, i, index, false)))
    this.#write(fields)
  }

  probe(value: unknown, column: string | number, position: number, index: number): void {
    this.#field(value, context(column, position, index, false))
  }

  #write(fields: (string | Field)[]): void {
    const { recordDelimiter, quote } = this.#dialect
    let text = this.#stringify(fields)
    if (fields.length === 1 && text === recordDelimiter) {
      // An empty line is no record to most readers.
      if (quote === null) throw blankLine()
      text = this.#stringify([new Field({ value: '', quoted_empty: true })])
    }
    this.#out.appendText(text)
  }

  #stringify(fields: (string | Field)[]): string {
    try {
      return stringify([fields], this.#options)
    } catch (cause) {
      throw new UnwritableValue(`csv-stringify refused it: ${excerpt(cause, 200)}`, undefined, cause)
    }
  }

  #field(value: unknown, where: CsvCastContext): string | Field {
    const { nullText, escapeFormulas } = this.#dialect
    const cast = this.#cast(value, where)
    const result = cast === undefined ? value : cast(value)
    const given = cast !== undefined && typeof result === 'object' ? (result as FieldOptions | null) : null
    let text = given === null ? this.#textOf(result) : given.value
    if (cast !== undefined && text !== null && typeof (given === null ? result : text) !== 'string') {
      throw new UnwritableValue('its cast function gave no text', 'give a string, null, or { value: string }')
    }
    if (text === null) {
      this.#checkText(nullText)
      return new Field({
        value: nullText,
        quoted: false,
        quoted_empty: false,
        quoted_string: false,
        quoted_match: this.#matches,
      })
    }
    if (escapeFormulas && typeof value !== 'number' && typeof value !== 'bigint' && isFormula(text)) text = `'${text}`
    const needs = this.#checkText(text)
    const isString = typeof value === 'string'
    if (given !== null) return new Field({ ...given, value: text, ...(needs ? { quoted: true } : {}) })
    if (needs || (text === nullText && text !== '')) return new Field({ value: text, quoted: true })
    return isString ? text : new Field(text)
  }

  #textOf(value: unknown): string | null {
    return value === null || value === undefined ? null : this.#texts.textOf(value)
  }

  /** Whether text needs quotes for a reason that csv-stringify does not see. Throws for text that cannot be written. */
  #checkText(text: string): boolean {
    if (LONE_SURROGATE.test(text)) throw loneSurrogate()
    const { delimiter, quote, recordDelimiter } = this.#dialect
    if (quote === null) {
      const marks = [delimiter, recordDelimiter, '\r', '\n']
      if (text.charCodeAt(0) === BYTE_ORDER_MARK || marks.some(mark => runsInto(text, mark))) throw needsQuotes()
      return false
    }
    return quote.length > 1 && (`${text}${delimiter}`.includes(quote) || `${text}${recordDelimiter}`.includes(quote))
  }

  #cast(value: unknown, where: CsvCastContext): ((value: unknown) => CsvCastResult) | undefined {
    const casts = this.#dialect.cast
    if (casts === undefined || value === null || value === undefined) return undefined
    const bind = <T>(cast: CsvCast<T> | undefined) =>
      cast === undefined ? undefined : (given: unknown) => cast(given as T, where)
    switch (typeof value) {
      case 'bigint':
        return bind(casts.bigint)
      case 'boolean':
        return bind(casts.boolean)
      case 'number':
        return bind(casts.number)
      case 'string':
        return bind(casts.string)
      case 'object':
        return value instanceof Date ? bind(casts.date) : bind(casts.object)
      default:
        return undefined
    }
  }
}

const context = (column: string | number, index: number, records: number, header: boolean): CsvCastContext => ({
  column,
  header,
  index,
  records,
})

/** Whether `mark` is found in `text`, or where the two meet. */
const runsInto = (text: string, mark: string) => `${text}${mark}`.indexOf(mark) < text.length
