/** What the suites of the handle are run over. */
import type { Row } from '../core/types.ts'

/** A format to run the handle over. */
export interface HandleSubject {
  /** File name whose extension tells the format. */
  readonly name: string
  /** The `i`-th row, in values that the format gives back as they are. */
  readonly row: (i: number) => Row
  /** The text of `count` rows. */
  readonly text: (count: number) => string
}

/** A turn of the event loop. */
export const tick = () => new Promise<void>(resolve => setImmediate(resolve))
/** All rows. */
export const collect = async <T>(rows: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}
/** The code that a promise is rejected with. */
export const rejectionOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    error => error.code ?? error,
  )
