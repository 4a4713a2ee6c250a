/** What came of many promises: what they gave, and what they failed with. */

/** One that failed. */
export interface SettledFailure {
  /** Its place among all, counted from 0. */
  readonly index: number
  /** What it was rejected with. */
  readonly reason: unknown
}

/** What came of many promises. */
export interface PartitionedResults<T> {
  /** What was given, in order. */
  readonly succeeded: T[]
  /** What failed, in order. */
  readonly failed: SettledFailure[]
}

/**
 * Tells the two kinds of results apart:
 *
 * ```ts
 * const { succeeded, failed } = partitionSettled(await Promise.allSettled(files.map(convertOne)))
 * ```
 */
export function partitionSettled<T>(results: Iterable<PromiseSettledResult<T>>): PartitionedResults<T> {
  const succeeded: T[] = []
  const failed: SettledFailure[] = []
  let index = 0
  for (const result of results) {
    if (result.status === 'fulfilled') succeeded.push(result.value)
    else failed.push({ index, reason: result.reason })
    index++
  }
  return { succeeded, failed }
}
