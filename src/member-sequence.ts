/** The rows of several members of an archive, one after the other. */
import { createError } from './core/errors.ts'
import type { ReadContext } from './core/types.ts'
import { membersOf } from './members.ts'
import type { OpenedReader } from './opening.ts'
import type { Resolution } from './resolve.ts'
import { RowSequence } from './row-sequence.ts'

/** Opens one member. */
export type OpenMember = (resolution: Resolution, context: ReadContext) => Promise<OpenedReader>

/**
 * Opens the members that `member` means, all of them without it. Each is read by itself, with its own header, so that
 * none is taken for a row; `columns` are those of the first.
 */
export async function openMembers(
  resolution: Resolution,
  context: ReadContext,
  open: OpenMember,
): Promise<OpenedReader> {
  const { given, options, label } = resolution
  const { member } = given as { member?: string }
  const left = [...(await membersOf(resolution, member, context.signal))]
  const sequence = new RowSequence({
    async openNext() {
      const next = left.shift()
      if (next === undefined) return undefined
      const one = { member: next.name, members: 'one' }
      return open(
        { ...resolution, given: { ...given, ...one }, options: { ...options, ...one } },
        { ...context, label: `${label}/${next.name}` },
      )
    },
    release() {
      left.length = 0
    },
  })
  const first = await sequence.next()
  if (first === undefined) {
    throw createError('MEMBER_NOT_FOUND', 'the archive has no such members', {
      label,
      expected: member ?? 'files',
      found: 'none',
    })
  }
  return { ...first, reader: sequence }
}
