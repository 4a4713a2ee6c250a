/** Rows → JSON texts, one behind the other, with what a format puts around them. */
import { CHUNK_BYTES, OutputBuffer } from './bytes.ts'
import { createError, excerpt, OpenIterableError } from './errors.ts'
import { type JsonRules, JsonWriter } from './json.ts'
import type { Batch, Encoder, WriteContext } from './types.ts'
import { UnwritableValue, withArticle } from './unwritable.ts'

const NOTHING: readonly Uint8Array[] = []
const OPENING_BRACE = 0x7b
const OPENING_BRACKET = 0x5b
/** Parts of a path in a message. A circle has no end. */
const MAX_PATH_PARTS = 8

/** What stands around the rows, as bytes. */
export interface JsonFraming {
  /** Before the first row, and before each other one. */
  readonly first: Uint8Array
  readonly next: Uint8Array
  /** Behind each row. */
  readonly behind: Uint8Array
  /** At the end, after rows and without any. */
  readonly end: Uint8Array
  readonly empty: Uint8Array
  /** Lays out a row anew, of which the compact text lies in `out` from `start` on. */
  readonly layOut?: (out: OutputBuffer, start: number) => void
}

export class JsonRowEncoder implements Encoder<unknown> {
  readonly #out = new OutputBuffer()
  readonly #json: JsonWriter
  readonly #framing: JsonFraming
  readonly #context: Pick<WriteContext, 'label' | 'onBadRecord'>
  /** Rows taken so far, those left out included. */
  #records = 0
  #empty = true

  constructor(rules: JsonRules, framing: JsonFraming, context: Pick<WriteContext, 'label' | 'onBadRecord'>) {
    this.#json = new JsonWriter(this.#out, rules)
    this.#framing = framing
    this.#context = context
  }

  encode(batch: Batch<unknown>): Iterable<Uint8Array> {
    // Most calls with one row fill no chunk: they are to cost no generator.
    const next = this.#fill(batch, 0)
    return this.#out.length < CHUNK_BYTES ? NOTHING : this.#chunks(batch, next)
  }

  flush(): Iterable<Uint8Array> {
    this.#out.append(this.#empty ? this.#framing.empty : this.#framing.end)
    return this.#out.length === 0 ? NOTHING : [this.#out.take()]
  }

  *#chunks(batch: Batch<unknown>, next: number): Generator<Uint8Array, void, undefined> {
    for (;;) {
      yield this.#out.take()
      next = this.#fill(batch, next)
      if (this.#out.length < CHUNK_BYTES) return
    }
  }

  /** Writes rows from `next` on until a chunk is full; gives back where it stopped. */
  #fill(batch: Batch<unknown>, next: number): number {
    const out = this.#out
    const json = this.#json
    const framing = this.#framing
    while (next < batch.length && out.length < CHUNK_BYTES) {
      const start = out.length
      const row = batch[next++]
      this.#records++
      try {
        if (typeof row !== 'object' || row === null) throw this.#notARow(row)
        out.append(this.#empty ? framing.first : framing.next)
        const text = out.length
        json.row(row)
        const first = out.bytes[text]
        if (first !== OPENING_BRACE && first !== OPENING_BRACKET) throw this.#notARow(row)
        framing.layOut?.(out, text)
        out.append(framing.behind)
        this.#empty = false
      } catch (error) {
        out.length = start
        this.#context.onBadRecord(this.#errorOf(error, row), row)
      }
    }
    return next
  }

  #notARow(row: unknown): Error {
    const found = kindOf(row)
    return createError('ROW_INVALID', `row ${this.#records} is ${found}, expected an object or an array`, {
      label: this.#context.label,
      record: this.#records,
      expected: 'an object or an array',
      found,
    })
  }

  #errorOf(error: unknown, row: unknown): Error {
    if (error instanceof OpenIterableError) return error
    const known = error instanceof UnwritableValue
    const reason = known ? error.message : `a function of its own threw: ${excerpt(error)}`
    const path = this.#probe(row)
    return createError('JSON_UNWRITABLE', `row ${this.#records}${path} cannot be written: ${reason}`, {
      label: this.#context.label,
      record: this.#records,
      hint: known ? error.hint : undefined,
      cause: known ? undefined : error,
    })
  }

  /** Where in the row the value is that cannot be written, as `, at .a[0]`; empty when it is the row itself. */
  #probe(row: unknown): string {
    let path = ''
    let at = row
    for (let depth = 0; depth < MAX_PATH_PARTS; depth++) {
      const key = this.#failingKey(at)
      if (key === undefined) break
      path += Array.isArray(at) ? `[${key}]` : /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${excerpt(key)}]`
      at = (at as Record<string, unknown>)[key]
    }
    return path === '' ? '' : `, at ${path}`
  }

  #failingKey(value: unknown): string | undefined {
    if (typeof value !== 'object' || value === null || 'toJSON' in value) return undefined
    const start = this.#out.length
    for (const key of Object.keys(value)) {
      try {
        const member = (value as Record<string, unknown>)[key]
        if (member !== undefined) this.#json.value(member)
      } catch {
        return key
      } finally {
        this.#out.length = start
      }
    }
    return undefined
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return `${value}`
  if (typeof value !== 'object') return withArticle(typeof value)
  return withArticle(Object.prototype.toString.call(value).slice(8, -1))
}
