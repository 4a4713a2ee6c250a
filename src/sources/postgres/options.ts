/** What reading and writing Postgres can be told. */
import { is, type OptionEntry, type OptionTable } from '../../core/options.ts'
import { ROW_SELECTION_OPTIONS, type RowSelection } from '../../core/row-selection.ts'
import { STORED_VALUE_OPTIONS, type StoredValueOptions } from '../../core/value-options.ts'
import { REMOTE_OPTIONS, type RemoteOptions } from '../../remote/options.ts'

/** Which protocol features a server is trusted with. */
export type PostgresDialect = 'postgres' | 'pgwire'

/** How connections are made and kept. Pools are shared by all who name the same server, user, database and these options. */
export interface PostgresConnectionOptions extends Pick<RemoteOptions, 'retry'> {
  /** Most connections of the pool. Default: 10. */
  readonly poolSize?: number | undefined
  /** How long to wait for a connection when all of the pool are in use, milliseconds; then POOL_EXHAUSTED. Default: 30,000. */
  readonly acquireTimeoutMs?: number | undefined
  /** How long one attempt to connect may take, milliseconds. Default: 10,000. */
  readonly connectTimeoutMs?: number | undefined
  /** How long a connection that nobody uses is kept, milliseconds. Default: 10,000. */
  readonly idleTimeoutMs?: number | undefined
  /**
   * How long the server may be silent while rows are waited for, milliseconds. Then a real Postgres is asked by another
   * connection whether it still works on the query; if not, or if it does not answer, the connection is destroyed and
   * TIMEOUT is raised. A slow consumer does not count. Default: 30,000. Infinity: for ever.
   */
  readonly timeoutMs?: number | undefined
  /**
   * What the server is: `'postgres'`, or `'pgwire'` for databases that speak the protocol and are not Postgres: nothing is
   * then asked of `pg_catalog`, no transaction is begun, no portal is read in parts, and types that come as text are text.
   * Default: seen from what the server says of itself when it is connected to; `'postgres'` for a pool or client of yours.
   */
  readonly dialect?: PostgresDialect | undefined
}

/**
 * Options for reading Postgres. Either `query` or `table` is needed, which may also stand in the URL: `?table=people`.
 * `columns`, `where`, `orderBy`, `limit` and `offset` go with `table`. Texts are compared and sorted by code point, as on
 * every source, and not by the server's collation (except for `pgwire`); for that, say it in SQL (`query`).
 */
export interface PostgresReadOptions
  extends PostgresConnectionOptions,
    RowSelection,
    Pick<StoredValueOptions, 'bigint' | 'decimals' | 'timestamps'> {
  /** One SQL statement. Default: none. */
  readonly query?: string | undefined
  /**
   * The values of `$1`, `$2`, … in `query`, or in `where`. A Date is sent as an instant in UTC, a bigint by its digits,
   * bytes as bytes, an array as an array, any other object as JSON. Default: none.
   */
  readonly params?: readonly unknown[] | undefined
  /**
   * A table or view: `'people'`, `'hr.people'`, or `'"Odd.Schema"."Odd name"'` where a name has a dot or a quote.
   * Default: the one that the URL names.
   */
  readonly table?: string | undefined
  /**
   * How many rows the server is asked for at a time: what may be computed in vain when the reading is given up early.
   * Memory does not depend on it. 0: all at once, held back by the network alone; only then Postgres uses parallel workers
   * for a query. Default: 10,000; for `pgwire`, 0.
   */
  readonly batchSize?: number | undefined
  /**
   * Whether the whole read is made in `BEGIN READ ONLY … COMMIT`, so that it cannot change anything. `false` is for
   * statements that write and return rows. Default: `true`; for `pgwire`, `false`.
   */
  readonly readOnly?: boolean | undefined
  /**
   * The id of a snapshot (`pg_export_snapshot()`, `tx.exportSnapshot()`) to read, so that several readers see the same.
   * Default: none.
   */
  readonly snapshot?: string | undefined
  /**
   * Of `table`: over how many connections the table is read, each taking ranges of its pages, all in one snapshot.
   * Default: 1.
   */
  readonly parallel?: number | undefined
  /** With `parallel`: whether the rows come in the order in which one connection would give them. Default: `false`. */
  readonly ordered?: boolean | undefined
  /** Parsers of your own for the texts of types, by type name or OID: `{ point: text => … }`. Default: none. */
  readonly typeParsers?: Readonly<Record<string, (text: string) => unknown>> | undefined
}

