/** What the user holds to write: the writer's face. Its working is in `writer-handle.ts`. */
import type { Writable } from 'node:stream'
import type { Abortable, Row } from './core/types.ts'
import type { Batches, Reader } from './reader.ts'

/** What `writeBulk` takes: rows in any kind of sequence, a reader, whose column order is then kept, or its batches. */
export type RowsToWrite<R = Row> = Iterable<R> | AsyncIterable<R> | Reader<R> | Batches<R>

/**
 * An open target that rows are written to. Calls are carried out in the order they were made.
 *
 * Only `close()` publishes. Whatever else ends the writer leaves the target as it was, where the place can do that (a
 * file, not a stream): an error, an abort, and disposal without `close()`, since disposal cannot tell the end of a block
 * from a throw in it. Rows that are discarded that way are told by a process warning, OUTPUT_DISCARDED. A writer that
 * failed once stays failed.
 */
export interface Writer<R = Row> extends AsyncDisposable {
  /** Writes one row; settles when it is encoded, and the object may be changed. */
  write(row: R, options?: Abortable): Promise<void>
  /** Writes rows to the end of the sequence; gives how many it took from it. If the sequence throws, the writer fails. */
  writeBulk(rows: RowsToWrite<R>, options?: Abortable): Promise<number>
  /**
   * Ends the output and publishes it, whole, in one step. Idempotent. Without any row the output has none.
   *
   * @throws StateError WRITER_FAILED after an earlier failure, which is its `cause`.
   */
  close(options?: Abortable): Promise<void>
  /** Gives up: nothing is published; calls that wait, and later ones, are rejected with `reason`. Idempotent. */
  abort(reason?: unknown): Promise<void>
  /** `close()` was called: nothing. Otherwise gives up, as `abort()`. */
  [Symbol.asyncDispose](): Promise<void>
  /** The end of a pipe of rows: a Node stream in object mode. Its `end()` publishes, its `destroy()` gives up. */
  toWritable(): Writable
  /** The end of a pipe of rows: a Web stream. Its `close()` publishes, its `abort()` gives up. */
  toWeb(): WritableStream<R>

  /** What messages call the target; without credentials. */
  readonly label: string
  /** The id of the format. */
  readonly format: string | undefined
  /** The ids of the codecs, outermost first. */
  readonly codecs: readonly string[]
  /** Names of the columns in their order, once they are known; undefined where the format has none. */
  readonly columns: readonly string[] | undefined
  /** Which implementation of the format runs, once the target is open: `'native'`, `'csv-stringify'`. */
  readonly engine: string | undefined
  /** Whether no more rows are taken: the writer was closed, given up, or failed. */
  readonly closed: boolean
  /** Rows encoded. They are published only by `close()`. */
  readonly rowsWritten: number
  /** Bad rows left out under `onError: 'skip'`. */
  readonly rowsSkipped: number
  /** Bad rows that raised an error. */
  readonly rowsFailed: number
  /** How often something failed on the way and was tried again. */
  readonly retries: number
  /** Bytes that the place has accepted, after compression. */
  readonly bytesWritten: number
}

/** A writer that opens on first use. `await` opens it and gives the `Writer`; a missing folder rejects there. */
export interface LazyWriter<R = Row> extends Writer<R>, PromiseLike<Writer<R>> {}
