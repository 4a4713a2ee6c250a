/** The rows of several files or objects, one after the other. */
import { createError } from './core/errors.ts'
import type { FormatOptions, Place, ReadContext } from './core/types.ts'
import type { OpenedReader } from './opening.ts'
import { type Resolution, resolveTarget } from './resolve.ts'
import { RowSequence } from './row-sequence.ts'

/** Opens one of the targets. */
export type OpenTarget = (resolution: Resolution, context: ReadContext) => Promise<OpenedReader>

/**
 * Whether a target is a pattern: it is said to be one, or nothing of its very name exists. Throws TARGET_UNSUPPORTED where
 * it is said of a place that has no patterns.
 */
export async function isPattern(
  { target, given, entry, label }: Resolution,
  place: Place,
  placeOptions: FormatOptions,
  signal: AbortSignal,
): Promise<boolean> {
  if (place.list === undefined) {
    if (given.glob !== true) return false
    throw createError('TARGET_UNSUPPORTED', `a pattern of a target of this kind means nothing: ${entry.title}`, {
      label,
    })
  }
  if (given.glob === true) return true
  for await (const _ of place.list(target, { signal, options: placeOptions, glob: false })) return false
  return true
}

/**
 * Opens all targets that a pattern means. Each is read by itself, as its own name says and with its own header; `columns`
 * are those of the first. Listing goes on while rows are read. Throws SOURCE_NOT_FOUND where the pattern means nothing.
 */
export async function openListed(
  resolution: Resolution,
  place: Place,
  placeOptions: FormatOptions,
  context: ReadContext,
  open: OpenTarget,
): Promise<OpenedReader> {
  const { target, label, given } = resolution
  const listing = place.list!(target, { signal: context.signal, options: placeOptions, glob: true })
  const targets = listing[Symbol.asyncIterator]()
  const sequence = new RowSequence({
    async openNext() {
      const step = await targets.next()
      if (step.done === true) return undefined
      const one = resolveTarget(step.value.target, { ...given, glob: false }, 'read')
      return open(one, { ...context, label: step.value.name })
    },
    release: () => targets.return?.(),
  })
  try {
    const first = await sequence.next()
    if (first !== undefined) return { ...first, reader: sequence, replayable: true, bytesTotal: undefined }
  } catch (error) {
    await sequence[Symbol.asyncDispose]()
    throw error
  }
  throw createError('SOURCE_NOT_FOUND', 'nothing matches the pattern', {
    label,
    expected: 'a file or object that matches',
    found: 'none',
    hint: 'if the name is meant as it stands, read it with { glob: false }',
  })
}
