/**
 * One statement being read over a client's connection. It takes the socket from the driver for as long as the statement
 * runs, takes DataRow messages apart itself, and leaves everything else to the driver. Backpressure is not reading the
 * socket. See https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY.
 */
import { createError } from '../../core/errors.ts'
import type { Row } from '../../core/types.ts'
import type { DriverConnection, Submittable } from './driver.ts'
import { isWhole, MessageBuffer } from './message-buffer.ts'
import { type EncodedParameter, Flight, HEADER_BYTES, MESSAGE, readError, readRowDescription } from './messages.ts'
import { BLOCK_BYTES, type RowMaker } from './rows.ts'
import type { FieldDescription } from './types.ts'
import type { MessageBytes } from './values.ts'

export interface PortalOptions {
  readonly sql: string
  readonly parameters: readonly EncodedParameter[]
  /** Statements that are run before, in the same flight: BEGIN. */
  readonly before: readonly string[]
  /** What is run behind it when it has ended by itself: COMMIT. */
  readonly after?: string | undefined
  /** Rows asked for at a time; 0: all at once. */
  readonly batchSize: number
  /** Only describes the statement, without running it. */
  readonly describeOnly?: boolean
  /** Told of the columns before the first row; what it gives makes the rows. */
  readonly onColumns: (fields: readonly FieldDescription[]) => RowMaker
  /** Told of a row that cannot be made, with its number from 1: returns where it is to be left out, else throws. */
  readonly onBadRow: (error: unknown, record: number) => void
}

/** Chunks of the socket that are held until they are asked for: some 256 KiB. */
const MAX_CHUNKS = 4
/** A row larger than this is cut from its bytes, so that no small text of it keeps it all. */
const LARGE_ROW_BYTES = 2 * BLOCK_BYTES
const REFUSED_COPY = 'COPY is not a statement that rows can be read of'

export class Portal implements Submittable {
  readonly #options: PortalOptions
  #connection: DriverConnection | undefined
  /** What the driver does with data of the socket. */
  #driver: ((data: Buffer) => void)[] = []
  readonly #onData = (data: Buffer) => this.#take(data)

  readonly #buffer = new MessageBuffer()
  #waiting: (() => void)[] = []

  /** Statements of `before` that have not ended. */
  #before: number
  #maker: RowMaker | undefined
  #described = false
  #suspended = false
  /** The statement has given its last row. */
  #complete = false
  #synced = false
  #stopping = false
  /** What the server said of the statement. */
  #error: Error | undefined
  /** A row that cannot be made has ended the reading. */
  #badRow: { readonly error: unknown } | undefined
  #rows = 0
  /** The connection is lost. */
  #lost: Error | undefined
  /** The status that the server is ready in: I(dle), T(ransaction), E (a transaction that failed). */
  #status: string | undefined

  constructor(options: PortalOptions) {
    this.#options = options
    this.#before = options.before.length
  }

  /** How the session stands; undefined until the server is ready for the next statement. */
  get status(): string | undefined {
    return this.#status
  }

  /** Whether the statement has given its last row. */
  get ended(): boolean {
    return this.#complete
  }

  /** Rows that have come so far. */
  get rowCount(): number {
    return this.#rows
  }

  /** Whether all rows were asked for at once. */
  get unlimited(): boolean {
    return this.#options.batchSize === 0
  }

  /** Whether nothing more comes: the server is ready, or the connection is lost. */
  get over(): boolean {
    return this.#status !== undefined || this.#lost !== undefined
  }

  /** Whether something is at hand, so that a call would not wait. */
  get waits(): boolean {
    return !this.over && this.#buffer.chunks === 0
  }

  /** Whether the columns are known, or never will be. */
  get described(): boolean {
    return this.#described || this.#complete || this.#error !== undefined || this.over
  }

