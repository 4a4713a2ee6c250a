/** Parquet read by hyparquet, in JavaScript alone: where DuckDB is not there, or does not know a feature of the file. */

import { open } from 'node:fs/promises'
import type { AsyncBuffer, FileMetaData } from 'hyparquet'
import { createError, excerpt } from '../../core/errors.ts'
import { checkCondition, columnsOf, parseFilter, rowPredicate } from '../../core/filter.ts'
import { KEPT_TYPES_KEY, withKeptTypes } from '../../core/kept-types.ts'
import type { Schema, SchemaType } from '../../core/schema.ts'
import type { Batch, ByteRange, ByteSource, ReadContext, Row, RowReader } from '../../core/types.ts'
import { columnAsRead, valueModes } from '../../core/value-options.ts'
import { fieldOf, parsersOf, rawElements, type StoredField } from './hyparquet-fields.ts'
import { missing } from './query.ts'
import type { ParquetReadOptions } from './read-options.ts'

/** Rows that are converted and given at once. */
const BATCH_ROWS = 2048

interface Hyparquet {
  readonly parquet: typeof import('hyparquet')
  readonly compressors: typeof import('hyparquet-compressors')['compressors']
}

export class HyparquetReader implements RowReader {
  readonly engine = 'hyparquet'
  columns: readonly string[] | undefined
  schema: Schema | undefined
  delivered: number
  readonly #source: ByteSource
  readonly #options: ParquetReadOptions
  readonly #context: ReadContext
  #file: (AsyncBuffer & AsyncDisposable) | undefined
  #peer: Hyparquet | undefined
  #metadata: FileMetaData | undefined
  #fields: readonly StoredField[] = []
  #wanted: (row: Row) => boolean = () => true
  /** Columns that only the filter needs, besides `columns`. */
  #read: readonly string[] = []
  #group = 0
  /** Row of the file that the next row group begins with. */
  #groupStart = 0
  #rows: Row[] = []
  #at = 0
  /** Rows that are wanted and still to be left out, and still to be given. */
  #skip: number
  #left: number

  /** `delivered`: rows that were given before and are not to be given again. */
  constructor(source: ByteSource, options: ParquetReadOptions, context: ReadContext, delivered = 0) {
    this.#source = source
    this.#options = options
    this.#context = context
    this.delivered = delivered
    this.#skip = (options.offset ?? 0) + delivered
    this.#left = (options.limit ?? Number.POSITIVE_INFINITY) - delivered
  }

