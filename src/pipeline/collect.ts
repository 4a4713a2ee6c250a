/** What comes of a chain once and for all. */
import { isPromise } from './calls.ts'
import { NOW, type RowIterator, WAIT } from './pull.ts'

export async function collectRows<T>(rows: RowIterator<T>): Promise<T[]> {
  const all: T[] = []
  await eachRow(rows, row => {
    all.push(row)
  })
  return all
}

export async function exhaustRows(rows: RowIterator<unknown>): Promise<void> {
  await eachRow(rows, () => {})
}

/** The first row, if there is one; then the source is released. */
export async function firstRow<T>(rows: RowIterator<T>): Promise<{ readonly row: T } | undefined> {
  const step = await rows.next()
  if (step.done === true) return undefined
  await rows.return!()
  return { row: step.value }
}

export async function reduceRows<T, A>(
  rows: RowIterator<T>,
  call: (sum: A, row: T, index: number) => A | PromiseLike<A>,
  initial: { readonly value: A } | undefined,
): Promise<A> {
  let sum = initial
  let index = 0
  try {
    await eachRow(rows, row => {
      // Without an initial value the first row is it.
      if (sum === undefined) sum = { value: row as unknown as A }
      else {
        const made = call(sum.value, row, index)
        if (isPromise(made)) {
          return made.then(value => {
            sum = { value: value as A }
            index++
          })
        }
        sum = { value: made }
      }
      index++
      return undefined
    })
  } catch (error) {
    await rows.return!().catch(() => {}) // the failure is what is told
    throw error
  }
  if (sum === undefined) throw new TypeError('reduce of no rows, without an initial value')
  return sum.value
}

async function eachRow<T>(
  rows: RowIterator<T>,
  visit: (row: T) => PromiseLike<void> | void | undefined,
): Promise<void> {
  for (;;) {
    let row = rows[NOW]()
    if (row === WAIT) {
      const step = await rows.next()
      if (step.done === true) return
      row = step.value
    }
    const pending = visit(row)
    if (pending !== undefined) await pending
  }
}
