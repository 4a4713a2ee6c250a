/** Tells how far a conversion is, not too often. */
import type { ConvertOptions, ConvertProgress } from './options.ts'

export type ProgressCounts = Pick<ConvertProgress, 'from' | 'to' | 'rowsIn' | 'rowsOut' | 'bytesRead' | 'bytesTotal'>

export class ProgressReport {
  readonly #onProgress: ConvertOptions['onProgress']
  readonly #intervalMs: number
  readonly #startedAt = performance.now()
  #toldAt = this.#startedAt
  #pending: Promise<unknown> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor({ onProgress, progressIntervalMs = 200 }: ConvertOptions) {
    this.#onProgress = onProgress
    this.#intervalMs = progressIntervalMs
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  /** Tells where things are, if it is time to. Throws what the callback threw. */
  tell(counts: () => ProgressCounts): void {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#onProgress === undefined || this.#pending !== undefined) return
    const now = performance.now()
    if (now - this.#toldAt < this.#intervalMs) return
    this.#toldAt = now
    this.#call(counts())
  }

  /** Tells it a last time. */
  async end(counts: ProgressCounts): Promise<void> {
    await this.#pending
    if (this.#onProgress !== undefined && this.#failure === undefined) this.#call(counts)
    await this.#pending
    if (this.#failure !== undefined) throw this.#failure.error
  }

  #call(counts: ProgressCounts): void {
    const { bytesRead, bytesTotal } = counts
    const { elapsedMs } = this
    const fraction = bytesTotal === undefined || bytesTotal === 0 ? undefined : Math.min(1, bytesRead / bytesTotal)
    const result = this.#onProgress!({
      ...counts,
      fraction,
      elapsedMs,
      rowsPerSecond: rate(counts.rowsIn, elapsedMs),
      bytesPerSecond: rate(bytesRead, elapsedMs),
      remainingMs: fraction === undefined || fraction === 0 ? undefined : (elapsedMs / fraction) * (1 - fraction),
    })
    if (typeof (result as PromiseLike<unknown> | undefined)?.then !== 'function') return
    this.#pending = Promise.resolve(result)
      .catch(error => {
        this.#failure = { error }
      })
      .finally(() => {
        this.#pending = undefined
      })
  }
}

/** So many a second. */
export const rate = (count: number, elapsedMs: number): number => (elapsedMs > 0 ? (count * 1000) / elapsedMs : 0)