  async ready(): Promise<void> {
    if (this.#metadata !== undefined) return
    const { label } = this.#context
    const { where, columns } = this.#options
    this.#peer = await loadPeer()
    this.#file = await bufferOf(this.#source, this.#context.signal)
    const metadata = await this.#failing(() =>
      this.#peer!.parquet.parquetMetadataAsync(this.#file!, { geoparquet: false }),
    )
    const modes = valueModes(this.#options)
    const tree = this.#peer.parquet.parquetSchema(metadata)
    const fields = withKept(
      tree.children.map(child => fieldOf(child, modes)),
      metadata,
    )
    if (fields.some(field => field.name === '__proto__')) {
      throw createError('PARQUET_UNSUPPORTED', 'hyparquet cannot read a column that is called __proto__', { label })
    }
    for (const name of columns ?? [])
      if (!fields.some(field => field.name === name)) missing(name, 'columns', fields, label)
    this.#fields = columns === undefined ? fields : columns.map(name => fields.find(field => field.name === name)!)
    const read = new Set(this.#fields.map(({ name }) => name))
    if (where !== undefined) {
      const condition = parseFilter(where as Parameters<typeof parseFilter>[0])
      checkCondition(
        condition,
        fields.map(({ schema }) => schema),
        label,
      )
      for (const name of columnsOf(condition)) read.add(name)
      const types = new Map<string, SchemaType>(fields.map(({ name, schema }) => [name, schema.type]))
      const holds = rowPredicate(condition, types)
      const compared = fields.filter(({ name }) => columnsOf(condition).has(name))
      this.#wanted = raw => holds(Object.fromEntries(compared.map(({ name, convert }) => [name, convert(raw[name])])))
    }
    this.#read = [...read]
    const unreadable = fields.find(field => field.unreadable && read.has(field.name))
    if (unreadable !== undefined) {
      throw createError('PARQUET_UNSUPPORTED', `hyparquet cannot read column ${excerpt(unreadable.name)}, a VARIANT`, {
        label,
        hint: 'DuckDB can: npm install @duckdb/node-api; or leave the column out ({ columns: [...] })',
      })
    }
    this.columns = this.#fields.map(({ name }) => name)
    this.schema = { columns: this.#fields.map(({ schema }) => columnAsRead(schema, modes)) }
    this.#metadata = { ...metadata, schema: rawElements(metadata.schema) }
  }

  async read(): Promise<Batch | null> {
    await this.ready()
    for (;;) {
      this.#context.signal.throwIfAborted()
      if (this.#left <= 0) return null
      if (this.#at >= this.#rows.length) {
        if (this.#group >= this.#metadata!.row_groups.length) return null
        await this.#readGroup()
        continue
      }
      const batch = this.#nextBatch()
      if (batch.length === 0) continue
      this.delivered += batch.length
      return batch
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#rows = []
    this.#left = 0
    const file = this.#file
    this.#file = undefined
    await file?.[Symbol.asyncDispose]()
  }

  #nextBatch(): Row[] {
    const batch: Row[] = []
    for (; this.#at < this.#rows.length && batch.length < BATCH_ROWS && this.#left > 0; this.#at++) {
      const raw = this.#rows[this.#at]!
      if (!this.#wanted(raw)) continue
      if (this.#skip > 0) {
        this.#skip--
        continue
      }
      this.#left--
      const row: Row = {}
      for (const { name, convert } of this.#fields) row[name] = convert(raw[name])
      batch.push(row)
    }
    return batch
  }

  /** A row group at a time, as hyparquet decodes columns of a row group whole. */
  async #readGroup(): Promise<void> {
    const rowCount = Number(this.#metadata!.row_groups[this.#group]!.num_rows)
    const rowStart = this.#groupStart
    this.#group++
    this.#groupStart += rowCount
    this.#at = 0
    this.#rows = []
    const filtered = this.#options.where !== undefined
    if (!filtered && this.#skip >= rowCount) {
      this.#skip -= rowCount
      return
    }
    const take = filtered ? rowCount : Math.min(rowCount, this.#skip + this.#left)
    const rows = await this.#failing(() =>
      this.#peer!.parquet.parquetReadObjects({
        file: this.#file!,
        metadata: this.#metadata!,
        columns: [...this.#read],
        rowStart,
        rowEnd: rowStart + take,
        compressors: this.#peer!.compressors,
        utf8: false,
        geoparquet: false,
        parsers: parsersOf(valueModes(this.#options)),
      }),
    )
    if (rows.length !== take) {
      throw createError('PARQUET_CORRUPT', `a row group has ${rows.length} rows where the footer says ${take}`, {
        label: this.#context.label,
        expected: `${take} rows`,
        found: `${rows.length} rows`,
      })
    }
    this.#rows = rows
  }

  async #failing<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (cause) {
      this.#context.signal.throwIfAborted()
      if (cause instanceof Error && 'code' in cause && 'label' in cause) throw cause
      const said = cause instanceof Error ? cause.message : String(cause)
      const unknown = /not supported|unsupported/i.test(said)
      throw createError(unknown ? 'PARQUET_UNSUPPORTED' : 'PARQUET_CORRUPT', `hyparquet: ${said}`, {
        label: this.#context.label,
        cause,
      })
    }
  }
}

/** The columns with what the file has kept of types that Parquet does not have. */
function withKept(fields: readonly StoredField[], { key_value_metadata: pairs }: FileMetaData): readonly StoredField[] {
  const kept = pairs?.find(({ key }) => key === KEPT_TYPES_KEY)?.value
  const schemas = withKeptTypes(
    fields.map(({ schema }) => schema),
    kept,
  )
  return fields.map((field, i) => ({ ...field, schema: schemas[i]! }))
}

async function loadPeer(): Promise<Hyparquet> {
  try {
    const [parquet, { compressors }] = await Promise.all([import('hyparquet'), import('hyparquet-compressors')])
    return { parquet, compressors }
  } catch (cause) {
    throw createError('PEER_MISSING', 'reading Parquet needs @duckdb/node-api, or hyparquet', {
      expected: 'hyparquet and hyparquet-compressors',
      hint: 'npm install @duckdb/node-api, or npm install hyparquet hyparquet-compressors',
      cause,
    })
  }
}

/** The source as hyparquet reads it. */
async function bufferOf(source: ByteSource, signal: AbortSignal): Promise<AsyncBuffer & AsyncDisposable> {
  const { random, localPath } = source
  const exact = (bytes: Uint8Array): ArrayBuffer =>
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
  if (random !== undefined) {
    const byteLength = await random.size({ signal })
    return {
      byteLength,
      slice: async (start, end = byteLength) =>
        exact((await random.readRanges([range(byteLength, start, end)], { signal }))[0]!),
      [Symbol.asyncDispose]: async () => {},
    }
  }
  const handle = await open(localPath!, 'r')
  const byteLength = (await handle.stat()).size
  return {
    byteLength,
    slice: async (from, to = byteLength) => {
      const { start, end } = range(byteLength, from, to)
      const bytes = new Uint8Array(end - start)
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at)
        if (bytesRead === 0) throw createError('PARQUET_CORRUPT', 'the file was cut short', { label: source.label })
        at += bytesRead
      }
      return bytes.buffer
    },
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** As of `slice`: a negative place counts from the end. */
function range(size: number, start: number, end: number): ByteRange {
  const place = (at: number) => (at < 0 ? Math.max(0, size + at) : Math.min(size, at))
  return { start: place(start), end: Math.max(place(start), place(end)) }
}
