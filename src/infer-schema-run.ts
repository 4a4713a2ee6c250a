/** The reading of `inferSchema`. */
import { TypeInferrer } from './core/infer.ts'
import { FieldsInferrer } from './core/infer-values.ts'
import { invalidOption } from './core/options.ts'
import type { ColumnSchema, Schema } from './core/schema.ts'
import { resolveTyping, type TypingOptions } from './core/typing.ts'
import type { InferredSchema, InferSchemaOptions } from './infer-schema.ts'
import { openIterable, type ReadOptions, type ReadTarget } from './open.ts'
import type { Reader } from './reader.ts'
import { findFormat } from './registry.ts'

const DEFAULT_ROWS = 1000

/** See `inferSchema`. */
export async function readSchema(target: ReadTarget, options: InferSchemaOptions): Promise<InferredSchema> {
  const { rows: limit = DEFAULT_ROWS, ...opening } = options
  if (limit !== 'all' && !(Number.isInteger(limit) && limit > 0)) {
    throw invalidOption('rows', "a whole number from 1, or 'all'", limit)
  }
  const lazy = openIterable(target, opening)
  // Where only the content tells the format, such options cannot be given: then nothing is null, quoted or not.
  const typed = await hasTyping(lazy.format)
  const typing = typed ? ({ ...opening, nullText: opening.nullText ?? '' } as ReadOptions) : opening
  const reader: Reader<object> = await openIterable<object>(target, typing)
  try {
    const texts = new TextColumns(opening, typed)
    const values = new FieldsInferrer()
    let rows = 0
    let complete = true
    for await (const batch of reader.batches()) {
      const wanted = limit === 'all' ? batch : batch.slice(0, limit - rows)
      const known = declaredOf(reader.schema)
      for (const row of wanted) {
        if (known === undefined) values.observe(row)
        else texts.observe(row, known)
      }
      rows += wanted.length
      complete = wanted.length === batch.length
      if (rows === limit) {
        complete &&= (await reader.read()) === null
        break
      }
    }
    const known = declaredOf(reader.schema)
    const columns = known === undefined ? (values.columns ?? []) : texts.columns(known)
    return { columns, rows, complete }
  } finally {
    await reader.close()
  }
}

/** The columns as the file or the user says them; undefined where they were only seen in the first values. */
function declaredOf(schema: Schema | undefined): readonly ColumnSchema[] | undefined {
  const columns = schema?.columns ?? []
  return columns.some(({ source }) => source !== 'inferred') ? columns : undefined
}

/** Whether a format reads texts as typed values, as `cast` and `types` say. */
async function hasTyping(id: string | undefined): Promise<boolean> {
  const format = id === undefined ? undefined : await findFormat(id)?.load()
  return format !== undefined && Object.hasOwn(format.readOptions, 'cast')
}

/** The columns of a text format: of those that are text only because nothing else is known, the texts are looked at. */
class TextColumns {
  readonly #inferrers: (TypeInferrer | undefined)[] = []
  readonly #nulls: boolean[] = []
  readonly #boolean: ConstructorParameters<typeof TypeInferrer>[0]

  readonly #hasNulls: boolean

  constructor(options: TypingOptions, hasNulls: boolean) {
    this.#hasNulls = hasNulls
    this.#boolean = resolveTyping({ ...options, cast: true })!.boolean
  }

  observe(row: object, columns: readonly ColumnSchema[]): void {
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i]!
      const value: unknown = Array.isArray(row) ? row[i] : (row as Record<string, unknown>)[column.name]
      if (value === null || value === undefined || (value === '' && !this.#hasNulls)) this.#nulls[i] = true
      else if (typeof value === 'string' && isOpen(column)) {
        this.#inferrers[i] ??= new TypeInferrer(this.#boolean)
        this.#inferrers[i]!.observe(value)
      }
    }
  }

  columns(known: readonly ColumnSchema[]): ColumnSchema[] {
    return known.map((column, i) =>
      isOpen(column)
        ? { ...column, type: this.#inferrers[i]?.type ?? 'text', nullable: this.#nulls[i] ?? false, source: 'inferred' }
        : { ...column, nullable: column.source === 'file' ? column.nullable : (this.#nulls[i] ?? false) },
    )
  }
}

/** Whether a column is text for want of knowing better. */
const isOpen = ({ type, source }: ColumnSchema) => type === 'text' && source !== 'declared'
