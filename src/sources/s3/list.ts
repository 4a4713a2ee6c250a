/** Objects that a pattern means. */
import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { createError } from '../../core/errors.ts'
import { ANY_FOLDERS, type GlobSegment, literalDepth, matchesGlob, parseGlob } from '../../core/glob.ts'
import { hasGlob, type S3Location, s3Label, s3LocationOf } from '../../core/target-urls.ts'
import type { Abortable, ListedOptions, ListedTarget } from '../../core/types.ts'
import { DEFAULT_TIMEOUT_MS, retryPolicyOf } from '../../remote/options.ts'
import type { RetryPolicy } from '../../resilience/retry.ts'
import { withTimeout } from '../../resilience/timeout.ts'
import { connectS3, type S3Connection } from './client.ts'
import { s3Error } from './errors.ts'
import type { S3ReadOptions } from './options.ts'

/** What listing needs. */
export interface S3ListOptions extends S3ReadOptions, Abortable, ListedOptions {}

/**
 * The objects of a pattern in the order of their keys; those of a key that ends with `/`, or of none, are all below it;
 * one that exists as it is written is that object. Pages are fetched as they are needed, each tried again by itself: the
 * listing is whole, or an error.
 */
export async function* listS3Objects(
  location: S3Location,
  options: S3ListOptions = {},
): AsyncGenerator<ListedTarget, void, undefined> {
  const { signal, s3 = {}, glob, timeoutMs = DEFAULT_TIMEOUT_MS, retry } = options
  signal?.throwIfAborted()
  const { bucket, key } = location
  const connection = await connectS3(s3)
  try {
    const pages = new Pages(connection, location, retryPolicyOf(retry), timeoutMs, signal)
    if (key === '' || key.endsWith('/')) {
      for await (const object of pages.entries(key)) if (object.key !== undefined) yield listed(bucket, object)
      return
    }
    if (glob !== true || !hasGlob(key)) {
      // The first of those that begin with it, as it is the shortest.
      for await (const object of pages.entries(key, undefined, 1)) {
        if (object.key !== key) break
        yield listed(bucket, object)
        return
      }
    }
    if (glob === false || !hasGlob(key)) return
    yield* matching(bucket, key, pages)
  } finally {
    connection.release()
  }
}

async function* matching(bucket: string, pattern: string, pages: Pages): AsyncGenerator<ListedTarget, void, undefined> {
  // No key is hidden: a dot is a character like any other.
  const ways = parseGlob(pattern, { dots: true })
  const depth = literalDepth(ways)
  const names = ways[0]!.slice(0, depth).map(String)
  const folder = names.map(name => `${name}/`).join('')
  yield* walk(
    bucket,
    folder,
    ways.map(way => way.slice(depth)),
    pages,
  )
}

/** What lies in a folder and matches, in the order of the keys. */
async function* walk(
  bucket: string,
  folder: string,
  rests: readonly (readonly GlobSegment[])[],
  pages: Pages,
): AsyncGenerator<ListedTarget, void, undefined> {
  const prefix = folder + beginningOf(rests)
  // Below `**` all is looked at; above it, only folders that match.
  const deep = rests.some(([segment]) => segment === ANY_FOLDERS)
  for await (const entry of pages.entries(prefix, deep ? undefined : '/')) {
    if (entry.key !== undefined) {
      const names = entry.key.slice(folder.length).split('/')
      if (rests.some(rest => matchesGlob(withFile(rest), names))) yield listed(bucket, entry)
      continue
    }
    const name = entry.prefix.slice(folder.length, -1)
    const inside = rests
      .filter(rest => rest.length > 1 && matchesGlob(rest.slice(0, 1), [name]))
      .map(rest => rest.slice(1))
    if (inside.length > 0) yield* walk(bucket, entry.prefix, inside, pages)
  }
}

const ANY_NAME = /^/

/** `**` at the end means files of any name. */
function withFile(rest: readonly GlobSegment[]): readonly GlobSegment[] {
  return rest.at(-1) === ANY_FOLDERS ? [...rest, ANY_NAME] : rest
}

/** What all names in a folder that match begin with. */
function beginningOf(rests: readonly (readonly GlobSegment[])[]): string {
  const [first] = rests[0] ?? []
  if (rests.length !== 1 || first === undefined || first === ANY_FOLDERS) return ''
  if (typeof first === 'string') return first
  const match = /^\^((?:[^\\^$.*+?()[\]{}|]|\\[^\w])*)/s.exec(first.source)
  const text = match?.[1] ?? ''
  return text.replace(/\\(.)/gs, '$1')
}

