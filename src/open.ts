/** `openIterable`: a target and options in, a handle out. */
import type { Readable, Writable } from 'node:stream'
import type { TextReadOptions, TextWriteOptions } from './core/encoding-options.ts'
import type { S3Location } from './core/target-urls.ts'
import type { FormatOptions, Row } from './core/types.ts'
import type { ArrowReadOptions, ArrowWriteOptions } from './formats/arrow/options.ts'
import type { CsvReadOptions } from './formats/csv/read-options.ts'
import type { CsvWriteOptions } from './formats/csv/write-options.ts'
import type { FixedReadOptions, FixedWriteOptions } from './formats/fixed/options.ts'
import type { JsonReadOptions } from './formats/json/read-options.ts'
import type { JsonWriteOptions } from './formats/json/write-options.ts'
import type { JsonlReadOptions } from './formats/jsonl/read-options.ts'
import type { JsonlWriteOptions } from './formats/jsonl/write-options.ts'
import type { ParquetReadOptions } from './formats/parquet/read-options.ts'
import type { ParquetWriteOptions } from './formats/parquet/write-options.ts'
import { LazyReaderHandle, LazyWriterHandle } from './lazy-handles.ts'
import type { LazyReader } from './reader.ts'
import type { CommonOptions } from './resolve.ts'
import type { HttpReadOptions } from './sources/http/options.ts'
import type { MemoryTarget } from './sources/memory.ts'
import type { PostgresTarget } from './sources/postgres/driver.ts'
import type { PostgresReadOptions } from './sources/postgres/options.ts'
import type { PostgresWriteOptions } from './sources/postgres/write-options.ts'
import type { S3ReadOptions } from './sources/s3/options.ts'
import type { S3WriteOptions } from './sources/s3/sink-options.ts'
import type { SchemaOutput, StandardSchema } from './standard-schema.ts'
import type { LazyWriter } from './writer.ts'

/**
 * Targets of registered places: a plug-in adds its own by declaration merging,
 * `declare module 'open-iterable' { interface PluginTargets { queue: Queue } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: plug-ins fill it
export interface PluginTargets {}

/** What holds bytes that a format reads: see `openIterable`. */
export type ByteTarget =
  | string
  | URL
  | Readable
  | ReadableStream
  | Response
  | Blob
  | Uint8Array
  | ArrayBuffer
  | { readonly text: string; readonly name?: string | undefined }
  | { readonly bytes: Uint8Array | ArrayBuffer; readonly name?: string | undefined }
  | MemoryTarget
  | S3Location
  | PostgresTarget
  | Iterable<Uint8Array | string>
  | AsyncIterable<Uint8Array | string>
  | PluginTargets[keyof PluginTargets]

/** What can be read: bytes, or rows as they are. */
export type ReadTarget = ByteTarget | Iterable<object> | AsyncIterable<object>

/** What can be written: see `openIterable`. */
export type WriteTarget =
  | string
  | URL
  | Writable
  | WritableStream
  | MemoryTarget
  | S3Location
  | PostgresTarget
  | PluginTargets[keyof PluginTargets]

/**
 * The options of each built-in format, by its id. A plug-in adds its own by declaration merging:
 * `declare module 'open-iterable' { interface FormatReadOptions { ini: { sections?: string[] } } }`.
 */
export interface FormatReadOptions {
  /** Delimited text. */
  csv: CsvReadOptions
  /** JSON Lines. */
  jsonl: JsonlReadOptions
  /** One JSON document. */
  json: JsonReadOptions
  /** Text in columns of fixed width. */
  fixed: FixedReadOptions
  /** Parquet. */
  parquet: ParquetReadOptions
  /** Arrow IPC and Feather. */
  arrow: ArrowReadOptions
}
/** The mirror of `FormatReadOptions`. */
export interface FormatWriteOptions {
  /** Delimited text. */
  csv: CsvWriteOptions
  /** JSON Lines. */
  jsonl: JsonlWriteOptions
  /** One JSON document. */
  json: JsonWriteOptions
  /** Text in columns of fixed width. */
  fixed: FixedWriteOptions
  /** Parquet. */
  parquet: ParquetWriteOptions
  /** Arrow IPC and Feather. */
  arrow: ArrowWriteOptions
}

/** The options for reading of each built-in kind of place that has some, by its id. */
export interface PlaceReadOptions {
  /** Files on servers, by `https:` and `http:`. */
  http: HttpReadOptions
  /** Tables and queries of Postgres. */
  postgres: PostgresReadOptions
  /** Objects in S3, or what speaks like it. */
  s3: S3ReadOptions
}

/** The mirror of `PlaceReadOptions`. */
export interface PlaceWriteOptions {
  /** Tables of Postgres. */
  postgres: PostgresWriteOptions
  /** Objects in S3, or what speaks like it. */
  s3: S3WriteOptions
}

/** `keyof` over each member of the union of formats, as one flat set of options. */
type Merged<T> = { [K in keyof AllOf<T[keyof T]>]?: ValueAt<T[keyof T], K> | undefined }
/** What has the keys of each member. An intersection, by which editors find the comments of the options. */
type AllOf<U> = (U extends unknown ? (member: Partial<U>) => void : never) extends (member: infer All) => void
  ? All
  : never
type ValueAt<U, K extends PropertyKey> = U extends unknown ? (K extends keyof U ? U[K] : never) : never

