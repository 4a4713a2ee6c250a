/** What can be done with rows on their way, as values: a stage is declared once and used in any number of pipelines. */
import { invalidOption } from '../core/options.ts'
import type { Abortable } from '../core/types.ts'

/** What a stage's function is told beside the row and its index. */
export interface StageContext<S = undefined> {
  /** Aborts when the rows are not wanted any more, for whatever reason. */
  readonly signal: AbortSignal
  /** The state of the pipeline that the stage runs in. */
  readonly state: S
}

/**
 * `index` counts the rows that come to this stage, from 0. A promise is awaited, as is whatever else of a class has `then`;
 * a plain object is a row, whatever it has.
 */
export type StageFunction<I, O, S = undefined> = (row: I, index: number, context: StageContext<S>) => O | PromiseLike<O>

/** What `flatMap` takes for several rows. A string is no sequence here. */
export type Rows<O> = Iterable<O> | AsyncIterable<O>

/** Options of every stage. */
export interface StageOptions extends Abortable {
  /** How the stage is called in messages and counts. Default: its kind, as `map`. */
  readonly name?: string | undefined
}

/** Options of stages that call a function. */
export interface ConcurrentOptions extends StageOptions {
  /**
   * How many calls of an async function may be under way at once. Up to twice as many rows are held, so that a slow one
   * does not stop the others. Default: 1.
   */
  readonly concurrency?: number | undefined
  /** `false` gives rows as they become ready. Default: `true`, in the order of the input. */
  readonly ordered?: boolean | undefined
}

/** Most rows in an array of those at hand. */
const GATHERED_ROWS = 256

/** What a stage does with rows. */
export type StageKind = 'map' | 'filter' | 'exclude' | 'flatMap' | 'tap' | 'take' | 'drop' | 'batch' | 'gather'

/** One step of a pipeline: rows `I` in, rows `O` out, with a state `S` of the pipeline. */
export class Stage<I, O, S = unknown> {
  /** Nothing at run time: the types of the stage, for the compiler. */
  declare readonly types: (row: I, context: StageContext<S>) => O
  /** What it does with rows. */
  readonly kind: StageKind
  /** What messages and counts call it. */
  readonly name: string
  /** The function that is called with each row; none of `take`, `drop` and `batch`. */
  readonly call: StageFunction<never, unknown, never> | undefined
  /** Of `take`, `drop` and `batch`. */
  readonly count: number
  /** As they were given. */
  readonly options: ConcurrentOptions

  constructor(kind: StageKind, call: StageFunction<never, unknown, never> | number, options: ConcurrentOptions = {}) {
    this.kind = kind
    this.name = options.name ?? kind
    this.call = typeof call === 'function' ? call : undefined
    this.count = typeof call === 'number' ? call : 0
    this.options = options
  }
}

/** Gives another row for each. */
export function mapStage<I, O, S = unknown>(call: StageFunction<I, O, S>, options?: ConcurrentOptions): Stage<I, O, S> {
  return functionStage('map', call, options)
}

/** Leaves out the rows for which `test` gives nothing true. */
export function filterStage<I, O extends I, S = unknown>(
  test: (row: I, index: number, context: StageContext<S>) => row is O,
  options?: ConcurrentOptions,
): Stage<I, O, S>
export function filterStage<I, S = unknown>(
  test: StageFunction<I, unknown, S>,
  options?: ConcurrentOptions,
): Stage<I, I, S>
export function filterStage<I, S>(test: StageFunction<I, unknown, S>, options?: ConcurrentOptions): Stage<I, I, S> {
  return functionStage('filter', test, options)
}

/** Gives any number of rows for each. */
export function flatMapStage<I, O, S = unknown>(
  call: StageFunction<I, Rows<O>, S>,
  options?: ConcurrentOptions,
): Stage<I, O, S> {
  return functionStage('flatMap', call, options)
}

/** Looks at each row, and passes it on. */
export function tapStage<I, S = unknown>(
  call: StageFunction<I, unknown, S>,
  options?: ConcurrentOptions,
): Stage<I, I, S> {
  return functionStage('tap', call, options)
}

/** The first `count` rows; then the source is released. */
export function takeStage<I>(count: number, options?: StageOptions): Stage<I, I> {
  return countStage('take', count, 0, options)
}

/** All but the first `count` rows. */
export function dropStage<I>(count: number, options?: StageOptions): Stage<I, I> {
  return countStage('drop', count, 0, options)
}

/** Arrays of `size` rows; the last may be shorter. */
export function batchStage<I>(size: number, options?: StageOptions): Stage<I, I[]> {
  return countStage('batch', size, 1, options)
}

/** The rows for which `test` gives nothing true. */
export function excludeStage<I>(test: StageFunction<I, unknown>, options?: ConcurrentOptions): Stage<I, I, undefined> {
  return functionStage('exclude', test, options)
}

/** Whether a stage gives rows as they are, where it does not leave them out. */
export function passesRows({ kind }: { readonly kind: StageKind }): boolean {
  return kind === 'filter' || kind === 'exclude' || kind === 'take' || kind === 'drop' || kind === 'tap'
}

/** Rows in arrays, as they are at hand. */
export function gatherStage<I>(): Stage<I, I[]> {
  return new Stage('gather', GATHERED_ROWS)
}

/** @throws OptionError OPTION_INVALID */
function functionStage<I, O, S, R>(
  kind: StageKind,
  call: StageFunction<I, R, S>,
  options?: ConcurrentOptions,
): Stage<I, O, S> {
  if (typeof call !== 'function') throw invalidOption(kind, 'a function', call)
  const { concurrency = 1 } = options ?? {}
  if (!(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw invalidOption('concurrency', 'a whole number from 1', concurrency)
  }
  return new Stage(kind, call, options)
}

/** @throws OptionError OPTION_INVALID */
function countStage<I, O>(kind: StageKind, count: number, least: number, options?: StageOptions): Stage<I, O> {
  if (count !== Number.POSITIVE_INFINITY && !(Number.isInteger(count) && count >= least)) {
    throw invalidOption(kind, `a whole number from ${least}, or Infinity`, count)
  }
  return new Stage(kind, count, options)
}
