/** Arrow IPC → rows, a record batch at a time. */
import { type FileHandle, open } from 'node:fs/promises'
import type { RecordBatch, RecordBatchReader } from 'apache-arrow'
import { createError } from '../../core/errors.ts'
import type { Schema } from '../../core/schema.ts'
import type { Batch, ByteSource, ReadContext, RowReader } from '../../core/types.ts'
import { type ValueModes, valueModes } from '../../core/value-options.ts'
import { rowsOf } from './column-values.ts'
import type { ArrowReadOptions } from './options.ts'
import { type ArrowPackage, loadArrow } from './peer.ts'
import { columnSchema } from './schema.ts'

/** Rows that are given together; record batches may be large. */
const BATCH_ROWS = 4096

/** Opens a reader of Arrow. Takes over `source`. Throws PEER_MISSING. */
export async function openArrowReader(
  source: ByteSource,
  options: ArrowReadOptions,
  context: ReadContext,
): Promise<RowReader> {
  const arrow = await loadArrow('read')
  return new ArrowReader(arrow, source, valueModes(options), context)
}

class ArrowReader implements RowReader {
  readonly engine = 'apache-arrow'
  schema: Schema | undefined
  readonly #arrow: ArrowPackage
  readonly #source: ByteSource
  readonly #modes: ValueModes
  readonly #context: ReadContext
  #batches: AsyncIterator<RecordBatch> | undefined
  #reader: RecordBatchReader | undefined
  #current: RecordBatch | undefined
  #at = 0
  #ended = false
  #file: FileHandle | undefined
  /** Bytes of the file that was opened by its path, those that were told of, and the batches that were read. */
  #fileBytes = 0
  #toldBytes = 0
  #batchesRead = 0

  constructor(arrow: ArrowPackage, source: ByteSource, modes: ValueModes, context: ReadContext) {
    this.#arrow = arrow
    this.#source = source
    this.#modes = modes
    this.#context = context
  }

  get columns(): readonly string[] | undefined {
    return this.schema?.columns.map(({ name }) => name)
  }

  async ready(): Promise<void> {
    if (this.#batches !== undefined || this.#ended) return
    try {
      this.#reader = (await this.#open()) as RecordBatchReader
      await this.#reader.open({ autoDestroy: false })
    } catch (error) {
      throw this.#errorOf(error)
    }
    const { schema } = this.#reader
    if (schema === null || schema === undefined) {
      throw createError('ARROW_CORRUPT', 'the input ends before its schema', {
        label: this.#context.label,
        expected: 'a schema, which each Arrow file and stream begins with',
        found: 'the end of the input',
      })
    }
    this.schema = { columns: schema.fields.map(field => columnSchema(this.#arrow, field)) }
    this.#batches = (this.#reader as AsyncIterable<RecordBatch>)[Symbol.asyncIterator]()
  }

  /** A file is read from where its batches are; anything else as it comes. */
  async #open() {
    const { RecordBatchReader } = this.#arrow
    const { localPath } = this.#source
    if (localPath !== undefined) {
      this.#file = await open(localPath, 'r')
      this.#fileBytes = (await this.#file.stat()).size
      return RecordBatchReader.from(this.#file)
    }
    return RecordBatchReader.from(copies(this.#source.stream({ signal: this.#context.signal })))
  }

  async read(): Promise<Batch | null> {
    await this.ready()
    while (!this.#ended) {
      const batch = this.#current
      if (batch !== undefined && this.#at < batch.numRows) {
        const part = batch.slice(this.#at, this.#at + BATCH_ROWS)
        this.#at += part.numRows
        return rowsOf(this.#arrow, part, this.#modes)
      }
      this.#context.signal.throwIfAborted()
      const next = await this.#next()
      this.#current = next.done === true ? undefined : next.value
      this.#at = 0
      if (next.done === true) this.#ended = true
    }
    return null
  }

  async #next(): Promise<IteratorResult<RecordBatch>> {
    try {
      const next = await this.#batches!.next()
      this.#tellBytes(next.done === true)
      return next
    } catch (error) {
      throw this.#errorOf(error)
    }
  }

  /** A file is read by apache-arrow itself: how far it is, is told by the batches it has given. */
  #tellBytes(ended: boolean): void {
    if (this.#fileBytes === 0) return
    const { numRecordBatches = 0 } = this.#reader as { numRecordBatches?: number }
    const share = ended || numRecordBatches === 0 ? Number(ended) : ++this.#batchesRead / (numRecordBatches + 1)
    const read = Math.floor(this.#fileBytes * share)
    this.#context.onBytesRead?.(read - this.#toldBytes)
    this.#toldBytes = read
  }

  #errorOf(error: unknown): unknown {
    const { signal, label } = this.#context
    if (signal.aborted) return signal.reason
    if (error instanceof Error && 'code' in error && 'label' in error) return error
    const reason = error instanceof Error ? error.message : String(error)
    return createError('ARROW_CORRUPT', `apache-arrow: ${reason}`, { label, cause: error })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    try {
      // A reader of a file closes it, or does not.
      await this.#file?.close()
    } finally {
      await this.#source[Symbol.asyncDispose]()
    }
  }
}

/** Chunks are lent, and apache-arrow keeps what it is given. */
async function* copies(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) yield chunk.slice()
}
