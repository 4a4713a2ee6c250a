/** Buckets, objects with their versions, and uploads under way, in memory. */
import { createHash, randomBytes } from 'node:crypto'
import type { ChecksumName, Checksums } from './checksums.ts'
import { S3Error } from './errors.ts'

/** One version of an object. */
export interface StoredObject {
  /** `null` where the bucket keeps no versions. */
  readonly versionId: string
  /** Set on the version that a deletion puts in front. */
  readonly deleted?: true
  readonly bytes: Buffer
  /** Without quotes. */
  readonly etag: string
  /** Content type and so on, and `x-amz-meta-*`. */
  readonly headers: Readonly<Record<string, string>>
  readonly checksums: Checksums
  readonly checksumType: ChecksumType
  /** Bytes of each part; undefined where it was put in one. */
  readonly parts?: readonly number[]
  readonly modified: Date
}

export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'

/** What is told to store an object; the rest follows. */
export type NewObject = Omit<StoredObject, 'versionId' | 'deleted' | 'modified'>

export class Bucket {
  readonly name: string
  /** Whether old versions are kept. */
  versioned = false
  /** Whether it may be read without credentials. */
  isPublic = false
  /** Versions of each key, the newest last. */
  readonly #objects = new Map<string, StoredObject[]>()

  constructor(name: string) {
    this.name = name
  }

  /** Keys that have an object, in the order of their UTF-8 bytes. */
  keys(): string[] {
    return [...this.#objects.keys()].filter(key => this.find(key) !== undefined).sort(compareBytes)
  }

  /** The current object, or the version asked for; undefined where there is none, or it is deleted. */
  find(key: string, versionId?: string): StoredObject | undefined {
    const versions = this.#objects.get(key) ?? []
    const found = versionId === undefined ? versions.at(-1) : versions.find(one => one.versionId === versionId)
    return found?.deleted === true ? undefined : found
  }

  versions(): [key: string, versions: readonly StoredObject[]][] {
    return [...this.#objects].sort(([one], [other]) => compareBytes(one, other))
  }

  put(key: string, object: NewObject): StoredObject {
    const stored = { ...object, versionId: this.#newVersionId(), modified: now() }
    this.#push(key, stored)
    return stored
  }

  /** Removes a version, or puts a mark in front where versions are kept. */
  delete(key: string, versionId?: string): { readonly versionId: string; readonly marker: boolean } {
    if (versionId !== undefined || !this.versioned) {
      const rest = (this.#objects.get(key) ?? []).filter(one => one.versionId !== (versionId ?? 'null'))
      if (rest.length === 0) this.#objects.delete(key)
      else this.#objects.set(key, rest)
      return { versionId: versionId ?? 'null', marker: false }
    }
    const marker = { ...describeBytes(Buffer.alloc(0)), deleted: true as const, headers: {}, modified: now() }
    const id = this.#newVersionId()
    this.#push(key, { ...marker, versionId: id })
    return { versionId: id, marker: true }
  }

  #newVersionId(): string {
    return this.versioned ? randomBytes(12).toString('base64url') : 'null'
  }

  #push(key: string, stored: StoredObject): void {
    const kept = (this.#objects.get(key) ?? []).filter(one => one.versionId !== stored.versionId)
    this.#objects.set(key, [...kept, stored])
  }
}

export interface Part {
  readonly bytes: Buffer
  readonly etag: string
  readonly checksums: Checksums
}

/** A multipart upload that is neither completed nor aborted. */
export interface Upload {
  readonly id: string
  readonly bucket: string
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly checksumName: ChecksumName | undefined
  readonly checksumType: ChecksumType
  readonly initiated: Date
  readonly parts: Map<number, Part>
}

export class Storage {
  readonly buckets = new Map<string, Bucket>()
  readonly uploads = new Map<string, Upload>()

  bucket(name: string): Bucket {
    const found = this.buckets.get(name)
    if (found !== undefined) return found
    throw new S3Error('NoSuchBucket', 404, { extra: `<BucketName>${name}</BucketName>` })
  }

  createBucket(name: string): Bucket {
    const bucket = new Bucket(name)
    this.buckets.set(name, bucket)
    return bucket
  }

  createUpload(upload: Omit<Upload, 'id' | 'initiated' | 'parts'>): Upload {
    const created = { ...upload, id: randomBytes(16).toString('hex'), initiated: now(), parts: new Map() }
    this.uploads.set(created.id, created)
    return created
  }

  upload(id: string | undefined, bucket: string, key: string): Upload {
    const found = this.uploads.get(id ?? '')
    if (found?.bucket === bucket && found.key === key) return found
    throw new S3Error('NoSuchUpload', 404)
  }
}

/** What S3 knows of bytes that were put in one piece, with no checksum from the client. */
export function describeBytes(bytes: Buffer) {
  return { bytes, etag: md5(bytes), checksums: {}, checksumType: 'FULL_OBJECT' as const }
}

export const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex')

export const compareBytes = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other))

/** S3 counts times in seconds. */
const now = () => new Date(Math.floor(Date.now() / 1000) * 1000)
