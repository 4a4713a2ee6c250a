/** A table as a place that rows are written to. */
import { createError } from '../../core/errors.ts'
import type { RowSink, RowWriter, SinkPlaceOptions, WriteContext } from '../../core/types.ts'
import { type Connections, openConnections } from './pool.ts'
import { quoteTable } from './sql-names.ts'
import { type TableWriteOptions, TableWriter } from './table-writer.ts'
import type { PostgresWriteOptions } from './write-options.ts'

/** Connects to nothing yet. */
export function openTable(target: unknown, { options }: SinkPlaceOptions): RowSink {
  const given = options as PostgresWriteOptions
  const { connections, table: named, query } = openConnections(target, given)
  const table = given.table ?? named
  const { label } = connections
  if (table === undefined) {
    throw createError(
      'OPTION_INVALID',
      `${query === undefined ? 'no table' : 'a query, and no table,'} is given to write to`,
      {
        label,
        hint: "say which one: { table: 'people' }, or ?table=people in the URL",
      },
    )
  }
  quoteTable(table) // throws for what is no name
  return new PostgresTable(connections, { ...given, table })
}

class PostgresTable implements RowSink {
  readonly label: string
  readonly #connections: Connections
  readonly #options: TableWriteOptions

  constructor(connections: Connections, options: TableWriteOptions) {
    this.label = connections.label
    this.#connections = connections
    this.#options = options
  }

  /** The writer takes the connections over. */
  openWriter(context: WriteContext): Promise<RowWriter> {
    return TableWriter.open(this.#connections, this.#options, { ...context, label: this.label })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#connections[Symbol.asyncDispose]())
  }
}
