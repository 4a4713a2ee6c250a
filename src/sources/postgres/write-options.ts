/** What writing to a table can be told. */
import { is, type OptionEntry, type OptionTable } from '../../core/options.ts'
import { POSTGRES_CONNECTION_OPTIONS, type PostgresConnectionOptions } from './options.ts'

/**
 * Options for writing to Postgres. Rows are added to what the table holds, in the modes `w` and `a` alike, in one
 * transaction: all of them by `close()`, or none. A column that a row does not have is NULL there; one that no row has is
 * left to its default.
 */
export interface PostgresWriteOptions extends PostgresConnectionOptions {
  /**
   * The table: `'people'`, `'hr.people'`, or `'"Odd.Schema"."Odd name"'`. It may also stand in the URL:
   * `?table=people`. Default: the one that the URL names.
   */
  readonly table?: string | undefined
  /** The columns that are written, in order, and all that rows have. Default: those that rows have. */
  readonly columns?: readonly string[] | undefined
  /** What becomes of a value whose column the table, or `columns`, does not have. Default: `'error'`, which is a bad row. */
  readonly extraColumns?: 'error' | 'drop' | undefined
  /**
   * What becomes of a row that is there already, by a unique constraint: an error (default); `'ignore'`: what is there
   * stays; `'update'`: it gets the values of the row, of several such rows those of the last. Rows are then collected in
   * a temporary table first.
   */
  readonly onConflict?: 'error' | 'ignore' | 'update' | undefined
  /**
   * The columns that say which rows are the same, of a unique constraint. Default: those of the primary key; for
   * `'ignore'`, any constraint. With `create` they become the primary key.
   */
  readonly conflictColumns?: readonly string[] | undefined
  /**
   * Whether to make the table where there is none. Its types are those of `sqlTypes`, of the reader that is given to
   * `writeBulk()`, and, where neither tells, of the first 1,000 rows, by the widest type of their kind. A later value of
   * another type is then an error. Default: `false`.
   */
  readonly create?: boolean | undefined
  /**
   * With `create`: the types of columns, as SQL has them and as they stand, by name: `{ price: 'numeric(12,2) NOT NULL'
   * }`. Default: those that fit the rows.
   */
  readonly sqlTypes?: Readonly<Record<string, string>> | undefined
  /** Whether the table is emptied first, in the same transaction; others wait for it then. Not in mode `a`. Default: `false`. */
  readonly truncate?: boolean | undefined
  /**
   * Of bad rows that are left out (`onError`), and of INSERT: how many rows at most are sent together. A batch with bad
   * rows is divided until they are found. Default: 5,000.
   */
  readonly batchSize?: number | undefined
  /**
   * Whether rows go by COPY FROM STDIN, or by INSERT of many rows each, as prepared statements. Default: `true`; for
   * `pgwire`, `false`.
   */
  readonly copy?: boolean | undefined
  /**
   * Whether all is done in one transaction. `false` is for servers without transactions, and only with `copy: false`:
   * what was sent before a failure then stays. Default: `true`.
   */
  readonly transaction?: boolean | undefined
}

const isName = (value: unknown) => typeof value === 'string' && value !== ''
const isNames = (value: unknown) =>
  Array.isArray(value) && value.length > 0 && value.every(isName) && new Set(value).size === value.length

export const POSTGRES_WRITE_OPTIONS = {
  table: { type: 'string', default: 'none', means: "The table: 'people', 'hr.people'.", accepts: isName },
  columns: {
    type: 'an array of different names',
    default: 'those that rows have',
    means: 'The columns that are written, in order.',
    accepts: isNames,
  },
  extraColumns: {
    type: "'error' | 'drop'",
    default: "'error'",
    means: 'What becomes of a value whose column the table does not have.',
    accepts: is.oneOf('error', 'drop'),
  },
  onConflict: {
    type: "'error' | 'ignore' | 'update'",
    default: "'error'",
    means: 'What becomes of a row that is there already.',
    accepts: is.oneOf('error', 'ignore', 'update'),
  },
  conflictColumns: {
    type: 'an array of different names',
    default: 'those of the primary key',
    means: 'The columns that say which rows are the same.',
    accepts: isNames,
  },
  create: {
    type: 'boolean',
    default: 'false',
    means: 'Whether to make the table where there is none.',
    accepts: is.boolean,
  },
  sqlTypes: {
    type: 'an object: column name → type of SQL',
    default: 'by the reader, or by the first rows',
    means: 'With create: the types of columns, as SQL has them.',
    accepts: value =>
      typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isName),
  },
  truncate: {
    type: 'boolean',
    default: 'false',
    means: 'Whether the table is emptied first, in the same transaction.',
    accepts: is.boolean,
  },
  batchSize: {
    type: 'integer from 1',
    default: '5000',
    means: 'How many rows are sent together at most where bad rows are left out, and by INSERT.',
    accepts: is.integer(1, 1_000_000),
  },
  copy: {
    type: 'boolean',
    default: 'true; false for pgwire',
    means: 'Whether rows go by COPY FROM STDIN, or by prepared INSERTs.',
    accepts: is.boolean,
  },
  transaction: {
    type: 'boolean',
    default: 'true',
    means: 'Whether all is done in one transaction; false only with copy: false.',
    accepts: is.boolean,
  },
  ...POSTGRES_CONNECTION_OPTIONS,
} satisfies Record<keyof PostgresWriteOptions, OptionEntry> & OptionTable
