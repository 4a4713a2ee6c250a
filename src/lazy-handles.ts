/** What `openIterable` gives at once: a reader or writer, and a `then` that opens it. */
import type { Readable, Writable } from 'node:stream'
import type { Schema } from './core/schema.ts'
import type { Abortable, FormatOptions } from './core/types.ts'
import { Chainable } from './pipeline/chain.ts'
import type { Batches, LazyReader, Reader } from './reader.ts'
import { ReaderHandle } from './reader-handle.ts'
import type { Spooled } from './spool.ts'
import type { LazyWriter, RowsToWrite, Writer } from './writer.ts'
import { WriterHandle } from './writer-handle.ts'

/** What `openIterable()` gives at once: the reader, and a `then` that opens it. */
export class LazyReaderHandle<R> extends Chainable<R> implements LazyReader<R> {
  readonly #reader: ReaderHandle<R>

  constructor(target: unknown, options: FormatOptions) {
    super()
    this.#reader = new ReaderHandle(target, options)
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaitable is the point
  then<A = Reader<R>, B = never>(
    onOpen?: ((reader: Reader<R>) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const reader: Reader<R> = this.#reader
    return this.#reader
      .open()
      .then(() => reader)
      .then(onOpen, onError)
  }

  get label(): string {
    return this.#reader.label
  }
  get format(): string | undefined {
    return this.#reader.format
  }
  get codecs(): readonly string[] {
    return this.#reader.codecs
  }
  get columns(): readonly string[] | undefined {
    return this.#reader.columns
  }
  get schema(): Schema | undefined {
    return this.#reader.schema
  }
  get engine(): string | undefined {
    return this.#reader.engine
  }
  get spooled(): Spooled | undefined {
    return this.#reader.spooled
  }
  get closed(): boolean {
    return this.#reader.closed
  }
  get rowsRead(): number {
    return this.#reader.rowsRead
  }
  get rowsSkipped(): number {
    return this.#reader.rowsSkipped
  }
  get rowsFailed(): number {
    return this.#reader.rowsFailed
  }
  get retries(): number {
    return this.#reader.retries
  }
  get bytesTotal(): number | undefined {
    return this.#reader.bytesTotal
  }
  get bytesRead(): number {
    return this.#reader.bytesRead
  }
  [Symbol.asyncIterator](): AsyncIterableIterator<R> {
    return this.#reader[Symbol.asyncIterator]()
  }
  read(options?: Abortable): Promise<R | null> {
    return this.#reader.read(options)
  }
  readBulk(count?: number, options?: Abortable): Promise<R[]> {
    return this.#reader.readBulk(count, options)
  }
  batches(size?: number, options?: Abortable): Batches<R> {
    return this.#reader.batches(size, options)
  }
  reset(options?: Abortable): Promise<void> {
    return this.#reader.reset(options)
  }
  close(): Promise<void> {
    return this.#reader.close()
  }
  abort(reason?: unknown): Promise<void> {
    return this.#reader.abort(reason)
  }
  toReadable(): Readable {
    return this.#reader.toReadable()
  }
  toWeb(): ReadableStream<R> {
    return this.#reader.toWeb()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.#reader[Symbol.asyncDispose]()
  }
}

/** What `openIterable(…, { mode: 'w' })` gives at once: the writer, and a `then` that opens it. */
export class LazyWriterHandle<R> implements LazyWriter<R> {
  readonly #writer: WriterHandle<R>

  constructor(target: unknown, options: FormatOptions) {
    this.#writer = new WriterHandle(target, options)
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaitable is the point
  then<A = Writer<R>, B = never>(
    onOpen?: ((writer: Writer<R>) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const writer: Writer<R> = this.#writer
    return this.#writer
      .open()
      .then(() => writer)
      .then(onOpen, onError)
  }

  get label(): string {
    return this.#writer.label
  }
  get format(): string | undefined {
    return this.#writer.format
  }
  get codecs(): readonly string[] {
    return this.#writer.codecs
  }
  get columns(): readonly string[] | undefined {
    return this.#writer.columns
  }
  get engine(): string | undefined {
    return this.#writer.engine
  }
  get closed(): boolean {
    return this.#writer.closed
  }
  get rowsWritten(): number {
    return this.#writer.rowsWritten
  }
  get rowsSkipped(): number {
    return this.#writer.rowsSkipped
  }
  get rowsFailed(): number {
    return this.#writer.rowsFailed
  }
  get retries(): number {
    return this.#writer.retries
  }
  get bytesWritten(): number {
    return this.#writer.bytesWritten
  }
  write(row: R, options?: Abortable): Promise<void> {
    return this.#writer.write(row, options)
  }
  writeBulk(rows: RowsToWrite<R>, options?: Abortable): Promise<number> {
    return this.#writer.writeBulk(rows, options)
  }
  close(options?: Abortable): Promise<void> {
    return this.#writer.close(options)
  }
  abort(reason?: unknown): Promise<void> {
    return this.#writer.abort(reason)
  }
  toWritable(): Writable {
    return this.#writer.toWritable()
  }
  toWeb(): WritableStream<R> {
    return this.#writer.toWeb()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.#writer[Symbol.asyncDispose]()
  }
}
