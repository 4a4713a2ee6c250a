/** Questions to targets: what users call. The work is loaded when it is called. */
import { invalidOption } from '../core/options.ts'
import type { FormatOptions, Row, RowSource } from '../core/types.ts'
import { LazyReaderHandle } from '../lazy-handles.ts'
import type { ReadTarget } from '../open.ts'
import type { LazyReader } from '../reader.ts'
import type { Diff, DiffOptions, DiffSummary, RowChange } from './diff-options.ts'
import type { SqlOptions, TableTarget } from './options.ts'
import type { ValidateOptions, ValidationResult } from './validate.ts'

export { fromJsonSchema } from './json-schema.ts'

/**
 * The rows of a query in SQL, in which targets of any kind are tables:
 *
 * ```ts
 * const busiest = sql('select origin, count(*) as flights from flights group by 1 order by 2 desc', {
 *   flights: 'flights.csv.gz',
 * })
 * for await (const { origin, flights } of busiest) console.log(origin, flights)
 * ```
 *
 * DuckDB answers it. Local Parquet files are read by it directly; every other target is read by our own reader, with types
 * as `cast` infers them, and copied to a temp Parquet file (`onTable` tells). The query reads these tables and nothing else:
 * no other file, no network, and it changes nothing. Memory is bounded; what is beyond it goes to temp files.
 *
 * @param query One SELECT (or DESCRIBE, SUMMARIZE, …) in DuckDB's dialect, with `$1`, `$2`, … for `parameters`.
 * @param tables Targets by their tables' names; or an array of targets, which are then called by their files' stems
 * (`logs/flights.csv.gz` is `flights`, `-` is `stdin`). `{ target, read }` gives one options of its own.
 * @returns A lazy reader, as `openIterable` gives it; `schema` has DuckDB's types. Of columns with one name the second is
 * called `name_2`. Errors come from its first use: QUERY_INVALID with the line and column in the query, PEER_MISSING
 * without DuckDB, DUCKDB_OUT_OF_MEMORY, and what reading a table throws.
 */
export function sql<R extends object = Row>(
  query: string,
  tables: Readonly<Record<string, TableTarget>> | readonly TableTarget[],
  options: SqlOptions = {},
): LazyReader<R> {
  const { signal } = options
  return new LazyReaderHandle<R>(new QuerySource(query, tables, options), { signal } satisfies FormatOptions)
}

/** A query that is not opened yet. */
class QuerySource implements RowSource {
  readonly label = '<sql>'
  readonly replayable: boolean
  readonly openReader: RowSource['openReader']

  constructor(
    query: string,
    tables: Readonly<Record<string, TableTarget>> | readonly TableTarget[],
    options: SqlOptions,
  ) {
    this.replayable = Object.values(tables).every(target =>
      typeof target === 'string' ? target !== '-' : target instanceof URL,
    )
    this.openReader = async context => {
      if (typeof query !== 'string') throw invalidOption('query', 'a text', query)
      const [{ openQuery }, { nameTables }] = await Promise.all([import('./sql-source.ts'), import('./tables.ts')])
      return openQuery(query, nameTables(tables, options.read), options, context)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/**
 * The differences between two targets: rows that were added, removed or changed.
 *
 * ```ts
 * for await (const { change, key, columns } of diff('old.csv', 'new.parquet', { key: 'id' })) console.log(change, key, columns)
 *
 * const { equal, added, removed, changed } = await diff('a.csv', 'b.csv', { key: ['country', 'year'] })
 * ```
 *
 * With a `key`, rows with the same key are compared column by column; without one, whole rows are, and how often each
 * occurs. Columns are matched by name, whatever their order; those of one side alone are told in the summary. Values are
 * compared as values, and exactly: 1 is 1.0, and a text of a CSV is the number, date or instant that it is the text of,
 * while `007` is not 7. The changes come sorted by their keys (or by their values).
 *
 * DuckDB compares, so memory is bounded and temp files are used beyond it; how targets become tables is as for `sql`.
 *
 * @returns Lazy: iterate over it for the changes, await it for the summary; after a loop the same run's, without one the
 * changes are only counted.
 * @throws DIFF_KEY_REPEATED where a key occurs twice on a side; OPTION_INVALID for a column that a side lacks; PEER_MISSING
 * without DuckDB; what reading a side throws.
 */
export function diff<R extends object = Row>(
  before: TableTarget,
  after: TableTarget,
  options: DiffOptions = {},
): Diff<R> {
  return new LazyDiff(before, after, options) as unknown as Diff<R>
}

/**
 * Reads all of a target and tells which rows are not what a schema asks for, and which records cannot be read:
 *
 * ```ts
 * const { valid, rowsBad } = await validate('people.csv', { schema, onBadRow: ({ message }) => console.error(message) })
 * ```
 *
 * The fields of a CSV are texts; a JSON Schema that asks for a number finds one where the text is that of a number. Without a
 * schema it is the one that the first 1000 rows show, and the target must be one that can be read twice.
 *
 * @throws What reading throws; TOO_MANY_ERRORS; OPTION_INVALID for a wrong schema; PEER_MISSING without `ajv`;
 * NOT_REPLAYABLE without a schema, for what can be read only once.
 */
export async function validate(target: ReadTarget, options: ValidateOptions = {}): Promise<ValidationResult> {
  const { runValidation } = await import('./validate.ts')
  return runValidation(target, options)
}

/** A comparison whose code is loaded when it is started. */
class LazyDiff implements Diff {
  readonly #arguments: readonly [TableTarget, TableTarget, DiffOptions]
  /** Settles when the loop that is under way ends. */
  #summary: Promise<DiffSummary> | undefined

  constructor(...given: readonly [TableTarget, TableTarget, DiffOptions]) {
    this.#arguments = given
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaitable is the point
  then<A = DiffSummary, B = never>(
    onDone?: ((summary: DiffSummary) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#summary ??= this.#count()
    return this.#summary.then(onDone, onError)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RowChange, void, undefined> {
    const { changesOf, consumed, leftEarly } = await import('./diff-run.ts')
    if (this.#summary !== undefined) throw consumed()
    const { promise, resolve, reject } = settled<DiffSummary>()
    this.#summary = promise
    try {
      resolve(yield* changesOf(...this.#arguments))
    } catch (error) {
      reject(error)
      throw error
    } finally {
      reject(leftEarly())
    }
  }

  async #count(): Promise<DiffSummary> {
    const { changesOf } = await import('./diff-run.ts')
    const changes = changesOf(...this.#arguments)
    for (;;) {
      const step = await changes.next()
      if (step.done === true) return step.value
    }
  }
}

/** A promise with its ends; that nobody waits for it when it rejects is no failure of its own. */
function settled<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}
