/** Patterns of paths: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any number of folders. */
import { createError, excerpt } from './errors.ts'

/** One segment of a pattern: text as it is, what a name must look like, or `**`. */
export type GlobSegment = string | RegExp | typeof ANY_FOLDERS

/** Stands for any number of folders, none included. */
export const ANY_FOLDERS = Symbol('**')

export interface GlobOptions {
  /** Whether wildcards match names that begin with a dot. Default: false, as in shells. */
  readonly dots?: boolean | undefined
}

/**
 * The segments of a pattern, for each way its braces can be read. `\` takes the meaning from the character after it.
 * Throws OPTION_INVALID for a pattern with too many alternatives.
 */
export function parseGlob(pattern: string, options: GlobOptions = {}): GlobSegment[][] {
  return expandBraces(pattern).map(one => {
    const segments = one.split('/').map(segment => (segment === '**' ? ANY_FOLDERS : parseSegment(segment, options)))
    // Two in a row mean what one means.
    return segments.filter((segment, i) => segment !== ANY_FOLDERS || segments[i - 1] !== ANY_FOLDERS)
  })
}

/** How many segments at the beginning, never the last, are the same text for all: the folder to begin in. */
export function literalDepth(ways: readonly (readonly GlobSegment[])[]): number {
  const [first = []] = ways
  let depth = 0
  while (ways.every(way => depth < way.length - 1 && typeof way[depth] === 'string' && way[depth] === first[depth])) {
    depth++
  }
  return depth
}

/** Whether the names of a path are what the segments ask for. */
export function matchesGlob(segments: readonly GlobSegment[], names: readonly string[]): boolean {
  // Which segments may come next, after each name: no pattern takes more than segments × names steps.
  let states = follow(segments, new Set([0]))
  for (const name of names) {
    const next = new Set<number>()
    for (const at of states) {
      const segment = segments[at]
      if (segment === undefined) continue
      if (segment === ANY_FOLDERS) next.add(at)
      else if (matchesName(segment, name)) next.add(at + 1)
    }
    states = follow(segments, next)
  }
  return states.has(segments.length)
}

export function matchesName(segment: string | RegExp, name: string): boolean {
  return typeof segment === 'string' ? segment === name : segment.test(name)
}

/** `**` may also be no folder at all, except as the last segment: then it is the name of a file. */
function follow(segments: readonly GlobSegment[], states: Set<number>): Set<number> {
  for (const at of states) {
    if (segments[at] === ANY_FOLDERS) states.add(at + 1)
  }
  return states
}

/** More would be an attack on memory. */
const MAX_ALTERNATIVES = 1000

function expandBraces(pattern: string): string[] {
  const done: string[] = []
  const open = [pattern]
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    const match = /^((?:[^\\{]|\\.|\{(?![^{}]*,[^{}]*\}))*)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(text)
    if (match === null) done.push(text)
    else open.push(...match[2]!.split(',').map(alternative => match[1]! + alternative + match[3]!))
    if (done.length + open.length > MAX_ALTERNATIVES) {
      throw createError('OPTION_INVALID', `the pattern has more than ${MAX_ALTERNATIVES} alternatives`, {
        found: excerpt(pattern),
      })
    }
  }
  return [...new Set(done)].sort()
}

function parseSegment(segment: string, { dots = false }: GlobOptions): string | RegExp {
  let source = ''
  let literal = ''
  let wild = false
  for (let at = 0; at < segment.length; at++) {
    const character = segment[at]!
    const set = character === '[' ? /^\[([!^]?)(\]?[^\]]*)\]/s.exec(segment.slice(at)) : null
    if (character === '*') {
      wild = true
      while (segment[at + 1] === '*') at++
      source += '[^]*'
    } else if (character === '?') {
      wild = true
      source += '[^]'
    } else if (set !== null && set[2] !== '') {
      wild = true
      source += setSource(set[2]!, set[1] !== '')
      at += set[0].length - 1
    } else {
      const plain = character === '\\' && at + 1 < segment.length ? segment[++at]! : character
      literal += plain
      source += plain.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    }
  }
  if (!wild) return literal
  const hidden = dots || /^(?:\\?\.)/.test(segment) ? '' : '(?!\\.)'
  return new RegExp(`^${hidden}${source}$`, 'u')
}

/** A set of characters, with ranges. */
function setSource(text: string, negated: boolean): string {
  const escape = (character: string) => character.replace(/[\\^$.*+?()[\]{}|/-]/gu, '\\$&')
  const characters = [...text]
  let source = ''
  for (let i = 0; i < characters.length; i++) {
    const [from, dash, to] = characters.slice(i, i + 3)
    if (dash === '-' && to !== undefined && from! <= to) {
      source += `${escape(from!)}-${escape(to)}`
      i += 2
    } else source += escape(from!)
  }
  return `[${negated ? '^' : ''}${source}]`
}
