/** A column that says which file, object or member each row comes from. */
import { createError } from './core/errors.ts'
import type { Schema } from './core/schema.ts'
import type { Abortable, Batch, RowReader } from './core/types.ts'

/** `reader`, with a last column `column` that holds `name` in each row. Rows that are arrays get it as their last value. */
export function withSourceColumn(reader: RowReader, column: string, name: string): RowReader {
  return new NamedReader(reader, column, name)
}

class NamedReader implements RowReader {
  readonly #reader: RowReader
  readonly #column: string
  readonly #name: string

  constructor(reader: RowReader, column: string, name: string) {
    this.#reader = reader
    this.#column = column
    this.#name = name
  }

  get columns(): readonly string[] | undefined {
    const { columns } = this.#reader
    return columns === undefined ? undefined : [...columns, this.#column]
  }
  get schema(): Schema | undefined {
    const { schema } = this.#reader
    if (schema === undefined) return undefined
    return { columns: [...schema.columns, { name: this.#column, type: 'text', nullable: false, source: 'declared' }] }
  }
  get engine(): string | undefined {
    return this.#reader.engine
  }

  async ready(options?: Abortable): Promise<void> {
    await this.#reader.ready?.(options)
    if (this.#reader.columns?.includes(this.#column) === true) throw this.#taken()
  }

  async read(options?: Abortable): Promise<Batch | null> {
    const batch = await this.#reader.read(options)
    const column = this.#column
    const name = this.#name
    for (const row of batch ?? []) {
      if (Array.isArray(row)) row.push(name)
      else if (Object.hasOwn(row, column)) throw this.#taken()
      // As for a column of the data, no name is special: `__proto__` is one too.
      else Object.defineProperty(row, column, { value: name, enumerable: true, configurable: true, writable: true })
    }
    return batch
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#reader[Symbol.asyncDispose]()
  }

  #taken(): Error {
    return createError('OPTION_INVALID', `the rows have a column ${JSON.stringify(this.#column)} of their own`, {
      label: this.#name,
      found: this.#column,
      hint: 'give fileNameColumn a name that no column has',
    })
  }
}
