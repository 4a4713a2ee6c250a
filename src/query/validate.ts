/** `validate`: which rows of a target are not what a schema asks for. */
import type { ErrorPolicy } from '../bad-records.ts'
import type { OpenIterableError } from '../core/errors.ts'
import { createError } from '../core/errors.ts'
import { checkOptions, is, type OptionEntry } from '../core/options.ts'
import { toJsonSchema } from '../core/schema.ts'
import type { Abortable } from '../core/types.ts'
import type { CsvRecordInfo } from '../formats/csv/read-options.ts'
import { inferSchema } from '../infer-schema.ts'
import { openIterable, type ReadOptions, type ReadTarget, type WriteTarget } from '../open.ts'
import { findFormat } from '../registry.ts'
import { isStandardSchema, type StandardIssue, type StandardSchema } from '../standard-schema.ts'
import { fromJsonSchema } from './json-schema.ts'

/** A record that could not be read, or a row that the schema refuses. */
export interface BadRow {
  /** What messages call the source; without credentials. */
  readonly label: string | undefined
  /** Physical line, where the format tells. */
  readonly line: number | undefined
  /** Character (UTF-16 unit) in the line, from 1; undefined where it is not known. */
  readonly column: number | undefined
  /** Number of the record, from 1. */
  readonly record: number | undefined
  /** The code of the error: SCHEMA_INVALID, or that of the format. */
  readonly code: string
  /** The error's message, with the place. */
  readonly message: string
  /** What the schema has to say, and of which value; empty for a record that could not be read. */
  readonly issues: readonly { readonly path: string; readonly expected: string; readonly found: unknown }[]
}

/** Options of `validate`. */
export interface ValidateOptions extends Abortable {
  /** A JSON Schema, or a schema that speaks Standard Schema. Default: the one that the target's first rows show. */
  readonly schema?: StandardSchema | Readonly<Record<string, unknown>> | boolean | undefined
  /** Options of reading, as `openIterable` has them. Default: none. */
  readonly read?: Omit<ReadOptions, 'mode' | 'signal' | 'schema' | 'onError' | 'maxErrors' | 'deadLetters'> | undefined
  /**
   * Told of each bad row, in the order in which they are met: of some hundred rows first those that cannot be read.
   * Default: none.
   */
  readonly onBadRow?: ((row: BadRow) => void) | undefined
  /** How many bad rows are put up with; one more is TOO_MANY_ERRORS. Default: any number. */
  readonly maxErrors?: number | undefined
  /** Where bad rows are put aside, as by `openIterable`. Default: nowhere. */
  readonly deadLetters?: WriteTarget | undefined
}

