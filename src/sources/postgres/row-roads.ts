/** How rows get to the server: as one COPY, or batch by batch where bad rows are to be found and left out. */
import { createHash } from 'node:crypto'
import type { RowRange, Staging } from './conflict.ts'
import { CopyBuffer } from './copy-buffer.ts'
import { CopyIn, copyMessage } from './copy-in.ts'
import { findRefused, type RefusedRows } from './refused-key.ts'
import type { SentRow } from './row-encoding.ts'
import { copyPlaceOf, refusedRow, rowError, writeError } from './write-errors.ts'
import type { WriteSession } from './write-session.ts'

/** A row that waits to be sent. */
export interface WaitingRow {
  readonly sent: SentRow
  /** As it was given, for whoever is told that it is bad. */
  readonly row: unknown
  /** From 1. */
  readonly record: number
}

/** Takes encoded rows to the server. */
export interface RowRoad {
  /** Takes a row, and what it was made of if that is to be told; whether `flow` is to be called before more come. */
  add(sent: SentRow, record: number, row: unknown): boolean
  /** Sends what waits, as far as it is enough. */
  flow(): Promise<void>
  /** Sends all that waits, so that the rows to come may have other columns. */
  settle(): Promise<void>
  /** Sends all that waits, and merges what was collected; gives how many rows the server has stored. */
  finish(columns: readonly string[]): Promise<number>
}

/** Around what may be refused, and is to be taken back alone. */
const SAVEPOINT = 'open_iterable_batch'
type RowError = ReturnType<typeof rowError>

const CHUNK_CHARACTERS = 64 * 1024

/** What it takes to say which row is refused at the end. */
export interface LateRows extends Pick<RefusedRows, 'table' | 'held' | 'truncated'> {
  /** The columns of the rows. */
  readonly names: () => readonly string[]
}

/** All rows in one COPY, or few where foreign keys are checked when one ends; the first bad row ends it. */
export class CopyRoad implements RowRoad {
  readonly #session: WriteSession
  readonly #statement: () => string
  readonly #staging: Staging | undefined
  #copy: CopyIn | undefined
  /** Rows may be put there straight; `took` is to be told. */
  readonly buffer = new CopyBuffer()
  /** The record of the first line of the COPY that is under way. */
  #firstRecord = 0
  #stored = 0
  /** Rows that the server may still refuse without telling which. */
  #late: LateRows | undefined
  /** The record of the first line that waits in the buffer. */
  #bufferedRecord = 0

  constructor(session: WriteSession, statement: () => string, staging: Staging | undefined, late?: LateRows) {
    this.#session = session
    this.#statement = statement
    this.#staging = staging
    this.#late = late
  }

  add(line: SentRow, record: number): boolean {
    this.buffer.line(line as string)
    return this.took(record)
  }

