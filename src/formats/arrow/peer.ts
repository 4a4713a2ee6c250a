/** apache-arrow, an optional package, loaded when it is first needed. */
import type * as Arrow from 'apache-arrow'
import { createError } from '../../core/errors.ts'

export type ArrowPackage = typeof Arrow

/** Throws PEER_MISSING where it is not installed. */
export async function loadArrow(doing: 'read' | 'written'): Promise<ArrowPackage> {
  try {
    return await import('apache-arrow')
  } catch (cause) {
    if ((cause as { code?: unknown } | null)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw createError('PEER_MISSING', `Arrow is ${doing} by the package apache-arrow, which is not installed`, {
      expected: 'apache-arrow',
      hint: 'npm install apache-arrow',
      cause,
    })
  }
}
