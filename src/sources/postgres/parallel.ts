/** A large table over several connections: each takes ranges of its pages, all of them see one snapshot. */
import { createError } from '../../core/errors.ts'
import type { Schema } from '../../core/schema.ts'
import type { Batch, ReadContext, RowReader } from '../../core/types.ts'
import type { PostgresReadOptions } from './options.ts'
import type { Connections } from './pool.ts'
import { StatementReader } from './reader.ts'
import { type PageRange, type StatementParts, statementOf } from './sql.ts'
import { quoteTable } from './sql-names.ts'
import { CONNECTIONS } from './target.ts'
import type { TextOrders } from './text-order.ts'
import { PostgresTransaction } from './transaction.ts'

/** Pages of a range: 1 MiB, as much as is on its way over a connection that nobody reads from. */
const RANGE_PAGES = 128
/** Ranges that a table of any size has at most, so that their statements cost nothing beside their rows. */
const MAX_RANGES = 4096

/** `ctid` stands for a place only in what is stored: tables and materialized views, and from Postgres 14 on quickly. */
const TABLE_QUERY = `SELECT (pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int8)::int4 AS pages,
  c.relkind IN ('r', 'm') AND current_setting('server_version_num')::int4 >= 140000 AS divisible
FROM pg_catalog.pg_class c WHERE c.oid = $1::regclass`

/** Begins to read a range; undefined: the whole table. */
type RangeReader = (transaction: PostgresTransaction, range: PageRange | undefined) => Promise<StatementReader>

/** What a range gives next. */
interface Step {
  readonly rows: Batch | null
}

export class ParallelReader implements RowReader {
  readonly #options: PostgresReadOptions
  readonly #read: RangeReader
  readonly #connections: Connections
  readonly #transactions: PostgresTransaction[]
  /** Ranges that nobody has begun. */
  readonly #ranges: PageRange[]
  /** What is being read, in the order of the table. */
  readonly #lanes: Lane[] = []
  readonly columns: readonly string[]
  readonly schema: Schema | undefined
  #disposing: Promise<void> | undefined

  private constructor(
    connections: Connections,
    options: PostgresReadOptions,
    read: RangeReader,
    transactions: PostgresTransaction[],
    ranges: PageRange[],
    first: StatementReader,
  ) {
    this.#connections = connections
    this.#options = options
    this.#read = read
    this.#transactions = transactions
    this.#ranges = ranges
    this.columns = first.columns
    this.schema = first.schema
    this.#lanes.push(new Lane(transactions[0]!, first))
    for (const transaction of transactions.slice(1)) this.#begin(transaction)
  }

  static async open(
    connections: Connections,
    options: PostgresReadOptions,
    orders: TextOrders | undefined,
    context: ReadContext,
  ): Promise<RowReader> {
    for (const name of ['orderBy', 'limit', 'offset'] as const) {
      if (options[name] === undefined) continue
      throw createError('OPTION_INVALID', `option ${name} does not go with parallel`, {
        label: context.label,
        hint: 'rows are sorted and counted by the server only within one statement: leave parallel out',
      })
    }
    if (connections.transaction)
      return StatementReader.open(connections, statementOf(options, { orders }), options, context)
    const transactions: PostgresTransaction[] = []
    const { signal } = context
    const begin = async (snapshot: string | undefined) => {
      const settings = { readOnly: true, isolation: 'repeatable read', snapshot, signal } as const
      const transaction = await PostgresTransaction.begin(sharing(connections), settings)
      transactions.push(transaction)
      return transaction
    }
    try {
      const leader = await begin(options.snapshot)
      const { rows } = await leader.query(TABLE_QUERY, [quoteTable(options.table!)], { signal })
      const { pages, divisible } = rows[0] as { pages: number; divisible: boolean }
      const ranges = divisible ? divide(pages, options.parallel!) : [{ start: 0, end: undefined }]
      // Those who hold one connection each and wait for a second one would wait for each other.
      const helpers = Math.min(options.parallel! - 1, ranges.length - 1, connections.available())
      if (helpers > 0) {
        const snapshot = options.snapshot ?? (await leader.exportSnapshot())
        await Promise.all(Array.from({ length: helpers }, () => begin(snapshot)))
      }
      const range = ranges.shift()!
      const read = (transaction: PostgresTransaction, pages: PageRange | undefined) =>
        readRange(transaction, options, context, { pages, orders })
      const first = await read(leader, divisible ? range : undefined)
      return new ParallelReader(connections, options, read, transactions, ranges, first)
    } catch (error) {
      await Promise.all(transactions.map(transaction => transaction.rollback().catch(() => {})))
      await connections[Symbol.asyncDispose]()
      throw error
    }
  }

