/**
 * The vocabulary of the library: what moves (chunks, batches), and the ports that sources, sinks, codecs and formats
 * implement. Nothing here does I/O. See `src/README.md` for how the parts fit together.
 */
import type { OptionTable } from './options.ts'
import type { Schema } from './schema.ts'

/** One row as the user gets it: column name → value. Rows of a CSV read with `header: false` are arrays instead. */
export type Row = Record<string, unknown>

/** Rows that move together. Never empty; the receiver owns the array. */
export type Batch<R = Row> = R[]

/** Every call that may wait takes a signal; it rejects with `signal.reason`, unwrapped. */
export interface Abortable {
  /** Calls it off: the call rejects with `signal.reason`, unwrapped, and what it holds is released. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/** A range of bytes, `end` exclusive. */
export interface ByteRange {
  /** The first byte, from 0. */
  readonly start: number
  /** The byte behind the last. */
  readonly end: number
}

/** A place that bytes are read from, already open. A facet's presence is the capability: there is no second flag. */
export interface ByteSource extends AsyncDisposable {
  /** Names the place in messages. Never holds a credential. */
  readonly label: string
  /** Whether `stream()` may be called again after the first stream has ended or was given up. */
  readonly replayable: boolean
  /** Ranged reads, where the place can do them. */
  readonly random?: RandomAccess
  /** Absolute path of a local file that a native engine may open itself. */
  readonly localPath?: string
  /** Bytes in all, where it is known without reading. */
  readonly size?: number
  /** What the place itself calls the data, where that is more than the target tells: a name to read extensions from. */
  readonly fileName?: string
  /** The media type that the place says the data has, without parameters: `text/csv`. */
  readonly mediaType?: string
  /**
   * The bytes, in order. A chunk is lent: it stays as it is until the next chunk is asked for, and whoever needs it
   * longer copies it. Never yields an empty chunk. Giving the iterator up (`return()`) or aborting `signal` stops the
   * reading at once, also while a chunk is awaited.
   */
  stream(options?: Abortable): AsyncIterable<Uint8Array>
}

/** Vectored, ranged reads of a place that supports them. */
export interface RandomAccess {
  /** Bytes in all. */
  size(options?: Abortable): Promise<number>
  /** The bytes of each range, in the order asked for; the source may coalesce what lies close together. */
  readRanges(ranges: readonly ByteRange[], options?: Abortable): Promise<Uint8Array[]>
}

/** A place that bytes are written to, already open. Disposing it aborts, unless it was closed. */
export interface ByteSink extends AsyncDisposable {
  /** Names the place in messages. Never holds a credential. */
  readonly label: string
  /** Absolute path of a local file that a native engine may write in place of `write()`; published by `close()`. */
  readonly localPath?: string
  /** Takes a chunk. Settles when the caller may reuse the chunk's memory: this is the backpressure. */
  write(chunk: Uint8Array): Promise<void>
  /** Publishes everything in one step, where the place can (rename, CompleteMultipartUpload, COMMIT). */
  close(): Promise<void>
  /** Gives up; idempotent; leaves nothing visible where the place can. After `close()` it does nothing. */
  abort(reason?: unknown): Promise<void>
}

/** A place that holds rows, not bytes (an array, a query); formats and codecs do not apply to it. */
export interface RowSource<R = Row> extends AsyncDisposable {
  /** Names the place in messages. Never holds a credential. */
  readonly label: string
  /** Whether a reader may be opened again after the first has ended. */
  readonly replayable: boolean
  /** Begins to read. */
  openReader(context: ReadContext): Promise<RowReader<R>>
}

/** A place that takes rows, not bytes (a table). */
export interface RowSink<R = Row> extends AsyncDisposable {
  /** Names the place in messages. Never holds a credential. */
  readonly label: string
  /** Begins to write; what it gives is called once. */
  openWriter(context: WriteContext): Promise<RowWriter<R>>
}

/** Rows, batch by batch. */
export interface RowReader<R = Row> extends AsyncDisposable {
  /** Column names in their order; `undefined` where the format has none. Known once `ready()` has settled. */
  readonly columns?: readonly string[] | undefined
  /** What is known of the columns now; `undefined` where only the values tell, or not known yet. */
  readonly schema?: Schema | undefined
  /** Which implementation runs, for a format that has several: `native`, `csv-parse`, … */
  readonly engine?: string | undefined
  /** Reads as far as it takes to know `columns`; rows met on the way are kept for `read()`. */
  ready?(options?: Abortable): Promise<void>
  /** The next batch in its natural size; `null` at the end, repeatably. Never called twice at once. */
  read(options?: Abortable): Promise<Batch<R> | null>
}

/** Takes rows, batch by batch. Disposing it aborts, unless it was closed. */
export interface RowWriter<R = Row> extends AsyncDisposable {
  /** Column names in their order, once they are known; `undefined` where the format has none. */
  readonly columns?: readonly string[] | undefined
  /** Which implementation runs, for a format that has several. */
  readonly engine?: string | undefined
  /** Tells the columns that the rows to come have, in order, before the first row. Ignored once columns are fixed. */
  suggestColumns?(columns: readonly string[]): void
  /** Tells the types of those columns, as far as their source knows them; after `suggestColumns`. Values decide. */
  suggestSchema?(schema: Schema): void
  /** Settles when the batch is encoded and the place has accepted enough of it. The rows may then be changed. */
  write(batch: Batch<R>): Promise<void>
  /** Ends the output and publishes it. */
  close(): Promise<void>
  /** Gives up; idempotent; nothing is published. */
  abort(reason?: unknown): Promise<void>
}

/** What a reader is told by the handle that drives it. */
export interface ReadContext {
  /** Names the place in messages. */
  readonly label: string
  /** Aborts everything that the handle started. */
  readonly signal: AbortSignal
  /**
   * Told of each record that cannot become a row. Returns when the record is to be left out and reading goes on, and
   * throws (usually `error` itself) when it is to stop; good rows read before it are delivered first.
   */
  onBadRecord(error: Error, raw?: string): void
  /** Told of bytes that were read by way of `localPath`, which the source itself does not see. */
  onBytesRead?(count: number): void
  /** Told of a record that is good and left out all the same, as the user's options say, to be counted. */
  onSkippedRecord?(): void
  /** Told of each attempt of a place that failed and is followed by another one, to be counted. */
  onRetry?(): void
  /**
   * Puts away the bad records that wait, if they are many. To be called between two batches by whoever may pass over any
   * number of bad records without giving a batch; there is nothing to wait for where it gives undefined.
   */
  settle?(): Promise<void> | undefined
}

/** What a writer is told by the handle that drives it. */
export interface WriteContext {
  /** Names the place in messages. */
  readonly label: string
  /** Aborts everything that the handle started. */
  readonly signal: AbortSignal
  /** Whether the output continues one that already holds data (mode `a`): no header, no byte order mark. */
  readonly appending: boolean
  /** Told of bytes that a place of rows has sent; of a place of bytes they are counted anyway. */
  onBytesWritten?(count: number): void
  /** Whether `onBadRecord` may return, so that it is worth while to find each bad row. */
  readonly mayLeaveOut?: boolean | undefined
  /** As in `ReadContext`: returns when the row is to be left out, throws when writing is to stop. */
  onBadRecord(error: Error, row?: unknown): void
  /** As in `ReadContext`. */
  onRetry?(): void
}

/**
 * Bytes → rows without I/O: a synchronous state machine that the I/O drives. Chunks may split anywhere, even inside a
 * code point or a CRLF. `decode` is exhausted before the next call.
 */
export interface Decoder<R = Row> {
  /** `undefined`: the format has no columns; `null`: not known yet. */
  readonly columns?: readonly string[] | null | undefined
  /** As `RowReader.schema`. */
  readonly schema?: Schema | undefined
  /** The whole rows that the bytes so far complete. Copies what it keeps of `chunk`. */
  decode(chunk: Uint8Array): Iterable<Batch<R>>
  /** What is left at the end of the input; an incomplete record is an error here. */
  flush(): Iterable<Batch<R>>
  /** The rows that are held back, where some are; asked for when the source fails, as good rows go before an error. */
  release?(): Iterable<Batch<R>>
}

/** Rows → bytes without I/O: the mirror of `Decoder`. */
export interface Encoder<R = Row> {
  /** As `RowWriter.columns`. */
  readonly columns?: readonly string[] | undefined
  /** As `RowWriter.suggestColumns`. */
  suggestColumns?(columns: readonly string[]): void
  /**
   * Encodes a batch and yields the chunks that became full (64 to 128 KiB). A chunk is lent: it stays as it is until
   * the chunk after the next is asked for, so that one write may be in flight while the next chunk is filled.
   */
  encode(batch: Batch<R>): Iterable<Uint8Array>
  /** What is left, and what ends an output: a header without rows, a closing bracket. */
  flush(): Iterable<Uint8Array>
}

/** Bytes ↔ bytes. Wraps a source or a sink into another one of the same interface, so that `.csv.gz` is composition. */
export interface Codec {
  /** The decoded view of `source`; disposing it disposes `source`. */
  decode(source: ByteSource, options: CodecOptions): ByteSource
  /** A sink whose bytes arrive encoded in `sink`; closing it ends the encoding, then closes `sink`. */
  encode(sink: ByteSink, options: CodecOptions): ByteSink
  /**
   * Of an archive: its members that are files, or those that `member` means, in their order. Undefined where that cannot
   * be known without using up the source. Does not dispose `source`.
   */
  members?(
    source: ByteSource,
    options?: Abortable & Pick<CodecOptions, 'member'>,
  ): Promise<readonly ArchiveMember[] | undefined>
  /**
   * Of an archive: the name of the member that `decode` with the same options reads, from which its format can be seen.
   * Undefined where that cannot be known without using up the source.
   */
  innerName?(source: ByteSource, options: CodecOptions & Abortable): Promise<string | undefined>
}

/** A file in an archive. */
export interface ArchiveMember {
  /** As the archive has it: with `/` between folders, and never a path to write to. */
  readonly name: string
  /** Decoded bytes, as the archive says. */
  readonly bytes: number
  /** Bytes that it takes in the archive. */
  readonly encodedBytes: number
}

/** Options of every codec; each codec takes what applies to it. */
export interface CodecOptions {
  /** Compression level on write, in the codec's own scale. Default: the codec's own default. */
  readonly level?: number | undefined
  /** Most bytes that decoding may give; more is CODEC_LIMIT_EXCEEDED. Default: Infinity. */
  readonly maxDecodedBytes?: number | undefined
  /**
   * Most decoded bytes for each encoded one, from 16 MiB decoded on; more is CODEC_LIMIT_EXCEEDED. Default: 1000.
   * `Infinity` for input that is trusted.
   */
  readonly maxRatio?: number | undefined
  /**
   * Which member of an archive to read, by its name or a pattern with `*` and `?`, or to write. Default: the only one;
   * to write, the name of the target without `.zip`.
   */
  readonly member?: string | undefined
}

/** Options that a format was given, checked for their names but not their values. */
export type FormatOptions = Readonly<Record<string, unknown>>

/** Bytes ↔ rows. */
export interface Format {
  /** The options that reading takes, by name; `openReader` gets them with their values accepted by this table. */
  readonly readOptions: OptionTable
  /** The options that writing takes, by name. */
  readonly writeOptions: OptionTable
  /** Takes over `source`: the reader disposes it. */
  openReader?(source: ByteSource, options: FormatOptions, context: ReadContext): Promise<RowReader> | RowReader
  /** Takes over `sink`: the writer closes or aborts it. */
  openWriter?(sink: ByteSink, options: FormatOptions, context: WriteContext): Promise<RowWriter> | RowWriter
  /**
   * Looks at what a target holds (at least one byte) before rows are appended to it (mode `a`), and throws where they
   * would not be read back as rows. `options` are those of the writer. Does not dispose `source`. A format without it
   * cannot be appended to.
   */
  inspectExisting?(source: ByteSource, options: FormatOptions, context: ReadContext): Promise<ExistingRows>
}

/** What a format found in a target that is to be appended to. */
export interface ExistingRows {
  /** The columns that the rows to come must have. */
  readonly columns?: readonly string[] | undefined
  /** Bytes to write before the first row, to end a last line that has no end. */
  readonly prefix?: Uint8Array | undefined
}

/** One kind of place: opens its targets for reading, for writing, or both. */
export interface Place {
  /** The options that reading from such a place takes, by name. Default: none. */
  readonly readOptions?: OptionTable
  /** The options that writing to such a place takes, by name. Default: none. */
  readonly writeOptions?: OptionTable
  /** Opens a target for reading: bytes, or rows. */
  openSource?(target: unknown, options: PlaceOptions): Promise<ByteSource | RowSource>
  /**
   * What is there under the target's own name, all that is in it where it is a folder, and otherwise what a target with
   * wildcards means: sorted, complete or an error, and empty where there is nothing. `glob: true`: a target with wildcards
   * is nothing but a pattern; `false`: it is none.
   */
  list?(target: unknown, options: PlaceOptions & ListedOptions): AsyncIterable<ListedTarget>
  /** Opens a target for writing: bytes, or rows. */
  openSink?(target: unknown, options: SinkPlaceOptions): Promise<ByteSink | RowSink>
}

/** How a listing takes its target. */
export interface ListedOptions {
  /** Whether wildcards are a pattern. Default: unless something of that very name exists. */
  readonly glob?: boolean | undefined
}

/** One of the targets that a pattern means. */
export interface ListedTarget {
  /** What `openIterable` opens it by. */
  readonly target: string | { readonly bucket: string; readonly key: string }
  /** What messages call it: a path or URL. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** When it was last changed. */
  readonly modified: Date
  /** Tells versions apart, where the place has such a tag. */
  readonly etag?: string | undefined
}

/** What a place is told when it opens a target. */
export interface PlaceOptions {
  /** Aborts the opening, and all that is read from what was opened. */
  readonly signal: AbortSignal
  /** The options that the source's own tables name. */
  readonly options: FormatOptions
  /**
   * What the source is mostly read by: `'random'` where only parts of it are wanted. A place that has to ask before it
   * knows anything then asks for no more than it needs. Default: `'stream'`.
   */
  readonly access?: 'stream' | 'random' | undefined
  /** To be told of each attempt that failed and is followed by another one. Default: none. */
  readonly onRetry?: (() => void) | undefined
}

/** What a place is told when it opens a target for writing. */
export interface SinkPlaceOptions extends PlaceOptions {
  /** Whether what is written follows what is there. */
  readonly append: boolean
  /** Id of the format that is written; undefined (default) where the target takes rows. For places that store what they hold. */
  readonly format?: string | undefined
  /** Ids of the codecs, outermost first. Default: none. */
  readonly codecs?: readonly string[] | undefined
}
