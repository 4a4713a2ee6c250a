/** Rows → fixed-width text. */
import { CHUNK_BYTES, OutputBuffer } from '../../core/bytes.ts'
import { createError, excerpt } from '../../core/errors.ts'
import { FieldTexts } from '../../core/field-texts.ts'
import type { Batch, Encoder, Row, WriteContext } from '../../core/types.ts'
import { UnwritableValue } from '../../core/unwritable.ts'
import { charactersOf, SAMPLE, textOf, trimmed } from './characters.ts'
import type { FixedWriteOptions } from './options.ts'

export class FixedEncoder implements Encoder {
  columns: readonly string[] | undefined
  readonly #options: FixedWriteOptions
  readonly #context: Pick<WriteContext, 'label' | 'onBadRecord'>
  readonly #out = new OutputBuffer()
  #widths: readonly number[] | undefined
  #right: boolean[]
  /** What stands between two columns. */
  readonly #gap: string
  /** The first rows, as texts, while the widths are not known. */
  #held: string[][] = []
  #record = 0
  readonly #texts = new FieldTexts({ trueText: 'true', falseText: 'false' })

  constructor(options: FixedWriteOptions, context: Pick<WriteContext, 'label' | 'onBadRecord'>) {
    const { fields, widths } = options
    this.#options = options
    this.#context = context
    this.#widths = fields?.map(field => field.width) ?? widths
    this.#gap = this.#widths === undefined ? ' ' : ''
    this.#right = fields?.map(field => field.align === 'right') ?? []
    if (fields !== undefined) this.#begin(fields.map(field => field.name))
  }

  suggestColumns(columns: readonly string[]): void {
    if (this.columns === undefined) this.#begin(columns)
  }

  *encode(batch: Batch): Generator<Uint8Array, void, undefined> {
    for (const row of batch) {
      this.#record++
      try {
        if (this.columns === undefined) this.#begin(Object.keys(row))
        const texts = this.#textsOf(row)
        if (this.#widths !== undefined) this.#append(texts)
        else if (this.#held.push(texts) === SAMPLE) this.#release()
      } catch (error) {
        this.#context.onBadRecord(error as Error, row)
      }
      if (this.#out.length >= CHUNK_BYTES) yield this.#out.take()
    }
  }

  *flush(): Generator<Uint8Array, void, undefined> {
    if (this.#widths === undefined && this.columns !== undefined) this.#release()
    if (this.#out.length > 0) yield this.#out.take()
  }

  /** Takes the names of the columns; writes the header, if the widths are given. */
  #begin(columns: readonly string[]): void {
    const widths = this.#widths
    if (widths !== undefined && widths.length !== columns.length) {
      throw this.#unwritable(`there are ${widths.length} widths, but ${columns.length} columns`)
    }
    this.columns = columns
    if (widths === undefined) this.#right = columns.map(() => true)
    else this.#appendHeader()
  }

  #appendHeader(): void {
    if (this.#options.header ?? this.#options.fields === undefined)
      this.#append(this.columns!.map(name => this.#checked(name, name)))
  }

  /** Makes the columns as wide as what they hold; writes the rows that waited for it. */
  #release(): void {
    const columns = this.columns!
    const lines = this.#options.header === false ? this.#held : [columns, ...this.#held]
    this.#widths = columns.map((_, i) => lines.reduce((max, texts) => Math.max(max, charactersOf(texts[i]!).length), 1))
    this.#appendHeader()
    for (const texts of this.#held) this.#append(texts)
    this.#held = []
  }

  /** The fields of a row as texts, in order. */
  #textsOf(row: Row): string[] {
    const columns = this.columns!
    const unknown = Object.keys(row).find(name => !columns.includes(name) && row[name] !== undefined)
    if (unknown !== undefined) throw this.#unwritable(`there is no column ${excerpt(unknown)}`)
    return columns.map((name, i) => {
      const value = Object.hasOwn(row, name) ? row[name] : null
      if (value === null || value === undefined) return ''
      // A column that is found to hold numbers only has them on the right.
      if (this.#widths === undefined && typeof value !== 'number' && typeof value !== 'bigint') this.#right[i] = false
      const text = this.#textOf(value, name)
      if (text === null) return ''
      return this.#checked(text, name)
    })
  }

  #textOf(value: unknown, name: string): string | null {
    try {
      return this.#texts.textOf(value)
    } catch (error) {
      throw error instanceof UnwritableValue ? this.#unwritable(error.message, name) : error
    }
  }

  #checked(text: string, name: string): string {
    if (/[\r\n]/.test(text)) throw this.#unwritable('a line break would end the record', name)
    if (/\p{Surrogate}/u.test(text)) throw this.#unwritable('half a surrogate pair has no UTF-8 form', name)
    const inner = trimmed(text)
    if (inner === text || this.#options.overflow === 'truncate') return inner
    throw this.#unwritable(
      'reading would take the blanks around it off',
      name,
      ", or write with { overflow: 'truncate' }",
    )
  }

  #append(texts: readonly string[]): void {
    const widths = this.#widths!
    const fields = texts.map((text, i) => {
      const characters = charactersOf(text)
      const blanks = widths[i]! - characters.length
      if (blanks >= 0) return this.#right[i] === true ? ' '.repeat(blanks) + text : text + ' '.repeat(blanks)
      if (this.#options.overflow === 'truncate') return textOf(characters.slice(0, widths[i]))
      const what = `${excerpt(text, 40)} has ${characters.length} characters, and the column ${widths[i]}`
      throw this.#unwritable(what, this.columns![i]!, ", or write with { overflow: 'truncate' }")
    })
    this.#out.appendText(`${fields.join(this.#gap)}\n`)
  }

  #unwritable(reason: string, name?: string, or = ''): Error {
    const row = this.#record === 0 ? 'the header' : `row ${this.#record}`
    const where = name === undefined ? '' : `, column ${excerpt(name)}`
    const hint = name === undefined ? 'give the columns ({ fields: [...] })' : `mend the value${or}`
    const details = { label: this.#context.label, record: this.#record || undefined, hint }
    return createError('FIXED_UNWRITABLE', `${row}${where}: ${reason}`, details)
  }
}
