/** `profile`: what is in a target. The work is loaded when it is called. */
import type { ReadTarget } from '../open.ts'
import type { ProfileOptions } from './options.ts'
import type { Profile } from './types.ts'

/**
 * Reads a target once and tells what is in it: of each column its type, nulls, distinct and most frequent values, range,
 * mean, quantiles, histogram, lengths, and values that look wrong, with their rows; and of all of them duplicate rows,
 * correlations, and which are null together.
 *
 * ```ts
 * const { rows, columns } = await profile('people.csv.gz')
 * for (const { name, type, nulls, distinct } of columns) console.log(name, type, nulls, distinct.count)
 * ```
 *
 * Memory does not grow with the number of rows. A column with up to 10,000 different values, as far as memory for 300,000
 * in all columns lasts, is described exactly; of others, distinct values, quantiles and top values are estimated, and each
 * figure says how far off it may be. The same input gives the same profile.
 *
 * @returns Plain data: it can be written as JSON, and `toHtmlReport` makes a page of it.
 * @throws What reading throws; OPTION_INVALID and OPTION_UNKNOWN; `signal.reason` after an abort.
 */
export async function profile(target: ReadTarget, options: ProfileOptions = {}): Promise<Profile> {
  const { profileTarget } = await import('./run.ts')
  return profileTarget(target, options)
}
