/** What is in an archive. */
import { createError } from './core/errors.ts'
import type { Abortable, ArchiveMember } from './core/types.ts'
import { resolveTarget } from './resolve.ts'

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
  options: Abortable & { readonly codecs?: readonly string[] | undefined } = {},
): Promise<readonly ArchiveMember[]> {
  const { codecs } = options
  const { entry, label, codecs: entries } = resolveTarget(target, { codecs }, 'read')
  const signal = options.signal ?? new AbortController().signal
  signal.throwIfAborted()
  const archive = await entries[0]?.load()
  if (archive?.members === undefined || entries.length > 1) throw notAnArchive(label)
  const place = await entry.load()
  const source = await place.openSource!(target, { signal, options: {} })
  try {
    const members = 'openReader' in source ? undefined : await archive.members(source, { signal })
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