/** What `validate` found. */
export interface ValidationResult {
  /** Whether there is no bad row. */
  readonly valid: boolean
  /** Rows that are as they should be. */
  readonly rowsValid: number
  /** Rows that are not: unreadable, or refused by the schema. */
  readonly rowsBad: number
  /** Bad rows by the code of their error. */
  readonly byCode: Readonly<Record<string, number>>
  /** Issues by the path of the value; beyond a thousand paths the others together, as `…`. */
  readonly byPath: Readonly<Record<string, number>>
  /** Whether the schema is the one that the first rows show. */
  readonly inferred: boolean
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

export const VALIDATE_OPTIONS = {
  schema: {
    type: 'a JSON Schema or a Standard Schema',
    default: 'what the first rows show',
    means: 'What each row must be.',
    accepts: is.any(isObject, is.boolean, is.function),
  },
  read: {
    type: 'read options',
    default: 'none',
    means: 'Options of reading, as openIterable has them.',
    accepts: isObject,
  },
  onBadRow: { type: 'function', default: 'none', means: 'Told of each bad row.', accepts: is.function },
  maxErrors: {
    type: 'integer from 0',
    default: 'any number',
    means: 'How many bad rows are put up with.',
    accepts: is.any(is.integer(0), is.oneOf(Number.POSITIVE_INFINITY)),
  },
  deadLetters: { type: 'target', default: 'none', means: 'Where bad rows are put aside.', accepts: () => true },
  signal: {
    type: 'AbortSignal',
    default: 'none',
    means: 'Stops the reading.',
    accepts: is.signal,
  },
} satisfies Record<keyof ValidateOptions, OptionEntry>

/** Reads all of a target; see `validate` in `index.ts`. */
export async function runValidation(target: ReadTarget, options: ValidateOptions): Promise<ValidationResult> {
  checkOptions(options as Readonly<Record<string, unknown>>, [VALIDATE_OPTIONS], 'validate')
  const { read = {}, onBadRow, deadLetters, maxErrors, signal } = options
  const takes = await formatOptions(target, read, signal)
  // The fields of such a format are texts, unless the user has them typed.
  const isText = Object.hasOwn(takes, 'cast') && read.cast !== true && read.types === undefined
  const schema = await schemaOf(target, options, isText)
  const byCode = new Map<string, number>()
  const byPath = new Map<string, number>()
  let rowsBad = 0
  const watched = new WatchedSchema(schema)
  const onError: ErrorPolicy = error => {
    rowsBad++
    const row = badRow(error, watched)
    count(byCode, row.code)
    for (const { path } of row.issues) count(byPath, path)
    onBadRow?.(row)
    return deadLetters === undefined ? 'skip' : 'quarantine'
  }
  // Such a format tells on which line a record is.
  const tellsLines = Object.hasOwn(takes, 'onRecord') && read.onRecord === undefined
  const places = tellsLines ? { onRecord: watched.onRecord } : {}
  const reader = openIterable<object>(target, {
    ...read,
    ...places,
    schema: watched,
    onError,
    maxErrors: maxErrors === Number.POSITIVE_INFINITY ? undefined : maxErrors,
    deadLetters,
    signal,
  } as ReadOptions)
  try {
    for await (const _ of reader.batches());
    const { rowsRead: rowsValid } = reader
    return {
      valid: rowsBad === 0,
      rowsValid,
      rowsBad,
      byCode: Object.fromEntries(byCode),
      byPath: Object.fromEntries(byPath),
      inferred: options.schema === undefined,
    }
  } finally {
    await reader.close()
  }
}

/** Names in data may be as many as there are rows. */
const MAX_COUNTED = 1000

/** Counts one more; what is one name too many is counted as `…`. */
function count(counts: Map<string, number>, name: string): void {
  const key = counts.has(name) || counts.size < MAX_COUNTED ? name : '…'
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** The options of reading that the format of the target takes; none for rows that need no format. */
async function formatOptions(target: ReadTarget, read: ReadOptions, signal: AbortSignal | undefined) {
  const lazy = openIterable(target, { ...read, signal })
  const isName = (typeof target === 'string' && target !== '-') || target instanceof URL
  let format = read.sniff === true && isName ? undefined : lazy.format
  if (format === undefined && target === '-') {
    throw createError('FORMAT_UNKNOWN', 'what comes by standard input has no name that tells the format', {
      label: lazy.label,
    })
  }
  if (format === undefined && isName) {
    // Only the content tells.
    format = (await lazy).format
    await lazy.close()
  }
  const loaded = format === undefined ? undefined : await findFormat(format)?.load()
  return loaded?.readOptions ?? {}
}

async function schemaOf(
  target: ReadTarget,
  { schema, read = {}, signal }: ValidateOptions,
  coerce: boolean,
): Promise<StandardSchema> {
  if (isStandardSchema(schema)) return schema
  if (schema !== undefined) return fromJsonSchema(schema as Readonly<Record<string, unknown>>, { coerce })
  const probe = await openIterable(target, { ...read, signal })
  try {
    await probe.reset({ signal })
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'NOT_REPLAYABLE') throw error
    throw createError('NOT_REPLAYABLE', 'what can be read only once shows no schema beforehand', {
      label: probe.label,
      hint: 'give a schema, or read from a file',
    })
  } finally {
    await probe.close()
  }
  const { cast: _, scan: __, onWiden: ___, mode: ____, ...reading } = read as ReadOptions
  const inferred = await inferSchema(target, { ...reading, signal })
  return fromJsonSchema(toJsonSchema(inferred), { coerce })
}

/** Keeps what a schema said last, and of which row, for whoever is told of the error that becomes of it. */
class WatchedSchema implements StandardSchema {
  readonly '~standard': StandardSchema['~standard']
  issues: readonly StandardIssue[] = []
  row: unknown
  readonly #places = new WeakMap<object, CsvRecordInfo>()

  constructor(schema: StandardSchema) {
    const { validate } = schema['~standard']
    const keep = (row: unknown) => (result: Awaited<ReturnType<typeof validate>>) => {
      this.issues = result.issues ?? []
      this.row = row
      return result
    }
    this['~standard'] = {
      version: 1,
      vendor: 'open-iterable',
      validate: row => {
        const checked = validate(row)
        return checked instanceof Promise ? checked.then(keep(row)) : keep(row)(checked)
      },
    }
  }

  readonly onRecord = (row: object, place: CsvRecordInfo): object => {
    this.#places.set(row, place)
    return row
  }

  /** Where the last row is, if the format told. */
  get place(): CsvRecordInfo | undefined {
    return typeof this.row === 'object' && this.row !== null ? this.#places.get(this.row) : undefined
  }
}

function badRow(error: OpenIterableError, watched: WatchedSchema): BadRow {
  const { label, column, record, code, message } = error
  if (code !== 'SCHEMA_INVALID') return { label, line: error.line, column, record, code, message, issues: [] }
  const issues = watched.issues.map(({ path = [], message: expected }) => {
    const keys = path.map(part => (typeof part === 'object' ? part.key : part))
    return { path: keys.map(String).join('.'), expected, found: valueAt(watched.row, keys) }
  })
  // The format counts the records that could not be read, which a schema never sees.
  const { line, record: own = record } = watched.place ?? {}
  return { label, line: error.line ?? line, column, record: own, code, message, issues }
}

function valueAt(row: unknown, keys: readonly PropertyKey[]): unknown {
  let value = row
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}
