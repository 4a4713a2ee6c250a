/** The methods that chain on readers. They only note what is to be done; what does it is loaded with the first row. */
import type { Abortable } from '../core/types.ts'
import { BATCHES, type Batches, type Reader } from '../reader.ts'
import { NOW, type RowIterator, WAIT } from './pull.ts'
import type { Run } from './run.ts'
import {
  batchStage,
  type ConcurrentOptions,
  dropStage,
  excludeStage,
  filterStage,
  flatMapStage,
  gatherStage,
  mapStage,
  passesRows,
  type Rows,
  type Stage,
  type StageContext,
  type StageFunction,
  type StageOptions,
  takeStage,
  tapStage,
} from './stages.ts'

/** Options of what comes to an end by itself, as `toArray`. */
export interface CollectOptions extends Abortable {}

/** What may be done with rows one after the other. The names, and the order of arguments, are those of TC39's helpers. */
export interface Chain<R> {
  /** Gives another row for each. */
  map<O>(call: StageFunction<R, O>, options?: ConcurrentOptions): RowChain<O>
  /** Leaves out the rows for which `test` gives nothing true. */
  filter<O extends R>(
    test: (row: R, index: number, context: StageContext) => row is O,
    options?: ConcurrentOptions,
  ): RowChain<O>
  /** Leaves out the rows for which `test` gives nothing true. */
  filter(test: StageFunction<R, unknown>, options?: ConcurrentOptions): RowChain<R>
  /** Gives any number of rows for each: an array, an iterable or an async iterable of them. */
  flatMap<O>(call: StageFunction<R, Rows<O>>, options?: ConcurrentOptions): RowChain<O>
  /** The first `count` rows; then the source is released. */
  take(count: number, options?: StageOptions): RowChain<R>
  /** All but the first `count` rows. */
  drop(count: number, options?: StageOptions): RowChain<R>
  /** Arrays of `size` rows; the last may be shorter. */
  batch(size: number, options?: StageOptions): RowChain<R[]>
  /** Looks at each row, and passes it on. */
  tap(call: StageFunction<R, unknown>, options?: ConcurrentOptions): RowChain<R>
  /**
   * Makes one value of all rows.
   *
   * @throws TypeError without rows and without an initial value.
   */
  reduce(call: (sum: R, row: R, index: number) => R | PromiseLike<R>): Promise<R>
  /** Makes one value of all rows, beginning with `initial`, which it gives where there are none. */
  reduce<A>(
    call: (sum: A, row: R, index: number) => A | PromiseLike<A>,
    initial: A,
    options?: CollectOptions,
  ): Promise<A>
  /** All rows, in memory. */
  toArray(options?: CollectOptions): Promise<R[]>
  /** Calls a function with each row. */
  forEach(call: StageFunction<R, unknown>, options?: ConcurrentOptions): Promise<void>
  /** The first row for which `test` gives something true; then the source is released. */
  find<O extends R>(
    test: (row: R, index: number, context: StageContext) => row is O,
    options?: CollectOptions,
  ): Promise<O | undefined>
  /** The first row for which `test` gives something true; then the source is released. */
  find(test: StageFunction<R, unknown>, options?: CollectOptions): Promise<R | undefined>
  /** Whether `test` gives something true for any row; then the source is released. */
  some(test: StageFunction<R, unknown>, options?: CollectOptions): Promise<boolean>
  /** Whether `test` gives something true for all rows; the source is released with the first for which it does not. */
  every(test: StageFunction<R, unknown>, options?: CollectOptions): Promise<boolean>
}

type AnyStage = Stage<never, unknown, never>

/** What has the methods of `Chain`. */
export abstract class Chainable<R> implements Chain<R>, AsyncIterable<R> {
  abstract [Symbol.asyncIterator](): AsyncIterableIterator<R>

  map<O>(call: StageFunction<R, O>, options?: ConcurrentOptions): RowChain<O> {
    return this.#with(mapStage(call, options))
  }
  filter<O extends R>(
    test: (row: R, index: number, context: StageContext) => row is O,
    options?: ConcurrentOptions,
  ): RowChain<O>
  filter(test: StageFunction<R, unknown>, options?: ConcurrentOptions): RowChain<R>
  filter<O extends R>(test: StageFunction<R, unknown>, options?: ConcurrentOptions): RowChain<O> {
    return this.#with(filterStage(test, options))
  }
  flatMap<O>(call: StageFunction<R, Rows<O>>, options?: ConcurrentOptions): RowChain<O> {
    return this.#with(flatMapStage(call, options))
  }
  take(count: number, options?: StageOptions): RowChain<R> {
    return this.#with(takeStage(count, options))
  }
  drop(count: number, options?: StageOptions): RowChain<R> {
    return this.#with(dropStage(count, options))
  }
  batch(size: number, options?: StageOptions): RowChain<R[]> {
    return this.#with(batchStage(size, options))
  }
  tap(call: StageFunction<R, unknown>, options?: ConcurrentOptions): RowChain<R> {
    return this.#with(tapStage(call, options))
  }

