/** Local files as a source. */
import { constants, type Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { abortable } from '../core/abort.ts'
import type { ChunkFeed } from '../core/chunk-iterator.ts'
import { createError } from '../core/errors.ts'
import { invalidOption } from '../core/options.ts'
import { SourceStreams } from '../core/source-streams.ts'
import type { Abortable, ByteRange, ByteSource, RandomAccess } from '../core/types.ts'
import { openFailure, sourceError } from './file-errors.ts'

export interface FileSourceOptions {
  /** What messages call the file. Default: the path as given. */
  readonly label?: string | undefined
  /** Aborts the opening; `stream()` and `random` take signals of their own. */
  readonly signal?: AbortSignal | undefined
  /** Bytes per chunk. Default 524288: twice this is held by each stream. */
  readonly chunkBytes?: number | undefined
}

const DEFAULT_CHUNK_BYTES = 512 * 1024
/** Ranges with a gap up to this many bytes are read as one: a read costs more than the bytes. */
const MAX_GAP_BYTES = 32 * 1024
/** One read covers at most this many bytes of several ranges; a single larger range is still read as it is. */
const MAX_MERGED_BYTES = 4 * 1024 * 1024
/** One call of the system reads at most 2 GiB; a range is read in steps below that. */
const MAX_READ_BYTES = 1024 * 1024 * 1024

/**
 * Opens a local file to read.
 *
 * A regular file (or block device) is replayable and has ranged reads: each `stream()` begins at byte 0 and reads to the
 * end that it then finds, so a file that grows or shrinks while it is read is taken as it is. One descriptor serves them
 * all until the source is disposed; a file that is replaced meanwhile is read on as it was. A FIFO, a terminal or another
 * device is read once, in order. A source that is dropped without being disposed keeps its descriptor until it is
 * collected as garbage.
 *
 * Throws SOURCE_NOT_FOUND, SOURCE_DENIED or SOURCE_FAILED; `signal.reason` when aborted.
 */
export async function openFileSource(path: string, options: FileSourceOptions = {}): Promise<ByteSource> {
  const { signal, label = path, chunkBytes = DEFAULT_CHUNK_BYTES } = options
  if (!Number.isSafeInteger(chunkBytes) || chunkBytes < 1) {
    throw invalidOption('chunkBytes', 'a whole number of bytes, 1 or more', chunkBytes)
  }
  signal?.throwIfAborted()
  const opening = openAny(path, label, chunkBytes)
  try {
    return await abortable(opening, signal)
  } catch (error) {
    // An abort does not wait for a slow disk; what arrives late is closed.
    if (signal?.aborted === true) opening.then(source => source[Symbol.asyncDispose]()).catch(() => {})
    throw error
  }
}

async function openAny(path: string, label: string, chunkBytes: number): Promise<ByteSource> {
  let file: FileHandle
  try {
    const found = await stat(path)
    if (found.isFIFO() || found.isCharacterDevice()) {
      const { openPipeSource } = await import('./file-pipe.ts')
      const source = await openPipeSource(path, label)
      if (source !== undefined) return source
    }
    // Without O_NONBLOCK, opening a FIFO that nobody writes to would hold a thread of the pool for ever.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    throw await openFailure(error, path, label)
  }
  try {
    const stats = await file.stat()
    if (stats.isDirectory()) {
      throw createError('SOURCE_FAILED', 'this is a folder', {
        label,
        expected: 'a file',
        found: 'a folder',
        hint: 'give the path of a file in it',
      })
    }
    if (stats.isFIFO()) throw createError('SOURCE_FAILED', 'the file was replaced while it was opened', { label })
    return new FileSource(file, resolve(path), label, stats, chunkBytes)
  } catch (error) {
    await file.close()
    throw sourceError(error, label, 'the file cannot be opened')
  }
}

/**
 * Closes the files of sources that nobody disposed: `await openIterable('x.csv').read()` leaves one that nobody holds any
 * more. Node closes such a file too, but warns of it, and in later versions ends the process (DEP0137).
 */
const dropped = new FinalizationRegistry<FileHandle>(file => {
  file.close().catch(() => {}) // there is nobody to tell
})

class FileSource implements ByteSource {
  readonly label: string
  readonly replayable: boolean
  readonly random?: RandomAccess
  readonly localPath?: string
  readonly size?: number
  readonly #file: FileHandle
  readonly #chunkBytes: number
  readonly #streams: SourceStreams
  /** Ranged reads under way. */
  readonly #reads = new Set<Promise<unknown>>()
  #used = false

  constructor(file: FileHandle, path: string, label: string, stats: Stats, chunkBytes: number) {
    this.#file = file
    this.label = label
    this.#streams = new SourceStreams(label, () => this.#release())
    this.replayable = !stats.isCharacterDevice()
    if (stats.isFile()) {
      this.localPath = path
      // Files of /proc and its like say 0 and hold more: what they hold is not known without reading.
      if (stats.size > 0) this.size = stats.size
      this.random = {
        size: options => this.#ranged(options, async () => (await file.stat()).size),
        readRanges: (ranges, options) => this.#ranged(options, stop => this.#readRanges(ranges, stop)),
      }
    }
    // A small file needs no large buffers; one byte more, so that the first read can also find the end.
    this.#chunkBytes = this.size === undefined ? chunkBytes : Math.min(chunkBytes, Math.max(this.size + 1, 4096))
    dropped.register(this, file, this)
  }

  stream(options: Abortable = {}): AsyncIterableIterator<Uint8Array> {
    this.#streams.check()
    if (this.#used && !this.replayable) {
      throw createError('NOT_REPLAYABLE', 'a device can be read only once', { label: this.label })
    }
    this.#used = true
    return this.#streams.add(
      () => new FileFeed(this.#file, this.label, this.#chunkBytes, this.replayable),
      options.signal,
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#streams.dispose()
  }

  async #release(): Promise<void> {
    // A descriptor that is closed under a read may by then be another file's.
    await Promise.allSettled(this.#reads)
    dropped.unregister(this)
    await this.#file.close()
  }

  /** Runs ranged work so that an abort is told at once and a dispose waits for what is under way. */
  async #ranged<T>(options: Abortable | undefined, work: (stop: () => boolean) => Promise<T>): Promise<T> {
    this.#streams.check()
    const signal = options?.signal
    signal?.throwIfAborted()
    const working = work(() => signal?.aborted === true || this.#streams.disposed)
    const settled = working.then(
      () => {},
      () => {},
    )
    this.#reads.add(settled)
    void settled.then(() => this.#reads.delete(settled))
    return abortable(working, signal)
  }

  async #readRanges(ranges: readonly ByteRange[], stop: () => boolean): Promise<Uint8Array[]> {
    const results = new Array<Uint8Array>(ranges.length)
    for (const { start, end, parts } of mergeRanges(ranges, this.label)) {
      if (stop()) throw createError('HANDLE_CLOSED', 'the source was disposed while it was read', { label: this.label })
      const bytes = await this.#readExactly(start, end)
      for (const { index, range } of parts) results[index] = bytes.subarray(range.start - start, range.end - start)
    }
    return results
  }

  async #readExactly(start: number, end: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(end - start)
    let done = 0
    while (done < bytes.length) {
      const step = Math.min(bytes.length - done, MAX_READ_BYTES)
      const bytesRead = await readAt(this.#file, bytes, done, step, start + done, this.label)
      if (bytesRead === 0) {
        throw createError('SOURCE_FAILED', `the file ends before byte ${end}`, {
          label: this.label,
          byte: start + done,
          expected: `bytes ${start} to ${end}`,
          found: `the end at byte ${start + done}`,
          hint: 'the file is shorter than it says or was cut: fetch or copy it again',
        })
      }
      done += bytesRead
    }
    return bytes
  }
}

interface MergedRange {
  readonly start: number
  end: number
  readonly parts: { readonly index: number; readonly range: ByteRange }[]
}

/** The reads that cover all ranges: those that lie close together become one. */
function mergeRanges(ranges: readonly ByteRange[], label: string): MergedRange[] {
  const parts = ranges.map((range, index) => ({ index, range }))
  for (const { range } of parts) {
    const { start, end } = range
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
      throw createError('SOURCE_FAILED', `${start} to ${end} is not a range of bytes`, {
        label,
        expected: '0 <= start <= end',
        found: `${start} to ${end}`,
      })
    }
  }
  parts.sort((a, b) => a.range.start - b.range.start)
  const merged: MergedRange[] = []
  for (const part of parts) {
    const { start, end } = part.range
    const last = merged.at(-1)
    const together = last === undefined ? 0 : Math.max(last.end, end) - last.start
    if (
      last !== undefined &&
      (end <= last.end || (start - last.end <= MAX_GAP_BYTES && together <= MAX_MERGED_BYTES))
    ) {
      last.end = Math.max(last.end, end)
      last.parts.push(part)
    } else merged.push({ start, end, parts: [part] })
  }
  return merged
}

/** Reads into two buffers in turn: one is lent while the other is filled. */
class FileFeed implements ChunkFeed {
  readonly #file: FileHandle
  readonly #label: string
  readonly #chunkBytes: number
  readonly #seekable: boolean
  #filling: Buffer | undefined
  #spare: Buffer | undefined
  #position = 0
  #pending: Promise<number> | undefined
  #stopped = false

  constructor(file: FileHandle, label: string, chunkBytes: number, seekable: boolean) {
    this.#file = file
    this.#label = label
    this.#chunkBytes = chunkBytes
    this.#seekable = seekable
  }

  async pull(): Promise<Uint8Array | null> {
    const bytesRead = await (this.#pending ?? this.#read())
    if (bytesRead === 0 || this.#stopped) return null
    const chunk = this.#filling!.subarray(0, bytesRead)
    this.#position += bytesRead
    const lent = this.#filling
    this.#filling = this.#spare
    this.#spare = lent
    // One read ahead; if it fails, the next pull says so.
    this.#pending = this.#read()
    this.#pending.catch(() => {})
    return chunk
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#pending?.catch(() => {})
  }

  #read(): Promise<number> {
    this.#filling ??= Buffer.allocUnsafeSlow(this.#chunkBytes)
    const position = this.#seekable ? this.#position : null
    this.#pending = readAt(this.#file, this.#filling, 0, this.#chunkBytes, position, this.#label)
    return this.#pending
  }
}

async function readAt(
  file: FileHandle,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number | null,
  label: string,
): Promise<number> {
  try {
    const { bytesRead } = await file.read(buffer, offset, length, position)
    return bytesRead
  } catch (error) {
    throw sourceError(error, label, position === null ? 'reading failed' : `reading failed at byte ${position}`)
  }
}
