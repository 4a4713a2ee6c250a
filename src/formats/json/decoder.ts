/**
 * A JSON document → rows. `DocumentScanner` finds where the rows are in the bytes and that all around them is JSON; here runs
 * of them are parsed, about 8 KiB at once: `[` + run + `]`, which is valid and means the same, as the run was cut at
 * places that are known to lie between two elements.
 */

import { createError, type ErrorCode, type ErrorDetails, excerpt } from '../../core/errors.ts'
import { findUnsafeIntegers, parseWithBigInts, parseWithText } from '../../core/json-integers.ts'
import { parseJson } from '../../core/json-parse.ts'
import { asBuffer, isAscii, isUtf8, utf8Text, validUtf8Length } from '../../core/text.ts'
import type { TextPlace } from '../../core/text-place.ts'
import type { Batch, Decoder, ReadContext, Row } from '../../core/types.ts'
import { DocumentScanner } from './document-scanner.ts'
import { pointerTokens } from './pointer.ts'
import type { JsonReadOptions } from './read-options.ts'
import type { Run } from './row-window.ts'

const DEFAULT_MAX_RECORD_BYTES = 16 * 1024 * 1024
/** Characters of bad input that a message shows. */
const MAX_EXCERPT = 40
const NOTHING = Buffer.alloc(0)

export class JsonDecoder implements Decoder {
  readonly #document: DocumentScanner
  readonly #label: string
  readonly #onBadRecord: ReadContext['onBadRecord']
  readonly #bigint: 'auto' | 'string' | 'number' | 'error'
  readonly #replace: boolean
  readonly #wrapValues: string | undefined
  /** Rows of the runs that were taken, bad ones among them. */
  #records = 0
  /** What stopped the decoder; it does not go on after it. */
  #failure: { readonly error: unknown } | undefined

