/** Converts by our own readers and writers. */
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createError, excerpt, nearest } from '../core/errors.ts'
import { checkCondition, type Filter, parseFilter } from '../core/filter.ts'
import { orderColumns } from '../core/row-selection.ts'
import type { Schema } from '../core/schema.ts'
import type { Batch, Row } from '../core/types.ts'
import type { TypingOptions, Widening } from '../core/typing.ts'
import { openIterable, type ReadOptions, type ReadTarget, type WriteTarget } from '../open.ts'
import { BATCHES, type Reader } from '../reader.ts'
import { ErrorBudget } from './error-budget.ts'
import { lossesOf } from './losses.ts'
import type { ConvertOptions } from './options.ts'
import { type ConversionPlan, type ConversionRequest, REPLAYABLE } from './plan.ts'
import { type ProgressCounts, ProgressReport, rate } from './progress.ts'
import { pushDown } from './pushdown.ts'
import type { ConvertResult } from './result.ts'
import { StepBatches } from './step-batches.ts'
import { columnsAfter } from './steps.ts'

/** A later value contradicts the type that a sample has shown. */
class SampleMisled {
  readonly widening: Widening
  constructor(widening: Widening) {
    this.widening = widening
  }
}

/** Converts rows, again with types from the whole input where a sample has misled. */
export async function convertRows(
  from: ReadTarget,
  to: WriteTarget,
  request: ConversionRequest,
  plan: ConversionPlan,
): Promise<ConvertResult> {
  const progress = new ProgressReport(request.options)
  const { read, rest } = await pushDown(request)
  const actual = rest.orderBy === undefined ? plan : { ...plan, spools: [...plan.spools, sortedInFile(plan)] }
  const once = (typing: TypingOptions, warnings: string[]) =>
    convertOnce(from, to, rest, actual, progress, { ...read, ...typing }, warnings)
  if (!request.infersTypes) return once({}, [])
  if (!(await isReplayable(request.from))) return once({ cast: true, scan: 'full' }, [])
  const warnings: string[] = []
  // Text that was taken for numbers has lost its form when the column turns out to be text: only a new start has it.
  const onWiden = (widening: Widening) => {
    if (widening.to === 'text') throw new SampleMisled(widening)
    warnings.push(widened(widening))
  }
  try {
    return await once({ cast: true, onWiden }, warnings)
  } catch (error) {
    if (!(error instanceof SampleMisled)) throw error
    const again = [`${widened(error.widening)}; the input was read again to decide the types by all of it`]
    return once({ cast: true, scan: 'full' }, again)
  }
}

/** What the plan says of rows that the source does not sort. */
export const sortedInFile = ({ from }: ConversionPlan): string =>
  `the rows of ${from.label} are put into a temp file, which DuckDB sorts`

/** Whether the conversion may begin anew; a source that can be read once is copied to a temp file. */
async function isReplayable({ entry, target }: ConversionRequest['from']): Promise<boolean> {
  if (entry.id !== 'file') return REPLAYABLE.includes(entry.id)
  const path = /^file:/i.test(String(target)) ? fileURLToPath(String(target)) : String(target)
  // A FIFO is a path, too. What is not there, or a pattern, is told of by reading.
  return stat(path).then(
    stats => !stats.isFIFO() && !stats.isCharacterDevice(),
    () => true,
  )
}

const widened = ({ column, from, to, record }: Widening) =>
  `column ${column} is ${to}, not ${from} as its first values were: record ${record} is the first other`

