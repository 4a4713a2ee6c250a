/** Progress on standard error: a bar for one file, a line for each of many. */
import type { BulkProgress } from '../convert/bulk-options.ts'
import type { ConvertProgress } from '../convert/options.ts'
import type { Reader } from '../reader.ts'
import type { Terminal } from './declare.ts'
import { cut, printable } from './printable.ts'

const BAR = 24
const WATCH_EVERY_MS = 200
const UP = (lines: number) => (lines > 0 ? `\u001b[${lines}A` : '')
const CLEAR = '\r\u001b[J'

/** Draws over what it drew before. */
export class ProgressLines {
  readonly #terminal: Terminal
  #lines = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  one(progress: ConvertProgress): void {
    this.#draw([lineOf(progress)])
  }

  many({ underWay, filesDone, filesTotal, filesFailed, remainingMs }: BulkProgress): void {
    const failed = filesFailed === 0 ? '' : `, ${filesFailed} failed`
    const left = remainingMs === undefined ? '' : `, ${duration(remainingMs)} left`
    this.#draw([...underWay.slice(0, 8).map(lineOf), `${filesDone} of ${filesTotal} files${failed}${left}`])
  }

  /** Shows how far a reader is, until what it gives is called. Its rows are nobody's business here. */
  watch(reader: Pick<Reader<object>, 'label' | 'bytesRead' | 'bytesTotal' | 'rowsRead'>): () => void {
    if (!this.#terminal.showsProgress) return () => {}
    const start = performance.now()
    const timer = setInterval(() => {
      const { label, bytesRead, bytesTotal, rowsRead } = reader
      const seconds = (performance.now() - start) / 1000
      const fraction = bytesTotal === undefined || bytesTotal === 0 ? undefined : Math.min(1, bytesRead / bytesTotal)
      const remainingMs = fraction ? (seconds * 1000 * (1 - fraction)) / fraction : undefined
      this.#draw([
        lineOf({
          from: label,
          fraction,
          bytesRead,
          bytesPerSecond: bytesRead / seconds,
          rowsOut: rowsRead,
          remainingMs,
        }),
      ])
    }, WATCH_EVERY_MS)
    timer.unref()
    return () => {
      clearInterval(timer)
      this.clear()
    }
  }

  /** Takes everything away. */
  clear(): void {
    if (this.#lines > 0) process.stderr.write(`${UP(this.#lines - 1)}${CLEAR}`)
    this.#lines = 0
  }

  #draw(lines: readonly string[]): void {
    if (!this.#terminal.showsProgress) return
    const width = this.#terminal.columns
    // A line that is as wide as the terminal would be two of it.
    const texts = lines.map(line => cut(printable(line), Math.max(1, width - 1)))
    process.stderr.write(`${this.#lines > 0 ? UP(this.#lines - 1) : ''}${CLEAR}${texts.join('\n')}`)
    this.#lines = texts.length
  }
}

type Shown = Pick<ConvertProgress, 'from' | 'fraction' | 'bytesRead' | 'bytesPerSecond' | 'rowsOut' | 'remainingMs'>

function lineOf({ from, fraction, bytesRead, bytesPerSecond, rowsOut, remainingMs }: Shown): string {
  const name = from.slice(from.lastIndexOf('/') + 1)
  const done = fraction === undefined ? '' : `${bar(fraction)} ${Math.floor(fraction * 100)} % `
  const left = remainingMs === undefined ? '' : `, ${duration(remainingMs)} left`
  return `${name} ${done}${bytes(bytesRead)}, ${rowsOut.toLocaleString('en')} rows, ${bytes(bytesPerSecond)}/s${left}`
}

const bar = (fraction: number): string => {
  const full = Math.round(fraction * BAR)
  return '█'.repeat(full) + '░'.repeat(BAR - full)
}

/** `12.3 MB`. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  let value = count
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** `340 ms`, `4.2 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}
