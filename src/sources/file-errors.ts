/** What the operating system says about files, as errors of this library. */
import { opendir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createError, type ErrorCode, type ErrorDetails, nearest, OpenIterableError } from '../core/errors.ts'

/** Entries of a folder that are looked at to find the name that was meant. */
const MAX_NAMES = 5000

/** The `code` of a system error: ENOENT, EACCES, … */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const SOURCE_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'SOURCE_NOT_FOUND',
  ENOTDIR: 'SOURCE_NOT_FOUND',
  EACCES: 'SOURCE_DENIED',
  EPERM: 'SOURCE_DENIED',
}

const SINK_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'SINK_NOT_FOUND',
  ENOTDIR: 'SINK_NOT_FOUND',
  EACCES: 'SINK_DENIED',
  EPERM: 'SINK_DENIED',
  EROFS: 'SINK_DENIED',
  ENOSPC: 'SINK_FULL',
  EDQUOT: 'SINK_FULL',
  EFBIG: 'SINK_FULL',
  EPIPE: 'SINK_CLOSED',
}

const HINTS: Readonly<Record<string, string>> = {
  EISDIR: 'give the path of a file in it',
  EMFILE: 'too many files are open: close handles that are done, or raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
  ENXIO: "nothing can be opened at this path; for standard input and output use the target '-'",
  EBUSY: 'something is mounted on the file itself, so it cannot be replaced: write beside it and copy',
}

/** The error for a failed read. `summary` says what was being done. */
export function sourceError(cause: unknown, label: string, summary: string, details: ErrorDetails = {}): Error {
  return wrap(SOURCE_CODES, 'SOURCE_FAILED', cause, summary, { label, ...details })
}

/** The error for a failed write. */
export function sinkError(cause: unknown, label: string, summary: string, details: ErrorDetails = {}): Error {
  return wrap(SINK_CODES, 'SINK_FAILED', cause, summary, { label, ...details })
}

function wrap(
  codes: Readonly<Record<string, ErrorCode>>,
  otherwise: ErrorCode,
  cause: unknown,
  summary: string,
  details: ErrorDetails,
): Error {
  if (cause instanceof OpenIterableError) return cause
  const system = systemCode(cause) ?? ''
  const code = codes[system] ?? otherwise
  const hint = details.hint ?? HINTS[system]
  return createError(code, `${summary}: ${textOf(cause)}`, {
    ...details,
    cause,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** The error for a file that cannot be opened to read, with the name that was meant if the folder has one like it. */
export async function openFailure(cause: unknown, path: string, label: string): Promise<Error> {
  if (systemCode(cause) !== 'ENOENT') return sourceError(cause, label, 'the file cannot be opened')
  const hint = await nearName(path)
  return createError('SOURCE_NOT_FOUND', 'there is no such file', {
    label,
    cause,
    ...(hint === undefined ? {} : { hint }),
  })
}

async function nearName(path: string): Promise<string | undefined> {
  const folder = dirname(path)
  const names: string[] = []
  try {
    for await (const entry of await opendir(folder)) {
      names.push(entry.name)
      if (names.length === MAX_NAMES) break
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return `the folder ${folder} does not exist either`
    return undefined
  }
  const name = nearest(basename(path), names)
  if (name === undefined) return undefined
  // The link itself is there; what it points to is not.
  if (name === basename(path)) return 'it is a symbolic link that points to nothing'
  return `did you mean ${folder === '.' ? name : join(folder, name)}?`
}
