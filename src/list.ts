/** What there is at a place: the files or objects that a pattern means. */
import { createError } from './core/errors.ts'
import { checkOptions, is, type OptionEntry } from './core/options.ts'
import type { S3Location } from './core/target-urls.ts'
import type { Abortable, ListedTarget } from './core/types.ts'
import type { ReadOptions } from './open.ts'
import { findSource, listSources } from './registry.ts'

/** Options of `listIterable`, beside those of how S3 is reached. */
export interface ListOptions extends Abortable, Pick<ReadOptions, 's3' | 'timeoutMs' | 'retry'> {
  /**
   * `true`: the target is a pattern, also where something of that very name exists. `false`: it is no pattern. Default:
   * a pattern, unless something of that very name exists.
   */
  readonly glob?: boolean | undefined
}

const LIST_OPTIONS = {
  signal: {
    type: 'AbortSignal',
    default: 'none',
    means: 'Aborts the listing.',
    accepts: is.signal,
  },
  glob: {
    type: 'boolean',
    default: 'a pattern, unless something of that very name exists',
    means: 'Whether the target is a pattern.',
    accepts: is.boolean,
  },
} satisfies Record<'signal' | 'glob', OptionEntry>

/**
 * Lists the files or objects that a pattern means, as what `openIterable` takes:
 *
 * ```ts
 * for await (const { target, size } of listIterable('s3://bucket/logs/2026-*.csv', { s3 })) …
 * ```
 *
 * `*` and `?` stand for any characters and one within a name, `[a-z]` for one of a set, `{a,b}` for alternatives, `**` for
 * any number of folders, and `\` takes the meaning from what follows. On this machine wildcards leave out names that begin
 * with a dot, as shells do. A folder, or a key that ends with `/`, means all below it. Sorted by name, folder by folder;
 * fetched as it is read; whole, or an error. Nothing that matches is an empty list.
 *
 * @param target A path, a `file:` URL, or `s3://bucket/pattern`.
 * @throws TARGET_UNSUPPORTED for a place that cannot be listed; what the place is refused for.
 */
export async function* listIterable(
  target: string | URL | S3Location,
  options: ListOptions = {},
): AsyncGenerator<ListedTarget, void, undefined> {
  const entry = findSource(target)
  const place = await entry?.load()
  if (place?.list === undefined) {
    throw createError('TARGET_UNSUPPORTED', `nothing here can list ${entry?.title ?? 'this target'}`, {
      found: entry?.title ?? typeof target,
      hint: `targets that can be listed are paths and s3: URLs; those to read are: ${listSources()
        .filter(source => source.reads)
        .map(source => source.title)
        .join('; ')}`,
    })
  }
  checkOptions({ ...options }, [LIST_OPTIONS, place.readOptions ?? {}], 'listIterable()')
  const { signal = new AbortController().signal, glob, ...rest } = options
  signal.throwIfAborted()
  yield* place.list(target, { signal, options: rest, glob })
}
