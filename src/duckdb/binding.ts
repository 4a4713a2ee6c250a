/** `@duckdb/node-api`, loaded when it is first needed, and the few native calls below it that rows are read through. */
import { createRequire } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import type * as NodeApi from '@duckdb/node-api'
import { createError } from '../core/errors.ts'

export type { DuckDBType, DuckDBValue } from '@duckdb/node-api'

export type DuckDb = typeof NodeApi

/** A column of a chunk, as DuckDB holds it in memory. Opaque. */
export interface NativeVector {
  readonly __duckdb_type: 'duckdb_vector'
}
/** The native side of a `DuckDBDataChunk`. Opaque. */
export type NativeChunk = NodeApi.DuckDBDataChunk['chunk']

/** What `@duckdb/node-bindings` offers to read vectors with. The buffers that it gives are copies of DuckDB's memory. */
export interface NativeBinding {
  data_chunk_get_size(chunk: NativeChunk): number
  data_chunk_get_vector(chunk: NativeChunk, column: number): NativeVector
  vector_get_data(vector: NativeVector, byteCount: number): Uint8Array
  /** Null where all values are valid. */
  vector_get_validity(vector: NativeVector, byteCount: number): Uint8Array | null
  list_vector_get_child(vector: NativeVector): NativeVector
  list_vector_get_size(vector: NativeVector): number
  struct_vector_get_child(vector: NativeVector, index: number): NativeVector
  array_vector_get_child(vector: NativeVector): NativeVector
  get_data_from_pointer(buffer: ArrayBufferLike, pointerOffset: number, byteCount: number): Uint8Array
}

export interface LoadedDuckDb {
  readonly api: DuckDb
  readonly native: NativeBinding
}

export const DUCKDB_PACKAGE = '@duckdb/node-api'

let loading: Promise<LoadedDuckDb> | undefined

/**
 * Loads DuckDB. Throws PEER_MISSING where the package is not installed or has no build for this machine; `what` begins
 * the message ("reading Parquet by DuckDB").
 */
export async function loadDuckDb(what: string): Promise<LoadedDuckDb> {
  try {
    loading ??= load()
    return await loading
  } catch (cause) {
    loading = undefined
    throw missing(what, cause)
  }
}

/** Throws as `loadDuckDb` does, and loads no more than tells: for a thread that leaves the work to another one. */
export function checkDuckDb(what: string): void {
  try {
    loadNative()
  } catch (cause) {
    throw missing(what, cause)
  }
}

function missing(what: string, cause: unknown): Error {
  return createError('PEER_MISSING', `${what} needs the package ${DUCKDB_PACKAGE}`, {
    expected: DUCKDB_PACKAGE,
    hint: `npm install ${DUCKDB_PACKAGE}`,
    cause,
  })
}

// By `require`, as `import` first searches all files of a package for names that they export, which takes longer than to
// run them.
const require = createRequire(import.meta.url)

async function load(): Promise<LoadedDuckDb> {
  const native = loadNative()
  // Each of the two holds the thread for a while.
  await setImmediate()
  return { api: require(DUCKDB_PACKAGE) as DuckDb, native }
}

/** From where node-api finds it: package managers do not show us the packages that others depend on. */
function loadNative(): NativeBinding {
  return createRequire(require.resolve(DUCKDB_PACKAGE))('@duckdb/node-bindings') as NativeBinding
}
