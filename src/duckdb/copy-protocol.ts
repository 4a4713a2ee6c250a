/** What a `CopyThread` and its worker say to each other. */
import type { DuckDbSettings } from './settings.ts'

/** Places in the shared memory. */
export const SENT = 0
export const GIVEN_UP = 1
export const SHARED_BYTES = 8

export interface WorkerInput {
  /** Takes `ChunkData`, one by one; one without rows ends a statement's rows. */
  readonly chunks: import('node:worker_threads').MessagePort
  /** `SENT`: how many chunks were sent; `GIVEN_UP`: not 0 once the work is to be left. */
  readonly shared: SharedArrayBuffer
  readonly settings: DuckDbSettings
}

/**
 * The statement to run next. It has no parameters: with one DuckDB binds it anew when it starts, which asks the thread for
 * the columns of the rows while it waits for that very start.
 */
export interface Statement {
  readonly sql: string
  /** The rows that are sent for it, as a table function of this name; each name is used once. */
  readonly rows?: { readonly name: string; readonly types: readonly string[] }
}

export type WorkerMessage =
  | { readonly kind: 'taken' }
  | { readonly kind: 'done'; readonly rowCount: number }
  | { readonly kind: 'failed'; readonly message: string }
