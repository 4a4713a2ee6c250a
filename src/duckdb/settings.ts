/** What a DuckDB instance may use, and its defaults. */
import { availableParallelism, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { is, type OptionEntry } from '../core/options.ts'

/** What DuckDB may use. All queries with equal settings share one instance, and so these limits. */
export interface DuckDbSettings {
  /** Most bytes of memory. What sorts and joins need beyond it goes to temp files. Default: 1 GiB, at most half of all. */
  readonly memoryLimitBytes?: number | undefined
  /** Threads that work on a query. Default: the processors, at most 4. */
  readonly threads?: number | undefined
  /** Folder for temp files, made when it is needed. Default: one in the system's folder for temp files. */
  readonly tempDirectory?: string | undefined
  /** Most bytes of temp files. Default: 16 GiB. */
  readonly maxTempBytes?: number | undefined
}

const MIB = 2 ** 20

/** The settings as options of DuckDB; without a temp directory where none is set. */
export function instanceOptions(settings: DuckDbSettings = {}): Record<string, string> {
  const {
    memoryLimitBytes = Math.min(1024 * MIB, Math.floor(totalmem() / 2)),
    threads = Math.min(4, availableParallelism()),
    tempDirectory,
    maxTempBytes = 16 * 1024 * MIB,
  } = settings
  return {
    memory_limit: `${Math.max(16, Math.ceil(memoryLimitBytes / MIB))}MiB`,
    threads: String(threads),
    ...(tempDirectory === undefined ? {} : { temp_directory: resolve(tempDirectory) }),
    max_temp_directory_size: `${Math.max(1, Math.ceil(maxTempBytes / MIB))}MiB`,
    // Nothing is fetched from anywhere at run time.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    allow_persistent_secrets: 'false',
    // Files may be replaced between two reads, and their content is not worth our memory.
    enable_external_file_cache: 'false',
  }
}

const CHECKS: Readonly<Record<keyof DuckDbSettings, (value: unknown) => boolean>> = {
  memoryLimitBytes: is.integer(16 * MIB),
  threads: is.integer(1, 1024),
  tempDirectory: value => typeof value === 'string' && value !== '',
  maxTempBytes: is.integer(1),
}

/** Whether a value is settings as they may be. */
export function isDuckDbSettings(value: unknown): value is DuckDbSettings {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(
    ([name, setting]) =>
      setting === undefined || (Object.hasOwn(CHECKS, name) && CHECKS[name as keyof DuckDbSettings](setting)),
  )
}

/** The option `duckdb` of everything that DuckDB may run. */
export const DUCKDB_OPTION: OptionEntry = {
  type: '{ memoryLimitBytes?, threads?, tempDirectory?, maxTempBytes? }',
  default: '1 GiB (at most half of all), 4 threads, 16 GiB of temp files',
  means: 'What DuckDB may use, where it runs; shared by all queries with the same settings.',
  accepts: isDuckDbSettings,
}
