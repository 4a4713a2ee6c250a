/** Targets as tables of a DuckDB that reads these and nothing else. */
import { rm, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { convert } from '../convert/index.ts'
import { createError } from '../core/errors.ts'
import { invalidOption } from '../core/options.ts'
import { claimTempPath, releaseTempPath } from '../core/temp-files.ts'
import type { FormatOptions } from '../core/types.ts'
import { type DuckDbLease, openDuckDb } from '../duckdb/instance.ts'
import { pathToRead, quoteIdentifier, quoteText } from '../duckdb/names.ts'
import type { ReadTarget } from '../open.ts'
import { resolveTarget } from '../resolve.ts'
import type { OpenedTable, TableReadOptions, TableSourceOptions, TableTarget } from './options.ts'

/** Tables in a database of their own, which is gone when it is disposed. */
export interface TableDatabase extends AsyncDisposable {
  readonly lease: DuckDbLease
  readonly tables: readonly OpenedTable[]
}

export interface NamedTable {
  readonly name: string
  readonly target: ReadTarget
  readonly read: TableReadOptions | undefined
}

/** The tables by their names, or targets that are called by their files' stems. Throws OPTION_INVALID. */
export function nameTables(
  tables: Readonly<Record<string, TableTarget>> | readonly TableTarget[],
  read: TableReadOptions | undefined,
): readonly NamedTable[] {
  const named = Array.isArray(tables)
    ? (tables as readonly TableTarget[]).map(table => [undefined, table] as const)
    : Object.entries(tables as Readonly<Record<string, TableTarget>>)
  const taken = new Set<string>()
  return named.map(([given, table]) => {
    const own = isTableWithOptions(table)
    const target = own ? table.target : table
    const name = given ?? stemOf(target, own ? table.read : read)
    if (name === '') throw invalidOption('tables', 'a name for each table', name)
    // Names that differ in nothing but case are one to SQL.
    const key = name.toLowerCase()
    if (taken.has(key)) throw invalidOption('tables', 'names that differ', name, `name the tables: { ${name}_2: … }`)
    taken.add(key)
    return { name, target, read: own ? (table.read ?? read) : read }
  })
}

function isTableWithOptions(table: TableTarget): table is Extract<TableTarget, { target: ReadTarget }> {
  return typeof table === 'object' && table !== null && Object.hasOwn(table, 'target')
}

/** `logs/flights.csv.gz` → `flights`. */
function stemOf(target: ReadTarget, read: TableReadOptions | undefined): string {
  if (target === '-') return 'stdin'
  const { name } = resolveTarget(target, (read ?? {}) as FormatOptions, 'read')
  return /^(\.*[^.]*)/.exec(name)![1]! || 'rows'
}

/**
 * Opens a database with these tables. A local Parquet file is read by DuckDB itself; the rows of every other target are
 * copied by our own reader into a temp Parquet file, with types as `cast` infers them. After that the database can reach
 * no file but these.
 */
export async function openTables(tables: readonly NamedTable[], options: TableSourceOptions): Promise<TableDatabase> {
  const { signal } = options
  const database = new Database(await openDuckDb(options.duckdb, { signal, what: 'SQL', isolated: true }))
  try {
    for (const table of tables) await database.add(table, options)
    await database.lock(signal)
    return database
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw signal?.aborted === true ? signal.reason : error
  }
}

class Database implements TableDatabase {
  readonly lease: DuckDbLease
  readonly tables: OpenedTable[] = []
  /** What queries may read. */
  readonly #paths: string[] = []
  readonly #temporary: string[] = []

  constructor(lease: DuckDbLease) {
    this.lease = lease
  }

  async add(table: NamedTable, options: TableSourceOptions): Promise<void> {
    const { signal } = options
    const file = await parquetPath(table)
    const opened =
      (file === undefined ? undefined : await this.#open(table, file, signal)) ?? (await this.#copy(table, options))
    this.tables.push(opened)
    options.onTable?.(opened)
  }

  /** From here on nothing but the tables can be read, nothing written, and no setting changed. */
  async lock(signal: AbortSignal | undefined): Promise<void> {
    const [{ folder } = {}] = await this.lease.rows(`SELECT current_setting('temp_directory') AS folder`, [], {
      signal,
    })
    const list = (paths: readonly string[]) => `[${paths.map(quoteText).join(', ')}]`
    await this.lease.run(`SET GLOBAL allowed_paths = ${list(this.#paths)}`, [], { signal })
    await this.lease.run(`SET GLOBAL allowed_directories = ${list([String(folder)])}`, [], { signal })
    await this.lease.run('SET GLOBAL enable_external_access = false', [], { signal })
    await this.lease.run('SET GLOBAL lock_configuration = true', [], { signal })
  }

  /** Undefined where DuckDB cannot open it: our own reader may, and has the words if not. */
  async #open(
    { name, target }: NamedTable,
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<OpenedTable | undefined> {
    try {
      const rows = await this.#view(name, path, signal)
      return { name, label: String(target), by: 'file', rows, tempBytes: 0, warnings: [] }
    } catch (error) {
      signal?.throwIfAborted()
      if ((error as { code?: unknown }).code === 'DUCKDB_OUT_OF_MEMORY') throw error
      return undefined
    }
  }

  async #copy({ name, target, read }: NamedTable, options: TableSourceOptions): Promise<OpenedTable> {
    const { signal, onProgress } = options
    const path = await claimTempPath()
    this.#temporary.push(path)
    const { from, rowsOut, bytesWritten, warnings } = await convert(target, path, {
      read,
      write: { format: 'parquet' },
      signal,
      onProgress,
    })
    const rows = await this.#view(name, path, signal)
    if (rows !== rowsOut) {
      throw createError('DUCKDB_FAILED', `the copy has ${rows} rows of ${rowsOut}`, { label: from })
    }
    return { name, label: from, by: 'copy', rows, tempBytes: bytesWritten, warnings }
  }

  /** How many rows it has. */
  async #view(name: string, path: string, signal: AbortSignal | undefined): Promise<number> {
    const file = quoteText(pathToRead(path))
    await this.lease.run(
      `CREATE TEMP VIEW ${quoteIdentifier(name)} AS SELECT * FROM read_parquet(${file}, hive_partitioning = false, union_by_name = false)`,
      [],
      { signal },
    )
    // A pattern is looked at twice: as it is given, and as the file that it means.
    this.#paths.push(pathToRead(path), resolve(path))
    const [counted] = await this.lease.rows(`SELECT num_rows FROM parquet_file_metadata(${file})`, [], { signal })
    return Number(counted!.num_rows)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lease[Symbol.asyncDispose]()
    for (const path of this.#temporary.splice(0)) {
      await rm(path, { force: true })
      releaseTempPath(path)
    }
  }
}

/** The path of a table that is one local Parquet file, read without options. */
async function parquetPath({ target, read = {} }: NamedTable): Promise<string | undefined> {
  const { entry, codecs, format, given } = resolveTarget(target, read as FormatOptions, 'read')
  if (entry.id !== 'file' || format?.id !== 'parquet' || codecs.length > 0) return undefined
  if (Object.keys(given).some(name => name !== 'format' && name !== 'codecs')) return undefined
  const isUrl = target instanceof URL || /^file:/i.test(String(target))
  const path = isUrl ? fileURLToPath(String(target)) : resolve(String(target))
  // What does not exist may be a pattern; and if not, our reader says so.
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() === true ? path : undefined
}
