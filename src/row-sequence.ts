/** The rows of several inputs, one after the other, as one reader: files of a pattern, members of an archive. */
import type { Schema } from './core/schema.ts'
import type { Batch, RowReader } from './core/types.ts'
import type { OpenedReader } from './opening.ts'

/** Where the inputs come from. */
export interface Inputs {
  /** Opens the next one; undefined behind the last. Never called while one is open. */
  openNext(): Promise<OpenedReader | undefined>
  /** Gives up what is not opened yet. */
  release(): unknown
}

export class RowSequence implements RowReader {
  readonly #inputs: Inputs
  /** The open input. */
  #reader: RowReader | undefined
  #columns: readonly string[] | undefined
  #schema: Schema | undefined
  #engine: string | undefined

  constructor(inputs: Inputs) {
    this.#inputs = inputs
  }

  /** Those of the first input. */
  get columns(): readonly string[] | undefined {
    return this.#columns
  }
  /** Of the input that is read, or of the last one. */
  get schema(): Schema | undefined {
    return this.#reader?.schema ?? this.#schema
  }
  get engine(): string | undefined {
    return this.#reader?.engine ?? this.#engine
  }

  /** Opens the next input. */
  async next(): Promise<OpenedReader | undefined> {
    const opened = await this.#inputs.openNext()
    if (opened === undefined) return undefined
    this.#reader = opened.reader
    this.#columns ??= opened.reader.columns
    return opened
  }

  async read(): Promise<Batch | null> {
    for (;;) {
      const batch = (await this.#reader?.read()) ?? null
      if (batch !== null) return batch
      const done = this.#reader
      this.#schema = done?.schema
      this.#engine = done?.engine
      this.#reader = undefined
      await done?.[Symbol.asyncDispose]()
      if ((await this.next()) === undefined) return null
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const reader = this.#reader
    this.#reader = undefined
    await Promise.all([reader?.[Symbol.asyncDispose](), this.#inputs.release()])
  }
}
