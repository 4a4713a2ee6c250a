/** What a bulk conversion converts, and where each goes: known, and checked, before the first byte is written. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createError, excerpt } from '../core/errors.ts'
import type { ReadTarget, WriteTarget } from '../open.ts'
import { resolveTarget } from '../resolve.ts'
import type { BulkSource, BulkSources, BulkTarget, NamedSource } from './bulk-options.ts'
import type { SourceIdentity } from './manifest.ts'
import type { ConvertOptions } from './options.ts'
import { checkName, checkTemplate, fillTemplate, splitName } from './template.ts'

/** One conversion of many. */
export interface BulkJob {
  readonly index: number
  readonly from: ReadTarget
  readonly to: WriteTarget
  /** What messages call the two. */
  readonly fromLabel: string
  readonly toLabel: string
  readonly identity: SourceIdentity
  /** Absolute path of the output, if it is a local file. */
  readonly toPath: string | undefined
  /** Whether the source is a local file. */
  readonly isLocal: boolean
  /** Whether DuckDB is likely to convert it. */
  readonly byDuckDb: boolean
}

/** All jobs. Throws OUTPUT_COLLISION where two outputs, or an output and a source, would be one. */
export async function listJobs(sources: BulkSources, target: BulkTarget, options: ConvertOptions): Promise<BulkJob[]> {
  if (typeof target === 'string') checkTemplate(target)
  const jobs: BulkJob[] = []
  const outputs = new Map<string, string>()
  const inputs = new Map<string, string>()
  for await (const source of namedSources(sources, options)) {
    options.signal?.throwIfAborted()
    const index = jobs.length + 1
    const from = source.target
    const { entry, label, format, name: ownName } = resolveTarget(from, { ...options.read }, 'read')
    const name = source.name ?? (ownName === '' ? `${index}` : ownName)
    const place = { dir: source.dir ?? '', name, index }
    checkName(place.dir, place.name)
    const to =
      typeof target === 'string' ? fillTemplate(target, place) : target({ ...place, stem: splitName(name).stem })
    const sink = resolveTarget(to, { ...options.write }, 'write')
    const toPath = sink.entry.id === 'file' ? localPath(to) : undefined
    const key = toPath ?? (typeof to === 'string' || to instanceof URL ? String(to) : undefined)
    if (key !== undefined) {
      const other = outputs.get(key)
      if (other !== undefined) throw collision(sink.label, `both ${other} and ${label} would be converted to it`)
      outputs.set(key, label)
    }
    if (entry.id === 'file') inputs.set(localPath(from), label)
    jobs.push({
      index,
      from,
      to,
      fromLabel: label,
      toLabel: sink.label,
      identity: { size: source.size, mtimeMs: source.mtime?.getTime(), etag: source.etag },
      toPath,
      isLocal: entry.id === 'file',
      byDuckDb: options.engine !== 'rows' && (format?.id === 'parquet' || options.orderBy !== undefined),
    })
  }
  for (const { toPath, toLabel } of jobs) {
    const input = toPath === undefined ? undefined : inputs.get(toPath)
    if (input !== undefined) throw collision(toLabel, `it is one of the sources, ${input}`)
  }
  return jobs
}

function collision(label: string, reason: string): Error {
  return createError('OUTPUT_COLLISION', reason, {
    label,
    hint: 'tell the outputs apart in the template: {dir}, {name} and {index} do',
  })
}

function localPath(target: unknown): string {
  const text = String(target)
  return resolve(/^file:/i.test(text) ? fileURLToPath(text) : text)
}

async function* namedSources(sources: BulkSources, options: ConvertOptions): AsyncGenerator<NamedSource> {
  if (typeof sources === 'string' || sources instanceof URL) {
    yield* listed(sources, options)
    return
  }
  if (typeof sources !== 'object' || sources === null) {
    throw createError('OPTION_INVALID', `${excerpt(sources)} cannot be converted`, {
      expected: 'a glob, a folder, or an iterable of targets',
      found: excerpt(sources),
    })
  }
  for await (const source of sources as AsyncIterable<BulkSource>) {
    yield isNamed(source) ? await identified(source) : await identified({ target: source })
  }
}

const isNamed = (source: BulkSource): source is NamedSource =>
  typeof source === 'object' && source !== null && 'target' in source

/** With size and time of change, where it is a local file and these were not given. */
async function identified(source: NamedSource): Promise<NamedSource> {
  if (source.size !== undefined || source.etag !== undefined) return source
  const { entry } = resolveTarget(source.target, {}, 'read')
  if (entry.id !== 'file') return source
  const { stat } = await import('node:fs/promises')
  try {
    const { size, mtime } = await stat(localPath(source.target))
    return { ...source, size, mtime }
  } catch {
    return source // what is wrong with it is told by its conversion
  }
}

/** What a glob means, or what a folder holds. */
async function* listed(pattern: string | URL, options: ConvertOptions): AsyncGenerator<NamedSource> {
  const { listIterable } = await import('../list.ts')
  const { signal, read: { s3, timeoutMs, retry } = {} } = options
  const base = baseOf(pattern)
  for await (const found of listIterable(pattern, { signal, s3, timeoutMs, retry })) {
    const path = comparable(found.name)
    const below = path.startsWith(`${base}/`) ? path.slice(base.length + 1) : path.slice(path.lastIndexOf('/') + 1)
    const slash = below.lastIndexOf('/')
    const { target, size, modified, etag } = found
    yield {
      target,
      name: below.slice(slash + 1),
      dir: slash < 0 ? '' : below.slice(0, slash),
      size,
      mtime: modified,
      etag,
    }
  }
}

/** What stands before the first wildcard of a pattern: the folder that `{dir}` is relative to. */
function baseOf(pattern: string | URL): string {
  const text = pattern instanceof URL && pattern.protocol !== 'file:' ? pattern.href : String(pattern)
  const segments = text.split('/')
  const wild = segments.findIndex(segment => /[*?[{\\]/.test(segment))
  return comparable((wild < 0 ? segments : segments.slice(0, wild)).join('/')).replace(/\/+$/, '')
}

/** Local paths as absolute ones, others as they are. */
const comparable = (name: string): string =>
  /^(?!file:)[a-z][a-z0-9+.-]+:/i.test(name) ? name : localPath(name || '.')
