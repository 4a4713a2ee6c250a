/**
 * Chunks of bytes → blocks of text that end at a line end. Text formats parse block by block: a block is small enough
 * (8 KiB) that what is cut out of it dies young or pins little, and as it ends at a line end no code point is split.
 */
import { asBuffer, isAscii, isDense, isUtf8, utf8Text, validUtf8Length } from './text.ts'

/** Options of a `BlockSplitter`. */
export interface BlockOptions {
  /** The byte that ends a line: 10 (LF, also of CRLF) or 13 (a bare CR). */
  readonly terminator: 10 | 13
  /** Most bytes that may pass without a line end. */
  readonly maxRecordBytes: number
  /** Makes the error for a line that is longer: the format knows where it is. */
  readonly tooLarge: () => Error
  /** What becomes of invalid UTF-8: reported by `Block.invalidAt`, or replaced by U+FFFD. */
  readonly encodingErrors: 'raise' | 'replace'
  /** Bytes per block, about. Default 8192. */
  readonly blockBytes?: number
  /**
   * Bytes per piece, about. A block that has few characters that are not ASCII comes in pieces of this size: most of
   * them are ASCII, which is quicker to decode and to parse. Default: blocks stay whole.
   */
  readonly pieceBytes?: number
}

/** Text that a format parses at once. */
export interface Block {
  /** The text; ends with the terminator, but for the last block of the input and one that `invalidAt` cuts. */
  readonly text: string
  /** Bytes that `text` stands for. */
  readonly bytes: number
  /** Whether each character of `text` is known to be one byte, so that positions in one are positions in the other. */
  readonly ascii: boolean
  /** The bytes themselves. Lent: they stay as they are until the next block is asked for. */
  readonly source: Buffer
  /** Set on a piece of a block that has more behind it. */
  readonly more?: boolean
  /**
   * Set on a block of one line that holds invalid UTF-8: offset of the first invalid byte from the block's start. Its
   * text has U+FFFD there. Whether the line is an error is for the format to say, which knows its records.
   */
  readonly invalidAt?: number
}

const DEFAULT_BLOCK_BYTES = 8192
/** A tail buffer larger than this is given back once its line is read. */
const MAX_IDLE_TAIL_BYTES = 1 << 20

/** Cuts a stream of chunks into blocks. Feed each chunk through `push`, then `flush`. */
export class BlockSplitter {
  /** Bytes per block; a format doubles it while one record is larger than a block, so that work stays linear. */
  blockBytes: number
  readonly #terminator: number
  readonly #maxRecordBytes: number
  readonly #tooLarge: () => Error
  readonly #replace: boolean
  readonly #pieceBytes: number
  /** A copy of the bytes after the last line end; grows by doubling, so that 1-byte chunks cost no more than others. */
  #tail = Buffer.alloc(0)
  #tailBytes = 0

  constructor(options: BlockOptions) {
    this.blockBytes = options.blockBytes ?? DEFAULT_BLOCK_BYTES
    this.#terminator = options.terminator
    this.#maxRecordBytes = options.maxRecordBytes
    this.#tooLarge = options.tooLarge
    this.#replace = options.encodingErrors === 'replace'
    this.#pieceBytes = options.pieceBytes ?? Number.POSITIVE_INFINITY
  }

