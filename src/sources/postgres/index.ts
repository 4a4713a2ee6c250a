/**
 * Postgres, and what speaks its protocol: a query or a table as rows, and a table to write to. A target is a `postgres:` URL, or
 * `{ postgres: pool | client | transaction }`.
 */
import type { Place, ReadContext, RowReader, RowSource } from '../../core/types.ts'
import { POSTGRES_READ_OPTIONS, type PostgresReadOptions } from './options.ts'
import { type Connections, openConnections } from './pool.ts'
import { StatementReader } from './reader.ts'
import { openTable } from './sink.ts'
import { statementOf } from './sql.ts'
import { textOrdersOf } from './text-order.ts'
import { POSTGRES_WRITE_OPTIONS } from './write-options.ts'

export const place: Place = {
  readOptions: POSTGRES_READ_OPTIONS,
  writeOptions: POSTGRES_WRITE_OPTIONS,
  async openSource(target, { options }) {
    const given = options as PostgresReadOptions
    const { connections, table, query } = openConnections(target, given)
    // What the options say goes before what the URL says.
    const named = given.table !== undefined || given.query !== undefined ? {} : { table, query }
    return new PostgresRows(connections, { ...named, ...given })
  },
  async openSink(target, options) {
    return openTable(target, options)
  },
}

class PostgresRows implements RowSource {
  readonly label: string
  /** The statement is run anew each time, and sees what is there then. */
  readonly replayable = true
  readonly #connections: Connections
  readonly #options: PostgresReadOptions

  constructor(connections: Connections, options: PostgresReadOptions) {
    this.label = connections.label
    this.#connections = connections
    this.#options = options
  }

  async openReader(context: ReadContext): Promise<RowReader> {
    // First, for its errors.
    const plain = statementOf(this.#options)
    const own = { ...context, label: this.#connections.label }
    const orders = await textOrdersOf(this.#connections, this.#options, own)
    if ((this.#options.parallel ?? 1) > 1) {
      const { ParallelReader } = await import('./parallel.ts')
      return ParallelReader.open(this.#connections, this.#options, orders, own)
    }
    const statement = orders === undefined ? plain : statementOf(this.#options, { orders })
    return StatementReader.open(this.#connections, statement, this.#options, own)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#connections[Symbol.asyncDispose]())
  }
}
