/** What the user holds to read: the reader's face. Its working is in `reader-handle.ts`. */
import type { Readable } from 'node:stream'
import type { Schema } from './core/schema.ts'
import type { Abortable, Row } from './core/types.ts'
import type { Chain } from './pipeline/chain.ts'
import type { Spooled } from './spool.ts'

/** Marks an iterable of batches, so that a writer takes its items for what they are and not for rows. */
export const BATCHES: unique symbol = Symbol.for('open-iterable.batches')

/** Rows in arrays. A writer's `writeBulk` knows them from a sequence of rows that are arrays. */
export interface Batches<R = Row> extends AsyncIterableIterator<R[]> {
  /** Tells it from other sequences of arrays. */
  readonly [BATCHES]: true
  /** The batches themselves: they can be gone through once. */
  [Symbol.asyncIterator](): Batches<R>
}

/**
 * An open target that rows are read from. All its ways of reading share one cursor, and calls are answered in the order
 * they were made. The source is released once: at the end of the rows, or by `break`, a throw, an abort or `close()`.
 *
 * Its rows can be worked on in a chain, which does nothing before the first of its rows is asked for:
 *
 * ```ts
 * const names = await openIterable('people.csv').filter(person => person.age > 17).map(person => person.name).toArray()
 * ```
 */
export interface Reader<R = Row> extends Chain<R>, AsyncIterable<R>, AsyncDisposable {
  /**
   * Row by row. Leaving the loop (`break`, `return`, a throw) closes the reader.
   *
   * @throws StateError HANDLE_BUSY for a second loop beside an unfinished one, HANDLE_CONSUMED after the rows were all
   * read, HANDLE_CLOSED after `close()` or a left loop.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<R>
  /** The next row; `null` at the end, repeatably. An aborted call gives its row to the next one. */
  read(options?: Abortable): Promise<R | null>
  /** The next `count` rows, fewer only at the end; `[]` at the end, repeatably. Default: 1000 rows. */
  readBulk(count?: number, options?: Abortable): Promise<R[]>
  /**
   * Rows in arrays: of exactly `size` rows but for the last, or, without `size`, as they come from the parser (some
   * hundred cells, at most about 64 KiB of text), which is fastest.
   */
  batches(size?: number, options?: Abortable): Batches<R>
  /** Starts again at the first row, where the source can be replayed; counters start again, too. */
  reset(options?: Abortable): Promise<void>
  /** Releases the source. Calls that wait are rejected with HANDLE_CLOSED. Idempotent. */
  close(): Promise<void>
  /** As `close()`, but calls that wait, and later ones, are rejected with `reason` (default: an AbortError). */
  abort(reason?: unknown): Promise<void>
  /** The rows as a Node stream in object mode, which closes the reader when it is destroyed. */
  toReadable(): Readable
  /** The rows as a Web stream, which closes the reader when it is cancelled. */
  toWeb(): ReadableStream<R>

  /** What messages call the target; without credentials. */
  readonly label: string
  /** The id of the format; undefined for rows that need none. */
  readonly format: string | undefined
  /** The ids of the codecs, outermost first. */
  readonly codecs: readonly string[]
  /** Names of the columns in their order, once the target is open; undefined where the format has none. */
  readonly columns: readonly string[] | undefined
  /**
   * What is known of the columns now, once the target is open: their types, whether they have nulls, and which types
   * had to be widened on the way. Where only the values tell (JSON, JSON Lines, rows), it is what the first rows show, up
   * to 100; of an iterable of rows it is undefined until the first is read. `inferSchema` looks at more.
   */
  readonly schema: Schema | undefined
  /** Which implementation of the format runs, once the target is open: `'native'`, `'csv-parse'`. */
  readonly engine: string | undefined
  /**
   * What had to be copied to a temp file before it could be read, and why; undefined where nothing had to be, and before
   * the target is open. The file goes when the reader is closed.
   */
  readonly spooled: Spooled | undefined
  /** Whether no more rows will come from the source: the rows ended, or the reader was closed or failed. */
  readonly closed: boolean
  /** Rows delivered to the caller. */
  readonly rowsRead: number
  /** Records left out: bad ones under `onError: 'skip'`, and those that an option passes over, as `onRecord` does. */
  readonly rowsSkipped: number
  /** Bad records that raised their error, or were put aside under `onError: 'quarantine'`. */
  readonly rowsFailed: number
  /** How often something failed on the way and was tried again: requests, connections that broke. */
  readonly retries: number
  /** Bytes of the source in all, before decompression, where that is known without reading; once it is open. */
  readonly bytesTotal: number | undefined
  /** Bytes taken from the source, before decompression. */
  readonly bytesRead: number
}

/** A reader that opens on first use. `await` opens it and gives the `Reader`; a missing file rejects there. */
export interface LazyReader<R = Row> extends Reader<R>, PromiseLike<Reader<R>> {}