/** Options for reading: those of every target and those of the formats. */
export interface ReadOptions
  extends CommonOptions,
    Merged<FormatReadOptions & PlaceReadOptions & { text: TextReadOptions }> {
  /**
   * Validates, and may transform, each row: a schema of zod, valibot, arktype or any other library that speaks Standard
   * Schema. The rows then have its output type. A row that it refuses is a bad record. Default: none.
   */
  readonly schema?: StandardSchema | undefined
  /**
   * Whether to look at the content, to tell codecs, format, encoding (UTF-16) and dialect. What the options say is not
   * sniffed. Default: where the name does not tell the format. Columns without a header get names, `column_1` and so on.
   */
  readonly sniff?: boolean | undefined
  /** Most bytes that may come out of a codec; more is CODEC_LIMIT_EXCEEDED. Default: Infinity. */
  readonly maxDecodedBytes?: number | undefined
  /** Most bytes out of a codec for each that goes in, from 16 MiB on; more is CODEC_LIMIT_EXCEEDED. Default: 1000. */
  readonly maxRatio?: number | undefined
  /**
   * Most bytes of the temp file that is made where a format (Parquet) cannot be read as a stream and the source cannot be
   * read at any offset; more is SPOOL_LIMIT_EXCEEDED. The reader's `spooled` tells. Default: Infinity.
   */
  readonly maxSpoolBytes?: number | undefined
  /** Which member of an archive to read: its name, or a pattern with `*` and `?`. Default: the only one. */
  readonly member?: string | undefined
  /** Whether to read one member of an archive (default), or `'all'` that `member` means, one after the other. */
  readonly members?: 'one' | 'all' | undefined
  /**
   * Whether a path or an `s3:` URL with `*`, `?`, `[…]`, `{…}` or `**` is a pattern: all that it means is read as one
   * sequence of rows, each file as its own name says, sorted by name (see `listIterable`). Nothing that matches is
   * SOURCE_NOT_FOUND. Default: a pattern, unless something of that very name exists.
   */
  readonly glob?: boolean | undefined
  /** The name of a column to add to each row, which says what file, object or member it comes from. Default: none. */
  readonly fileNameColumn?: string | undefined
  /** `'r'`, the default, reads. */
  readonly mode?: 'r' | undefined
}

/** Options for writing: those of every target and those of the formats. */
export interface WriteOptions
  extends CommonOptions,
    Merged<FormatWriteOptions & PlaceWriteOptions & { text: TextWriteOptions }> {
  /** `'w'` writes anew and replaces what is there on `close()`; `'a'` appends to what is there. */
  readonly mode: 'w' | 'a'
  /** What the file in an archive is called. Default: the name of the target without `.zip`. */
  readonly member?: string | undefined
  /** Compression level, in the codec's own scale. Default: the codec's own. */
  readonly level?: number | undefined
}

/**
 * Opens tabular data for reading or writing, as an async iterable of rows.
 *
 * Returns at once and does no I/O; what it returns opens on first use and works in four ways:
 *
 * ```ts
 * for await (const row of openIterable('people.csv.gz')) console.log(row.name)
 *
 * const people = await openIterable('people.csv')          // opens: a missing file rejects here
 *
 * await using reader = openIterable('people.csv')          // closed on every way out of the block
 *
 * const [a, b] = await Promise.all([openIterable('a.csv'), openIterable('b.jsonl')])
 * ```
 *
 * Writing publishes on `close()`, whole or not at all:
 *
 * ```ts
 * await using out = openIterable('people.jsonl', { mode: 'w' })
 * await out.writeBulk(openIterable('people.csv'))
 * await out.close()                                        // without it nothing is published
 * ```
 *
 * @param target To read: a path, a `file:` URL, `'-'` (standard input), a Node `Readable`, a Web `ReadableStream`, a
 * fetch `Response`, a `Blob`, bytes, `{ text, name? }`, `{ bytes, name? }`, a `MemoryTarget`, or any iterable of chunks
 * or of rows. To write: a path, a `file:` URL, `'-'` (standard output), a Node `Writable`, a Web `WritableStream`, or a
 * `MemoryTarget`. Format and codecs are seen from the name (`people.csv.gz`), or said by `format` and `codecs`.
 * @param options `mode: 'r'` (default), `'w'` or `'a'`; `signal`; `format`, `codecs`, `onError`; and the options of the
 * format. An unknown option is an error.
 * @returns A lazy reader, or for the modes `w` and `a` a lazy writer. Errors of any kind, wrong options included, come
 * from its first use.
 * @throws Never. What can go wrong rejects where the handle is used, as an `OpenIterableError` with a `code`; an abort
 * rejects with the `reason` of its signal.
 */
export function openIterable<S extends StandardSchema>(
  target: ReadTarget,
  options: ReadOptions & { readonly schema: S },
): LazyReader<SchemaOutput<S>>
export function openIterable(
  target: ByteTarget,
  options: ReadOptions & { readonly header: false; readonly cast: true },
): LazyReader<unknown[]>
export function openIterable(
  target: ByteTarget,
  options: ReadOptions & { readonly header: false },
): LazyReader<string[]>
export function openIterable<R extends object = Row>(target: ByteTarget, options?: ReadOptions): LazyReader<R>
export function openIterable<R extends object>(
  target: Iterable<R> | AsyncIterable<R>,
  options?: ReadOptions,
): LazyReader<R>
export function openIterable<R extends object = Row>(target: ReadTarget, options?: ReadOptions): LazyReader<R>
export function openIterable<R extends object = Row>(target: WriteTarget, options: WriteOptions): LazyWriter<R>
export function openIterable<R extends object = Row>(
  target: ReadTarget | WriteTarget,
  options: ReadOptions | WriteOptions = {},
): LazyReader<R> | LazyWriter<R> {
  const given = options as FormatOptions
  return options.mode === 'w' || options.mode === 'a'
    ? new LazyWriterHandle<R>(target, given)
    : new LazyReaderHandle<R>(target, given)
}
