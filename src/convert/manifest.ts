/** What bulk conversions have done, kept beside the output, so that a second run does only what is left. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createError } from '../core/errors.ts'
import type { Abortable } from '../core/types.ts'

/** What tells that a source is the one that it was. */
export interface SourceIdentity {
  readonly size?: number | undefined
  readonly mtimeMs?: number | undefined
  readonly etag?: string | undefined
}

/** One line of the manifest: a source that was converted. */
export interface ManifestEntry {
  readonly version: 1
  readonly from: string
  readonly to: string
  readonly source: SourceIdentity
  /** Of the options that the conversion was made with. */
  readonly options: string
  readonly output: OutputIdentity
  readonly rowsIn: number
  readonly rowsOut: number
}

export interface OutputIdentity {
  readonly bytes: number
  /** Of a local file. */
  readonly sha256?: string | undefined
}

/**
 * A file of JSON Lines that only grows: a line for each output, written once the output is published. A kill between the
 * two has the output made again, and a torn last line is as if it were not there.
 */
export class Manifest {
  readonly #path: string
  readonly #entries: ReadonlyMap<string, ManifestEntry>
  #needsLineEnd: boolean
  #writing: Promise<void> = Promise.resolve()

  private constructor(path: string, entries: ReadonlyMap<string, ManifestEntry>, needsLineEnd: boolean) {
    this.#path = path
    this.#entries = entries
    this.#needsLineEnd = needsLineEnd
  }

  static async open(path: string): Promise<Manifest> {
    let text = ''
    try {
      text = await readFile(path, 'utf8')
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw createError('SOURCE_FAILED', 'the manifest cannot be read', { label: path, cause })
      }
    }
    const entries = new Map<string, ManifestEntry>()
    for (const line of text.split('\n')) {
      const entry = parseEntry(line)
      if (entry !== undefined) entries.set(entry.to, entry)
    }
    return new Manifest(path, entries, text !== '' && !text.endsWith('\n'))
  }

  /** What a run before has noted of this output. */
  find(to: string): ManifestEntry | undefined {
    return this.#entries.get(to)
  }

  /** Adds an entry; settles when it is on the disk. */
  add(entry: ManifestEntry): Promise<void> {
    const writing = this.#writing.then(async () => {
      await mkdir(dirname(this.#path), { recursive: true })
      const file = await open(this.#path, 'a')
      try {
        await file.write(`${this.#needsLineEnd ? '\n' : ''}${JSON.stringify(entry)}\n`)
        this.#needsLineEnd = false
        await file.datasync()
      } finally {
        await file.close()
      }
    })
    this.#writing = writing.catch(() => {}) // told by this call; the next entry may still be written
    return writing.catch(cause => {
      throw createError('SINK_FAILED', 'the manifest cannot be written', { label: this.#path, cause })
    })
  }
}

function parseEntry(line: string): ManifestEntry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<ManifestEntry> | null
    return entry?.version === 1 && typeof entry.to === 'string' ? (entry as ManifestEntry) : undefined
  } catch {
    return undefined
  }
}

/** Whether two identities are surely of the same content: there is something to compare, and all of it agrees. */
export function isSameSource(a: SourceIdentity, b: SourceIdentity): boolean {
  if (a.size !== b.size) return false
  const known = (a.etag !== undefined && b.etag !== undefined) || (a.mtimeMs !== undefined && b.mtimeMs !== undefined)
  return known && a.etag === b.etag && a.mtimeMs === b.mtimeMs
}

/** Size and checksum of a local file; undefined where there is none. */
export async function identifyFile(path: string, { signal }: Abortable): Promise<OutputIdentity | undefined> {
  try {
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path, { signal, highWaterMark: 1 << 18 })) hash.update(chunk as Buffer)
    return { bytes: (await stat(path)).size, sha256: hash.digest('hex') }
  } catch (error) {
    signal?.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A digest of options, in whatever order they are given. Functions count by their text. */
export function digestOptions(options: object): string {
  const canonical = (value: unknown): unknown => {
    if (typeof value === 'function' || typeof value === 'bigint' || typeof value === 'symbol') return String(value)
    if (typeof value !== 'object' || value === null || value instanceof Date) return value
    if (Array.isArray(value)) return value.map(canonical)
    return Object.fromEntries(
      Object.keys(value)
        .sort()
        .map(key => [key, canonical((value as Record<string, unknown>)[key])]),
    )
  }
  return createHash('sha256')
    .update(JSON.stringify(canonical(options)))
    .digest('hex')
    .slice(0, 32)
}
