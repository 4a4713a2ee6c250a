/**
 * What happens inside, for those who want to watch: channels of `node:diagnostics_channel`, named `open-iterable:open` and
 * so on. A channel that nobody listens to costs the look whether somebody does.
 */
import { channel } from 'node:diagnostics_channel'

/** What all events of a handle have. */
export interface HandleEvent {
  /** The reader or writer; always the same object for the same handle. */
  readonly handle: object
  readonly mode: 'read' | 'write'
  /** Names the place; without credentials. */
  readonly label: string
}

/** Rows moved. */
export interface BatchEvent extends HandleEvent {
  readonly rows: number
}

/** An operation failed and is tried again; of whatever is tried, not only handles. */
export interface RetryDiagnostic {
  /** Names the place, where it is known; without credentials. */
  readonly label: string | undefined
  /** The attempt that failed, counted from 1. */
  readonly attempt: number
  /** How long it is until the next one, milliseconds. */
  readonly delayMs: number
  readonly cause: unknown
}

export interface ErrorEvent extends HandleEvent {
  readonly error: unknown
}

/** The last event of a handle: what it did in all. */
export interface CloseEvent extends HandleEvent {
  readonly format: string | undefined
  readonly codecs: readonly string[]
  /** Rows that came from the format, or were encoded. */
  readonly rows: number
  readonly rowsSkipped: number
  readonly rowsFailed: number
  /** Bytes of the place: before decompression, or after compression. */
  readonly bytes: number
  /** Whether a writer published its output; always false for readers. */
  readonly published: boolean
}

/** The event of each channel. */
export interface DiagnosticEvents {
  /** A handle begins to open its target. */
  readonly open: HandleEvent
  /** The first byte came from the place, or was taken by it. */
  readonly firstByte: HandleEvent
  /** Rows came from the format, or were encoded. */
  readonly batch: BatchEvent
  readonly retry: RetryDiagnostic
  /** A handle failed. Being closed or aborted is not a failure. */
  readonly error: ErrorEvent
  /** A handle has let go of its target; follows each `open`. */
  readonly close: CloseEvent
}

interface EventChannel<E> {
  readonly name: string | symbol
  readonly hasSubscribers: boolean
  publish(event: E): void
}

const named = <E>(name: string): EventChannel<E> => channel(`open-iterable:${name}`)

/** The channels, to publish on. Whoever listens takes `subscribe('open-iterable:open', …)` of `node:diagnostics_channel`. */
export const channels: { readonly [K in keyof DiagnosticEvents]: EventChannel<DiagnosticEvents[K]> } = {
  open: named('open'),
  firstByte: named('first-byte'),
  batch: named('batch'),
  retry: named('retry'),
  error: named('error'),
  close: named('close'),
}

/** What a handle tells of itself at its end. */
type Counts = () => Omit<CloseEvent, keyof HandleEvent | 'published'>

/** The events of one handle, in their order: `close` once, and only after `open`. */
export class HandleEvents {
  readonly #handle: object
  readonly #mode: 'read' | 'write'
  readonly #counts: Counts
  #label: string | undefined
  #bytes = false
  /** Rows in all batches. */
  rows = 0

  constructor(handle: object, mode: 'read' | 'write', counts: Counts) {
    this.#handle = handle
    this.#mode = mode
    this.#counts = counts
  }

  opening(label: string): void {
    this.#label = label
    this.#bytes = false
    this.rows = 0
    if (channels.open.hasSubscribers) channels.open.publish(this.#event(label))
  }

  /** Bytes moved. */
  moved(): void {
    if (this.#bytes) return
    this.#bytes = true
    if (channels.firstByte.hasSubscribers) channels.firstByte.publish(this.#event(this.#label))
  }

  batch(rows: number): void {
    this.rows += rows
    if (channels.batch.hasSubscribers) channels.batch.publish({ ...this.#event(this.#label), rows })
  }

  failed(error: unknown): void {
    if (channels.error.hasSubscribers) channels.error.publish({ ...this.#event(this.#label), error })
  }

  closed(published = false): void {
    const label = this.#label
    if (label === undefined) return
    this.#label = undefined
    if (channels.close.hasSubscribers) {
      channels.close.publish({ ...this.#event(label), ...this.#counts(), published })
    }
  }

  #event(label = ''): HandleEvent {
    return { handle: this.#handle, mode: this.#mode, label }
  }
}
