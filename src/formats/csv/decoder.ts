/** The native engine: bytes → rows. Whole blocks of plain records are read by an index; `BlockReader` reads all others. */
import { type Block, BlockSplitter } from '../../core/blocks.ts'
import type { Schema } from '../../core/schema.ts'
import { asBuffer, isUtf8, utf8Text } from '../../core/text.ts'
import type { Batch, Decoder, ReadContext, Row } from '../../core/types.ts'
import type { Decided } from '../../core/typing.ts'
import { RowAssembler } from './assembler.ts'
import { BlockReader } from './block-reader.ts'
import { Preamble } from './preamble.ts'
import type { ReadDialect } from './read-dialect.ts'
import { Sample } from './sample.ts'
import { type IndexDialect, indexDialectOf, RECORD_SHIFT, type RecordIndex, recordIndex } from './simd/record-index.ts'

const LF = 10
const CR = 13
/** A row that is kept may keep the text of its block alive: with this size, 8 KiB of memory at most, row included. */
const BLOCK_BYTES = 7168
/** Blocks go into one batch until it has this many cells, or bytes: each batch costs its way to the consumer. */
const BATCH_CELLS = 512
const BATCH_BYTES = 65_536

export class CsvDecoder implements Decoder<Row> {
  readonly #dialect: ReadDialect
  readonly #label: string
  readonly #assembler: RowAssembler
  readonly #preamble: Preamble
  readonly #blockBytes: number
  /** Both from when the data begin. */
  #splitter: BlockSplitter | null = null
  #reader: BlockReader | null = null
  /** The dialect as the index knows it; `null` where that is not so, or there is no index. */
  #indexDialect: IndexDialect | null = null
  /** Whether the sample of types has still to be read, or to be found not to be there. */
  #isSampling: boolean
  #sample: Sample | null = null
  /** Whether the splitter holds the beginning of a line. */
  #holdsTail = false
  /** What ended the decoding. */
  #failure: { error: unknown } | null = null

  constructor(dialect: ReadDialect, context: ReadContext) {
    this.#dialect = dialect
    this.#label = context.label
    this.#assembler = new RowAssembler(dialect, context)
    this.#preamble = new Preamble(dialect, context.label)
    this.#isSampling = dialect.typing?.cast === true
    // No larger than a record may be: then a block that is larger holds nothing but one line.
    this.#blockBytes = Math.min(BLOCK_BYTES, dialect.maxRecordBytes)
  }

  get columns(): readonly string[] | null | undefined {
    return this.#assembler.columns
  }
  get schema(): Schema | undefined {
    return this.#assembler.schema
  }
  get decided(): Decided | undefined {
    return this.#assembler.decided
  }

  *decode(chunk: Uint8Array): Generator<Batch, void, undefined> {
    this.#checkFailure()
    try {
      const pieces = this.#splitter === null ? this.#preamble.push(chunk) : [chunk]
      if (pieces === null) return
      const splitter = this.#splitter ?? this.#begin()
      for (const piece of pieces) {
        if (this.#indexDialect === null) yield* this.#readBlocks(splitter.push(piece))
        else if (!this.#isSampling) yield* this.#readIndexed(asBuffer(piece), splitter, this.#indexDialect)
        else yield* this.#readSample(asBuffer(piece), splitter, this.#indexDialect)
      }
    } catch (error) {
      this.#failure ??= { error }
      yield* this.release()
      throw this.#failure.error
    }
  }

  *flush(): Generator<Batch, void, undefined> {
    this.#checkFailure()
    try {
      if (this.#splitter === null) {
        const data = this.#preamble.end()
        yield* this.#readBlocks(this.#begin().push(data))
      }
      yield* this.#endSample()
      yield* this.#readBlocks(this.#splitter!.flush())
      const reader = this.#reader!
      while (reader.open) {
        const rows = this.#collect(() => reader.readNotClosed())
        if (rows.length > 0) yield rows
        this.#checkFailure()
      }
      this.#assembler.end(reader.end)
      yield* this.release()
      this.#checkFailure()
    } catch (error) {
      this.#failure ??= { error }
      yield* this.release()
      throw this.#failure.error
    }
  }

  /** The rows of a sample that waits for more, where no more will come. */
  *release(): Generator<Batch, void, undefined> {
    const reader = this.#reader
    if (reader === null) return
    yield* this.#endSample()
    const rows = this.#collect(() => this.#assembler.release(reader.rows))
    if (rows.length > 0) yield rows
  }

  #begin(): BlockSplitter {
    const { maxRecordBytes, encodingErrors } = this.#dialect
    const { ending } = this.#preamble
    const reader = new BlockReader(this.#dialect, this.#label, this.#assembler, this.#preamble)
    this.#reader = reader
    this.#indexDialect = recordIndex() === null ? null : indexDialectOf(this.#dialect, ending)
    this.#splitter = new BlockSplitter({
      terminator: ending.end === '\n' ? LF : CR,
      maxRecordBytes,
      encodingErrors,
      blockBytes: this.#blockBytes,
      tooLarge: () => reader.tooLarge(),
    })
    return this.#splitter
  }

