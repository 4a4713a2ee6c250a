/** Adds up what many conversions did, and tells how far they are. */
import type { BulkConvertOptions, BulkItem, BulkProgress, BulkSummary } from './bulk-options.ts'
import type { BulkJob } from './bulk-sources.ts'
import type { ConvertProgress } from './options.ts'

const SUMMED = ['rowsIn', 'rowsOut', 'rowsSkipped', 'rowsFailed', 'bytesRead', 'bytesWritten'] as const
type Summed = (typeof SUMMED)[number]

export class BulkReport {
  readonly #items: (BulkItem | undefined)[]
  readonly #underWay = new Map<number, ConvertProgress>()
  readonly #bytesTotal: number | undefined
  readonly #onProgress: BulkConvertOptions['onProgress']
  readonly #intervalMs: number
  readonly #startedAt = performance.now()
  #toldAt = this.#startedAt
  #done = 0
  #failed = 0
  readonly #sums: Record<Summed, number> = Object.fromEntries(SUMMED.map(name => [name, 0])) as Record<Summed, number>
  /** Bytes of the sources that are done, whether they were read or not. */
  #bytesDone = 0
  #pending: Promise<unknown> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(jobs: readonly BulkJob[], { onProgress, progressIntervalMs = 200 }: BulkConvertOptions) {
    this.#items = jobs.map(() => undefined)
    this.#onProgress = onProgress
    this.#intervalMs = progressIntervalMs
    const sizes = jobs.map(job => job.identity.size)
    this.#bytesTotal = sizes.includes(undefined) ? undefined : sizes.reduce<number>((sum, size) => sum + size!, 0)
  }

  tell(job: BulkJob, progress: ConvertProgress): void {
    this.#underWay.set(job.index, progress)
    this.#maybeCall()
  }

  add(job: BulkJob, item: BulkItem): void {
    this.#items[job.index - 1] = item
    this.#underWay.delete(job.index)
    this.#bytesDone += job.identity.size ?? 0
    this.#done++
    if (item.status === 'failed') this.#failed++
    if (item.result !== undefined) {
      for (const name of SUMMED) this.#sums[name] += item.result[name]
    }
    this.#maybeCall()
  }

  async end(workers: number): Promise<BulkSummary> {
    await this.#pending
    if (this.#onProgress !== undefined && this.#failure === undefined) this.#call()
    await this.#pending
    if (this.#failure !== undefined) throw this.#failure.error
    const items = this.#items.filter(item => item !== undefined)
    const of = (...states: BulkItem['status'][]) => items.filter(({ status }) => states.includes(status))
    return {
      succeeded: of('converted', 'unchanged', 'planned'),
      failed: of('failed'),
      cancelled: of('cancelled'),
      ...this.#sums,
      elapsedMs: performance.now() - this.#startedAt,
      workers,
    }
  }

  #maybeCall(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#onProgress === undefined || this.#pending !== undefined) return
    const now = performance.now()
    if (now - this.#toldAt < this.#intervalMs) return
    this.#toldAt = now
    this.#call()
  }

  #call(): void {
    const underWay = [...this.#underWay.values()]
    const sum = (name: 'rowsIn' | 'rowsOut' | 'bytesRead') =>
      underWay.reduce((total, progress) => total + progress[name], this.#sums[name])
    const bytesRead = sum('bytesRead')
    const elapsedMs = performance.now() - this.#startedAt
    const total = this.#bytesTotal
    const done = Math.min(1, (this.#bytesDone + bytesRead - this.#sums.bytesRead) / (total ?? Number.NaN))
    const progress: BulkProgress = {
      filesTotal: this.#items.length,
      filesDone: this.#done,
      filesFailed: this.#failed,
      rowsIn: sum('rowsIn'),
      rowsOut: sum('rowsOut'),
      bytesRead,
      bytesTotal: total,
      elapsedMs,
      remainingMs: done > 0 ? (elapsedMs / done) * (1 - done) : undefined,
      underWay,
    }
    const result = this.#onProgress!(progress)
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
