/** Rows through a schema of the user's, by the Standard Schema interface that zod, valibot, arktype and others share. */
import { createError, excerpt } from './core/errors.ts'
import type { Abortable, Batch, ReadContext, Row, RowReader } from './core/types.ts'

/**
 * A schema that validates, and may transform, a row.
 *
 * @see https://standardschema.dev (version 1)
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the library that made the schema tells of it. */
  readonly '~standard': {
    /** The version of the specification. */
    readonly version: 1
    /** The name of the library. */
    readonly vendor: string
    /** Gives the row, transformed where the schema does so, or the issues that it has with it. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    /** Nothing at run time: the types, for the compiler. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What validating gives: a value, or what is wrong. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/** Something that a schema has against a value. */
export interface StandardIssue {
  /** A sentence for people. */
  readonly message: string
  /** Where the value is, from the row inwards. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** The type of the rows that a schema gives. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output']

export function isStandardSchema(value: unknown): value is StandardSchema {
  const face = (value as Partial<StandardSchema> | null | undefined)?.['~standard']
  return typeof face?.validate === 'function' && face.version === 1
}

function invalid(issues: readonly StandardIssue[], row: unknown, label: string, record: number): Error {
  const texts = issues.map(({ path, message }) => {
    const keys = path?.map(part => String(typeof part === 'object' ? part.key : part)) ?? []
    return keys.length === 0 ? message : `${keys.join('.')}: ${message}`
  })
  return createError('SCHEMA_INVALID', `record ${record}: ${texts.join('; ')}`, {
    label,
    record,
    expected: texts.join('; '),
    found: foundAt(issues[0]?.path, row),
  })
}

function foundAt(path: StandardIssue['path'], row: unknown): string {
  let value = row
  for (const part of path ?? []) {
    const key = typeof part === 'object' ? part.key : part
    value = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined
  }
  return excerpt(typeof value === 'object' && value !== null ? JSON.stringify(value) : value)
}

/** The rows of `reader` that the schema lets pass, as it makes them. The others go to the error policy. */
export function validatingReader(reader: RowReader, schema: StandardSchema, context: ReadContext): RowReader {
  return new ValidatingReader(reader, schema, context)
}

class ValidatingReader implements RowReader {
  readonly #reader: RowReader
  readonly #schema: StandardSchema
  readonly #context: ReadContext
  #record = 0
  #failure: { readonly error: unknown } | undefined

  constructor(reader: RowReader, schema: StandardSchema, context: ReadContext) {
    this.#reader = reader
    this.#schema = schema
    this.#context = context
  }

  get columns(): readonly string[] | undefined {
    return this.#reader.columns
  }
  get engine(): string | undefined {
    return this.#reader.engine
  }

  async ready(options?: Abortable): Promise<void> {
    await this.#reader.ready?.(options)
  }

  async read(): Promise<Batch | null> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error
      const batch = await this.#reader.read()
      if (batch === null) return null
      const rows = await this.#validate(batch)
      if (rows.length > 0) return rows
      // A long run of bad rows must not hold up their being put away.
      await this.#context.settle?.()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#reader[Symbol.asyncDispose]())
  }

  /** The good rows. What ends the reading is kept until they are delivered. */
  async #validate(batch: Batch): Promise<Batch> {
    const rows: Batch = []
    const { validate } = this.#schema['~standard']
    for (const row of batch) {
      this.#record++
      try {
        const checked = validate(row)
        const result = checked instanceof Promise ? await checked : checked
        if (result.issues === undefined) rows.push(result.value as Row)
        else this.#context.onBadRecord(invalid(result.issues, row, this.#context.label, this.#record), jsonOf(row))
      } catch (error) {
        this.#failure = { error }
        break
      }
    }
    return rows
  }
}

/** The row as text, for a dead letter. */
function jsonOf(row: unknown): string | undefined {
  return JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}
