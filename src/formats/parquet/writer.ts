/** Rows → Parquet. */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { types as kinds } from 'node:util'
import { createError, excerpt } from '../../core/errors.ts'
import { opaqueKind } from '../../core/json.ts'
import { invalidOption } from '../../core/options.ts'
import { orderColumns } from '../../core/row-selection.ts'
import type { ColumnSchema, Schema } from '../../core/schema.ts'
import { makeTempFolder, removeTempFolder } from '../../core/temp-files.ts'
import type { Batch, ByteSink, RowWriter, WriteContext } from '../../core/types.ts'
import { checkDuckDb } from '../../duckdb/binding.ts'
import { type ChunkData, VECTOR_ROWS } from '../../duckdb/vector-data.ts'
import type { ParquetWriteOptions } from './write-options.ts'
import { suggestedType } from './write-schema.ts'
import { NULL, type WriteType } from './write-types.ts'
import { WriteColumns } from './writer-columns.ts'
import { convertVector, isSameLayout, nullVector } from './writer-convert.ts'
import { ParquetOutput } from './writer-output.ts'

/** Rows that are put into columns together, and taken back together where one does not fit. */
const SEGMENT_ROWS = 512
/** Rows that are held back before the first is written, as most columns show their types by then. */
const HELD_ROWS = 16_384
/** Bytes of texts that end a chunk, and that end the holding back. */
const CHUNK_BYTES = 4 * 1024 * 1024
const HELD_BYTES = 16 * 1024 * 1024
const COPY_BYTES = 256 * 1024

/** Opens a writer of Parquet. Takes over `sink`: the writer closes or aborts it. */
export async function openParquetWriter(
  sink: ByteSink,
  options: ParquetWriteOptions,
  context: WriteContext,
): Promise<ParquetWriter> {
  checkNames(options)
  if (options.partitionBy !== undefined && sink.localPath === undefined) {
    throw createError('OPTION_INVALID', 'option partitionBy asks for a folder, which the target cannot be', {
      label: context.label,
      expected: 'the path of a local folder that is not there yet',
      hint: 'write to a local folder, without a codec',
    })
  }
  checkDuckDb('writing Parquet')
  context.signal.throwIfAborted()
  return new ParquetWriter(sink, options, context)
}

/** Columns that options speak of must be among `columns`. */
function checkNames({ columns, types, partitionBy, orderBy }: ParquetWriteOptions): void {
  if (columns === undefined) return
  const wanted: [option: string, names: string[]][] = [
    ['types', Object.keys(types ?? {})],
    ['partitionBy', [partitionBy ?? []].flat()],
    ['orderBy', orderColumns(orderBy).map(({ column }) => column)],
  ]
  for (const [option, names] of wanted) {
    const unknown = names.find(name => !columns.includes(name))
    if (unknown !== undefined) throw invalidOption(option, `columns out of ${columns.join(', ')}`, unknown)
  }
}

export class ParquetWriter implements RowWriter {
  readonly engine = 'duckdb'
  readonly #sink: ByteSink
  readonly #options: ParquetWriteOptions
  readonly #context: WriteContext
  readonly #columns: WriteColumns
  /** What the source says of columns, by name. */
  #described: ReadonlyMap<string, ColumnSchema> = new Map()
  /** Values of the chunk in the making. */
  #length = 0
  /** Chunks that wait for the first rows to have shown their types; undefined while chunks are sent as they come. */
  #held: ChunkData[] | undefined = []
  #heldRows = 0
  #heldBytes = 0
  #records = 0
  #output: ParquetOutput | undefined
  #folder: Promise<string> | undefined
  #discarding: Promise<void> | undefined