  async read(): Promise<Batch | null> {
    while (this.#lanes.length > 0) {
      const lane = this.#options.ordered === true ? this.#lanes[0]! : await this.#readiest()
      const { rows } = await lane.next()
      if (rows !== null) return rows
      this.#lanes.splice(this.#lanes.indexOf(lane), 1)
      this.#begin(lane.transaction)
    }
    return null
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposing ??= this.#dispose()
    return this.#disposing
  }

  /** Has a connection read the next range. */
  #begin(transaction: PostgresTransaction): void {
    const range = this.#ranges.shift()
    if (range === undefined) return
    const opening = this.#read(transaction, range)
    opening.catch(() => {}) // told by the lane
    this.#lanes.push(new Lane(transaction, opening))
  }

  #readiest(): Promise<Lane> {
    return Promise.race(this.#lanes.map(lane => lane.ready()))
  }

  async #dispose(): Promise<void> {
    try {
      await Promise.all(this.#lanes.map(lane => lane.dispose()))
    } finally {
      await Promise.all(this.#transactions.map(transaction => transaction.rollback().catch(() => {})))
      await this.#connections[Symbol.asyncDispose]()
    }
  }
}

/** One connection at one range. Its next rows are asked for ahead. */
class Lane {
  readonly transaction: PostgresTransaction
  readonly #opening: Promise<StatementReader>
  #step: Promise<Step> | undefined
  #ready: Promise<Lane> | undefined

  constructor(transaction: PostgresTransaction, reader: StatementReader | Promise<StatementReader>) {
    this.transaction = transaction
    this.#opening = Promise.resolve(reader)
    this.#askAhead()
  }

  /** Settles when `next()` does not wait, also for an error. */
  ready(): Promise<Lane> {
    const self = () => this
    this.#ready ??= this.#step!.then(self, self)
    return this.#ready
  }

  async next(): Promise<Step> {
    const step = await this.#step!
    if (step.rows !== null) this.#askAhead()
    return step
  }

  async dispose(): Promise<void> {
    const reader = await this.#opening.catch(() => undefined)
    await reader?.[Symbol.asyncDispose]()
  }

  #askAhead(): void {
    this.#ready = undefined
    this.#step = this.#opening.then(async reader => ({ rows: await reader.read() }))
    this.#step.catch(() => {}) // told by next()
  }
}

function readRange(
  transaction: PostgresTransaction,
  options: PostgresReadOptions,
  context: ReadContext,
  parts: StatementParts,
): Promise<StatementReader> {
  const { snapshot: _, ...others } = options
  return StatementReader.open(transaction[CONNECTIONS], statementOf(options, parts), others, context)
}

/** Ranges that cover a table, also what is behind the pages that it had when it was asked. */
export function divide(pages: number, parallel: number): PageRange[] {
  const size = Math.max(Math.ceil(pages / MAX_RANGES), Math.min(RANGE_PAGES, Math.ceil(pages / (parallel * 4))), 1)
  const count = Math.max(1, Math.ceil(pages / size))
  return Array.from({ length: count }, (_, i) => ({
    start: i * size,
    end: i === count - 1 ? undefined : (i + 1) * size,
  }))
}

/** The same connections, of which the part that is disposed is not the last. */
const sharing = (connections: Connections): Connections => ({
  label: connections.label,
  catalog: connections.catalog,
  timeoutMs: connections.timeoutMs,
  own: connections.own,
  transaction: false,
  mayBeInTransaction: connections.mayBeInTransaction,
  available: () => connections.available(),
  acquire: options => connections.acquire(options),
  async [Symbol.asyncDispose]() {},
})
