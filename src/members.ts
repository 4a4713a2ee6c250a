/** What is in an archive. */
import { createError } from './core/errors.ts'
import type { Abortable, ArchiveMember } from './core/types.ts'
import type { ReadOptions } from './open.ts'
import { type Resolution, resolveTarget } from './resolve.ts'

/** Options of `listMembers`, beside those of the place that the archive is in. */
export interface ListMembersOptions
  extends Abortable,
    Pick<ReadOptions, 's3' | 'headers' | 'auth' | 'fetch' | 'timeoutMs' | 'retry'> {
  /** The codecs, outermost first. Default: by the extensions. */
  readonly codecs?: readonly string[] | undefined
  /** Only members of this name, or like this pattern with `*` and `?`. Default: all. */
  readonly member?: string | undefined
}

/**
 * The files in an archive (ZIP), in their order. Each is then opened by its name:
 *
 * ```ts
 * for (const { name } of await listMembers('tables.zip'))
 *   for await (const row of openIterable('tables.zip', { member: name })) …
 * ```
 *
 * @param target What `openIterable` reads; one that can be read at random, as a file or bytes.
 * @throws OptionError TARGET_UNSUPPORTED for a target that is no archive, by its name or `codecs`, or that can be read
 * only once.
 */
export async function listMembers(
  target: unknown,
  options: ListMembersOptions = {},
): Promise<readonly ArchiveMember[]> {
  const { member, signal = new AbortController().signal, ...rest } = options
  return membersOf(resolveTarget(target, { ...rest }, 'read'), member, signal)
}

/** The members of an archive that was resolved. */
export async function membersOf(
  { entry, target, label, codecs: entries, given }: Resolution,
  member: string | undefined,
  signal: AbortSignal,
): Promise<readonly ArchiveMember[]> {
  signal.throwIfAborted()
  const archive = await entries[0]?.load()
  if (archive?.members === undefined || entries.length > 1) throw notAnArchive(label)
  const place = await entry.load()
  const options = Object.fromEntries(
    Object.entries(given).filter(([name]) => Object.hasOwn(place.readOptions ?? {}, name)),
  )
  const source = await place.openSource!(target, { signal, options, access: 'random' })
  try {
    const members = 'openReader' in source ? undefined : await archive.members(source, { member, signal })
    if (members === undefined) throw notAnArchive(label)
    return members
  } finally {
    await source[Symbol.asyncDispose]()
  }
}

function notAnArchive(label: string): Error {
  return createError('TARGET_UNSUPPORTED', 'the target is no archive whose members can be listed', {
    label,
    hint: "an archive is seen from its name, or said: { codecs: ['zip'] }; it must be a file or bytes, not a stream",
  })
}