const milliseconds = (value: unknown) => typeof value === 'number' && value > 0
export const POSTGRES_CONNECTION_OPTIONS = {
  poolSize: {
    type: 'integer from 1',
    default: '10',
    means: 'Most connections of the pool.',
    accepts: is.integer(1),
  },
  acquireTimeoutMs: {
    type: 'number above 0, or Infinity',
    default: '30000',
    means: 'How long to wait for a connection of the pool, milliseconds.',
    accepts: milliseconds,
  },
  connectTimeoutMs: {
    type: 'number above 0, or Infinity',
    default: '10000',
    means: 'How long one attempt to connect may take, milliseconds.',
    accepts: milliseconds,
  },
  idleTimeoutMs: {
    type: 'number above 0, or Infinity',
    default: '10000',
    means: 'How long a connection that nobody uses is kept, milliseconds.',
    accepts: milliseconds,
  },
  timeoutMs: {
    type: 'number above 0, or Infinity',
    default: '30000',
    means: 'How long the server may be silent while it is waited for and does not work, milliseconds.',
    accepts: milliseconds,
  },
  retry: { ...REMOTE_OPTIONS.retry, means: 'How often connecting is tried again, after what, and what is told of it.' },
  dialect: {
    type: "'postgres' | 'pgwire'",
    default: 'by what the server says',
    means: 'Whether the server is a Postgres, or only speaks its protocol.',
    accepts: is.oneOf('postgres', 'pgwire'),
  },
} satisfies Record<keyof PostgresConnectionOptions, OptionEntry> & OptionTable

export const POSTGRES_READ_OPTIONS = {
  query: { type: 'string', default: 'none', means: 'One SQL statement to read the rows of.', accepts: is.string },
  params: {
    type: 'array',
    default: '[]',
    means: 'The values of $1, $2, … in `query` or `where`.',
    accepts: Array.isArray,
  },
  table: {
    type: 'string',
    default: 'none',
    means: "A table or view: 'people', 'hr.people'.",
    accepts: value => typeof value === 'string' && value !== '',
  },
  ...ROW_SELECTION_OPTIONS,
  batchSize: {
    type: 'integer from 0',
    default: '10000',
    means: 'How many rows the server is asked for at a time; 0: all at once.',
    accepts: is.integer(0, 2 ** 31 - 1),
  },
  readOnly: {
    type: 'boolean',
    default: 'true; false for pgwire',
    means: 'Whether the read is made in BEGIN READ ONLY … COMMIT.',
    accepts: is.boolean,
  },
  snapshot: {
    type: 'string',
    default: 'none',
    means: 'The id of an exported snapshot to read.',
    accepts: is.string,
  },
  parallel: {
    type: 'integer from 1',
    default: '1',
    means: 'Over how many connections the table is read.',
    accepts: is.integer(1, 100),
  },
  ordered: {
    type: 'boolean',
    default: 'false',
    means: 'With parallel: whether rows come in the order of the table.',
    accepts: is.boolean,
  },
  bigint: STORED_VALUE_OPTIONS.bigint,
  decimals: STORED_VALUE_OPTIONS.decimals,
  timestamps: STORED_VALUE_OPTIONS.timestamps,
  typeParsers: {
    type: 'an object: type name or OID → function of text',
    default: 'none',
    means: 'Parsers of your own for the texts of types.',
    accepts: value => typeof value === 'object' && value !== null && Object.values(value).every(is.function),
  },
  ...POSTGRES_CONNECTION_OPTIONS,
} satisfies Record<keyof PostgresReadOptions, OptionEntry> & OptionTable