  /** Settles when data, an end or an error has come. Only to be called where `waits`. */
  more(): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(resolve)
      this.#connection?.stream.resume()
    })
  }

  /**
   * The next rows of what has arrived; undefined where more is to be waited for; null at the end. Throws what the server
   * says, behind the rows before it.
   */
  next(): Row[] | null | undefined {
    if (this.#badRow !== undefined) throw this.#badRow.error
    const rows = this.#advance()
    if (rows !== undefined) return rows
    // A row that ended the reading without one before it.
    if (this.#badRow !== undefined) throw (this.#badRow as { readonly error: unknown }).error
    if (this.#error !== undefined) throw this.#error
    if (this.#complete) return null
    if (this.over) throw this.#lost ?? this.#fail('the reading was ended')
    return undefined
  }

  /** As `next()`, but only up to the columns. */
  nextUpToColumns(): void {
    while (!this.described && this.#step() !== undefined);
    if (this.#error !== undefined) throw this.#error
    if (this.#lost !== undefined && !this.#complete) throw this.#lost
  }

  /** Throws what was wrong with the end of a statement that had given all its rows: a constraint that is checked last. */
  throwIfUnsettled(): void {
    const failure = this.#error ?? (this.#status === undefined ? this.#lost : undefined)
    if (failure !== undefined) throw failure
  }

  /** Asks for no more rows; those under way are dropped. */
  stop(): void {
    if (this.over || this.#stopping) return
    this.#stopping = true
    if (this.#synced || this.#connection === undefined) return
    const flight = new Flight().closePortal()
    if (this.#options.after !== undefined) flight.run('ROLLBACK')
    this.#sync(flight)
  }

  /** Takes what has arrived on the way to the end. */
  drain(): void {
    while (!this.over && this.#step() !== undefined);
  }

  // Below: what the driver calls

  submit(connection: DriverConnection): void {
    this.#connection = connection
    const { stream } = connection
    this.#driver = stream.listeners('data') as ((data: Buffer) => void)[]
    for (const listener of this.#driver) stream.off('data', listener)
    stream.on('data', this.#onData)
    const { sql, parameters, before, after, batchSize, describeOnly } = this.#options
    const flight = new Flight()
    if (this.#stopping) {
      this.#sync(flight)
      return
    }
    for (const statement of before) flight.run(statement)
    flight.parse(sql)
    if (describeOnly === true) this.#sync(flight.describeStatement())
    else {
      flight.bind(parameters).describePortal().execute(batchSize)
      if (batchSize > 0) this.#send(flight.flush())
      else this.#sync(after === undefined ? flight : flight.run(after))
    }
  }

  handleError(error: Error): void {
    if (this.over) return
    this.#lost = error
    this.#detach()
    this.#awake()
  }

  handleReadyForQuery(): void {}

  // Below: the socket

  #send(flight: Flight): void {
    const { stream } = this.#connection!
    if (!stream.destroyed) stream.write(flight.take())
  }

  #sync(flight: Flight): void {
    this.#synced = true
    this.#send(flight.sync())
  }

  #take(data: Buffer): void {
    this.#buffer.push(data)
    if (this.#buffer.chunks >= MAX_CHUNKS) this.#connection!.stream.pause()
    this.#awake()
  }

  #awake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Gives the socket back. */
  #detach(): void {
    const stream = this.#connection?.stream
    if (stream === undefined) return
    stream.off('data', this.#onData)
    for (const listener of this.#driver) stream.on('data', listener)
    this.#driver = []
    stream.resume()
  }

  /** Has the driver take a message of its own concern, or what follows the end. */
  #pass(bytes: Buffer): void {
    for (const listener of this.#driver) listener(bytes)
  }

  // Below: messages

  /** The next rows; undefined where nothing that has arrived gives any. */
  #advance(): Row[] | undefined {
    for (;;) {
      const rows = this.#step()
      if (rows === undefined || this.#badRow !== undefined) return rows?.length === 0 ? undefined : rows
      if (rows.length > 0) return rows
    }
  }

  /** Takes a run of messages; gives its rows, or undefined where no whole message is at hand. */
  #step(): Row[] | undefined {
    // Of a connection that is lost, what has arrived before is still good.
    if (this.#status !== undefined) return undefined
    const hasMessage = this.#buffer.load()
    if (this.#buffer.chunks === 0) this.#connection?.stream.resume()
    if (!hasMessage) return undefined
    const { bytes, at } = this.#buffer
    return bytes[at] === MESSAGE.dataRow ? this.#takeRows(bytes, at) : this.#takeMessage(bytes, at)
  }

  /** A run of rows of about one block. */
  #takeRows(bytes: MessageBytes, start: number): Row[] {
    let end = start
    const starts: number[] = []
    while (end - start < BLOCK_BYTES && bytes[end] === MESSAGE.dataRow && isWhole(bytes, end)) {
      starts.push(end + HEADER_BYTES + 2)
      end += 1 + bytes.readUInt32BE(end + 1)
    }
    this.#buffer.at = end
    if (this.#stopping) return []
    if (this.#maker === undefined) {
      this.handleError(this.#fail('rows came before their columns'))
      return []
    }
    const build = this.#maker.builderFor(starts.length)
    const text = end - start > LARGE_ROW_BYTES ? null : bytes.latin1Slice(start, end)
    const rows: Row[] = []
    for (const at of starts) {
      this.#rows++
      try {
        rows.push(build(bytes, at, text, start))
      } catch (error) {
        if (this.#reports(error)) return rows
      }
    }
    return rows
  }

  /** Whether a row that cannot be made ends the reading. */
  #reports(error: unknown): boolean {
    try {
      this.#options.onBadRow(error, this.#rows)
      return false
    } catch (reported) {
      this.#badRow = { error: reported }
      return true
    }
  }

  #takeMessage(bytes: MessageBytes, start: number): Row[] {
    const end = start + 1 + bytes.readUInt32BE(start + 1)
    this.#buffer.at = end
    switch (bytes[start]) {
      case MESSAGE.rowDescription:
        this.#describe(readRowDescription(bytes, start + HEADER_BYTES))
        break
      case MESSAGE.noData:
        this.#describe([])
        break
      case MESSAGE.commandComplete:
        if (this.#before > 0) this.#before--
        else this.#end()
        break
      case MESSAGE.emptyQuery:
        this.#end()
        break
      case MESSAGE.portalSuspended:
        this.#goOn()
        break
      case MESSAGE.error:
        this.#error ??= readError(bytes.subarray(0, end), start + HEADER_BYTES)
        if (!this.#synced) this.#sync(new Flight())
        break
      case MESSAGE.copyIn:
        this.#send(new Flight().copyFail(REFUSED_COPY))
        break
      case MESSAGE.copyOut:
        this.#error ??= this.#fail(REFUSED_COPY)
        break
      case MESSAGE.readyForQuery:
        this.#finish(bytes, start, end)
        break
      case MESSAGE.notice:
      case MESSAGE.notification:
      case MESSAGE.parameterStatus:
        this.#pass(bytes.subarray(start, end))
        break
      default:
        break // what tells nothing: completions of Parse, Bind and Close, parameters
    }
    return []
  }

  #describe(fields: readonly FieldDescription[]): void {
    this.#described = true
    this.#maker = this.#options.onColumns(fields)
  }

  #end(): void {
    if (this.#complete) return // of COMMIT, or of an Execute that was sent ahead
    this.#complete = true
    if (this.#synced) return
    const { after } = this.#options
    this.#sync(after === undefined ? new Flight() : new Flight().run(after))
  }

  /** Asks for the next rows: after the first time one Execute ahead, so that the server need not wait for us. */
  #goOn(): void {
    if (this.#synced) return
    const flight = new Flight()
    if (!this.#suspended) flight.execute(this.#options.batchSize)
    this.#suspended = true
    this.#send(flight.execute(this.#options.batchSize).flush())
  }

  /** The server is ready for the next statement: the driver takes over from here. */
  #finish(bytes: MessageBytes, start: number, end: number): void {
    if (this.#options.describeOnly === true) this.#complete = true
    if (!this.#complete && !this.#stopping && this.#error === undefined) {
      this.#error = this.#fail('the server ended the result without saying that it is complete')
    }
    this.#status = String.fromCharCode(bytes[end - 1]!)
    const rest = this.#buffer.takeRest(start)
    const driver = this.#driver
    // First, as the driver may begin with its next statement while it takes the message.
    this.#detach()
    for (const data of rest) for (const listener of driver) listener(data)
  }

  #fail(summary: string): Error {
    return createError('SOURCE_FAILED', summary)
  }
}