  constructor(sink: ByteSink, options: ParquetWriteOptions, context: WriteContext) {
    this.#sink = sink
    this.#options = options
    this.#context = context
    this.#columns = new WriteColumns({
      names: options.columns,
      types: options.types ?? {},
      extraColumns: options.extraColumns ?? 'error',
    })
  }

  get columns(): readonly string[] | undefined {
    const { names } = this.#columns
    return names.length === 0 ? undefined : names
  }

  suggestColumns(columns: readonly string[]): void {
    if (!this.#columns.isOpen || this.#records > 0) return
    for (const name of columns) this.#columns.add(name)
  }

  /**
   * Tells the types of the rows to come, as far as they are known, and their columns where nobody told them. Values need
   * not agree: a type is widened where one does not. Ignored once rows were written.
   */
  suggestSchema({ columns }: Schema): void {
    if (this.#records > 0) return
    const declared = this.#options.types ?? {}
    this.#described = new Map(columns.filter(({ name }) => !Object.hasOwn(declared, name)).map(one => [one.name, one]))
    const known = new Set(this.#columns.names)
    for (const column of columns) {
      if (known.size === 0 || known.has(column.name)) this.#columns.suggest(column.name, suggestedType(column))
    }
  }

  async write(batch: Batch): Promise<void> {
    for (let start = 0; start < batch.length; ) {
      const areArrays = Array.isArray(batch[start])
      const most = Math.min(batch.length, start + Math.min(SEGMENT_ROWS, VECTOR_ROWS - this.#length))
      let end = start + 1
      while (end < most && Array.isArray(batch[end]) === areArrays) end++
      await this.#writeSegment(batch.slice(start, end), areArrays)
      start = end
    }
  }

  async close(): Promise<void> {
    await this.#flushChunk()
    if (this.#held !== undefined && this.#held.length > 0) await this.#sendHeld()
    const output = await this.#open()
    if (this.#held === undefined) await output.end()
    await output.finish(this.#columns)
    await output.close()
    if (this.#sink.localPath === undefined) await this.#copyIntoSink(await this.#tempPath())
    await this.#removeFolder()
    await this.#sink.close()
  }

  async abort(reason?: unknown): Promise<void> {
    this.#discarding ??= this.#discard()
    await this.#discarding
    await this.#sink.abort(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#discarding ??= this.#discard()
    await this.#discarding
    await this.#sink[Symbol.asyncDispose]()
  }

  async #discard(): Promise<void> {
    this.#held = []
    await this.#output?.close()
    await this.#removeFolder()
  }

  // Below: rows into columns

  async #writeSegment(rows: readonly unknown[], areArrays: boolean): Promise<void> {
    let segment = await this.#checked(rows, areArrays)
    for (;;) {
      if (segment.rows.length === 0) return
      const misfit = this.#columns.append(segment.rows, segment.rows.length, areArrays, this.#length)
      if (misfit === undefined) break
      if (misfit.kind === 'bad') {
        this.#refuse(misfit.error(segment.records[misfit.index]!, this.#context.label), segment.rows[misfit.index])
        segment = {
          rows: segment.rows.filter((_, i) => i !== misfit.index),
          records: segment.records.filter((_, i) => i !== misfit.index),
        }
      } else await this.#widen(misfit.types)
    }
    this.#length += segment.rows.length
    if (this.#length >= VECTOR_ROWS || this.#columns.weight > CHUNK_BYTES) await this.#flushChunk()
  }

  /** The rows that are rows; their columns are known then. */
  async #checked(rows: readonly unknown[], areArrays: boolean): Promise<{ rows: object[]; records: number[] }> {
    const good: object[] = []
    const records: number[] = []
    const more = new Set<string>()
    for (const given of rows) {
      const record = ++this.#records
      const row = areArrays ? (given as object) : asRow(given)
      let error = typeof row === 'string' ? this.#notARow(row, record) : undefined
      if (error === undefined) {
        const unknown = areArrays ? this.#unknownPlaces(row as unknown[]) : this.#columns.unknownKeys(row as object)
        if (unknown !== undefined) {
          if (this.#columns.isOpen) for (const name of unknown) more.add(name)
          else error = this.#columns.unknownColumn(unknown[0]!, record, this.#context.label)
        }
      }
      if (error === undefined) {
        good.push(row as object)
        records.push(record)
      } else this.#refuse(error, given)
    }
    if (more.size > 0) await this.#addColumns([...more])
    if (this.#columns.all.length > 0 || good.length === 0) return { rows: good, records }
    for (const [i, row] of good.entries()) this.#refuse(this.#withoutColumns(records[i]!), row)
    return { rows: [], records: [] }
  }

  #unknownPlaces(row: readonly unknown[]): readonly string[] | undefined {
    const count = this.#columns.all.length
    if (row.length <= count) return undefined
    return row.slice(count).map((_, i) => `column_${count + i + 1}`)
  }

  #refuse(error: Error, row: unknown): void {
    this.#context.onBadRecord(error, row)
  }

  #notARow(found: string, record: number): Error {
    return createError('ROW_INVALID', `row ${record} is ${found}, expected an object or an array`, {
      label: this.#context.label,
      record,
      expected: 'an object or an array',
      found,
    })
  }

  #withoutColumns(record: number): Error {
    return createError('PARQUET_UNWRITABLE', `row ${record} has no columns, and none are known`, {
      label: this.#context.label,
      record,
      hint: 'name them ({ columns: [...] })',
    })
  }

  // Below: chunks

  /** Gives the columns wider types; what waits is converted, and what was sent is put aside as a part. */
  async #widen(types: readonly WriteType[]): Promise<void> {
    await this.#makeRoom(types)
    this.#columns.setTypes(types)
  }

  async #addColumns(names: readonly string[]): Promise<void> {
    await this.#makeRoom([...this.#columns.types, ...names.map(() => NULL)])
    for (const name of names) this.#columns.add(name)
  }

  async #makeRoom(types: readonly WriteType[]): Promise<void> {
    await this.#flushChunk()
    const before = this.#columns.types
    if (isSameLayout(before, types)) return
    if (this.#held !== undefined) {
      if (this.#convertHeld(before, types)) return
      await this.#sendHeld()
    }
    await (await this.#open()).end()
    this.#startHolding()
  }

  #startHolding(): void {
    this.#held = []
    this.#heldRows = 0
    this.#heldBytes = 0
  }

  /** Whether all that is held back could be made of the new types. */
  #convertHeld(from: readonly WriteType[], to: readonly WriteType[]): boolean {
    const converted: ChunkData[] = []
    for (const { rowCount, vectors } of this.#held!) {
      const wider = to.map((type, i) =>
        i < from.length ? convertVector(vectors[i]!, from[i]!, type, rowCount) : nullVector(type, rowCount),
      )
      if (wider.includes(undefined)) return false
      converted.push({ rowCount, vectors: wider as ChunkData['vectors'] })
    }
    this.#held = converted
    return true
  }

  async #flushChunk(): Promise<void> {
    if (this.#length === 0) return
    const bytes = this.#columns.weight
    const chunk: ChunkData = { rowCount: this.#length, vectors: this.#columns.take() }
    this.#length = 0
    if (this.#held === undefined) {
      await (await this.#open()).send(chunk)
      return
    }
    this.#held.push(chunk)
    this.#heldRows += chunk.rowCount
    this.#heldBytes += bytes
    if (this.#heldRows >= HELD_ROWS || this.#heldBytes > HELD_BYTES) await this.#sendHeld()
  }

  /** Starts a part with what is held back. */
  async #sendHeld(): Promise<void> {
    const held = this.#held!
    this.#held = undefined
    const output = await this.#open()
    await output.begin({ names: this.#columns.names, types: this.#columns.types })
    for (const chunk of held) await output.send(chunk)
  }

  // Below: files

  async #open(): Promise<ParquetOutput> {
    if (this.#output === undefined) {
      const path = this.#sink.localPath ?? (await this.#tempPath())
      this.#output = new ParquetOutput(path, () => this.#tempFolder(), this.#options, {
        label: this.#context.label,
        described: this.#described,
      })
    }
    return this.#output
  }

  #tempFolder(): Promise<string> {
    this.#folder ??= makeTempFolder(this.#options.duckdb?.tempDirectory)
    return this.#folder
  }

  async #tempPath(): Promise<string> {
    return join(await this.#tempFolder(), 'output.parquet')
  }

  async #copyIntoSink(path: string): Promise<void> {
    const file = await open(path, 'r')
    try {
      // Two buffers: one write may be in flight while the next chunk is read.
      for (;;) {
        const buffer = Buffer.allocUnsafe(COPY_BYTES)
        const { bytesRead } = await file.read(buffer, 0, COPY_BYTES)
        if (bytesRead === 0) return
        await this.#sink.write(buffer.subarray(0, bytesRead))
      }
    } finally {
      await file.close()
    }
  }

  async #removeFolder(): Promise<void> {
    const folder = this.#folder
    if (folder !== undefined) await removeTempFolder(await folder)
  }
}

/** The object that a row is, or what it is instead. */
function asRow(row: unknown): object | string {
  if (typeof row !== 'object' || row === null) return row === null || row === undefined ? `${row}` : `a ${typeof row}`
  if (Object.getPrototypeOf(row) === Object.prototype) return row
  if (kinds.isDate(row)) return 'a Date'
  if (ArrayBuffer.isView(row) || kinds.isAnyArrayBuffer(row)) return 'bytes'
  const kind = opaqueKind(row)
  if (kind !== undefined) return `a ${excerpt(kind)}`
  if ('toJSON' in row && typeof row.toJSON === 'function') {
    const plain: unknown = row.toJSON()
    return typeof plain === 'object' && plain !== null ? plain : `a ${typeof plain}`
  }
  return row
}