  /** A row is in the buffer; whether `flow` is to be called before more come. */
  took(record: number): boolean {
    if (this.#firstRecord === 0) this.#firstRecord = record
    if (this.#bufferedRecord === 0) this.#bufferedRecord = record
    return this.buffer.isFull
  }

  async flow(): Promise<void> {
    const message = this.buffer.take()
    if (message === undefined) return
    const record = this.#bufferedRecord
    this.#bufferedRecord = 0
    await this.#late?.held.add(message, record)
    try {
      if (this.#copy === undefined) {
        const copy = new CopyIn(this.#statement())
        await this.#session.startCopy(copy)
        this.#copy = copy
      }
      await this.#session.send(this.#copy, message)
    } catch (error) {
      throw await this.#explained(error)
    }
    // So that what may be refused stays little enough to be kept.
    if (this.#late?.held.isFull === true) await this.#end()
  }

  async settle(): Promise<void> {
    await this.flow()
    await this.#end()
    // Rows of other columns are not held beside these.
    if (this.#late?.held.toTheEnd === true) await this.giveUpHeld()
  }

  /** Forgets what was held to say which row is refused, when nobody asks any more. */
  async giveUpHeld(): Promise<void> {
    const late = this.#late
    this.#late = undefined
    await late?.held[Symbol.asyncDispose]()
  }

  /** The error for what the server said of the rows at the end of the transaction. */
  async explainEnd(error: unknown): Promise<unknown> {
    const refused = rowError((error as Error).cause)
    return refused === undefined ? error : await this.#explained(refused)
  }

  async #end(): Promise<void> {
    const copy = this.#copy
    if (copy === undefined) return
    try {
      this.#stored += await this.#session.wait(copy.end())
    } catch (error) {
      throw await this.#explained(error)
    }
    this.#copy = undefined
    this.#firstRecord = 0
    if (this.#late?.held.toTheEnd === false) this.#late.held.clear()
  }

  async finish(columns: readonly string[]): Promise<number> {
    await this.flow()
    await this.#end()
    if (this.#staging !== undefined && this.#stored > 0) await this.#merge(this.#staging, columns)
    return this.#stored
  }

  async #merge(staging: Staging, columns: readonly string[]): Promise<void> {
    const all = { start: 1, end: this.#stored + 1 }
    const refused = await this.#tryMerge(staging, columns, all)
    if (refused === undefined) return
    // The server does not tell of which row it speaks: what can be merged is, until only that row is left.
    let { start, end } = all
    while (end - start > 1) {
      const middle = start + Math.floor((end - start) / 2)
      if ((await this.#tryMerge(staging, columns, { start, end: middle })) === undefined) start = middle
      else end = middle
    }
    const alone = await this.#tryMerge(staging, columns, { start, end })
    throw refusedRow(alone ?? refused, this.#session.label, alone === undefined ? undefined : start)
  }

  /** Merges a range of rows, all or none; gives the error of one that was refused. */
  async #tryMerge(staging: Staging, columns: readonly string[], range: RowRange): Promise<RowError> {
    const whole = range.start === 1 && range.end === this.#stored + 1
    await this.#session.run(`SAVEPOINT ${SAVEPOINT}`)
    try {
      await this.#session.query(staging.merge(columns, whole ? undefined : range))
    } catch (error) {
      const refused = rowError(error)
      if (refused === undefined) throw writeError(error, { label: this.#session.label })
      await this.#session.run(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`)
      return refused
    }
    await this.#session.run(`RELEASE SAVEPOINT ${SAVEPOINT}`)
    return undefined
  }

  async #explained(error: unknown): Promise<unknown> {
    const refused = rowError(error)
    const late = this.#late
    if (refused !== undefined && late !== undefined && copyPlaceOf(refused) === undefined) {
      const key = await findRefused(refused, { ...late, session: this.#session, names: late.names() })
      if (key !== undefined) return refusedRow(refused, this.#session.label, key.record, key)
    }
    return writeError(error, { label: this.#session.label, firstRecord: this.#firstRecord })
  }
}

/** Puts some rows into the table, all or none of them. Throws the server's own error. */
export interface Loader {
  /** How many go in one statement, which is all or nothing by itself. */
  readonly maxRows: number
  load(rows: readonly WaitingRow[]): Promise<number>
}

export class CopyLoader implements Loader {
  readonly maxRows = Number.POSITIVE_INFINITY
  readonly #session: WriteSession
  readonly #statement: () => string
  readonly #staging: Staging | undefined
  readonly #columns: () => readonly string[]

  constructor(
    session: WriteSession,
    statement: () => string,
    staging: Staging | undefined,
    columns: () => readonly string[],
  ) {
    this.#session = session
    this.#statement = statement
    this.#staging = staging
    this.#columns = columns
  }

  async load(rows: readonly WaitingRow[]): Promise<number> {
    const copy = new CopyIn(this.#statement())
    await this.#session.startCopy(copy)
    let text = ''
    for (const { sent } of rows) {
      text += sent as string
      if (text.length < CHUNK_CHARACTERS) continue
      await this.#session.send(copy, copyMessage(text))
      text = ''
    }
    if (text !== '') await this.#session.send(copy, copyMessage(text))
    const stored = await this.#session.wait(copy.end())
    if (this.#staging !== undefined) {
      await this.#session.query(this.#staging.merge(this.#columns()))
      await this.#session.query(this.#staging.clear)
    }
    return stored
  }
}

/** What a statement may have. */
const MAX_PARAMETERS = 65_535
const MAX_INSERT_ROWS = 1000

export class InsertLoader implements Loader {
  readonly #session: WriteSession
  readonly #into: () => { readonly start: string; readonly end: string; readonly columns: number }

  constructor(
    session: WriteSession,
    into: () => { readonly start: string; readonly end: string; readonly columns: number },
  ) {
    this.#session = session
    this.#into = into
  }

  get maxRows(): number {
    return Math.max(1, Math.min(MAX_INSERT_ROWS, Math.floor(MAX_PARAMETERS / this.#into().columns)))
  }

  async load(rows: readonly WaitingRow[]): Promise<number> {
    const { start, end, columns } = this.#into()
    const most = this.maxRows
    let stored = 0
    for (let at = 0; at < rows.length; at += most) {
      const part = rows.slice(at, at + most)
      const tuples = part.map((_, row) => {
        const places = Array.from({ length: columns }, (_unused, i) => `$${row * columns + i + 1}`)
        return `(${places.join(', ')})`
      })
      const sql = `${start} VALUES ${tuples.join(', ')}${end}`
      const values = part.flatMap(row => row.sent)
      // Only whole statements come again, and are worth keeping.
      const name = part.length === most ? `open_iterable_${createHash('sha1').update(sql).digest('hex')}` : undefined
      const result = await this.#session.insert(name, sql, values)
      stored += result.rowCount ?? part.length
    }
    return stored
  }
}

export interface BatchRoadOptions {
  readonly session: WriteSession
  readonly loader: Loader
  readonly batchRows: number
  /** Told of each bad row; returns where it is to be left out, throws where writing is to stop. */
  readonly onBadRow: (error: Error, row: unknown) => void
}

const MAX_BATCH_CHARACTERS = 4 * 1024 * 1024

/** Batch by batch: one that the server refuses is divided until the bad rows in it are found. */
export class BatchRoad implements RowRoad {
  readonly #options: BatchRoadOptions
  #rows: WaitingRow[] = []
  #characters = 0
  #stored = 0

  constructor(options: BatchRoadOptions) {
    this.#options = options
  }

  add(sent: SentRow, record: number, row: unknown): boolean {
    this.#rows.push({ sent, record, row })
    if (typeof sent === 'string') this.#characters += sent.length
    else for (const value of sent) this.#characters += value?.length ?? 0
    return this.#rows.length >= this.#options.batchRows || this.#characters >= MAX_BATCH_CHARACTERS
  }

  flow(): Promise<void> {
    return this.settle()
  }

  async settle(): Promise<void> {
    const rows = this.#rows
    this.#rows = []
    this.#characters = 0
    const { session, loader } = this.#options
    // Where nothing can be taken back, what is one statement is at least all or nothing.
    const most = session.inTransaction ? rows.length : loader.maxRows
    // Pieces get half as long with each that is refused, and twice as long with each that is not.
    let size = most
    for (let at = 0; at < rows.length; ) {
      const piece = rows.slice(at, at + size)
      const error = await this.#load(piece)
      if (error === undefined) {
        at += piece.length
        size = Math.min(most, size * 2)
        continue
      }
      const bad = await this.#findFirst(piece, error)
      if (bad !== undefined) {
        at += bad + 1
        size = Math.max(1, piece.length >> 1)
      } else size = piece.length >> 1
    }
  }

  async finish(): Promise<number> {
    await this.settle()
    return this.#stored
  }

  /** Where it is known which row of a piece is bad, puts in those before it and tells of it; gives its index. */
  async #findFirst(
    piece: readonly WaitingRow[],
    error: NonNullable<ReturnType<typeof rowError>>,
  ): Promise<number | undefined> {
    const line = copyPlaceOf(error)?.line
    const index = piece.length === 1 ? 0 : line === undefined ? undefined : line - 1
    const found = index === undefined ? undefined : piece[index]
    if (index === undefined || found === undefined) return undefined
    if (index > 0 && (await this.#load(piece.slice(0, index))) !== undefined) return undefined
    this.#options.onBadRow(refusedRow(error, this.#options.session.label, found.record), found.row)
    return index
  }

  /** Puts rows in; gives the error of the row that was refused, with nothing of them put in. */
  async #load(rows: readonly WaitingRow[]): Promise<ReturnType<typeof rowError>> {
    const { session, loader } = this.#options
    const takesBack = session.inTransaction
    if (takesBack) await session.run(`SAVEPOINT ${SAVEPOINT}`)
    try {
      this.#stored += await loader.load(rows)
    } catch (error) {
      const refused = rowError(error)
      if (refused === undefined) throw writeError(error, { label: session.label })
      if (takesBack) await session.run(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`)
      return refused
    }
    if (takesBack) await session.run(`RELEASE SAVEPOINT ${SAVEPOINT}`)
    return undefined
  }
}
