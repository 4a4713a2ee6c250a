/** Local files that a pattern means. */
import type { Stats } from 'node:fs'
import { opendir, stat } from 'node:fs/promises'
import { ANY_FOLDERS, type GlobSegment, literalDepth, matchesName, parseGlob } from '../core/glob.ts'
import { hasGlob } from '../core/target-urls.ts'
import type { Abortable, ListedOptions, ListedTarget } from '../core/types.ts'
import { sourceError, systemCode } from './file-errors.ts'

/** How a folder is read. */
interface Folder {
  /** Ends with `/`; empty: the current one. */
  readonly path: string
  /** What of the pattern is left in it, for each way to get there. */
  readonly rests: readonly (readonly GlobSegment[])[]
}

/**
 * The files of a pattern, folder by folder, sorted by name in each: files first come as their names do, and what lies in
 * a folder comes where its name stands. A path that exists as it is written is that file; a folder, all files in it and
 * below. Holds the matching names of one folder of each depth. `**` does not follow links to folders.
 *
 * Throws SOURCE_DENIED and SOURCE_FAILED for a folder that cannot be read: nothing is left out in silence, but what is
 * removed meanwhile.
 */
export async function* listFiles(
  pattern: string,
  { signal, glob }: Abortable & ListedOptions = {},
): AsyncGenerator<ListedTarget, void, undefined> {
  signal?.throwIfAborted()
  if (glob !== true || !hasGlob(pattern)) {
    const stats = await statOf(pattern)
    if (stats?.isDirectory() === true) {
      yield* walk({ path: pattern.endsWith('/') ? pattern : `${pattern}/`, rests: [[ANY_FOLDERS, ANY_NAME]] }, signal)
      return
    }
    if (stats !== undefined) {
      yield listed(pattern, stats)
      return
    }
  }
  if (glob === false || !hasGlob(pattern)) return
  const ways = parseGlob(pattern)
  const depth = literalDepth(ways)
  const path = ways[0]!
    .slice(0, depth)
    .map(name => `${String(name)}/`)
    .join('')
  yield* walk({ path, rests: ways.map(way => way.slice(depth)) }, signal)
}

/** Any name at all. */
const ANY_NAME = /^(?!\.)/u

async function* walk(
  { path, rests }: Folder,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedTarget, void, undefined> {
  signal?.throwIfAborted()
  const names = await matchingNames(path, rests, signal)
  for (const [name, { file, inside }] of [...names].sort(([one], [other]) => (one < other ? -1 : 1))) {
    signal?.throwIfAborted()
    const stats = await statOf(path + name)
    if (stats === undefined) continue // removed meanwhile, or a link to nothing
    if (file && stats.isFile()) yield listed(path + name, stats)
    if (inside.length > 0 && stats.isDirectory()) yield* walk({ path: `${path}${name}/`, rests: inside }, signal)
  }
}

interface Match {
  /** Whether the pattern ends with this name. */
  file: boolean
  /** What is left of the pattern inside, where it is a folder. */
  inside: (readonly GlobSegment[])[]
}

async function matchingNames(
  path: string,
  rests: readonly (readonly GlobSegment[])[],
  signal: AbortSignal | undefined,
): Promise<Map<string, Match>> {
  const names = new Map<string, Match>()
  try {
    for await (const entry of await opendir(path === '' ? '.' : path)) {
      signal?.throwIfAborted()
      const match: Match = { file: false, inside: [] }
      for (const rest of rests) step(rest, entry.name, entry.isSymbolicLink(), match)
      if (match.file || (match.inside.length > 0 && !entry.isFile())) names.set(entry.name, match)
    }
  } catch (error) {
    signal?.throwIfAborted()
    const code = systemCode(error)
    // A pattern that leads to no folder means no file.
    if (code === 'ENOENT' || code === 'ENOTDIR') return names
    throw sourceError(error, path === '' ? '.' : path, 'the folder cannot be read')
  }
  return names
}

/** What a name of a folder is, to one way of reading the pattern. */
function step(rest: readonly GlobSegment[], name: string, isLink: boolean, match: Match): void {
  const [segment, ...following] = rest
  if (segment === ANY_FOLDERS) {
    if (following.length === 0) {
      // At the end: files of any name, at any depth.
      step([ANY_NAME], name, isLink, match)
    } else step(following, name, isLink, match)
    // A link may lead to a folder above, and so round in circles.
    if (!isLink && !name.startsWith('.') && !match.inside.includes(rest)) match.inside.push(rest)
    return
  }
  if (segment === undefined || !matchesName(segment, name)) return
  if (following.length === 0) match.file = true
  else match.inside.push(following)
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return undefined
    throw sourceError(error, path, 'the file cannot be looked at')
  }
}

function listed(path: string, stats: Stats): ListedTarget {
  return { target: path, name: path, size: stats.size, modified: stats.mtime }
}
