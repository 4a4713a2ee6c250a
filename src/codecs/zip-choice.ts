/** Which member of an archive is meant. Names are only compared: nothing is ever written to a place that they name. */
import { createError, excerpt } from '../core/errors.ts'

/** Names that a message lists. */
const MAX_LISTED = 20

/** Whether a member is data: no folder, and none of what macOS puts beside the files. */
export const isFile = (name: string): boolean =>
  !name.endsWith('/') && !name.startsWith('__MACOSX/') && !/(^|\/)\.DS_Store$/.test(name)

/** Whether a member may be the one that is meant. */
export function memberFilter(wanted: string | undefined): (name: string) => boolean {
  if (wanted === undefined) return isFile
  if (!/[*?]/.test(wanted)) return name => name === wanted
  const pattern = wanted.replace(/\*\*\/?|\*|\?|[^*?]+/g, part => {
    if (part === '**/') return '(?:.*/)?'
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    return part === '?' ? '[^/]' : part.replace(/[\\^$.|+()[\]{}]/g, '\\$&')
  })
  const expression = new RegExp(`^${pattern}$`, 'su')
  return name => name === wanted || (isFile(name) && expression.test(name))
}

/** The only member that is meant: of that name, or else like the pattern. */
export function chooseMember<M extends { readonly name: string }>(
  members: readonly M[],
  wanted: string | undefined,
  label: string,
): M {
  const named = members.filter(member => member.name === wanted)
  const meant = memberFilter(wanted)
  const chosen = named.length > 0 ? named : members.filter(member => meant(member.name))
  if (chosen.length === 1) return chosen[0]!
  if (chosen.length > 1) throw ambiguous(chosen, wanted, label)
  const files = members.filter(member => isFile(member.name))
  const what = wanted === undefined ? 'no file' : `no member ${excerpt(wanted)}`
  throw createError('MEMBER_NOT_FOUND', `the archive has ${what}`, {
    label,
    expected: wanted ?? 'a file',
    found: files.length === 0 ? 'no files' : list(files),
    hint: files.length === 0 ? 'the archive is empty' : `it has: ${list(files)}`,
  })
}

/** The error where more than one member is meant. */
export function ambiguous(
  chosen: readonly { readonly name: string }[],
  wanted: string | undefined,
  label: string,
): Error {
  const which = wanted === undefined ? 'several members' : `several members like ${excerpt(wanted)}`
  const same = new Set(chosen.map(member => member.name)).size === 1
  return createError('MEMBER_AMBIGUOUS', `the archive has ${which}`, {
    label,
    expected: 'one',
    found: list(chosen),
    hint: same
      ? 'two members have one name: which of them is meant cannot be said'
      : `choose one by its name: { member: ${excerpt(chosen[0]!.name)} }; there are ${list(chosen)}`,
  })
}

function list(members: readonly { readonly name: string }[]): string {
  const names = members.slice(0, MAX_LISTED).map(member => excerpt(member.name))
  if (members.length > MAX_LISTED) names.push(`… (${members.length} in all)`)
  return names.join(', ')
}