  reduce(call: (sum: R, row: R, index: number) => R | PromiseLike<R>): Promise<R>
  reduce<A>(
    call: (sum: A, row: R, index: number) => A | PromiseLike<A>,
    initial: A,
    options?: CollectOptions,
  ): Promise<A>
  async reduce<A>(
    call: (sum: A, row: R, index: number) => A | PromiseLike<A>,
    ...initial: [A?, CollectOptions?]
  ): Promise<A> {
    const rows = this.#run<R>([], initial[1])
    const { reduceRows } = await collecting()
    return reduceRows(rows, call, initial.length === 0 ? undefined : { value: initial[0] as A })
  }
  async toArray(options?: CollectOptions): Promise<R[]> {
    const rows = this.#run<R>([], options)
    return (await collecting()).collectRows(rows)
  }
  async forEach(call: StageFunction<R, unknown>, options?: ConcurrentOptions): Promise<void> {
    const rows = this.#run<R>([tapStage(call, options)])
    return (await collecting()).exhaustRows(rows)
  }
  find<O extends R>(
    test: (row: R, index: number, context: StageContext) => row is O,
    options?: CollectOptions,
  ): Promise<O | undefined>
  find(test: StageFunction<R, unknown>, options?: CollectOptions): Promise<R | undefined>
  async find<O extends R>(test: StageFunction<R, unknown>, options?: CollectOptions): Promise<O | undefined> {
    const rows = this.#run<O>([filterStage(test, options)])
    return (await (await collecting()).firstRow(rows))?.row
  }
  async some(test: StageFunction<R, unknown>, options?: CollectOptions): Promise<boolean> {
    const rows = this.#run<R>([filterStage(test, options)])
    return (await (await collecting()).firstRow(rows)) !== undefined
  }
  async every(test: StageFunction<R, unknown>, options?: CollectOptions): Promise<boolean> {
    const rows = this.#run<R>([excludeStage(test, options)])
    return (await (await collecting()).firstRow(rows)) === undefined
  }

  #with<O>(stage: AnyStage): RowChain<O> {
    return this instanceof RowChain
      ? new RowChain<O>(this.source, [...this.stages, stage])
      : new RowChain<O>(this, [stage])
  }

  #run<O = R>(stages: readonly AnyStage[], options?: Abortable): ChainIterator<O> {
    const [source, before] = this instanceof RowChain ? [this.source, this.stages] : [this, []]
    return new ChainIterator<O>(source, [...before, ...stages], options)
  }
}

/** Rows with what is to be done with them. Nothing happens before the first is asked for. */
export class RowChain<R> extends Chainable<R> {
  /** Where the rows come from. */
  readonly source: AsyncIterable<unknown>
  /** What is done with them, in order. */
  readonly stages: readonly AnyStage[]

  constructor(source: AsyncIterable<unknown>, stages: readonly AnyStage[]) {
    super()
    this.source = source
    this.stages = stages
  }

  /** Names of the columns in their order, where its reader is open and no stage makes other rows. */
  get columns(): readonly string[] | undefined {
    return this.stages.every(passesRows) ? (this.source as Partial<Reader>).columns : undefined
  }

  /** Leaving the loop releases the source. Rows are taken from it, and functions called, only as they are asked for. */
  [Symbol.asyncIterator](): RowIterator<R> {
    return new ChainIterator<R>(this.source, this.stages)
  }

  /** Rows in arrays: of exactly `size` rows but for the last, or, without `size`, as many as are at hand. */
  batches(size?: number, options?: Abortable): Batches<R> {
    const last = size === undefined ? gatherStage<R>() : batchStage<R>(size)
    const rows = new ChainIterator<R[]>(this.source, [...this.stages, last], options)
    return Object.assign(rows, { [BATCHES]: true as const }) as ChainIterator<R[]> & Batches<R>
  }
}

const collecting = () => import('./collect.ts')

/** The iterator of a chain: a shell around the one that works, which is loaded with the first row. */
export class ChainIterator<R> implements RowIterator<R> {
  readonly #create: (run: typeof Run) => Run<R>
  #run: Run<R> | undefined
  #loading: Promise<Run<R>> | undefined

  constructor(source: AsyncIterable<unknown>, stages: readonly AnyStage[], options: Abortable = {}) {
    // Claims the rows at once: a second loop beside it is an error from its beginning.
    const iterator = source[Symbol.asyncIterator]()
    this.#create = run => new run<R>(iterator, stages, options)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<R>> {
    return this.#run === undefined ? this.#load().then(run => run.next()) : this.#run.next()
  }
  [NOW](): R | typeof WAIT {
    return this.#run === undefined ? WAIT : this.#run[NOW]()
  }
  return(value?: unknown): Promise<IteratorResult<R>> {
    return this.#load().then(run => run.return(value))
  }
  throw(error?: unknown): Promise<IteratorResult<R>> {
    return this.#load().then(run => run.throw(error))
  }

  #load(): Promise<Run<R>> {
    this.#loading ??= import('./run.ts').then(({ Run }) => {
      this.#run = this.#create(Run)
      return this.#run
    })
    return this.#loading
  }
}
