/** The steps that a conversion takes with each row, as one function. */
import { createError, excerpt, OpenIterableError } from '../core/errors.ts'
import type { Row } from '../core/types.ts'
import { define, flattenRow, unflattenRow } from './nested.ts'
import type { ConvertOptions, RowInfo } from './options.ts'

/** Several rows in place of one. Not an array, as a row may be one. */
export class Several {
  readonly rows: readonly Row[]
  constructor(rows: readonly Row[]) {
    this.rows = rows
  }
}

/** What becomes of a row: no row, one row, or several. */
export type StepResult = Row | Several | undefined
/** At once, or to be waited for. */
export type MaybeLater<T> = T | PromiseLike<T>

/** Takes a row through all steps. */
export type Step = (row: Row, info: RowInfo) => MaybeLater<StepResult>

/** Undefined where rows stay as they are. */
export function createStep(options: ConvertOptions, label: string): Step | undefined {
  const { flatten, unflatten, filter, map, flatMap, columns, rename } = options
  const steps: Step[] = []
  if (flatten !== undefined && flatten !== false) {
    const separator = flatten === true ? '.' : flatten
    steps.push(row => flattenRow(row, separator))
  }
  if (unflatten !== undefined && unflatten !== false) {
    const separator = unflatten === true ? '.' : unflatten
    steps.push(row => unflattenRow(row, separator))
  }
  if (filter !== undefined) {
    steps.push((row, info) => {
      const kept = filter(row, info)
      return isPromise(kept) ? kept.then(value => (value ? row : undefined)) : kept ? row : undefined
    })
  }
  if (map !== undefined) {
    steps.push((row, info) => {
      const made = map(row, info)
      return isPromise(made) ? made.then(checkRow) : checkRow(made)
    })
  }
  if (flatMap !== undefined) {
    steps.push((row, info) => {
      const made = flatMap(row, info)
      return isPromise(made) ? made.then(checkRows) : checkRows(made)
    })
  }
  if (columns !== undefined || rename !== undefined) steps.push(project(columns, rename))
  if (steps.length === 0) return undefined
  return (row, info) => {
    try {
      const result = through(steps, 0, row, info)
      return isPromise(result) ? result.then(undefined, error => fail(error, info, label)) : result
    } catch (error) {
      return fail(error, info, label)
    }
  }
}

/** The columns that rows of these columns have after the steps; undefined where only the rows tell. */
export function columnsAfter(columns: readonly string[] | undefined, options: ConvertOptions): string[] | undefined {
  const { map, flatMap, flatten, unflatten, rename } = options
  const reshaped = map !== undefined || flatMap !== undefined || Boolean(flatten) || Boolean(unflatten)
  const known = options.columns ?? (reshaped ? undefined : columns)
  return known?.map(name => renamed(name, rename))
}

function through(steps: readonly Step[], from: number, row: Row, info: RowInfo): MaybeLater<StepResult> {
  let current = row
  for (let i = from; i < steps.length; i++) {
    const result = steps[i]!(current, info)
    if (result === undefined) return undefined
    if (isPromise(result)) return result.then(value => onward(steps, i + 1, value, info))
    if (result instanceof Several) return onward(steps, i + 1, result, info)
    current = result
  }
  return current
}

function onward(steps: readonly Step[], from: number, result: StepResult, info: RowInfo) {
  if (result === undefined || from === steps.length) return result
  if (!(result instanceof Several)) return through(steps, from, result, info)
  // Behind a flatMap there are only steps that give one row for each, at once.
  return new Several(result.rows.map(row => through(steps, from, row, info) as Row))
}

function project(columns: readonly string[] | undefined, rename: ConvertOptions['rename']): Step {
  return row => {
    const made: Row = {}
    for (const name of columns ?? Object.keys(row)) {
      const key = renamed(name, rename)
      if (Object.hasOwn(made, key)) throw new RangeError(`two columns would be named ${excerpt(key)}`)
      define(made, key, Object.hasOwn(row, name) ? row[name] : null)
    }
    return made
  }
}

const renamed = (name: string, rename: ConvertOptions['rename']): string =>
  rename !== undefined && Object.hasOwn(rename, name) ? rename[name]! : name

function checkRow(value: unknown): Row {
  if (typeof value === 'object' && value !== null) return value as Row
  throw new TypeError(`map gave ${excerpt(value)}, which is not a row`)
}

function checkRows(value: unknown): Several {
  if (typeof value !== 'object' || value === null || !(Symbol.iterator in value)) {
    throw new TypeError(`flatMap gave ${excerpt(value)}, which is not an iterable of rows`)
  }
  return new Several(Array.from(value as Iterable<unknown>, checkRow))
}

export const isPromise = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<T> | null | undefined)?.then === 'function'

/** An abort stays what it is; anything else that a step throws is the row's fault. */
function fail(error: unknown, { row, signal }: RowInfo, label: string): never {
  if (signal.aborted) throw signal.reason
  if (error instanceof OpenIterableError) throw error
  const reason = error instanceof Error ? error.message : String(error)
  throw createError('STAGE_FAILED', `row ${row}: ${excerpt(reason, 300)}`, { label, record: row, cause: error })
}
