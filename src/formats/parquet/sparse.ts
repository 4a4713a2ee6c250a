/**
 * A local copy of a remote file with holes: only the footer and what a query reads are fetched, and put where they belong.
 * DuckDB has no way to read through us; of a file it opens it reads only what the footer and the query make it read.
 */
import { createError } from '../../core/errors.ts'
import { openTempFile, type TempFile } from '../../core/temp-files.ts'
import type { Abortable, ByteRange, RandomAccess } from '../../core/types.ts'

/** The end of the file is read first, in hope that the footer is in it. */
const TAIL_BYTES = 65_536
/** The footer's length and the magic bytes. */
const END_BYTES = 8
const MAGIC_BYTES = 4
/** What lies between two ranges is fetched as well where it is no more than this. */
const GAP_BYTES = 65_536
/** Most bytes in one range, and in the memory at once. */
const PIECE_BYTES = 4 * 2 ** 20
const WAVE_BYTES = 16 * 2 ** 20

export class SparseCopy implements AsyncDisposable {
  readonly size: number
  /** Bytes fetched so far. */
  fetched = 0
  readonly #random: RandomAccess
  readonly #file: TempFile
  readonly #label: string
  #have: ByteRange[] = []

  /** Makes the copy, with the footer in it. Throws PARQUET_CORRUPT where there is none. */
  static async open(random: RandomAccess, label: string, options: Abortable = {}): Promise<SparseCopy> {
    const size = await random.size(options)
    if (size < 2 * MAGIC_BYTES + END_BYTES - MAGIC_BYTES) throw notParquet(label, size)
    const file = await openTempFile()
    const copy = new SparseCopy(random, file, size, label)
    try {
      await file.handle.truncate(size)
      await copy.#fetchFooter(options)
      return copy
    } catch (error) {
      await copy[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(random: RandomAccess, file: TempFile, size: number, label: string) {
    this.#random = random
    this.#file = file
    this.#label = label
    this.size = size
  }

  get path(): string {
    return this.#file.path
  }

  /** Fetches what of the ranges is not there yet. */
  async fetch(ranges: readonly ByteRange[], options: Abortable = {}): Promise<void> {
    const inside = ranges.map(({ start, end }) => ({ start: Math.max(0, start), end: Math.min(this.size, end) }))
    const pieces = joined(inside, GAP_BYTES)
      .flatMap(range => missingOf(range, this.#have))
      .flatMap(piecesOf)
    for (let at = 0; at < pieces.length; ) {
      const wave: ByteRange[] = []
      for (
        let bytes = 0;
        at < pieces.length && (wave.length === 0 || bytes + sizeOf(pieces[at]!) <= WAVE_BYTES);
        at++
      ) {
        wave.push(pieces[at]!)
        bytes += sizeOf(pieces[at]!)
      }
      options.signal?.throwIfAborted()
      const parts = await this.#random.readRanges(wave, options)
      for (const [i, range] of wave.entries()) await this.#put(range, parts[i]!)
    }
    this.#have = joined([...this.#have, ...inside], 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]()
  }

  async #fetchFooter(options: Abortable): Promise<void> {
    const { size } = this
    const tail: ByteRange = { start: Math.max(0, size - TAIL_BYTES), end: size }
    const [bytes] = await this.#random.readRanges([tail], options)
    const end = Buffer.from(bytes!.buffer, bytes!.byteOffset, bytes!.byteLength)
    const magic = end.toString('latin1', end.length - MAGIC_BYTES)
    if (magic === 'PARE') {
      throw createError('PARQUET_UNSUPPORTED', 'the file is encrypted', { label: this.#label, found: 'PARE' })
    }
    const length = magic === 'PAR1' ? end.readUInt32LE(end.length - END_BYTES) : Number.POSITIVE_INFINITY
    const start = size - END_BYTES - length
    if (start < MAGIC_BYTES) throw notParquet(this.#label, size, magic)
    await this.#put(tail, end)
    this.#have = [tail]
    // The first bytes of every file of this kind.
    await this.#put({ start: 0, end: MAGIC_BYTES }, Buffer.from('PAR1'), 0)
    await this.fetch([{ start, end: size }], options)
  }

  async #put({ start, end }: ByteRange, bytes: Uint8Array, counted = bytes.length): Promise<void> {
    if (bytes.length !== end - start) {
      throw createError('SOURCE_FAILED', `the source gave ${bytes.length} bytes for a range of ${end - start}`, {
        label: this.#label,
      })
    }
    this.fetched += counted
    try {
      for (let at = 0; at < bytes.length; ) {
        at += (await this.#file.handle.write(bytes, at, bytes.length - at, start + at)).bytesWritten
      }
    } catch (cause) {
      throw createError('SINK_FAILED', `${this.#label} could not be copied to a temp file`, { label: this.path, cause })
    }
  }
}

const sizeOf = ({ start, end }: ByteRange): number => end - start

/** Sorted, and in one where they touch or lie close together. */
function joined(ranges: readonly ByteRange[], gap: number): ByteRange[] {
  const out: { start: number; end: number }[] = []
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = out.at(-1)
    if (end <= start) continue
    if (last !== undefined && start - last.end <= gap) last.end = Math.max(last.end, end)
    else out.push({ start, end })
  }
  return out
}

/** The parts of a range that are not in `have`, which is sorted and joined. */
function missingOf({ start, end }: ByteRange, have: readonly ByteRange[]): ByteRange[] {
  const out: ByteRange[] = []
  let at = start
  for (const range of have) {
    if (range.end <= at || range.start >= end) continue
    if (range.start > at) out.push({ start: at, end: range.start })
    at = Math.max(at, range.end)
  }
  if (at < end) out.push({ start: at, end })
  return out
}

function piecesOf({ start, end }: ByteRange): ByteRange[] {
  const out: ByteRange[] = []
  for (let at = start; at < end; at += PIECE_BYTES) out.push({ start: at, end: Math.min(end, at + PIECE_BYTES) })
  return out
}

function notParquet(label: string, size: number, magic?: string): Error {
  return createError('PARQUET_CORRUPT', `no Parquet footer at the end of ${size} bytes`, {
    label,
    expected: 'PAR1 at the end',
    found: magic === undefined ? `${size} bytes` : JSON.stringify(magic),
  })
}