  /** Reads blocks record by record. */
  *#readBlocks(blocks: Iterable<Block>): Generator<Batch, void, undefined> {
    for (const block of blocks) {
      const rows = this.#collect(() => this.#reader!.read(block))
      if (rows.length > 0) yield rows
      this.#checkFailure()
    }
  }

  /** Reads a chunk of the sample: the header, then records that are looked at before they are read. */
  *#readSample(chunk: Buffer, splitter: BlockSplitter, dialect: IndexDialect): Generator<Batch, void, undefined> {
    const assembler = this.#assembler
    let at = 0
    while (assembler.inHeader && at < chunk.length) {
      const to = lineEnd(chunk, at)
      this.#holdsTail = chunk[to - 1] !== LF
      yield* this.#readBlocks(splitter.push(chunk.subarray(at, to)))
      at = to
    }
    if (at === chunk.length) return
    this.#sample ??= this.#openSample(dialect)
    if (this.#sample !== null) {
      const { state, at: next } = this.#sample.push(chunk, at)
      if (state === 'more') return
      if (state === 'whole') assembler.decide(this.#sample.records)
      yield* this.#endSample()
      at = next
    }
    this.#isSampling = false
    yield* this.#readIndexed(chunk.subarray(at), splitter, dialect)
  }

  #openSample(index: IndexDialect): Sample | null {
    const shape = this.#assembler.sampled
    if (shape === null || this.#holdsTail || this.#reader!.open) return null
    const quote = this.#dialect.quote ?? ''
    return new Sample(shape, { index, quote, blockBytes: this.#blockBytes, textOf }, recordIndex()!)
  }

  /** Reads what was kept of the sample. */
  *#endSample(): Generator<Batch, void, undefined> {
    const kept = this.#sample?.take()
    this.#sample = null
    this.#isSampling = false
    if (kept !== undefined && kept.length > 0) yield* this.#readIndexed(kept, this.#splitter!, this.#indexDialect!)
  }

  /** Reads a chunk in blocks that end where a record does, so far as the index finds such, and hands the others on. */
  *#readIndexed(chunk: Buffer, splitter: BlockSplitter, dialect: IndexDialect): Generator<Batch, void, undefined> {
    let at = 0
    let batchStart = 0
    while (at < chunk.length) {
      // Where reading goes on, and up to where that is for the reader of single records.
      let from = at
      let to = at
      if (this.#holdsTail) to = lineEnd(chunk, at)
      else {
        const index = recordIndex()!
        const length = Math.min(this.#blockBytes, chunk.length - at)
        // A plain array over the bytes: `Buffer.subarray` takes several times as long.
        index.index(new Uint8Array(chunk.buffer, chunk.byteOffset + at, length), dialect, this.#reader!.open)
        if (index.count > 0) {
          to = at + index.bytes
          from = this.#readBlock(chunk, at, index, dialect)
        } else to = this.#cutAtLine(chunk, at)
      }
      if (from < to) {
        this.#holdsTail = chunk[to - 1] !== LF
        yield* this.#readBlocks(splitter.push(chunk.subarray(from, to)))
      }
      const cells = this.#reader!.rows.length * this.#assembler.width
      if (cells >= BATCH_CELLS || (cells > 0 && to - batchStart >= BATCH_BYTES)) {
        yield this.#takeRows()
        batchStart = to
      }
      at = to
    }
    if (this.#reader!.rows.length > 0) yield this.#takeRows()
  }

  /** Reads the records of an indexed block while they are plain. Gives where that ends. */
  #readBlock(chunk: Buffer, start: number, index: RecordIndex, dialect: IndexDialect): number {
    const assembler = this.#assembler
    const reader = this.#reader!
    if (reader.open || assembler.wantsEach || assembler.width < 0) return start
    const { ascii, bytes, count } = index
    const text = ascii ? chunk.toString('latin1', start, start + bytes) : textOf(chunk, start, start + bytes)
    const quote = this.#dialect.quote ?? ''
    // A quote that the index does not know must not be there.
    if (text === null || (quote !== '' && dialect.quote < 0 && text.includes(quote))) return start
    assembler.warm()
    const next = assembler.builder!.fromIndex(text, index, 0, 0, dialect.crlf, quote, reader.rows)
    if (next === 0) return start
    let read = bytes
    if (next < count) {
      const length = index.ends[index.records[next - 1]! >> RECORD_SHIFT]! + 1
      read = ascii ? length : Buffer.byteLength(text.slice(0, length))
    }
    reader.pass(read, index.lines[next - 1]!)
    return start + read
  }

  /** The end of a block that starts at `start`: after the last line end within its size, else after the next one. */
  #cutAtLine(chunk: Buffer, start: number): number {
    const end = start + this.#blockBytes
    if (end >= chunk.length) return chunk.length
    const before = chunk.lastIndexOf(LF, end - 1)
    return before >= start ? before + 1 : lineEnd(chunk, end)
  }

  #checkFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
  }

  /** The rows that `decode` makes. What it throws is kept until they are delivered. */
  #collect(decode: () => void): Row[] {
    try {
      decode()
    } catch (error) {
      this.#failure = { error }
      this.#releaseSample()
    }
    return this.#takeRows()
  }

  #takeRows(): Row[] {
    const reader = this.#reader!
    const { rows } = reader
    reader.rows = []
    this.#assembler.records += rows.length
    return rows
  }

  /** What went wrong is told after the rows before it; what goes wrong with these came first. */
  #releaseSample(): void {
    try {
      this.#assembler.release(this.#reader!.rows)
    } catch (error) {
      this.#failure = { error }
    }
  }
}

/** The position after the next line end from `start` on, or the end of the chunk. */
function lineEnd(chunk: Buffer, start: number): number {
  return chunk.indexOf(LF, start) + 1 || chunk.length
}

/** The text of bytes that are not all ASCII; `null` where they are not UTF-8. */
function textOf(chunk: Buffer, start: number, end: number): string | null {
  return isUtf8(chunk.subarray(start, end)) ? utf8Text(chunk, start, end) : null
}
