/** Writes rows by a format's writer into memory, for the tests of the writers. */
import type { ByteSink, RowWriter, WriteContext } from '../../src/core/types.ts'
import type { CsvWriteOptions } from '../../src/formats/csv/write-options.ts'
import { openCsvWriter } from '../../src/formats/csv/writer.ts'
import type { JsonWriteOptions } from '../../src/formats/json/write-options.ts'
import { openJsonWriter } from '../../src/formats/json/writer.ts'
import type { JsonlWriteOptions } from '../../src/formats/jsonl/write-options.ts'
import { openJsonlWriter } from '../../src/formats/jsonl/writer.ts'

export class TestSink implements ByteSink {
  readonly label = 'out.file'
  readonly chunks: Buffer[] = []
  closed = false

  async write(chunk: Uint8Array): Promise<void> {
    this.chunks.push(Buffer.from(chunk))
  }
  async close(): Promise<void> {
    this.closed = true
  }
  async abort(): Promise<void> {}
  async [Symbol.asyncDispose](): Promise<void> {}

  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

export interface Written {
  readonly text: string
  readonly bytes: Buffer
  readonly chunks: readonly Buffer[]
  readonly columns: readonly string[] | undefined
  readonly engine: string | undefined
  /** What was told to `onBadRecord`, with `skip`. */
  readonly bad: readonly { error: Error; row: unknown }[]
}

export interface Writing {
  readonly appending?: boolean
  /** Columns to suggest before the first row. */
  readonly suggest?: readonly string[]
  /** Leaves bad rows out. Otherwise they stop the writing. */
  readonly skip?: boolean
  /** Rows per call. Default: all in one. */
  readonly batchSize?: number
}

type Open<O> = (sink: ByteSink, options: O, context: WriteContext) => RowWriter | Promise<RowWriter>

async function write<O>(open: Open<O>, rows: readonly unknown[], options: O, how: Writing): Promise<Written> {
  const sink = new TestSink()
  const bad: { error: Error; row: unknown }[] = []
  const writer = await open(sink, options, {
    label: sink.label,
    signal: new AbortController().signal,
    appending: how.appending ?? false,
    onBadRecord(error, row) {
      if (how.skip !== true) throw error
      bad.push({ error, row })
    },
  })
  if (how.suggest !== undefined) writer.suggestColumns?.(how.suggest)
  const size = how.batchSize ?? Math.max(rows.length, 1)
  // What is no row is written too, to see it refused.
  for (let i = 0; i < rows.length; i += size) await writer.write(rows.slice(i, i + size) as Record<string, unknown>[])
  await writer.close()
  const bytes = Buffer.concat(sink.chunks)
  return { text: bytes.toString(), bytes, chunks: sink.chunks, columns: writer.columns, engine: writer.engine, bad }
}

export const writeCsv = (rows: readonly unknown[], options: CsvWriteOptions = {}, how: Writing = {}) =>
  write(openCsvWriter, rows, options, how)

export const writeJsonl = (rows: readonly unknown[], options: JsonlWriteOptions = {}, how: Writing = {}) =>
  write(openJsonlWriter, rows, options, how)

export const writeJson = (rows: readonly unknown[], options: JsonWriteOptions = {}, how: Writing = {}) =>
  write(openJsonWriter, rows, options, how)

/** The error that a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('expected a rejection')
}
