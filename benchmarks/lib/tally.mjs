/** Counts rows as they come, so that a result can be proven right. */
import { createHash } from 'node:crypto'

/**
 * Makes the two functions that each reading variant calls: `take` for each row, `result` at the end. With `prove`,
 * all cells go into a digest, keys, types and order included; without, what is counted costs a few nanoseconds.
 * @param {{ prove?: boolean }} input
 */
export function createTally({ prove = false }) {
  let rows = 0
  let checksum = 0
  let first
  let last
  const count = row => {
    if (rows++ === 0) {
      const names = Object.keys(row)
      first = names[0]
      last = names[names.length - 1]
    }
    checksum += weigh(row[first]) + weigh(row[last])
  }
  if (!prove) return { take: count, result: () => ({ rows, checksum }) }

  const hash = createHash('sha1')
  const take = row => {
    count(row)
    hash.update(JSON.stringify(row))
  }
  return { take, result: () => ({ rows, checksum, digest: hash.digest('hex') }) }
}

function weigh(value) {
  if (typeof value === 'string') return value.length
  return typeof value === 'number' ? value | 0 : 0
}