  constructor(options: JsonReadOptions, context: Pick<ReadContext, 'label' | 'onBadRecord'>) {
    this.#label = context.label
    this.#onBadRecord = (error, raw) => context.onBadRecord(error, raw)
    this.#bigint = options.bigint ?? 'auto'
    this.#replace = options.encodingErrors === 'replace'
    this.#wrapValues = options.wrapValues
    this.#document = new DocumentScanner({
      label: context.label,
      tokens: pointerTokens(options.pointer ?? ''),
      entries: options.entries ?? false,
      concatenated: options.concatenated,
      scalars: options.wrapValues !== undefined,
      maxRecordBytes: options.maxRecordBytes ?? DEFAULT_MAX_RECORD_BYTES,
      checkUtf8: !this.#replace,
    })
  }

  decode(chunk: Uint8Array): Iterable<Batch> {
    return this.#batches(asBuffer(chunk))
  }

  flush(): Iterable<Batch> {
    return this.#batches(undefined)
  }

  /** The rows that end in `chunk`, or at the end of the input. */
  *#batches(chunk: Buffer | undefined): Generator<Batch, void, undefined> {
    if (this.#failure !== undefined) throw this.#failure.error
    const document = this.#document
    document.push(chunk ?? NOTHING)
    for (;;) {
      let failure: { readonly error: unknown } | undefined
      try {
        if (chunk === undefined) document.finish()
        else document.scan()
      } catch (error) {
        failure = { error }
      }
      // Rows before what is wrong come first; and what is wrong with them comes before it too.
      const run = document.takeRun()
      if (run !== undefined) {
        const rows: Row[] = []
        let batch = rows
        try {
          batch = this.#parseRun(run) ?? this.#parseEach(run, rows)
        } catch (error) {
          failure = { error }
        }
        this.#records += run.spans.length / 2
        if (batch.length > 0) yield batch
      }
      if (failure !== undefined) {
        this.#failure = failure
        throw failure.error
      }
      if (run === undefined) return
    }
  }

  /** The rows of a run in one go; `undefined` where each must be looked at by itself. */
  #parseRun(run: Run): Row[] | undefined {
    if (run.kind !== 'elements') return undefined
    const text = this.#textOf(run.bytes)
    if (text === undefined) return undefined
    const json = `[${text}]`
    let values: unknown
    const unsafe = run.longIntegers && this.#bigint !== 'number' ? findUnsafeIntegers(json) : []
    if (unsafe.length === 0) values = parseJson(json)
    else if (this.#bigint === 'error') return undefined
    else values = this.#bigint === 'string' ? parseWithText(json, unsafe) : parseWithBigInts(json, unsafe)
    return (values as unknown[]).every(isRow) ? (values as Row[]) : undefined
  }

  /** The rows of a run one by one, added to `rows`; tells of those that are bad. */
  #parseEach(run: Run, rows: Row[]): Row[] {
    for (let i = 0; i < run.spans.length; i += 2) {
      const element = new Element(run, run.spans[i]!, run.spans[i + 1]!, this.#records + i / 2 + 1)
      const text = this.#textOf(element.bytes)
      if (text === undefined) this.#refuseText(element)
      else this.#parse(element, text, rows)
    }
    return rows
  }

  #parse(element: Element, text: string, rows: Row[]): void {
    const json = element.run.kind === 'members' ? `{${text}}` : text
    const unsafe = element.run.longIntegers && this.#bigint !== 'number' ? findUnsafeIntegers(json) : []
    const [start, end] = unsafe
    if (start !== undefined && this.#bigint === 'error') {
      this.#refuseInteger(element, text, json === text ? start : start - 1, json.slice(start, end))
      return
    }
    let value: unknown
    if (start === undefined) value = parseJson(json)
    else value = this.#bigint === 'string' ? parseWithText(json, unsafe) : parseWithBigInts(json, unsafe)
    if (json !== text) {
      for (const [key, member] of Object.entries(value as Row)) rows.push({ key, value: member })
    } else if (isRow(value)) rows.push(value)
    else if (this.#wrapValues !== undefined) rows.push({ [this.#wrapValues]: value })
    else this.#refuseValue(element, text)
  }

  /** `undefined` for bytes that are not UTF-8. */
  #textOf(bytes: Buffer): string | undefined {
    if (isAscii(bytes)) return bytes.toString('latin1')
    if (isUtf8(bytes)) return utf8Text(bytes, 0, bytes.length)
    return this.#replace ? bytes.toString('utf8') : undefined
  }

  #refuseValue(element: Element, text: string): void {
    const found = excerpt(text.slice(0, MAX_EXCERPT), MAX_EXCERPT)
    const expected = 'an object or an array'
    this.#bad(element, 0, 'JSON_NOT_A_ROW', `expected ${expected}, found ${found}`, { expected, found })
  }

  #refuseInteger(element: Element, text: string, at: number, digits: string): void {
    const found = digits.length > MAX_EXCERPT ? `${digits.slice(0, MAX_EXCERPT)}…` : digits
    const byte = Buffer.byteLength(text.slice(0, at))
    this.#bad(element, byte, 'JSON_UNSAFE_INTEGER', `no number holds the integer ${found} exactly`, {
      expected: 'an integer within ±9007199254740991',
      found,
      hint: "read with { bigint: 'auto' } to get a BigInt, or { bigint: 'string' } to get its digits",
    })
  }

  #refuseText(element: Element): void {
    const at = validUtf8Length(element.bytes)
    const found = `the byte 0x${element.bytes[at]!.toString(16)}`
    this.#bad(element, at, 'TEXT_INVALID_UTF8', `${found} is not UTF-8 here`, { expected: 'UTF-8', found })
  }

  /** Reports an element as a bad record; `at` is where in its bytes. Returns if reading is to go on. */
  #bad(element: Element, at: number, code: ErrorCode, summary: string, details: ErrorDetails): void {
    const { line, column, byte } = element.placeOf(at)
    const { record } = element
    const error = createError(code, summary, { label: this.#label, line, column, byte, record, ...details })
    this.#onBadRecord(error, element.bytes.toString('utf8'))
  }
}

/** One element of a run, or one member. */
class Element {
  readonly run: Run
  readonly bytes: Buffer
  readonly record: number
  readonly #start: number

  constructor(run: Run, start: number, end: number, record: number) {
    this.run = run
    this.bytes = run.bytes.subarray(start, end)
    this.record = record
    this.#start = start
  }

  /** Where the byte `at` of the element is in the input. */
  placeOf(at: number): TextPlace {
    const place = this.run.place.copy()
    place.pass(this.run.bytes, 0, this.#start + at)
    return place
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}
