/**
 * Rows that are pulled one by one, but waited for only where they are not at hand: what a batch of the source holds goes
 * through all stages without a single promise.
 */

/** Instead of a row: none is at hand, but more may come. */
export const WAIT: unique symbol = Symbol('wait')
/** Instead of a row: no more come. Said again and again. */
export const END: unique symbol = Symbol('end')

/** The rows of a source, or what a stage makes of those of the one before it. */
export interface Pull<T> {
  /** The next row, if it is at hand. Throws what a stage throws; the row that it threw on is then gone. */
  now(): T | typeof WAIT | typeof END
  /** To be called after `WAIT`: settles when there is a point in asking again. */
  wait(): Promise<void>
  /** How many rows it took from the one before it. */
  readonly taken: number
  /** Lets go of what it holds itself. */
  close?(): void
}

/** The method of an iterator that gives a row only if it is at hand; `WAIT` says nothing of whether more come. */
export const NOW: unique symbol = Symbol.for('open-iterable.now')

/** An iterator of rows that can say whether one is at hand. */
export interface RowIterator<T> extends AsyncIterableIterator<T> {
  [NOW](): T | typeof WAIT
}