async function convertOnce(
  from: ReadTarget,
  to: WriteTarget,
  options: ConvertOptions,
  plan: ConversionPlan,
  progress: ProgressReport,
  reading: ReadOptions,
  warnings: string[],
): Promise<ConvertResult> {
  const signal = options.signal ?? new AbortController().signal
  const budget = new ErrorBudget(options)
  const { read = {}, write = {}, mode = 'w' } = options
  const reader: Reader = openIterable<Row>(from as WriteTarget & ReadTarget, {
    ...reading,
    ...read,
    ...budget.options,
    signal,
  })
  const writer = openIterable<Row>(to, { ...write, ...budget.options, mode, signal })
  const steps = new StepBatches(options, budget.steps, signal)
  const counts = (): ProgressCounts => ({
    from: reader.label,
    to: writer.label,
    rowsIn: steps.counts.taken,
    rowsOut: writer.rowsWritten,
    bytesRead: reader.bytesRead,
    bytesTotal: reader.bytesTotal,
  })
  let schema: Schema | undefined
  let sorting: AsyncGenerator<Batch, void, undefined> | undefined
  try {
    await (reader as PromiseLike<Reader> & Reader)
    checkColumns(options, reader)
    steps.prepare(reader)
    sorting = await sortingOf(reader, options, signal)
    const rows = steps.run(sorting ?? reader.batches())
    await writer.writeBulk(asReader(reader, rows, options, () => progress.tell(counts)))
    schema = reader.schema
    await reader.close()
    await writer.close()
    await budget.close()
  } catch (error) {
    await writer.abort(error).catch(() => {}) // the first failure is the one to tell
    await reader.close().catch(() => {})
    await sorting?.return().catch(() => {})
    await budget.close().catch(() => {})
    throw error
  }
  await progress.end(counts())
  const { taken, leftOut, added } = steps.counts
  const { elapsedMs } = progress
  const losses = schema === undefined ? [] : lossesOf(schema, writer.format, options, 'rows')
  return {
    from: reader.label,
    to: writer.label,
    engine: 'rows',
    rowsIn: taken + reader.rowsSkipped + reader.rowsFailed,
    rowsOut: writer.rowsWritten,
    rowsLeftOut: leftOut,
    rowsAdded: added,
    rowsSkipped: reader.rowsSkipped + budget.steps.skipped + writer.rowsSkipped,
    rowsFailed: reader.rowsFailed + budget.steps.failed + writer.rowsFailed,
    bytesRead: reader.bytesRead,
    bytesWritten: writer.bytesWritten,
    retries: reader.retries + writer.retries,
    elapsedMs,
    rowsPerSecond: rate(taken, elapsedMs),
    schema,
    warnings: [...warnings, ...losses],
    plan: {
      ...plan,
      losses,
      from: { label: reader.label, format: reader.format, codecs: reader.codecs },
    },
  }
}

/** Where the source's columns are known, one that it does not have is a mistake. */
function checkColumns({ columns, where, orderBy, rename, ...options }: ConvertOptions, reader: Reader): void {
  const known = reader.columns
  if (known === undefined) return
  if (where !== undefined) {
    const types = new Map(reader.schema?.columns.map(({ name, type }) => [name, type]))
    const typed = known.map(name => ({ name, type: types.get(name) ?? ('json' as const) }))
    checkCondition(parseFilter(where as Filter), typed, reader.label)
  }
  const order = orderColumns(orderBy).map(({ column }) => column)
  for (const [option, names] of [
    ['orderBy', order],
    ['columns', createsRows(options) ? [] : (columns ?? [])],
    ['rename', createsRows(options) ? [] : Object.keys(rename ?? {})],
  ] as const) {
    const unknown = names.find(name => !known.includes(name))
    if (unknown === undefined) continue
    const near = nearest(unknown, known)
    throw createError('OPTION_INVALID', `option ${option} names ${excerpt(unknown)}, which is not a column`, {
      label: reader.label,
      expected: `one of ${excerpt(known.join(', '), 300)}`,
      found: unknown,
      hint: near === undefined ? undefined : `did you mean ${excerpt(near)}?`,
    })
  }
}

/** The rows that come out of the steps, with their columns, as a writer takes them from a reader. */
function asReader(reader: Reader, rows: AsyncIterable<Batch>, options: ConvertOptions, onBatch: () => void) {
  const batches = async function* (): AsyncGenerator<Batch, void, undefined> {
    for await (const batch of rows) {
      yield batch
      onBatch()
    }
  }
  return {
    columns: columnsAfter(reader.columns, options),
    schema: createsRows(options) || reader.schema === undefined ? undefined : schemaAfter(reader.schema, options),
    batches: () => Object.assign(batches(), { [BATCHES]: true as const }),
    [Symbol.asyncIterator]: () => batches(),
  } as unknown as Reader
}

/** The batches of the reader in their order, where the source has not sorted them by itself. */
async function sortingOf(reader: Reader, { orderBy }: ConvertOptions, signal: AbortSignal) {
  if (orderBy === undefined) return undefined
  const { sortedBatches } = await import('./sorted-batches.ts')
  return sortedBatches(reader.batches(), { orderBy, label: reader.label, signal })
}

/** The types under the names that the output has. */
function schemaAfter({ columns }: Schema, options: ConvertOptions): Schema {
  return {
    columns: columns.map(column => ({ ...column, name: columnsAfter([column.name], { rename: options.rename })![0]! })),
  }
}

/** Whether the steps make rows whose types nobody knows. */
const createsRows = ({ map, flatMap, flatten, unflatten }: ConvertOptions): boolean =>
  map !== undefined || flatMap !== undefined || Boolean(flatten) || Boolean(unflatten)
