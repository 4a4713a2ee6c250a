/** The schema of rows that have no declared one: what the first of them show. */
import { FieldsInferrer } from './core/infer-values.ts'
import type { Schema } from './core/schema.ts'
import type { Abortable, Batch, RowReader } from './core/types.ts'

/** Rows that are looked at. Enough to tell types, and too few to cost. */
const SAMPLE_ROWS = 100

/**
 * `reader`, with a schema also where it has none of its own: that of its first rows, up to 100 of the first batch.
 * `ready()` reads that batch; what fails there is kept for `read()`, where the error policy of the handle applies.
 */
export class SampledReader implements RowReader {
  readonly #reader: RowReader
  #sampled: Schema | undefined
  #isSampled = false
  /** What `ready` has read. */
  #ahead: Promise<Batch | null> | undefined

  constructor(reader: RowReader) {
    this.#reader = reader
  }

  get columns(): readonly string[] | undefined {
    return this.#reader.columns
  }
  get engine(): string | undefined {
    return this.#reader.engine
  }
  get schema(): Schema | undefined {
    return this.#reader.schema ?? this.#sampled
  }

  async ready(options?: Abortable): Promise<void> {
    await this.#reader.ready?.(options)
    this.#ahead ??= this.#sample()
    await this.#ahead.catch(() => {})
  }

  read(options?: Abortable): Promise<Batch | null> {
    const ahead = this.#ahead
    this.#ahead = undefined
    return ahead ?? (this.#isSampled ? this.#reader.read(options) : this.#sample(options))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ahead = undefined
    await this.#reader[Symbol.asyncDispose]()
  }

  async #sample(options?: Abortable): Promise<Batch | null> {
    const batch = await this.#reader.read(options)
    this.#isSampled = true
    if (this.#reader.schema !== undefined) return batch
    const inferrer = new FieldsInferrer()
    for (const row of batch?.slice(0, SAMPLE_ROWS) ?? []) inferrer.observe(row)
    this.#sampled = { columns: inferrer.columns ?? [] }
    return batch
  }
}
