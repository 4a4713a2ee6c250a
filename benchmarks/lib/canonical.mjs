/** Counts rows of readers that each have their own idea of types: what they give must stand for the same. */
import { createHash } from 'node:crypto'

/**
 * With `prove`, all cells go into a digest, each as the text that all ways of typing it have in common.
 * @param {{ prove?: boolean }} input
 * @param {(value: unknown) => string} canonical
 */
export function createCanonicalTally({ prove = false }, canonical) {
  let rows = 0
  const hash = createHash('sha1')
  const take = prove
    ? row => {
        rows++
        for (const name in row) hash.update(`${name}=${canonical(row[name])}\n`)
      }
    : () => {
        rows++
      }
  return { take, result: () => (prove ? { rows, digest: hash.digest('hex') } : { rows }) }
}