  /** The blocks that a chunk completes; what is behind the last line end is copied. Throws `tooLarge()`. */
  *push(chunk: Uint8Array): Generator<Block, void, undefined> {
    const buffer = asBuffer(chunk)
    const stop = buffer.lastIndexOf(this.#terminator) + 1
    if (stop === 0) {
      this.#keep(buffer)
      return
    }
    let start = 0
    if (this.#tailBytes > 0) {
      start = buffer.indexOf(this.#terminator) + 1
      this.#keep(buffer.subarray(0, start))
      yield* this.flush()
    }
    while (start < stop) {
      const end = this.#cut(buffer, start, stop, this.blockBytes)
      yield* this.#blocks(buffer, start, end)
      start = end
    }
    if (stop < buffer.length) this.#keep(buffer.subarray(stop))
  }

  /** What is left at the end of the input: a last line that has no end. */
  *flush(): Generator<Block, void, undefined> {
    if (this.#tailBytes === 0) return
    const bytes = this.#tailBytes
    this.#tailBytes = 0
    yield* this.#blocks(this.#tail, 0, bytes)
    if (this.#tail.length > MAX_IDLE_TAIL_BYTES) this.#tail = Buffer.alloc(0)
  }

  /** The end of what starts at `start`: after the last line end within `bytes` of it, else after the next one. */
  #cut(buffer: Buffer, start: number, stop: number, bytes: number): number {
    const end = start + bytes
    if (end >= stop) return stop
    const before = buffer.lastIndexOf(this.#terminator, end - 1)
    return (before >= start ? before : buffer.indexOf(this.#terminator, end)) + 1
  }

  #keep(piece: Buffer): void {
    const bytes = this.#tailBytes + piece.length
    if (bytes > this.#maxRecordBytes) throw this.#tooLarge()
    if (bytes > this.#tail.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.#tail.length * 2, DEFAULT_BLOCK_BYTES))
      this.#tail.copy(larger, 0, 0, this.#tailBytes)
      this.#tail = larger
    }
    piece.copy(this.#tail, this.#tailBytes)
    this.#tailBytes = bytes
  }

  *#blocks(buffer: Buffer, start: number, end: number): Generator<Block, void, undefined> {
    const part = buffer.subarray(start, end)
    const bytes = end - start
    if (isAscii(part)) yield { text: buffer.toString('latin1', start, end), bytes, ascii: true, source: part }
    else if (isUtf8(part)) {
      if (bytes <= this.#pieceBytes || isDense(buffer, start, end)) {
        yield { text: utf8Text(buffer, start, end), bytes, ascii: false, source: part }
      } else yield* this.#pieces(buffer, start, end)
    } else if (this.#replace) yield { text: buffer.toString('utf8', start, end), bytes, ascii: false, source: part }
    else yield* this.#aroundInvalid(buffer, start, end)
  }

  *#pieces(buffer: Buffer, start: number, stop: number): Generator<Block, void, undefined> {
    while (start < stop) {
      const end = this.#cut(buffer, start, stop, this.#pieceBytes)
      const source = buffer.subarray(start, end)
      const ascii = isAscii(source)
      const text = ascii ? buffer.toString('latin1', start, end) : utf8Text(buffer, start, end)
      yield { text, bytes: end - start, ascii, source, more: end < stop }
      start = end
    }
  }

  /** The lines before the invalid one, the invalid one alone, then the rest. */
  *#aroundInvalid(buffer: Buffer, start: number, end: number): Generator<Block, void, undefined> {
    while (start < end) {
      const bad = start + validUtf8Length(buffer.subarray(start, end))
      if (bad === end) {
        const source = buffer.subarray(start, end)
        yield { text: utf8Text(buffer, start, end), bytes: end - start, ascii: false, source }
        return
      }
      const lineStart = bad === start ? start : buffer.subarray(start, bad).lastIndexOf(this.#terminator) + 1 + start
      if (lineStart > start) {
        const source = buffer.subarray(start, lineStart)
        yield { text: utf8Text(buffer, start, lineStart), bytes: lineStart - start, ascii: false, source }
      }
      const next = buffer.subarray(bad, end).indexOf(this.#terminator)
      const lineEnd = next < 0 ? end : bad + next + 1
      yield {
        text: buffer.toString('utf8', lineStart, lineEnd),
        bytes: lineEnd - lineStart,
        ascii: false,
        source: buffer.subarray(lineStart, lineEnd),
        invalidAt: bad - lineStart,
      }
      start = lineEnd
    }
  }
}