/** An object, or with a delimiter also what keys of a folder have in common. */
type Entry =
  | { readonly key: string; readonly size: number; readonly modified: Date; readonly etag: string | undefined }
  | { readonly key?: undefined; readonly prefix: string }

class Pages {
  readonly #connection: S3Connection
  readonly #location: S3Location
  readonly #policy: RetryPolicy
  readonly #timeoutMs: number
  readonly #signal: AbortSignal | undefined

  constructor(
    connection: S3Connection,
    location: S3Location,
    policy: RetryPolicy,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ) {
    this.#connection = connection
    this.#location = location
    this.#policy = policy
    this.#timeoutMs = timeoutMs
    this.#signal = signal
  }

  /** What begins with `prefix`, page after page. */
  async *entries(prefix: string, delimiter?: string, most?: number): AsyncGenerator<Entry, void, undefined> {
    let token: string | undefined
    let startAfter: string | undefined
    let last = ''
    for (;;) {
      const page = await this.#page(prefix, delimiter, most, token, startAfter)
      const entries = entriesOf(page)
      for (const entry of entries) {
        const name = nameOf(entry)
        // Where a page begins anew, a folder may come twice.
        if (last !== '' && compareKeys(name, last) <= 0) continue
        last = name
        yield entry
      }
      if (page.IsTruncated === false) return
      const next = page.NextContinuationToken
      if (
        page.IsTruncated === undefined ||
        (next === undefined && entries.length === 0) ||
        (next !== undefined && next === token)
      ) {
        throw createError('SOURCE_CORRUPT', 'the listing breaks off, and cannot be gone on with', {
          label: s3Label(this.#location),
          expected: 'a token to go on with, or that this is the end',
          found: 'neither',
        })
      }
      token = next
      // Without a token, what follows the last key is what is left.
      startAfter = next === undefined ? last : undefined
    }
  }

  async #page(
    prefix: string,
    delimiter: string | undefined,
    most: number | undefined,
    token: string | undefined,
    startAfter: string | undefined,
  ): Promise<ListObjectsV2CommandOutput> {
    const { sdk, client, secrets } = this.#connection
    const location = this.#location
    const send = async (abortSignal: AbortSignal) => {
      try {
        return await client.send(
          new sdk.ListObjectsV2Command({
            Bucket: location.bucket,
            Prefix: prefix,
            // Keys may have characters that XML has not.
            EncodingType: 'url',
            ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
            ...(most === undefined ? {} : { MaxKeys: most }),
            ...(token === undefined ? {} : { ContinuationToken: token }),
            ...(startAfter === undefined ? {} : { StartAfter: startAfter }),
          }),
          { abortSignal },
        )
      } catch (error) {
        abortSignal.throwIfAborted()
        throw s3Error(error, { location, doing: 'list', secrets })
      }
    }
    const signal = this.#signal
    return this.#policy.run(() => withTimeout(send, this.#timeoutMs, { signal, what: 'the listing' }), { signal })
  }
}

function entriesOf({ Contents = [], CommonPrefixes = [], EncodingType }: ListObjectsV2CommandOutput): Entry[] {
  const decode = (text: string) => (EncodingType === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text)
  const objects = Contents.map(({ Key = '', Size = 0, LastModified = new Date(0), ETag }) => ({
    key: decode(Key),
    size: Size,
    modified: LastModified,
    etag: ETag,
  }))
  const folders = CommonPrefixes.map(({ Prefix = '' }) => ({ prefix: decode(Prefix) }))
  if (folders.length === 0) return objects
  return [...objects, ...folders].sort((one, other) => compareKeys(nameOf(one), nameOf(other)))
}

const nameOf = (entry: Entry): string => entry.key ?? entry.prefix

/** By their UTF-8, as S3 sorts. */
const compareKeys = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other))

function listed(bucket: string, entry: Extract<Entry, { key: string }>): ListedTarget {
  const { key, size, modified, etag } = entry
  const location = { bucket, key }
  const url = s3Label(location)
  const read = s3LocationOf(url)
  // A key that looks like one with a version is told by its parts.
  const target = read?.key === key && read.versionId === undefined ? url : location
  return { target, name: url, size, modified, ...(etag === undefined ? {} : { etag }) }
}
