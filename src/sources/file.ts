/** Local files, by path or `file:` URL. */
import { fileURLToPath } from 'node:url'
import { createError, excerpt } from '../core/errors.ts'
import type { Place } from '../core/types.ts'
import { openFileSource } from './file-source.ts'

export const place: Place = {
  openSource: async (target, { signal }) => openFileSource(toPath(target), { signal }),
  async *list(target, { signal, glob }) {
    const { listFiles } = await import('./file-list.ts')
    yield* listFiles(toPath(target), { signal, glob })
  },
  async openSink(target, { signal, append }) {
    // Whoever reads has no use for what writing takes.
    const { openFileSink } = await import('./file-sink.ts')
    return openFileSink(toPath(target), { signal, append })
  },
}

/** The path of a target. Throws OPTION_INVALID for a `file:` URL that names no path on this machine. */
function toPath(target: unknown): string {
  const text = target instanceof URL ? target.href : String(target)
  if (!/^file:/i.test(text)) return text
  try {
    return fileURLToPath(text)
  } catch (cause) {
    throw createError('OPTION_INVALID', `the URL ${excerpt(text)} names no local file`, {
      expected: 'a file: URL without a host, as in file:///data/people.csv',
      found: text,
      hint: 'give an absolute path, or file:///data/people.csv',
      cause,
    })
  }
}
